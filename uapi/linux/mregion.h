/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * mregion: hierarchical memory regions for virtual machine monitors
 *
 * One open of /dev/mregion is a *machine*: a hierarchy of memory regions, the
 * address spaces rendered from it, and the rings and virtual machines that
 * belong to it. Closing the last reference to the file frees all of it.
 */
#ifndef _UAPI_LINUX_MREGION_H
#define _UAPI_LINUX_MREGION_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: conventions
 *
 * Every ioctl takes a pointer to a structure whose first member, @size, is the
 * size of that structure as its caller knows it. A structure may grow at its
 * end: the kernel treats members that an older caller does not pass as zero, and
 * returns only the members that the caller has room for.
 *
 * Errors that every ioctl can return, not repeated below:
 *
 * ========== ================================================================
 * EFAULT     a pointer is bad
 * EINVAL     @size is smaller than the first version of the structure; a
 *            reserved member is not zero
 * E2BIG      the structure has non-zero bytes that this kernel does not know, or
 *            is larger than a page
 * ENOTTY     the kernel does not know the ioctl
 * ENOMEM     out of memory
 * ENOBUFS    the machine would hold more memory than struct
 *            mregion_info.max_memory; or ioctls that change or list something
 *            have more operations and results under way than that
 * EINTR      a fatal signal arrived
 * EOPNOTSUPP a flag, kind or operation is one that this kernel does not know, or is
 *            of a feature that it does not have
 * ========== ================================================================
 *
 * Lengths of regions and windows are in bytes, and reach 2^64, which does not
 * fit: a length of 0 means 2^64. Addresses of ranges are inclusive on both ends for
 * the same reason. No region is empty: a region that shows nothing yet, such as a
 * closed window of a bridge, is disabled (%MREGION_REGION_DISABLED).
 *
 * Regions, spaces, rings, shadow memories and servers have IDs that the caller
 * chooses. 0 is no ID. They are numbered apart: region 1 and space 1 may both
 * exist.
 *
 * The file may be shared between threads and processes. All ioctls may be
 * called at the same time; those that change something take effect one after
 * the other.
 */

/**
 * DOC: versions
 *
 * A program and a module of different versions work together, whichever is newer,
 * if they have the same base interface. The base interface is what version 0.2.0
 * has, without what &enum mregion_feature names. Its number is
 * %MREGION_ABI_VERSION. Whatever is added later has a bit in &enum mregion_feature.
 *
 * An older program can rely on this of a newer module:
 *
 * - An ioctl, operation, kind or flag does what it did, and has the same number.
 * - A member of a structure stays where it is. The structure may grow at its end; the
 *   module takes the shorter one for ever.
 * - A feature keeps its bit, and that bit its meaning.
 * - A kind, flag or outcome that the program does not know is returned only where
 *   somebody with a newer header has asked for it, who shares the machine.
 * - The memory of rings and servers keeps its layout, unless who creates them asks
 *   for another.
 *
 * A newer program can rely on this of an older module:
 *
 * - A feature that the module does not know has its bit clear.
 * - A call that asks for more than the module knows fails, and nothing of it is done:
 *   ENOTTY for an ioctl, EOPNOTSUPP for a flag, kind or operation, E2BIG for a member
 *   that is not zero and behind the end, EINVAL for one that was reserved.
 * - A longer structure is taken if all that the module does not know of it is zero.
 *   Of results, that part is as the caller has passed it, and zero in lists.
 *
 * A program thus passes zeroes where it asks for nothing, ignores bits that it does
 * not know, and looks at a bit before it uses what the bit stands for.
 */

#define MREGION_IOCTL_TYPE	0xBE

/**
 * define MREGION_ABI_VERSION - number of the base interface
 *
 * It grows when a change of the base is such that programs do not survive it, which
 * is never expected, and with nothing else. A program does not work with a module
 * whose struct mregion_info.abi_version is another number, be it smaller or larger.
 */
#define MREGION_ABI_VERSION	3

/**
 * define MREGION_NAME_SIZE - room for a region's name, including the final NUL
 */
#define MREGION_NAME_SIZE	64

/**
 * define MREGION_NO_VCPU - stands for a vCPU where none made the access
 */
#define MREGION_NO_VCPU		0xffff

/**
 * enum mregion_kind - kind of a region
 * @MREGION_CONTAINER: nothing of its own; shows its subregions; lower siblings
 *	show through between them
 * @MREGION_RAM: memory that the guest reads and writes without an exit
 * @MREGION_ROM: memory that the guest reads; its writes are refused
 * @MREGION_ROMD: a ROM device: reads come from memory, writes go to the device
 *	(or, with %MREGION_REGION_ROMD_OFF, both do)
 * @MREGION_RAMDEV: memory of a real device: mapped as RAM is, but software
 *	that accesses it keeps the size of each access
 * @MREGION_MMIO: registers: each access goes to a rule or to the device
 * @MREGION_ALIAS: a window on another region
 * @MREGION_RESERVATION: addresses of devices outside of mregion, such as
 *	KVM's own interrupt controllers; never claimed on KVM's buses
 *
 * The kinds are those of QEMU's memory API (docs/devel/memory.rst).
 */
enum mregion_kind {
	MREGION_CONTAINER	= 1,
	MREGION_RAM		= 2,
	MREGION_ROM		= 3,
	MREGION_ROMD		= 4,
	MREGION_RAMDEV		= 5,
	MREGION_MMIO		= 6,
	MREGION_ALIAS		= 7,
	MREGION_RESERVATION	= 8,
};

/**
 * enum mregion_region_flags - attributes of a region
 * @MREGION_REGION_READONLY: the region is read-only, with all that is under it or,
 *	for an alias, all that it shows
 * @MREGION_REGION_DISABLED: the region and all that is under it is invisible
 * @MREGION_REGION_NONVOLATILE: persistent memory; inherited as READONLY is
 * @MREGION_REGION_UNMERGEABLE: never merge ranges of this region in a view;
 *	inherited as READONLY is
 * @MREGION_REGION_ROMD_OFF: a ROM device whose reads go to the device, too
 * @MREGION_REGION_LOG_DIRTY: pages that the guest writes shall be logged; the
 *	VMM sets KVM_MEM_LOG_DIRTY_PAGES on memslots made from such ranges
 *
 * All can be given at creation and changed by %MREGION_OP_SET_FLAGS.
 */
enum mregion_region_flags {
	MREGION_REGION_READONLY		= 1 << 0,
	MREGION_REGION_DISABLED		= 1 << 1,
	MREGION_REGION_NONVOLATILE	= 1 << 2,
	MREGION_REGION_UNMERGEABLE	= 1 << 3,
	MREGION_REGION_ROMD_OFF		= 1 << 4,
	MREGION_REGION_LOG_DIRTY	= 1 << 5,
};

/**
 * enum mregion_policy - an answer to an access that no device accepts
 * @MREGION_POLICY_DEFAULT: ONES for a region, EXIT for a space
 * @MREGION_POLICY_ONES: reads return all-ones, writes are dropped, as on PCI
 * @MREGION_POLICY_ZEROES: reads return zero, writes are dropped
 * @MREGION_POLICY_ERROR: the access exits to the VMM, which is to treat it as
 *	an error of the guest (for machines that raise a machine check)
 * @MREGION_POLICY_EXIT: the access exits to the VMM; for spaces only
 */
enum mregion_policy {
	MREGION_POLICY_DEFAULT	= 0,
	MREGION_POLICY_ONES	= 1,
	MREGION_POLICY_ZEROES	= 2,
	MREGION_POLICY_ERROR	= 3,
	MREGION_POLICY_EXIT	= 4,
};

/**
 * enum mregion_constraint_flags - flags of struct mregion_constraints
 * @MREGION_VALID_UNALIGNED: the device accepts accesses that are not aligned
 *	to their size
 * @MREGION_IMPL_UNALIGNED: the device's implementation handles them, so that
 *	they need not be split at their alignment
 * @MREGION_BIG_ENDIAN: the device's registers are big-endian
 * @MREGION_VALID_BEYOND: the device accepts accesses that begin in the region
 *	and reach beyond its end, as every device of QEMU's does
 */
enum mregion_constraint_flags {
	MREGION_VALID_UNALIGNED	= 1 << 0,
	MREGION_IMPL_UNALIGNED	= 1 << 1,
	MREGION_BIG_ENDIAN	= 1 << 2,
	MREGION_VALID_BEYOND	= 1 << 3,
};

/**
 * struct mregion_constraints - the accesses that a region takes
 * @valid_min: smallest access that the device accepts, in bytes
 * @valid_max: largest access that the device accepts, in bytes
 * @impl_min: smallest access that its implementation handles, in bytes
 * @impl_max: largest access that its implementation handles, in bytes
 * @flags: enum mregion_constraint_flags
 * @refused: enum mregion_policy, the answer to an access that is not valid
 * @reserved: must be zero
 *
 * Sizes are 1, 2, 4, 8, or 0 for the default: 1 as a minimum, 4 as a maximum. As
 * in QEMU, a @valid_min has no effect where @valid_max is 0.
 * As in QEMU (memory_access_size(), memory_region_access_valid() in
 * system/physmem.c and system/memory.c), an access that is larger than
 * @valid_max, or not aligned while MREGION_IMPL_UNALIGNED is not set, is split
 * into the largest aligned parts first; each part is then accepted or refused.
 * Other than in QEMU, no part reaches beyond the region's end, and the rest goes
 * to the region behind it, unless %MREGION_VALID_BEYOND is set. Where only the range
 * of a view ends, since another region covers the rest, parts are not cut: on a
 * PC the register at port 0xcf8 gets all four bytes, although another
 * device's is at 0xcf9.
 *
 * @impl_min, @impl_max and MREGION_BIG_ENDIAN are for the device's emulation; the
 * kernel passes them on. It uses the sizes in one case: where rules are for
 * some of the accesses that implement a part, but not for the part, and the device
 * accepts accesses of that size, the part is made in those.
 */
struct mregion_constraints {
	__u8 valid_min;
	__u8 valid_max;
	__u8 impl_min;
	__u8 impl_max;
	__u8 flags;
	__u8 refused;
	__u16 reserved;
};

/**
 * define MREGION_ANY_ACCESS - constraints of a device that takes any access
 *
 * An initialiser for struct mregion_constraints, in C and in C++. Accesses of 1,
 * 2, 4 or 8 bytes, at any offset, come to the device as they were made. Accesses of
 * another length, as KVM makes them at the end of a page, are split into these sizes.
 */
#define MREGION_ANY_ACCESS \
	{ 1, 8, 1, 8, MREGION_VALID_UNALIGNED | MREGION_IMPL_UNALIGNED, 0, 0 }

/**
 * enum mregion_backing - place of the memory of a RAM, ROM, ROM device or RAM
 * device region
 * @MREGION_BACKING_NONE: known to the VMM only
 * @MREGION_BACKING_FD: in a file: a memfd, or one on tmpfs, hugetlbfs or a disk
 * @MREGION_BACKING_USER: in the address space of the VMM
 */
enum mregion_backing {
	MREGION_BACKING_NONE	= 0,
	MREGION_BACKING_FD	= 1,
	MREGION_BACKING_USER	= 2,
};

/**
 * struct mregion_op_create - argument of %MREGION_OP_CREATE
 * @kind: enum mregion_kind
 * @flags: enum mregion_region_flags
 * @len: length in bytes, 0 for 2^64
 * @offset: for an alias, the offset in the target of the first byte shown; for
 *	memory in a file, the offset in the file; for memory of the VMM, its
 *	address there. The latter two are multiples of the page size
 * @target: for an alias, the ID of the region it shows
 * @backing: enum mregion_backing; zero unless the region is memory
 * @fd: the file of %MREGION_BACKING_FD, else zero. The region holds a reference
 *	to the file, not to the descriptor. Only regular files are accepted,
 *	so that a region cannot hold the machine that holds it
 * @reserved: must be zero
 * @constraints: of an MMIO, ROM device or RAM device region; else zero
 * @name: NUL-terminated, for people; control characters are refused. Names
 *	need not be unique
 *
 * A new region is mapped nowhere. EEXIST: a region of that ID exists. ENOSPC:
 * the machine has struct mregion_info.max_regions regions. ENOENT: no region
 * @target. EBADF: @fd is not open. EINVAL: a member does not go with @kind or
 * is out of bounds, the file is not a regular file or ends before the region.
 */
struct mregion_op_create {
	__u32 kind;
	__u32 flags;
	__u64 len;
	__u64 offset;
	__u32 target;
	__u32 backing;
	__s32 fd;
	__u32 reserved;
	struct mregion_constraints constraints;
	char name[MREGION_NAME_SIZE];
};

/**
 * enum mregion_map_flags - flags of struct mregion_op_map
 * @MREGION_MAP_EXCLUSIVE: refuse to map the region where a sibling of the same
 *	priority is
 *
 * Of siblings of equal priority the one mapped later hides the other, which is seldom
 * meant; different priorities order them explicitly. QEMU makes the same distinction:
 * memory_region_add_subregion() is for regions that do not overlap, and
 * memory_region_add_subregion_overlap() takes a priority.
 *
 * The siblings' whole address ranges in their parent count, with any contents,
 * also beyond the parent's end. Siblings that are disabled do
 * not count; the region itself does if it is. The check is made once:
 * later operations, on this region or on others, are not refused because
 * of it. To move a region with another check, unmap it and map it again.
 */
enum mregion_map_flags {
	MREGION_MAP_EXCLUSIVE	= 1 << 0,
};

/**
 * struct mregion_op_map - argument of %MREGION_OP_MAP
 * @offset: of the region's first byte in the parent, in bytes
 * @parent: ID of the region to map into; any kind but an alias
 * @priority: among siblings the higher one is on top; 0 is ordinary
 * @flags: enum mregion_map_flags
 * @reserved: must be zero
 *
 * Among siblings of equal priority the one mapped later is on top. The part of a
 * region beyond its parent's end is not visible. ENOENT: no such
 * region, or no region @parent. EBUSY: it is mapped already; a region has one
 * parent, aliases show it elsewhere. EINVAL: the parent is an alias. ELOOP: the
 * parent is the region itself, or mapped somewhere below it. EEXIST: EXCLUSIVE, and a
 * sibling is there: struct mregion_commit.occupant. Looking for it takes a step of
 * the commit's budget for each sibling that has some of the addresses.
 *
 * An alias may be mapped into the region that it shows, or below: ARM's SSE machines
 * show a container's upper half in its lower one. It may show itself several
 * times, each time at a later offset. It must not do so without end, which depends on
 * windows, and on the regions that cover them. Rendering a space checks that by
 * depth: EMLINK (see %MREGION_COMMIT). An alias that no space shows is not checked.
 */
struct mregion_op_map {
	__u64 offset;
	__u32 parent;
	__s32 priority;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct mregion_op_set_flags - argument of %MREGION_OP_SET_FLAGS
 * @mask: enum mregion_region_flags, the flags to change
 * @flags: enum mregion_region_flags, their new values; a subset of @mask
 *
 * ENOENT: no such region. EINVAL: @flags is no subset of @mask, or a flag does
 * not go with the region's kind.
 */
struct mregion_op_set_flags {
	__u32 mask;
	__u32 flags;
};

/**
 * struct mregion_op_space - argument of %MREGION_OP_SPACE_CREATE and
 * %MREGION_OP_SPACE_SET
 * @root: ID of the region that the space shows from address 0
 * @bus: enum mregion_bus
 * @unassigned: enum mregion_policy, for addresses where the view has nothing
 * @reserved: must be zero
 *
 * An I/O port space ends at address 0xffff. EEXIST: a space of that ID exists
 * (CREATE). ENOENT: no region @root, or no such space (SET). ENOSPC: the
 * machine has struct mregion_info.max_spaces spaces. EINVAL: unknown @bus or
 * @unassigned, or a bus other than the space's (SET).
 */
struct mregion_op_space {
	__u32 root;
	__u32 bus;
	__u32 unassigned;
	__u32 reserved;
};

/**
 * enum mregion_bus - kind of the addresses of a space
 * @MREGION_BUS_MEMORY: guest-physical addresses
 * @MREGION_BUS_PIO: I/O ports, 0 to 0xffff
 */
enum mregion_bus {
	MREGION_BUS_MEMORY	= 0,
	MREGION_BUS_PIO		= 1,
};

/**
 * enum mregion_rule_kind - the kernel's action for an access
 * @MREGION_RULE_COALESCE: append writes to a ring and let the guest go on;
 *	reads, and writes that find the ring full, are forwarded
 * @MREGION_RULE_DOORBELL: signal an eventfd on writes and let the guest go on;
 *	reads are forwarded
 * @MREGION_RULE_SHADOW: serve reads from, and store writes to, shared memory
 *
 * Where rules of several kinds match an access, a doorbell goes before a ring,
 * and a ring before a shadow.
 */
enum mregion_rule_kind {
	MREGION_RULE_COALESCE	= 1,
	MREGION_RULE_DOORBELL	= 2,
	MREGION_RULE_SHADOW	= 3,
};

/**
 * enum mregion_rule_flags - flags of struct mregion_rule
 * @MREGION_RULE_DATAMATCH: a doorbell is for writes of @datamatch only
 * @MREGION_RULE_STORE: a doorbell stores the value written in the shadow
 *	memory, before it signals
 * @MREGION_RULE_READ: a shadow serves reads
 * @MREGION_RULE_WRITE: a shadow stores writes
 * @MREGION_RULE_NOTIFY: a shadow signals @eventfd when a write has changed the
 *	stored value, and for each write that is not aligned
 * @MREGION_RULE_ANY_LEN: a doorbell is for each write that begins at @offset,
 *	of any size, as KVM's ioeventfds of length 0 are. It goes before all other
 *	rules, is not subject to the region's constraints, and completes all of the
 *	write
 * @MREGION_RULE_INDEXED: an index register selects what a shadow serves, see "data
 *	registers". With %MREGION_FEATURE_INDEXED
 * @MREGION_RULE_FAST: with ANY_LEN: KVM rings where it can before it looks at the
 *	instruction, and cannot tell reads from writes then, see "fast doorbells". With
 *	%MREGION_FEATURE_FAST
 * @MREGION_RULE_POSTED: entries of a ring are for the region's server, which is
 *	woken for each as for a request. Once it is dead, writes exit to the VMM,
 *	which drains the ring first, since the last entries may still be in it
 */
enum mregion_rule_flags {
	MREGION_RULE_DATAMATCH	= 1 << 0,
	MREGION_RULE_STORE	= 1 << 1,
	MREGION_RULE_READ	= 1 << 2,
	MREGION_RULE_WRITE	= 1 << 3,
	MREGION_RULE_NOTIFY	= 1 << 4,
	MREGION_RULE_POSTED	= 1 << 5,
	MREGION_RULE_ANY_LEN	= 1 << 6,
	MREGION_RULE_FAST	= 1 << 7,
	MREGION_RULE_INDEXED	= 1 << 8,
};

/**
 * DOC: fast doorbells
 *
 * Most of what a doorbell costs is that KVM reads and emulates the instruction which
 * writes to it. On some hosts KVM looks before whether a doorbell is at the address: on
 * Intel with EPT, and from Linux 7 on with AMD's nested paging, where the processor
 * saves the next instruction's address (NRIPS). It has a bus for that,
 * KVM_FAST_MMIO_BUS, where it puts its own ioeventfds of length 0. A doorbell with
 * %MREGION_RULE_FAST is put there, too, at each address of a memory space where a virtual
 * machine sees it. It then costs a third of others.
 *
 * All that is known there is the address of the access. The instruction is skipped, so:
 *
 * - A write of any size that begins at the doorbell rings, as with ANY_LEN alone. One that
 *   begins before does not, and neither does one behind it.
 * - A read may ring as well, and its register keeps the value that it has. On other hosts
 *   a read does not ring, and goes the way of any read of the region. Programs for the
 *   guest must not read a fast doorbell; what happens then is not defined. The same is
 *   true of fetching an instruction there, of page tables that are there, and of an
 *   instruction that reads, modifies and writes: each may ring, and is skipped.
 * - All else that the instruction would do is not done. A string instruction rings
 *   once, whatever its count, and leaves its registers. Of a write that begins in
 *   memory and crosses a page's end, where the doorbell is the first byte behind it, the
 *   part in memory is lost.
 *
 * Everything else is the same as with ANY_LEN alone, on all hosts. Each access looks into
 * the published view. So when a commit has returned that moves, hides or deletes a
 * doorbell, or puts memory there, no write that begins then rings by the old address; and
 * an access at a new one rings at once, though not yet fast before KVM's bus has been
 * exchanged, at the end of the commit. Such commits take a grace period of the virtual
 * machine's, as ioeventfds do. Where the view is read-only, a write is refused, as ever.
 *
 * A fast doorbell rings the slow way, as one with ANY_LEN alone: on ports; in a guest's
 * guest; for what KVM emulates for another reason; through %MREGION_ACCESS; at addresses
 * above 2^63; where no window of the machine's is first on the memory bus, since somebody
 * else has the address, or since there are too many windows; where there are more than
 * struct mregion_info.max_fast in a virtual machine: those at higher addresses; and where
 * there was no memory for them, which fails neither a commit nor an attachment: all those
 * of the virtual machine, until the next commit. Whoever gets the address later rings, or
 * does not, as beside a doorbell with ANY_LEN alone where there is no fast way.
 * %MREGION_CLAIMS lists the fast ones (%MREGION_CLAIM_FAST) and, of memory spaces, those
 * that are not (%MREGION_CLAIM_SLOW).
 *
 * Only MMIO regions have fast doorbells: reads of a ROM device are of memory.
 */

/**
 * DOC: data registers
 *
 * Many devices have an index register and a data register: the guest writes an index,
 * and then reads or writes in the data register what the index selects. PCI's
 * configuration mechanism 1 is such a pair (ports 0xcf8 and 0xcfc), as are CMOS (0x70
 * and 0x71), most of VGA's registers, the I/O APIC's window and Super I/O chips. A
 * shadow with %MREGION_RULE_INDEXED is the data register of such a pair. For an access
 * the kernel reads the index from shadow memory, where another shadow has stored it, or
 * the VMM, and calculates::
 *
 *   index = bytes @index.offset to @index.offset + @index.len - 1 of memory @index.shadow
 *   applies if @index.first <= (index & @index.bits) <= @index.last
 *   place = @shadow_offset + shift(index & @index.select) + byte of the register
 *
 * where shift() multiplies by 2^@index.shift, and where that is negative, rounds down.
 * The byte of the register is the access's offset in the region, less @offset of the
 * rule. So an access of each size that fits is possible at each place in the register.
 *
 * A bit that must have a value, as bit 31 of 0xcf8, is in @index.bits. @index.first and
 * @index.last have that value there, and agree in all higher bits. A bit that does not
 * matter is in neither mask.
 *
 * A register has several rules, for ranges of the index that do not overlap. So the kernel
 * answers for some functions of a bus. An index that is in no rule's range is forwarded
 * as ever: to the region's server, or to the VMM. Different ranges may have the same
 * memory. All functions that are not there are one range or a few, and with nothing but the
 * register's number in @index.select they have the same 256 bytes of all-ones.
 *
 * An access that is split (struct mregion_constraints) reads the index for each part. A
 * write of both registers, as to VGA's, exits where the data register's rules are for
 * writes. The VMM then makes it part by part (%MREGION_ACCESS_PART), so that the data
 * goes by the index that it came with.
 *
 * The read of the index is atomic, and so is that of the data, as for any shadow. The
 * pair of them is not. As on hardware, another vCPU can write the index between this
 * one's write of it and its access to the data, so guests have a lock for the pair. Under
 * the lock a vCPU's access goes by the index that it has written itself. Both reads have
 * acquire order.
 *
 * A VMM updates what is shown by stores of the size that guests read, with release order
 * (C11's atomic_store_explicit()). A change of several stores appears in the order of
 * the stores. To change several bytes at once for guests, exchange the rule
 * for one with other memory, in one commit: accesses that begin when the commit has
 * returned see the new memory. Registers that change by themselves, or by being read,
 * must be in no rule's range.
 *
 * The kernel trusts nothing in the memories. RULE_ADD compares the highest place that
 * @index.select allows with the memory's length. So each place is within @shadow, whatever
 * the index is, also for a processor that speculates.
 */

/**
 * struct mregion_index - how an index selects what a data register has
 * @shadow: ID of the shadow memory in which the index register is
 * @len: its length in bytes, 1, 2 or 4
 * @offset: of the index register in that memory; a multiple of @len
 * @bits: the bits of the index that are compared
 * @first: the lowest value of those that the rule is for
 * @last: the highest
 * @select: the bits of the index that select a place
 * @shift: by how many bits those are shifted for the distance in bytes: to the left, or
 *	if negative, to the right; -31 to 31
 * @reserved: must be zero
 *
 * See "data registers". The index is little-endian. The distances are multiples of the
 * size of access that the register is aligned for: the largest power of two, up to 8, that
 * is not more than the rule's @len.
 */
struct mregion_index {
	__u32 shadow;
	__u32 len;
	__u64 offset;
	__u32 bits;
	__u32 first;
	__u32 last;
	__u32 select;
	__s32 shift;
	__u32 reserved;
};

/**
 * struct mregion_rule - argument of %MREGION_OP_RULE_ADD and
 * %MREGION_OP_RULE_DEL
 * @kind: enum mregion_rule_kind
 * @flags: enum mregion_rule_flags
 * @offset: first byte of the region that the rule is for
 * @len: length of that part in bytes, 0 for 2^64; the part beyond the
 *	region's end has no effect. With ANY_LEN: 1
 * @ring: of a ring: its ID
 * @eventfd: of a doorbell, or with NOTIFY: the eventfd to signal; else 0. The rule
 *	holds a reference to the eventfd, not to the descriptor. To delete the rule:
 *	the same eventfd, or -1 for any
 * @shadow: of a shadow, or with STORE: ID of the shadow memory; else 0
 * @access_len: of a doorbell or a shadow: the size of access that it is for, 0 for any
 * @shadow_offset: in the shadow memory, of the byte that stands for @offset;
 *	equal to @offset modulo 8, which keeps alignment. With INDEXED: of the byte for
 *	@offset where the selected bits are zero; equal modulo the largest power of two, up
 *	to 8, that is not more than @len
 * @datamatch: with DATAMATCH: the value, else 0
 * @index: with INDEXED: the index, else zero
 * @reserved: must be zero
 *
 * A rule is for accesses (after the split of struct mregion_constraints) that
 * lie wholly within its part of the region. Only MMIO and ROM device regions
 * have rules. Where rules are for some parts of an access only, the access exits,
 * and the VMM makes it part by part, see %MREGION_ACCESS_PART. An access
 * that one instruction makes to several ranges of a view is not coalesced.
 *
 * ADD: ENOENT: no such region, ring or shadow memory. EBADF: @eventfd is not
 * open. EEXIST: another rule of the region and of the same kind could match the
 * same access; of two shadows with INDEXED, for equal parts and an equal register
 * and @bits of the index, only if their ranges overlap. ENOSPC: the region has struct
 * mregion_info.max_rules rules; the machine has max_machine_rules of them; the region has
 * INDEXED ones for max_indices combinations of a part, a register, @bits, READ, WRITE and
 * @access_len. EINVAL: wrong kind of region; the part begins behind its end; @eventfd is
 * no eventfd; the shadow memory ends before the part does; with INDEXED, it ends before
 * the part does at the highest place that an index selects, with @len rounded up to a
 * power of two; flags or members do not go with @kind or with each other; @index is not as
 * its struct says, @first is more than @last, or one of them has a bit that is not in
 * @bits; FAST for a ROM device; no access can match: @access_len is larger than the part
 * or not accepted by the region's constraints, or @datamatch does not fit @access_len.
 *
 * DEL: the errors of ADD for @ring, @eventfd, @shadow and members that do not go together,
 * since all are looked up in the same way; ENOENT: no such region, or no rule equal
 * in every member. An @eventfd of -1 stands for that of the rule, since its descriptor
 * may be closed by then.
 */
struct mregion_rule {
	__u32 kind;
	__u32 flags;
	__u64 offset;
	__u64 len;
	__u32 ring;
	__s32 eventfd;
	__u32 shadow;
	__u32 access_len;
	__u64 shadow_offset;
	__u64 datamatch;
	struct mregion_index index;
	__u64 reserved;
};

/**
 * struct mregion_op_set_server - argument of %MREGION_OP_SET_SERVER
 * @server: ID of the server that answers the region's forwarded accesses, or 0
 *	for none: they exit to the VMM
 * @reserved: must be zero
 *
 * Only MMIO and ROM device regions have servers. ENOENT: no such region or
 * server. EINVAL: wrong kind of region.
 */
struct mregion_op_set_server {
	__u32 server;
	__u32 reserved;
};

/**
 * struct mregion_op_share - argument of %MREGION_OP_SHARE
 * @log: a second file, for holders that may write, to note there what they have
 *	written; -1 for none. Its layout is between the VMM and them: the kernel does
 *	not read it. The region holds a reference to the file, not to the descriptor
 * @reserved: must be zero
 *
 * From then on %MREGION_VIEW_FILE hands out the file of the region's memory, which is
 * the one of %MREGION_BACKING_FD, to holders of view descriptors that may have it.
 * The file is handed out whole, also the parts that are no region's. A holder that may
 * write can make it smaller, and the log, unless they are sealed (F_SEAL_SHRINK and
 * F_SEAL_SEAL).
 *
 * A region is shared once, with the same @log for as long as it is there: a holder
 * that keeps the files is never wrong. Share it before a space shows it, or in the same
 * commit, since holders are not told of regions that they see already.
 *
 * ENOENT: no such region. EINVAL: it has no file: it is not memory, or of another
 * backing; @log is given for a ROM or a ROM device, which nobody writes; @log is no
 * regular file. EBUSY: it is shared already. EBADF: @log is not open. EACCES: the memory's
 * file is not open for reading, or @log is not for reading and writing.
 */
struct mregion_op_share {
	__s32 log;
	__u32 reserved;
};

/**
 * enum mregion_op_code - the changes that a commit can make
 * @MREGION_OP_CREATE: create region @id, see struct mregion_op_create
 * @MREGION_OP_FREE: free region @id. EBUSY: it is mapped, has subregions, is
 *	the target of an alias or the root of a space. ENOENT: no such region
 * @MREGION_OP_MAP: map region @id into a parent, see struct mregion_op_map
 * @MREGION_OP_UNMAP: take region @id out of its parent. ENOENT: no such region,
 *	or not mapped
 * @MREGION_OP_MOVE: move region @id within its parent, to @offset. As in QEMU
 *	(memory_region_set_address()) a region that moves counts as mapped anew,
 *	and so comes on top of its siblings of equal priority. Moving it to its
 *	present offset has no effect. ENOENT: no such region, or not mapped
 * @MREGION_OP_RESIZE: make region @id @len bytes long, 0 for 2^64. ENOENT: no
 *	such region. EINVAL: not possible for its backing
 * @MREGION_OP_SET_FLAGS: change flags, see struct mregion_op_set_flags
 * @MREGION_OP_SET_ALIAS: let alias @id show its target from @offset on.
 *	ENOENT: no such region. EINVAL: not an alias
 * @MREGION_OP_SET_CONSTRAINTS: replace the constraints of region @id. ENOENT:
 *	no such region. EINVAL: bad constraints, or wrong kind of region
 * @MREGION_OP_RULE_ADD: add a rule to region @id, see struct mregion_rule
 * @MREGION_OP_RULE_DEL: delete a rule of region @id, see struct mregion_rule
 * @MREGION_OP_SPACE_CREATE: create space @id, see struct mregion_op_space
 * @MREGION_OP_SPACE_SET: change root and policy of space @id, see there
 * @MREGION_OP_SPACE_FREE: free space @id. EBUSY: it is attached to a virtual
 *	machine. ENOENT: no such space
 * @MREGION_OP_SET_SERVER: bind region @id to a server, see struct
 *	mregion_op_set_server
 * @MREGION_OP_SHARE: let holders of view descriptors have the file of region @id, see
 *	struct mregion_op_share. With %MREGION_FEATURE_VIEW_OPEN
 */
enum mregion_op_code {
	MREGION_OP_CREATE		= 1,
	MREGION_OP_FREE			= 2,
	MREGION_OP_MAP			= 3,
	MREGION_OP_UNMAP		= 4,
	MREGION_OP_MOVE			= 5,
	MREGION_OP_RESIZE		= 6,
	MREGION_OP_SET_FLAGS		= 7,
	MREGION_OP_SET_ALIAS		= 8,
	MREGION_OP_SET_CONSTRAINTS	= 9,
	MREGION_OP_RULE_ADD		= 10,
	MREGION_OP_RULE_DEL		= 11,
	MREGION_OP_SPACE_CREATE		= 12,
	MREGION_OP_SPACE_SET		= 13,
	MREGION_OP_SPACE_FREE		= 14,
	MREGION_OP_SET_SERVER		= 15,
	MREGION_OP_SHARE		= 16,
};

/**
 * define MREGION_OP_MAY_FAIL - lets an operation fail alone
 *
 * If the operation is refused, it has no effect, its errno goes to struct
 * mregion_commit.results, and the commit goes on. An operation that depends on it fails,
 * too (ENOENT where a region was not created), and with it the commit, unless that
 * operation may fail as well.
 *
 * This holds for the errnos of the operation itself: those documented with it, EINVAL
 * for members that it does not use, and EOPNOTSUPP. Errors that do not come of one
 * operation still fail the commit as a whole: ENOMEM, ENOBUFS, EINTR, EDQUOT, and the
 * errors of rendering (EFBIG, EMLINK).
 */
#define MREGION_OP_MAY_FAIL	0x80000000u

/**
 * struct mregion_op - one operation of a commit
 * @code: enum mregion_op_code, with or without %MREGION_OP_MAY_FAIL
 * @id: the region or space it is about; EINVAL if 0
 * @create: for CREATE
 * @map: for MAP
 * @offset: for MOVE and SET_ALIAS, in bytes
 * @len: for RESIZE, in bytes
 * @set_flags: for SET_FLAGS
 * @constraints: for SET_CONSTRAINTS
 * @rule: for RULE_ADD and RULE_DEL
 * @space: for SPACE_CREATE and SPACE_SET
 * @set_server: for SET_SERVER
 * @share: for SHARE
 * @reserved: makes up the size; bytes that an operation does not use must be zero
 */
__extension__ struct mregion_op {
	__u32 code;
	__u32 id;
	union {	/* in ISO C99 it would have a name: hence __extension__ */
		struct mregion_op_create create;
		struct mregion_op_map map;
		__u64 offset;
		__u64 len;
		struct mregion_op_set_flags set_flags;
		struct mregion_constraints constraints;
		struct mregion_rule rule;
		struct mregion_op_space space;
		struct mregion_op_set_server set_server;
		struct mregion_op_share share;
		__u64 reserved[15];
	};
};

/**
 * enum mregion_commit_flags - flags of struct mregion_commit
 * @MREGION_COMMIT_DRY_RUN: validate only: return the errors and results of the commit,
 *	and change nothing
 */
enum mregion_commit_flags {
	MREGION_COMMIT_DRY_RUN	= 1 << 0,
};

/**
 * struct mregion_commit - argument of %MREGION_COMMIT
 * @size: sizeof(struct mregion_commit)
 * @flags: enum mregion_commit_flags
 * @ops: pointer to an array of struct mregion_op
 * @nr_ops: number of operations, at most struct mregion_info.max_ops
 * @op_size: sizeof(struct mregion_op) as the caller knows it
 * @failed: set on return: the index of the operation that failed; @nr_ops if
 *	the commit succeeded, or failed as a whole
 * @reserved: must be zero
 * @generation: set on return: the machine's generation after the commit
 * @results: pointer to an array of @nr_ops __s32, or 0: set on return: for each
 *	operation that has failed alone (%MREGION_OP_MAY_FAIL) its negative errno,
 *	else 0. On an error of the commit: for those before @failed, which may be
 *	the reason
 * @nr_failed: set on return: how many have failed alone
 * @occupant: set on return: the region that is where operation @failed was to map
 *	another one (EEXIST of %MREGION_MAP_EXCLUSIVE), of several the first by
 *	address, else 0. If no operation failed the commit, of the first that failed alone
 */
struct mregion_commit {
	__u32 size;
	__u32 flags;
	__u64 ops;
	__u32 nr_ops;
	__u32 op_size;
	__u32 failed;
	__u32 reserved;
	__u64 generation;
	__u64 results;
	__u32 nr_failed;
	__u32 occupant;
};

/**
 * define MREGION_COMMIT - change a machine, all or nothing
 *
 * Carries out the operations in their order; an operation sees the results of those
 * before it. All but those that may fail alone (%MREGION_OP_MAY_FAIL) are
 * possible, or none is carried out. Then renders every space that has changed and
 * publishes all of the new views at once: no vCPU and no other reader sees a state in
 * between, not even of two spaces. On an error the machine is exactly as it was. When
 * the ioctl has returned, accesses that begin see the new views.
 *
 * Errors of the commit as a whole: EMSGSIZE: @nr_ops is too large. EFBIG: a
 * view would have more than struct mregion_info.max_ranges ranges, those counted
 * apart that are merged in the end. EMLINK: a region would be nested deeper
 * (parents and aliases counted alike) than max_depth in a space, as with an alias that
 * shows itself without end. EDQUOT: the
 * commit would take more than max_work steps; @failed is the operation, if
 * it was not in rendering. EINVAL: @op_size is too small. EFAULT: @results cannot be
 * written, which is checked before any change.
 */
#define MREGION_COMMIT	_IO(MREGION_IOCTL_TYPE, 0x01)

/**
 * enum mregion_feature - what a module can have besides the base interface
 * @MREGION_FEATURE_ATTACH: machines can be attached to virtual machines:
 *	%MREGION_ATTACH, %MREGION_DETACH, %MREGION_CLAIMS, and @vm_fd of struct
 *	mregion_access. It is missing where KVM does not let modules onto its buses.
 *	Spaces are rendered, and %MREGION_ACCESS goes through rules, without it
 * @MREGION_FEATURE_CHANGES: %MREGION_CHANGES. Without it a view is read as a whole
 * @MREGION_FEATURE_VIEW_OPEN: a view has a descriptor: %MREGION_VIEW_OPEN,
 *	%MREGION_VIEW_FILE and %MREGION_OP_SHARE
 * @MREGION_FEATURE_SMM: vCPUs in system management mode (SMM) can see a space of their
 *	own: @smm of struct mregion_attach. It is missing on architectures other than
 *	x86, and where the kernel is built without CONFIG_KVM_SMM
 * @MREGION_FEATURE_FAST: doorbells can be fast: %MREGION_RULE_FAST. Whether the host has a
 *	fast way for them is not told
 * @MREGION_FEATURE_INDEXED: shadows can be data registers: %MREGION_RULE_INDEXED; and
 *	they can be for one size of access: @access_len of struct mregion_rule
 */
enum mregion_feature {
	MREGION_FEATURE_ATTACH	= 1 << 0,
	MREGION_FEATURE_CHANGES	= 1 << 1,
	MREGION_FEATURE_VIEW_OPEN	= 1 << 2,
	MREGION_FEATURE_SMM	= 1 << 3,
	MREGION_FEATURE_FAST	= 1 << 4,
	MREGION_FEATURE_INDEXED	= 1 << 5,
};

/**
 * struct mregion_info - argument of %MREGION_INFO
 * @size: sizeof(struct mregion_info)
 * @abi_version: MREGION_ABI_VERSION of the kernel
 * @features: enum mregion_feature; what the module has
 * @max_regions: regions a machine can have
 * @max_spaces: spaces a machine can have
 * @max_depth: regions on a path from a space's root to a visible region
 * @max_ranges: ranges a view can have
 * @max_ops: operations a commit can have
 * @max_rings: rings a machine can have
 * @max_ring_entries: entries a ring can have
 * @max_rules: rules a region can have
 * @max_machine_rules: rules all regions of a machine can have together
 * @max_fast: fast doorbells on the bus of one virtual machine (%MREGION_FEATURE_FAST);
 *	there may be more, which ring the slow way
 * @max_windows: address windows that a machine claims on one bus of a virtual
 *	machine. When there would be more, those with rules or servers in them go
 *	first, then those where a policy answers, and small regions before large
 *	ones. Accesses outside of windows exit to the VMM. Windows are cut around
 *	ranges of others, into any number of pieces
 * @max_servers: servers a machine can have
 * @max_work: steps of one commit: operations, visits to regions, and pieces of
 *	views
 * @max_shadows: shadow memories a machine can have
 * @max_slots: accesses that can wait for a server at the same time
 * @max_shadow_len: length of a shadow memory, in bytes
 * @max_memory: bytes of the kernel's memory that the machine may hold, for requests of
 *	this caller; all-ones for any number. struct mregion_stats.memory has the
 *	bytes that it holds
 * @max_indices: combinations of a data register, an index register and their flags that
 *	a region can have (%MREGION_FEATURE_INDEXED)
 * @reserved: zero
 */
struct mregion_info {
	__u32 size;
	__u32 abi_version;
	__u64 features;
	__u32 max_regions;
	__u32 max_spaces;
	__u32 max_depth;
	__u32 max_ranges;
	__u32 max_ops;
	__u32 max_rings;
	__u32 max_ring_entries;
	__u32 max_rules;
	__u32 max_windows;
	__u32 max_servers;
	__u64 max_work;
	__u32 max_shadows;
	__u32 max_slots;
	__u64 max_shadow_len;
	__u32 max_machine_rules;
	__u32 max_fast;
	__u64 max_memory;
	__u32 max_indices;
	__u32 reserved;
};

/**
 * define MREGION_INFO - version, features and limits of the kernel module
 */
#define MREGION_INFO	_IO(MREGION_IOCTL_TYPE, 0x00)

/**
 * enum mregion_range_flags - attributes of a range of a view
 * @MREGION_RANGE_READONLY: the guest cannot write the memory
 * @MREGION_RANGE_NONVOLATILE: persistent memory
 * @MREGION_RANGE_UNMERGEABLE: not merged with its neighbours
 * @MREGION_RANGE_ROMD: reads come from memory, writes go to the device
 * @MREGION_RANGE_LOG_DIRTY: writes are to be logged
 */
enum mregion_range_flags {
	MREGION_RANGE_READONLY		= 1 << 0,
	MREGION_RANGE_NONVOLATILE	= 1 << 1,
	MREGION_RANGE_UNMERGEABLE	= 1 << 2,
	MREGION_RANGE_ROMD		= 1 << 3,
	MREGION_RANGE_LOG_DIRTY		= 1 << 4,
};

/**
 * struct mregion_range - a range of a flat view
 * @start: first address
 * @last: last address
 * @offset: of @start in the region, in bytes
 * @region: ID of the region
 * @kind: its enum mregion_kind; never a container or an alias
 * @flags: enum mregion_range_flags
 * @reserved: zero
 */
struct mregion_range {
	__u64 start;
	__u64 last;
	__u64 offset;
	__u32 region;
	__u32 kind;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct mregion_view_read - argument of %MREGION_VIEW_READ
 * @size: sizeof(struct mregion_view_read)
 * @space: ID of the space
 * @ranges: pointer to an array of struct mregion_range
 * @nr: in: how many the array has room for; out: how many the view has. When
 *	that is more, the array has as many of the first as fit
 * @range_size: sizeof(struct mregion_range) as the caller knows it
 * @generation: set on return: of the commit that made this view
 * @bus: set on return: enum mregion_bus
 * @unassigned: set on return: enum mregion_policy
 */
struct mregion_view_read {
	__u32 size;
	__u32 space;
	__u64 ranges;
	__u32 nr;
	__u32 range_size;
	__u64 generation;
	__u32 bus;
	__u32 unassigned;
};

/**
 * define MREGION_VIEW_READ - read the flat view of a space
 *
 * The ranges are disjoint and sorted by address. One call returns one view,
 * whole (as far as there is room). ENOENT: no such space. EINVAL: @range_size is
 * too small.
 */
#define MREGION_VIEW_READ	_IO(MREGION_IOCTL_TYPE, 0x02)

/**
 * struct mregion_interval - addresses that follow one another
 * @start: first address
 * @last: last address
 */
struct mregion_interval {
	__u64 start;
	__u64 last;
};

/**
 * struct mregion_changes_read - argument of %MREGION_CHANGES
 * @size: sizeof(struct mregion_changes_read)
 * @space: ID of the space
 * @since: generation of the view that the caller has; 0 if it has none
 * @intervals: pointer to an array of struct mregion_interval
 * @ranges: pointer to an array of struct mregion_range
 * @nr_intervals: in: how many @intervals has room for; out: how many there are
 * @nr_ranges: in: how many @ranges has room for; out: how many there are in all
 *	intervals
 * @range_size: sizeof(struct mregion_range) as the caller knows it
 * @reserved: zero
 * @generation: set on return: of the view as it is now
 * @bus: set on return: enum mregion_bus
 * @unassigned: set on return: enum mregion_policy
 */
struct mregion_changes_read {
	__u32 size;
	__u32 space;
	__u64 since;
	__u64 intervals;
	__u64 ranges;
	__u32 nr_intervals;
	__u32 nr_ranges;
	__u32 range_size;
	__u32 reserved;
	__u64 generation;
	__u32 bus;
	__u32 unassigned;
};

/**
 * define MREGION_CHANGES - read what has changed of the flat view of a space
 *
 * A caller that has the view of an earlier commit has the view of now when it removes
 * all ranges that are in one of the intervals, and puts the ranges that are told in
 * their place. No range of either view is in an interval in part only. Intervals are
 * disjoint and sorted by address, as ranges are.
 *
 * What is told may be more than what has changed: all addresses, also those that the
 * bus does not have, where @since is too long ago, or is of a space that had the ID
 * before. An array that there is no room for has as many of the first as fit. The
 * largest number of intervals is 64. Of a view that has not changed there are none.
 *
 * ENOENT: no such space. EINVAL: @range_size is too small, or @reserved is not zero.
 */
#define MREGION_CHANGES	_IO(MREGION_IOCTL_TYPE, 0x11)

/**
 * struct mregion_region_info - a region, as %MREGION_REGIONS tells it
 * @id: its ID
 * @kind: enum mregion_kind
 * @flags: enum mregion_region_flags
 * @parent: ID of the region it is mapped into, or 0
 * @len: length in bytes, 0 for 2^64
 * @offset: in the parent, in bytes
 * @order: among siblings of equal priority, the higher one is on top
 * @priority: among siblings
 * @backing: enum mregion_backing
 * @backing_offset: offset in the file, or address in the VMM
 * @target: of an alias: the ID of the region it shows, else 0
 * @nr_rules: how many rules it has
 * @server: ID of its server, or 0
 * @reserved: zero
 * @target_offset: of an alias: offset in @target of the first byte shown
 * @constraints: the accesses it takes
 * @name: its name
 *
 * CREATE of every region, targets before their aliases, and then MAP of those
 * that have a parent, in the order of @order, give the same hierarchy again. Make
 * them in one commit, or before there are spaces: a part of the hierarchy may not be
 * renderable, such as an alias that shows itself until another region covers it.
 */
struct mregion_region_info {
	__u32 id;
	__u32 kind;
	__u32 flags;
	__u32 parent;
	__u64 len;
	__u64 offset;
	__u64 order;
	__s32 priority;
	__u32 backing;
	__u64 backing_offset;
	__u32 target;
	__u32 nr_rules;
	__u32 server;
	__u32 reserved;
	__u64 target_offset;
	struct mregion_constraints constraints;
	char name[MREGION_NAME_SIZE];
};

/**
 * struct mregion_regions - argument of %MREGION_REGIONS
 * @size: sizeof(struct mregion_regions)
 * @first: list regions from this ID on
 * @regions: pointer to an array of struct mregion_region_info
 * @nr: in: how many the array has room for; out: how many regions there are
 *	from @first on. When that is more, the array has as many as fit
 * @region_size: sizeof(struct mregion_region_info) as the caller knows it
 * @generation: set on return: the machine's generation
 */
struct mregion_regions {
	__u32 size;
	__u32 first;
	__u64 regions;
	__u32 nr;
	__u32 region_size;
	__u64 generation;
};

/**
 * define MREGION_REGIONS - list the regions of a machine, in the order of IDs
 *
 * One call sees one state. A caller that needs several compares @generation.
 * EINVAL: @region_size is too small.
 */
#define MREGION_REGIONS	_IO(MREGION_IOCTL_TYPE, 0x03)

/**
 * struct mregion_space_info - a space, as %MREGION_SPACES tells it
 * @id: its ID
 * @root: ID of its root region
 * @bus: enum mregion_bus
 * @unassigned: enum mregion_policy
 * @generation: of the commit that made its view
 * @nr_ranges: how many ranges its view has
 * @nr_vms: how many virtual machines it is attached to
 */
struct mregion_space_info {
	__u32 id;
	__u32 root;
	__u32 bus;
	__u32 unassigned;
	__u64 generation;
	__u32 nr_ranges;
	__u32 nr_vms;
};

/**
 * struct mregion_spaces - argument of %MREGION_SPACES
 * @size: sizeof(struct mregion_spaces)
 * @first: list spaces from this ID on
 * @spaces: pointer to an array of struct mregion_space_info
 * @nr: as in struct mregion_regions
 * @space_size: sizeof(struct mregion_space_info) as the caller knows it
 * @generation: set on return: the machine's generation
 */
struct mregion_spaces {
	__u32 size;
	__u32 first;
	__u64 spaces;
	__u32 nr;
	__u32 space_size;
	__u64 generation;
};

/**
 * define MREGION_SPACES - list the spaces of a machine, in the order of IDs
 *
 * EINVAL: @space_size is too small.
 */
#define MREGION_SPACES	_IO(MREGION_IOCTL_TYPE, 0x04)

/**
 * struct mregion_translate - argument of %MREGION_TRANSLATE
 * @size: sizeof(struct mregion_translate)
 * @space: ID of the space
 * @addr: address to look up
 * @len: how many bytes are wanted, 0 for 2^64
 * @range: set on return: the range that holds @addr, cut so that it begins at
 *	@addr and is at most @len long. For an unassigned address, @region and
 *	@kind are 0, and the range is the gap, cut in the same way
 * @generation: set on return: of the view
 */
struct mregion_translate {
	__u32 size;
	__u32 space;
	__u64 addr;
	__u64 len;
	struct mregion_range range;
	__u64 generation;
};

/**
 * define MREGION_TRANSLATE - translate an address to a range of a view
 *
 * ENOENT: no such space. EINVAL: @addr is beyond the space's end, or @len beyond
 * 2^64.
 */
#define MREGION_TRANSLATE	_IO(MREGION_IOCTL_TYPE, 0x05)

/**
 * DOC: views
 *
 * A view descriptor is for a process that emulates a device, and reaches memory as
 * the device does: by the addresses of a space. The VMM opens it (%MREGION_VIEW_OPEN)
 * and passes it on. It cannot change anything. Its holder
 *
 * - keeps a copy of the view, by %MREGION_VIEW_READ and %MREGION_CHANGES. These, and
 *   %MREGION_TRANSLATE, take the same structures as on a machine, with a @space of 0;
 * - gets the files of the memory that the view shows by %MREGION_VIEW_FILE, and maps
 *   them;
 * - sees whether its copy is up to date without a system call, by the page that
 *   mmap() of the descriptor gives, see &struct mregion_view_page;
 * - waits for changes with poll().
 *
 * poll() reports EPOLLIN when the view is of another generation than that
 * which VIEW_READ or CHANGES told last by this descriptor, or before they told any.
 * A commit wakes waiting threads if it gives this space's view another generation.
 * Processes that share an open file description are told as one, so let the VMM open
 * one for each reader.
 *
 * The descriptor does not keep its space or machine. Once the space is freed or the
 * machine closed, all ioctls fail with ENODEV, the page says %MREGION_VIEW_GONE, and
 * poll() reports EPOLLHUP and EPOLLIN. A space that is created later is another one,
 * also if it has the same ID. Files that were handed out stay as long as their holder
 * keeps them: the VMM cannot take them back.
 *
 * Errors that all ioctls on the descriptor can return besides those of all ioctls:
 * ENODEV, see above; EINVAL: @space is not 0. Memory of the kernel for results counts
 * against a limit of the descriptor's own, as large as struct mregion_info.max_memory,
 * and not against the machine's.
 */

/**
 * define MREGION_VIEW_GONE - the generation of a view that is no more
 */
#define MREGION_VIEW_GONE	(~0ull)

/**
 * struct mregion_view_page - memory that mmap() of a view descriptor gives
 * @generation: of the space's view, as VIEW_READ tells it; %MREGION_VIEW_GONE once the
 *	space or its machine is no more
 *
 * One page at offset 0, shared, and never writable. mmap() fails with EACCES for a
 * writable mapping, EINVAL for a private one, ENXIO beyond the page; mprotect() to a
 * writable one with EACCES. The mapping may outlive the descriptor, the space and the
 * machine.
 *
 * The kernel stores @generation with release order, after it has published the view, and
 * before the %MREGION_COMMIT that made it returns. Readers load it with acquire order.
 * Hence:
 *
 * - A reader that has the view of generation G, and loads G, has the view of the last
 *   commit to this space that had returned by then. A later one may be under way.
 * - A reader that loads G, and then calls an ioctl, is told of the view of G or of a
 *   later one.
 * - The generation grows whenever ranges change or the answer to unassigned addresses
 *   does. Commits that change only rules, constraints or servers leave it.
 *
 * The page stops nobody: a device that has loaded G may still move data by the view of
 * G when the commit of a later one returns. By loading @generation again afterwards it
 * learns of that. A VMM that unmaps memory and uses it for something else waits
 * for its devices by other means.
 */
struct mregion_view_page {
	__u64 generation;
};

/**
 * enum mregion_view_open_flags - flags of struct mregion_view_open
 * @MREGION_VIEW_OPEN_READ: its holder may have the files of memory, for reading
 * @MREGION_VIEW_OPEN_WRITE: and for writing where the view lets the device write
 */
enum mregion_view_open_flags {
	MREGION_VIEW_OPEN_READ	= 1 << 0,
	MREGION_VIEW_OPEN_WRITE	= 1 << 1,
};

/**
 * struct mregion_view_open - argument of %MREGION_VIEW_OPEN
 * @size: sizeof(struct mregion_view_open)
 * @space: ID of the space
 * @flags: enum mregion_view_open_flags
 * @fd: set on return: the descriptor, close-on-exec
 * @holder: a number that %MREGION_VIEW_FILE tells the holder; of no meaning to the kernel.
 *	By it a holder knows its part of the log's file
 * @reserved: must be zero
 */
struct mregion_view_open {
	__u32 size;
	__u32 space;
	__u32 flags;
	__s32 fd;
	__u32 holder;
	__u32 reserved;
};

/**
 * define MREGION_VIEW_OPEN - open the flat view of a space, to pass it on
 *
 * ENOENT: no such space. EINVAL: WRITE without READ; @reserved is not zero. EMFILE,
 * ENFILE: no descriptor is to be had.
 */
#define MREGION_VIEW_OPEN	_IO(MREGION_IOCTL_TYPE, 0x12)

/**
 * enum mregion_view_file_flags - flags of struct mregion_view_file
 * @MREGION_VIEW_FILE_SERIAL: give no descriptors, as the caller may have the files
 *	already
 */
enum mregion_view_file_flags {
	MREGION_VIEW_FILE_SERIAL	= 1 << 0,
};

/**
 * struct mregion_view_file - argument of %MREGION_VIEW_FILE, an ioctl on a view
 * descriptor
 * @size: sizeof(struct mregion_view_file)
 * @flags: enum mregion_view_file_flags
 * @addr: address in the space
 * @range: set on return: the range that holds @addr, cut so that it begins there
 * @generation: set on return: of the view
 * @serial: set on return: number of the region's sharing, unlike that of any other in
 *	the machine, ever. A region that is created later with its ID has another one
 * @offset: set on return: of the region's first byte in the file, in bytes, a multiple of
 *	the page size. The byte at @addr is at @offset plus @range.offset
 * @memory: set on return: the file, or -1 with SERIAL
 * @log: set on return: the @log of struct mregion_op_share, or -1 with SERIAL, if there is
 *	none, or if the memory is not writable
 * @writable: set on return: 1 if @memory is open for reading and writing, or would be
 *	without SERIAL; 0 if it is for reading
 * @holder: set on return: of struct mregion_view_open
 */
struct mregion_view_file {
	__u32 size;
	__u32 flags;
	__u64 addr;
	struct mregion_range range;
	__u64 generation;
	__u64 serial;
	__u64 offset;
	__s32 memory;
	__s32 log;
	__u32 writable;
	__u32 holder;
};

/**
 * define MREGION_VIEW_FILE - get the file of the memory at an address of a view
 *
 * The present view decides: nothing is handed out of a region that it does not show as
 * memory at @addr. @memory is writable if the descriptor was opened for WRITE, the VMM's
 * file is open for writing, the region is %MREGION_RAM or %MREGION_RAMDEV, and
 * the range is not %MREGION_RANGE_READONLY. That is decided at this call: a holder
 * that keeps a writable file heeds later flags of the view itself.
 *
 * Both are open file descriptions of their own, close-on-exec, so that holder and VMM do
 * not share positions and flags. The file of a read-only one cannot be written by it.
 * But a process can open a file anew by /proc/self/fd if the file's mode lets it: that
 * of a memfd is 0777, until the VMM does fchmod() to 0600. A mode holds only
 * processes of other users.
 *
 * EACCES: the descriptor was opened without READ. EINVAL: @addr is beyond the space's
 * end. ENXIO: the view has nothing at @addr. ENODATA: there is no
 * memory, or of a region that is not shared; a ROM device whose reads go
 * to the device is none. EMFILE, ENFILE: no descriptor is to be had. Errors of open(),
 * of a file that cannot be opened anew.
 */
#define MREGION_VIEW_FILE	_IO(MREGION_IOCTL_TYPE, 0x50)

/**
 * enum mregion_outcome - outcome of an access
 * @MREGION_OUTCOME_UNASSIGNED: the view has nothing there, and the space's
 *	policy answered it
 * @MREGION_OUTCOME_UNASSIGNED_EXIT: the view has nothing there, and the space's
 *	policy has it exit to the VMM
 * @MREGION_OUTCOME_REFUSED: the device does not accept it, and the region's
 *	policy answered it
 * @MREGION_OUTCOME_REFUSED_EXIT: the device does not accept it, and the region's
 *	policy has it exit to the VMM, as an error
 * @MREGION_OUTCOME_COALESCED: appended to a ring
 * @MREGION_OUTCOME_RING_FULL: to be appended, but the ring is full: exits
 * @MREGION_OUTCOME_EXIT: exits to the VMM, since no rule applies
 * @MREGION_OUTCOME_DOORBELL: signalled an eventfd
 * @MREGION_OUTCOME_SHADOW: read from, or stored in, shadow memory
 * @MREGION_OUTCOME_SERVED: to be forwarded to a server. Counted again by
 *	%MREGION_ACCESS if the vCPU could not leave it there (no slot is free, or
 *	others wait for one, or it is the second half of an access across pages)
 * @MREGION_OUTCOME_SERVER_EXIT: the region has a server, but it is dead: exits.
 *	Counted whenever it is asked: by the vCPU, and by %MREGION_ACCESS for it
 */
enum mregion_outcome {
	MREGION_OUTCOME_UNASSIGNED	= 0,
	MREGION_OUTCOME_UNASSIGNED_EXIT	= 1,
	MREGION_OUTCOME_REFUSED		= 2,
	MREGION_OUTCOME_REFUSED_EXIT	= 3,
	MREGION_OUTCOME_COALESCED	= 4,
	MREGION_OUTCOME_RING_FULL	= 5,
	MREGION_OUTCOME_EXIT		= 6,
	MREGION_OUTCOME_DOORBELL	= 7,
	MREGION_OUTCOME_SHADOW		= 8,
	MREGION_OUTCOME_SERVED		= 9,
	MREGION_OUTCOME_SERVER_EXIT	= 10,
};

/**
 * enum mregion_access_flags - flags of struct mregion_access
 * @MREGION_ACCESS_WRITE: the access is a write, else a read
 * @MREGION_ACCESS_PART: make only the first part of it, and do not coalesce
 */
enum mregion_access_flags {
	MREGION_ACCESS_WRITE	= 1 << 0,
	MREGION_ACCESS_PART	= 1 << 1,
};

/**
 * struct mregion_access - argument of %MREGION_ACCESS
 * @size: sizeof(struct mregion_access)
 * @space: ID of the space
 * @addr: first address
 * @len: 1 to 8 bytes
 * @flags: enum mregion_access_flags
 * @data: little-endian; the value to write, or set on return to the value read
 * @outcome: set on return: enum mregion_outcome. When the access has several
 *	parts: that of the part that made it exit, else of the first
 * @handled: set on return: 1 if the kernel has completed the access, or with
 *	PART its first part; 0 if it is left to the caller, nothing of it done
 * @vcpu: index of the vCPU on whose behalf it is made, or %MREGION_NO_VCPU
 * @reserved: must be zero
 * @vm_fd: descriptor of the virtual machine that has the vCPU; 0 with
 *	%MREGION_NO_VCPU
 * @part: set on return: number of bytes that the answer is for: @len,
 *	or with PART the length of the first part. Set, too, when a signal
 *	ends the wait for a server
 * @region: set on return with PART: ID of the region that the part is in, or 0
 * @offset: set on return with PART: of the part in the region
 * @range_flags: set on return with PART: enum mregion_range_flags there; 0 for a
 *	request that is taken up, which has no range any more
 * @reserved2: must be zero
 */
struct mregion_access {
	__u32 size;
	__u32 space;
	__u64 addr;
	__u32 len;
	__u32 flags;
	__u64 data;
	__u32 outcome;
	__u32 handled;
	__u16 vcpu;
	__u16 reserved;
	__s32 vm_fd;
	__u32 part;
	__u32 region;
	__u64 offset;
	__u32 range_flags;
	__u32 reserved2;
};

/**
 * define MREGION_ACCESS - make an access, on the path that a guest's takes
 *
 * Accesses to memory are left to the VMM, except for refused ones: a write to
 * read-only memory, and an access to a RAM device that its constraints do not have.
 * ENOENT: no such space; the machine is not attached to the virtual machine.
 * EBADF: @vm_fd is not open, or no virtual machine's. EINVAL: @len is out of
 * bounds, or the access reaches beyond the space's end.
 *
 * With %MREGION_ACCESS_PART a VMM makes an access that exits, or one of
 * its own to registers (DMA), part by part, each as the kernel cuts it. Parts that are
 * not handled are for the VMM: memory, a device's function (EXIT, SERVER_EXIT),
 * an error of the guest (REFUSED_EXIT), or an unassigned address
 * (UNASSIGNED_EXIT). A write that a ring would take is for the VMM, too, which
 * drains the ring before; or for the region's server, if it is posted. So the
 * part is complete when the ioctl returns. Outcomes that are left to the VMM are not
 * counted: the vCPU has counted its exit.
 *
 * For a region with a server this waits for the answer. A VMM also completes with it
 * the exit of a vCPU that has spun without an answer: with the same @addr, @len, @data
 * and vCPU this takes up the request that the server has already, so that the device
 * sees the access once. EINTR: a signal is pending; the VMM calls again, with @part as
 * @len. (Without a vCPU a request cannot be taken up again: a signal ends such an
 * access only as long as no thread of the server has taken it.) The request of a vCPU
 * is kept until that vCPU makes another access to the server by itself; other calls on
 * its behalf do not end it.
 *
 * A vCPU is identified by its virtual machine's descriptor, @vm_fd, and its index
 * there. For one vCPU, one such access is made at a time.
 */
#define MREGION_ACCESS	_IO(MREGION_IOCTL_TYPE, 0x06)

/**
 * struct mregion_ring_entry - a coalesced write
 * @offset: in the region, in bytes
 * @data: the value written; bytes beyond @len are zero
 * @region: ID of the region
 * @vcpu: index of the vCPU that wrote (as KVM counts them, from 0 in the order
 *	of their creation), or %MREGION_NO_VCPU
 * @len: 1, 2, 4 or 8 bytes
 * @reserved: zero
 */
struct mregion_ring_entry {
	__u64 offset;
	__u64 data;
	__u32 region;
	__u16 vcpu;
	__u8 len;
	__u8 reserved;
};

/**
 * struct mregion_ring_header - first page of a ring's memory
 * @producer: how many entries were ever appended, modulo 2^32. Written by the
 *	kernel; read it with acquire semantics
 * @consumer: how many entries were ever consumed, modulo 2^32. Written by the
 *	consumer, with release semantics, when it has read an entry. Before it
 *	waits for the eventfd it looks at @producer once more, after a full
 *	barrier
 * @nr_entries: as created; a power of two
 * @entry_size: sizeof(struct mregion_ring_entry)
 *
 * Entry i (modulo 2^32) is at MREGION_RING_ENTRIES + (i % nr_entries) *
 * entry_size. The kernel trusts none of this: a consumer that writes nonsense
 * loses entries of its own ring. The rest of the first page is zero at first, and
 * free for consumers to use.
 */
struct mregion_ring_header {
	__u32 producer;
	/* private: */
	__u32 pad0[15];
	/* public: */
	__u32 consumer;
	/* private: */
	__u32 pad1[15];
	/* public: */
	__u32 nr_entries;
	__u32 entry_size;
};

/**
 * define MREGION_RING_ENTRIES - offset of the first entry in a ring's memory
 */
#define MREGION_RING_ENTRIES	4096

/**
 * struct mregion_ring_create - argument of %MREGION_RING_CREATE
 * @size: sizeof(struct mregion_ring_create)
 * @id: ID of the new ring
 * @nr_entries: a power of two, 2 to struct mregion_info.max_ring_entries
 * @flags: must be zero
 * @eventfd: signalled when the consumer should look, or -1
 * @notify_entries: signal when this many entries wait; 0: not by their number.
 *	At most @nr_entries
 * @notify_usecs: signal at most this many microseconds after an entry was
 *	appended, unless it was consumed by then; 0: not by time. At
 *	most 10 seconds
 * @fd: set on return: a descriptor to mmap() the ring's memory with: first
 *	%MREGION_RING_ENTRIES bytes with struct mregion_ring_header, then the
 *	entries. It may be passed to another process, and keeps the memory, not
 *	the machine, alive
 */
struct mregion_ring_create {
	__u32 size;
	__u32 id;
	__u32 nr_entries;
	__u32 flags;
	__s32 eventfd;
	__u32 notify_entries;
	__u32 notify_usecs;
	__s32 fd;
};

/**
 * define MREGION_RING_CREATE - create a ring for coalesced writes
 *
 * EEXIST: a ring of that ID exists. ENOSPC: the machine has struct
 * mregion_info.max_rings rings. EBADF: @eventfd is not open. EINVAL: @eventfd is
 * no eventfd, or a number is out of bounds. EMFILE, ENFILE: no descriptor is to
 * be had.
 */
#define MREGION_RING_CREATE	_IO(MREGION_IOCTL_TYPE, 0x07)

/**
 * struct mregion_ring_free - argument of %MREGION_RING_FREE
 * @size: sizeof(struct mregion_ring_free)
 * @id: ID of the ring
 */
struct mregion_ring_free {
	__u32 size;
	__u32 id;
};

/**
 * define MREGION_RING_FREE - free a ring
 *
 * EBUSY: a rule refers to it. ENOENT: no such ring. Its memory stays while a process
 * has it mapped or its descriptor open. When the ioctl has returned nothing
 * is appended any more: to get every write, delete the rules, free the ring, and then
 * consume the entries that are left.
 */
#define MREGION_RING_FREE	_IO(MREGION_IOCTL_TYPE, 0x08)

/**
 * struct mregion_shadow_create - argument of %MREGION_SHADOW_CREATE
 * @size: sizeof(struct mregion_shadow_create)
 * @id: ID of the new shadow memory
 * @len: its length in bytes, rounded up to whole pages
 * @flags: must be zero
 * @fd: set on return: a descriptor to mmap() it with, shared and for reading
 *	and writing; may be passed to another process, and keeps the memory
 *	alive
 *
 * The memory is zero. The guest's accesses to it, through rules, are single
 * loads and stores of their size where they are aligned. A guest's load has acquire
 * order, and its store release order; where they are not aligned, each byte has. Who
 * shares the memory does likewise, see Documentation/ordering.rst.
 */
struct mregion_shadow_create {
	__u32 size;
	__u32 id;
	__u64 len;
	__u32 flags;
	__s32 fd;
};

/**
 * define MREGION_SHADOW_CREATE - create shadow memory
 *
 * EEXIST: one of that ID exists. ENOSPC: the machine has struct
 * mregion_info.max_shadows of them. EINVAL: @len is 0 or more than
 * max_shadow_len. EMFILE, ENFILE: no descriptor is to be had.
 */
#define MREGION_SHADOW_CREATE	_IO(MREGION_IOCTL_TYPE, 0x0c)

/**
 * struct mregion_shadow_free - argument of %MREGION_SHADOW_FREE
 * @size: sizeof(struct mregion_shadow_free)
 * @id: ID of the shadow memory
 */
struct mregion_shadow_free {
	__u32 size;
	__u32 id;
};

/**
 * define MREGION_SHADOW_FREE - free shadow memory; errors as for a ring
 */
#define MREGION_SHADOW_FREE	_IO(MREGION_IOCTL_TYPE, 0x0d)

/**
 * DOC: servers
 *
 * A server is a file descriptor through which a process answers the accesses
 * that are forwarded from the regions bound to it. The process maps the
 * descriptor: first a page with struct mregion_server_header, then at
 * %MREGION_SERVER_SLOTS an array of struct mregion_server_slot. Any number of
 * its threads may serve.
 *
 * A vCPU spins for the answer, in the kernel. When it has spun for its limit it
 * exits to the VMM, which waits in %MREGION_ACCESS; the server sees no difference.
 * The vCPU cannot sleep in the kernel: KVM may replace its bus as soon as a vCPU that
 * is being served leaves the SRCU section. Then it could not exit any more if
 * a signal came or the server died.
 *
 * To serve, a thread reads @events (acquire), then takes bits from @pending by
 * an atomic and-not. For each bit that it got it tries to change the @state of
 * that slot from a request to taken (compare and exchange; on failure, the
 * request was withdrawn), does the access, puts the value of a read in @data,
 * and stores the answered @state (release). After a full barrier it looks at
 * the slot's @sleeping: if set, it calls %MREGION_SERVER_WAKE.
 *
 * When no more requests are pending it stores the value that it had read from @events
 * to @seen, and spins on @events for a while before it calls %MREGION_SERVER_WAIT,
 * which returns when the two differ. poll() reports EPOLLIN in the same case,
 * and EPOLLHUP once the server is dead.
 *
 * A request can be withdrawn at any time: its vCPU has gone on without
 * it, or its caller has given it up. If a thread has taken it by then, the slot is
 * not used for another one before that thread has answered; the answer is dropped.
 *
 * Before it handles a request, a server drains the rings of its regions, since
 * a vCPU's earlier writes must be seen before the access.
 *
 * When the last descriptor and mapping of it are closed, which also happens
 * when its process dies, a server is dead: accesses that wait for it, and all later
 * ones, exit to the VMM. (A VMM that has passed the descriptor on should thus
 * close its own.) The same happens when an answer takes longer than
 * @timeout_usecs while a thread waits, for it or for a slot. A dead server stays
 * dead; the VMM binds the regions to another one, or to none. The VMM learns of it by
 * @eventfd of struct mregion_server_create, or by the exits.
 *
 * @timeout_usecs counts time in which the server could run and
 * a thread waited. Time does not count while all threads of the server's process are
 * stopped by a signal or a debugger, or frozen, nor while the whole machine, or the
 * waiting thread, stands still.
 * Its process is the one that was last to map the descriptor, to poll() it for
 * EPOLLIN, or to call an ioctl on it. The kernel checks eight times in a timeout,
 * so up to a quarter of it, and some milliseconds, can be added to it. (A server that
 * is stopped for good is waited for without a limit. As any wait in %MREGION_ACCESS,
 * that one ends on a signal, and on the server's death by SIGKILL or by
 * %MREGION_SERVER_FREE.)
 *
 * A server may outlive its machine. It may still complete requests that it has taken,
 * after the VMM has gone on; a VMM that cannot have that waits for its end.
 *
 * The kernel trusts nothing in the mapping but a matching answered @state with
 * its @data, so a server that writes nonsense gives nonsense to the guest that
 * asked it, and no more.
 */

/**
 * enum mregion_server_state - low two bits of struct mregion_server_slot.state
 * @MREGION_SERVER_IDLE: no request
 * @MREGION_SERVER_REQUEST: a request, to be taken
 * @MREGION_SERVER_TAKEN: a thread of the server handles it
 * @MREGION_SERVER_ANSWERED: done
 *
 * The other bits number the requests of a slot; a server leaves them alone.
 */
enum mregion_server_state {
	MREGION_SERVER_IDLE	= 0,
	MREGION_SERVER_REQUEST	= 1,
	MREGION_SERVER_TAKEN	= 2,
	MREGION_SERVER_ANSWERED	= 3,
};

/**
 * define MREGION_SERVER_STATE - mask for enum mregion_server_state
 */
#define MREGION_SERVER_STATE	3

/**
 * enum mregion_server_slot_flags - flags of struct mregion_server_slot
 * @MREGION_SERVER_WRITE: the access is a write
 */
enum mregion_server_slot_flags {
	MREGION_SERVER_WRITE	= 1 << 0,
};

/**
 * struct mregion_server_slot - an access that waits for a server
 * @state: see enum mregion_server_state
 * @sleeping: set by the kernel when the waiting thread has to be woken
 * @offset: first byte, in the region
 * @data: the value written, or to be set to the value read; little-endian
 * @region: ID of the region
 * @vcpu: index of the vCPU in its virtual machine, or %MREGION_NO_VCPU
 * @len: 1 to 8 bytes; not split by the constraints of the region
 * @flags: enum mregion_server_slot_flags
 * @reserved: zero
 */
struct mregion_server_slot {
	__u32 state;
	__u32 sleeping;
	__u64 offset;
	__u64 data;
	__u32 region;
	__u16 vcpu;
	__u8 len;
	__u8 flags;
	__u64 reserved[4];
};

/**
 * define MREGION_SERVER_MAX_SLOTS - slots a server can have, for its @pending
 */
#define MREGION_SERVER_MAX_SLOTS	256

/**
 * define MREGION_SERVER_SLOTS - offset of the first slot in a server's memory
 */
#define MREGION_SERVER_SLOTS		4096

/**
 * struct mregion_server_header - first page of a server's memory
 * @events: changed by the kernel with each new request
 * @nr_slots: as created
 * @pending: a bit for each slot with a new request
 * @seen: value of @events up to which the server has done everything
 */
struct mregion_server_header {
	__u32 events;
	__u32 nr_slots;
	/* private: */
	__u64 pad0[7];
	/* public: */
	__u64 pending[MREGION_SERVER_MAX_SLOTS / 64];
	/* private: */
	__u64 pad1[4];
	/* public: */
	__u32 seen;
	/* private: */
	__u32 pad2[15];
};

/**
 * struct mregion_server_create - argument of %MREGION_SERVER_CREATE
 * @size: sizeof(struct mregion_server_create)
 * @id: ID of the new server
 * @nr_slots: how many accesses can wait at the same time: one for each vCPU and
 *	for each thread that makes accesses without one. An answer keeps its slot
 *	until the VMM has taken it, so a VMM that makes an access while its
 *	vCPUs are stopped needs one more. Accesses that find none free get one in the
 *	order in which they have begun to wait in %MREGION_ACCESS. A wait that a signal
 *	ends loses its place
 * @flags: must be zero
 * @timeout_usecs: longest time that an answer may take, 0 for any; see above
 * @spin_usecs: longest time that a vCPU spins before it exits, in microseconds;
 *	it spins less where that has not helped lately. At most 1000
 * @fd: set on return: the server
 * @eventfd: signalled once the server is dead, for any reason; -1 for none
 * @reserved: must be zero
 */
struct mregion_server_create {
	__u32 size;
	__u32 id;
	__u32 nr_slots;
	__u32 flags;
	__u64 timeout_usecs;
	__u32 spin_usecs;
	__s32 fd;
	__s32 eventfd;
	__u32 reserved;
};

/**
 * define MREGION_SERVER_CREATE - create a server
 *
 * EEXIST: one of that ID exists. ENOSPC: the machine has struct
 * mregion_info.max_servers of them. EINVAL: a number is out of bounds, or
 * @eventfd is no eventfd. EBADF: @eventfd is not open. EMFILE, ENFILE: no
 * descriptor is to be had.
 */
#define MREGION_SERVER_CREATE	_IO(MREGION_IOCTL_TYPE, 0x0e)

/**
 * struct mregion_server_free - argument of %MREGION_SERVER_FREE
 * @size: sizeof(struct mregion_server_free)
 * @id: ID of the server
 */
struct mregion_server_free {
	__u32 size;
	__u32 id;
};

/**
 * define MREGION_SERVER_FREE - free a server
 *
 * EBUSY: a region is bound to it. ENOENT: no such server.
 */
#define MREGION_SERVER_FREE	_IO(MREGION_IOCTL_TYPE, 0x0f)

/**
 * struct mregion_server_wait - argument of %MREGION_SERVER_WAIT, an ioctl on
 * the server's descriptor
 * @size: sizeof(struct mregion_server_wait)
 * @flags: must be zero
 * @timeout_usecs: how long to wait, 0 for as long as it takes
 */
struct mregion_server_wait {
	__u32 size;
	__u32 flags;
	__u64 timeout_usecs;
};

/**
 * define MREGION_SERVER_WAIT - wait for a request
 *
 * Returns at once if @events and @seen differ. One thread is woken for one
 * event. EINVAL: @timeout_usecs is more than an hour. ETIMEDOUT: time is up.
 * EINTR: a signal arrived. ENODEV: the machine is closed, the server freed, or the
 * server has taken too long; no more requests will come.
 */
#define MREGION_SERVER_WAIT	_IO(MREGION_IOCTL_TYPE, 0x40)

/**
 * struct mregion_server_wake - argument of %MREGION_SERVER_WAKE, an ioctl on the
 * server's descriptor
 * @size: sizeof(struct mregion_server_wake)
 * @slot: index of the slot
 */
struct mregion_server_wake {
	__u32 size;
	__u32 slot;
};

/**
 * define MREGION_SERVER_WAKE - wake the thread that waits for a slot's answer
 *
 * Does nothing if no thread sleeps. EINVAL: there is no such slot.
 */
#define MREGION_SERVER_WAKE	_IO(MREGION_IOCTL_TYPE, 0x41)

/**
 * struct mregion_attach - argument of %MREGION_ATTACH
 * @size: sizeof(struct mregion_attach)
 * @vm_fd: descriptor of a KVM virtual machine of the calling process
 * @memory: ID of the space on %MREGION_BUS_MEMORY for its memory bus, or 0
 * @pio: ID of the space on %MREGION_BUS_PIO for its I/O port bus, or 0
 * @flags: must be zero
 * @nr_windows: set on return: how many address windows were claimed
 * @nr_conflicts: set on return: how many ranges of others were in the way and
 *	were left out
 * @smm: ID of the space on %MREGION_BUS_MEMORY that vCPUs in system management mode
 *	see instead of @memory, or 0: they see @memory. With %MREGION_FEATURE_SMM
 */
struct mregion_attach {
	__u32 size;
	__s32 vm_fd;
	__u32 memory;
	__u32 pio;
	__u32 flags;
	__u32 nr_windows;
	__u32 nr_conflicts;
	__u32 smm;
};

/**
 * define MREGION_ATTACH - let a virtual machine's accesses take a machine's rules
 *
 * Claims the MMIO and port addresses of the views on the buses of a KVM virtual
 * machine. Accesses that the kernel cannot complete exit to the VMM as without an
 * attachment. Devices that KVM itself emulates (interrupt controllers, timers,
 * ioeventfds) keep their addresses if they were there first, so create them
 * before. A KVM device registered later inside a claimed window gets
 * accesses that no rule or server here is for. Its neighbours may exit although rules
 * are for them, until the windows are claimed anew: %MREGION_CLAIMS lists such devices,
 * and can claim anew.
 *
 * The VMM sets memory slots as before. The attachment ends by
 * %MREGION_DETACH, with the machine, or with the virtual machine.
 *
 * With @smm, the mode that a vCPU is in as it makes an access to memory decides which
 * of the two views has it, and so which space the events of that access name. An exit of
 * a vCPU in SMM has KVM_RUN_X86_SMM in kvm_run.flags; the VMM names @smm in struct
 * mregion_access.space then. KVM has one bus for both: what is claimed there is what
 * either view needs, without the reservations of both. Where that is more than
 * struct mregion_info.max_windows, the windows of @memory go first. Slots for vCPUs in
 * SMM are those of KVM's address space 1; the VMM sets them, too. @smm may be
 * @memory, which has the effect of 0 here. I/O ports are the same in both modes.
 *
 * ENOENT: no such space. EBADF: @vm_fd is not open. EINVAL: @vm_fd is no virtual
 * machine, a space is of the other bus, @memory and @pio are 0, or @smm is given
 * and @memory is 0. EPERM: the virtual machine belongs to another process. EEXIST:
 * attached to it already. EOPNOTSUPP: %MREGION_FEATURE_ATTACH is missing; @smm is
 * given and %MREGION_FEATURE_SMM is missing.
 */
#define MREGION_ATTACH	_IO(MREGION_IOCTL_TYPE, 0x09)

/**
 * struct mregion_detach - argument of %MREGION_DETACH
 * @size: sizeof(struct mregion_detach)
 * @vm_fd: descriptor of the virtual machine
 */
struct mregion_detach {
	__u32 size;
	__s32 vm_fd;
};

/**
 * define MREGION_DETACH - undo %MREGION_ATTACH
 *
 * When it returns, no access of the virtual machine is under way in the machine
 * any more. Requests that its vCPUs have left with servers are dropped, and
 * %MREGION_ACCESS for them returns ENOENT. So complete their exits before, or a device
 * may see an access that the VMM makes again. EBADF: @vm_fd is not open. ENOENT: not
 * attached.
 */
#define MREGION_DETACH	_IO(MREGION_IOCTL_TYPE, 0x0a)

/**
 * enum mregion_claim_kind - kind of a struct mregion_claim_info
 * @MREGION_CLAIM_WINDOW: a window of the machine's on the bus
 * @MREGION_CLAIM_CONFLICT: a range of a device or ioeventfd of KVM's, or of
 *	another machine, where the machine's view has a region. It gets
 *	the accesses, whole or in part; see %MREGION_RESERVATION
 * @MREGION_CLAIM_UNCLAIMED: part of a range of the view that is not claimed;
 *	accesses to it exit
 * @MREGION_CLAIM_FAST: a fast doorbell that is on the bus for those, whether or not the
 *	host looks there
 * @MREGION_CLAIM_SLOW: one that is not, and rings the slow way: somebody else has its
 *	address, no window has, there are more than struct mregion_info.max_fast, or
 *	there was no memory
 */
enum mregion_claim_kind {
	MREGION_CLAIM_WINDOW	= 1,
	MREGION_CLAIM_CONFLICT	= 2,
	MREGION_CLAIM_UNCLAIMED	= 3,
	MREGION_CLAIM_FAST	= 4,
	MREGION_CLAIM_SLOW	= 5,
};

/**
 * enum mregion_claim_flags - flags of struct mregion_claim_info
 * @MREGION_CLAIM_RULES: the region has rules or a server
 * @MREGION_CLAIM_POLICY: it has not, but its policy answers refused accesses.
 *	With neither flag every access to it exits anyway
 * @MREGION_CLAIM_INSIDE: the other's range is inside a window, since it was registered
 *	after that: its neighbours may exit, until the windows are claimed anew
 * @MREGION_CLAIM_SMM: @region is in the space that vCPUs in SMM see; of a conflict, no
 *	region of the other space is in the way
 */
enum mregion_claim_flags {
	MREGION_CLAIM_RULES	= 1 << 0,
	MREGION_CLAIM_POLICY	= 1 << 1,
	MREGION_CLAIM_INSIDE	= 1 << 2,
	MREGION_CLAIM_SMM	= 1 << 3,
};

/**
 * struct mregion_claim_info - part of a bus, as %MREGION_CLAIMS tells it
 * @start: first address
 * @last: last address. An ioeventfd for any length has its first one alone
 * @kind: enum mregion_claim_kind
 * @region: ID of the region it is in the way of, by the lowest address; ID of the
 *	region that is not claimed, or has the doorbell; 0 for a window
 * @flags: enum mregion_claim_flags, of @region
 * @reserved: zero
 */
struct mregion_claim_info {
	__u64 start;
	__u64 last;
	__u32 kind;
	__u32 region;
	__u32 flags;
	__u32 reserved;
};

/**
 * enum mregion_claims_flags - flags of struct mregion_claims_read
 * @MREGION_CLAIMS_RENEW: claim the windows anew before: leave out ranges that others
 *	have registered, and claim those that they have removed. Costs a grace
 *	period of the virtual machine
 */
enum mregion_claims_flags {
	MREGION_CLAIMS_RENEW	= 1 << 0,
};

/**
 * struct mregion_claims_read - argument of %MREGION_CLAIMS
 * @size: sizeof(struct mregion_claims_read)
 * @vm_fd: descriptor of a virtual machine that the machine is attached to
 * @bus: enum mregion_bus
 * @flags: enum mregion_claims_flags
 * @claims: pointer to an array of struct mregion_claim_info
 * @nr: in: how many the array has room for; out: how many there are. When that is
 *	more, the array has as many of the first as fit
 * @claim_size: sizeof(struct mregion_claim_info) as the caller knows it
 * @generation: set on return: the machine's generation
 */
struct mregion_claims_read {
	__u32 size;
	__s32 vm_fd;
	__u32 bus;
	__u32 flags;
	__u64 claims;
	__u32 nr;
	__u32 claim_size;
	__u64 generation;
};

/**
 * define MREGION_CLAIMS - list the claims on a virtual machine's bus
 *
 * The list has windows first, then conflicts, then unclaimed parts, then fast doorbells
 * whether or not they are on their bus, each sorted by first address. Of all but windows,
 * those of the space that vCPUs in SMM see come behind those of the other one
 * (%MREGION_CLAIM_SMM); a range that is the same in both is listed once, and so are its
 * doorbells. It is as of this call, and includes devices that KVM got since the
 * attachment. Addresses above 2^63, which no guest can access, are never claimed, and
 * not listed.
 *
 * EBADF: @vm_fd is not open. ENOENT: the machine is not attached to it, or not to
 * that bus. EINVAL: unknown @bus, or @claim_size is too small. ENOMEM, EINTR:
 * also when the windows could not be claimed anew, or fast doorbells could not be put
 * on their bus anew, which then ring the slow way; the next commit tries again.
 */
#define MREGION_CLAIMS	_IO(MREGION_IOCTL_TYPE, 0x10)

/**
 * enum mregion_object - the objects of %MREGION_STATS
 * @MREGION_OBJECT_MACHINE: all of the machine, including freed objects
 * @MREGION_OBJECT_REGION: a region
 * @MREGION_OBJECT_SPACE: a space: its unassigned accesses
 * @MREGION_OBJECT_RING: a ring
 * @MREGION_OBJECT_SERVER: a server; its outcomes are SERVED, counting answers,
 *	and SERVER_EXIT
 */
enum mregion_object {
	MREGION_OBJECT_MACHINE	= 0,
	MREGION_OBJECT_REGION	= 1,
	MREGION_OBJECT_SPACE	= 2,
	MREGION_OBJECT_RING	= 3,
	MREGION_OBJECT_SERVER	= 4,
};

/**
 * struct mregion_stats - argument of %MREGION_STATS
 * @size: sizeof(struct mregion_stats)
 * @object: enum mregion_object
 * @id: ID of the region, space, ring or server; 0 for the machine
 * @reserved: must be zero
 * @outcomes: set on return: parts of accesses, by enum mregion_outcome
 * @wakeups: set on return: times that a ring's eventfd was signalled; of a
 *	server: times that it was asleep when a request came
 * @sleeps: set on return, for a server: times that a vCPU stopped spinning
 *	before its answer came, and waits in %MREGION_ACCESS
 * @commits: set on return, for the machine: commits that succeeded
 * @windows: set on return, for the machine: times that the windows claimed on a
 *	bus changed, or fast doorbells on theirs, each of which takes a grace period
 *	of the virtual machine
 * @conflicts: set on return, for the machine: at present, ranges of others on
 *	the buses it is attached to where its views have a region
 * @unclaimed: set on return, for the machine: at present, parts of its views'
 *	ranges that are not claimed on these buses, and that exit: there are
 *	more windows than struct mregion_info.max_windows, or there was no memory
 *	to exchange the bus. %MREGION_CLAIMS lists both
 * @memory: set on return, for the machine: bytes of the kernel's memory that it
 *	holds at present, see struct mregion_info.max_memory
 * @fast: set on return, for the machine: at present, fast doorbells on the buses for
 *	those, whether or not the host looks there (%MREGION_CLAIM_FAST). With
 *	%MREGION_FEATURE_FAST
 * @slow: set on return, likewise: those that are not (%MREGION_CLAIM_SLOW)
 */
struct mregion_stats {
	__u32 size;
	__u32 object;
	__u32 id;
	__u32 reserved;
	__u64 outcomes[16];
	__u64 wakeups;
	__u64 commits;
	__u64 windows;
	__u64 sleeps;
	__u64 conflicts;
	__u64 unclaimed;
	__u64 memory;
	__u64 fast;
	__u64 slow;
};

/**
 * define MREGION_STATS - read counters
 *
 * Counters only grow; members said to be "at present" are no counters. ENOENT: no such
 * object. EINVAL: the machine has no @id. EOPNOTSUPP: unknown @object.
 */
#define MREGION_STATS	_IO(MREGION_IOCTL_TYPE, 0x0b)

#endif /* _UAPI_LINUX_MREGION_H */
