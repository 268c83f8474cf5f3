// SPDX-License-Identifier: GPL-2.0
/*
 * A caller that wishes the kernel ill: structures of every size and content,
 * pointers into nothing, and many threads of that. A call that fails changes
 * nothing, whatever it was; and nothing falls over.
 */
#include <pthread.h>
#include <sys/wait.h>

#include <linux/kvm.h>

#include "kselftest_harness.h"
#include "mregion_util.h"
#include "random_util.h"

#define RANDOM_CALLS	3000
#define RANDOM_COMMITS	(mr_checking_kernel() ? 200u : 2000u)
#define THREADS		4
#define THREAD_CALLS	1000

static const struct {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t first_size;		/* of a program that is older */
	bool answers;
} ioctls[] = {
#define IOCTL_SINCE(_cmd, _type, _size, _answers)			\
	{ #_cmd, _cmd, sizeof(struct _type), _size, _answers }
#define IOCTL(_cmd, _type) IOCTL_SINCE(_cmd, _type, sizeof(struct _type), true)
#define IOCTL_SILENT(_cmd, _type)					\
	IOCTL_SINCE(_cmd, _type, sizeof(struct _type), false)
	IOCTL_SINCE(MREGION_INFO, mregion_info,
		    offsetof(struct mregion_info, max_indices), true),
	IOCTL(MREGION_COMMIT, mregion_commit),
	IOCTL(MREGION_VIEW_READ, mregion_view_read),
	IOCTL(MREGION_REGIONS, mregion_regions),
	IOCTL(MREGION_SPACES, mregion_spaces),
	IOCTL(MREGION_TRANSLATE, mregion_translate),
	IOCTL(MREGION_ACCESS, mregion_access),
	IOCTL(MREGION_RING_CREATE, mregion_ring_create),
	IOCTL_SILENT(MREGION_RING_FREE, mregion_ring_free),
	IOCTL(MREGION_ATTACH, mregion_attach),
	IOCTL_SILENT(MREGION_DETACH, mregion_detach),
	IOCTL_SINCE(MREGION_STATS, mregion_stats,
		    offsetof(struct mregion_stats, fast), true),
	IOCTL(MREGION_SHADOW_CREATE, mregion_shadow_create),
	IOCTL_SILENT(MREGION_SHADOW_FREE, mregion_shadow_free),
	IOCTL(MREGION_SERVER_CREATE, mregion_server_create),
	IOCTL_SILENT(MREGION_SERVER_FREE, mregion_server_free),
	IOCTL(MREGION_CLAIMS, mregion_claims_read),
	IOCTL(MREGION_CHANGES, mregion_changes_read),
	IOCTL(MREGION_VIEW_OPEN, mregion_view_open),
#undef IOCTL_SILENT
#undef IOCTL
#undef IOCTL_SINCE
};

#define NR_IOCTLS	ARRAY_SIZE(ioctls)

/* What a call that succeeded has left behind: a descriptor to be closed. */
static void close_what_it_made(unsigned long cmd, const void *arg)
{
	switch (cmd) {
	case MREGION_RING_CREATE:
		close(((const struct mregion_ring_create *)arg)->fd);
		break;
	case MREGION_SHADOW_CREATE:
		close(((const struct mregion_shadow_create *)arg)->fd);
		break;
	case MREGION_SERVER_CREATE:
		close(((const struct mregion_server_create *)arg)->fd);
		break;
	case MREGION_VIEW_OPEN:
		close(((const struct mregion_view_open *)arg)->fd);
		break;
	}
}

static void fill(struct prng *state, void *buffer, size_t len)
{
	uint8_t *bytes = buffer;

	while (len--)
		*bytes++ = random64(state) >> 32;
}

/* A number that somebody might have forgotten about. */
static uint64_t nasty_number(struct prng *state)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 7, 8, 0xfff, 0x1000, 0x1001, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000,
		0xfffffffffffffffe, 0xffffffffffffffff,
	};

	if (below(state, 4) == 0)
		return random64(state);
	return numbers[below(state, ARRAY_SIZE(numbers))];
}

FIXTURE(hostile) {
	uint64_t seed;
	struct prng prng;
	struct mr_ring ring;
	struct mr_snapshot before;
	char *guarded;		/* a page, with nothing behind it */
	int fd;
};

static int hostile_machine(void)
{
	int fd = mr_open();

	if (fd < 0)
		return fd;
	if (COMMIT(fd, mr_container(1, 0), mr_container(2, 0x100000),
		   mr_mmio(3, 0x1000), mr_ram(4, 0x10000), mr_mmio(5, 0x100),
		   mr_alias(6, 2, 0x10, 0x1000), mr_container(7, 0x10000),
		   mr_create(8, MREGION_ROMD, 0x2000),
		   mr_map(2, 1, 0x10000, 0), mr_map(3, 2, 0x1000, 1),
		   mr_map(4, 2, 0, 0), mr_map(6, 1, 0, 3),
		   mr_map(5, 7, 0x10, 0), mr_space(1, 1), mr_pio_space(2, 7))) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}

FIXTURE_SETUP(hostile)
{
	self->seed = random_seed("MREGION_SEED");
	self->prng = prng_of(self->seed, 0);
	TH_LOG("seed %#llx", (unsigned long long)self->seed);
	self->fd = hostile_machine();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 16, -1, 0, 0, &self->ring));
	self->guarded = mmap(NULL, 2 * MR_PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->guarded);
	ASSERT_EQ(0, munmap(self->guarded + MR_PAGE, MR_PAGE));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &self->before));
}

FIXTURE_TEARDOWN(hostile)
{
	mr_snapshot_free(&self->before);
	mr_ring_unmap(&self->ring);
	close(self->fd);
}

TEST_F_TIMEOUT(hostile, sizes, 120)
{
	static const uint32_t sizes[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 4095, 4096, 4097, 8192,
		0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};
	unsigned int i, j, shorter;
	uint32_t *buffer = mmap(NULL, 0x20000, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, buffer);
	for (i = 0; i < NR_IOCTLS; i++) {
		for (shorter = 0; shorter < ioctls[i].first_size; shorter++) {
			memset(buffer, 0, 0x20000);
			buffer[0] = shorter;
			EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, ioctls[i].cmd,
						    buffer)) {
				TH_LOG("%s of %u bytes", ioctls[i].name,
				       shorter);
			}
		}
		/* What is behind what the kernel knows is not zero. */
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			if (sizes[j] <= ioctls[i].size)
				continue;
			memset(buffer, 0x5a, 0x20000);
			buffer[0] = sizes[j];
			EXPECT_GT(0, mr_ioctl(self->fd, ioctls[i].cmd,
					      buffer)) {
				TH_LOG("%s of %u bytes", ioctls[i].name,
				       sizes[j]);
			}
		}
		memset(buffer, 0, ioctls[i].size);
		memset((char *)buffer + ioctls[i].size, 0, 8);
		((char *)buffer)[ioctls[i].size + 7] = 1;
		buffer[0] = ioctls[i].size + 8;
		EXPECT_EQ(-E2BIG, mr_ioctl(self->fd, ioctls[i].cmd, buffer)) {
			TH_LOG("%s", ioctls[i].name);
		}
	}
	EXPECT_TRUE(mr_unchanged(self->fd, &self->before));
	munmap(buffer, 0x20000);
}

TEST_F(hostile, bad_pointers)
{
	uint64_t pointers[] = {
		0, 1, 7, 0xfff, -1ull, -8ull, -4096ull, 0x7fffffffffff,
		0x800000000000, 0xffff888000000000, 0xffffffff81000000,
		(uintptr_t)self->guarded + MR_PAGE,
		(uintptr_t)self->guarded + MR_PAGE - 4,
		(uintptr_t)self->guarded + MR_PAGE - 8,
	};
	unsigned int i, j;

	for (i = 0; i < NR_IOCTLS; i++) {
		for (j = 0; j < ARRAY_SIZE(pointers); j++) {
			memset(self->guarded + MR_PAGE - 8, 0, 8);
			/* Where the size can be read, it leads out. */
			*(uint32_t *)(self->guarded + MR_PAGE - 4) =
				ioctls[i].size;
			*(uint32_t *)(self->guarded + MR_PAGE - 8) =
				MAX(ioctls[i].size, 16);
			EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, ioctls[i].cmd,
						    (void *)(uintptr_t)pointers[j])) {
				TH_LOG("%s at %#llx", ioctls[i].name,
				       (unsigned long long)pointers[j]);
			}
		}
	}
	EXPECT_TRUE(mr_unchanged(self->fd, &self->before));
}

/* An answer that cannot be written back. */
TEST_F(hostile, readonly_structures)
{
	unsigned int i;
	int err;

	for (i = 0; i < NR_IOCTLS; i++) {
		if (!ioctls[i].answers)
			continue;
		memset(self->guarded, 0, MR_PAGE);
		*(uint32_t *)self->guarded = ioctls[i].size;
		ASSERT_EQ(0, mprotect(self->guarded, MR_PAGE, PROT_READ));
		err = mr_ioctl(self->fd, ioctls[i].cmd, self->guarded);
		EXPECT_GT(0, err) {
			TH_LOG("%s", ioctls[i].name);
		}
		ASSERT_EQ(0, mprotect(self->guarded, MR_PAGE,
				      PROT_READ | PROT_WRITE));
	}
	EXPECT_TRUE(mr_unchanged(self->fd, &self->before));
}

/* Arrays that end where memory does. */
TEST_F(hostile, arrays_partly_unmapped)
{
	struct mregion_range *ranges;
	struct mregion_region_info *regions;
	struct mregion_space_info *spaces;
	char *end = self->guarded + MR_PAGE;

	ranges = (void *)(end - sizeof(*ranges));
	EXPECT_EQ(-EFAULT, mr_view(self->fd, 1, ranges, 100, NULL));
	EXPECT_LT(0, mr_view(self->fd, 1, ranges, 1, NULL));
	regions = (void *)(end - sizeof(*regions));
	EXPECT_EQ(-EFAULT, mr_regions(self->fd, 0, regions, 100));
	EXPECT_EQ(8, mr_regions(self->fd, 0, regions, 1));
	spaces = (void *)(end - sizeof(*spaces));
	EXPECT_EQ(-EFAULT, mr_spaces(self->fd, 0, spaces, 100));
	EXPECT_EQ(2, mr_spaces(self->fd, 0, spaces, 1));
	/* Room for more than can be; what there is fits. */
	EXPECT_EQ(2, mr_spaces(self->fd, 0, (void *)(end - 2 *
						     sizeof(*spaces)), -1u));
	EXPECT_EQ(-EFAULT, mr_view(self->fd, 1, NULL, 1, NULL));
	EXPECT_EQ(-EFAULT, mr_view(self->fd, 1, (void *)-8ul, 1, NULL));
	EXPECT_TRUE(mr_unchanged(self->fd, &self->before));
}

/* Random bytes, of which some words are made to look reasonable. */
TEST_F_TIMEOUT(hostile, random_structures, 180)
{
	unsigned int i, j, which, failed = 0;
	struct mr_snapshot before;
	uint32_t buffer[256];
	int err;

	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (i = 0; i < RANDOM_CALLS; i++) {
		which = below(&self->prng, NR_IOCTLS);
		fill(&self->prng, buffer, sizeof(buffer));
		for (j = 1; j < ioctls[which].size / 4; j++)
			if (below(&self->prng, 4))
				buffer[j] = nasty_number(&self->prng);
		switch (below(&self->prng, 8)) {
		case 0:
			break;
		case 1:
			buffer[0] = below(&self->prng, sizeof(buffer));
			break;
		default:
			buffer[0] = ioctls[which].size;
		}
		err = mr_ioctl(self->fd, ioctls[which].cmd, buffer);
		if (!err) {
			close_what_it_made(ioctls[which].cmd, buffer);
			mr_snapshot_free(&before);
			ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
			continue;
		}
		failed++;
		ASSERT_TRUE(mr_unchanged(self->fd, &before)) {
			TH_LOG("call %u, %s: failed, and left a trace", i,
			       ioctls[which].name);
		}
	}
	/* A test that never gets anywhere would be easy. */
	EXPECT_GT(RANDOM_CALLS, failed);
	EXPECT_LT(RANDOM_CALLS / 2, failed);
	mr_snapshot_free(&before);
}

/*
 * A virtual machine is there to be attached to, and the rest is random: what
 * fails leaves no trace, and what does not can be undone.
 */
TEST_F_TIMEOUT(hostile, random_attachments, 180)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : mr_create_vm(kvm);
	unsigned int i, attached = 0, failed = 0;
	struct mregion_attach attach;
	struct mregion_detach detach = {
		.size = sizeof(detach), .vm_fd = vm,
	};
	struct mr_snapshot before;

	if (vm < 0)
		SKIP(return, "no virtual machine to attach to");
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (i = 0; i < RANDOM_CALLS; i++) {
		fill(&self->prng, &attach, sizeof(attach));
		attach.size = sizeof(attach);
		attach.vm_fd = below(&self->prng, 8) ? vm :
			       (int)nasty_number(&self->prng);
		if (below(&self->prng, 8))
			attach.memory = below(&self->prng, 4);
		if (below(&self->prng, 8))
			attach.pio = below(&self->prng, 4);
		if (below(&self->prng, 4))
			attach.flags = 0;
		if (below(&self->prng, 4))
			attach.smm = below(&self->prng, 4);
		if (mr_ioctl(self->fd, MREGION_ATTACH, &attach)) {
			failed++;
			ASSERT_TRUE(mr_unchanged(self->fd, &before)) {
				TH_LOG("attachment %u left a trace", i);
			}
			continue;
		}
		attached++;
		ASSERT_GE(3, attach.nr_windows);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_DETACH, &detach));
		/* Windows have changed, and that is counted. */
		mr_snapshot_free(&before);
		ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	}
	EXPECT_LT(10, attached);
	EXPECT_LT(10, failed);
	mr_snapshot_free(&before);
	close(vm);
	close(kvm);
}

/* A server's descriptor takes no more than what is documented. */
TEST_F_TIMEOUT(hostile, random_waits, 180)
{
	struct mregion_server_create create = {
		.size = sizeof(create), .id = 2, .nr_slots = 4, .fd = -1,
		.eventfd = -1,
	};
	unsigned int i, ended[2] = {};
	uint32_t buffer[64], words;
	unsigned long cmd;
	bool good;
	int err;

	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_SERVER_CREATE, &create));
	for (i = 0; i < RANDOM_CALLS; i++) {
		cmd = below(&self->prng, 2) ? MREGION_SERVER_WAIT :
					      MREGION_SERVER_WAKE;
		words = cmd == MREGION_SERVER_WAIT ? 4 : 2;
		fill(&self->prng, buffer, sizeof(buffer));
		buffer[0] = below(&self->prng, 4) ? 4 * words :
			    (uint32_t)nasty_number(&self->prng);
		if (below(&self->prng, 2))
			buffer[1] = below(&self->prng, 6);
		if (cmd == MREGION_SERVER_WAIT) {
			/* It must end: never 0, which is for ever. */
			buffer[2] = 1 + below(&self->prng, 100);
			buffer[3] = 0;
			if (below(&self->prng, 2))
				buffer[1] = 0;
		}
		err = mr_ioctl(create.fd, cmd, buffer);
		good = buffer[0] == 4 * words &&
		       (cmd == MREGION_SERVER_WAIT ? !buffer[1] :
						     buffer[1] < 4);
		if (good) {
			ASSERT_EQ(cmd == MREGION_SERVER_WAIT ? -ETIMEDOUT : 0,
				  err);
		} else {
			ASSERT_GT(0, err);
			ASSERT_NE(-ETIMEDOUT, err);
		}
		ended[good]++;
	}
	EXPECT_LT(RANDOM_CALLS / 10, ended[false]);
	EXPECT_LT(RANDOM_CALLS / 10, ended[true]);
	close(create.fd);
}

static unsigned long view_cmd(struct prng *state, size_t *size)
{
	switch (below(state, 4)) {
	case 0:
		*size = sizeof(struct mregion_view_read);
		return MREGION_VIEW_READ;
	case 1:
		*size = sizeof(struct mregion_changes_read);
		return MREGION_CHANGES;
	case 2:
		*size = sizeof(struct mregion_translate);
		return MREGION_TRANSLATE;
	default:
		*size = sizeof(struct mregion_view_file);
		return MREGION_VIEW_FILE;
	}
}

/* Nor does a view's. It leaves no trace in the machine, whatever becomes of it. */
TEST_F_TIMEOUT(hostile, random_views, 180)
{
	struct mregion_view_open open = {
		.size = sizeof(open), .space = 1,
		.flags = MREGION_VIEW_OPEN_READ | MREGION_VIEW_OPEN_WRITE,
	};
	unsigned int i, j, ended[2] = {}, handed_out = 0;
	struct mr_snapshot before;
	union {
		uint32_t words[64];
		uint64_t longs[32];
		struct mregion_view_file file;
	} args;
	unsigned long cmd;
	size_t size;
	int err, next, memory;

	memory = memfd_create("memory", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(memory, MR_PAGE));
	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_in_file(mr_ram(20, MR_PAGE), memory, 0),
			    mr_map(20, 1, 0x10000, 4), mr_share(20, memory)));
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_VIEW_OPEN, &open));
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	next = dup(0);
	close(next);
	for (i = 0; i < RANDOM_CALLS; i++) {
		cmd = view_cmd(&self->prng, &size);
		fill(&self->prng, &args, sizeof(args));
		for (j = 0; j < size / 8; j++)
			if (below(&self->prng, 8))
				args.longs[j] = below(&self->prng, 3) ? 0 :
						nasty_number(&self->prng);
		if (below(&self->prng, 8)) {
			args.words[0] = size;
			args.words[1] = below(&self->prng, 8) == 0;
		}
		if (cmd == MREGION_VIEW_FILE && below(&self->prng, 2))
			args.file.addr = 0x10000 + below(&self->prng, MR_PAGE);
		err = mr_ioctl(open.fd, cmd, &args);
		ended[!err]++;
		if (!err && cmd == MREGION_VIEW_FILE && args.file.memory >= 0) {
			handed_out++;
			ASSERT_EQ(0, close(args.file.memory));
			ASSERT_EQ(0, close(args.file.log));
		}
		ASSERT_EQ(next, dup(0));
		close(next);
	}
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	EXPECT_LT(RANDOM_CALLS / 20, ended[false]);
	EXPECT_LT(RANDOM_CALLS / 20, ended[true]);
	EXPECT_LT(RANDOM_CALLS / 100, handed_out);
	mr_snapshot_free(&before);
	close(open.fd);
	close(memory);
}

/* An operation that often is possible. */
static struct mregion_op random_op(struct prng *state)
{
	struct mregion_op op = mr_op(1 + below(state, MREGION_OP_SHARE),
				     1 + below(state, 24));
	uint32_t other = 1 + below(state, 24);
	uint64_t number = below(state, 3) ? below(state, 0x20000) :
		nasty_number(state);

	switch (op.code) {
	case MREGION_OP_CREATE:
		op = mr_create(op.id, 1 + below(state, 8), number);
		if (op.create.kind == MREGION_ALIAS) {
			op.create.target = other;
			op.create.offset = nasty_number(state);
		}
		if (!below(state, 4))
			op.create.flags = below(state, 64);
		break;
	case MREGION_OP_MAP:
		op = mr_map(op.id, other, number, (int)below(state, 5) - 2);
		op.map.flags = below(state, 2) * MREGION_MAP_EXCLUSIVE;
		break;
	case MREGION_OP_MOVE:
	case MREGION_OP_RESIZE:
	case MREGION_OP_SET_ALIAS:
		op.offset = number;
		break;
	case MREGION_OP_SET_FLAGS:
		op.set_flags.mask = below(state, 64);
		op.set_flags.flags = op.set_flags.mask & below(state, 64);
		break;
	case MREGION_OP_SET_CONSTRAINTS:
		op.constraints.valid_min = 1 << below(state, 4);
		op.constraints.valid_max = 1 << below(state, 4);
		op.constraints.flags = below(state, 8);
		op.constraints.refused = below(state, 4);
		break;
	case MREGION_OP_RULE_ADD:
	case MREGION_OP_RULE_DEL:
		op = mr_rule(op.code, op.id, 1, 8 * below(state, 4),
			     8 * (1 + below(state, 2)));
		break;
	case MREGION_OP_SPACE_CREATE:
	case MREGION_OP_SPACE_SET:
		op = mr_space_op(op.code, op.id, other, below(state, 2),
				 below(state, 5));
		break;
	}
	if (!below(state, 3))
		op = mr_may_fail(op);
	if (!below(state, 40))
		((uint32_t *)&op)[below(state, sizeof(op) / 4)] = nasty_number(state);
	return op;
}

/* What must hold of any view of any machine. */
static bool view_is_sane(int fd, uint32_t space, uint32_t bus)
{
	static struct mregion_range ranges[4096];
	int i, nr = mr_view(fd, space, ranges, 4096, NULL);

	if (nr < 0)
		return false;
	for (i = 0; i < nr && i < 4096; i++) {
		const struct mregion_range *range = &ranges[i];

		if (range->start > range->last || !range->region ||
		    range->reserved || range->kind == MREGION_CONTAINER ||
		    range->kind == MREGION_ALIAS)
			return false;
		if (i && range->start <= ranges[i - 1].last)
			return false;
		if (bus == MREGION_BUS_PIO && range->last > 0xffff)
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(hostile, random_commits, 180)
{
	unsigned int i, j, nr, succeeded = 0;
	struct mregion_space_info spaces[32];
	struct mregion_commit commit;
	struct mr_snapshot before;
	struct mregion_op ops[8];
	int32_t results[8];
	uint32_t alone, all_alone = 0;
	int err, nr_spaces;

	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (i = 0; i < RANDOM_COMMITS; i++) {
		nr = below(&self->prng, 4) ? 1 : 1 + below(&self->prng, 8);
		for (j = 0; j < nr; j++)
			ops[j] = random_op(&self->prng);
		commit = (struct mregion_commit){
			.size = sizeof(commit), .ops = (uintptr_t)ops,
			.nr_ops = nr, .op_size = sizeof(ops[0]),
			.results = (uintptr_t)results,
		};
		err = mr_ioctl(self->fd, MREGION_COMMIT, &commit);
		for (j = alone = 0; j < nr; j++) {
			if (!results[j])
				continue;
			ASSERT_TRUE(ops[j].code & MREGION_OP_MAY_FAIL);
			ASSERT_GT(commit.failed, j);
			alone++;
		}
		ASSERT_EQ(commit.nr_failed, alone);
		if (err) {
			ASSERT_GE(nr, commit.failed);
			ASSERT_TRUE(mr_unchanged(self->fd, &before)) {
				TH_LOG("commit %u: failed at %u with %s, and left a trace",
				       i, commit.failed, strerror(-err));
			}
			continue;
		}
		succeeded++;
		all_alone += alone;
		ASSERT_EQ(nr, commit.failed);
		mr_snapshot_free(&before);
		ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
		nr_spaces = mr_spaces(self->fd, 0, spaces, 32);
		ASSERT_LE(0, nr_spaces);
		for (j = 0; j < (unsigned int)nr_spaces && j < 32; j++) {
			ASSERT_TRUE(view_is_sane(self->fd, spaces[j].id,
						 spaces[j].bus))
				TH_LOG("commit %u: view of space %u: %s", i,
				       spaces[j].id,
				       mr_view_text(self->fd, spaces[j].id));
		}
	}
	EXPECT_LT(RANDOM_COMMITS / 10, succeeded);
	EXPECT_LT(RANDOM_COMMITS / 20, all_alone);
	mr_snapshot_free(&before);
}

/* Descriptors of all sorts where another is expected. */
TEST_F(hostile, other_descriptors)
{
	int fds[] = { 0, self->ring.fd, open("/dev/null", O_RDWR), 1000, -1 };
	struct mregion_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_GT(0, mr_info(fds[i], &info));
	EXPECT_EQ(-1, read(self->fd, &info, sizeof(info)));
	EXPECT_EQ(-1, write(self->fd, &info, sizeof(info)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED,
				   self->fd, 0));
	EXPECT_EQ(-ENOTTY, mr_info(self->ring.fd, &info));
	close(fds[2]);
}

struct attacker {
	pthread_t thread;
	struct prng prng;
	int fd;
};

static void *attack(void *arg)
{
	struct attacker *attacker = arg;
	struct prng *state = &attacker->prng;
	struct mregion_access access;
	struct mregion_translate translate;
	struct mregion_op ops[4];
	struct mr_ring ring;
	unsigned int i, j;
	uint32_t buffer[64];

	for (i = 0; i < THREAD_CALLS; i++) {
		switch (below(state, 8)) {
		case 0:
			if (!mr_ring_create(attacker->fd, 1 + below(state, 3),
					    2 << below(state, 4), -1, 1, 10,
					    &ring)) {
				memset(ring.header, below(state, 256), 256);
				mr_ring_unmap(&ring);
			}
			break;
		case 1:
			mr_ring_free(attacker->fd, 1 + below(state, 3));
			break;
		case 2:
			mr_write(attacker->fd, 1 + below(state, 4),
				 below(state, 0x20000), 1 + below(state, 8),
				 0, &access);
			break;
		case 3:
			mr_translate(attacker->fd, 1 + below(state, 4),
				     nasty_number(state), nasty_number(state),
				     &translate);
			break;
		case 4:
			mr_view_text(attacker->fd, 1 + below(state, 4));
			break;
		case 5:
			fill(state, buffer, sizeof(buffer));
			j = below(state, NR_IOCTLS);
			buffer[0] = ioctls[j].size;
			if (!mr_ioctl(attacker->fd, ioctls[j].cmd, buffer))
				close_what_it_made(ioctls[j].cmd, buffer);
			break;
		default:
			for (j = 0; j < 4; j++)
				ops[j] = random_op(state);
			mr_commit(attacker->fd, ops, 1 + below(state, 4));
		}
	}
	return NULL;
}

/* All of that at once, from several threads, on one machine. */
TEST_F_TIMEOUT(hostile, many_threads, 180)
{
	struct attacker attackers[THREADS];
	struct mregion_info info;
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		attackers[i] = (struct attacker){
			.fd = self->fd, .prng = prng_of(self->seed, 1 + i),
		};
		ASSERT_EQ(0, pthread_create(&attackers[i].thread, NULL, attack,
					    &attackers[i]));
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(attackers[i].thread, NULL);
	EXPECT_EQ(0, mr_info(self->fd, &info));
	EXPECT_TRUE(mr_spaces(self->fd, 0, NULL, 0) >= 0);
}

/* The same while the descriptor is closed under it. */
TEST_F_TIMEOUT(hostile, closed_under_threads, 120)
{
	struct attacker attackers[2];
	unsigned int i, round;
	int fd;

	for (round = 0; round < 10; round++) {
		fd = hostile_machine();
		ASSERT_LE(0, fd);
		for (i = 0; i < 2; i++) {
			attackers[i] = (struct attacker){
				.fd = fd,
				.prng = prng_of(self->seed, 1 + 2 * round + i),
			};
			ASSERT_EQ(0, pthread_create(&attackers[i].thread, NULL,
						    attack, &attackers[i]));
		}
		usleep(5000);
		close(fd);
		for (i = 0; i < 2; i++)
			pthread_join(attackers[i].thread, NULL);
	}
}

TEST_HARNESS_MAIN
