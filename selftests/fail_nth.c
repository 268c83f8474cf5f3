// SPDX-License-Identifier: GPL-2.0
/*
 * What allocates is all or nothing, too, when an allocation fails: each in turn
 * is made to, on kernels that can inject that.
 */
#include <linux/kvm.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "kselftest_harness.h"
#include "commit_util.h"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/*
 * A descriptor by which a failure is asked for, of the nth allocation of this
 * thread (or copy from or to userspace); -1 where the kernel cannot do that.
 */
static int failures_open(void)
{
	if (!write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N"))
		return -1;
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	write_file("/sys/kernel/debug/fail_usercopy/verbose", "0");
	return open("/proc/thread-self/fail-nth", O_RDWR);
}

static bool fail_at(int fail_nth, int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", nth);
	return pwrite(fail_nth, text, strlen(text), 0) > 0;
}

/* No more failures. Return: whether the one asked for did not come. */
static bool fail_no_more(int fail_nth)
{
	char text[16] = "";
	/* Where few are left over, it is this that fails. */
	bool left = pread(fail_nth, text, sizeof(text) - 1, 0) < 0 ||
		    atoi(text);

	return !fail_at(fail_nth, 0) || left;
}

/* A virtual machine without vCPUs that the machine is attached to, or -1. */
static int attached_vm(int fd)
{
	struct mregion_attach attach = {
		.size = sizeof(attach), .memory = SPACE, .pio = PIO_SPACE,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : mr_create_vm(kvm);

	close(kvm);
	attach.vm_fd = vm;
	if (vm >= 0 && mr_ioctl(fd, MREGION_ATTACH, &attach)) {
		close(vm);
		vm = -1;
	}
	return vm;
}

static struct mregion_op fast_doorbell(uint32_t region)
{
	struct mregion_op op = mr_op(MREGION_OP_RULE_ADD, region);
	static int efd = -1;

	if (efd < 0)
		efd = new_eventfd();
	op.rule = (struct mregion_rule){
		.kind = MREGION_RULE_DOORBELL,
		.flags = MREGION_RULE_ANY_LEN | MREGION_RULE_FAST,
		.offset = 0x20,
		.len = 1,
		.eventfd = efd,
	};
	return op;
}

/*
 * The long commit, and registers far from others, with a fast doorbell: two buses of
 * the virtual machine have to change, for which there must be memory, too.
 */
#define FAR_OPS	(LONG_OPS + 5)

/* @log: of memory that is shared. Return: how long it is. */
static uint32_t far_commit(struct mregion_op *ops, int log)
{
	uint32_t nr = long_commit(ops);

	ops[nr++] = mr_mmio(90, 0x1000);
	ops[nr++] = mr_map(90, ROOT, 0x5000000000, 0);
	ops[nr++] = fast_doorbell(90);
	ops[nr++] = mr_share(FILE_RAM, log);
	ops[nr++] = mr_may_fail(mr_map_exclusive(LOOSE, ROOT, 0x8000, 1));
	return nr;
}

/* It, with the fate of each operation. */
static int far_results(int fd, const struct mregion_op *ops, uint32_t nr,
		       int32_t *results)
{
	struct mregion_commit commit = {
		.size = sizeof(commit), .ops = (uintptr_t)ops,
		.nr_ops = nr, .op_size = sizeof(*ops),
		.results = (uintptr_t)results,
	};

	return mr_ioctl(fd, MREGION_COMMIT, &commit);
}

static uint64_t windows_changed(int fd)
{
	struct mregion_stats stats;

	if (mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats))
		return -1ull;
	return stats.windows;
}

static void attached_setup(struct __test_metadata *_metadata,
			   FIXTURE_DATA(commit) *self, int *vm)
{
	commit_setup(_metadata, self, NULL);
	*vm = attached_vm(self->fd);
}

static void attached_teardown(struct __test_metadata *_metadata,
			      FIXTURE_DATA(commit) *self, int *vm)
{
	commit_teardown(_metadata, self, NULL);
	if (*vm >= 0)
		close(*vm);
}

/* That is a commit with changing windows, on all kernels. */
TEST_F(commit, changes_windows)
{
	struct mregion_op ops[FAR_OPS];
	struct mr_snapshot before;
	uint64_t changed;
	uint32_t failed, nr;
	int vm = attached_vm(self->fd);

	if (vm < 0)
		SKIP(return, "no virtual machine to attach to");
	nr = far_commit(ops, self->file);
	changed = windows_changed(self->fd);
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	EXPECT_EQ(0, mr_commit_flags(self->fd, ops, nr,
				     MREGION_COMMIT_DRY_RUN, &failed));
	EXPECT_TRUE(mr_unchanged(self->fd, &before));
	mr_snapshot_free(&before);
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr));
	EXPECT_EQ(changed + 2, windows_changed(self->fd));
	close(vm);
}

/*
 * Every allocation in turn fails, on kernels that can inject that. That is never a
 * failure of one operation alone, though each may.
 */
TEST_F_TIMEOUT(commit, fails_at_each_allocation, 600)
{
	struct mregion_op ops[FAR_OPS];
	int nth, err, fail_nth = failures_open(), nr_regions, nr_after, vm, i, nr;
	FIXTURE_DATA(commit) other = {};
	int32_t results[FAR_OPS];
	struct mr_snapshot before;
	int log = memfd_create("log", MFD_CLOEXEC);

	if (fail_nth < 0)
		SKIP(return, "this kernel cannot inject failures");
	nr = far_commit(ops, log);
	for (i = 0; i < nr; i++)
		ops[i] = mr_may_fail(ops[i]);
	nr_regions = mr_regions(self->fd, 0, NULL, 0);
	commit_setup(_metadata, &other, NULL);
	ASSERT_EQ(0, far_results(other.fd, ops, nr, results));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(i == nr - 1 ? -EEXIST : 0, results[i]);
	nr_after = mr_regions(other.fd, 0, NULL, 0);
	commit_teardown(_metadata, &other, NULL);
	ASSERT_LT(nr_regions, nr_after);
	vm = attached_vm(self->fd);
	ASSERT_EQ(0, mr_snapshot_take(self->fd, &before));
	for (nth = 1; ; nth++) {
		ASSERT_TRUE(fail_at(fail_nth, nth));
		err = far_results(self->fd, ops, nr, results);
		if (fail_no_more(fail_nth))
			break;		/* fewer allocations than that */
		if (!err) {
			for (i = 0; i < nr - 1; i++)
				ASSERT_EQ(0, results[i]);
			ASSERT_EQ(nr_after, mr_regions(self->fd, 0, NULL, 0));
			/* It got by without this one: a new machine, then. */
			attached_teardown(_metadata, self, &vm);
			attached_setup(_metadata, self, &vm);
			continue;
		}
		/*
		 * Copying to and from the caller is made to fail as well. Its
		 * last copy says that all is done: then all is.
		 */
		ASSERT_TRUE(err == -ENOMEM || err == -EFAULT) {
			TH_LOG("allocation %d: %s", nth, strerror(-err));
		}
		if (err == -EFAULT && mr_regions(self->fd, 0, NULL, 0) !=
		    nr_regions) {
			ASSERT_EQ(nr_after, mr_regions(self->fd, 0, NULL, 0));
			attached_teardown(_metadata, self, &vm);
			attached_setup(_metadata, self, &vm);
			continue;
		}
		ASSERT_TRUE(mr_unchanged(self->fd, &before)) {
			TH_LOG("allocation %d failed and left a trace", nth);
		}
	}
	EXPECT_EQ(0, err);
	EXPECT_LT(10, nth);
	mr_snapshot_free(&before);
	if (vm >= 0)
		close(vm);
	close(log);
}

/* Taking windows anew: the machine and the bus are as before, or it is done. */
TEST_F_TIMEOUT(commit, renews_at_each_allocation, 300)
{
	struct mregion_claim_info before[8], after[8];
	struct mregion_claims_read read = {
		.size = sizeof(read), .bus = MREGION_BUS_MEMORY,
		.claims = (uintptr_t)before, .nr = ARRAY_SIZE(before),
		.claim_size = sizeof(before[0]),
	};
	int nth, err, fail_nth = failures_open();
	uint32_t nr, i, slow = 0;
	uint64_t changed;

	if (fail_nth < 0)
		SKIP(return, "this kernel cannot inject failures");
	read.vm_fd = attached_vm(self->fd);
	if (read.vm_fd < 0)
		SKIP(return, "no virtual machine to attach to");
	ASSERT_EQ(0, COMMIT(self->fd, fast_doorbell(MMIO)));
	ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	nr = read.nr;
	ASSERT_GE(ARRAY_SIZE(before), nr);
	read.claims = (uintptr_t)after;
	for (nth = 1; ; nth++) {
		changed = windows_changed(self->fd);
		read.flags = MREGION_CLAIMS_RENEW;
		read.nr = ARRAY_SIZE(after);
		ASSERT_TRUE(fail_at(fail_nth, nth));
		err = mr_ioctl(self->fd, MREGION_CLAIMS, &read);
		if (fail_no_more(fail_nth))
			break;
		ASSERT_TRUE(!err || err == -ENOMEM || err == -EFAULT) {
			TH_LOG("allocation %d: %s", nth, strerror(-err));
		}
		/* Done or not, the same is claimed; a bell may be slow then. */
		read.flags = 0;
		read.nr = ARRAY_SIZE(after);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
		ASSERT_EQ(nr, read.nr);
		for (i = 0; err && i < nr; i++)
			if (after[i].kind == MREGION_CLAIM_SLOW) {
				after[i].kind = MREGION_CLAIM_FAST;
				slow++;
			}
		ASSERT_EQ(0, memcmp(before, after, nr * sizeof(after[0])));
		ASSERT_GE(changed + 2, windows_changed(self->fd));
	}
	EXPECT_EQ(0, err);
	/* both that of the windows and that of the doorbell */
	EXPECT_EQ(changed + 2, windows_changed(self->fd));
	EXPECT_LT(5, nth);
	EXPECT_LT(0, slow);
	close(read.vm_fd);
}

/*
 * The same for what makes something else: either it is there, or there is no
 * trace of it, nor of its descriptor.
 */
union making {
	struct mregion_ring_create ring;
	struct mregion_shadow_create shadow;
	struct mregion_server_create server;
	struct mregion_attach attach;
	struct mregion_view_open view;
};

static int make_object(int fd, unsigned long cmd, int vm, union making *making)
{
	memset(making, 0, sizeof(*making));
	switch (cmd) {
	case MREGION_RING_CREATE:
		making->ring = (struct mregion_ring_create){
			.size = sizeof(making->ring), .id = 9,
			.nr_entries = 1024, .eventfd = -1, .fd = -1,
		};
		break;
	case MREGION_SHADOW_CREATE:
		making->shadow = (struct mregion_shadow_create){
			.size = sizeof(making->shadow), .id = 9,
			.len = 3 * MR_PAGE, .fd = -1,
		};
		break;
	case MREGION_SERVER_CREATE:
		making->server = (struct mregion_server_create){
			.size = sizeof(making->server), .id = 9,
			.nr_slots = 128, .fd = -1, .eventfd = -1,
		};
		break;
	case MREGION_VIEW_OPEN:
		making->view = (struct mregion_view_open){
			.size = sizeof(making->view), .space = SPACE, .fd = -1,
		};
		break;
	case MREGION_ATTACH:
		making->attach = (struct mregion_attach){
			.size = sizeof(making->attach), .vm_fd = vm,
			.memory = SPACE, .pio = PIO_SPACE,
		};
		break;
	}
	return mr_ioctl(fd, cmd, making);
}

/* What was made; @next_fd: the descriptor it has, if it has one. */
static int end_object(int fd, unsigned long cmd, int vm, int next_fd)
{
	uint32_t arg[] = { 8, 9 };	/* @size and @id, of all three */

	switch (cmd) {
	case MREGION_ATTACH:
		arg[1] = vm;
		return mr_ioctl(fd, MREGION_DETACH, arg);
	case MREGION_VIEW_OPEN:
		return close(next_fd) ? -errno : 0;
	case MREGION_RING_CREATE:
		close(next_fd);
		return mr_ioctl(fd, MREGION_RING_FREE, arg);
	case MREGION_SHADOW_CREATE:
		close(next_fd);
		return mr_ioctl(fd, MREGION_SHADOW_FREE, arg);
	default:
		close(next_fd);
		return mr_ioctl(fd, MREGION_SERVER_FREE, arg);
	}
}

static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

FIXTURE(making) {
	FIXTURE_DATA(commit) commit;
	int vm;
};

FIXTURE_VARIANT(making) {
	unsigned long cmd;
};

FIXTURE_VARIANT_ADD(making, attachment) { .cmd = MREGION_ATTACH, };
FIXTURE_VARIANT_ADD(making, ring) { .cmd = MREGION_RING_CREATE, };
FIXTURE_VARIANT_ADD(making, shadow) { .cmd = MREGION_SHADOW_CREATE, };
FIXTURE_VARIANT_ADD(making, server) { .cmd = MREGION_SERVER_CREATE, };
FIXTURE_VARIANT_ADD(making, view) { .cmd = MREGION_VIEW_OPEN, };

FIXTURE_SETUP(making)
{
	attached_setup(_metadata, &self->commit, &self->vm);
	if (variant->cmd == MREGION_ATTACH && self->vm >= 0)
		end_object(self->commit.fd, MREGION_ATTACH, self->vm, -1);
}

FIXTURE_TEARDOWN(making)
{
	attached_teardown(_metadata, &self->commit, &self->vm);
}

TEST_F_TIMEOUT(making, fails_at_each_allocation, 300)
{
	int nth, err, next, fd = self->commit.fd, fail_nth = failures_open();
	unsigned long cmd = variant->cmd;
	struct mr_snapshot before;
	union making making;

	/* All there is to it works without failures, on any kernel. */
	if (cmd == MREGION_ATTACH && self->vm < 0)
		SKIP(return, "no virtual machine to attach to");
	next = next_descriptor();
	ASSERT_EQ(0, make_object(fd, cmd, self->vm, &making));
	EXPECT_EQ(cmd == MREGION_ATTACH, next == next_descriptor());
	ASSERT_EQ(0, end_object(fd, cmd, self->vm, next));
	EXPECT_EQ(next, next_descriptor());
	if (fail_nth < 0)
		SKIP(return, "this kernel cannot inject failures");
	ASSERT_EQ(0, mr_snapshot_take(fd, &before));
	for (nth = 1; ; nth++) {
		next = next_descriptor();
		ASSERT_TRUE(fail_at(fail_nth, nth));
		err = make_object(fd, cmd, self->vm, &making);
		if (fail_no_more(fail_nth))
			break;
		if (!err) {
			/* Also where its descriptor could not be told. */
			ASSERT_EQ(0, end_object(fd, cmd, self->vm, next));
			if (cmd == MREGION_ATTACH) {
				/* Which has changed windows. */
				mr_snapshot_free(&before);
				ASSERT_EQ(0, mr_snapshot_take(fd, &before));
			}
		} else {
			ASSERT_TRUE(err == -ENOMEM || err == -EFAULT) {
				TH_LOG("allocation %d: %s", nth,
				       strerror(-err));
			}
		}
		ASSERT_EQ(next, next_descriptor());
		ASSERT_TRUE(mr_unchanged(fd, &before)) {
			TH_LOG("allocation %d left a trace", nth);
		}
	}
	EXPECT_EQ(0, err);
	EXPECT_LT(3, nth);
	mr_snapshot_free(&before);
	EXPECT_EQ(0, end_object(fd, cmd, self->vm, next));
}

/*
 * What a view's descriptor tells and hands out: all of it or nothing, and another call
 * tells it.
 */
static int ask_view(int view, unsigned int which,
		    struct mregion_view_file *file)
{
	struct mregion_interval intervals[8];
	struct mregion_range ranges[8];
	struct mregion_changes_read changes = {
		.size = sizeof(changes),
		.intervals = (uintptr_t)intervals, .nr_intervals = 8,
		.ranges = (uintptr_t)ranges, .nr_ranges = 8,
		.range_size = sizeof(ranges[0]),
	};
	int err;

	file->memory = -1;
	file->log = -1;
	switch (which) {
	case 0:
		err = mr_view(view, 0, ranges, 8, NULL);
		return err < 0 ? err : 0;
	case 1:
		return mr_ioctl(view, MREGION_CHANGES, &changes);
	default:
		return mr_view_file(view, 0x200000000, 0, file);
	}
}

TEST_F_TIMEOUT(commit, view_fails_at_each_allocation, 300)
{
	int nth, err, next, view, fail_nth = failures_open();
	int log = memfd_create("log", MFD_CLOEXEC);
	struct mregion_view_file file;
	unsigned int which;

	ASSERT_EQ(0, COMMIT(self->fd, mr_share(FILE_RAM, log),
			    mr_map(FILE_RAM, ROOT, 0x200000000, 0)));
	view = mr_view_open(self->fd, SPACE, MREGION_VIEW_OPEN_READ |
					     MREGION_VIEW_OPEN_WRITE);
	ASSERT_LE(0, view);
	next = next_descriptor();
	for (which = 0; which < 3; which++) {
		ASSERT_EQ(0, ask_view(view, which, &file));
		if (which == 2) {
			EXPECT_EQ(next, file.memory);
			EXPECT_EQ(next + 1, file.log);
			close(file.memory);
			close(file.log);
		}
		for (nth = 1; fail_nth >= 0; nth++) {
			ASSERT_TRUE(fail_at(fail_nth, nth));
			err = ask_view(view, which, &file);
			if (fail_no_more(fail_nth))
				break;
			ASSERT_TRUE(!err || err == -ENOMEM || err == -EFAULT ||
				    err == -ENFILE) {
				TH_LOG("%u, allocation %d: %s", which, nth,
				       strerror(-err));
			}
			if (!err && which == 2) {
				close(file.memory);
				close(file.log);
			}
			ASSERT_EQ(next, next_descriptor());
		}
		if (fail_nth < 0)
			continue;
		EXPECT_EQ(0, err);
		EXPECT_LT(3, nth);
		if (which == 2) {
			close(file.memory);
			close(file.log);
		}
	}
	if (fail_nth < 0)
		SKIP(return, "this kernel cannot inject failures");
	close(view);
	close(log);
}

/* What could not be taken anew is so by the next commit, even by an empty one. */
TEST_F_TIMEOUT(commit, renewed_by_the_next_commit, 300)
{
	struct mregion_claim_info claims[8];
	struct mregion_claims_read read = {
		.size = sizeof(read), .bus = MREGION_BUS_MEMORY,
		.claims = (uintptr_t)claims, .claim_size = sizeof(claims[0]),
		.flags = MREGION_CLAIMS_RENEW,
	};
	int nth, err, failed = 0, fail_nth = failures_open();
	uint64_t changed;

	if (fail_nth < 0)
		SKIP(return, "this kernel cannot inject failures");
	read.vm_fd = attached_vm(self->fd);
	if (read.vm_fd < 0)
		SKIP(return, "no virtual machine to attach to");
	for (nth = 1; ; nth++) {
		changed = windows_changed(self->fd);
		read.nr = ARRAY_SIZE(claims);
		ASSERT_TRUE(fail_at(fail_nth, nth));
		err = mr_ioctl(self->fd, MREGION_CLAIMS, &read);
		if (fail_no_more(fail_nth))
			break;
		/* Others fail before, or once the windows are new. */
		if (err != -ENOMEM || windows_changed(self->fd) != changed)
			continue;
		failed++;
		ASSERT_EQ(0, mr_commit(self->fd, NULL, 0));
		ASSERT_EQ(changed + 1, windows_changed(self->fd)) {
			TH_LOG("allocation %d", nth);
		}
		/* That is that. */
		ASSERT_EQ(0, mr_commit(self->fd, NULL, 0));
		ASSERT_EQ(changed + 1, windows_changed(self->fd));
	}
	EXPECT_LT(0, failed);
	close(read.vm_fd);
}

/* ---- KVM's own allocations --------------------------------------------- */

#define LOST_ROUNDS	40
#define LOST_DELAY_US	4000
/* kfree_rcu() frees after five seconds at most. */
#define KFREE_RCU_S	6

/* Who takes an ioeventfd off the memory bus, for which KVM finds no memory. */
struct loser {
	pthread_t thread;
	int vm;
	struct kvm_ioeventfd bell;
	unsigned int delay;		/* us */
	bool lost;
};

static void *loser_thread(void *arg)
{
	struct loser *loser = arg;
	int fail_nth = failures_open();

	loser->bell.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
	usleep(loser->delay);
	/* the first is the copy of the arguments */
	fail_at(fail_nth, 2);
	mr_ioctl(loser->vm, KVM_IOEVENTFD, &loser->bell);
	loser->lost = !fail_no_more(fail_nth);
	close(fail_nth);
	return NULL;
}

/*
 * KVM throws away a bus that it finds no memory to shrink, with all that was on it. When
 * that is the memory bus, and the attachment is not on the other one yet, it has to get off
 * that one again nevertheless. Otherwise KVM finds freed memory there at the virtual
 * machine's end.
 */
TEST_F_TIMEOUT(commit, bus_lost_while_attaching, 300)
{
	struct mregion_attach attach = {
		.size = sizeof(attach), .memory = SPACE, .pio = PIO_SPACE,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), efd = eventfd(0, 0);
	int fail_nth = failures_open(), vms[LOST_ROUNDS], err;
	FIXTURE_DATA(commit) other = {};
	unsigned int i, nr_lost = 0;

	if (fail_nth < 0)
		SKIP(return, "this kernel cannot inject failures");
	if (kvm < 0)
		SKIP(return, "no virtual machine to attach to");
	for (i = 0; i < LOST_ROUNDS; i++) {
		struct loser loser = {
			.vm = vms[i] = mr_create_vm(kvm),
			.bell = { .addr = 0xf0000000, .len = 4, .fd = efd },
			.delay = i * LOST_DELAY_US / LOST_ROUNDS,
		};

		ASSERT_LE(0, loser.vm);
		ASSERT_EQ(0, mr_ioctl(loser.vm, KVM_IOEVENTFD, &loser.bell));
		commit_setup(_metadata, &other, NULL);
		attach.vm_fd = loser.vm;
		ASSERT_EQ(0, pthread_create(&loser.thread, NULL, loser_thread,
					    &loser));
		err = mr_ioctl(other.fd, MREGION_ATTACH, &attach);
		pthread_join(loser.thread, NULL);
		/* the bus may have been lost before */
		ASSERT_TRUE(!err || err == -ENOMEM);
		nr_lost += loser.lost;
		commit_teardown(_metadata, &other, NULL);
	}
	EXPECT_EQ(LOST_ROUNDS, nr_lost);
	sleep(KFREE_RCU_S);
	for (i = 0; i < LOST_ROUNDS; i++)
		close(vms[i]);
	close(fail_nth);
	close(efd);
	close(kvm);
}

TEST_HARNESS_MAIN
