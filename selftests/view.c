// SPDX-License-Identifier: GPL-2.0
/* View descriptors: what they tell, their page, waiting for changes, and the end. */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "changes_util.h"

#define ROOT	1
#define LEFT	2
#define RIGHT	3
#define DEVICE	4
#define SPACE	1
#define OTHER	2

static struct mregion_op swap_op(bool odd, bool right)
{
	return mr_move(right ? RIGHT : LEFT, odd != right ? 0x1000 : 0);
}

FIXTURE(view) {
	int fd;
	int view;
	const uint64_t *page;
};

/* Two memories side by side, that change places; and a device behind them. */
FIXTURE_SETUP(view)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0),
			    mr_ram(LEFT, 0x1000), mr_ram(RIGHT, 0x1000),
			    mr_mmio(DEVICE, 0x1000),
			    mr_map(LEFT, ROOT, 0, 0),
			    mr_map(RIGHT, ROOT, 0x1000, 0),
			    mr_map(DEVICE, ROOT, 0x10000, 0),
			    mr_space(SPACE, ROOT)));
	self->view = mr_view_open(self->fd, SPACE, 0);
	ASSERT_LE(0, self->view);
	self->page = mr_view_page(self->view);
	ASSERT_NE(NULL, self->page);
}

FIXTURE_TEARDOWN(view)
{
	if (self->page)
		munmap((void *)self->page, MR_PAGE);
	close(self->view);
	close(self->fd);
}

static uint64_t view_generation(int fd, uint32_t space)
{
	uint64_t generation;

	return mr_view(fd, space, NULL, 0, &generation) < 0 ? 0 : generation;
}

/* The events that poll() reports now. */
static int ready(int view)
{
	struct pollfd fd = { .fd = view, .events = POLLIN };

	return poll(&fd, 1, 0) < 0 ? -errno : fd.revents;
}

/* ---- Opening, and the ioctls ------------------------------------------- */

TEST_F(view, opening)
{
	struct {
		struct mregion_view_open args;
		uint64_t more;
	} arg;
	int next = dup(0);

	close(next);
#define TRY(...) ({							\
	arg.args = (struct mregion_view_open){				\
		.size = sizeof(arg.args), .space = SPACE, .fd = -1,	\
	};								\
	arg.more = 0;							\
	__VA_ARGS__;							\
	mr_ioctl(self->fd, MREGION_VIEW_OPEN, &arg);			\
})
	EXPECT_EQ(-ENOENT, TRY(arg.args.space = 0));
	EXPECT_EQ(-ENOENT, TRY(arg.args.space = OTHER));
	EXPECT_EQ(-EOPNOTSUPP, TRY(arg.args.flags = 4));
	EXPECT_EQ(-EOPNOTSUPP, TRY(arg.args.flags = -1));
	EXPECT_EQ(-EINVAL, TRY(arg.args.flags = MREGION_VIEW_OPEN_WRITE));
	EXPECT_EQ(-EINVAL, TRY(arg.args.size--));
	EXPECT_EQ(-E2BIG, TRY(arg.args.size = sizeof(arg), arg.more = 1));
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_VIEW_OPEN, NULL));
	/* None of these has left a descriptor. */
	EXPECT_EQ(0, TRY(arg.args.size = sizeof(arg)));
	EXPECT_EQ(next, arg.args.fd);
#undef TRY
	EXPECT_EQ(FD_CLOEXEC, fcntl(arg.args.fd, F_GETFD));
	EXPECT_EQ(O_RDONLY, fcntl(arg.args.fd, F_GETFL) & O_ACCMODE);
	close(arg.args.fd);
}

TEST_F(view, tells_what_the_machine_does)
{
	struct mregion_range of_machine[4] = {}, of_view[4] = {};
	struct mregion_translate translate[2];
	uint64_t generation[2], addr;

	EXPECT_EQ(3, mr_view(self->fd, SPACE, of_machine, 4, &generation[0]));
	EXPECT_EQ(3, mr_view(self->view, 0, of_view, 4, &generation[1]));
	EXPECT_EQ(generation[0], generation[1]);
	EXPECT_EQ(0, memcmp(of_machine, of_view, sizeof(of_view)));
	for (addr = 0; addr < 0x20000; addr += 0x800) {
		EXPECT_EQ(0, mr_translate(self->fd, SPACE, addr, 0x800,
					  &translate[0]));
		EXPECT_EQ(0, mr_translate(self->view, 0, addr, 0x800,
					  &translate[1]));
		translate[0].space = 0;
		EXPECT_EQ(0, memcmp(&translate[0], &translate[1],
				    sizeof(translate[0])));
	}
	EXPECT_EQ(-EINVAL, mr_translate(self->view, 0, 1, 0, &translate[0]));
}

TEST_F(view, misuse)
{
	struct mregion_changes_read changes = {
		.size = sizeof(changes), .space = SPACE,
		.range_size = sizeof(struct mregion_range),
	};
	struct {
		struct mregion_view_file args;
		uint64_t more;
	} file = { .args.size = sizeof(file.args) };
	struct mregion_translate translate;
	unsigned int nr;
	char byte;

	/* The descriptor names the space. */
	EXPECT_EQ(-EINVAL, mr_view(self->view, SPACE, NULL, 0, NULL));
	EXPECT_EQ(-EINVAL, mr_ioctl(self->view, MREGION_CHANGES, &changes));
	EXPECT_EQ(-EINVAL, mr_translate(self->view, SPACE, 0, 1, &translate));

	changes.space = 0;
	EXPECT_EQ(0, mr_ioctl(self->view, MREGION_CHANGES, &changes));
	changes.size--;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->view, MREGION_CHANGES, &changes));
	changes.size = sizeof(changes);
	changes.range_size--;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->view, MREGION_CHANGES, &changes));
	changes.range_size++;
	changes.reserved = 1;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->view, MREGION_CHANGES, &changes));
	changes.reserved = 0;
	changes.nr_ranges = 1;
	EXPECT_EQ(-EFAULT, mr_ioctl(self->view, MREGION_CHANGES, &changes));
	EXPECT_EQ(-EFAULT, mr_view(self->view, 0, NULL, 1, NULL));
	EXPECT_EQ(-EFAULT, mr_ioctl(self->view, MREGION_VIEW_READ, NULL));

	file.args.size--;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->view, MREGION_VIEW_FILE, &file));
	file.args.size = sizeof(file);
	file.more = 1;
	EXPECT_EQ(-E2BIG, mr_ioctl(self->view, MREGION_VIEW_FILE, &file));
	file.args.size = 4097;
	EXPECT_EQ(-E2BIG, mr_ioctl(self->view, MREGION_VIEW_FILE, &file));

	for (nr = 0; nr < 256; nr++)
		if (nr != _IOC_NR(MREGION_VIEW_READ) &&
		    nr != _IOC_NR(MREGION_CHANGES) &&
		    nr != _IOC_NR(MREGION_TRANSLATE) &&
		    nr != _IOC_NR(MREGION_VIEW_FILE))
			EXPECT_EQ(-ENOTTY, mr_ioctl(self->view,
				_IO(MREGION_IOCTL_TYPE, nr), &changes));
	EXPECT_EQ(-ENOTTY, mr_ioctl(self->fd, MREGION_VIEW_FILE, &file));
	EXPECT_EQ(-1, read(self->view, &byte, 1));
	EXPECT_EQ(-1, write(self->view, &byte, 1));
}

/* ---- The page ---------------------------------------------------------- */

TEST_F(view, page_is_never_writable)
{
	char path[32];
	void *page;
	int fd;

#define MAP(prot, flags, len, offset)					\
	(mmap(NULL, len, prot, flags, self->view, offset) == MAP_FAILED ? \
	 -errno : 0)
	EXPECT_EQ(-EACCES, MAP(PROT_READ | PROT_WRITE, MAP_SHARED, MR_PAGE, 0));
	EXPECT_EQ(-EACCES, MAP(PROT_WRITE, MAP_SHARED, MR_PAGE, 0));
	EXPECT_EQ(-EINVAL, MAP(PROT_READ, MAP_PRIVATE, MR_PAGE, 0));
	EXPECT_EQ(-EINVAL, MAP(PROT_READ | PROT_WRITE, MAP_PRIVATE, MR_PAGE, 0));
	EXPECT_EQ(-ENXIO, MAP(PROT_READ, MAP_SHARED, 2 * MR_PAGE, 0));
	EXPECT_EQ(-ENXIO, MAP(PROT_READ, MAP_SHARED, MR_PAGE, MR_PAGE));
#undef MAP
	page = mmap(NULL, MR_PAGE, PROT_READ, MAP_SHARED, self->view, 0);
	ASSERT_NE(MAP_FAILED, page);
	EXPECT_EQ(-1, mprotect(page, MR_PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mremap(page, MR_PAGE, 2 * MR_PAGE,
				     MREMAP_MAYMOVE));
	/* By what debuggers write with, neither. */
	fd = open("/proc/self/mem", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, "hello, wo", 8, (uintptr_t)page));
	close(fd);
	EXPECT_EQ(*self->page, *(uint64_t *)page);
	/* Nor is there another way to have it for writing. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->view);
	EXPECT_EQ(-1, open(path, O_RDWR));
	munmap(page, MR_PAGE);
}

TEST_F(view, page_follows)
{
	const uint64_t *page = self->page, *another;
	uint64_t last = view_generation(self->fd, SPACE);
	struct mr_ring ring;
	uint32_t i;
	int view;

	EXPECT_EQ(last, *page);
	for (i = 1; i < MR_PAGE / sizeof(*page); i++)
		ASSERT_EQ(0, page[i]);
	/* What leaves the view leaves it. */
	ASSERT_EQ(0, mr_ring_create(self->fd, 1, 2, -1, 0, 0, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(DEVICE, 1, 0, 4)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(10, 1)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(OTHER, ROOT)));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_unmap(LEFT), mr_unmap(10)));
	EXPECT_EQ(0, mr_commit_flags(self->fd, &(struct mregion_op){
		.code = MREGION_OP_UNMAP, .id = LEFT,
	}, 1, MREGION_COMMIT_DRY_RUN, NULL));
	EXPECT_EQ(last, *page);
	/* Ranges, and what is between them. */
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEVICE, 0x20000 + i)));
		EXPECT_EQ(view_generation(self->fd, SPACE), *page);
		EXPECT_LT(last, *page);
		last = *page;
	}
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_set(SPACE, ROOT,
						   MREGION_BUS_MEMORY,
						   MREGION_POLICY_ZEROES)));
	EXPECT_LT(last, *page);
	/* There is one for each space. */
	view = mr_view_open(self->fd, SPACE, 0);
	another = mr_view_page(view);
	ASSERT_NE(NULL, another);
	EXPECT_EQ(*page, *another);
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(LEFT)));
	EXPECT_EQ(view_generation(self->fd, SPACE), *another);
	EXPECT_EQ(*page, *another);
	munmap((void *)another, MR_PAGE);
	close(view);
	mr_ring_unmap(&ring);
}

TEST_F(view, page_is_charged)
{
	struct mregion_stats before, after;
	int views[2], i;

	ASSERT_EQ(0, COMMIT(self->fd, mr_space(OTHER, ROOT)));
	ASSERT_TRUE(mr_until(!mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0,
				       &before) && before.memory));
	for (i = 0; i < 2; i++) {
		views[i] = mr_view_open(self->fd, OTHER, 0);
		ASSERT_LE(0, views[i]);
		ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0,
				      &after));
		/* The space, its view and map may be freed, too. */
		if (i) {
			EXPECT_GE(before.memory, after.memory);
		} else {
			EXPECT_LE(before.memory + MR_PAGE / 2, after.memory);
		}
		before = after;
	}
	/* With the space gone, the last descriptor keeps it. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(OTHER)));
	close(views[0]);
	usleep(100000);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &before));
	close(views[1]);
	EXPECT_TRUE(mr_until(!mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0,
				       &after) &&
			     after.memory + MR_PAGE <= before.memory));
}

/* ---- A reader elsewhere ------------------------------------------------ */

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* What parent and child tell each other. */
struct storm {
	uint64_t returned;	/* generation of the last commit that has */
	uint64_t met;		/* by the child: times that the page was its copy's */
	uint64_t followed;
	bool stop;
};

/* The child's side. @even: a generation in which LEFT is left. */
struct follower {
	struct storm *storm;
	struct copy copy;
	const uint64_t *page;
	uint64_t even;
	int view;
};

#define CHILD_CHECK(condition, ...) do {				\
	if (!(condition)) {						\
		fprintf(stderr, "# child: " __VA_ARGS__);		\
		fprintf(stderr, "\n");					\
		return false;						\
	}								\
} while (0)

static uint32_t at_zero(const struct follower *follower, uint64_t generation)
{
	return (generation - follower->even) % 2 ? RIGHT : LEFT;
}

static bool follow(struct follower *follower)
{
	struct mregion_range ranges[8];
	struct changes changes = { .ranges = ranges };
	struct mregion_changes_read args = {
		.size = sizeof(args), .since = follower->copy.generation,
		.intervals = (uintptr_t)changes.intervals,
		.nr_intervals = MAX_INTERVALS,
		.ranges = (uintptr_t)ranges, .nr_ranges = 8,
		.range_size = sizeof(ranges[0]),
	};
	const struct copy *copy = &follower->copy;
	const char *why;
	int err = mr_ioctl(follower->view, MREGION_CHANGES, &args);
	uint32_t first;

	CHILD_CHECK(!err, "changes: error %d", err);
	changes.nr_intervals = args.nr_intervals;
	changes.nr_ranges = args.nr_ranges;
	changes.generation = args.generation;
	why = copy_change(&follower->copy, &changes);
	CHILD_CHECK(!why, "%s", why);
	/* Never what is of two views. */
	first = at_zero(follower, copy->generation);
	CHILD_CHECK(copy->nr == 3, "%u ranges", copy->nr);
	CHILD_CHECK(copy->ranges[0].region == first &&
		    copy->ranges[1].region == LEFT + RIGHT - first,
		    "region %u and %u in generation %llu",
		    copy->ranges[0].region, copy->ranges[1].region,
		    (unsigned long long)copy->generation);
	follower->storm->followed++;
	return true;
}

static bool look(struct follower *follower)
{
	uint64_t returned, before, after;
	struct mregion_translate translate;
	int err;

	returned = __atomic_load_n(&follower->storm->returned,
				   __ATOMIC_ACQUIRE);
	before = mr_view_page_load(follower->page);
	CHILD_CHECK(before >= returned, "the page says %llu after %llu",
		    (unsigned long long)before, (unsigned long long)returned);
	err = mr_translate(follower->view, 0, 0, 0x1000, &translate);
	CHILD_CHECK(!err, "translate: error %d", err);
	after = mr_view_page_load(follower->page);
	CHILD_CHECK(translate.generation >= before,
		    "a view of %llu after the page said %llu",
		    (unsigned long long)translate.generation,
		    (unsigned long long)before);
	CHILD_CHECK(after >= before, "the page goes back");
	CHILD_CHECK(translate.range.region ==
		    at_zero(follower, translate.generation),
		    "region %u in generation %llu", translate.range.region,
		    (unsigned long long)translate.generation);
	if (before != follower->copy.generation)
		return follow(follower);
	follower->storm->met++;
	if (translate.generation == before)
		CHILD_CHECK(translate.range.region ==
			    follower->copy.ranges[0].region,
			    "the copy is not of the generation on the page");
	return true;
}

static int follower_process(int sock, struct storm *storm, uint64_t even)
{
	struct follower follower = { .storm = storm, .even = even };

	follower.view = receive_fd(sock);
	follower.page = follower.view < 0 ? NULL :
			mr_view_page(follower.view);
	if (!follower.page || !follow(&follower))
		return 2;
	while (!__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE))
		if (!look(&follower))
			return 1;
	/* At rest, the copy is the view, and the page says so. */
	return look(&follower) && look(&follower) &&
	       follower.copy.generation == storm->returned ? 0 : 3;
}

TEST_F_TIMEOUT(view, followed_in_another_process, 180)
{
	struct mregion_op ops[2];
	struct mregion_commit commit = {
		.size = sizeof(commit), .ops = (uintptr_t)ops, .nr_ops = 2,
		.op_size = sizeof(ops[0]),
	};
	struct storm *storm;
	int socks[2], status = -1, i;
	pid_t child;

	storm = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, storm);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	storm->returned = *self->page;
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		/* All it has is what it is sent. */
		close(self->fd);
		close(self->view);
		close(socks[0]);
		_exit(follower_process(socks[1], storm, storm->returned));
	}
	close(socks[1]);
	ASSERT_EQ(0, send_fd(socks[0], self->view));
	i = 0;
	mr_for_a_while(3000, storm->met > 100 && storm->followed > 100) {
		if (waitpid(child, &status, WNOHANG))
			break;
		i++;
		ops[0] = swap_op(i % 2, false);
		ops[1] = swap_op(i % 2, true);
		ASSERT_EQ(0, mr_ioctl(self->fd, MREGION_COMMIT, &commit));
		__atomic_store_n(&storm->returned, commit.generation,
				 __ATOMIC_RELEASE);
		/* Now and then the copy is to be met. */
		if (i % 16 == 0)
			usleep(1000);
	}
	EXPECT_EQ(-1, status);
	__atomic_store_n(&storm->stop, true, __ATOMIC_RELEASE);
	if (status == -1)
		waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	TH_LOG("%d commits; %llu times followed, %llu times up to date", i,
	       (unsigned long long)storm->followed,
	       (unsigned long long)storm->met);
	EXPECT_LT(100, storm->met);
	EXPECT_LT(100, storm->followed);
	close(socks[0]);
	munmap(storm, MR_PAGE);
}

/* ---- Waiting ----------------------------------------------------------- */

static int read_changes(int view)
{
	struct mregion_changes_read args = {
		.size = sizeof(args),
		.range_size = sizeof(struct mregion_range),
	};

	return mr_ioctl(view, MREGION_CHANGES, &args);
}

TEST_F(view, ready_until_told)
{
	struct mregion_translate translate;
	int view = mr_view_open(self->fd, SPACE, 0), same = dup(view);

	ASSERT_LE(0, view);
	EXPECT_EQ(POLLIN, ready(self->view));
	EXPECT_EQ(0, mr_translate(self->view, 0, 0, 1, &translate));
	EXPECT_EQ(-EFAULT, mr_view(self->view, 0, NULL, 1, NULL));
	EXPECT_EQ(POLLIN, ready(self->view));
	EXPECT_EQ(0, read_changes(self->view));
	EXPECT_EQ(0, ready(self->view));
	/* Each descriptor for itself, but for those that are one. */
	EXPECT_EQ(POLLIN, ready(view));
	EXPECT_EQ(POLLIN, ready(same));
	EXPECT_LT(0, mr_view(same, 0, NULL, 0, NULL));
	EXPECT_EQ(0, ready(view));
	/* Other spaces, and what does not move anything, are nobody's business. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_container(10, 0), mr_mmio(11, 0x1000),
			    mr_map(11, 10, 0, 0), mr_space(OTHER, 10)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_move(11, 0x1000)));
	EXPECT_EQ(0, ready(self->view));
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(DEVICE)));
	EXPECT_EQ(POLLIN, ready(self->view));
	EXPECT_EQ(POLLIN, ready(view));
	EXPECT_EQ(0, read_changes(self->view));
	EXPECT_EQ(0, ready(self->view));
	EXPECT_EQ(POLLIN, ready(view));
	close(view);
	close(same);
}

struct waiter {
	pthread_t thread;
	int epoll;
	unsigned int woken;
	uint32_t events;
};

static void *wait_for_events(void *arg)
{
	struct waiter *waiter = arg;
	struct epoll_event event;

	do {
		if (epoll_wait(waiter->epoll, &event, 1, -1) != 1)
			continue;
		__atomic_store_n(&waiter->events, event.events,
				 __ATOMIC_RELEASE);
		__atomic_add_fetch(&waiter->woken, 1, __ATOMIC_RELEASE);
	} while (!(event.events & EPOLLHUP));
	return NULL;
}

/* Edges: woken once for each commit that is to be known, and by the end. */
TEST_F(view, woken)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct waiter waiter = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	unsigned int i;

	ASSERT_EQ(0, read_changes(self->view));
	ASSERT_EQ(0, epoll_ctl(waiter.epoll, EPOLL_CTL_ADD, self->view, &event));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(10, 0), mr_mmio(11, 0x1000),
			    mr_map(11, 10, 0, 0), mr_space(OTHER, 10)));
	ASSERT_EQ(0, pthread_create(&waiter.thread, NULL, wait_for_events,
				    &waiter));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, COMMIT(self->fd, mr_move(11, 0x1000 * (i + 1))));
		usleep(1000);
		EXPECT_EQ(i, __atomic_load_n(&waiter.woken, __ATOMIC_ACQUIRE));
		EXPECT_EQ(0, COMMIT(self->fd, swap_op(i % 2, false),
				    swap_op(i % 2, true),
				    mr_move(DEVICE, 0x20000 + i)));
		EXPECT_TRUE(mr_until(__atomic_load_n(&waiter.woken,
						     __ATOMIC_ACQUIRE) > i));
		EXPECT_EQ(EPOLLIN, waiter.events);
		EXPECT_EQ(0, read_changes(self->view));
	}
	close(self->fd);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(EPOLLIN | EPOLLHUP, waiter.events);
	close(waiter.epoll);
}

/* ---- The end ----------------------------------------------------------- */

static bool is_gone(int view, const uint64_t *page)
{
	struct mregion_view_file file;
	struct mregion_translate translate;

	return mr_view(view, 0, NULL, 0, NULL) == -ENODEV &&
	       read_changes(view) == -ENODEV &&
	       mr_translate(view, 0, 0, 1, &translate) == -ENODEV &&
	       mr_view_file(view, 0, 0, &file) == -ENODEV &&
	       mr_view_page_load(page) == MREGION_VIEW_GONE &&
	       ready(view) == (POLLIN | POLLHUP);
}

static int reopen(FIXTURE_DATA(view) *self)
{
	close(self->view);
	self->view = mr_view_open(self->fd, SPACE, MREGION_VIEW_OPEN_READ);
	munmap((void *)self->page, MR_PAGE);
	self->page = mr_view_page(self->view);
	return self->page ? self->view : -1;
}

TEST_F(view, space_freed)
{
	const uint64_t *page;
	int view;

	ASSERT_LE(0, reopen(self));
	/* Not by a commit that fails. */
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_space_free(SPACE),
				  mr_free(1000)));
	EXPECT_EQ(3, mr_view(self->view, 0, NULL, 0, NULL));
	EXPECT_EQ(view_generation(self->fd, SPACE), *self->page);
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE)));
	EXPECT_TRUE(is_gone(self->view, self->page));
	/* Another one of that ID is another one. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(SPACE, ROOT)));
	EXPECT_TRUE(is_gone(self->view, self->page));
	view = mr_view_open(self->fd, SPACE, MREGION_VIEW_OPEN_READ);
	ASSERT_LE(0, view);
	page = mr_view_page(view);
	ASSERT_NE(NULL, page);
	EXPECT_EQ(3, mr_view(view, 0, NULL, 0, NULL));
	/* Also in one commit. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE),
			    mr_space(SPACE, ROOT)));
	EXPECT_TRUE(is_gone(view, page));
	close(view);
	/* A page may be all that is left. */
	EXPECT_EQ(MREGION_VIEW_GONE, *page);
	munmap((void *)page, MR_PAGE);
}

TEST_F(view, machine_closed)
{
	long references = mr_module_references();
	int same;

	ASSERT_LE(0, reopen(self));
	same = dup(self->view);
	close(self->fd);
	EXPECT_TRUE(is_gone(self->view, self->page));
	/* It holds the module. */
	if (references >= 0)
		EXPECT_EQ(references - 1, mr_module_references());
	close(self->view);
	EXPECT_TRUE(is_gone(same, self->page));
	close(same);
	EXPECT_EQ(MREGION_VIEW_GONE, *self->page);
}

TEST_F(view, closed_before_the_machine)
{
	close(self->view);
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(DEVICE)));
	EXPECT_EQ(view_generation(self->fd, SPACE), *self->page);
	munmap((void *)self->page, MR_PAGE);
	self->page = NULL;
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(LEFT)));
	self->view = mr_view_open(self->fd, SPACE, 0);
	EXPECT_EQ(1, mr_view(self->view, 0, NULL, 0, NULL));
}

struct asker {
	pthread_t thread;
	int view;
	int error;
	unsigned long asked;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;
	struct mregion_translate translate;
	struct mregion_range ranges[4];
	struct mregion_view_file file;
	int err;

	do {
		err = mr_translate(asker->view, 0, 0, 1, &translate);
		if (err >= 0)
			err = mr_view(asker->view, 0, ranges, 4, NULL);
		if (err >= 0)
			err = read_changes(asker->view);
		if (err >= 0) {
			err = mr_view_file(asker->view, 0, 0, &file);
			/* none of it is shared */
			err = err == -ENODATA ? 0 : err ?: -EPROTO;
		}
		__atomic_add_fetch(&asker->asked, 1, __ATOMIC_RELEASE);
	} while (err >= 0);
	asker->error = err;
	return NULL;
}

/* While others ask: the space freed, in turn with the machine closed. */
TEST_F_TIMEOUT(view, ends_under_threads, 180)
{
	unsigned int i, j, rounds = mr_checking_kernel() ? 12 : 40;
	struct asker askers[3];

	for (i = 0; i < rounds; i++) {
		ASSERT_LE(0, reopen(self));
		for (j = 0; j < ARRAY_SIZE(askers); j++) {
			askers[j] = (struct asker){ .view = self->view };
			ASSERT_EQ(0, pthread_create(&askers[j].thread, NULL,
						    ask, &askers[j]));
		}
		ASSERT_TRUE(mr_until(__atomic_load_n(&askers[0].asked,
						     __ATOMIC_ACQUIRE)));
		if (i % 2) {
			close(self->fd);
		} else {
			/* A slot that is free, another's, or not there. */
			ASSERT_EQ(0, i % 4 ?
				  COMMIT(self->fd, mr_space_free(SPACE),
					 mr_space(OTHER, ROOT)) :
				  COMMIT(self->fd, mr_space_free(SPACE)));
			close(self->fd);
		}
		for (j = 0; j < ARRAY_SIZE(askers); j++) {
			pthread_join(askers[j].thread, NULL);
			EXPECT_EQ(-ENODEV, askers[j].error);
		}
		EXPECT_TRUE(is_gone(self->view, self->page));
		self->fd = mr_open();
		ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0),
				    mr_ram(LEFT, 0x1000),
				    mr_map(LEFT, ROOT, 0, 0),
				    mr_space(SPACE, ROOT)));
	}
}

/* ---- A holder that stops in the middle --------------------------------- */

struct stuck {
	pthread_t thread;
	struct mregion_range *ranges;
	int view;
	int ret;
};

static void *read_into(void *arg)
{
	struct stuck *stuck = arg;

	stuck->ret = mr_view(stuck->view, 0, stuck->ranges, 4, NULL);
	return NULL;
}

/* Its memory is there only when somebody says so. Closing does not wait for that. */
TEST_F(view, holder_that_does_not_go_on)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_zeropage zero = {};
	struct stuck stuck = { .view = self->view };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffd_msg msg;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		SKIP(return, "no userfaultfd");
	stuck.ranges = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stuck.ranges);
	reg.range.start = (uintptr_t)stuck.ranges;
	reg.range.len = MR_PAGE;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, &reg));
	ASSERT_EQ(0, pthread_create(&stuck.thread, NULL, read_into, &stuck));
	ASSERT_EQ(sizeof(msg), read(uffd, &msg, sizeof(msg)));
	EXPECT_EQ((uintptr_t)stuck.ranges, msg.arg.pagefault.address);
	/* Neither does a commit. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(DEVICE)));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(MREGION_VIEW_GONE, *self->page);
	zero.range = reg.range;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	pthread_join(stuck.thread, NULL);
	EXPECT_EQ(3, stuck.ret);
	EXPECT_EQ(LEFT, stuck.ranges[0].region);
	close(uffd);
}

TEST_HARNESS_MAIN
