/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of mregion share: thin wrappers of the ioctls, and snapshots
 * of everything that can be read from a machine.
 *
 * Functions that return int return 0 (or a count) or a negative errno.
 */
#ifndef MREGION_UTIL_H
#define MREGION_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <linux/mregion.h>

#define MR_DEVICE	"/dev/mregion"
#define MR_PAGE		4096ull

#ifndef MAX
#define MAX(a, b)	((a) > (b) ? (a) : (b))
#endif

/*
 * The half minute that the harness gives a test is little for an emulated
 * processor on a machine that does other things, too.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

/*
 * What a program has printed when it hangs or is killed tells where. Its output
 * is a pipe, which would be buffered.
 */
static void __attribute__((constructor)) mr_buffer_lines(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static inline int mr_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

/*
 * The descriptor of a new virtual machine, or -1. One of type 0 has addresses of 40 bits
 * on arm64, which KVM refuses where the processor has fewer.
 */
static inline int mr_create_vm(int kvm)
{
	int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	return ioctl(kvm, KVM_CREATE_VM, bits > 0 && bits < 40 ?
		     KVM_VM_TYPE_ARM_IPA_SIZE(bits) : 0);
}

/* The descriptor of a new machine. */
static inline int mr_open(void)
{
	int fd = open(MR_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline uint64_t mr_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static inline uint64_t mr_now_ms(void)
{
	return mr_now_us() / 1000;
}

/* Time that this thread has had a processor, as far as the kernel knows. */
static inline uint64_t mr_cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/*
 * Longer than anything takes that happens at all, also where a processor is
 * emulated and stands still for seconds now and then.
 */
#define MR_PATIENCE_MS	60000

/* Wait until something is so. Return: whether it is. */
#define mr_until(condition) ({						\
	uint64_t __end = mr_now_ms() + MR_PATIENCE_MS;			\
									\
	while (!(condition) && mr_now_ms() < __end)			\
		usleep(200);						\
	(condition);							\
})

/* Go on for a while, and until all has been seen that is to be seen. */
#define mr_for_a_while(msecs, seen)					\
	for (uint64_t __end = mr_now_ms() + (msecs);			\
	     mr_now_ms() < __end ||					\
	     (!(seen) && mr_now_ms() < __end + MR_PATIENCE_MS); )

/* Whether the kernel checks locks, memory and so on, and is slow for it. */
static inline bool mr_checking_kernel(void)
{
	return !access("/proc/lockdep", F_OK);
}

static inline int mr_info(int fd, struct mregion_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return mr_ioctl(fd, MREGION_INFO, info);
}

/* ---- Operations -------------------------------------------------------- */

static inline struct mregion_op mr_op(uint32_t code, uint32_t id)
{
	struct mregion_op op;

	memset(&op, 0, sizeof(op));
	op.code = code;
	op.id = id;
	return op;
}

static inline struct mregion_op mr_create(uint32_t id, uint32_t kind,
					  uint64_t len)
{
	struct mregion_op op = mr_op(MREGION_OP_CREATE, id);

	op.create.kind = kind;
	op.create.len = len;
	snprintf(op.create.name, sizeof(op.create.name), "region-%u", id);
	return op;
}

static inline struct mregion_op mr_container(uint32_t id, uint64_t len)
{
	return mr_create(id, MREGION_CONTAINER, len);
}

static inline struct mregion_op mr_mmio(uint32_t id, uint64_t len)
{
	return mr_create(id, MREGION_MMIO, len);
}

static inline struct mregion_op mr_ram(uint32_t id, uint64_t len)
{
	return mr_create(id, MREGION_RAM, len);
}

static inline struct mregion_op mr_flags(struct mregion_op op, uint32_t flags)
{
	op.create.flags = flags;
	return op;
}

static inline struct mregion_op mr_alias(uint32_t id, uint32_t target,
					 uint64_t offset, uint64_t len)
{
	struct mregion_op op = mr_create(id, MREGION_ALIAS, len);

	op.create.target = target;
	op.create.offset = offset;
	return op;
}

static inline struct mregion_op mr_free(uint32_t id)
{
	return mr_op(MREGION_OP_FREE, id);
}

static inline struct mregion_op mr_map(uint32_t id, uint32_t parent,
				       uint64_t offset, int32_t priority)
{
	struct mregion_op op = mr_op(MREGION_OP_MAP, id);

	op.map.offset = offset;
	op.map.parent = parent;
	op.map.priority = priority;
	return op;
}

/* To be refused where a sibling of the same priority is. */
static inline struct mregion_op mr_map_exclusive(uint32_t id, uint32_t parent,
						 uint64_t offset,
						 int32_t priority)
{
	struct mregion_op op = mr_map(id, parent, offset, priority);

	op.map.flags = MREGION_MAP_EXCLUSIVE;
	return op;
}

/* An operation that may fail alone. */
static inline struct mregion_op mr_may_fail(struct mregion_op op)
{
	op.code |= MREGION_OP_MAY_FAIL;
	return op;
}

static inline struct mregion_op mr_unmap(uint32_t id)
{
	return mr_op(MREGION_OP_UNMAP, id);
}

static inline struct mregion_op mr_move(uint32_t id, uint64_t offset)
{
	struct mregion_op op = mr_op(MREGION_OP_MOVE, id);

	op.offset = offset;
	return op;
}

static inline struct mregion_op mr_resize(uint32_t id, uint64_t len)
{
	struct mregion_op op = mr_op(MREGION_OP_RESIZE, id);

	op.len = len;
	return op;
}

static inline struct mregion_op mr_set_flags(uint32_t id, uint32_t mask,
					     uint32_t flags)
{
	struct mregion_op op = mr_op(MREGION_OP_SET_FLAGS, id);

	op.set_flags.mask = mask;
	op.set_flags.flags = flags;
	return op;
}

static inline struct mregion_op mr_set_alias(uint32_t id, uint64_t offset)
{
	struct mregion_op op = mr_op(MREGION_OP_SET_ALIAS, id);

	op.offset = offset;
	return op;
}

static inline struct mregion_op
mr_set_constraints(uint32_t id, struct mregion_constraints constraints)
{
	struct mregion_op op = mr_op(MREGION_OP_SET_CONSTRAINTS, id);

	op.constraints = constraints;
	return op;
}

static inline struct mregion_op mr_rule(uint32_t code, uint32_t id,
					uint32_t ring, uint64_t offset,
					uint64_t len)
{
	struct mregion_op op = mr_op(code, id);

	op.rule.kind = MREGION_RULE_COALESCE;
	op.rule.ring = ring;
	op.rule.offset = offset;
	op.rule.len = len;
	return op;
}

static inline struct mregion_op mr_rule_add(uint32_t id, uint32_t ring,
					    uint64_t offset, uint64_t len)
{
	return mr_rule(MREGION_OP_RULE_ADD, id, ring, offset, len);
}

static inline struct mregion_op mr_rule_del(uint32_t id, uint32_t ring,
					    uint64_t offset, uint64_t len)
{
	return mr_rule(MREGION_OP_RULE_DEL, id, ring, offset, len);
}

static inline struct mregion_op mr_space_op(uint32_t code, uint32_t id,
					    uint32_t root, uint32_t bus,
					    uint32_t unassigned)
{
	struct mregion_op op = mr_op(code, id);

	op.space.root = root;
	op.space.bus = bus;
	op.space.unassigned = unassigned;
	return op;
}

static inline struct mregion_op mr_space(uint32_t id, uint32_t root)
{
	return mr_space_op(MREGION_OP_SPACE_CREATE, id, root,
			   MREGION_BUS_MEMORY, 0);
}

static inline struct mregion_op mr_pio_space(uint32_t id, uint32_t root)
{
	return mr_space_op(MREGION_OP_SPACE_CREATE, id, root,
			   MREGION_BUS_PIO, 0);
}

static inline struct mregion_op mr_space_set(uint32_t id, uint32_t root,
					     uint32_t bus, uint32_t unassigned)
{
	return mr_space_op(MREGION_OP_SPACE_SET, id, root, bus, unassigned);
}

static inline struct mregion_op mr_space_free(uint32_t id)
{
	return mr_op(MREGION_OP_SPACE_FREE, id);
}

/* @log: -1 for none. */
static inline struct mregion_op mr_share(uint32_t id, int log)
{
	struct mregion_op op = mr_op(MREGION_OP_SHARE, id);

	op.share.log = log;
	return op;
}

/* Memory that is in a file. */
static inline struct mregion_op mr_in_file(struct mregion_op op, int fd,
					   uint64_t offset)
{
	op.create.backing = MREGION_BACKING_FD;
	op.create.fd = fd;
	op.create.offset = offset;
	return op;
}

static inline int mr_commit_flags(int fd, const struct mregion_op *ops,
				  uint32_t nr, uint32_t flags, uint32_t *failed)
{
	struct mregion_commit commit = {
		.size = sizeof(commit),
		.flags = flags,
		.ops = (uintptr_t)ops,
		.nr_ops = nr,
		.op_size = sizeof(*ops),
		.failed = 0xdeadbeef,
	};
	int err = mr_ioctl(fd, MREGION_COMMIT, &commit);

	if (failed)
		*failed = commit.failed;
	return err;
}

static inline int mr_commit(int fd, const struct mregion_op *ops, uint32_t nr)
{
	return mr_commit_flags(fd, ops, nr, 0, NULL);
}

/* Commit the operations given as arguments. */
#define COMMIT(fd, ...) ({						\
	const struct mregion_op __ops[] = { __VA_ARGS__ };		\
									\
	mr_commit(fd, __ops, sizeof(__ops) / sizeof(__ops[0]));		\
})

/* ---- Reading ----------------------------------------------------------- */

/* How many ranges the view has; the first @max are in @ranges. */
static inline int mr_view(int fd, uint32_t space, struct mregion_range *ranges,
			  uint32_t max, uint64_t *generation)
{
	struct mregion_view_read view = {
		.size = sizeof(view),
		.space = space,
		.ranges = (uintptr_t)ranges,
		.nr = max,
		.range_size = sizeof(*ranges),
	};
	int err = mr_ioctl(fd, MREGION_VIEW_READ, &view);

	if (generation)
		*generation = view.generation;
	return err ? err : (int)view.nr;
}

/* How many regions there are from @first on. */
static inline int mr_regions(int fd, uint32_t first,
			     struct mregion_region_info *regions, uint32_t max)
{
	struct mregion_regions list = {
		.size = sizeof(list),
		.first = first,
		.regions = (uintptr_t)regions,
		.nr = max,
		.region_size = sizeof(*regions),
	};
	int err = mr_ioctl(fd, MREGION_REGIONS, &list);

	return err ? err : (int)list.nr;
}

/* How many spaces there are from @first on. */
static inline int mr_spaces(int fd, uint32_t first,
			    struct mregion_space_info *spaces, uint32_t max)
{
	struct mregion_spaces list = {
		.size = sizeof(list),
		.first = first,
		.spaces = (uintptr_t)spaces,
		.nr = max,
		.space_size = sizeof(*spaces),
	};
	int err = mr_ioctl(fd, MREGION_SPACES, &list);

	return err ? err : (int)list.nr;
}

static inline int mr_stats(int fd, uint32_t object, uint32_t id,
			   struct mregion_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->object = object;
	stats->id = id;
	return mr_ioctl(fd, MREGION_STATS, stats);
}

/* Return: how many there are, of which up to @max are in @claims; or an error. */
static inline int mr_claims(int fd, int vm_fd, uint32_t bus, uint32_t flags,
			    struct mregion_claim_info *claims, uint32_t max)
{
	struct mregion_claims_read read = {
		.size = sizeof(read),
		.vm_fd = vm_fd,
		.bus = bus,
		.flags = flags,
		.claims = (uintptr_t)claims,
		.nr = max,
		.claim_size = sizeof(*claims),
	};
	int err = mr_ioctl(fd, MREGION_CLAIMS, &read);

	return err ? err : (int)read.nr;
}

static inline int mr_translate(int fd, uint32_t space, uint64_t addr,
			       uint64_t len, struct mregion_translate *result)
{
	memset(result, 0, sizeof(*result));
	result->size = sizeof(*result);
	result->space = space;
	result->addr = addr;
	result->len = len;
	return mr_ioctl(fd, MREGION_TRANSLATE, result);
}

static inline int mr_access(int fd, uint32_t space, uint64_t addr,
			    uint32_t len, uint32_t flags, uint64_t data,
			    struct mregion_access *result)
{
	memset(result, 0, sizeof(*result));
	result->size = sizeof(*result);
	result->space = space;
	result->addr = addr;
	result->len = len;
	result->flags = flags;
	result->data = data;
	result->vcpu = MREGION_NO_VCPU;
	result->outcome = 0xdeadbeef;
	result->handled = 0xdeadbeef;
	return mr_ioctl(fd, MREGION_ACCESS, result);
}

static inline int mr_write(int fd, uint32_t space, uint64_t addr, uint32_t len,
			   uint64_t data, struct mregion_access *result)
{
	return mr_access(fd, space, addr, len, MREGION_ACCESS_WRITE, data,
			 result);
}

static inline int mr_read(int fd, uint32_t space, uint64_t addr, uint32_t len,
			  struct mregion_access *result)
{
	return mr_access(fd, space, addr, len, 0, 0, result);
}

#define MR_TEXT_RANGES	64
#define MR_TEXT_SIZE	(MR_TEXT_RANGES * 80)

static inline const char *mr_view_print(int fd, uint32_t space,
					char text[MR_TEXT_SIZE])
{
	static const char letters[] = "rnumd";
	struct mregion_range ranges[MR_TEXT_RANGES];
	int i, nr = mr_view(fd, space, ranges, MR_TEXT_RANGES, NULL);
	size_t len = 0;
	unsigned int bit;

	text[0] = '\0';
	if (nr < 0 || nr > MR_TEXT_RANGES) {
		snprintf(text, MR_TEXT_SIZE, "error %d", nr);
		return text;
	}
	for (i = 0; i < nr; i++) {
		const struct mregion_range *range = &ranges[i];
		char flags[sizeof(letters)], *p = flags;

		for (bit = 0; letters[bit]; bit++)
			if (range->flags & 1u << bit)
				*p++ = letters[bit];
		*p = '\0';
		len += snprintf(text + len, MR_TEXT_SIZE - len,
				"%s%llx-%llx %u+%llx%s", i ? ", " : "",
				(unsigned long long)range->start,
				(unsigned long long)range->last, range->region,
				(unsigned long long)range->offset, flags);
	}
	return text;
}

/*
 * A view as text: "first-last region+offset" a range, numbers in hexadecimal,
 * with letters for the flags: r(ead-only) n(on-volatile) u(nmergeable) (rom
 * device) m(emory) d(irty logging). It lasts as long as the caller's block.
 */
#define mr_view_text(fd, space) \
	mr_view_print(fd, space, (char[MR_TEXT_SIZE]){ 0 })

/* ---- View descriptors -------------------------------------------------- */

static inline int mr_view_open(int fd, uint32_t space, uint32_t flags)
{
	struct mregion_view_open args = {
		.size = sizeof(args), .space = space, .flags = flags, .fd = -1,
	};
	int err = mr_ioctl(fd, MREGION_VIEW_OPEN, &args);

	return err ?: args.fd;
}

static inline int mr_view_file(int view, uint64_t addr, uint32_t flags,
			       struct mregion_view_file *file)
{
	*file = (struct mregion_view_file){
		.size = sizeof(*file), .addr = addr, .flags = flags,
		.memory = -2, .log = -2,
	};
	return mr_ioctl(view, MREGION_VIEW_FILE, file);
}

/* A view descriptor's page, or NULL. */
static inline const uint64_t *mr_view_page(int view)
{
	void *page = mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED, view, 0);

	return page == MAP_FAILED ? NULL : page;
}

static inline uint64_t mr_view_page_load(const uint64_t *page)
{
	return __atomic_load_n(page, __ATOMIC_ACQUIRE);
}

/* ---- Eventfds and rings ------------------------------------------------ */

/* How often an eventfd that does not block was signalled since the last time. */
static inline uint64_t signals(int eventfd)
{
	uint64_t value;

	return read(eventfd, &value, sizeof(value)) == sizeof(value) ? value :
								       0;
}

static inline int new_eventfd(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

struct mr_ring {
	int fd;
	uint32_t nr_entries;
	size_t bytes;
	struct mregion_ring_header *header;
	struct mregion_ring_entry *entries;
};

static inline int mr_ring_map(struct mr_ring *ring, int fd, uint32_t nr_entries)
{
	void *memory;

	ring->header = NULL;
	ring->fd = fd;
	ring->nr_entries = nr_entries;
	ring->bytes = MREGION_RING_ENTRIES +
		nr_entries * sizeof(struct mregion_ring_entry);
	memory = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ring->header = memory;
	ring->entries = memory + MREGION_RING_ENTRIES;
	return 0;
}

static inline int mr_ring_create(int fd, uint32_t id, uint32_t nr_entries,
				 int eventfd, uint32_t notify_entries,
				 uint32_t notify_usecs, struct mr_ring *ring)
{
	struct mregion_ring_create create = {
		.size = sizeof(create),
		.id = id,
		.nr_entries = nr_entries,
		.eventfd = eventfd,
		.notify_entries = notify_entries,
		.notify_usecs = notify_usecs,
		.fd = -1,
	};
	int err = mr_ioctl(fd, MREGION_RING_CREATE, &create);

	ring->header = NULL;
	if (err)
		return err;
	err = mr_ring_map(ring, create.fd, nr_entries);
	if (err)
		close(create.fd);
	return err;
}

static inline int mr_ring_free(int fd, uint32_t id)
{
	struct mregion_ring_free arg = { .size = sizeof(arg), .id = id };

	return mr_ioctl(fd, MREGION_RING_FREE, &arg);
}

/* How many entries wait. */
static inline uint32_t mr_ring_waiting(const struct mr_ring *ring)
{
	return __atomic_load_n(&ring->header->producer, __ATOMIC_ACQUIRE) -
		ring->header->consumer;
}

/* Take the oldest entry; false if there is none. For one thread at a time. */
static inline bool mr_ring_take(struct mr_ring *ring,
				struct mregion_ring_entry *entry)
{
	uint32_t consumer = ring->header->consumer;

	if (!mr_ring_waiting(ring))
		return false;
	*entry = ring->entries[consumer % ring->nr_entries];
	__atomic_store_n(&ring->header->consumer, consumer + 1,
			 __ATOMIC_RELEASE);
	return true;
}

static inline void mr_ring_unmap(struct mr_ring *ring)
{
	munmap(ring->header, ring->bytes);
	close(ring->fd);
}

/* ---- Snapshots --------------------------------------------------------- */

/* Everything that can be read from a machine, as bytes. */
struct mr_snapshot {
	char *data;
	size_t len;
};

static inline void mr_snapshot_add(struct mr_snapshot *snapshot,
				   const void *data, size_t len)
{
	snapshot->data = realloc(snapshot->data, snapshot->len + len);
	if (!snapshot->data)
		abort();
	memcpy(snapshot->data + snapshot->len, data, len);
	snapshot->len += len;
}

static inline void mr_snapshot_free(struct mr_snapshot *snapshot)
{
	free(snapshot->data);
	snapshot->data = NULL;
	snapshot->len = 0;
}

static inline int mr_snapshot_view(int fd, uint32_t space,
				   struct mr_snapshot *snapshot)
{
	struct mregion_view_read view = {
		.size = sizeof(view),
		.space = space,
		.range_size = sizeof(struct mregion_range),
	};
	struct mregion_range *ranges;
	int nr = mr_view(fd, space, NULL, 0, NULL);
	int err;

	if (nr < 0)
		return nr;
	ranges = calloc(nr + 1, sizeof(*ranges));
	view.ranges = (uintptr_t)ranges;
	view.nr = nr;
	err = mr_ioctl(fd, MREGION_VIEW_READ, &view);
	view.ranges = 0;
	mr_snapshot_add(snapshot, &view, sizeof(view));
	mr_snapshot_add(snapshot, ranges, nr * sizeof(*ranges));
	free(ranges);
	return err;
}

static inline int mr_snapshot_stats(int fd, uint32_t object, uint32_t id,
				    struct mr_snapshot *snapshot)
{
	struct mregion_stats stats;
	int err = mr_stats(fd, object, id, &stats);

	/* What earlier commits have replaced may be freed at any time. */
	stats.memory = 0;
	mr_snapshot_add(snapshot, &stats, sizeof(stats));
	return err;
}

/*
 * Rules cannot be read. But whether one could be added is, by a dry run, which
 * says where there is one of each kind, and that each thing it needs exists.
 */
static inline void mr_snapshot_rules(int fd, uint32_t region,
				     struct mr_snapshot *snapshot)
{
	static const uint64_t offsets[] = {
		0, 8, 16, 24, 32, 40, 48, 56, 0x800,
	};
	struct mregion_rule rules[] = {
		{ .kind = MREGION_RULE_COALESCE, .ring = 1 },
		{ .kind = MREGION_RULE_DOORBELL },
		{ .kind = MREGION_RULE_SHADOW, .flags = MREGION_RULE_READ,
		  .shadow = 1 },
		{ .kind = MREGION_RULE_SHADOW, .flags = MREGION_RULE_WRITE,
		  .shadow = 1 },
	};
	struct mregion_op op = mr_op(MREGION_OP_RULE_ADD, region);
	unsigned int i, j;
	int err;

	rules[1].eventfd = eventfd(0, EFD_CLOEXEC);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		for (j = 0; j < sizeof(offsets) / sizeof(offsets[0]); j++) {
			op.rule = rules[i];
			op.rule.offset = offsets[j];
			op.rule.len = 8;
			err = mr_commit_flags(fd, &op, 1,
					      MREGION_COMMIT_DRY_RUN, NULL);
			mr_snapshot_add(snapshot, &err, sizeof(err));
		}
	}
	close(rules[1].eventfd);
}

/* Of rings and servers, that they are there is to be seen by their counters. */
#define MR_SNAPSHOT_IDS	16

static inline void mr_snapshot_objects(int fd, struct mr_snapshot *snapshot)
{
	uint32_t id;
	int err;

	for (id = 1; id <= MR_SNAPSHOT_IDS; id++) {
		err = mr_snapshot_stats(fd, MREGION_OBJECT_RING, id, snapshot);
		mr_snapshot_add(snapshot, &err, sizeof(err));
		err = mr_snapshot_stats(fd, MREGION_OBJECT_SERVER, id,
					snapshot);
		mr_snapshot_add(snapshot, &err, sizeof(err));
	}
}

/*
 * Regions and spaces with the machine's generation, the views, where rules are,
 * and all counters. The machine must be at rest.
 */
static inline int mr_snapshot_take(int fd, struct mr_snapshot *snapshot)
{
	struct mregion_regions list = { .size = sizeof(list) };
	struct mregion_spaces spaces_list = { .size = sizeof(spaces_list) };
	int i, err, nr_regions, nr_spaces;
	struct mregion_region_info *regions;
	struct mregion_space_info *spaces;

	snapshot->data = NULL;
	snapshot->len = 0;

	nr_regions = mr_regions(fd, 0, NULL, 0);
	nr_spaces = mr_spaces(fd, 0, NULL, 0);
	if (nr_regions < 0 || nr_spaces < 0)
		return nr_regions < 0 ? nr_regions : nr_spaces;
	regions = calloc(nr_regions + 1, sizeof(*regions));
	spaces = calloc(nr_spaces + 1, sizeof(*spaces));

	list.regions = (uintptr_t)regions;
	list.nr = nr_regions;
	list.region_size = sizeof(*regions);
	err = mr_ioctl(fd, MREGION_REGIONS, &list);
	if (err)
		goto out;
	list.regions = 0;
	mr_snapshot_add(snapshot, &list, sizeof(list));
	mr_snapshot_add(snapshot, regions, nr_regions * sizeof(*regions));

	spaces_list.spaces = (uintptr_t)spaces;
	spaces_list.nr = nr_spaces;
	spaces_list.space_size = sizeof(*spaces);
	err = mr_ioctl(fd, MREGION_SPACES, &spaces_list);
	if (err)
		goto out;
	spaces_list.spaces = 0;
	mr_snapshot_add(snapshot, &spaces_list, sizeof(spaces_list));
	mr_snapshot_add(snapshot, spaces, nr_spaces * sizeof(*spaces));

	for (i = 0; i < nr_regions; i++)
		if (regions[i].nr_rules)
			mr_snapshot_rules(fd, regions[i].id, snapshot);
	mr_snapshot_objects(fd, snapshot);
	err = mr_snapshot_stats(fd, MREGION_OBJECT_MACHINE, 0, snapshot);
	for (i = 0; !err && i < nr_regions; i++)
		err = mr_snapshot_stats(fd, MREGION_OBJECT_REGION,
					regions[i].id, snapshot);
	for (i = 0; !err && i < nr_spaces; i++) {
		err = mr_snapshot_stats(fd, MREGION_OBJECT_SPACE, spaces[i].id,
					snapshot);
		if (!err)
			err = mr_snapshot_view(fd, spaces[i].id, snapshot);
	}
out:
	free(regions);
	free(spaces);
	return err;
}

static inline bool mr_snapshot_equal(const struct mr_snapshot *a,
				     const struct mr_snapshot *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* Whether the machine still is what @before says. */
static inline bool mr_unchanged(int fd, const struct mr_snapshot *before)
{
	struct mr_snapshot now;
	int err = mr_snapshot_take(fd, &now);
	bool equal = !err && mr_snapshot_equal(before, &now);

	mr_snapshot_free(&now);
	return equal;
}

/* ---- The module -------------------------------------------------------- */

static inline int mr_module_unload(void)
{
	return syscall(SYS_delete_module, "mregion", O_NONBLOCK) ? -errno : 0;
}

/* Load it from a file, and wait for its device node. */
static inline int mr_module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	if (!err && !mr_until(!access(MR_DEVICE, R_OK | W_OK)))
		err = -ENODEV;
	return err;
}

/* How many hold it, or -1 if it is no module. */
static inline long mr_module_references(void)
{
	FILE *file = fopen("/sys/module/mregion/refcnt", "r");
	long references = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &references) != 1)
		references = -1;
	fclose(file);
	return references;
}

/* Whether modules can be unloaded, when this one is in use. */
static inline bool mr_module_can_unload(void)
{
	return mr_module_unload() == -EAGAIN;
}

#endif /* MREGION_UTIL_H */
