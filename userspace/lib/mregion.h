/* SPDX-License-Identifier: MIT */
/*
 * libmregion: describe a guest's memory map once, and answer its accesses
 *
 * A VMM opens a machine, creates regions, maps them into one another, makes
 * spaces of the outermost ones, and attaches these to a KVM virtual machine.
 * From then on memory slots follow the map, writes that may be coalesced no
 * longer stop a vCPU, and mregion_vm_exit() brings the accesses that do to the
 * read and write functions of the device they are for.
 *
 * Functions that return int return 0 or a negative errno; those that return a
 * pointer return NULL and set errno. The errno is the kernel's where the
 * kernel refused, see <linux/mregion.h>; mregion_error() says it in words.
 * What has been freed must not be passed to any function any more. What a change
 * of the machine can run into whatever it is, -ENOMEM, -ENOBUFS, -EFBIG, -EMLINK,
 * -EDQUOT and -EINTR (a fatal signal), is not repeated below; nor are ENOMEM and
 * ENOBUFS where a ring, shadow memory or a server is made, or a machine attached.
 *
 * All descriptors that the library makes are close-on-exec. "Stays the library's"
 * means that the caller must not close it.
 *
 * Every function may be called from any thread, also from within a device's
 * functions, unless it says otherwise.
 */
#ifndef MREGION_H
#define MREGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/mregion.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_run;

struct mregion_machine;
struct mregion_region;
struct mregion_space;
struct mregion_ring;
struct mregion_shadow;
struct mregion_server;
struct mregion_vm;

/* ---- Version ----------------------------------------------------------- */

/**
 * define MREGION_LIB_VERSION_MAJOR - first number of this header's version
 */
#define MREGION_LIB_VERSION_MAJOR	0

/**
 * define MREGION_LIB_VERSION_MINOR - second number of this header's version
 */
#define MREGION_LIB_VERSION_MINOR	2

/**
 * define MREGION_LIB_VERSION_PATCH - third number of this header's version
 */
#define MREGION_LIB_VERSION_PATCH	0

/**
 * mregion_version() - version of the library that the program runs with
 *
 * A shared library may be newer than the header that the program was built with,
 * whose version is %MREGION_LIB_VERSION_MAJOR, %MREGION_LIB_VERSION_MINOR and
 * %MREGION_LIB_VERSION_PATCH. The module may be older or newer than both: what it
 * has is for mregion_require() to say.
 *
 * Return: three numbers with dots between them, such as "1.20.3".
 */
const char *mregion_version(void);

/* ---- Machines ---------------------------------------------------------- */

/**
 * mregion_machine_open() - open a machine of one's own
 * @path: device to open, or NULL for /dev/mregion
 *
 * Return: the machine. errno ENOENT: the module is not loaded; EACCES: no
 * permission; EPROTO: the module has another base interface than this library
 * (%MREGION_ABI_VERSION), which is never expected from 0.2.0 on.
 */
struct mregion_machine *mregion_machine_open(const char *path);

/**
 * mregion_machine_close() - free a machine and all that belongs to it
 * @machine: the machine, or NULL
 *
 * Detaches it from every virtual machine, whose guest adds nothing to rings any
 * more, and removes the memory slots it set. Then what waits in rings is brought to
 * the devices, with the machine as it is but for the attachments: all that guests
 * have written before, so that the last they had to say is not lost. What is in the
 * ring of a server whose process lives is left to that. Then the threads end that
 * it was asked to start, and regions, spaces and rings are freed: struct
 * mregion_ops.release is called for each region that is left.
 *
 * No thread may be in any other function of this machine; nor may the caller be
 * in a device's function of it, or hold a lock that these take. The one of
 * mregion_machine_set_lock() it may hold, if @lock there says that it has it: it is
 * given up while threads end. A recursive lock it may not hold. A transaction that
 * this thread has open is aborted first.
 */
void mregion_machine_close(struct mregion_machine *machine);

/**
 * mregion_machine_set_lock() - have devices called with a lock of the VMM's
 * @machine: the machine
 * @lock: takes the lock and returns true; or returns false if the thread has it
 *	already, and nothing is to be given back. Always true, if the lock is
 *	recursive; then nobody can give it up for mregion_machine_close()
 * @unlock: gives it back, in the thread that has taken it
 * @opaque: passed to both
 *
 * For a VMM with one big lock. All functions of devices in this process (struct
 * mregion_ops and struct mregion_attach_params.unassigned) are then called with it
 * held, also in the threads of rings: the library takes it, unless the thread has
 * it already. It takes none of its own before that, so whoever has the lock may
 * drain rings, call mregion_vm_exit() or mregion_synchronize(), and waits for nobody
 * who waits for the lock. It is not taken for what calls no device: a server is
 * waited for without it, unless the caller has it.
 *
 * The lock comes before the machine's transactions: who needs both, and that
 * includes a thread that causes accesses between mregion_begin() and
 * mregion_commit(), takes the lock first.
 *
 * Without this, a device's function may take a lock of its own only if nobody
 * who has it waits for what that function may hold up: see mregion_ring_drain().
 *
 * To be called before the machine's first ring and attachment, and before any
 * access to it.
 *
 * Return: 0; -EINVAL: a function is NULL; -EBUSY: the machine has rings, or is
 * attached.
 */
int mregion_machine_set_lock(struct mregion_machine *machine,
			     bool (*lock)(void *opaque),
			     void (*unlock)(void *opaque), void *opaque);

/**
 * mregion_machine_fd() - the machine's descriptor, for one's own ioctls
 * @machine: the machine
 *
 * The library learns of commits made by oneself, or by others who have the
 * file, at its own next commit; an empty transaction will do.
 * A region that mregion_set_server() has bound to a server is to be bound to another
 * by mregion_set_server() only.
 *
 * A machine lives as long as a process has its file, and a child of fork() has
 * it. One that does not exec() closes this descriptor first, and calls nothing
 * else of that machine; else it keeps it alive when the VMM is gone.
 *
 * Return: the descriptor, which stays the library's.
 */
int mregion_machine_fd(const struct mregion_machine *machine);

/**
 * mregion_machine_info() - version, features and limits of the kernel module
 * @machine: the machine
 *
 * Return: what it said when the machine was opened; 0 in members that it does not
 * know.
 */
const struct mregion_info *
mregion_machine_info(const struct mregion_machine *machine);

/**
 * mregion_require() - check that the kernel module has features
 * @machine: the machine
 * @features: enum mregion_feature: what the program cannot do without
 *
 * For a program that wants to know at once. Without it, the first call that needs a
 * feature that is missing fails with EOPNOTSUPP, does nothing, and has
 * mregion_error() name the feature. A program that can do without a feature looks
 * at mregion_info.features of mregion_machine_info().
 *
 * Return: 0; -EOPNOTSUPP: mregion_error() names those that are missing.
 */
int mregion_require(const struct mregion_machine *machine, uint64_t features);

/**
 * mregion_error() - what went wrong last in this thread, in one line
 *
 * A call that succeeds may leave it as it was, or not: look at it only when one
 * has failed.
 *
 * Return: a text such as "map 'uart' into 'pci': it is mapped already (EBUSY)",
 * valid until the thread's next call into the library; "" if nothing ever did.
 */
const char *mregion_error(void);

/* ---- Transactions ------------------------------------------------------ */

/**
 * mregion_begin() - collect the changes that follow into one commit
 * @machine: the machine
 *
 * Without it every change is a commit of its own. Transactions nest; the
 * outermost mregion_commit() commits. Other threads' changes wait meanwhile.
 *
 * Changes are: creation and end of regions and spaces, and what is done to them,
 * rules and servers included. In a transaction they return 0, unless they cannot
 * be collected, and the errnos given for them below are what the commit returns.
 *
 * Rings, shadow memory, servers and attachments are no part of it. Functions that
 * make or free them act at once, upon what was committed before, and last
 * whatever becomes of the transaction.
 */
void mregion_begin(struct mregion_machine *machine);

/**
 * mregion_commit() - carry out what was collected since mregion_begin()
 * @machine: the machine
 *
 * All or nothing, but for what may fail alone: mregion_may_fail(). Afterwards the
 * memory slots of attached virtual machines are brought in line with the new views:
 * first those that must go or change are removed, then the new ones are set.
 *
 * A change that could not even be collected (no memory, bad arguments) counts as one
 * that the kernel has refused: it makes the commit fail, unless it may fail alone. A
 * handle that is NULL is a bad argument (-EINVAL) of every change, in all transactions
 * that the thread has open. So who creates regions, maps them and gives them rules in
 * one transaction need look at nothing but what mregion_commit() returns.
 *
 * Return: 0; -EINVAL: there was no mregion_begin(); -EMSGSIZE: there are more
 * changes than struct mregion_info.max_ops; -ECANCELED: a nested transaction was
 * aborted; or the error of the first change that is not possible. Then the
 * machine is as it was before. Regions and spaces created since mregion_begin()
 * exist as handles only then, as after mregion_abort(): all that can be done with
 * them is mregion_free() and mregion_space_free(). Any other change of them, or that
 * refers to them, rules included, ends with -ENOENT, also where that is not said
 * below. What has been freed since then has not been. Memory slots are set after the
 * machine has changed, and an error of theirs is told by mregion_vm_slots_error().
 */
int mregion_commit(struct mregion_machine *machine);

/**
 * mregion_may_fail() - let the change that follows fail alone
 * @machine: the machine; a transaction is open
 * @result: set to 0 at once, and by the end of the transaction to the negative
 *	errno that the change has failed with; or NULL
 *
 * For a caller that cannot report failure, and has a map to keep up. If the next
 * change that this thread asks for is not possible, it is left out, and the others
 * are carried out without it. That is so if the kernel refuses the change, with one
 * of the errnos given for it, and also if it cannot be collected. What any change
 * can run into (-ENOMEM of the kernel, -EFBIG, -EMLINK, -EDQUOT, -EINTR) is not of
 * one change: it fails all of them, as before.
 *
 * What builds upon a change that fails, fails, too, and the commit with it unless it
 * may fail as well: so who creates a region that may fail lets all that is done with
 * it. A region or a space that was not created is a handle that can only be freed.
 * Changes of what one space shows, and of its policy, build upon those before them.
 * A change that was asked for only in view of another is carried out without it: after
 * a mregion_set_server() that has failed, mregion_post() has writes put into a ring for
 * that server, which nobody wakes for them.
 *
 * @result is written to until the outermost mregion_commit() or mregion_abort() has
 * returned (or the machine is closed), and by mregion_commit_dry_run(), which knows
 * as much. If nothing is carried out after all, it is what the change itself has
 * failed with, if it has, else what mregion_commit() returns, or -ECANCELED after
 * mregion_abort().
 *
 * If a commit succeeds, and changes have failed alone, mregion_error() tells of the
 * first that the kernel has refused.
 *
 * Return: 0; -EINVAL: there was no mregion_begin().
 */
int mregion_may_fail(struct mregion_machine *machine, int *result);

/**
 * mregion_commit_dry_run() - would what was collected be possible?
 * @machine: the machine
 *
 * Asks the kernel, which changes nothing. The transaction stays open: it may go
 * on, be committed, or aborted. In a nested one the question is about all that
 * was collected since the outermost mregion_begin(). Memory slots are not looked
 * at, nor is memory set aside: -ENOMEM may still follow.
 *
 * Return: what mregion_commit() would return.
 */
int mregion_commit_dry_run(struct mregion_machine *machine);

/**
 * mregion_abort() - forget what was collected since mregion_begin()
 * @machine: the machine
 *
 * Rings, shadow memory, servers and attachments made since then are there to stay.
 * Inside a nested transaction this dooms the outer one too: its
 * mregion_commit() returns -ECANCELED.
 */
void mregion_abort(struct mregion_machine *machine);

/* ---- Regions ----------------------------------------------------------- */

/**
 * enum mregion_result - what a device says of an access
 * @MREGION_OK: it is done
 * @MREGION_ERROR: the device had an error (QEMU's MEMTX_ERROR)
 * @MREGION_DECODE_ERROR: nothing is there (MEMTX_DECODE_ERROR)
 *
 * An access that is an error is answered by struct mregion_constraints.refused, as
 * one that the device does not accept.
 */
enum mregion_result {
	MREGION_OK		= 0,
	MREGION_ERROR		= 1,
	MREGION_DECODE_ERROR	= 2
};

/**
 * enum mregion_source - how an access has come to a device's function
 * @MREGION_FROM_VCPU: a vCPU's exit, by mregion_vm_exit()
 * @MREGION_FROM_RING: a vCPU's write that was coalesced or posted
 * @MREGION_FROM_DMA: mregion_space_read() or mregion_space_write()
 * @MREGION_FROM_SERVER: a request to a server, in the serving process
 */
enum mregion_source {
	MREGION_FROM_VCPU	= 0,
	MREGION_FROM_RING	= 1,
	MREGION_FROM_DMA	= 2,
	MREGION_FROM_SERVER	= 3
};

/**
 * struct mregion_current - the access that a device's function is called for
 * @region: that it is to; NULL in a serving process
 * @region_id: its ID
 * @source: how it has come
 * @vm: the virtual machine, if @source is MREGION_FROM_VCPU, else NULL
 * @vcpu: index of the vCPU that makes it in its virtual machine, or MREGION_NO_VCPU:
 *	none does, or it is a posted write that a dead server has left
 * @space: that it is made in; NULL for MREGION_FROM_RING and MREGION_FROM_SERVER
 * @addr: address there of what the function is called for; 0 without @space
 * @offset: in the region, as the function gets it
 */
struct mregion_current {
	struct mregion_region *region;
	uint32_t region_id;
	enum mregion_source source;
	struct mregion_vm *vm;
	uint16_t vcpu;
	struct mregion_space *space;
	uint64_t addr;
	uint64_t offset;
};

/**
 * mregion_current() - what a device's function is called for
 *
 * To be called from within a function of struct mregion_ops.
 *
 * Return: the access, good until the function returns; NULL if no function is
 * running in this thread.
 */
const struct mregion_current *mregion_current(void);

/**
 * enum mregion_ops_flags - flags of struct mregion_ops
 * @MREGION_OPS_NOT_REENTRANT: while a function of the region runs, DMA of the same
 *	thread to the region's registers is refused (-ELOOP), as QEMU's guard
 *	against re-entrancy does it. A write to the region that waits in a ring
 *	stays there meanwhile, unless another thread drains the ring, and so does
 *	what is behind it
 */
enum mregion_ops_flags {
	MREGION_OPS_NOT_REENTRANT	= 1 << 0
};

/**
 * struct mregion_ops - how a device answers accesses to a region
 * @read: return the value at @offset, @len (1, 2, 4 or 8) bytes wide
 * @write: take @data, @len bytes wide, at @offset
 * @constraints: the accesses that the device accepts and implements; see
 *	struct mregion_constraints, and %MREGION_ANY_ACCESS for a device that
 *	takes whatever comes. Accesses that it accepts but does not
 *	implement are split or widened before @read and @write are called, and
 *	values have the byte order of the host in both, as with QEMU's
 *	access_with_adjusted_size()
 * @try_read: called in place of @read, if not NULL: set @data to the value, or tell
 *	why not
 * @try_write: called in place of @write, if not NULL: take @data, or tell why not
 * @flags: enum mregion_ops_flags
 * @release: called once when the region is freed and none of the functions above is
 *	running or will be called for it; or NULL. See below
 *
 * NULL for @read and @try_read, or @write and @try_write: nothing is there; reads
 * give all-ones. Rules go before functions, so registers that are all doorbells or
 * shadows need none.
 *
 * @offset + @len is never beyond the region's end, so @offset may be an index: an
 * access is cut there, and its rest goes to what is behind. Where an access that is
 * smaller than @constraints.impl_min would be widened beyond the end, it is answered
 * as one that the device does not accept. A device written for QEMU's rule, which
 * cuts nothing, has MREGION_VALID_BEYOND among the flags of its @constraints.
 *
 * A device may access its own registers by DMA from within its functions, and others
 * that access them in turn, 64 calls deep in one thread: see mregion_reentries().
 *
 * The functions are called in the thread that resolves the access (a vCPU's,
 * or whoever drains a ring), for several accesses at once if several vCPUs
 * make them; a device that minds takes a lock of its own. No lock of the
 * library is held; but of a ring that is drained, the writes that follow wait. For
 * a lock that all devices share see mregion_machine_set_lock().
 *
 * @release is for a device that goes away from within its own function, or in a
 * thread that cannot wait for others. It may free the device's state, and @ops. It
 * is called after mregion_free() of the region has been committed, be it that of a
 * handle whose creation was undone; or at mregion_machine_close(). In which thread,
 * there is no telling: in the one that frees the region, if nobody is in a device's
 * function of the machine at that time; else in whichever leaves the last of these.
 * That is within mregion_free(), mregion_commit(), mregion_abort(),
 * mregion_synchronize(), mregion_machine_close() or what brings accesses to devices
 * (mregion_vm_exit(), mregion_space_read(), mregion_ring_drain() and the like), or in
 * a ring's thread. It is not within a device's function of the machine, nor in a
 * transaction of it, and no lock of the library's is held, so it may call what these
 * functions may, and mregion_synchronize(); but at mregion_machine_close() nothing of
 * that machine. It is not called when the creation of a region has returned NULL, nor
 * for struct mregion_serving: mregion_serving_del() has waited.
 */
struct mregion_ops {
	uint64_t (*read)(void *opaque, uint64_t offset, unsigned int len);
	void (*write)(void *opaque, uint64_t offset, uint64_t data,
		      unsigned int len);
	struct mregion_constraints constraints;
	enum mregion_result (*try_read)(void *opaque, uint64_t offset,
					uint64_t *data, unsigned int len,
					const struct mregion_current *current);
	enum mregion_result (*try_write)(void *opaque, uint64_t offset,
					 uint64_t data, unsigned int len,
					 const struct mregion_current *current);
	uint32_t flags;
	void (*release)(void *opaque);
};

/**
 * define MREGION_WHOLE - stands for a region's length of 2^64 bytes
 */
#define MREGION_WHOLE	UINT64_MAX

/*
 * Lengths are in bytes; MREGION_WHOLE is 2^64, and so is 0 for a new container,
 * which says that its length does not matter. No region is empty, and a length of
 * 0 is refused (-EINVAL) for all others, and by mregion_resize(). What shows nothing
 * yet, such as a bridge's window that is closed or an alias whose registers say 0,
 * keeps any length and is disabled: mregion_set_enabled(). (In views, and what else
 * comes from <linux/mregion.h>, 0 is 2^64.)
 *
 * Names are copied. A new region is mapped nowhere, and belongs to the machine until
 * mregion_free().
 *
 * Whoever creates a region or a space in a transaction gets a handle, to be used
 * in it, or NULL when not even that is possible; then the commit fails, too.
 * Outside of a transaction there is a handle only if the kernel has agreed.
 */

/**
 * mregion_new_container() - a region that only holds others
 * @machine: the machine
 * @name: its name
 * @len: length in bytes; 0 or MREGION_WHOLE: 2^64
 *
 * Return: the region. errno, as for all that create regions: EINVAL: @name is
 * longer than MREGION_NAME_SIZE - 1 bytes, or has a control character, or @len is 0
 * and the region no container; ENOSPC:
 * the machine has struct mregion_info.max_regions of them.
 */
struct mregion_region *mregion_new_container(struct mregion_machine *machine,
					     const char *name, uint64_t len);

/**
 * mregion_new_ram() - guest memory of a new memfd
 * @machine: the machine
 * @kind: MREGION_RAM or MREGION_ROM
 * @name: its name
 * @len: length in bytes, not 0
 *
 * The memory is zero, shared, and mapped into the VMM: mregion_ram_ptr(). The
 * memfd is sealed: who gets it from mregion_ram_fd() cannot make it smaller.
 *
 * Return: the region. errno: as mregion_new_container(), also if @kind is
 * another one (EINVAL), or one of memfd_create(), ftruncate() or mmap().
 */
struct mregion_region *mregion_new_ram(struct mregion_machine *machine,
				       enum mregion_kind kind,
				       const char *name, uint64_t len);

/**
 * mregion_new_ram_from_fd() - guest memory of a file
 * @machine: the machine
 * @kind: MREGION_RAM, MREGION_ROM or MREGION_RAMDEV
 * @name: its name
 * @len: length in bytes, not 0
 * @fd: the file; not needed afterwards
 * @offset: of the region's first byte in it, a multiple of the page size
 *
 * Who makes the file smaller ends the VMM, by SIGBUS; so a memfd that others have
 * should be sealed (F_SEAL_SHRINK).
 *
 * Return: the region. errno: as mregion_new_container(); EBADF: @fd is not open;
 * EINVAL, too: it is no regular file, or ends before the region, or @offset is no
 * multiple of the page size; or one of mmap().
 */
struct mregion_region *mregion_new_ram_from_fd(struct mregion_machine *machine,
					       enum mregion_kind kind,
					       const char *name, uint64_t len,
					       int fd, uint64_t offset);

/**
 * mregion_new_ram_from_ptr() - guest memory that the VMM has mapped itself
 * @machine: the machine
 * @kind: MREGION_RAM, MREGION_ROM or MREGION_RAMDEV
 * @name: its name
 * @len: length in bytes, not 0
 * @ptr: page-aligned; must stay mapped as long as the region exists
 *
 * Return: the region. errno: as mregion_new_container(); EINVAL, too: @ptr is not
 * aligned.
 */
struct mregion_region *mregion_new_ram_from_ptr(struct mregion_machine *machine,
						enum mregion_kind kind,
						const char *name, uint64_t len,
						void *ptr);

/**
 * mregion_new_mmio() - device registers, in memory or port space alike
 * @machine: the machine
 * @name: its name
 * @len: length in bytes, or MREGION_WHOLE; not 0
 * @ops: how the device answers; must stay as long as the region exists
 * @opaque: passed to its functions
 *
 * Return: the region. errno: as mregion_new_container(); EINVAL, too: the
 * constraints of @ops contradict themselves; EOPNOTSUPP: the kernel does not know a
 * flag of theirs.
 */
struct mregion_region *mregion_new_mmio(struct mregion_machine *machine,
					const char *name, uint64_t len,
					const struct mregion_ops *ops,
					void *opaque);

/**
 * mregion_new_romd() - a ROM device: read as memory, written as a device
 * @machine: the machine
 * @name: its name
 * @len: length in bytes, not 0
 * @ops: how the device answers; must stay as long as the region exists
 * @opaque: passed to its functions
 *
 * The memory is a new memfd, as with mregion_new_ram().
 *
 * Return: the region. errno: as mregion_new_mmio() and mregion_new_ram().
 */
struct mregion_region *mregion_new_romd(struct mregion_machine *machine,
					const char *name, uint64_t len,
					const struct mregion_ops *ops,
					void *opaque);

/**
 * mregion_new_romd_from_fd() - a ROM device whose memory is in a file
 * @machine: the machine
 * @name: its name
 * @len: length in bytes, not 0
 * @ops: how the device answers; must stay as long as the region exists
 * @opaque: passed to its functions
 * @fd: the file; not needed afterwards
 * @offset: of the region's first byte in it, a multiple of the page size
 *
 * As for a flash chip that keeps what was written: the device's functions store
 * it through mregion_ram_ptr(), unless the file was opened for reading only. For
 * the rest as mregion_new_ram_from_fd().
 *
 * Return: the region. errno: as mregion_new_mmio() and mregion_new_ram_from_fd().
 */
struct mregion_region *
mregion_new_romd_from_fd(struct mregion_machine *machine, const char *name,
			 uint64_t len, const struct mregion_ops *ops,
			 void *opaque, int fd, uint64_t offset);

/**
 * mregion_new_romd_from_ptr() - a ROM device whose memory the VMM has mapped
 * @machine: the machine
 * @name: its name
 * @len: length in bytes, not 0
 * @ops: how the device answers; must stay as long as the region exists
 * @opaque: passed to its functions
 * @ptr: page-aligned; must stay mapped as long as the region exists
 *
 * Return: the region. errno: as mregion_new_mmio() and
 * mregion_new_ram_from_ptr().
 */
struct mregion_region *
mregion_new_romd_from_ptr(struct mregion_machine *machine, const char *name,
			  uint64_t len, const struct mregion_ops *ops,
			  void *opaque, void *ptr);

/**
 * mregion_new_alias() - a window on another region
 * @machine: the machine
 * @name: its name
 * @target: the region it shows
 * @offset: of the first byte shown in @target
 * @len: length in bytes, or MREGION_WHOLE; not 0: a window that is closed is one that
 *	is disabled, see mregion_set_enabled()
 *
 * Return: the region. errno: as mregion_new_container(); ENOENT: the creation of
 * @target was undone.
 */
struct mregion_region *mregion_new_alias(struct mregion_machine *machine,
					 const char *name,
					 struct mregion_region *target,
					 uint64_t offset, uint64_t len);

/**
 * mregion_new_reservation() - addresses that somebody else answers for
 * @machine: the machine
 * @name: its name
 * @len: length in bytes, or MREGION_WHOLE; not 0
 *
 * Such as KVM's interrupt controllers.
 *
 * Return: the region. errno: as mregion_new_container().
 */
struct mregion_region *mregion_new_reservation(struct mregion_machine *machine,
					       const char *name, uint64_t len);

/**
 * mregion_free() - free a region
 * @region: the region, or NULL
 *
 * Its device's functions may still be running in another thread by then: struct
 * mregion_ops.release tells when they are not any more, and mregion_synchronize()
 * waits for it. Coalesced writes that still wait for the region are dropped. The
 * handle is gone on success; in a transaction, it is when the commit succeeds, and
 * stays if that fails.
 *
 * Return: 0; -EBUSY: it is mapped, has subregions, is aliased, or is the root of
 * a space.
 */
int mregion_free(struct mregion_region *region);

/**
 * mregion_synchronize() - wait until calls of device functions have ended
 * @machine: the machine
 *
 * Waits for those under way as it is called; a device can free its state after
 * it has freed its regions and called this. Not to be called from within a
 * device's functions, nor in a transaction: see struct mregion_ops.release.
 *
 * Return: 0; -EDEADLK: it is called there nevertheless.
 */
int mregion_synchronize(struct mregion_machine *machine);

/**
 * mregion_id() - the region's ID, in views, counters and requests to servers
 * @region: the region
 *
 * The library never uses an ID again.
 *
 * Return: the ID.
 */
uint32_t mregion_id(const struct mregion_region *region);

/**
 * mregion_name() - the region's name
 * @region: the region
 *
 * Return: the name, as long as the region exists; "" if it has none.
 */
const char *mregion_name(const struct mregion_region *region);

/**
 * mregion_opaque() - the pointer that a region's functions are called with
 * @region: the region
 *
 * Return: what its creation was given; NULL for regions without functions.
 */
void *mregion_opaque(const struct mregion_region *region);

/**
 * mregion_ram_ptr() - the VMM's mapping of a RAM region
 * @region: the region
 *
 * Good until mregion_free() of the region has succeeded, or the machine is
 * closed. After mregion_resize() it is another one if the region has grown.
 *
 * Return: the address, or NULL if the region is no memory.
 */
void *mregion_ram_ptr(const struct mregion_region *region);

/**
 * mregion_ram_fd() - the file behind a RAM region, to pass to another process
 * @region: the region
 *
 * Return: the descriptor, close-on-exec, which stays the library's; -1 if there
 * is none.
 */
int mregion_ram_fd(const struct mregion_region *region);

/**
 * mregion_map() - map a region into another
 * @parent: the region that is to hold it
 * @region: the region; mapped nowhere yet
 * @offset: of @region in @parent, in bytes
 * @priority: among @parent's subregions the higher one is on top; of equals
 *	the one mapped later
 *
 * An alias may be mapped into what it shows. If it would show itself without end,
 * that is -EMLINK as soon as a space shows it: of this call, or of a later one.
 *
 * Return: 0; -EBUSY: it is mapped already; -EINVAL: @parent is an alias; -ELOOP:
 * it holds @parent, or is it; -ENOENT: the creation of one was undone. -EMLINK,
 * -EFBIG, -EDQUOT: regions nested too deep, too many ranges of a view, or too much
 * work; -ENOBUFS: more memory than struct mregion_info.max_memory; these any
 * change may run into.
 */
int mregion_map(struct mregion_region *parent, struct mregion_region *region,
		uint64_t offset, int priority);

/**
 * mregion_map_exclusive() - map a region where no other is
 * @parent: the region that is to hold it
 * @region: the region; mapped nowhere yet
 * @offset: of @region in @parent, in bytes
 * @priority: among @parent's subregions; those of another one may overlap, as it has
 *	been said which is on top
 *
 * As QEMU's memory_region_add_subregion(), if that insisted. What is disabled is not
 * in the way; a container that is empty is. What is mapped, moved, resized or enabled
 * later is not refused because of this region: see %MREGION_MAP_EXCLUSIVE.
 *
 * Return: as mregion_map(); -EEXIST: a subregion of @parent is there, whose name
 * mregion_error() tells, of several that of the topmost.
 */
int mregion_map_exclusive(struct mregion_region *parent,
			  struct mregion_region *region, uint64_t offset,
			  int priority);

/**
 * mregion_unmap() - take a region out of its parent
 * @region: the region
 *
 * Return: 0; -ENOENT: it is not mapped.
 */
int mregion_unmap(struct mregion_region *region);

/**
 * mregion_move() - move a region within its parent
 * @region: the region
 * @offset: of @region in its parent, in bytes
 *
 * It comes on top of its equals, as if mapped anew, unless it is there already.
 * Memory of the guest that moves gets other slots, see mregion_attach().
 *
 * Return: 0; -ENOENT: it is not mapped.
 */
int mregion_move(struct mregion_region *region, uint64_t offset);

/**
 * mregion_resize() - change the length of a region
 * @region: the region
 * @len: length in bytes; MREGION_WHOLE: 2^64; never 0: disable what shows nothing
 *
 * Memory that the library has made, and what is in a file that is large enough,
 * can grow; mregion_ram_ptr() is another one then, and the one before stays good
 * for what it reached. It is the other one from this call on, before the commit,
 * and the former one again if that fails.
 *
 * Return: 0; -EINVAL: memory that the VMM has mapped itself grows beyond what it
 * was created with, or the file ends before, or @len is 0; -ENOMEM, or an errno of
 * ftruncate(): there is no room for more.
 */
int mregion_resize(struct mregion_region *region, uint64_t len);

/**
 * mregion_set_enabled() - show a region and all that is under it, or not
 * @region: the region
 * @enabled: whether to
 *
 * Return: 0; -ENOENT: its creation was undone.
 */
int mregion_set_enabled(struct mregion_region *region, bool enabled);

/**
 * mregion_set_readonly() - let the guest write what a region shows, or not
 * @region: the region
 * @readonly: not
 *
 * Return: 0; -ENOENT: its creation was undone.
 */
int mregion_set_readonly(struct mregion_region *region, bool readonly);

/**
 * mregion_set_log_dirty() - have KVM log which pages the guest writes, or not
 * @region: of memory
 * @log: whether to
 *
 * The log is KVM's: see mregion_vm_slots().
 *
 * Return: 0; -EINVAL: the region is of another kind.
 */
int mregion_set_log_dirty(struct mregion_region *region, bool log);

/**
 * mregion_set_alias_offset() - let an alias show another part
 * @alias: the alias
 * @offset: of the first byte shown in its target
 *
 * Return: 0; -EINVAL: it is no alias.
 */
int mregion_set_alias_offset(struct mregion_region *alias, uint64_t offset);

/**
 * mregion_set_romd() - serve a ROM device's reads from memory, or not
 * @region: a ROM device
 * @from_memory: whether to
 *
 * Return: 0; -EINVAL: the region is of another kind.
 */
int mregion_set_romd(struct mregion_region *region, bool from_memory);

/**
 * mregion_set_flags() - change several enum mregion_region_flags at once
 * @region: the region
 * @mask: which
 * @flags: what to change them to; a subset of @mask
 *
 * Return: 0; -EINVAL: a flag does not go with the region's kind, or is not in
 * @mask; -EOPNOTSUPP: the kernel does not know a flag.
 */
int mregion_set_flags(struct mregion_region *region, uint32_t mask,
		      uint32_t flags);

/**
 * mregion_set_constraints() - replace what mregion_ops.constraints said
 * @region: an MMIO, ROM device or RAM device region
 * @constraints: copied
 *
 * Return: 0; -EINVAL: the region is of another kind, or the constraints contradict
 * themselves; -EOPNOTSUPP: the kernel does not know a flag of theirs.
 */
int mregion_set_constraints(struct mregion_region *region,
			    const struct mregion_constraints *constraints);

/* ---- Spaces ------------------------------------------------------------ */

/**
 * mregion_new_space() - an address space that shows a region
 * @machine: the machine
 * @bus: MREGION_BUS_MEMORY or MREGION_BUS_PIO
 * @root: the region at its address 0
 * @unassigned: what accesses get where nothing is
 *
 * Return: the space. errno EINVAL: there is no such bus or policy; ENOENT: the
 * creation of @root was undone; ENOSPC: the machine has struct
 * mregion_info.max_spaces of them.
 */
struct mregion_space *mregion_new_space(struct mregion_machine *machine,
					enum mregion_bus bus,
					struct mregion_region *root,
					enum mregion_policy unassigned);

/**
 * mregion_space_set_root() - let a space show another region
 * @space: the space; it may be attached
 * @root: the region at its address 0
 *
 * Return: 0; -ENOENT: the creation of one was undone.
 */
int mregion_space_set_root(struct mregion_space *space,
			   struct mregion_region *root);

/**
 * mregion_space_set_unassigned() - change what accesses get where nothing is
 * @space: the space; it may be attached
 * @unassigned: what they get from now on
 *
 * Return: 0; -EINVAL: there is no such policy.
 */
int mregion_space_set_unassigned(struct mregion_space *space,
				 enum mregion_policy unassigned);

/**
 * mregion_space_free() - free a space
 * @space: the space, or NULL
 *
 * The handle is gone on success; in a transaction, it is when the commit
 * succeeds, and stays if that fails. A space whose creation was undone can be
 * freed at any time.
 *
 * Return: 0; -EBUSY: it is attached to a virtual machine.
 */
int mregion_space_free(struct mregion_space *space);

/**
 * mregion_space_id() - the space's ID, for mregion_stats() and ioctls
 * @space: the space
 *
 * Return: the ID.
 */
uint32_t mregion_space_id(const struct mregion_space *space);

/**
 * struct mregion_view - a copy of a space's flat view
 * @generation: of the commit that made it
 * @nr: number of @ranges
 * @ranges: sorted by address; .region resolves by mregion_region_by_id()
 */
__extension__ struct mregion_view {
	uint64_t generation;
	size_t nr;
	/* ISO C++ has no such arrays: hence __extension__ */
	struct mregion_range ranges[];
};

/**
 * mregion_space_view() - read a space's view
 * @space: the space
 *
 * Return: the view, for free(). errno ENOENT: the space is not committed yet.
 */
struct mregion_view *mregion_space_view(struct mregion_space *space);

/**
 * mregion_region_by_id() - the region of an ID
 * @machine: the machine
 * @id: such as struct mregion_range.region
 *
 * The handle is the one that the region's creation has returned, and is good as
 * long as nobody frees it. So whoever looks up a region that another thread may
 * free holds that up: call this, and use the region, in a transaction.
 *
 * Return: the region, or NULL if there is none that the library has made; errno
 * is not set.
 */
struct mregion_region *mregion_region_by_id(struct mregion_machine *machine,
					    uint32_t id);

/**
 * struct mregion_translation - what is at an address of a space
 * @region: what is there; NULL: nothing, or a region that the library has not made
 * @kind: enum mregion_kind, 0 where nothing is
 * @offset: in the region, of the address, in bytes
 * @len: how many bytes from the address on are the same, or how many are nothing;
 *	at most what was asked for. 0: 2^64
 * @readable: it is memory, from which @ptr reads
 * @writable: it is memory, to which @ptr writes
 * @device: reads, or writes, or both, go to a device: registers, what is written
 *	to a ROM device, and memory of a RAM device
 * @ptr: the VMM's mapping of the @len bytes, if they are readable, else NULL.
 *	Valid, as @region is, until the next commit that changes what is there
 * @generation: of the view. If it is the same for several addresses, one view
 *	has all of them
 */
struct mregion_translation {
	struct mregion_region *region;
	uint32_t kind;
	uint64_t offset;
	uint64_t len;
	bool readable;
	bool writable;
	bool device;
	void *ptr;
	uint64_t generation;
};

/**
 * mregion_space_translate() - what is at an address, and how far it reaches
 * @space: the space
 * @addr: the address
 * @len: how many bytes are of interest, 0 for 2^64
 * @there: filled in
 *
 * The library's %MREGION_TRANSLATE, mostly without a call to the kernel. To walk
 * a range, call it again for what is behind @there->len. Changes of a transaction
 * are not seen before its commit; the views of all commits that have returned
 * are. Takes no lock that a device may wait for, and makes no access.
 *
 * Return: 0, also if nothing is there; -EINVAL: @addr is beyond the space's end,
 * or @len beyond 2^64; -ENOENT: the space is not committed yet.
 */
int mregion_space_translate(struct mregion_space *space, uint64_t addr,
			    uint64_t len, struct mregion_translation *there);

/**
 * mregion_space_read() - read from a space as a device does by DMA
 * @space: the space
 * @addr: first address
 * @buf: where to put the data
 * @len: how many bytes
 * @done: if not NULL, set to how many bytes from @addr on were read
 *
 * Memory is copied; registers are read through their devices, in accesses of
 * the sizes they accept; between them an address at a time is resolved. Before
 * the first register, the machine's rings are drained, as mregion_ring_drain()
 * does it from where this is called: the device has seen what the guest wrote.
 *
 * Rules apply as they do to a vCPU's accesses: doorbells ring, shadow registers are
 * read and written, servers answer. What would be coalesced is brought to the device
 * before this returns. To rules, a transfer of up to 8 bytes is one access, and a longer
 * one is several, of the sizes that the devices accept.
 *
 * Return: 0; -EFAULT: nothing is at an address, or a device refused the access
 * and its policy is MREGION_POLICY_ERROR; -ELOOP: devices' functions access each
 * other's registers, and the thread is too deep in them, or the device is not
 * re-entrant: see mregion_reentries(); -ENOMEM: the kernel could not ask a
 * device's server. What was before the address that it failed at is done.
 */
int mregion_space_read(struct mregion_space *space, uint64_t addr, void *buf,
		       size_t len, size_t *done);

/**
 * mregion_space_write() - write to a space as a device does by DMA
 * @space: the space
 * @addr: first address
 * @buf: the data
 * @len: how many bytes
 * @done: if not NULL, set to how many bytes from @addr on were written
 *
 * Return: as mregion_space_read(); -EROFS: what is there is read-only, be it
 * memory or registers that are shown so. A write that a device refuses by another policy than
 * MREGION_POLICY_ERROR counts as done: the device has answered it.
 */
int mregion_space_write(struct mregion_space *space, uint64_t addr,
			const void *buf, size_t len, size_t *done);

/**
 * mregion_reentries() - how often a device's access to registers was refused
 * @machine: the machine
 *
 * A guest can let a device do DMA to its own registers. A thread is in 64 functions
 * at most within one another; and in one of each device that is not re-entrant. What
 * goes beyond is refused (-ELOOP), and the first time said on standard error. A write
 * that waits in a ring is not refused, but stays there for another thread, or for
 * later; it is if the ring is freed.
 *
 * Return: the number of accesses.
 */
uint64_t mregion_reentries(const struct mregion_machine *machine);

/**
 * mregion_space_ptr() - the VMM's mapping of guest memory
 * @space: the space
 * @addr: first address
 * @len: in: how many bytes are wanted; out: how many are there in one piece
 * @write: whether it will be written
 *
 * Valid until the next commit that changes what is at @addr.
 *
 * Memory of a RAM device is not handed out, since the size of accesses matters
 * there.
 *
 * Return: a pointer, or NULL with errno EFAULT: no memory there, or read-only.
 */
void *mregion_space_ptr(struct mregion_space *space, uint64_t addr,
			size_t *len, bool write);

/* ---- Coalescing rings -------------------------------------------------- */

/**
 * mregion_new_ring() - a ring that coalesced writes land in
 * @machine: the machine
 * @nr_entries: a power of two
 * @notify_entries: wake the consumer when so many entries wait, at most
 *	@nr_entries; 0 for never
 * @notify_usecs: wake it when one has waited so long; 0 for never
 *
 * A ring is drained by mregion_vm_exit(), whatever the vCPU exits for, before the
 * access is resolved if it is one, so that a device sees each vCPU's accesses in
 * order; and by mregion_machine_close(). Between exits, drain it when
 * mregion_ring_eventfd() is readable, or ask for a thread that does. A VMM that ends
 * without one of these, as by exit(), loses what waits.
 *
 * Return: the ring. errno EINVAL: @nr_entries is no power of two, or not 2 to
 * struct mregion_info.max_ring_entries; @notify_entries is more than it; or
 * @notify_usecs is more than 10 seconds; ENOSPC: the machine has max_rings rings;
 * EMFILE, ENFILE: no descriptors are left.
 */
struct mregion_ring *mregion_new_ring(struct mregion_machine *machine,
				      uint32_t nr_entries,
				      uint32_t notify_entries,
				      uint32_t notify_usecs);

/**
 * mregion_ring_free() - free a ring
 * @ring: the ring, or NULL
 *
 * What waits in it is brought to the devices first; but within a device's function not
 * what the thread cannot bring from there, see mregion_reentries(). If another thread
 * is just doing that, it is waited for as mregion_ring_drain() does, and does the rest,
 * perhaps after this has returned. The ring's thread is told to end and not waited
 * for. mregion_synchronize() waits for calls of device functions that either has
 * begun.
 *
 * Return: 0; -EBUSY: a region coalesces into it, or is posted to it.
 */
int mregion_ring_free(struct mregion_ring *ring);

/**
 * mregion_ring_id() - the ring's ID, for mregion_stats()
 * @ring: the ring
 *
 * Return: the ID.
 */
uint32_t mregion_ring_id(const struct mregion_ring *ring);

/**
 * mregion_ring_eventfd() - readable when the ring should be drained
 * @ring: the ring
 *
 * Whoever waits for it must read() its 8 bytes before mregion_ring_drain(), since
 * it stays readable otherwise. It does not block.
 *
 * Return: the descriptor, close-on-exec, which stays the library's.
 */
int mregion_ring_eventfd(const struct mregion_ring *ring);

/**
 * mregion_ring_drain() - bring the waiting writes to their devices
 * @ring: the ring
 *
 * If another thread is doing so, waits for it, and does the rest. Writes are
 * brought in order and once, so one that is at its device cannot be passed by; if
 * it stays there for a second, that device may be waiting for a lock that the
 * caller has, and this gives up. A VMM whose devices do so has to give the library
 * that lock: mregion_machine_set_lock(). (mregion_vm_exit() and
 * mregion_space_read() do not give up, since the order of accesses is theirs to
 * keep: without that, nobody may call them with a lock that a device takes.)
 *
 * Within a device's function or in a transaction it does not wait at all, since
 * the device that is called there may in turn wait for this one, or for the
 * transaction. Called from within a device's function that is itself called for this
 * ring, it does nothing. Nor does it to the ring of a living server. Within a device's
 * function it stops at a write that the thread cannot bring from there: see
 * mregion_reentries().
 *
 * Return: how many writes there were; or -EBUSY: another thread is at one, and not
 * waited for any more.
 */
int mregion_ring_drain(struct mregion_ring *ring);

/**
 * mregion_drain() - drain all rings of a machine
 * @machine: the machine
 *
 * As mregion_ring_drain() does it, one after another.
 *
 * Return: how many writes there were; or -EBUSY: a ring is not drained, but all
 * others are.
 */
int mregion_drain(struct mregion_machine *machine);

/**
 * mregion_ring_start_thread() - drain the ring from a thread whenever woken
 * @ring: the ring
 *
 * The thread blocks all signals. It ends with mregion_ring_stop_thread(),
 * mregion_ring_free(), or the machine.
 *
 * Return: 0; -EBUSY: it has a thread already; -EAGAIN: there can be no more
 * threads; -ENOMEM.
 */
int mregion_ring_start_thread(struct mregion_ring *ring);

/**
 * mregion_ring_stop_thread() - undo mregion_ring_start_thread()
 * @ring: the ring; its rules stay, and the VMM drains it from now on
 *
 * The thread begins with no write any more. It is not waited for, so this can be
 * called from anywhere, be it in a device's function, by that very thread: it still
 * does the write that it is at, for whose end mregion_synchronize() waits.
 * mregion_ring_eventfd() is readable if something is left. The ring can be given
 * another thread.
 *
 * Return: 0; -ENOENT: it has no thread.
 */
int mregion_ring_stop_thread(struct mregion_ring *ring);

/**
 * mregion_coalesce() - let writes to part of a region be coalesced
 * @region: an MMIO or ROM device region
 * @offset: first byte of the part
 * @len: its length in bytes; 0: up to the region's end, however long that is
 * @ring: where they go
 *
 * From then on the VMM drains the ring, for as long as it exists.
 *
 * Return: 0; -EBUSY: the ring is, or was, a server's; -EINVAL: the region is of
 * another kind, or the part begins behind its end; -EEXIST: another rule of the
 * kind is for some of the same writes; -ENOSPC: the region has struct
 * mregion_info.max_rules rules, or the machine max_machine_rules.
 */
int mregion_coalesce(struct mregion_region *region, uint64_t offset,
		     uint64_t len, struct mregion_ring *ring);

/**
 * mregion_uncoalesce() - undo mregion_coalesce() of the same arguments
 * @region: the region
 * @offset: first byte of the part
 * @len: its length in bytes, as given there
 * @ring: where they went
 *
 * What waits in the ring is still brought to the device.
 *
 * Return: 0; -ENOENT: there is no such rule.
 */
int mregion_uncoalesce(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_ring *ring);

/* ---- Doorbells and shadow registers ------------------------------------ */

/**
 * struct mregion_doorbell - a doorbell on part of a region
 * @offset: first byte of the part
 * @len: its length in bytes; 0: up to the region's end, however long that is, but not
 *	with @shadow. With @any_len: 0
 * @eventfd: signalled on a matching write, which then is done: neither an exit
 *	nor a call of the device's functions follows. To stay open until the rule
 *	is committed
 * @access_len: only writes of so many bytes; 0 for any that lie within the part
 * @match: only writes of @datamatch
 * @datamatch: see @match
 * @shadow: if not NULL, the value written is stored there before @eventfd is
 *	signalled
 * @shadow_offset: where in @shadow the byte for @offset is; equal to @offset
 *	modulo 8
 * @any_len: each write that begins at @offset, whatever its size and whatever it
 *	reaches into, as KVM's ioeventfds of length 0; not with @access_len,
 *	@match or @shadow
 */
struct mregion_doorbell {
	uint64_t offset;
	uint64_t len;
	int eventfd;
	unsigned int access_len;
	bool match;
	uint64_t datamatch;
	struct mregion_shadow *shadow;
	uint64_t shadow_offset;
	bool any_len;
};

/**
 * mregion_add_doorbell() - let writes to part of a region ring a doorbell
 * @region: an MMIO or ROM device region
 * @doorbell: which writes, and what they ring; copied
 *
 * Return: 0; -EBADF: the eventfd is not open; -EINVAL: it is none, the region is
 * of another kind, the part begins behind its end or reaches beyond the shadow
 * memory's, the offsets are not equal modulo 8, access_len is no size, or no access
 * can match: access_len is more than len or none that the device accepts, or
 * datamatch does not fit; -EEXIST, -ENOSPC: as mregion_coalesce().
 */
int mregion_add_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell);

/**
 * mregion_del_doorbell() - undo mregion_add_doorbell() of equal arguments
 * @region: the region
 * @doorbell: the same in every member but @eventfd, which may be closed by now
 *
 * Return: 0; -ENOENT: there is no such rule.
 */
int mregion_del_doorbell(struct mregion_region *region,
			 const struct mregion_doorbell *doorbell);

/**
 * mregion_new_shadow() - memory that registers are read from or stored in
 * @machine: the machine
 * @len: in bytes; rounded up to whole pages
 *
 * Return: the memory. errno EINVAL: @len is 0 or more than struct
 * mregion_info.max_shadow_len; ENOSPC: the machine has max_shadows of them;
 * EMFILE, ENFILE: no descriptors are left.
 */
struct mregion_shadow *mregion_new_shadow(struct mregion_machine *machine,
					  uint64_t len);

/**
 * mregion_shadow_free() - free shadow memory
 * @shadow: the memory, or NULL
 *
 * Other processes keep what they have mapped.
 *
 * Return: 0; -EBUSY: a rule refers to it.
 */
int mregion_shadow_free(struct mregion_shadow *shadow);

/**
 * mregion_shadow_ptr() - the VMM's mapping of shadow memory
 * @shadow: the memory
 *
 * The memory is zero at first. Values are little-endian, and the guest's aligned
 * accesses are single loads and stores, as the device's should be.
 *
 * Return: its address, good until mregion_shadow_free(), or the machine is closed.
 */
void *mregion_shadow_ptr(const struct mregion_shadow *shadow);

/**
 * mregion_shadow_fd() - the file of shadow memory, to pass to another process
 * @shadow: the memory
 *
 * Who has it maps it: mmap() of the length given at its creation, MAP_SHARED.
 *
 * Return: the descriptor, close-on-exec, which stays the library's.
 */
int mregion_shadow_fd(const struct mregion_shadow *shadow);

/**
 * mregion_add_shadow() - serve part of a region from shadow memory
 * @region: an MMIO or ROM device region
 * @offset: first byte of the part
 * @len: its length in bytes; not 0
 * @shadow: the memory
 * @shadow_offset: where in it the byte for @offset is; equal modulo 8
 * @flags: MREGION_RULE_READ, MREGION_RULE_WRITE, or both
 * @eventfd: signalled when a write has changed what is stored; -1 for none
 *
 * The guest then reads and writes without a call of the device's functions.
 *
 * Return: 0; -EBADF: the eventfd is not open; -EINVAL: it is none, or @flags are
 * for reads only; the region is of another kind; the part begins behind its end or
 * reaches beyond the shadow memory's; the offsets are not equal modulo 8; @flags
 * are none; -EEXIST, -ENOSPC: as mregion_coalesce().
 */
int mregion_add_shadow(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_shadow *shadow,
		       uint64_t shadow_offset, uint32_t flags, int eventfd);

/**
 * mregion_del_shadow() - undo mregion_add_shadow() of equal arguments
 * @region: the region
 * @offset: first byte of the part
 * @len: its length in bytes, as given there
 * @shadow: the memory
 * @shadow_offset: where in it the byte for @offset is
 * @flags: as given there
 * @eventfd: -1 if there was none, else any number: it may be closed by now
 *
 * Return: 0; -ENOENT: there is no such rule.
 */
int mregion_del_shadow(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_shadow *shadow,
		       uint64_t shadow_offset, uint32_t flags, int eventfd);

/* ---- Servers: the VMM's side ------------------------------------------- */

/**
 * mregion_new_server() - make a server
 * @machine: the machine
 * @nr_slots: accesses that can wait for it at the same time: one for each vCPU,
 *	and for each thread that makes accesses without one
 * @spin_usecs: longest time that a vCPU spins for an answer
 * @timeout_usecs: longest time that an answer may take, 0 for any; one hour at
 *	most
 * @fd: set to the descriptor, close-on-exec, which is the caller's: pass it to
 *	the process that serves and close it, since the server is dead when the
 *	last one is closed
 *
 * It goes to the process by SCM_RIGHTS; or by fork() and exec(), if the child
 * lets it stay open: fcntl(fd, F_SETFD, 0). For a child that does not exec() see
 * mregion_machine_fd().
 *
 * Return: the server. errno EINVAL: @nr_slots is not 1 to struct
 * mregion_info.max_slots, @spin_usecs is more than 1000, or @timeout_usecs more
 * than one hour; ENOSPC: the machine has max_servers of them; EMFILE,
 * ENFILE: no descriptors are left.
 */
struct mregion_server *mregion_new_server(struct mregion_machine *machine,
					  uint32_t nr_slots,
					  uint32_t spin_usecs,
					  uint64_t timeout_usecs, int *fd);

/**
 * mregion_server_free() - free a server
 * @server: the server, or NULL
 *
 * It is dead then. Its ID is not used again. Its rings become the VMM's: see
 * mregion_post(), and if it had any, end its process first, and wait for that end.
 *
 * Return: 0; -EBUSY: a region is bound to it.
 */
int mregion_server_free(struct mregion_server *server);

/**
 * mregion_server_id() - the server's ID, for mregion_stats()
 * @server: the server
 *
 * Return: the ID.
 */
uint32_t mregion_server_id(const struct mregion_server *server);

/**
 * mregion_server_dead() - whether a server is dead
 * @server: the server
 *
 * It is when its process has ended (in truth, when the last descriptor and mapping
 * of it are closed), when an answer took too long, and when it is freed. The
 * functions that a region was created with are called then, and its rings become
 * the VMM's: once this is true, mregion_ring_drain() brings what was posted and is
 * not done. To be called at any time, from those functions, too; takes no lock.
 *
 * Return: whether it is; never false again.
 */
bool mregion_server_dead(struct mregion_server *server);

/**
 * mregion_server_dead_fd() - a descriptor that becomes readable when a server dies
 * @server: the server
 *
 * For a VMM's event loop, which then calls mregion_server_dead(). It stays readable
 * and is the library's, until mregion_server_free(): neither to be read nor closed.
 * Close-on-exec.
 *
 * Return: the descriptor.
 */
int mregion_server_dead_fd(const struct mregion_server *server);

/**
 * mregion_set_server() - let a server answer what is forwarded from a region
 * @region: an MMIO or ROM device region
 * @server: the server; NULL is no mistake here, but stands for the functions
 *	given at the region's creation, which are called as well for accesses
 *	that a dead server has left: see mregion_server_dead(). A server is also
 *	dead when an answer took too long; then its process should be killed,
 *	lest it goes on with what the VMM has taken over
 *
 * Return: 0; -EINVAL: the region is of another kind; -ENOENT: the creation of the
 * region was undone, or the server is freed.
 */
int mregion_set_server(struct mregion_region *region,
		       struct mregion_server *server);

/**
 * mregion_post() - let writes to part of a region be posted to its server
 * @region: an MMIO or ROM device region
 * @offset: first byte of the part
 * @len: its length in bytes; 0: up to the region's end, however long that is
 * @ring: where they go
 *
 * As mregion_coalesce(), but it is the server that the ring's entries are for,
 * and that is woken for each. From then on the ring is that server's, and the
 * library does not drain it, until it finds the server dead: then it brings what
 * is left to the functions given at the region's creation. A server that is to
 * follow needs a ring of its own; one transaction does best for
 * mregion_unpost(), mregion_set_server() and mregion_post(). A commit that fails,
 * or is aborted, leaves the ring as it was.
 *
 * The server's process can write to the ring. What it has left there reaches only
 * the parts of regions that were posted to the ring, and only if the device
 * accepts it.
 *
 * What was posted just before the server died waits in the ring until the next
 * access that the server should have answered, or until mregion_server_dead() has
 * been asked and mregion_ring_drain() called: see mregion_server_dead_fd().
 *
 * When the ring is taken from a server whose process lives (it took too long for
 * an answer, or was freed), the process begins no entry any more. The one entry
 * that it may be at is done by the VMM as well if the server was dead, and not if it
 * was freed alive. (A process that drains the ring without this library must be
 * ended, as it does not notice.)
 *
 * Return: 0; -EINVAL: the region is bound to no server; -EBUSY: the ring is
 * another server's, or is drained by the VMM; else as mregion_coalesce().
 */
int mregion_post(struct mregion_region *region, uint64_t offset, uint64_t len,
		 struct mregion_ring *ring);

/**
 * mregion_unpost() - undo mregion_post() of the same arguments
 * @region: the region
 * @offset: first byte of the part
 * @len: its length in bytes, as given there
 * @ring: where they went
 *
 * What waits in the ring is still the server's, or the VMM's once if the server
 * dies before it has done it.
 *
 * Return: 0; -ENOENT: there is no such rule.
 */
int mregion_unpost(struct mregion_region *region, uint64_t offset,
		   uint64_t len, struct mregion_ring *ring);

/**
 * mregion_ring_fd() - the file of a ring, to pass to another process
 * @ring: the ring
 *
 * Return: the descriptor, close-on-exec, which stays the library's.
 */
int mregion_ring_fd(const struct mregion_ring *ring);

/* ---- Servers: the serving process's side ------------------------------- */

struct mregion_serving;

/**
 * mregion_serving_open() - begin to serve
 * @fd: a server's descriptor; the library keeps a duplicate
 *
 * Needs no access to /dev/mregion, and no privilege.
 *
 * Return: what the others here take. errno EBADF: @fd is not open; EINVAL: it is
 * no server's; EMFILE: no descriptors are left.
 */
struct mregion_serving *mregion_serving_open(int fd);

/**
 * mregion_serving_close() - end it
 * @serving: what mregion_serving_open() has returned, or NULL
 *
 * No thread may be serving. The server is dead if nobody else has its descriptor.
 */
void mregion_serving_close(struct mregion_serving *serving);

/**
 * mregion_serving_add() - serve a region
 * @serving: what mregion_serving_open() has returned
 * @region: its ID, as mregion_id() tells the VMM
 * @len: its length in bytes, which no function is called beyond; MREGION_WHOLE if
 *	they look at their offsets themselves
 * @ops: how the device answers; the same that would serve it in the VMM
 * @opaque: passed to its functions
 *
 * Accesses to regions that have not been added read as all-ones. The constraints
 * are those of @ops, whatever mregion_set_constraints() said to the VMM; a posted
 * write that they do not accept is dropped.
 * MREGION_POLICY_ERROR is not passed on: a refused read is all-ones, and that is
 * all. Threads may be serving already.
 *
 * Return: 0; -EINVAL: @len is 0; -EEXIST: it was added before; -ENOMEM.
 */
int mregion_serving_add(struct mregion_serving *serving, uint32_t region,
			uint64_t len, const struct mregion_ops *ops,
			void *opaque);

/**
 * mregion_serving_del() - stop serving a region, for a device that goes away
 * @serving: what mregion_serving_open() has returned
 * @region: its ID
 *
 * Waits until calls of device functions that have begun have ended: the device
 * can free its state afterwards. Threads may be serving. What comes for the
 * region from now on reads as all-ones; let the VMM unmap it, or bind it to no
 * server, before.
 *
 * Return: 0; -ENOENT: it was not added; -EDEADLK: called from within a device's
 * function.
 */
int mregion_serving_del(struct mregion_serving *serving, uint32_t region);

/**
 * mregion_serving_add_ring() - drain a ring of posted writes before requests
 * @serving: what mregion_serving_open() has returned
 * @fd: of the ring; the library keeps a duplicate
 *
 * Threads may be serving already. One process at a time drains a ring, and by one
 * struct mregion_serving.
 *
 * Return: 0; -EEXIST: it was added before, be it by another descriptor; -EINVAL:
 * @fd is no ring's; -EBADF; -EMFILE; -ENOMEM.
 */
int mregion_serving_add_ring(struct mregion_serving *serving, int fd);

/**
 * mregion_serving_del_ring() - stop draining a ring
 * @serving: what mregion_serving_open() has returned
 * @fd: of the ring; need not be the descriptor that it was added by
 *
 * Brings what waits in it to the devices, and waits as mregion_serving_del()
 * does. To be called before that for the regions that are posted to the ring,
 * and after the VMM's mregion_unpost(): what is posted later still is brought
 * only here, and an access may overtake it.
 *
 * Return: 0; -ENOENT: it was not added; -EDEADLK: called from within a device's
 * function; and what mregion_serving_add_ring() returns for a bad @fd.
 */
int mregion_serving_del_ring(struct mregion_serving *serving, int fd);

/**
 * mregion_serve() - serve until there is nothing more to come
 * @serving: what mregion_serving_open() has returned
 * @spin_usecs: longest time to look for the next request before sleeping; it
 *	looks for a shorter time where that has not helped lately
 *
 * Any number of threads may call it. Device functions are called as described
 * at struct mregion_ops.
 *
 * Return: 0 after mregion_serving_stop(), for good; -ENODEV: the machine is closed,
 * or the server freed or dead; -EMFILE: no descriptors are left.
 */
int mregion_serve(struct mregion_serving *serving, unsigned int spin_usecs);

/**
 * mregion_serve_once() - serve what is there and return, for event loops
 * @serving: what mregion_serving_open() has returned
 *
 * Return: 0; -ENODEV: nothing more will come.
 */
int mregion_serve_once(struct mregion_serving *serving);

/**
 * mregion_serving_fd() - polls readable when mregion_serve_once() is due
 * @serving: what mregion_serving_open() has returned
 *
 * Return: the descriptor, close-on-exec, which stays the library's.
 */
int mregion_serving_fd(const struct mregion_serving *serving);

/**
 * mregion_serving_stop() - let all mregion_serve() return
 * @serving: what mregion_serving_open() has returned
 *
 * May be called in a signal handler.
 */
void mregion_serving_stop(struct mregion_serving *serving);

/* ---- KVM --------------------------------------------------------------- */

/**
 * struct mregion_unassigned - (part of) an access to where nothing is
 * @vm: the virtual machine that made it
 * @vcpu: index of its vCPU
 * @bus: enum mregion_bus
 * @addr: first address, or port
 * @data: @len bytes: what is written; or what is read, all-ones at first, to be
 *	changed if the VMM knows better
 * @len: 1 to 8
 * @write: it is a write
 */
struct mregion_unassigned {
	struct mregion_vm *vm;
	unsigned int vcpu;
	enum mregion_bus bus;
	uint64_t addr;
	uint8_t *data;
	unsigned int len;
	bool write;
};

/**
 * define MREGION_ALL_SLOTS - stands for as many memory slots as KVM has
 */
#define MREGION_ALL_SLOTS	0xffffffffu

/**
 * struct mregion_attach_params - how to attach
 * @vm_fd: the KVM virtual machine; must stay open until mregion_detach()
 * @memory: space of its memory bus, or NULL
 * @pio: space of its I/O port bus, or NULL
 * @first_slot: first KVM memory slot that the library may use
 * @nr_slots: how many it may use; 0: leave memory slots alone;
 *	%MREGION_ALL_SLOTS: all that KVM has, from @first_slot on. What is not used
 *	takes no memory
 * @unassigned: called by mregion_vm_exit(), as the functions of struct mregion_ops
 *	are, for each part of an access that is to where nothing is, if the
 *	space's policy is MREGION_POLICY_EXIT. Returns 0, or -EFAULT: it is an
 *	error of the guest. NULL: reads give all-ones, and writes are dropped
 * @opaque: passed to @unassigned
 */
struct mregion_attach_params {
	int vm_fd;
	struct mregion_space *memory;
	struct mregion_space *pio;
	unsigned int first_slot;
	unsigned int nr_slots;
	int (*unassigned)(void *opaque, struct mregion_unassigned *access);
	void *opaque;
};

/**
 * mregion_attach() - give a virtual machine its memory map
 * @machine: the machine
 * @params: how
 *
 * Sets a memory slot for each range of memory in the view (whole pages; the
 * rest is emulated), and lets the kernel module take accesses to the others.
 * Create in-kernel interrupt controllers and timers before.
 *
 * When a commit changes what memory is where, slots are removed and then others
 * are set, while vCPUs run. In between the guest finds no memory there: accesses
 * exit, and mregion_vm_exit() resolves them; but a vCPU that runs code from there,
 * or has its page tables, descriptors or stack there, may be lost. It stops with
 * KVM_EXIT_INTERNAL_ERROR, or with KVM_EXIT_SHUTDOWN, since it cannot even take the
 * fault; then KVM may have reset it, and its registers tell nothing. So pause the
 * vCPUs (let none be in KVM_RUN) for such a commit, or do not move, resize, split or
 * cover memory that they execute. That logging begins or ends replaces no slot.
 *
 * Return: the attachment. If it is NULL, nothing is attached, and errno is EBADF:
 * the virtual machine's descriptor is not open; EINVAL: it is none, a space is of
 * the other bus, or both are NULL; ENOENT: a space is not committed yet; EEXIST:
 * the machine is attached to it already; EPERM: another process has created it;
 * ENOSPC: there are more ranges of memory than slots; or the errno of KVM for a
 * slot. EINVAL, too: with %MREGION_ALL_SLOTS, if KVM has no slot first_slot.
 * EOPNOTSUPP: the module lacks %MREGION_FEATURE_ATTACH.
 */
struct mregion_vm *mregion_attach(struct mregion_machine *machine,
				  const struct mregion_attach_params *params);

/**
 * mregion_detach() - undo mregion_attach(); removes the memory slots too
 * @vm: the virtual machine, or NULL; the handle is gone
 *
 * No thread may be in mregion_vm_exit() of @vm, nor call it any more. vCPUs had
 * better not run, for they find no memory.
 */
void mregion_detach(struct mregion_vm *vm);

/**
 * mregion_vm_slots_error() - the error of the last update of memory slots
 * @vm: the virtual machine
 *
 * Slots are updated by each commit, after the kernel has carried it out, so an
 * error of theirs does not undo it, and is not what mregion_commit() returns.
 * Memory that has no slot because of it is emulated: it is as slow as registers
 * are, and code in it may not run. What could not be done is tried again by
 * every later commit; an empty transaction will do.
 *
 * Return: 0 if all is as the view wants it; -ENOSPC: it has more ranges of
 * memory than there are slots; or the first error of KVM. mregion_error() says
 * which slot it was.
 */
int mregion_vm_slots_error(const struct mregion_vm *vm);

/**
 * struct mregion_slot - a memory slot that the library has set
 * @gpa: guest-physical address
 * @size: in bytes
 * @offset: of its first byte in @region, in bytes
 * @region: whose memory it is; NULL if the region was freed, but KVM could not
 *	remove the slot yet
 * @slot: its number, as KVM takes it; of address space 0
 * @flags: KVM_MEM_LOG_DIRTY_PAGES and KVM_MEM_READONLY, as KVM has them
 */
struct mregion_slot {
	uint64_t gpa;
	uint64_t size;
	uint64_t offset;
	struct mregion_region *region;
	uint32_t slot;
	uint32_t flags;
};

/**
 * mregion_vm_slots() - the memory slots of a virtual machine
 * @vm: the virtual machine
 * @slots: filled in, sorted by address; may be NULL if @nr is 0
 * @nr: for how many there is room
 *
 * For KVM_GET_DIRTY_LOG and the like. A slot keeps its number from one commit to
 * the next as long as it is the same memory at the same place, whatever its
 * flags; one that is removed takes its dirty log along. So no other thread
 * should commit between this call and the use of the numbers, or within it: call
 * both between mregion_begin() and mregion_abort(), which holds others up.
 *
 * Return: how many slots there are, which may be more than @nr.
 */
size_t mregion_vm_slots(struct mregion_vm *vm, struct mregion_slot *slots,
			size_t nr);

/**
 * struct mregion_claims - what is claimed on a virtual machine's bus
 * @nr_windows: how many of @claims are windows of the machine's
 * @nr_conflicts: how many are ranges of others (devices of KVM's own) where the
 *	machine has something, too; see mregion_new_reservation()
 * @nr_unclaimed: how many are parts of regions that nobody has claimed: accesses
 *	to them exit, whatever rules there are
 * @nr: how many there are altogether
 * @claims: windows, then conflicts, then what is not claimed, each sorted by
 *	address; .region resolves by mregion_region_by_id()
 */
__extension__ struct mregion_claims {
	size_t nr_windows;
	size_t nr_conflicts;
	size_t nr_unclaimed;
	size_t nr;
	struct mregion_claim_info claims[];
};

/**
 * mregion_vm_claims() - what is claimed on a virtual machine's bus at present
 * @vm: the virtual machine
 * @bus: which bus
 * @flags: enum mregion_claims_flags: %MREGION_CLAIMS_RENEW after devices of KVM's
 *	own (ioeventfds, coalescing zones, an interrupt controller) were created
 *	or removed with the machine attached
 *
 * Return: the list, for free(). errno ENOENT: it is not attached to that bus, or
 * the virtual machine is gone; EINVAL: there is no such bus; EOPNOTSUPP: the kernel does
 * not know a flag; ENOMEM: out of memory, and EINTR: a fatal signal arrived; the windows
 * are as before.
 */
struct mregion_claims *mregion_vm_claims(struct mregion_vm *vm,
					 enum mregion_bus bus, uint32_t flags);

/**
 * mregion_vm_exit() - resolve a vCPU's exit
 * @vm: the virtual machine
 * @vcpu: the vCPU's index: 0 for the one created first, and so on
 * @run: the vCPU's struct kvm_run, after KVM_RUN
 *
 * Drains the machine's rings, for whatever reason the vCPU exits: what it has
 * written before, and what others have written by the time of the call, is with the
 * devices when this returns, unless it is called within a device's function or a
 * transaction. So call it for each exit, and look at its reason afterwards.
 *
 * Then resolves KVM_EXIT_MMIO and KVM_EXIT_IO: splits the access at the ranges of
 * the view and by what each device accepts and implements, and calls the devices;
 * or struct mregion_attach_params.unassigned, where nothing is.
 *
 * An exit that is resolved is marked as such in @run (in mmio.is_write, or
 * io.direction), so a second call for it does nothing and returns 0: a KVM_RUN that
 * returns EINTR may leave the last exit's reason behind.
 *
 * For each vCPU one thread at a time may call it; for several, several may.
 *
 * Return: 0: resolved. 1: another reason to exit, or an access to a bus that no
 * space was attached for; rings were drained, and that is all. -EFAULT: the access is an error of the guest by a policy
 * (MREGION_POLICY_ERROR), or @unassigned says so: resolved, for the VMM to inject a
 * machine check if its machine does so; reads by a policy are all-ones. -EINTR: a
 * signal is pending while the region's server is still at it; call again, with @run
 * as it is, before the vCPU runs. Another negative errno: the kernel could not ask
 * the server (-ENOMEM); calling again goes on where this has ended, as it does after
 * -EINTR. -EINVAL: @vcpu is MREGION_NO_VCPU or more.
 */
int mregion_vm_exit(struct mregion_vm *vm, unsigned int vcpu,
		    struct kvm_run *run);

/* ---- Seeing it --------------------------------------------------------- */

/**
 * mregion_stats() - counters
 * @machine: the machine
 * @object: of what
 * @id: 0 for the machine; else what mregion_id(), mregion_space_id(),
 *	mregion_ring_id() or mregion_server_id() tell
 * @stats: filled in
 *
 * Return: 0; -ENOENT: there is none of that ID, or not any more; -EINVAL: @id is
 * not 0 for the machine; -EOPNOTSUPP: the kernel does not know such an @object.
 */
int mregion_stats(struct mregion_machine *machine, enum mregion_object object,
		  uint32_t id, struct mregion_stats *stats);

/**
 * mregion_print_tree() - print a space's region hierarchy, for people
 * @space: the space
 * @file: where to
 *
 * Return: 0; -ENOENT: the space is not committed yet; -EIO: @file has an error.
 */
int mregion_print_tree(struct mregion_space *space, FILE *file);

/**
 * mregion_print_view() - print a space's flat view
 * @space: the space
 * @file: where to
 *
 * A line a range: first address, last address, offset in the region (16 hex
 * digits each), type (ram, rom, romd, ramd, i/o, or resv for a reservation),
 * region name; the format of the `.flat` files.
 *
 * Return: 0; -ENOENT: the space is not committed yet; -EIO: @file has an error.
 */
int mregion_print_view(struct mregion_space *space, FILE *file);

#ifdef __cplusplus
}
#endif

#endif /* MREGION_H */
