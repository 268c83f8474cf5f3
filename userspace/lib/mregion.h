/* SPDX-License-Identifier: MIT */
/*
 * libmregion: describe a guest's memory map once, and answer its accesses
 *
 * A VMM opens a machine, creates regions, maps them into one another, makes
 * spaces of the outermost ones, and attaches these to a KVM virtual machine.
 * From then on memory slots follow the map, writes that may be coalesced no
 * longer stop a vCPU, and mregion_vm_exit() brings the accesses that exit to the
 * read and write functions of their device.
 *
 * Functions that return int return 0 or a negative errno; those that return a
 * pointer return NULL and set errno. The errno is the kernel's where the
 * kernel refused, see <linux/mregion.h>; mregion_error() says it in words.
 * Handles that have been freed must not be passed to any function. Errors that
 * every change of a machine can return, -ENOMEM, -ENOBUFS, -EFBIG, -EMLINK,
 * -EDQUOT and -EINTR (a fatal signal), are not repeated below; nor are ENOMEM and
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
struct mregion_log;
struct mregion_logs;

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
 * Detaches the machine from every virtual machine, so that guests add nothing to
 * rings any more, and removes the memory slots that it has set. Then it brings all
 * entries of rings to the devices, so no write of a guest is lost. The ring of a
 * server whose process lives is left to that process. Then it ends the threads that
 * mregion_ring_start_thread() has started, and frees regions, spaces and rings:
 * struct mregion_ops.release is called for each region that is left.
 *
 * No thread may be in any other function of this machine. The caller must not be
 * in a device's function of it, nor hold a lock that these take. It may hold the lock
 * of mregion_machine_set_lock(), if @lock there reports that the thread has it: the
 * lock is released while threads end. A recursive lock must not be held. A
 * transaction that this thread has open is aborted first.
 */
void mregion_machine_close(struct mregion_machine *machine);

/**
 * mregion_machine_set_lock() - have devices called with a lock of the VMM's
 * @machine: the machine
 * @lock: takes the lock and returns true; or returns false if the thread has it
 *	already, and @unlock is not to be called. Always true, if the lock is
 *	recursive; then mregion_machine_close() cannot release it
 * @unlock: releases it, in the thread that has taken it
 * @opaque: passed to both
 *
 * For a VMM with one big lock. All functions of devices in this process (struct
 * mregion_ops and struct mregion_attach_params.unassigned) are then called with it
 * held, also in the threads of rings: the library takes it, unless the thread has
 * it already. The library takes none of its own locks before that. So the lock's
 * holder may drain rings, and call mregion_vm_exit() or mregion_synchronize(),
 * without a deadlock. The lock is not taken where no device is called: the library
 * waits for a server without it, unless the caller has it.
 *
 * The lock comes before the machine's transactions: a thread that needs both takes
 * the lock first. That includes a thread that causes accesses between
 * mregion_begin() and mregion_commit().
 *
 * Without this, a device's function may take a lock of its own only if the holder
 * of that lock never waits for that function: see mregion_ring_drain().
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
 * The library learns of commits made on the descriptor, by this process or by others,
 * at its own next commit; an empty transaction will do.
 * Only mregion_set_server() may bind a region to another server that it has bound to
 * one.
 *
 * A machine lives as long as a process has its file open, and a child of fork() has
 * it open. A child that does not exec() closes this descriptor first, and calls no
 * other function of that machine; else it keeps the machine alive after the VMM.
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
 * A call that succeeds may or may not clear it: look at it only after a failure.
 *
 * Return: a text such as "map 'uart' into 'pci': it is mapped already (EBUSY)",
 * valid until the thread's next call into the library; "" if no call ever failed.
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
 * Changes are: creating, changing and freeing regions and spaces, with their rules and
 * servers. In a transaction they return 0, unless they cannot be collected, and the
 * commit returns the errnos given for them below.
 *
 * Rings, shadow memory, servers and attachments are no part of a transaction.
 * Functions that make or free them act at once, on the committed state, and are not
 * undone with the transaction.
 */
void mregion_begin(struct mregion_machine *machine);

/**
 * mregion_commit() - carry out the changes since mregion_begin()
 * @machine: the machine
 *
 * All changes are carried out, or none, except for those that may fail alone:
 * mregion_may_fail(). Afterwards the memory slots of attached virtual machines are
 * brought in line with the new views: first those that must go or change are removed,
 * then the new ones are set.
 *
 * A change that could not be collected (no memory, bad arguments) counts as one
 * that the kernel has refused: it makes the commit fail, unless it may fail alone. A
 * NULL handle is a bad argument (-EINVAL) of every change, in all transactions
 * that the thread has open. So a caller that creates regions, maps them and gives them
 * rules in one transaction need check only the result of mregion_commit().
 *
 * Return: 0; -EINVAL: there was no mregion_begin(); -EMSGSIZE: there are more
 * changes than struct mregion_info.max_ops; -ECANCELED: a nested transaction was
 * aborted; or the error of the first change that is not possible. On an error the
 * machine is as before. Regions and spaces created since mregion_begin() are then
 * handles only, as after mregion_abort(): they can be passed to mregion_free() and
 * mregion_space_free(). Any other change of them, or that refers to them, rules
 * included, returns -ENOENT, also where that is not said below. Regions and spaces
 * freed since mregion_begin() still exist. Memory slots are set after the machine has
 * changed; mregion_vm_slots_error() returns their errors.
 */
int mregion_commit(struct mregion_machine *machine);

/**
 * mregion_may_fail() - let the change that follows fail alone
 * @machine: the machine; a transaction is open
 * @result: set to 0 at once, and by the end of the transaction to the negative
 *	errno that the change has failed with; or NULL
 *
 * For a caller that cannot report failure, and mirrors a map. If the next
 * change of this thread is not possible, it is left out, and the others
 * are carried out without it. That holds if the kernel refuses the change with one
 * of the errnos given for it, and if the change cannot be collected. Errors that
 * every change can return (-ENOMEM of the kernel, -EFBIG, -EMLINK, -EDQUOT, -EINTR)
 * fail all changes.
 *
 * A change that depends on one that failed fails, too, and with it the commit, unless
 * it may fail as well. So a caller that creates a region that may fail calls this for
 * all changes of that region. A region or a space that was not created is a handle
 * that can only be freed. Changes of the root or the policy of a space depend on
 * earlier ones. A change without such a dependency is carried out: after
 * a mregion_set_server() that has failed, mregion_post() has writes put into a ring for
 * that server, which is not woken for them.
 *
 * @result is written to until the outermost mregion_commit() or mregion_abort() has
 * returned (or the machine is closed), and by mregion_commit_dry_run(). If the
 * transaction is not carried out, @result is the change's own errno if it has failed,
 * else the one of mregion_commit(), or -ECANCELED after mregion_abort().
 *
 * If a commit succeeds, and changes have failed alone, mregion_error() describes the
 * first that the kernel has refused.
 *
 * Return: 0; -EINVAL: there was no mregion_begin().
 */
int mregion_may_fail(struct mregion_machine *machine, int *result);

/**
 * mregion_commit_dry_run() - check whether the collected changes are possible
 * @machine: the machine
 *
 * Asks the kernel, which changes nothing. The transaction stays open: it may
 * continue, be committed, or aborted. In a nested one the check is of all changes
 * since the outermost mregion_begin(). Memory slots are not checked, and no memory
 * is reserved: -ENOMEM may still follow.
 *
 * Return: the result that mregion_commit() would have.
 */
int mregion_commit_dry_run(struct mregion_machine *machine);

/**
 * mregion_abort() - drop the changes since mregion_begin()
 * @machine: the machine
 *
 * Rings, shadow memory, servers and attachments made since then are not freed.
 * Inside a nested transaction this dooms the outer one too: its
 * mregion_commit() returns -ECANCELED.
 */
void mregion_abort(struct mregion_machine *machine);

/* ---- Regions ----------------------------------------------------------- */

/**
 * enum mregion_result - a device's result of an access
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
 * enum mregion_source - the source of an access to a device's function
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
 * @region: the region; NULL in a serving process
 * @region_id: its ID
 * @source: enum mregion_source
 * @vm: the virtual machine, if @source is MREGION_FROM_VCPU, else NULL
 * @vcpu: index of the vCPU in its virtual machine, or MREGION_NO_VCPU:
 *	no vCPU makes it, or it is a posted write that a dead server has left
 * @space: the space of the access, which is the one for SMM if a vCPU makes it there; NULL
 *	for MREGION_FROM_RING and MREGION_FROM_SERVER
 * @addr: address in @space of the first byte that the function gets; 0 without @space
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
 * mregion_current() - the access that a device's function is called for
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
 *	stays there meanwhile, with all entries behind it, unless another thread
 *	drains the ring
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
 *	takes any access. Accesses that it accepts but does not
 *	implement are split or widened before @read and @write are called, and
 *	values have the byte order of the host in both, as with QEMU's
 *	access_with_adjusted_size()
 * @try_read: called in place of @read, if not NULL: set @data to the value, or return
 *	an error
 * @try_write: called in place of @write, if not NULL: take @data, or return an error
 * @flags: enum mregion_ops_flags
 * @release: called once when the region is freed and none of the functions above is
 *	running or will be called for it; or NULL. See below
 *
 * NULL for @read and @try_read, or @write and @try_write: nothing is there; reads
 * give all-ones. Rules go before functions, so registers that are all doorbells or
 * shadows need none.
 *
 * @offset + @len is never beyond the region's end, so @offset may be an index: an
 * access is cut there, and its rest goes to the region behind. An access smaller than
 * @constraints.impl_min that would be widened beyond the end is answered
 * as one that the device does not accept. A device written for QEMU's rule, which
 * cuts nothing, has MREGION_VALID_BEYOND among the flags of its @constraints.
 *
 * From within its functions, a device may access its own registers by DMA, and those
 * of other devices that do the same, 64 calls deep in one thread: see
 * mregion_reentries().
 *
 * The functions are called in the thread that resolves the access (a vCPU's,
 * or one that drains a ring). Several vCPUs may call them at the same time; a device
 * that cannot have that takes a lock of its own. No lock of the library is held. While
 * a ring is drained, the writes behind the current one wait. For
 * a lock that all devices share see mregion_machine_set_lock().
 *
 * @release is for a device that goes away from within its own function, or in a
 * thread that cannot wait for others. It may free the device's state, and @ops. It
 * is called after mregion_free() of the region has been committed, also if the handle's
 * creation was undone; or at mregion_machine_close(). It runs in the thread that frees
 * the region, if no thread is in a device's function of the machine at that time; else
 * in the thread that leaves the last of these functions. That is within
 * mregion_free(), mregion_commit(), mregion_abort(), mregion_synchronize(),
 * mregion_machine_close() or a function that brings accesses to devices
 * (mregion_vm_exit(), mregion_space_read(), mregion_ring_drain() and the like), or in
 * a ring's thread. It is not within a device's function of the machine, nor in a
 * transaction of it, and no lock of the library is held. So it may call the functions
 * that a device's function may call, and mregion_synchronize(); but at
 * mregion_machine_close() none of that machine. It is not called when the creation of
 * a region has returned NULL, nor for struct mregion_serving: mregion_serving_del() has
 * waited.
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
 * Lengths are in bytes; MREGION_WHOLE is 2^64, and so is 0 for a new container.
 * No region is empty: a length of 0 is refused (-EINVAL) for all others, and by
 * mregion_resize(). A region that shows nothing yet, such as a closed window of a
 * bridge or an alias whose registers are 0, keeps any length and is disabled:
 * mregion_set_enabled(). (In views, and in all structures of <linux/mregion.h>, 0 is
 * 2^64.)
 *
 * Names are copied. A new region is mapped nowhere, and belongs to the machine until
 * mregion_free().
 *
 * In a transaction, the creation of a region or a space returns a handle, to be used in
 * the same transaction. It returns NULL if even that is not possible, and the commit
 * then fails, too. Outside of a transaction it returns a handle only if the kernel has
 * created the region or space.
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
 * memfd of mregion_ram_fd() is sealed: no process can make it smaller.
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
 * If the file is made smaller, SIGBUS ends the VMM. So a memfd that is shared with
 * other processes should be sealed (F_SEAL_SHRINK).
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
 * @ops: the device's functions; must stay as long as the region exists
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
 * @ops: the device's functions; must stay as long as the region exists
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
 * @ops: the device's functions; must stay as long as the region exists
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
 * @ops: the device's functions; must stay as long as the region exists
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
 * mregion_new_reservation() - addresses of devices outside of mregion
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
 * Its device's functions may still be running in another thread. struct
 * mregion_ops.release is called when they have ended, and mregion_synchronize()
 * waits for their end. Coalesced writes that still wait for the region are dropped. The
 * handle ends on success; in a transaction, it ends when the commit succeeds, and
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
 * Waits for the calls under way at its own call. A device that has freed its regions
 * and called this can free its state. Not to be called from within a
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
 * Return: the pointer given at its creation; NULL for regions without functions.
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
 * An alias may be mapped into the region that it shows. If it would show itself without
 * end, this call, or a later one that makes a space show it, returns -EMLINK.
 *
 * Return: 0; -EBUSY: it is mapped already; -EINVAL: @parent is an alias; -ELOOP:
 * it holds @parent, or is it; -ENOENT: the creation of one was undone. -EMLINK,
 * -EFBIG, -EDQUOT: regions nested too deep, too many ranges of a view, or too much
 * work; -ENOBUFS: more memory than struct mregion_info.max_memory. Any change may
 * return these four.
 */
int mregion_map(struct mregion_region *parent, struct mregion_region *region,
		uint64_t offset, int priority);

/**
 * mregion_map_exclusive() - map a region where no other is
 * @parent: the region that is to hold it
 * @region: the region; mapped nowhere yet
 * @offset: of @region in @parent, in bytes
 * @priority: among @parent's subregions; those of another priority may overlap
 *
 * As QEMU's memory_region_add_subregion(), with overlaps refused. Disabled siblings are
 * not in the way; empty containers are. Siblings that are mapped, moved, resized or
 * enabled later are not refused because of this region: see %MREGION_MAP_EXCLUSIVE.
 *
 * Return: as mregion_map(); -EEXIST: a subregion of @parent is there. mregion_error()
 * names it; of several, the topmost.
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
 * It comes on top of its siblings of equal priority, as if mapped anew, unless @offset
 * is its present one. Memory of the guest that moves gets other slots, see
 * mregion_attach().
 *
 * Return: 0; -ENOENT: it is not mapped.
 */
int mregion_move(struct mregion_region *region, uint64_t offset);

/**
 * mregion_resize() - change the length of a region
 * @region: the region
 * @len: length in bytes; MREGION_WHOLE: 2^64; never 0: disable the region instead
 *
 * Memory that the library has made, and memory in a file that is large enough,
 * can grow. mregion_ram_ptr() then returns another pointer; the former one stays valid
 * for the former length. It returns the other pointer from this call on, before the
 * commit, and the former one again if that fails.
 *
 * Return: 0; -EINVAL: memory that the VMM has mapped itself grows beyond what it
 * was created with, or the file ends before, or @len is 0; -ENOMEM, or an errno of
 * ftruncate(): there is no room for more.
 */
int mregion_resize(struct mregion_region *region, uint64_t len);

/**
 * mregion_set_enabled() - show a region and all that is under it, or hide them
 * @region: the region
 * @enabled: true to show them
 *
 * Return: 0; -ENOENT: its creation was undone.
 */
int mregion_set_enabled(struct mregion_region *region, bool enabled);

/**
 * mregion_set_readonly() - make a region read-only or writable for the guest
 * @region: the region
 * @readonly: true for read-only
 *
 * Return: 0; -ENOENT: its creation was undone.
 */
int mregion_set_readonly(struct mregion_region *region, bool readonly);

/**
 * mregion_set_log_dirty() - start or stop KVM's log of pages that the guest writes
 * @region: a region of memory
 * @log: true to start
 *
 * The log is KVM's, of what vCPUs write by way of slots, and for the VMM to read: see
 * mregion_vm_slots(). mregion_log_start() has a log of what anybody writes; a region
 * with such logs is not for this function.
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
 * mregion_set_romd() - serve a ROM device's reads from memory, or by the device
 * @region: a ROM device
 * @from_memory: true for memory
 *
 * Return: 0; -EINVAL: the region is of another kind.
 */
int mregion_set_romd(struct mregion_region *region, bool from_memory);

/**
 * mregion_set_flags() - change several enum mregion_region_flags at once
 * @region: the region
 * @mask: the flags to change
 * @flags: their new values; a subset of @mask
 *
 * Return: 0; -EINVAL: a flag does not go with the region's kind, or is not in
 * @mask; -EOPNOTSUPP: the kernel does not know a flag.
 */
int mregion_set_flags(struct mregion_region *region, uint32_t mask,
		      uint32_t flags);

/**
 * mregion_set_constraints() - replace the constraints of mregion_ops
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
 * @unassigned: the policy for unassigned addresses
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
 * mregion_space_set_unassigned() - change the policy for unassigned addresses
 * @space: the space; it may be attached
 * @unassigned: the new policy
 *
 * Return: 0; -EINVAL: there is no such policy.
 */
int mregion_space_set_unassigned(struct mregion_space *space,
				 enum mregion_policy unassigned);

/**
 * mregion_space_free() - free a space
 * @space: the space, or NULL
 *
 * The handle ends on success; in a transaction, it ends when the commit
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
 * The handle is the one that the region's creation has returned, and is valid until it
 * is freed. If another thread may free the region, call this, and use the region, in a
 * transaction.
 *
 * Return: the region, or NULL if there is none that the library has made; errno
 * is not set.
 */
struct mregion_region *mregion_region_by_id(struct mregion_machine *machine,
					    uint32_t id);

/**
 * struct mregion_translation - the region at an address of a space
 * @region: the region; NULL if the address is unassigned, or the region is not one that
 *	the library has made
 * @kind: enum mregion_kind, 0 for an unassigned address
 * @offset: of the address in the region, in bytes
 * @len: number of bytes from the address on that are in the same range, or unassigned;
 *	at most the length asked for. 0: 2^64
 * @readable: it is memory, from which @ptr reads
 * @writable: it is memory, to which @ptr writes
 * @device: reads, or writes, or both, go to a device: registers, writes
 *	to a ROM device, and memory of a RAM device
 * @ptr: the VMM's mapping of the @len bytes, if they are readable, else NULL.
 *	Valid, as @region is, until the next commit that changes the view there
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
 * mregion_space_translate() - translate an address to a region
 * @space: the space
 * @addr: the address
 * @len: how many bytes are of interest, 0 for 2^64
 * @there: filled in
 *
 * The library's %MREGION_TRANSLATE, mostly without a call to the kernel. To walk
 * a range, call it again for the address behind @there->len bytes. The result is of a
 * view with all commits that have returned, and without open transactions. Takes no
 * lock that a device may wait for, and makes no access.
 *
 * Return: 0, also for an unassigned address; -EINVAL: @addr is beyond the space's end,
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
 * the sizes that they accept. Before the first register, the machine's rings are
 * drained as mregion_ring_drain() would do it here, so the device has seen earlier
 * writes of the guest.
 *
 * Rules apply as they do to a vCPU's accesses: doorbells ring, shadow registers are
 * read and written, servers answer. Writes to coalesced registers reach the device
 * before this returns. To rules, a transfer of up to 8 bytes is one access, and a longer
 * one is several, of the sizes that the devices accept.
 *
 * Return: 0; -EFAULT: an address is unassigned, or a device refused the access
 * and its policy is MREGION_POLICY_ERROR; -ELOOP: devices' functions access each
 * other's registers, and the thread is too deep in them, or the device is not
 * re-entrant: see mregion_reentries(); -ENOMEM: the kernel could not ask a
 * device's server. The bytes before the address that failed are done.
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
 * Return: as mregion_space_read(); -EROFS: memory or registers there are read-only. A
 * write that a device refuses by another policy than MREGION_POLICY_ERROR counts as
 * done: the device has answered it.
 */
int mregion_space_write(struct mregion_space *space, uint64_t addr,
			const void *buf, size_t len, size_t *done);

/**
 * mregion_reentries() - number of refused accesses of devices to registers
 * @machine: the machine
 *
 * A guest can let a device do DMA to its own registers. A thread is in at most 64
 * nested functions, and in one of each device that is not re-entrant. Accesses beyond
 * that are refused (-ELOOP); the first one is reported on standard error. A write
 * that waits in a ring is not refused, but stays there for another thread, or for
 * later; it is refused if the ring is freed.
 *
 * Return: the number of accesses.
 */
uint64_t mregion_reentries(const struct mregion_machine *machine);

/**
 * mregion_space_ptr() - the VMM's mapping of guest memory
 * @space: the space
 * @addr: first address
 * @len: in: how many bytes are wanted; out: how many are there in one piece
 * @write: true if it will be written
 *
 * The pointer is valid until the next commit that changes the view at @addr.
 *
 * Memory of a RAM device has no pointer, since the size of accesses matters there.
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
 * @notify_usecs: wake the consumer when an entry has waited so long; 0 for never
 *
 * A ring is drained by mregion_vm_exit() at every exit, before an access is resolved,
 * so a device sees each vCPU's accesses in order; and by mregion_machine_close().
 * Between exits, drain it when mregion_ring_eventfd() is readable, or start a thread:
 * mregion_ring_start_thread(). A VMM that ends without one of these, as by exit(), loses
 * the waiting entries.
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
 * Its entries are brought to the devices first, except, within a device's function,
 * those that the thread cannot bring from there: see mregion_reentries(). If another
 * thread is draining the ring, this waits for it as mregion_ring_drain() does, and that
 * thread does the rest, perhaps after this has returned. The ring's thread is told to
 * end and not waited for. mregion_synchronize() waits for calls of device functions
 * that either thread has begun.
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
 * read() its 8 bytes before mregion_ring_drain(), since it stays readable otherwise.
 * It is non-blocking.
 *
 * Return: the descriptor, close-on-exec, which stays the library's.
 */
int mregion_ring_eventfd(const struct mregion_ring *ring);

/**
 * mregion_ring_drain() - bring the waiting writes to their devices
 * @ring: the ring
 *
 * If another thread is doing so, waits for it, and does the rest. Writes are
 * brought in order and once, so no write passes one that is at its device. If
 * a write is at its device for a second, that device may be waiting for a lock that the
 * caller has, and this gives up. A VMM whose devices take such a lock has to give it to
 * the library: mregion_machine_set_lock(). (mregion_vm_exit() and
 * mregion_space_read() do not give up, since they must keep the order of accesses:
 * without mregion_machine_set_lock(), a thread must not call them with a lock that a
 * device takes.)
 *
 * Within a device's function or in a transaction it does not wait at all, since
 * the device that is called there may in turn wait for this one, or for the
 * transaction. Within a device's function that is called for this ring, and for the
 * ring of a living server, it does nothing. Within a device's
 * function it stops at a write that the thread cannot bring from there: see
 * mregion_reentries().
 *
 * Return: the number of writes; or -EBUSY: another thread is at a write, and this does
 * not wait any longer.
 */
int mregion_ring_drain(struct mregion_ring *ring);

/**
 * mregion_drain() - drain all rings of a machine
 * @machine: the machine
 *
 * Calls mregion_ring_drain() for one after another.
 *
 * Return: the number of writes; or -EBUSY: a ring is not drained, but all others are.
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
 * The thread begins no further write. This does not wait for it, and can be
 * called from anywhere, also in a device's function, by that very thread. The thread
 * still completes the current write, for whose end mregion_synchronize() waits.
 * mregion_ring_eventfd() is readable if entries are left. The ring can be given
 * another thread.
 *
 * Return: 0; -ENOENT: it has no thread.
 */
int mregion_ring_stop_thread(struct mregion_ring *ring);

/**
 * mregion_coalesce() - let writes to part of a region be coalesced
 * @region: an MMIO or ROM device region
 * @offset: first byte of the part
 * @len: its length in bytes; 0: up to the region's end, also after a resize
 * @ring: the ring that takes them
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
 * @ring: the ring
 *
 * Entries that wait in the ring are still brought to the device.
 *
 * Return: 0; -ENOENT: there is no such rule.
 */
int mregion_uncoalesce(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_ring *ring);

/* ---- Doorbells and shadow registers ------------------------------------ */

/**
 * struct mregion_doorbell - a doorbell on part of a region
 * @offset: first byte of the part
 * @len: its length in bytes; 0: up to the region's end, also after a resize, but not
 *	with @shadow. With @any_len: 0
 * @eventfd: signalled on a matching write, which is then complete, without an exit
 *	or a call of the device's functions. Must stay open until the rule
 *	is committed
 * @access_len: only writes of so many bytes; 0 for any that lie within the part
 * @match: only writes of @datamatch
 * @datamatch: see @match
 * @shadow: if not NULL, the value written is stored there before @eventfd is
 *	signalled
 * @shadow_offset: offset in @shadow of the byte for @offset; equal to @offset
 *	modulo 8
 * @any_len: each write that begins at @offset, of any size, as KVM's ioeventfds of
 *	length 0; not with @access_len, @match or @shadow
 * @fast: with @any_len, in an MMIO region: on hosts where KVM can, it rings before KVM
 *	looks at the instruction, for a third of the cost. A read rings then, too, so only
 *	for registers that no guest reads: see "fast doorbells" in <linux/mregion.h>.
 *	Without %MREGION_FEATURE_FAST it is as without this
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
	bool fast;
};

/**
 * mregion_add_doorbell() - let writes to part of a region ring a doorbell
 * @region: an MMIO or ROM device region
 * @doorbell: the doorbell; copied
 *
 * Return: 0; -EBADF: the eventfd is not open; -EINVAL: it is none, the region is
 * of another kind, the part begins behind its end or reaches beyond the shadow
 * memory's, the offsets are not equal modulo 8, access_len is no size, or no access
 * can match: access_len is more than len or none that the device accepts, or
 * datamatch does not fit, or the doorbell is fast without any_len or in a ROM
 * device; -EEXIST, -ENOSPC: as mregion_coalesce().
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
 * accesses are single loads and stores, as the device's should be: loads with acquire
 * order, and stores with release order. Then a device that has read a value finds in the
 * guest's memory what the vCPU wrote there before it, and a guest that has read one finds
 * what the device wrote.
 *
 * Return: its address, good until mregion_shadow_free(), or the machine is closed.
 */
void *mregion_shadow_ptr(const struct mregion_shadow *shadow);

/**
 * mregion_shadow_fd() - the file of shadow memory, to pass to another process
 * @shadow: the memory
 *
 * The other process maps it: mmap() of the length given at its creation, MAP_SHARED.
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
 * @shadow_offset: offset in it of the byte for @offset; equal modulo 8
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
 * @shadow_offset: as given there
 * @flags: as given there
 * @eventfd: -1 if there was none, else any number: it may be closed by now
 *
 * Return: 0; -ENOENT: there is no such rule.
 */
int mregion_del_shadow(struct mregion_region *region, uint64_t offset,
		       uint64_t len, struct mregion_shadow *shadow,
		       uint64_t shadow_offset, uint32_t flags, int eventfd);

/* ---- Data registers ---------------------------------------------------- */

/**
 * struct mregion_indexed - a data register, and what it has for a range of the index
 * @offset: first byte of the register
 * @len: its length in bytes; not 0
 * @index: memory in which the index register is: a shadow of its own stores there what
 *	guests write, or the VMM does
 * @index_offset: of the index register in @index; a multiple of @index_len
 * @index_len: its length in bytes, 1, 2 or 4
 * @bits: the bits of the index that are compared
 * @first: the lowest value of those that this is for
 * @last: the highest
 * @select: the bits of the index that select a place
 * @shift: by how many bits those are shifted for the distance in bytes: to the left, or
 *	if negative, to the right
 * @shadow: memory with the values
 * @shadow_offset: offset in @shadow of the byte for @offset, where the selected bits are
 *	zero; equal to @offset modulo the largest power of two, up to 8, that is not more
 *	than @len
 * @access_len: only accesses of so many bytes; 0 for any that lie within the register
 * @flags: MREGION_RULE_READ, MREGION_RULE_WRITE, or both
 * @eventfd: signalled when a write has changed what is stored; -1 for none
 *
 * See "data registers" in <linux/mregion.h>. Accesses with an index outside the range
 * are for other ranges of the same register, or forwarded.
 */
struct mregion_indexed {
	uint64_t offset;
	uint64_t len;
	struct mregion_shadow *index;
	uint64_t index_offset;
	uint32_t index_len;
	uint32_t bits;
	uint32_t first;
	uint32_t last;
	uint32_t select;
	int32_t shift;
	struct mregion_shadow *shadow;
	uint64_t shadow_offset;
	uint32_t access_len;
	uint32_t flags;
	int eventfd;
};

/**
 * mregion_add_indexed() - serve a data register from shadow memory
 * @region: an MMIO or ROM device region
 * @indexed: the register, and the range of the index; copied
 *
 * Most registers are those of a pair that mregion_show_in_pair() knows.
 *
 * A module without %MREGION_FEATURE_INDEXED forwards all accesses to the register as
 * before: then this does nothing, and succeeds.
 *
 * Return: 0; -EBADF: the eventfd is not open; -EINVAL: it is none, or @flags are for
 * reads only; the region is of another kind; the register begins behind its end; a
 * member is not as struct mregion_indexed says, @first is more than @last, or one of
 * them has a bit that is not in @bits; the highest place that an index in @select can
 * have is not in the memory; no access can match; -EEXIST: another shadow of the region
 * is for the same accesses with the same index; -ENOSPC: as mregion_coalesce(), or the
 * region has max_indices combinations of registers and flags.
 */
int mregion_add_indexed(struct mregion_region *region,
			const struct mregion_indexed *indexed);

/**
 * mregion_del_indexed() - undo mregion_add_indexed() of equal arguments
 * @region: the region
 * @indexed: the same in every member; but if @eventfd is not -1, it may be any number,
 *	since it may be closed by now
 *
 * Return: 0, also without %MREGION_FEATURE_INDEXED; -ENOENT: there is no such rule.
 */
int mregion_del_indexed(struct mregion_region *region,
			const struct mregion_indexed *indexed);

/**
 * enum mregion_pair_kind - the usual pairs of an index register and a data register
 * @MREGION_PAIR_PCI: PCI's configuration mechanism 1, ports 0xcf8 and 0xcfc: an index of 4
 *	bytes, which only accesses of 4 bytes are for, and 4 bytes of data right behind it.
 *	The index is what mregion_pci_index() returns, plus the register's number
 * @MREGION_PAIR_BYTE: an index of one byte, and a byte of data right behind it: Super I/O
 *	chips, and VGA's sequencer, CRTC and graphics registers
 * @MREGION_PAIR_CMOS: likewise, with an index of 7 bits that is written only, since bit 7
 *	is the mask of NMIs: ports 0x70 and 0x71
 * @MREGION_PAIR_IOAPIC: an index of one byte, the lowest of 4, and 4 bytes of data 16
 *	bytes behind them
 */
enum mregion_pair_kind {
	MREGION_PAIR_PCI	= 0,
	MREGION_PAIR_BYTE	= 1,
	MREGION_PAIR_CMOS	= 2,
	MREGION_PAIR_IOAPIC	= 3
};

/**
 * struct mregion_pair - an index register and its data register
 * @kind: enum mregion_pair_kind
 * @offset: of the index register's first byte in the region
 * @index: memory for the index
 * @index_offset: of the index in @index; equal to @offset modulo 8
 *
 * The index is in @index alone, and nowhere in the device: its functions load it from
 * there when they are called for the data register. They store it there when they are
 * called for the index register, which happens with modules without
 * %MREGION_FEATURE_INDEXED, and for accesses of a size that the register is not for.
 */
struct mregion_pair {
	enum mregion_pair_kind kind;
	uint64_t offset;
	struct mregion_shadow *index;
	uint64_t index_offset;
};

/**
 * mregion_add_pair() - serve an index register from shadow memory
 * @region: an MMIO or ROM device region
 * @pair: the pair; copied
 *
 * Guests then write the index, and read it if @pair->kind can be read, without a call of
 * the device's functions. The data register is forwarded but for what
 * mregion_show_in_pair() shows in it. PCI's configuration space in ports 0xcf8 to
 * 0xcff, with all functions of bus 0 in 64 KiB of @memory, and 256 bytes of 0xff at
 * @none for all other buses::
 *
 *   pair = (struct mregion_pair){ MREGION_PAIR_PCI, 0, memory, index_offset };
 *   mregion_begin(machine);
 *   mregion_add_pair(ports, &pair);
 *   mregion_show_in_pair(ports, &pair, mregion_pci_index(0, 0, 0),
 *                        mregion_pci_index(0, 31, 7) + 0xff, 0xffff, memory, 0);
 *   mregion_show_in_pair(ports, &pair, mregion_pci_index(1, 0, 0),
 *                        mregion_pci_index(255, 31, 7) + 0xff, 0xff, memory, none);
 *   mregion_commit(machine);
 *
 * where functions that are not there have 256 bytes of 0xff in @memory, too. A function
 * with a register that changes by itself, or by being read, is shown in two ranges, before
 * the register and behind it.
 *
 * Without %MREGION_FEATURE_INDEXED it does nothing, and succeeds: accesses to both
 * registers are forwarded as before.
 *
 * Return: 0; or as mregion_add_shadow(); -EINVAL: there is no such kind, too.
 */
int mregion_add_pair(struct mregion_region *region,
		     const struct mregion_pair *pair);

/**
 * mregion_del_pair() - undo mregion_add_pair() of equal arguments
 * @region: the region
 * @pair: the same in every member
 *
 * What is shown in the data register stays, with the index that is in @pair->index.
 *
 * Return: 0, also without %MREGION_FEATURE_INDEXED; -ENOENT: there is no such rule;
 * -EINVAL: there is no such kind.
 */
int mregion_del_pair(struct mregion_region *region,
		     const struct mregion_pair *pair);

/**
 * mregion_pci_index() - the index of a PCI function's first register
 * @bus: 0 to 255
 * @device: 0 to 31
 * @function: 0 to 7
 *
 * Return: what a guest writes to port 0xcf8 for it; 0xff000000, which is in no range that
 * can be shown, if there can be no such function.
 */
uint32_t mregion_pci_index(unsigned int bus, unsigned int device,
			   unsigned int function);

/**
 * mregion_show_in_pair() - serve reads of a data register from shadow memory
 * @region: the region
 * @pair: the pair, as in mregion_add_pair()
 * @first: the lowest index that this is for
 * @last: the highest
 * @select: the bits of the index that select a place; the others do not matter, so many
 *	indices have the same bytes
 * @shadow: memory with the values
 * @shadow_offset: offset in it of the byte of the data register where the selected bits
 *	are zero; a multiple of 4 with 4 bytes of data at a multiple of 4
 *
 * With 4 bytes for each index of %MREGION_PAIR_IOAPIC, and else one. For
 * %MREGION_PAIR_PCI bit 31 of @first and @last is set, and bits 0 and 1 of all
 * three are dropped: the address in the data register stands for these.
 *
 * Reads with an index of the range are then served from the memory. Writes are
 * forwarded: the device does what they do, and stores what guests then read. Ranges of
 * a pair do not overlap. To exchange the memory of a range, call
 * mregion_hide_in_pair() and this in one transaction.
 *
 * Return: 0, also without %MREGION_FEATURE_INDEXED, where nothing is shown; or as
 * mregion_add_indexed(); -EINVAL: there is no such kind, too.
 */
int mregion_show_in_pair(struct mregion_region *region,
			 const struct mregion_pair *pair, uint32_t first,
			 uint32_t last, uint32_t select,
			 struct mregion_shadow *shadow, uint64_t shadow_offset);

/**
 * mregion_hide_in_pair() - undo mregion_show_in_pair() of equal arguments
 * @region: the region
 * @pair: the same in every member
 * @first: as given there
 * @last: as given there
 * @select: as given there
 * @shadow: the memory
 * @shadow_offset: as given there
 *
 * Return: 0, also without %MREGION_FEATURE_INDEXED; -ENOENT: there is no such rule;
 * -EINVAL: there is no such kind.
 */
int mregion_hide_in_pair(struct mregion_region *region,
			 const struct mregion_pair *pair, uint32_t first,
			 uint32_t last, uint32_t select,
			 struct mregion_shadow *shadow, uint64_t shadow_offset);

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
 * The server is dead then. Its ID is not used again. The VMM drains its rings from then
 * on: see mregion_post(). If it has rings, end its process first, and wait for that end.
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
 * A server is dead when its process has ended (more exactly, when the last descriptor
 * and mapping of it are closed), when an answer took too long, and when it is freed. The
 * functions that a region was created with are called then, and the VMM drains its
 * rings: once this has returned true, mregion_ring_drain() brings posted writes that
 * the process has not done. May be called at any time, from those functions, too; takes
 * no lock.
 *
 * Return: true if it is dead; never false again.
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
 * mregion_set_server() - let a server answer the forwarded accesses of a region
 * @region: an MMIO or ROM device region
 * @server: the server; NULL is allowed here, and stands for the functions
 *	given at the region's creation, which are called as well for accesses
 *	that a dead server has left: see mregion_server_dead(). A server is also
 *	dead when an answer took too long; its process should then be killed, so
 *	that it does not continue requests that the VMM has taken over
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
 * @len: its length in bytes; 0: up to the region's end, also after a resize
 * @ring: the ring that takes them
 *
 * As mregion_coalesce(), but the ring's entries are for the server, which is woken for
 * each. From then on the ring is that server's. The library does not drain it until it
 * finds the server dead; then it brings the entries that are left to the functions given
 * at the region's creation. The next server needs a ring of its own. Call
 * mregion_unpost(), mregion_set_server() and mregion_post() in one transaction. A commit
 * that fails, or is aborted, leaves the ring as it was.
 *
 * The server's process can write to the ring. Entries that it has left there reach only
 * the parts of regions that were posted to the ring, and only if the device
 * accepts them.
 *
 * Writes posted just before the server died wait in the ring until the next
 * access that the server should have answered, or until mregion_server_dead() and
 * then mregion_ring_drain() are called: see mregion_server_dead_fd().
 *
 * When the ring is taken from a server whose process lives (it took too long for
 * an answer, or was freed), the process begins no entry any more. The entry
 * that it may be at is done by the VMM as well if the server was dead, and not if it
 * was freed alive. (A process that drains the ring without this library must be
 * ended, since it is not told.)
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
 * @ring: the ring
 *
 * Entries that wait in the ring are still the server's, or the VMM's if the server
 * dies before it has done them.
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
 * Return: the handle for the functions below. errno EBADF: @fd is not open; EINVAL: it
 * is no server's; EMFILE: no descriptors are left.
 */
struct mregion_serving *mregion_serving_open(int fd);

/**
 * mregion_serving_close() - end serving
 * @serving: the handle from mregion_serving_open(), or NULL
 *
 * No thread may be serving. The server is dead if nobody else has its descriptor.
 */
void mregion_serving_close(struct mregion_serving *serving);

/**
 * mregion_serving_add() - serve a region
 * @serving: the handle from mregion_serving_open()
 * @region: its ID, from mregion_id() in the VMM
 * @len: its length in bytes; no function is called beyond it. MREGION_WHOLE if
 *	the functions check their offsets themselves
 * @ops: the device's functions; the same that would serve it in the VMM
 * @opaque: passed to its functions
 *
 * Accesses to regions that have not been added read as all-ones. The constraints
 * are those of @ops; mregion_set_constraints() in the VMM does not change them. A posted
 * write that they do not accept is dropped.
 * MREGION_POLICY_ERROR is not passed on: a refused read is all-ones. Threads may be
 * serving already.
 *
 * Return: 0; -EINVAL: @len is 0; -EEXIST: it was added before; -ENOMEM.
 */
int mregion_serving_add(struct mregion_serving *serving, uint32_t region,
			uint64_t len, const struct mregion_ops *ops,
			void *opaque);

/**
 * mregion_serving_del() - stop serving a region, for a device that goes away
 * @serving: the handle from mregion_serving_open()
 * @region: its ID
 *
 * Waits until calls of device functions that have begun have ended: the device
 * can free its state afterwards. Threads may be serving. Later accesses to the
 * region read as all-ones; let the VMM unmap it, or bind it to no
 * server, before.
 *
 * Return: 0; -ENOENT: it was not added; -EDEADLK: called from within a device's
 * function.
 */
int mregion_serving_del(struct mregion_serving *serving, uint32_t region);

/**
 * mregion_serving_add_ring() - drain a ring of posted writes before requests
 * @serving: the handle from mregion_serving_open()
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
 * @serving: the handle from mregion_serving_open()
 * @fd: of the ring; need not be the descriptor that it was added by
 *
 * Brings its entries to the devices, and waits as mregion_serving_del() does. To be
 * called after the VMM's mregion_unpost(), and before mregion_serving_del() of the
 * regions that are posted to the ring. Writes that are posted after mregion_unpost()
 * are brought only here, and an access may overtake them.
 *
 * Return: 0; -ENOENT: it was not added; -EDEADLK: called from within a device's
 * function; and the errors of mregion_serving_add_ring() for a bad @fd.
 */
int mregion_serving_del_ring(struct mregion_serving *serving, int fd);

/**
 * mregion_serve() - serve until no more requests can come
 * @serving: the handle from mregion_serving_open()
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
 * mregion_serve_once() - serve waiting requests and return, for event loops
 * @serving: the handle from mregion_serving_open()
 *
 * Return: 0; -ENODEV: no more requests will come.
 */
int mregion_serve_once(struct mregion_serving *serving);

/**
 * mregion_serving_fd() - polls readable when mregion_serve_once() is due
 * @serving: the handle from mregion_serving_open()
 *
 * Return: the descriptor, close-on-exec, which stays the library's.
 */
int mregion_serving_fd(const struct mregion_serving *serving);

/**
 * mregion_serving_stop() - let all mregion_serve() return
 * @serving: the handle from mregion_serving_open()
 *
 * May be called in a signal handler.
 */
void mregion_serving_stop(struct mregion_serving *serving);

/* ---- KVM --------------------------------------------------------------- */

/**
 * struct mregion_unassigned - (part of) an access to unassigned addresses
 * @vm: the virtual machine that made it
 * @vcpu: index of its vCPU
 * @bus: enum mregion_bus
 * @addr: first address, or port
 * @data: @len bytes: the value written; or the value to read, which is all-ones unless
 *	the function changes it
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
 * @nr_slots: how many it may use; 0: set no memory slots;
 *	%MREGION_ALL_SLOTS: all that KVM has, from @first_slot on. Unused slots take
 *	no memory
 * @unassigned: called by mregion_vm_exit(), as the functions of struct mregion_ops
 *	are, for each part of an access to unassigned addresses, if the
 *	space's policy is MREGION_POLICY_EXIT. Returns 0, or -EFAULT: it is an
 *	error of the guest. NULL: reads give all-ones, and writes are dropped
 * @opaque: passed to the functions
 * @pause: has all vCPUs leave KVM_RUN, and returns when none is in it; none enters it until
 *	@resume. Called by a commit that replaces slots, and, with dirty rings, by
 *	mregion_log_sync(), mregion_log_start() and mregion_logs_start(); with
 *	the machine locked, in any thread, also a vCPU's. So a vCPU counts as paused
 *	wherever its thread is outside of KVM_RUN: it may be waiting for that lock. NULL:
 *	vCPUs run on, see mregion_attach()
 * @resume: ends that; given together with @pause, or neither is
 * @dirty_ring_bytes: vCPUs log pages in rings of that length, a power of two (KVM's
 *	KVM_CAP_DIRTY_LOG_RING), each given by mregion_vm_add_vcpu(). To be attached before
 *	there are vCPUs then, with @pause. 0: KVM has a bitmap for each slot
 * @smm: space that vCPUs in system management mode (SMM) see on the memory bus instead of
 *	@memory, which must be given, too. It may be the same: then SMM has the same memory.
 *	Its slots are of KVM's address space 1, with the numbers that @first_slot and
 *	@nr_slots say, which are free there as well. NULL: registers are the same in SMM,
 *	and the slots of address space 1 are the VMM's
 */
struct mregion_attach_params {
	int vm_fd;
	struct mregion_space *memory;
	struct mregion_space *pio;
	unsigned int first_slot;
	unsigned int nr_slots;
	int (*unassigned)(void *opaque, struct mregion_unassigned *access);
	void *opaque;
	void (*pause)(void *opaque);
	void (*resume)(void *opaque);
	uint32_t dirty_ring_bytes;
	struct mregion_space *smm;
};

/**
 * mregion_attach() - give a virtual machine its memory map
 * @machine: the machine
 * @params: the parameters
 *
 * Sets memory slots for the ranges of memory in the view (whole pages; the
 * rest is emulated), and lets the kernel module take accesses to the others. A range has
 * one slot at first.
 * Create in-kernel interrupt controllers and timers before.
 *
 * When a commit changes where memory is, slots are removed and then others are set. A slot
 * stays if all of its memory does, as one range or as part of one: a range that grows keeps
 * its slots and gets others for the rest, unless @nr_slots are too few for that. Each other
 * slot goes. KVM cannot split a slot or
 * change its size. So memory that is in the view before and after the commit would be
 * gone for a moment where it shares a slot with what has changed, and with
 * the slot KVM's log of it. For these commits, and no others, the vCPUs are paused
 * (struct mregion_attach_params.pause).
 *
 * Without such a function the vCPUs run on. Accesses to memory without a slot exit, and
 * mregion_vm_exit() resolves them. But a vCPU that runs code from there, or has
 * its page tables, descriptors or stack there, may be lost. It stops with
 * KVM_EXIT_INTERNAL_ERROR, or with KVM_EXIT_SHUTDOWN, since it cannot take the fault;
 * KVM may then have reset it, and its registers are lost. What it writes between the
 * reading of the log and the end of the slot is in no log. So give the functions,
 * or do not move, resize, split or cover memory that vCPUs execute or that is logged.
 * Beginning or ending a log replaces no slot.
 *
 * With @params->smm, all of that holds for the slots of vCPUs in SMM, too. A commit that
 * changes memory in both spaces sets the slots of the one after those of the other, and
 * pauses vCPUs for each. mregion_vm_exit() resolves an exit of a vCPU in SMM in that
 * space. What vCPUs write in SMM comes to the logs of the same regions.
 *
 * Return: the attachment. If it is NULL, nothing is attached, and errno is EBADF:
 * the virtual machine's descriptor is not open; EINVAL: it is none, a space is of
 * the other bus, both are NULL, or there is one for SMM alone; ENOENT: a space is not
 * committed yet; EEXIST: the machine is attached to it already; EPERM: another process
 * has created it; ENOSPC: there are more ranges of memory than slots; or the errno of
 * KVM for a slot. EINVAL, too: with slots to set, first_slot has more than 16 bits; with
 * %MREGION_ALL_SLOTS, KVM has no such slot; one of the functions that pause and resume is
 * missing; dirty rings without them, of a length that KVM does not take, or with vCPUs
 * created before.
 * EOPNOTSUPP: the module lacks %MREGION_FEATURE_ATTACH; with a space for SMM, it lacks
 * %MREGION_FEATURE_SMM, or KVM has no slots for SMM.
 */
struct mregion_vm *mregion_attach(struct mregion_machine *machine,
				  const struct mregion_attach_params *params);

/**
 * mregion_detach() - undo mregion_attach(); removes the memory slots too
 * @vm: the virtual machine, or NULL; the handle ends
 *
 * No thread may be in mregion_vm_exit() of @vm, nor call it any more. vCPUs should not
 * run, since they have no memory any more.
 */
void mregion_detach(struct mregion_vm *vm);

/**
 * mregion_machine_set_strict_slots() - have commits return the errors of memory slots
 * @machine: the machine
 * @strict: true for that; false, as in the beginning: mregion_vm_slots_error() has them
 *
 * A commit whose slots fail, or that finds slots of an earlier one not set yet, then
 * returns the first error of mregion_vm_slots_error(). The commit is carried out
 * nevertheless: the map is the new one, and the memory is emulated where a slot is missing.
 * A VMM that cannot live with that undoes its change by another commit.
 */
void mregion_machine_set_strict_slots(struct mregion_machine *machine,
				      bool strict);

/**
 * mregion_vm_slots_error() - the error of the last update of memory slots
 * @vm: the virtual machine
 *
 * Each commit updates the slots after the kernel has carried it out. So an
 * error of a slot does not undo the commit, and mregion_commit() does not return it
 * without mregion_machine_set_strict_slots().
 * Memory without a slot because of it is emulated: it is as slow as registers
 * are, and code in it may not run. Every later commit tries again; an empty transaction
 * will do.
 *
 * Return: 0 if the slots match the view; -ENOSPC: it has more ranges of
 * memory than there are slots; or the first error of KVM. mregion_error() names
 * the slot.
 */
int mregion_vm_slots_error(const struct mregion_vm *vm);

/**
 * struct mregion_slot - a memory slot that the library has set
 * @gpa: guest-physical address
 * @size: in bytes
 * @offset: of its first byte in @region, in bytes
 * @region: the region of the memory; NULL if the region was freed, but KVM could not
 *	remove the slot yet
 * @slot: its number, as KVM takes it: with the address space in the upper 16 bits, which
 *	is 0, or 1 for a slot of vCPUs in SMM
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
 * @slots: filled in, sorted by address, those of vCPUs in SMM behind the others; may be
 *	NULL if @nr is 0
 * @nr: size of the array
 *
 * For KVM_GET_DIRTY_LOG and the like. A slot keeps its number from one commit to
 * the next as long as it is the same memory at the same address, with any
 * flags. A slot that is removed loses its dirty log. So no other thread
 * should commit between this call and the use of the numbers, or within it: call
 * both between mregion_begin() and mregion_abort(), which make other threads' changes
 * wait.
 *
 * Return: the number of slots, which may be more than @nr.
 */
size_t mregion_vm_slots(struct mregion_vm *vm, struct mregion_slot *slots,
			size_t nr);

/**
 * struct mregion_slot_stats - what became of the memory slots of a virtual machine
 * @changes: how often KVM was told to set, change or remove one
 * @pauses: how often the vCPUs were to be paused
 */
struct mregion_slot_stats {
	uint64_t changes;
	uint64_t pauses;
};

/**
 * mregion_vm_slot_stats() - what became of the memory slots so far
 * @vm: the virtual machine
 * @stats: filled in
 */
void mregion_vm_slot_stats(struct mregion_vm *vm,
			   struct mregion_slot_stats *stats);

/**
 * mregion_vm_add_vcpu() - a vCPU was created
 * @vm: the virtual machine
 * @vcpu: its index
 * @vcpu_fd: its descriptor, which is not needed afterwards
 *
 * Needed with struct mregion_attach_params.dirty_ring_bytes, before the vCPU runs; else
 * it does nothing.
 *
 * Return: 0; -EINVAL: @vcpu is MREGION_NO_VCPU or more; -EEXIST: it was added before; or
 * the errno of mapping its ring.
 */
int mregion_vm_add_vcpu(struct mregion_vm *vm, unsigned int vcpu, int vcpu_fd);

/**
 * struct mregion_claims - claims on a virtual machine's bus
 * @nr_windows: number of windows of the machine in @claims
 * @nr_conflicts: number of ranges of others (devices of KVM's own) where the
 *	view has a region, too; see mregion_new_reservation()
 * @nr_unclaimed: number of parts of regions that are not claimed: accesses
 *	to them exit, also those with rules
 * @nr: the sum of these, and of the fast doorbells
 * @claims: windows, then conflicts, then unclaimed parts, then fast doorbells
 *	(%MREGION_CLAIM_FAST) with those that ring the slow way
 *	(%MREGION_CLAIM_SLOW), each sorted by address; .region resolves by mregion_region_by_id()
 */
__extension__ struct mregion_claims {
	size_t nr_windows;
	size_t nr_conflicts;
	size_t nr_unclaimed;
	size_t nr;
	struct mregion_claim_info claims[];
};

/**
 * mregion_vm_claims() - list the claims on a virtual machine's bus
 * @vm: the virtual machine
 * @bus: the bus
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
 * Drains the machine's rings, at every exit reason. When this returns, the devices have
 * seen earlier writes of the vCPU, and writes of other vCPUs before the call, unless it
 * is called within a device's function or a transaction. So call it for each exit, and
 * look at the exit's reason afterwards.
 *
 * Then resolves KVM_EXIT_MMIO and KVM_EXIT_IO: splits the access at the ranges of
 * the view and by the constraints of each device, and calls the devices;
 * or struct mregion_attach_params.unassigned, for unassigned addresses.
 *
 * An exit that is resolved is marked as such in @run (in mmio.is_write, or
 * io.direction), so a second call for it does nothing and returns 0: a KVM_RUN that
 * returns EINTR may leave the last exit's reason behind.
 *
 * Resolves KVM_EXIT_DIRTY_RING_FULL, too: what is in the rings comes to the logs.
 *
 * For each vCPU one thread at a time may call it; for several, several may.
 *
 * Return: 0: resolved. 1: another exit reason, or an access to a bus without a space;
 * only the rings were drained. -EFAULT: the access is an error of the guest by a policy
 * (MREGION_POLICY_ERROR), or by @unassigned: resolved, for the VMM to inject a
 * machine check if its machine does so; reads by a policy are all-ones. -EINTR: a
 * signal is pending while the region's server is still at the access; call again, with
 * @run unchanged, before the vCPU runs. Another negative errno: the kernel could not ask
 * the server (-ENOMEM); call again in the same way. -EINVAL: @vcpu is MREGION_NO_VCPU
 * or more.
 */
int mregion_vm_exit(struct mregion_vm *vm, unsigned int vcpu,
		    struct kvm_run *run);

/* ---- Dirty logging ----------------------------------------------------- */

/*
 * A log tells a client, such as a display or a migration, which pages of a region
 * were written. A region has as many logs as it has clients; they begin and end on their
 * own. A page is one of the host's (sysconf(_SC_PAGESIZE)), and page 0 begins with the
 * region's first byte.
 *
 * Pages are the region's: it does not matter by which address, alias or memory slot
 * one was written, nor whether the region has been moved, covered, disabled, resized
 * or shown nowhere since. Writers are
 *
 * - vCPUs, by way of a memory slot. KVM logs these, and mregion_log_sync() brings them in;
 * - the library: accesses that exit to memory, mregion_space_write(), RAM devices;
 * - processes with a mirror of the view, see mregion_mirror_write();
 * - the VMM and its devices by pointers: they call mregion_mark().
 *
 * A log is a bitmap in shared memory: bit n % 64 of word n / 64 stands for page n. Words
 * are read and cleared by atomic exchange, and bits set by atomic or. A client that takes
 * a bit, and then reads the page, sees all that was written before the bit was set. A
 * later write sets the bit again. So no written page is missed, and a page that is being
 * written meanwhile may be told twice. KVM may log a page that no vCPU has written: see
 * Documentation/kvm.rst.
 */

/**
 * mregion_log_start() - begin a log of a region for one more client
 * @region: a region of memory: RAM, ROM, a ROM device or a RAM device
 *
 * The log is empty, and has the pages that are written from now on. The first log of a
 * region commits %MREGION_REGION_LOG_DIRTY, so this cannot be called in a transaction.
 * Memory slots log in place; none is replaced. With KVM's dirty ring vCPUs are paused, as
 * in mregion_log_sync(); with bitmaps, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is enabled where
 * KVM has it.
 *
 * Return: the log. If it is NULL, errno is EINVAL: the region has no memory, or
 * that begins within a page; EBUSY: the thread has a transaction open; ENOMEM; or
 * KVM's, which could not log a slot.
 */
struct mregion_log *mregion_log_start(struct mregion_region *region);

/**
 * mregion_log_stop() - end a log
 * @log: the log, or NULL; the handle ends
 *
 * A log keeps its region's memory until it is stopped, also if the region was freed.
 * mregion_machine_close() ends all logs. Not to be called in a transaction. Does nothing for
 * a log of mregion_logs_next(), which ends with the others.
 */
void mregion_log_stop(struct mregion_log *log);

/**
 * mregion_log_region() - the region of a log
 * @log: the log
 *
 * Return: the region; NULL: it was freed.
 */
struct mregion_region *mregion_log_region(const struct mregion_log *log);

/**
 * mregion_log_pages() - number of pages of a log
 * @log: the log
 *
 * A log grows with its region, and never shrinks.
 *
 * Return: the number.
 */
uint64_t mregion_log_pages(struct mregion_log *log);

/**
 * mregion_log_fd() - the file of a log's bitmap
 * @log: the log
 *
 * A client in another process maps it shared, and uses mregion_log_take_bits() on it.
 * It does not become smaller.
 *
 * Return: the descriptor, which stays the log's.
 */
int mregion_log_fd(const struct mregion_log *log);

/**
 * mregion_log_sync() - bring in what KVM and others have logged
 * @machine: the machine
 *
 * When this returns, all logs have the pages that were written before the call. With
 * KVM's dirty ring the vCPUs are paused meanwhile (struct
 * mregion_attach_params.pause), since a processor may hold entries back while it is
 * in the guest.
 *
 * Return: 0; or the first error of KVM, with its text for mregion_error(). Bits
 * that could not be brought in stay in KVM. -ENOMEM, too, until mregion_logs_stop(), if
 * there is a region that mregion_logs_start() could not add to its logs later.
 */
int mregion_log_sync(struct mregion_machine *machine);

/**
 * mregion_log_take() - read and clear a part of a log in one step
 * @log: the log
 * @first: first page
 * @nr: how many pages; those behind the log's end are not written
 * @bits: filled in: bit n % 64 of word n / 64 for page @first + n; NULL: only clear
 *
 * Bits of other pages stay. See mregion_log_sync() for what is in the log.
 *
 * Return: how many of the pages were written.
 */
uint64_t mregion_log_take(struct mregion_log *log, uint64_t first, uint64_t nr,
			  uint64_t *bits);

/**
 * mregion_log_take_bits() - likewise, of a bitmap that is mapped, in any process
 * @words: the bitmap: of the file of mregion_log_fd()
 * @first: first page
 * @nr: how many pages, all in the bitmap
 * @bits: as for mregion_log_take()
 *
 * Return: how many of the pages were written.
 */
uint64_t mregion_log_take_bits(uint64_t *words, uint64_t first, uint64_t nr,
			       uint64_t *bits);

/**
 * mregion_mark() - tell the logs that memory of a region was written
 * @region: the region
 * @offset: of the first byte written
 * @len: how many bytes; what is behind the region's end is not marked
 *
 * For writes by a pointer, such as that of mregion_space_ptr(). To be called after the
 * write, from any thread. Costs a fence and a load where nobody logs.
 */
void mregion_mark(struct mregion_region *region, uint64_t offset,
		  uint64_t len);

/**
 * mregion_space_mark() - likewise, by an address in a space
 * @space: the space
 * @addr: first address
 * @len: how many bytes. What is not memory is skipped
 *
 * A commit between the write and this call may show other memory there: where commits
 * can come in between, mark by the region, or keep both in one function of a device.
 */
void mregion_space_mark(struct mregion_space *space, uint64_t addr,
			uint64_t len);

/**
 * mregion_logs_start() - begin logs of all memory, for one more client
 * @machine: the machine
 *
 * Of each region that mregion_log_start() takes. Of one that is created later, the
 * log begins with its creation, and all of its pages count as written, since the
 * client has not seen what it was made with. So do pages that a region grows by.
 *
 * Return: the logs; NULL: see mregion_log_start().
 */
struct mregion_logs *mregion_logs_start(struct mregion_machine *machine);

/**
 * mregion_logs_next() - the next of the logs
 * @logs: the logs
 * @log: the one before, or NULL for the first
 *
 * Logs of regions that were freed stay until mregion_logs_stop(). No other thread
 * creates regions between the first call and the last: call them between
 * mregion_begin() and mregion_abort() where one may.
 *
 * Return: the log, or NULL after the last.
 */
struct mregion_log *mregion_logs_next(struct mregion_logs *logs,
				      struct mregion_log *log);

/**
 * mregion_logs_stop() - end all of the logs
 * @logs: the logs, or NULL; the handle ends
 *
 * Not to be called in a transaction.
 */
void mregion_logs_stop(struct mregion_logs *logs);

/* ---- Mirrors: views and DMA in any process ----------------------------- */

/*
 * A process that emulates a device does DMA by the addresses of a space, such as
 * the one that a PCI function sees as bus master. The VMM makes a holder
 * (mregion_new_holder()), and passes its descriptor on. The process makes a mirror of
 * that: a copy of the view that follows by what changes, with the memory mapped. While
 * the map stands still, no function of a mirror makes a system call, but for the first
 * access to a region.
 *
 * A mirror is used by one thread at a time, and is one for each descriptor. The VMM may
 * have mirrors, too.
 *
 * Each call works by one view: the last that a commit had published when the call
 * began, or a later one. A write that has begun by one view may end when a
 * commit of the next has returned, as on hardware. A VMM that uses memory for something
 * else waits for its devices first.
 */
struct mregion_holder;
struct mregion_mirror;

/**
 * mregion_new_holder() - let a process have a space's view, and its memory
 * @space: the space
 * @flags: enum mregion_view_open_flags
 * @fd: set to the descriptor to be passed on; the caller's to close
 *
 * The first holder of a machine that may read has the memory shared of all regions
 * whose memory is in a file. RAM by a pointer, and RAM devices, stay the VMM's. Not to be
 * called in a transaction.
 *
 * Return: the holder; NULL with errno EOPNOTSUPP: the module lacks
 * %MREGION_FEATURE_VIEW_OPEN; ENOENT: the space is not committed yet; EBUSY: the
 * thread has a transaction open; ENOSPC: there are 64 holders; ENOMEM.
 */
struct mregion_holder *mregion_new_holder(struct mregion_space *space,
					  uint32_t flags, int *fd);

/**
 * mregion_holder_free() - a holder's process has ended, or does not write any more
 * @holder: the holder, or NULL; the handle ends
 *
 * A write that it had begun counts as written, in all of its pages. Before this call,
 * each mregion_log_sync() takes those pages for written. mregion_machine_close()
 * frees holders, too.
 */
void mregion_holder_free(struct mregion_holder *holder);

/**
 * mregion_mirror_open() - make a mirror of a view
 * @fd: the descriptor of a holder; duplicated
 *
 * Return: the mirror; NULL: errno is ENODEV: the space or its machine is gone; EINVAL: the
 * descriptor is none of a view; or ENOMEM and others of mmap().
 */
struct mregion_mirror *mregion_mirror_open(int fd);

void mregion_mirror_close(struct mregion_mirror *mirror);

/**
 * mregion_mirror_fd() - the descriptor of a mirror
 * @mirror: the mirror
 *
 * poll() reports EPOLLIN when the view has changed since the last call of a function of
 * the mirror, and EPOLLHUP when the space or its machine is gone.
 *
 * Return: the descriptor, which stays the mirror's.
 */
int mregion_mirror_fd(const struct mregion_mirror *mirror);

/**
 * struct mregion_place - what is at an address of a mirror
 * @region: ID of the region, 0 for an unassigned address
 * @kind: enum mregion_kind, likewise
 * @flags: enum mregion_range_flags
 * @offset: of the address in the region, in bytes
 * @len: number of bytes from the address on that are in the same range, or unassigned,
 *	at most the length asked for. 0: 2^64
 * @ptr: where the bytes are in this process, if they are memory that is mapped here; valid
 *	until a call with the mirror finds the memory gone from the view
 * @writable: @ptr may be written
 * @generation: of the view
 */
struct mregion_place {
	uint32_t region;
	uint32_t kind;
	uint32_t flags;
	uint64_t offset;
	uint64_t len;
	void *ptr;
	bool writable;
	uint64_t generation;
};

/**
 * mregion_mirror_translate() - what is at an address
 * @mirror: the mirror
 * @addr: the address
 * @len: how many bytes are of interest, 0 for all up to the last address
 * @place: filled in
 *
 * Return: 0, also for an unassigned address; -ENODEV: the space is gone; or an errno of
 * reading what has changed.
 */
int mregion_mirror_translate(struct mregion_mirror *mirror, uint64_t addr,
			     uint64_t len, struct mregion_place *place);

/**
 * mregion_mirror_ptr() - memory at an address
 * @mirror: the mirror
 * @addr: first address
 * @len: in: how many bytes are wanted; out: how many are there in one piece
 * @write: true if it will be written; then see mregion_mirror_begin()
 *
 * Return: a pointer, valid until a call with the mirror finds the memory gone from the
 * view; NULL with errno EFAULT: no memory there that this process has, or read-only; or of
 * mregion_mirror_translate().
 */
void *mregion_mirror_ptr(struct mregion_mirror *mirror, uint64_t addr,
			 size_t *len, bool write);

/**
 * mregion_mirror_read() - read memory
 * @mirror: the mirror
 * @addr: first address
 * @buf: where to put it
 * @len: how many bytes
 * @done: if not NULL, set to how many bytes from @addr on were read
 *
 * Return: 0; -EFAULT: something there is no memory that this process has; or as
 * mregion_mirror_translate(). Registers are not reached by a mirror. Bytes before the
 * address that failed are done.
 */
int mregion_mirror_read(struct mregion_mirror *mirror, uint64_t addr, void *buf,
			size_t len, size_t *done);

/**
 * mregion_mirror_write() - write memory, and tell the logs
 * @mirror: the mirror
 * @addr: first address
 * @buf: the data
 * @len: how many bytes
 * @done: as for mregion_mirror_read()
 *
 * Return: as mregion_mirror_read(); -EROFS: memory there is read-only.
 */
int mregion_mirror_write(struct mregion_mirror *mirror, uint64_t addr,
			 const void *buf, size_t len, size_t *done);

/**
 * mregion_mirror_begin() - say that memory will be written by a pointer
 * @mirror: the mirror
 * @ptr: from mregion_mirror_ptr()
 * @len: how many bytes
 *
 * Should the process die before mregion_mirror_end(), the pages count as written. Of more
 * than seven parts of a region that are apart, the pages in between may count, too. Until
 * mregion_mirror_end(), each mregion_log_sync() takes all of these for written. To be called
 * before the write.
 */
void mregion_mirror_begin(struct mregion_mirror *mirror, const void *ptr,
			  size_t len);

/**
 * mregion_mirror_mark() - memory was written by a pointer
 * @mirror: the mirror
 * @ptr: as for mregion_mirror_begin()
 * @len: how many bytes
 */
void mregion_mirror_mark(struct mregion_mirror *mirror, const void *ptr,
			 size_t len);

/** mregion_mirror_end() - all that mregion_mirror_begin() has said is written, and marked */
void mregion_mirror_end(struct mregion_mirror *mirror);

/* ---- Windows ------------------------------------------------------------ */

/*
 * A window has the memory of a space in one piece, read-only, at the distances that the
 * guest sees: for dumps, searches and debuggers. It is made of a holder's descriptor, and
 * follows the view when it is told to.
 */
struct mregion_window;

/**
 * mregion_window_open() - have memory of a space as one mapping
 * @fd: the descriptor of a holder that may read; duplicated
 * @addr: first address, a multiple of the page size
 * @len: how many bytes, likewise
 *
 * Whole pages of memory that is in files are there. All else faults (SIGSEGV): registers,
 * gaps, RAM devices, memory that this process cannot have, and pages of which the view
 * shows a part only.
 *
 * Return: the window; NULL with errno EINVAL: not whole pages, or the descriptor is none of
 * a view; ENODEV: the space or its machine is gone; or of mmap(), such as ENOMEM with more
 * pieces of memory than a process can have mappings.
 */
struct mregion_window *mregion_window_open(int fd, uint64_t addr, uint64_t len);

void mregion_window_close(struct mregion_window *window);

/**
 * mregion_window_ptr() - where a window is
 * @window: the window
 *
 * Return: where its first address is, for as long as it is open.
 */
const void *mregion_window_ptr(const struct mregion_window *window);

/**
 * mregion_window_follow() - make a window that of the view as it is now
 * @window: the window
 *
 * When this returns, pages of an earlier view are gone. Other threads that read meanwhile
 * may find what has changed, and what is between two changes, missing for a moment.
 *
 * Return: 1; 0: nothing has changed; -ENODEV: the space is gone, and the window is as it
 * was; or an errno of mmap(): then a part may be missing until it succeeds.
 */
int mregion_window_follow(struct mregion_window *window);

/**
 * mregion_window_fd() - the descriptor to poll for changes
 * @window: the window
 *
 * Return: the descriptor, see mregion_mirror_fd().
 */
int mregion_window_fd(const struct mregion_window *window);

/* ---- Inspection -------------------------------------------------------- */

/**
 * mregion_stats() - counters
 * @machine: the machine
 * @object: the kind of object
 * @id: 0 for the machine; else the result of mregion_id(), mregion_space_id(),
 *	mregion_ring_id() or mregion_server_id()
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
