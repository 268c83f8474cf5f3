// SPDX-License-Identifier: GPL-2.0
/* The files of memory: which regions are shared, who gets them, and for what. */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "mregion_util.h"

enum {
	ROOT = 1, RAM, ROM, ROMD, RAMDEV, PRIVATE, PLAIN, DEVICE, ALIAS,
	RO_RAM,
};

#define SPACE	1
#define READ	MREGION_VIEW_OPEN_READ
#define WRITE	MREGION_VIEW_OPEN_WRITE
#define SERIAL	MREGION_VIEW_FILE_SERIAL

#define LEN	0x1000ull
#define AT(region)	((region) * 0x10000ull)

FIXTURE(view_file) {
	int fd;
	int memory;		/* eight pages, each filled with its number + 1 */
	int readonly;		/* the same file, for reading */
	int log;
	int view[3];		/* for nothing, reading, writing */
};

/*
 * All kinds, one beside the other, each of one page of the same file, and the same
 * once more behind that. All but PRIVATE, PLAIN and what has no file are shared.
 */
FIXTURE_SETUP(view_file)
{
	char page[MR_PAGE], path[32];
	unsigned int i;

	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	self->memory = memfd_create("memory", MFD_CLOEXEC);
	ASSERT_LE(0, self->memory);
	for (i = 0; i < 8; i++) {
		memset(page, i + 1, sizeof(page));
		ASSERT_EQ(sizeof(page), write(self->memory, page, sizeof(page)));
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->memory);
	self->readonly = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->readonly);
	self->log = memfd_create("log", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(self->log, MR_PAGE));
#define FILE_OP(id, kind, nr) \
	mr_in_file(mr_create(id, kind, LEN), self->memory, (nr) * MR_PAGE)
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(ROOT, 0),
		FILE_OP(RAM, MREGION_RAM, 0),
		FILE_OP(ROM, MREGION_ROM, 1),
		FILE_OP(ROMD, MREGION_ROMD, 2),
		FILE_OP(RAMDEV, MREGION_RAMDEV, 3),
		FILE_OP(PRIVATE, MREGION_RAM, 4),
		mr_ram(PLAIN, LEN), mr_mmio(DEVICE, LEN),
		mr_alias(ALIAS, RAM, 0x800, 0x800),
		mr_in_file(mr_ram(RO_RAM, LEN), self->readonly, 5 * MR_PAGE),
		mr_map(RAM, ROOT, AT(RAM), 0), mr_map(ROM, ROOT, AT(ROM), 0),
		mr_map(ROMD, ROOT, AT(ROMD), 0),
		mr_map(RAMDEV, ROOT, AT(RAMDEV), 0),
		mr_map(PRIVATE, ROOT, AT(PRIVATE), 0),
		mr_map(PLAIN, ROOT, AT(PLAIN), 0),
		mr_map(DEVICE, ROOT, AT(DEVICE), 0),
		mr_map(ALIAS, ROOT, AT(ALIAS), 0),
		mr_map(RO_RAM, ROOT, AT(RO_RAM), 0),
		mr_set_flags(ALIAS, MREGION_REGION_READONLY,
			     MREGION_REGION_READONLY),
		mr_share(RAM, self->log), mr_share(ROM, -1),
		mr_share(ROMD, -1), mr_share(RAMDEV, -1),
		mr_share(RO_RAM, self->log),
		mr_space(SPACE, ROOT)));
	self->view[0] = mr_view_open(self->fd, SPACE, 0);
	self->view[1] = mr_view_open(self->fd, SPACE, READ);
	self->view[2] = mr_view_open(self->fd, SPACE, READ | WRITE);
	ASSERT_LE(0, self->view[2]);
}

FIXTURE_TEARDOWN(view_file)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		close(self->view[i]);
	close(self->memory);
	close(self->readonly);
	close(self->log);
	close(self->fd);
}

static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void close_files(const struct mregion_view_file *file)
{
	if (file->memory >= 0)
		close(file->memory);
	if (file->log >= 0)
		close(file->log);
}

/* The byte at the address that was asked for, in the file; -1: it cannot be read. */
static int byte_of(const struct mregion_view_file *file)
{
	uint8_t byte;

	return pread(file->memory, &byte, 1, file->offset +
		     file->range.offset) == 1 ? byte : -1;
}

static bool may_be_mapped(int fd, int prot)
{
	void *page = mmap(NULL, MR_PAGE, prot, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return false;
	munmap(page, MR_PAGE);
	return true;
}

/* Whether a descriptor lets do what it is said to, and no more. */
static bool is_for(int fd, bool write)
{
	uint8_t byte;

	return (fcntl(fd, F_GETFL) & O_ACCMODE) == (write ? O_RDWR : O_RDONLY) &&
	       fcntl(fd, F_GETFD) == FD_CLOEXEC &&
	       pread(fd, &byte, 1, 0) == 1 &&
	       pwrite(fd, &byte, 1, 0) == (write ? 1 : -1) &&
	       (ftruncate(fd, 8 * MR_PAGE) == 0) == write &&
	       may_be_mapped(fd, PROT_READ) &&
	       may_be_mapped(fd, PROT_READ | PROT_WRITE) == write;
}

/* ---- What is handed out ------------------------------------------------ */

TEST_F(view_file, by_range_and_descriptor)
{
	static const struct {
		uint64_t addr;
		int err;
		int byte;
		bool writable;
		bool log;
	} cases[] = {
		{ AT(RAM), 0, 1, true, true },
		{ AT(RAM) + LEN - 1, 0, 1, true, true },
		{ AT(ROM), 0, 2, false, false },
		{ AT(ROMD), 0, 3, false, false },
		{ AT(RAMDEV), 0, 4, true, false },
		/* The alias is read-only, and begins in the middle. */
		{ AT(ALIAS), 0, 1, false, false },
		{ AT(RO_RAM), 0, 6, false, false },
		{ AT(PRIVATE), -ENODATA, 0, false, false },
		{ AT(PLAIN), -ENODATA, 0, false, false },
		{ AT(DEVICE), -ENODATA, 0, false, false },
		{ 0, -ENXIO, 0, false, false },
		{ AT(RAM) - 1, -ENXIO, 0, false, false },
		{ AT(RAM) + LEN, -ENXIO, 0, false, false },
		{ -1ull, -ENXIO, 0, false, false },
	};
	struct mregion_view_file file, serial;
	struct mregion_translate translate;
	int next = next_descriptor(), err;
	unsigned int i, rights;
	bool writable, log;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (rights = 0; rights < 3; rights++) {
			TH_LOG("address %#llx, rights %u",
			       (unsigned long long)cases[i].addr, rights);
			err = mr_view_file(self->view[rights], cases[i].addr, 0,
					   &file);
			EXPECT_EQ(rights ? cases[i].err : -EACCES, err);
			EXPECT_EQ(err, mr_view_file(self->view[rights],
						    cases[i].addr, SERIAL,
						    &serial));
			if (err) {
				EXPECT_EQ(next, next_descriptor());
				continue;
			}
			writable = rights == 2 && cases[i].writable;
			log = rights == 2 && cases[i].log;
			EXPECT_EQ(writable, file.writable);
			EXPECT_TRUE(is_for(file.memory, writable));
			EXPECT_EQ(log, file.log >= 0);
			if (!log)
				EXPECT_EQ(-1, file.log);
			EXPECT_TRUE(!log || is_for(file.log, true));
			EXPECT_EQ(cases[i].byte, byte_of(&file));
			EXPECT_EQ(0, file.offset % MR_PAGE);
			EXPECT_EQ(0, mr_translate(self->view[rights], 0,
						  cases[i].addr,
						  -cases[i].addr, &translate));
			EXPECT_EQ(0, memcmp(&translate.range, &file.range,
					    sizeof(file.range)));
			EXPECT_EQ(translate.generation, file.generation);
			close_files(&file);
			/* The same without descriptors. */
			file.memory = -1;
			file.log = -1;
			file.flags = SERIAL;
			EXPECT_EQ(0, memcmp(&file, &serial, sizeof(file)));
		}
	}
	EXPECT_EQ(next, next_descriptor());
}

TEST_F(view_file, as_the_view_is_now)
{
	struct mregion_view_file file;
	int view = self->view[2];

#define WRITABLE(addr) ({						\
	int __err = mr_view_file(view, addr, SERIAL, &file);		\
									\
	__err ?: (int)file.writable;					\
})
	EXPECT_EQ(1, WRITABLE(AT(RAM)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_set_flags(RAM, MREGION_REGION_READONLY,
						   MREGION_REGION_READONLY)));
	EXPECT_EQ(0, WRITABLE(AT(RAM)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_set_flags(RAM, MREGION_REGION_READONLY,
						   0)));
	EXPECT_EQ(1, WRITABLE(AT(RAM)));
	/* Something is on top. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_mmio(100, LEN / 2),
			    mr_map(100, ROOT, AT(RAM), 1)));
	EXPECT_EQ(-ENODATA, WRITABLE(AT(RAM)));
	EXPECT_EQ(1, WRITABLE(AT(RAM) + LEN / 2));
	EXPECT_EQ(LEN / 2, file.range.offset);
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(RAM)));
	EXPECT_EQ(-ENXIO, WRITABLE(AT(RAM) + LEN / 2));
	EXPECT_EQ(0, WRITABLE(AT(ALIAS)));
	EXPECT_EQ(0, COMMIT(self->fd,
			    mr_set_flags(ALIAS, MREGION_REGION_DISABLED,
					 MREGION_REGION_DISABLED)));
	EXPECT_EQ(-ENXIO, WRITABLE(AT(ALIAS)));
	/* Reads of the ROM device go to the device, so it is no memory. */
	EXPECT_EQ(0, WRITABLE(AT(ROMD)));
	EXPECT_EQ(0, COMMIT(self->fd,
			    mr_set_flags(ROMD, MREGION_REGION_ROMD_OFF,
					 MREGION_REGION_ROMD_OFF)));
	EXPECT_EQ(-ENODATA, WRITABLE(AT(ROMD)));
#undef WRITABLE
}

/* Both see what the other writes; positions and flags are each one's own. */
TEST_F(view_file, is_the_memory)
{
	struct mregion_view_file file;
	uint8_t *ours, *theirs, byte;

	ASSERT_EQ(0, mr_view_file(self->view[2], AT(RAM), 0, &file));
	ours = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    self->memory, 0);
	theirs = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      file.memory, file.offset);
	ASSERT_NE(MAP_FAILED, theirs);
	theirs[5] = 0xaa;
	EXPECT_EQ(0xaa, ours[5]);
	ours[6] = 0xbb;
	EXPECT_EQ(0xbb, theirs[6]);
	EXPECT_EQ(1, pwrite(file.log, "x", 1, 7));
	EXPECT_EQ(1, pread(self->log, &byte, 1, 7));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(8 * MR_PAGE, lseek(self->memory, 0, SEEK_CUR));
	EXPECT_EQ(0, lseek(file.memory, 0, SEEK_CUR));
	EXPECT_EQ(0, fcntl(file.memory, F_SETFL, O_APPEND | O_NONBLOCK));
	EXPECT_EQ(0, fcntl(self->memory, F_GETFL) & (O_APPEND | O_NONBLOCK));
	munmap(ours, MR_PAGE);
	munmap(theirs, MR_PAGE);
	/* It stays when the machine does not. */
	close(self->fd);
	EXPECT_EQ(0xaa, pread(file.memory, &byte, 1, 5) == 1 ? byte : -1);
	close_files(&file);
}

/* A file for reading is opened for writing by those that its mode lets. */
TEST_F(view_file, mode_of_the_file)
{
	struct mregion_view_file file;
	char path[32];
	int fd;

	ASSERT_EQ(0, mr_view_file(self->view[1], AT(RAM), 0, &file));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file.memory);
	ASSERT_EQ(0, fchmod(self->memory, 0400));
	/* Also where the VMM could not open it any more. */
	close_files(&file);
	ASSERT_EQ(0, seteuid(12345));
	EXPECT_EQ(0, mr_view_file(self->view[1], AT(RAM), 0, &file));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file.memory);
	fd = open(path, O_RDWR);
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(1, byte_of(&file));
	ASSERT_EQ(0, seteuid(0));
	close_files(&file);
}

TEST_F(view_file, errors)
{
	struct mregion_view_open open = {
		.size = sizeof(open), .space = SPACE,
		.flags = MREGION_VIEW_OPEN_READ,
	};
	struct mregion_view_file file, *args;
	int next = next_descriptor(), view = self->view[2], ports;
	struct rlimit limit, none;

	EXPECT_EQ(-EOPNOTSUPP, mr_view_file(view, AT(RAM), 2, &file));
	EXPECT_EQ(-EOPNOTSUPP, mr_view_file(view, AT(RAM), -1, &file));
	open.holder = 7;
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_VIEW_OPEN, &open));
	EXPECT_EQ(0, mr_view_file(open.fd, AT(RAM), SERIAL, &file));
	EXPECT_EQ(7, file.holder);
	close(open.fd);
	open.reserved = 1;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_VIEW_OPEN, &open));
	EXPECT_EQ(-EFAULT, mr_ioctl(view, MREGION_VIEW_FILE, NULL));
	/* Where the answer cannot be told, nothing is handed out. */
	args = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	args->size = sizeof(*args);
	args->addr = AT(RAM);
	ASSERT_EQ(0, mprotect(args, MR_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, mr_ioctl(view, MREGION_VIEW_FILE, args));
	munmap(args, MR_PAGE);
	EXPECT_EQ(next, next_descriptor());
	/* Room for none, and for one of two. */
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	for (none = limit, none.rlim_cur = next; none.rlim_cur < next + 2u;
	     none.rlim_cur++) {
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
		EXPECT_EQ(-EMFILE, mr_view_file(view, AT(RAM), 0, &file));
		EXPECT_EQ(none.rlim_cur == next + 1u ? 0 : -EMFILE,
			  mr_view_file(view, AT(ROM), 0, &file));
		close_files(&file);
		EXPECT_EQ(0, mr_view_file(view, AT(RAM), SERIAL, &file));
		if (none.rlim_cur == (rlim_t)next)
			EXPECT_EQ(-EMFILE, mr_view_open(self->fd, SPACE, 0));
	}
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(next, next_descriptor());
	/* A port space has an end. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_pio_space(2, ROOT)));
	ports = mr_view_open(self->fd, 2, READ);
	EXPECT_EQ(-EINVAL, mr_view_file(ports, 0x10000, 0, &file));
	EXPECT_EQ(-ENXIO, mr_view_file(ports, 0xffff, 0, &file));
	close(ports);
}

/* ---- Serials ----------------------------------------------------------- */

static uint64_t serial_at(int view, uint64_t addr)
{
	struct mregion_view_file file;

	return mr_view_file(view, addr, SERIAL, &file) ? 0 : file.serial;
}

TEST_F(view_file, serials)
{
	static const int regions[] = { RAM, ROM, ROMD, RAMDEV, RO_RAM };
	uint64_t serials[ARRAY_SIZE(regions)], last = 0, serial;
	int view = self->view[1];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		serials[i] = serial_at(view, AT(regions[i]));
		EXPECT_NE(0, serials[i]);
		for (j = 0; j < i; j++)
			EXPECT_NE(serials[i], serials[j]);
		last = MAX(last, serials[i]);
	}
	EXPECT_EQ(serials[0], serial_at(view, AT(ALIAS)));
	EXPECT_EQ(serials[0], serial_at(self->view[2], AT(RAM)));
	/* Moved, it is the same; created again, it is not, even in one commit. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(ROM, AT(100))));
	EXPECT_EQ(serials[1], serial_at(view, AT(100)));
	for (i = 0; i < 5; i++) {
		/* nor by way of one that failed */
		EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_share(PRIVATE, -1),
					  mr_free(1000)));
		ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(ROM), mr_free(ROM),
				    FILE_OP(ROM, MREGION_ROM, 1),
				    mr_share(ROM, -1),
				    mr_map(ROM, ROOT, AT(100), 0)));
		serial = serial_at(view, AT(100));
		EXPECT_LT(last, serial);
		last = serial;
	}
}

/* ---- Sharing ----------------------------------------------------------- */

TEST_F(view_file, sharing_is_checked)
{
	int pair[2], view = self->view[1], directory, write_only, dead, null, opath;
	struct mregion_op op = mr_share(PRIVATE, -1);
	char path[32];

	/* Once. */
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_share(RAM, -1)));
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_share(RAM, self->log)));
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_share(PRIVATE, -1),
				 mr_share(PRIVATE, -1)));
	EXPECT_EQ(-ENODATA, mr_view_file(view, AT(PRIVATE), 0,
					 &(struct mregion_view_file){}));
	/* What has no file. */
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_share(1000, -1)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_share(ROOT, -1)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_share(DEVICE, -1)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_share(ALIAS, -1)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, mr_share(PLAIN, -1)));
	op.share.reserved = 1;
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, op));
	/* Nobody writes these. */
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, FILE_OP(100, MREGION_ROM, 0),
				  mr_share(100, self->log)));
	EXPECT_EQ(-EINVAL, COMMIT(self->fd, FILE_OP(100, MREGION_ROMD, 0),
				  mr_share(100, self->log)));
	/* Files that could lead back here, or are none. */
#define LOG(log)	COMMIT(self->fd, mr_share(PRIVATE, log))
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	directory = open("/", O_RDONLY | O_DIRECTORY);
	null = open("/dev/null", O_RDWR);
	opath = open("/proc/self/exe", O_PATH);
	dead = dup(0);
	close(dead);
	EXPECT_EQ(-EINVAL, LOG(self->fd));
	EXPECT_EQ(-EINVAL, LOG(view));
	EXPECT_EQ(-EINVAL, LOG(pair[0]));
	EXPECT_EQ(-EINVAL, LOG(directory));
	EXPECT_EQ(-EINVAL, LOG(null));
	EXPECT_EQ(-EBADF, LOG(opath));
	EXPECT_EQ(-EBADF, LOG(dead));
	EXPECT_EQ(-EBADF, LOG(-2));
	EXPECT_EQ(-EBADF, LOG(0x7fffffff));
	/* Files that are open for something else. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->memory);
	write_only = open(path, O_WRONLY);
	ASSERT_LE(0, write_only);
	EXPECT_EQ(-EACCES, LOG(write_only));
	EXPECT_EQ(-EACCES, LOG(self->readonly));
	EXPECT_EQ(-EACCES, COMMIT(self->fd,
				  mr_in_file(mr_ram(100, LEN), write_only, 0),
				  mr_share(100, -1)));
	/* None of that was done. */
	EXPECT_EQ(0, LOG(self->log));
#undef LOG
	close(pair[0]);
	close(pair[1]);
	close(directory);
	close(null);
	close(opath);
	close(write_only);
}

/* Alone, it may fail; and in a dry run, it is not done. */
TEST_F(view_file, sharing_may_fail)
{
	struct mregion_op op = mr_share(PRIVATE, -1);
	struct mregion_view_file file;

	EXPECT_EQ(0, COMMIT(self->fd, mr_may_fail(mr_share(RAM, -1)),
			    mr_may_fail(mr_share(PRIVATE, self->fd))));
	EXPECT_EQ(0, mr_commit_flags(self->fd, &op, 1, MREGION_COMMIT_DRY_RUN,
				     NULL));
	EXPECT_EQ(-ENODATA, mr_view_file(self->view[1], AT(PRIVATE), 0, &file));
	EXPECT_EQ(0, COMMIT(self->fd, op));
	EXPECT_EQ(0, mr_view_file(self->view[2], AT(PRIVATE), 0, &file));
	EXPECT_EQ(1, file.writable);
	EXPECT_EQ(-1, file.log);
	close_files(&file);
}

/*
 * A lock on an open file description is there until its last reference is gone, so
 * another one of the file can tell.
 */
struct held {
	int file;
	int other;
};

static int held_open(struct held *held)
{
	char path[32];

	held->file = memfd_create("held", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held->file);
	held->other = open(path, O_RDWR | O_CLOEXEC);
	if (held->other < 0 || ftruncate(held->file, MR_PAGE))
		return -errno;
	return flock(held->file, LOCK_EX) ? -errno : 0;
}

/* Whether it is held by nobody any more, soon. */
static bool held_let_go(const struct held *held)
{
	return mr_until(!flock(held->other, LOCK_EX | LOCK_NB));
}

static bool held_is(const struct held *held)
{
	usleep(50000);
	return flock(held->other, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
}

TEST_F(view_file, log_is_held_as_long_as_its_region)
{
	struct mregion_view_file file;
	struct held held;
	uint8_t byte;

	/* By a commit that fails after it: no longer than that takes. */
	ASSERT_EQ(0, held_open(&held));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_share(PRIVATE, held.file),
				  mr_free(1000)));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, FILE_OP(100, MREGION_RAM, 0),
				  mr_share(100, held.file), mr_free(1000)));
	EXPECT_TRUE(held_is(&held));
	close(held.file);
	EXPECT_TRUE(held_let_go(&held));
	close(held.other);
	/* Freed and put back by undoing, the region has its files. */
	ASSERT_EQ(0, held_open(&held));
	ASSERT_EQ(0, COMMIT(self->fd, mr_share(PRIVATE, held.file)));
	close(held.file);
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_unmap(PRIVATE), mr_free(PRIVATE),
				  mr_free(1000)));
	EXPECT_TRUE(held_is(&held));
	EXPECT_EQ(0, mr_view_file(self->view[2], AT(PRIVATE), 0, &file));
	EXPECT_TRUE(is_for(file.log, true));
	/* What has been handed out is another description of it. */
	EXPECT_EQ(0, COMMIT(self->fd, mr_unmap(PRIVATE), mr_free(PRIVATE)));
	EXPECT_TRUE(held_let_go(&held));
	EXPECT_EQ(1, pread(file.log, &byte, 1, 0));
	close_files(&file);
	close(held.other);
	/* And with the machine. */
	ASSERT_EQ(0, held_open(&held));
	ASSERT_EQ(0, COMMIT(self->fd, FILE_OP(100, MREGION_RAM, 0),
			    mr_share(100, held.file)));
	close(held.file);
	EXPECT_TRUE(held_is(&held));
	close(self->fd);
	EXPECT_TRUE(held_let_go(&held));
	close(held.other);
}

/* It counts, and counts no more. */
TEST_F(view_file, log_is_charged)
{
	struct mregion_stats before, after;

#define MEMORY(stats)	mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, stats)
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_flags(RAM, 0, 0)));
	usleep(200000);
	ASSERT_EQ(0, MEMORY(&before));
	EXPECT_EQ(-ENOENT, COMMIT(self->fd, mr_share(PRIVATE, self->log),
				  mr_free(1000)));
	EXPECT_TRUE(mr_until(!MEMORY(&after) && after.memory == before.memory));
	ASSERT_EQ(0, COMMIT(self->fd, mr_share(PRIVATE, self->log)));
	EXPECT_TRUE(mr_until(!MEMORY(&after) &&
			     after.memory >= before.memory + 1024));
	/* With less than a region takes, as nothing else has been made. */
	EXPECT_GT(before.memory + 4096, after.memory);
#undef MEMORY
}

TEST_HARNESS_MAIN
