// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors of a view in other processes, which have nothing but its descriptor: what
 * they translate, read and write while the map changes, and what the logs say of it.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mregion.h>

#include "../random_util.h"

#define PAGE		4096ull
#define PAGES		64u
#define LEN		(PAGES * PAGE)

/* Where regions are at first; the first two swap places. */
#define AT_A		0x00000000ull
#define AT_B		0x00100000ull
#define AT_ALIAS	0x00200000ull
#define AT_ROM		0x00300000ull
#define AT_MMIO		0x00400000ull
#define AT_PTR		0x00500000ull
#define AT_END		0x00600000ull

#define SWAPS		3000
#define BOTH		(MREGION_VIEW_OPEN_READ | MREGION_VIEW_OPEN_WRITE)

static uint64_t zero(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return 0;
}

static void drop(void *opaque, uint64_t offset, uint64_t data, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)data;
	(void)len;
}

static const struct mregion_ops device_ops = { .read = zero, .write = drop };

FIXTURE(mirror)
{
	struct mregion_machine *machine;
	struct mregion_region *root, *a, *b, *alias, *rom, *mmio, *ptr;
	struct mregion_space *space;
	uint8_t *given;
	int socket[2];
};

FIXTURE_SETUP(mirror)
{
	struct mregion_machine *machine;

	memset(self, 0, sizeof(*self));
	self->machine = machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, machine)
		TH_LOG("%s", mregion_error());
	self->given = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->given);
	mregion_begin(machine);
	self->root = mregion_new_container(machine, "root", 0);
	self->space = mregion_new_space(machine, MREGION_BUS_MEMORY, self->root,
					MREGION_POLICY_DEFAULT);
	self->a = mregion_new_ram(machine, MREGION_RAM, "a", LEN);
	self->b = mregion_new_ram(machine, MREGION_RAM, "b", LEN);
	self->alias = mregion_new_alias(machine, "alias", self->a, 8 * PAGE,
					16 * PAGE);
	self->rom = mregion_new_ram(machine, MREGION_ROM, "rom", LEN);
	self->mmio = mregion_new_mmio(machine, "mmio", LEN, &device_ops, NULL);
	self->ptr = mregion_new_ram_from_ptr(machine, MREGION_RAM, "ptr", LEN,
					     self->given);
	mregion_map(self->root, self->a, AT_A, 0);
	mregion_map(self->root, self->b, AT_B, 0);
	mregion_map(self->root, self->alias, AT_ALIAS, 0);
	mregion_map(self->root, self->rom, AT_ROM, 0);
	mregion_map(self->root, self->mmio, AT_MMIO, 0);
	mregion_map(self->root, self->ptr, AT_PTR, 0);
	ASSERT_EQ(0, mregion_commit(machine))
		TH_LOG("%s", mregion_error());
	memset(mregion_ram_ptr(self->a), 'a', LEN);
	memset(mregion_ram_ptr(self->b), 'b', LEN);
	memset(mregion_ram_ptr(self->rom), 'r', LEN);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				self->socket));
}

FIXTURE_TEARDOWN(mirror)
{
	mregion_machine_close(self->machine);
	munmap(self->given, LEN);
	close(self->socket[0]);
	close(self->socket[1]);
}

/* The one message that a device's process gets. */
static int send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 &&
	    CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Runs @child in a process that has the socket only; its status comes of waitpid(). */
static pid_t spawn(FIXTURE_DATA(mirror) *self, int (*child)(int socket))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	close(mregion_machine_fd(self->machine));
	munmap(self->given, LEN);
	_exit(child(self->socket[1]));
}

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

/* The memory of each region is full of a letter of its own. */
static int check_place(const struct mregion_place *place, uint32_t *letter)
{
	if (!place->ptr || place->kind != MREGION_RAM)
		return 1;
	*letter = *(uint8_t *)place->ptr;
	return *letter != 'a' && *letter != 'b';
}

/* Two regions swap places in each commit: what is told is one view's, or another's. */
static int watch_swaps(int socket)
{
	struct mregion_mirror *mirror = mregion_mirror_open(receive_fd(socket));
	uint32_t first = 0, second = 0, regions[256] = { 0 };
	struct mregion_place at_a, at_b;
	unsigned long pairs = 0, views = 0;
	uint64_t before = 0;
	char byte = 0;

	if (!mirror || send(socket, &byte, 1, 0) != 1)
		return 2;
	do {
		if (mregion_mirror_translate(mirror, AT_A, 100, &at_a) ||
		    check_place(&at_a, &first))
			return 3;
		if (mregion_mirror_translate(mirror, AT_B, 100, &at_b) ||
		    check_place(&at_b, &second))
			return 4;
		if (at_a.generation < before ||
		    at_b.generation < at_a.generation)
			return 5;
		/* An ID is of one letter only. */
		if (regions[first] && regions[first] != at_a.region)
			return 6;
		regions[first] = at_a.region;
		if (at_a.generation == at_b.generation) {
			if (first == second || at_a.region == at_b.region)
				return 7;
			pairs++;
		}
		views += at_b.generation != before;
		before = at_b.generation;
	} while (recv(socket, &byte, 1, MSG_DONTWAIT) < 0);
	mregion_mirror_close(mirror);
	return pairs && views > 20 ? 0 : 8;
}

TEST_F_TIMEOUT(mirror, storm, 300)
{
	struct mregion_holder *holder;
	char byte = 0;
	int fd, i;
	pid_t pid;

	holder = mregion_new_holder(self->space, MREGION_VIEW_OPEN_READ, &fd);
	ASSERT_NE(NULL, holder)
		TH_LOG("%s", mregion_error());
	pid = spawn(self, watch_swaps);
	ASSERT_EQ(0, send_fd(self->socket[0], fd));
	close(fd);
	ASSERT_EQ(1, recv(self->socket[0], &byte, 1, 0));
	for (i = 0; i < SWAPS; i++) {
		mregion_begin(self->machine);
		mregion_move(self->a, i % 2 ? AT_A : AT_B);
		mregion_move(self->b, i % 2 ? AT_B : AT_A);
		ASSERT_EQ(0, mregion_commit(self->machine));
		if (i % 16 == 0)
			usleep(1000);
	}
	ASSERT_EQ(1, send(self->socket[0], &byte, 1, 0));
	EXPECT_EQ(0, status_of(pid));
	mregion_holder_free(holder);
}

/* Writes at random addresses; every byte pair is written for the first time. */
static int write_pages(int socket)
{
	struct mregion_mirror *mirror = mregion_mirror_open(receive_fd(socket));
	struct prng prng = prng_of(random_seed("MREGION_SEED"), 3);
	uint16_t value = 1, data[3000];
	uint64_t addr;
	uint32_t i, n, nr;
	char byte = 0;

	if (!mirror)
		return 2;
	do {
		for (n = 0; n < 20; n++) {
			nr = 1 + below(&prng, 3000);
			for (i = 0; i < nr; i++)
				data[i] = value++;
			addr = PICK(&prng, AT_A, AT_B, AT_ALIAS) +
			       2 * below(&prng, LEN / 2);
			/* It may go beyond memory, or read-only. */
			mregion_mirror_write(mirror, addr, data, 2 * nr, NULL);
		}
		if (send(socket, &byte, 1, 0) != 1)
			return 3;
	} while (recv(socket, &byte, 1, 0) == 1);
	mregion_mirror_close(mirror);
	return 0;
}

static unsigned int compare(struct __test_metadata *_metadata,
			    struct mregion_log *log, const uint8_t *before)
{
	const uint8_t *memory = mregion_ram_ptr(mregion_log_region(log));
	unsigned int page, wrong = 0;
	uint64_t bits[PAGES / 64];

	mregion_log_take(log, 0, PAGES, bits);
	for (page = 0; page < PAGES; page++)
		if (!memcmp(memory + page * PAGE, before + page * PAGE, PAGE) !=
		    !(bits[page / 64] >> page % 64 & 1)) {
			TH_LOG("page %u of '%s': %s", page,
			       mregion_name(mregion_log_region(log)),
			       bits[page / 64] >> page % 64 & 1 ?
			       "told, not written" : "written, not told");
			wrong++;
		}
	return wrong;
}

TEST_F_TIMEOUT(mirror, writes_are_told, 300)
{
	struct mregion_region *regions[2] = { self->a, self->b };
	struct mregion_log *logs[2];
	struct mregion_holder *holder;
	static uint8_t before[2][LEN];
	int fd, i, round, wrong = 0;
	char byte = 0;
	pid_t pid;

	holder = mregion_new_holder(self->space, BOTH, &fd);
	ASSERT_NE(NULL, holder)
		TH_LOG("%s", mregion_error());
	for (i = 0; i < 2; i++) {
		logs[i] = mregion_log_start(regions[i]);
		ASSERT_NE(NULL, logs[i]);
		memcpy(before[i], mregion_ram_ptr(regions[i]), LEN);
	}
	pid = spawn(self, write_pages);
	ASSERT_EQ(0, send_fd(self->socket[0], fd));
	close(fd);
	close(self->socket[1]);
	for (round = 0; round < 30 && !wrong; round++) {
		/* Meanwhile the map changes. */
		for (i = 0; i < 20; i++) {
			mregion_move(self->b, AT_B + i % 3 * PAGE);
			mregion_set_alias_offset(self->alias, i % 8 * PAGE);
		}
		ASSERT_EQ(1, recv(self->socket[0], &byte, 1, 0));
		ASSERT_EQ(0, mregion_log_sync(self->machine));
		for (i = 0; i < 2; i++) {
			wrong += compare(_metadata, logs[i], before[i]);
			memcpy(before[i], mregion_ram_ptr(regions[i]), LEN);
		}
		ASSERT_EQ(1, send(self->socket[0], &byte, 1, 0));
	}
	EXPECT_EQ(0, wrong);
	shutdown(self->socket[0], SHUT_RDWR);
	EXPECT_EQ(0, status_of(pid) % 3);
	mregion_holder_free(holder);
	for (i = 0; i < 2; i++)
		mregion_log_stop(logs[i]);
	self->socket[1] = -1;
}

/* Is killed when it has written a part of what it said. */
static int die_in_the_middle(int socket)
{
	struct mregion_mirror *mirror = mregion_mirror_open(receive_fd(socket));
	size_t len = 4 * PAGE;
	uint8_t *ptr;

	ptr = mirror ? mregion_mirror_ptr(mirror, AT_A + 10 * PAGE, &len, true) :
		       NULL;
	if (!ptr || len != 4 * PAGE)
		return 2;
	mregion_mirror_begin(mirror, ptr, len);
	memset(ptr, 'x', 2 * PAGE);
	raise(SIGKILL);
	return 3;
}

TEST_F(mirror, killed)
{
	struct mregion_log *log = mregion_log_start(self->a);
	struct mregion_holder *holder;
	uint64_t bits;
	int fd;
	pid_t pid;

	ASSERT_NE(NULL, log);
	holder = mregion_new_holder(self->space, BOTH, &fd);
	ASSERT_NE(NULL, holder);
	pid = spawn(self, die_in_the_middle);
	ASSERT_EQ(0, send_fd(self->socket[0], fd));
	close(fd);
	EXPECT_EQ(1000 + SIGKILL, status_of(pid));
	ASSERT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_EQ(4, mregion_log_take(log, 0, PAGES, &bits));
	EXPECT_EQ(0xfull << 10, bits);
	/* For as long as nobody says that it has ended */
	ASSERT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_EQ(4, mregion_log_take(log, 0, PAGES, NULL));
	mregion_holder_free(holder);
	ASSERT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_EQ(4, mregion_log_take(log, 0, PAGES, NULL));
	ASSERT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_EQ(0, mregion_log_take(log, 0, PAGES, NULL));
	mregion_log_stop(log);
}

/* Memory, no memory, and memory that this one may not have; in the VMM itself. */
TEST_F(mirror, rights)
{
	struct mregion_holder *holder, *reader, *looker;
	struct mregion_mirror *mirror, *reading, *looking;
	struct mregion_place place;
	uint8_t buf[64];
	size_t len, done;
	int fd;

	holder = mregion_new_holder(self->space, BOTH, &fd);
	ASSERT_NE(NULL, holder);
	mirror = mregion_mirror_open(fd);
	close(fd);
	ASSERT_NE(NULL, mirror);
	reader = mregion_new_holder(self->space, MREGION_VIEW_OPEN_READ, &fd);
	ASSERT_NE(NULL, reader);
	reading = mregion_mirror_open(fd);
	close(fd);
	ASSERT_NE(NULL, reading);
	looker = mregion_new_holder(self->space, 0, &fd);
	ASSERT_NE(NULL, looker);
	looking = mregion_mirror_open(fd);
	close(fd);
	ASSERT_NE(NULL, looking);

	EXPECT_EQ(0, mregion_mirror_read(mirror, AT_A + LEN - 32, buf, 32,
					 &done));
	EXPECT_EQ(32, done);
	EXPECT_EQ('a', buf[31]);
	/* to the end of memory, and no further */
	EXPECT_EQ(-EFAULT, mregion_mirror_read(mirror, AT_A + LEN - 32, buf, 64,
					       &done));
	EXPECT_EQ(32, done);
	EXPECT_EQ(-EROFS, mregion_mirror_write(mirror, AT_ROM, buf, 4, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, mregion_mirror_read(mirror, AT_ROM, buf, 4, NULL));
	EXPECT_EQ('r', buf[0]);
	EXPECT_EQ(-EFAULT, mregion_mirror_read(mirror, AT_MMIO, buf, 4, NULL));
	/* No other process can have it. */
	EXPECT_EQ(-EFAULT, mregion_mirror_read(mirror, AT_PTR, buf, 4, NULL));
	EXPECT_EQ(-EFAULT, mregion_mirror_write(mirror, AT_END, buf, 4, NULL));
	EXPECT_EQ(-EFAULT, mregion_mirror_read(mirror, ~0ull, buf, 1, NULL));
	EXPECT_EQ(-EFAULT, mregion_mirror_read(mirror, ~0ull - 1, buf, 4, NULL));
	len = 10;
	EXPECT_EQ(NULL, mregion_mirror_ptr(mirror, AT_ROM, &len, true));
	EXPECT_EQ(EFAULT, errno);

	EXPECT_EQ(0, mregion_mirror_translate(mirror, AT_MMIO + 5, 0, &place));
	EXPECT_EQ(MREGION_MMIO, place.kind);
	EXPECT_EQ(mregion_id(self->mmio), place.region);
	EXPECT_EQ(5, place.offset);
	EXPECT_EQ(LEN - 5, place.len);
	EXPECT_EQ(NULL, place.ptr);
	EXPECT_EQ(0, mregion_mirror_translate(mirror, AT_A + LEN, 0, &place));
	EXPECT_EQ(0, place.kind);
	EXPECT_EQ(AT_B - LEN, place.len);
	EXPECT_EQ(0, mregion_mirror_translate(mirror, 0, 0, &place));

	EXPECT_EQ(0, mregion_mirror_read(reading, AT_A, buf, 4, NULL));
	EXPECT_EQ(-EROFS, mregion_mirror_write(reading, AT_A, buf, 4, NULL));
	EXPECT_EQ(-EFAULT, mregion_mirror_read(looking, AT_A, buf, 4, NULL));
	EXPECT_EQ(0, mregion_mirror_translate(looking, AT_A, 4, &place));
	EXPECT_EQ(mregion_id(self->a), place.region);
	EXPECT_EQ(NULL, place.ptr);

	/* As it is now, and also what is created later */
	EXPECT_EQ(0, mregion_set_readonly(self->a, true));
	EXPECT_EQ(-EROFS, mregion_mirror_write(mirror, AT_A, buf, 4, NULL));
	EXPECT_EQ(0, mregion_set_readonly(self->a, false));
	EXPECT_EQ(0, mregion_mirror_write(mirror, AT_A, buf, 4, NULL));
	EXPECT_EQ(0, memcmp(mregion_ram_ptr(self->a), buf, 4));
	EXPECT_EQ(0, mregion_resize(self->a, 2 * LEN));
	memset((uint8_t *)mregion_ram_ptr(self->a) + LEN, 'A', LEN);
	EXPECT_EQ(0, mregion_mirror_read(mirror, AT_A + 2 * LEN - 4, buf, 4,
					 NULL));
	EXPECT_EQ('A', buf[0]);
	mregion_begin(self->machine);
	mregion_unmap(self->mmio);
	self->ptr = mregion_new_ram(self->machine, MREGION_RAM, "new", LEN);
	mregion_map(self->root, self->ptr, AT_MMIO, 0);
	EXPECT_EQ(0, mregion_commit(self->machine));
	EXPECT_EQ(0, mregion_mirror_write(mirror, AT_MMIO, "new", 4, NULL));
	EXPECT_EQ(0, memcmp(mregion_ram_ptr(self->ptr), "new", 4));

	EXPECT_EQ(0, mregion_space_free(self->space));
	EXPECT_EQ(-ENODEV, mregion_mirror_read(mirror, AT_A, buf, 4, NULL));
	mregion_mirror_close(mirror);
	mregion_mirror_close(reading);
	mregion_mirror_close(looking);
	mregion_holder_free(holder);
	mregion_holder_free(looker);
	/* The machine's end is that of the other. */
	EXPECT_EQ(NULL, mregion_mirror_open(mregion_machine_fd(self->machine)));
}

/* Memory stays where it is mapped while the view shows it. */
TEST_F(mirror, pointers)
{
	struct mregion_holder *holder;
	struct mregion_mirror *mirror;
	struct mregion_log *log;
	size_t len = LEN;
	uint8_t *ptr;
	int fd;

	holder = mregion_new_holder(self->space, BOTH, &fd);
	ASSERT_NE(NULL, holder);
	mirror = mregion_mirror_open(fd);
	ASSERT_NE(NULL, mirror);
	close(fd);
	ptr = mregion_mirror_ptr(mirror, AT_A, &len, true);
	ASSERT_NE(NULL, ptr);
	/* Each of these gives it another range. */
	log = mregion_log_start(self->a);
	ASSERT_NE(NULL, log);
	EXPECT_EQ(ptr, mregion_mirror_ptr(mirror, AT_A, &len, true));
	EXPECT_EQ(0, mregion_move(self->a, AT_END));
	EXPECT_EQ(NULL, mregion_mirror_ptr(mirror, AT_A, &len, true));
	mregion_mirror_begin(mirror, ptr, 1);
	*ptr = 'y';
	mregion_mirror_mark(mirror, ptr, 1);
	mregion_mirror_end(mirror);
	EXPECT_EQ(0, mregion_resize(self->a, 2 * LEN));
	len = 2 * LEN;
	EXPECT_NE(NULL, mregion_mirror_ptr(mirror, AT_END, &len, true));
	EXPECT_EQ(2 * LEN, len);
	EXPECT_EQ('y', *ptr);
	mregion_mirror_mark(mirror, ptr + PAGE, 1);
	EXPECT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_EQ(2, mregion_log_take(log, 0, UINT64_MAX, NULL));
	mregion_log_stop(log);
	mregion_holder_free(holder);
	mregion_mirror_close(mirror);
}

/* Whether an address can be read, without a signal if not. */
static bool readable(int pipe[2], const uint8_t *ptr)
{
	uint8_t byte;

	return write(pipe[1], ptr, 1) == 1 && read(pipe[0], &byte, 1) == 1;
}

TEST_F(mirror, window)
{
	struct mregion_holder *holder;
	struct mregion_window *window, *last;
	struct mregion_region *small;
	const uint8_t *at, *at_last;
	int fd, pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	holder = mregion_new_holder(self->space, MREGION_VIEW_OPEN_READ, &fd);
	ASSERT_NE(NULL, holder);
	EXPECT_EQ(NULL, mregion_window_open(fd, 1, LEN));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, mregion_window_open(fd, 0, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, mregion_window_open(fd, -PAGE, 2 * PAGE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, mregion_window_open(pipes[0], 0, LEN));
	EXPECT_EQ(EINVAL, errno);
	window = mregion_window_open(fd, 0, AT_END + LEN);
	ASSERT_NE(NULL, window)
		TH_LOG("%s", mregion_error());
	close(fd);
	at = mregion_window_ptr(window);

#define READABLE(addr)	readable(pipes, at + (addr))
	EXPECT_EQ('a', at[AT_A]);
	EXPECT_EQ('a', at[AT_A + LEN - 1]);
	EXPECT_EQ('b', at[AT_B]);
	EXPECT_EQ('a', at[AT_ALIAS]);
	EXPECT_EQ('r', at[AT_ROM]);
	EXPECT_FALSE(READABLE(AT_A + LEN));
	EXPECT_FALSE(READABLE(AT_MMIO));
	EXPECT_FALSE(READABLE(AT_PTR));
	EXPECT_FALSE(READABLE(AT_END));
	EXPECT_EQ(0, mregion_window_follow(window));
	*(uint8_t *)mregion_ram_ptr(self->a) = 'x';
	EXPECT_EQ('x', at[AT_A]);

	EXPECT_EQ(0, mregion_move(self->b, AT_END));
	EXPECT_EQ(1, mregion_window_follow(window));
	EXPECT_FALSE(READABLE(AT_B));
	EXPECT_EQ('b', at[AT_END + LEN - 1]);
	EXPECT_EQ('x', at[AT_A]);

	/* Of a page with registers in it, none is left. */
	small = mregion_new_mmio(self->machine, "small", 0x20, &device_ops, NULL);
	EXPECT_EQ(0, mregion_map(self->root, small, AT_A + 3 * PAGE + 0x100, 1));
	EXPECT_EQ(1, mregion_window_follow(window));
	EXPECT_TRUE(READABLE(AT_A + 3 * PAGE - 1));
	EXPECT_FALSE(READABLE(AT_A + 3 * PAGE));
	EXPECT_TRUE(READABLE(AT_A + 4 * PAGE));
	EXPECT_EQ(0, mregion_unmap(small));
	EXPECT_EQ(1, mregion_window_follow(window));
	EXPECT_EQ('a', at[AT_A + 3 * PAGE]);

	/* Memory at another place in its page is not mapped. */
	EXPECT_EQ(0, mregion_move(self->a, AT_A + 0x800));
	EXPECT_EQ(1, mregion_window_follow(window));
	EXPECT_FALSE(READABLE(AT_A + 4 * PAGE));
	EXPECT_EQ('a', at[AT_ALIAS]);
#undef READABLE

	/* The last page that there is. */
	EXPECT_EQ(0, mregion_move(self->b, -LEN));
	last = mregion_window_open(mregion_window_fd(window), -LEN, LEN);
	ASSERT_NE(NULL, last)
		TH_LOG("%s", mregion_error());
	at_last = mregion_window_ptr(last);
	EXPECT_EQ('b', at_last[0]);
	EXPECT_EQ('b', at_last[LEN - 1]);
	EXPECT_EQ(0, mregion_move(self->b, -LEN - PAGE));
	EXPECT_EQ(1, mregion_window_follow(last));
	EXPECT_TRUE(readable(pipes, at_last + LEN - PAGE - 1));
	EXPECT_FALSE(readable(pipes, at_last + LEN - PAGE));
	mregion_window_close(last);
	EXPECT_EQ(0, mregion_space_free(self->space));
	EXPECT_EQ(-ENODEV, mregion_window_follow(window));
	EXPECT_EQ('a', at[AT_ALIAS]);
	mregion_window_close(window);
	mregion_window_close(NULL);
	mregion_holder_free(holder);
	close(pipes[0]);
	close(pipes[1]);
}

/* poll() tells of a change of this space. */
TEST_F(mirror, poll)
{
	struct mregion_holder *holder;
	struct mregion_mirror *mirror;
	struct mregion_place place;
	struct pollfd polled = { .events = POLLIN };
	int fd;

	holder = mregion_new_holder(self->space, 0, &fd);
	ASSERT_NE(NULL, holder);
	mirror = mregion_mirror_open(fd);
	ASSERT_NE(NULL, mirror);
	close(fd);
	polled.fd = mregion_mirror_fd(mirror);
	EXPECT_EQ(0, poll(&polled, 1, 0));
	EXPECT_EQ(0, mregion_move(self->b, AT_END));
	EXPECT_EQ(1, poll(&polled, 1, 0));
	EXPECT_EQ(0, mregion_mirror_translate(mirror, AT_END, 1, &place));
	EXPECT_EQ(mregion_id(self->b), place.region);
	EXPECT_EQ(0, poll(&polled, 1, 0));
	mregion_holder_free(holder);
	mregion_mirror_close(mirror);
}

TEST_HARNESS_MAIN
