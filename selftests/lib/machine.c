// SPDX-License-Identifier: GPL-2.0
/* The library against the kernel module, without a virtual machine. */
#include <kselftest_harness.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mregion.h>

/* For a test whose threads wait for one another, on a machine that stalls. */
#define SECONDS	180

struct device {
	atomic_uint reads;
	atomic_uint writes;
	atomic_ullong last;
	/* What the function does to its own machine. */
	struct mregion_region *move;
	uint64_t move_to;
	int ret;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct device *device = opaque;

	(void)len;
	device->reads++;
	return offset;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	(void)offset;
	(void)len;
	device->writes++;
	device->last = data;
	if (device->move)
		device->ret = mregion_move(device->move, device->move_to);
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

FIXTURE(machine)
{
	struct mregion_machine *machine;
	struct mregion_region *root;
	struct mregion_space *space;
	struct mregion_region *uart;
	struct device device;
};

FIXTURE_SETUP(machine)
{
	memset(self, 0, sizeof(*self));
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	self->root = mregion_new_container(self->machine, "root", 0);
	ASSERT_NE(NULL, self->root);
	self->space = mregion_new_space(self->machine, MREGION_BUS_MEMORY,
					self->root, MREGION_POLICY_DEFAULT);
	ASSERT_NE(NULL, self->space);
	self->uart = mregion_new_mmio(self->machine, "uart", 0x100,
				      &device_ops, &self->device);
	ASSERT_NE(NULL, self->uart);
}

FIXTURE_TEARDOWN(machine)
{
	mregion_machine_close(self->machine);
}

/* The view as text; free() it. */
static char *view_text(struct mregion_space *space)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	mregion_print_view(space, file);
	fclose(file);
	return text;
}

#define EXPECT_VIEW(want) do { \
	char *text = view_text(self->space); \
	EXPECT_STREQ(want, text); \
	free(text); \
} while (0)

#define UART_AT(from, to) \
	from " " to " 0000000000000000 i/o uart\n"
#define UART_AT_1000	UART_AT("0000000000001000", "00000000000010ff")

static bool reads_at(struct mregion_space *space, uint64_t addr)
{
	uint32_t value;

	return !mregion_space_read(space, addr, &value, 4, NULL);
}

TEST_F(machine, simple)
{
	EXPECT_VIEW("");
	EXPECT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	EXPECT_VIEW(UART_AT_1000);
	EXPECT_TRUE(reads_at(self->space, 0x10fc));
	EXPECT_FALSE(reads_at(self->space, 0x1100));
	EXPECT_EQ(0, mregion_move(self->uart, UINT64_MAX - 0xff));
	EXPECT_VIEW(UART_AT("ffffffffffffff00", "ffffffffffffffff"));
	EXPECT_TRUE(reads_at(self->space, UINT64_MAX - 3));
	EXPECT_EQ(0, mregion_set_enabled(self->uart, false));
	EXPECT_VIEW("");
	EXPECT_EQ(0, mregion_unmap(self->uart));
	EXPECT_EQ(0, mregion_free(self->uart));
}

TEST_F(machine, errors)
{
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	EXPECT_EQ(-EBUSY, mregion_map(self->root, self->uart, 0x2000, 0));
	EXPECT_STREQ("map 'uart' into 'root': it is mapped already (EBUSY)",
		     mregion_error());
	EXPECT_EQ(-EBUSY, mregion_free(self->uart));
	EXPECT_EQ(NULL, mregion_new_mmio(self->machine,
					 "a name of more than sixty-three bytes, which is what there is room for",
					 1, &device_ops, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_VIEW(UART_AT_1000);
}

/* Not every one of the reasons not to open it is that it is not there. */
/* What the kernel refuses alone is left out; the rest is as it should be. */
TEST_F(machine, may_fail)
{
	struct mregion_doorbell bell = {
		.len = 4, .eventfd = eventfd(0, EFD_CLOEXEC),
	};
	struct mregion_region *bar, *lost;
	int i, nr = 3, failed = 0, ret[6];

	mregion_begin(self->machine);
	bar = mregion_new_mmio(self->machine, "bar", 0x1000, &device_ops,
			       &self->device);
	EXPECT_EQ(0, mregion_map(self->root, bar, 0x8000, 0));
	/* One too many, as it is there already. */
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(0, mregion_may_fail(self->machine, &ret[i]));
		bell.offset = i == 2 ? 0 : 4 * i;
		EXPECT_EQ(0, mregion_add_doorbell(bar, &bell));
	}
	EXPECT_EQ(0, mregion_may_fail(self->machine, &ret[3]));
	lost = mregion_new_mmio(self->machine, "a\nb", 0x100, &device_ops,
				&self->device);
	EXPECT_EQ(0, mregion_may_fail(self->machine, &ret[4]));
	EXPECT_EQ(0, mregion_map(self->root, lost, 0x9000, 0));
	EXPECT_EQ(0, mregion_may_fail(self->machine, &ret[5]));
	EXPECT_EQ(0, mregion_map_exclusive(self->root, self->uart, 0x8f80, 0));
	EXPECT_EQ(0, mregion_map_exclusive(self->root, self->uart, 0x1000, 0));
	EXPECT_EQ(0, mregion_commit(self->machine));
	for (i = 0; i < 6; i++)
		failed += !!ret[i];
	EXPECT_EQ(4, failed);
	EXPECT_EQ(-EEXIST, ret[2]);
	EXPECT_EQ(-EINVAL, ret[3]);
	EXPECT_EQ(-ENOENT, ret[4]);
	EXPECT_EQ(-EEXIST, ret[5]);
	EXPECT_STREQ("start the doorbell of 'bar' at 0: another rule of the kind could match the same access (EEXIST)",
		     mregion_error());
	EXPECT_EQ(0, mregion_free(lost));
	EXPECT_VIEW(UART_AT_1000
		    "0000000000008000 0000000000008fff 0000000000000000 i/o bar\n");

	/* Alone, and said with the name of what is there. */
	EXPECT_EQ(0, mregion_unmap(self->uart));
	EXPECT_EQ(-EEXIST, mregion_map_exclusive(self->root, self->uart, 0x8f80,
						 0));
	EXPECT_STREQ("map 'uart' into 'root' at 0x8f80: 'bar' is there (EEXIST)",
		     mregion_error());
	EXPECT_EQ(0, mregion_map_exclusive(self->root, self->uart, 0x8f80, 1));
	close(bell.eventfd);
}

/* A window that is closed shows nothing, nor can it be made to show all. */
TEST_F(machine, closed_window)
{
	struct mregion_region *window, *whole;

	EXPECT_EQ(NULL, mregion_new_alias(self->machine, "window", self->uart, 0,
					  0));
	EXPECT_EQ(EINVAL, errno);
	window = mregion_new_alias(self->machine, "window", self->uart, 0, 1);
	ASSERT_NE(NULL, window);
	EXPECT_EQ(-EINVAL, mregion_resize(window, 0));
	EXPECT_EQ(0, mregion_set_enabled(window, false));
	EXPECT_EQ(0, mregion_map(self->root, window, 0x2000, 0));
	EXPECT_VIEW("");
	EXPECT_EQ(0, mregion_resize(window, 0x10));
	EXPECT_EQ(0, mregion_set_enabled(window, true));
	EXPECT_VIEW(UART_AT("0000000000002000", "000000000000200f"));
	EXPECT_EQ(0, mregion_unmap(window));
	whole = mregion_new_alias(self->machine, "whole", self->uart, 0,
				  MREGION_WHOLE);
	ASSERT_NE(NULL, whole);
	EXPECT_EQ(0, mregion_map(self->root, whole, 0x1000, 0));
	EXPECT_VIEW(UART_AT_1000);
}

TEST(open_errors)
{
	EXPECT_EQ(NULL, mregion_machine_open("/dev/no-such-device"));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_STREQ("open /dev/no-such-device: No such file or directory",
		     mregion_error());
	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(NULL, mregion_machine_open(NULL));
	EXPECT_EQ(EACCES, errno);
	EXPECT_STREQ("open /dev/mregion: no permission; it takes root, or membership of the group kvm (EACCES)",
		     mregion_error());
	ASSERT_EQ(0, seteuid(0));
}

TEST_F(machine, transaction)
{
	struct mregion_region *other;

	mregion_begin(self->machine);
	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	EXPECT_EQ(0, mregion_commit(self->machine));
	EXPECT_VIEW("");
	EXPECT_FALSE(reads_at(self->space, 0x1000));
	EXPECT_EQ(0, mregion_commit(self->machine));
	EXPECT_VIEW(UART_AT_1000);

	/* The third of four changes fails: none is made. */
	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_move(self->uart, 0x3000));
	other = mregion_new_container(self->machine, "other", 16);
	EXPECT_NE(NULL, other);
	EXPECT_EQ(0, mregion_unmap(other));
	EXPECT_EQ(0, mregion_map(self->root, other, 0, 0));
	EXPECT_EQ(-ENOENT, mregion_commit(self->machine));
	EXPECT_STREQ("unmap 'other': it is not mapped (ENOENT)",
		     mregion_error());
	EXPECT_VIEW(UART_AT_1000);
	EXPECT_EQ(-ENOENT, mregion_map(self->root, other, 0, 0));
	EXPECT_EQ(NULL, mregion_region_by_id(self->machine,
					     mregion_id(other)));
	EXPECT_EQ(0, mregion_free(other));
	EXPECT_TRUE(reads_at(self->space, 0x1000));
}

TEST_F(machine, dry_run)
{
	struct mregion_region *other;

	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	EXPECT_EQ(0, mregion_commit_dry_run(self->machine));
	EXPECT_VIEW("");
	other = mregion_new_ram(self->machine, MREGION_RAM, "other", 4096);
	ASSERT_NE(NULL, other);
	EXPECT_EQ(0, mregion_commit_dry_run(self->machine));
	EXPECT_EQ(0, mregion_unmap(other));
	EXPECT_EQ(-ENOENT, mregion_commit_dry_run(self->machine));
	EXPECT_STREQ("unmap 'other': it is not mapped (ENOENT)",
		     mregion_error());
	mregion_abort(self->machine);
	EXPECT_EQ(0, mregion_free(other));

	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	EXPECT_EQ(0, mregion_commit_dry_run(self->machine));
	EXPECT_EQ(0, mregion_commit(self->machine));
	EXPECT_VIEW(UART_AT_1000);
}

TEST_F(machine, abort)
{
	struct mregion_region *other;

	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	mregion_begin(self->machine);
	EXPECT_EQ(0, mregion_move(self->uart, 0x3000));
	other = mregion_new_ram(self->machine, MREGION_RAM, "other", 4096);
	EXPECT_NE(NULL, other);
	mregion_abort(self->machine);
	EXPECT_VIEW(UART_AT_1000);
	EXPECT_EQ(0, mregion_free(other));

	mregion_begin(self->machine);
	mregion_begin(self->machine);
	mregion_abort(self->machine);
	EXPECT_EQ(0, mregion_move(self->uart, 0x3000));
	EXPECT_EQ(-ECANCELED, mregion_commit(self->machine));
	EXPECT_VIEW(UART_AT_1000);

	/* And it is over then. */
	EXPECT_EQ(-EINVAL, mregion_commit(self->machine));
	EXPECT_EQ(0, mregion_move(self->uart, 0x1001));
}

/* What never reaches the kernel fails the transaction it is part of, too. */
TEST_F(machine, doomed)
{
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	mregion_begin(self->machine);
	EXPECT_EQ(NULL, mregion_new_ram(self->machine, MREGION_MMIO, "x", 1));
	EXPECT_EQ(0, mregion_move(self->uart, 0x3000));
	EXPECT_EQ(-EINVAL, mregion_commit(self->machine));
	EXPECT_VIEW(UART_AT_1000);
	EXPECT_EQ(0, mregion_move(self->uart, 0x3000));
}

TEST_F(machine, ram)
{
	struct mregion_region *ram, *rom, *alias, *given;
	char buf[8] = "";
	void *ptr, *pages;
	size_t len = 8;

	ram = mregion_new_ram(self->machine, MREGION_RAM, "ram", 0x2800);
	rom = mregion_new_ram(self->machine, MREGION_ROM, "rom", 0x1000);
	ASSERT_NE(NULL, ram);
	ASSERT_NE(NULL, rom);
	pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pages);
	given = mregion_new_ram_from_ptr(self->machine, MREGION_RAM, "given",
					 8192, pages);
	ASSERT_NE(NULL, given);
	alias = mregion_new_alias(self->machine, "window", ram, 0x1000,
				  0x1000);
	ASSERT_NE(NULL, alias);
	EXPECT_EQ(0, mregion_map(self->root, ram, 0x10000, 0));
	EXPECT_EQ(0, mregion_map(self->root, rom, 0x20000, 0));
	EXPECT_EQ(0, mregion_map(self->root, alias, 0x30000, 0));
	EXPECT_EQ(0, mregion_map(self->root, given, 0x40000, 0));
	EXPECT_VIEW("0000000000010000 00000000000127ff 0000000000000000 ram ram\n"
		    "0000000000020000 0000000000020fff 0000000000000000 rom rom\n"
		    "0000000000030000 0000000000030fff 0000000000001000 ram ram\n"
		    "0000000000040000 0000000000041fff 0000000000000000 ram given\n");

	EXPECT_EQ(0, mregion_space_write(self->space, 0x30008, "through", 8,
					 NULL));
	EXPECT_STREQ("through", (char *)mregion_ram_ptr(ram) + 0x1008);
	EXPECT_EQ(0, mregion_space_read(self->space, 0x11008, buf, 8, NULL));
	EXPECT_STREQ("through", buf);
	EXPECT_EQ(8, pread(mregion_ram_fd(ram), buf, 8, 0x1008));
	EXPECT_STREQ("through", buf);

	EXPECT_EQ(-EROFS, mregion_space_write(self->space, 0x20000, "dropped",
					      8, NULL));
	EXPECT_EQ(0, *(char *)mregion_ram_ptr(rom));
	ptr = mregion_space_ptr(self->space, 0x40ffc, &len, true);
	EXPECT_EQ((char *)pages + 0xffc, ptr);
	EXPECT_EQ(-1, mregion_ram_fd(given));

	EXPECT_EQ(0, mregion_set_readonly(alias, true));
	len = 8;
	EXPECT_EQ(NULL, mregion_space_ptr(self->space, 0x30000, &len, true));

	/* Grows in place for those who have it open; refused when given. */
	EXPECT_EQ(-EINVAL, mregion_resize(given, 16384));
	ASSERT_EQ(0, mregion_resize(ram, 0x8000));
	EXPECT_EQ(0, mregion_space_write(self->space, 0x17ff8, "the end", 8,
					 NULL));
	EXPECT_STREQ("the end", (char *)mregion_ram_ptr(ram) + 0x7ff8);
	EXPECT_STREQ("through", (char *)mregion_ram_ptr(ram) + 0x1008);
	ASSERT_EQ(0, mregion_resize(ram, 0x1000));
	EXPECT_FALSE(reads_at(self->space, 0x11000));
}

/* What the kernel says is at an address; @addr goes on behind it. */
static void compare(struct __test_metadata *_metadata,
		    struct mregion_machine *machine,
		    struct mregion_space *space, uint64_t *addr, uint64_t len)
{
	struct mregion_translate arg = {
		.size = sizeof(arg),
		.space = mregion_space_id(space),
		.addr = *addr,
		.len = len,
	};
	struct mregion_translation there;

	ASSERT_EQ(0, mregion_space_translate(space, *addr, len, &there));
	ASSERT_EQ(0, ioctl(mregion_machine_fd(machine), MREGION_TRANSLATE,
			   &arg));
	EXPECT_EQ(arg.range.region,
		  there.region ? mregion_id(there.region) : 0);
	EXPECT_EQ(arg.range.kind, there.kind);
	EXPECT_EQ(arg.range.offset, there.offset);
	EXPECT_EQ(arg.range.last - arg.range.start + 1, there.len);
	EXPECT_EQ(arg.generation, there.generation);
	*addr += there.len;
}

TEST_F(machine, translate)
{
	struct mregion_region *ram, *rom, *flash, *alias;
	struct mregion_translation there;
	unsigned int pieces = 0;
	uint64_t addr = 0;

	ram = mregion_new_ram(self->machine, MREGION_RAM, "ram", 0x4000);
	rom = mregion_new_ram(self->machine, MREGION_ROM, "rom", 0x1000);
	flash = mregion_new_romd(self->machine, "flash", 0x1000, &device_ops,
				 &self->device);
	alias = mregion_new_alias(self->machine, "window", ram, 0x1000,
				  0x2000);
	ASSERT_EQ(0, mregion_map(self->root, ram, 0, 0));
	ASSERT_EQ(0, mregion_map(self->root, rom, 0x1000, 1));
	ASSERT_EQ(0, mregion_map(self->root, flash, 0x8000, 0));
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x9000, 0));
	ASSERT_EQ(0, mregion_map(self->root, alias, UINT64_MAX - 0x1fff, 0));
	do {
		compare(_metadata, self->machine, self->space, &addr, -addr);
		pieces++;
	} while (addr);
	/* RAM in two parts around ROM, a gap, flash, and so on to the window. */
	EXPECT_EQ(8, pieces);
	for (addr = 0; addr < 0xa000; )
		compare(_metadata, self->machine, self->space, &addr, 0x730);

	/* In a transaction the view is still the one from before. */
	mregion_begin(self->machine);
	mregion_unmap(self->uart);
	ASSERT_EQ(0, mregion_space_translate(self->space, 0x9010, 4, &there));
	EXPECT_EQ(self->uart, there.region);
	EXPECT_EQ(0x10, there.offset);
	ASSERT_EQ(0, mregion_commit(self->machine));
	ASSERT_EQ(0, mregion_space_translate(self->space, 0x9010, 4, &there));
	EXPECT_EQ(NULL, there.region);
}

TEST_F(machine, rom_device)
{
	struct mregion_region *flash;
	uint32_t value;

	flash = mregion_new_romd(self->machine, "flash", 4096, &device_ops,
				 &self->device);
	ASSERT_NE(NULL, flash);
	ASSERT_EQ(0, mregion_map(self->root, flash, 0, 0));
	memset(mregion_ram_ptr(flash), 0x77, 4096);
	EXPECT_EQ(0, mregion_space_read(self->space, 8, &value, 4, NULL));
	EXPECT_EQ(0x77777777, value);
	value = 5;
	EXPECT_EQ(0, mregion_space_write(self->space, 8, &value, 4, NULL));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(0, mregion_set_romd(flash, false));
	EXPECT_EQ(0, mregion_space_read(self->space, 8, &value, 4, NULL));
	EXPECT_EQ(8, value);
	EXPECT_VIEW("0000000000000000 0000000000000fff 0000000000000000 i/o flash\n");
	EXPECT_EQ(0, mregion_set_romd(flash, true));
	EXPECT_VIEW("0000000000000000 0000000000000fff 0000000000000000 romd flash\n");
}

TEST_F(machine, constraints)
{
	struct mregion_constraints words = {
		.valid_min = 4,
		.valid_max = 4,
		.refused = MREGION_POLICY_ZEROES,
	};
	uint16_t value = 0x5555;

	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0, 0));
	ASSERT_EQ(0, mregion_set_constraints(self->uart, &words));
	EXPECT_EQ(0, mregion_space_read(self->space, 4, &value, 2, NULL));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, self->device.reads);
	words.valid_max = 3;
	EXPECT_EQ(-EINVAL, mregion_set_constraints(self->uart, &words));
	EXPECT_TRUE(reads_at(self->space, 4));
	EXPECT_EQ(1, self->device.reads);
}

/* A device that changes its own machine, from within a write. */
TEST_F(machine, from_within)
{
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	self->device.move = self->uart;
	self->device.move_to = 0x5000;
	EXPECT_EQ(0, mregion_space_write(self->space, 0x1000, "abcd", 4,
					 NULL));
	EXPECT_EQ(0, self->device.ret);
	EXPECT_FALSE(reads_at(self->space, 0x1000));
	EXPECT_TRUE(reads_at(self->space, 0x5000));
}

static int guest_write(struct mregion_machine *machine,
		       struct mregion_space *space, uint64_t addr,
		       uint64_t data, unsigned int len)
{
	struct mregion_access access = {
		.size = sizeof(access),
		.space = mregion_space_id(space),
		.addr = addr,
		.len = len,
		.flags = MREGION_ACCESS_WRITE,
		.data = data,
		.vcpu = MREGION_NO_VCPU,
	};

	if (ioctl(mregion_machine_fd(machine), MREGION_ACCESS, &access))
		return -errno;
	return access.handled;
}

TEST_F(machine, ring)
{
	struct mregion_ring *ring;
	struct pollfd poll_fd;
	struct mregion_stats stats;

	ring = mregion_new_ring(self->machine, 16, 2, 0);
	ASSERT_NE(NULL, ring);
	ASSERT_EQ(0, mregion_coalesce(self->uart, 0, 0x80, ring));
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	poll_fd = (struct pollfd){
		.fd = mregion_ring_eventfd(ring),
		.events = POLLIN,
	};
	EXPECT_EQ(1, guest_write(self->machine, self->space, 0x1000, 1, 4));
	EXPECT_EQ(0, poll(&poll_fd, 1, 0));
	EXPECT_EQ(1, guest_write(self->machine, self->space, 0x1004, 2, 4));
	EXPECT_EQ(1, poll(&poll_fd, 1, 60000));
	EXPECT_EQ(0, guest_write(self->machine, self->space, 0x1080, 3, 4));
	EXPECT_EQ(0, self->device.writes);
	EXPECT_EQ(2, mregion_ring_drain(ring));
	EXPECT_EQ(2, self->device.writes);
	EXPECT_EQ(2, self->device.last);

	ASSERT_EQ(0, mregion_stats(self->machine, MREGION_OBJECT_REGION,
				   mregion_id(self->uart), &stats));
	EXPECT_EQ(2, stats.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_EXIT]);
	ASSERT_EQ(0, mregion_stats(self->machine, MREGION_OBJECT_RING,
				   mregion_ring_id(ring), &stats));
	EXPECT_EQ(2, stats.outcomes[MREGION_OUTCOME_COALESCED]);

	/* Not free while a rule refers to it; what waits is not lost. */
	EXPECT_EQ(-EBUSY, mregion_ring_free(ring));
	EXPECT_EQ(1, guest_write(self->machine, self->space, 0x1000, 9, 4));
	EXPECT_EQ(0, mregion_uncoalesce(self->uart, 0, 0x80, ring));
	EXPECT_EQ(0, mregion_ring_free(ring));
	EXPECT_EQ(3, self->device.writes);
	EXPECT_EQ(9, self->device.last);
}

static bool wait_for(const atomic_uint *value, unsigned int wanted)
{
	int i;

	/* A minute: machines stall. */
	for (i = 0; i < 60000 && *value != wanted; i++)
		usleep(1000);
	return *value == wanted;
}

TEST_F_TIMEOUT(machine, ring_thread, SECONDS)
{
	struct mregion_ring *ring;
	unsigned int i;

	ring = mregion_new_ring(self->machine, 16, 8, 1000);
	ASSERT_NE(NULL, ring);
	ASSERT_EQ(0, mregion_coalesce(self->uart, 0, 0, ring));
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, 0));
	ASSERT_EQ(0, mregion_ring_start_thread(ring));
	EXPECT_EQ(-EBUSY, mregion_ring_start_thread(ring));

	/* One write: only the timer can wake the thread. Then many. */
	EXPECT_EQ(1, guest_write(self->machine, self->space, 0x1000, 1, 1));
	EXPECT_TRUE(wait_for(&self->device.writes, 1));
	for (i = 0; i < 1000; ) {
		if (guest_write(self->machine, self->space, 0x1000, i, 1))
			i++;
		else
			mregion_ring_drain(ring);
	}
	EXPECT_TRUE(wait_for(&self->device.writes, 1001));
	EXPECT_EQ(999 & 0xff, self->device.last);
}

/*
 * One thread moves a region between two places, in one commit with another one
 * that takes its place; others look. They must always find both.
 */
struct movers {
	struct mregion_machine *machine;
	struct mregion_space *space;
	struct mregion_region *a;
	struct mregion_region *b;
	atomic_bool stop;
	atomic_uint looks;
	atomic_uint wrong;
};

static void *look(void *arg)
{
	struct movers *movers = arg;

	while (!movers->stop) {
		if (!reads_at(movers->space, 0x1000) ||
		    !reads_at(movers->space, 0x2000))
			movers->wrong++;
		movers->looks++;
	}
	return NULL;
}

TEST_F_TIMEOUT(machine, concurrent, SECONDS)
{
	struct movers movers = {
		.machine = self->machine,
		.space = self->space,
		.a = self->uart,
	};
	struct device other = { 0 };
	pthread_t threads[2];
	unsigned int i, from, to;

	movers.b = mregion_new_mmio(self->machine, "b", 0x100, &device_ops,
				    &other);
	ASSERT_NE(NULL, movers.b);
	ASSERT_EQ(0, mregion_map(self->root, movers.a, 0x1000, 0));
	ASSERT_EQ(0, mregion_map(self->root, movers.b, 0x2000, 0));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, look,
					    &movers));
	for (i = 0; i < 300 || movers.looks < 1000; i++) {
		from = i & 1 ? 0x1000 : 0x2000;
		to = i & 1 ? 0x2000 : 0x1000;
		mregion_begin(self->machine);
		mregion_move(movers.a, from);
		mregion_move(movers.b, to);
		ASSERT_EQ(0, mregion_commit(self->machine));
	}
	movers.stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, movers.wrong);
}

/* Devices come and go under load; their state is gone right after. */
static void *poke(void *arg)
{
	struct movers *movers = arg;

	while (!movers->stop) {
		reads_at(movers->space, 0x1000);
		movers->looks++;
	}
	return NULL;
}

TEST_F_TIMEOUT(machine, unplug, SECONDS)
{
	struct movers movers = { .space = self->space };
	struct mregion_region *region;
	struct device *device;
	pthread_t threads[2];
	unsigned int i, seen = 0;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, poke, &movers));
	/* Until somebody has found one. */
	for (i = 0; i < 200 || movers.looks < 1000 || !seen; i++) {
		device = calloc(1, sizeof(*device));
		mregion_begin(self->machine);
		region = mregion_new_mmio(self->machine, "plugged", 16,
					  &device_ops, device);
		mregion_map(self->root, region, 0x1000, 0);
		ASSERT_EQ(0, mregion_commit(self->machine));
		sched_yield();
		mregion_begin(self->machine);
		mregion_unmap(region);
		mregion_free(region);
		ASSERT_EQ(0, mregion_commit(self->machine));
		ASSERT_EQ(0, mregion_synchronize(self->machine));
		seen += device->reads;
		memset(device, 0xff, sizeof(*device));
		usleep(10);
		ASSERT_EQ(UINT32_MAX, device->reads);
		free(device);
	}
	movers.stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_NE(0, seen);
}

TEST_F(machine, tree)
{
	struct mregion_region *alias;
	char *text = NULL;
	FILE *file;
	size_t size;

	alias = mregion_new_alias(self->machine, "window", self->uart, 0x10,
				  0x20);
	ASSERT_NE(NULL, alias);
	ASSERT_EQ(0, mregion_map(self->root, alias, 0x2000, 1));
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0x1000, -1));
	ASSERT_EQ(0, mregion_set_enabled(self->uart, false));
	file = open_memstream(&text, &size);
	EXPECT_EQ(0, mregion_print_tree(self->space, file));
	fclose(file);
	EXPECT_STREQ("0000000000000000-ffffffffffffffff (prio 0, container): root\n"
		     "  0000000000001000-00000000000010ff (prio -1, mmio): uart [disabled]\n"
		     "  0000000000002000-000000000000201f (prio 1, alias): window @uart 0000000000000010-000000000000002f\n",
		     text);
	free(text);
}

/* An alias in what it shows is printed, and not followed. */
TEST_F(machine, tree_with_an_alias_in_what_it_shows)
{
	struct mregion_region *alias, *bus;
	char *text = NULL;
	FILE *file;
	size_t size;

	bus = mregion_new_container(self->machine, "bus", 0x10000);
	ASSERT_NE(NULL, bus);
	alias = mregion_new_alias(self->machine, "upper", self->root, 0x11000,
				  0x1000);
	ASSERT_NE(NULL, alias);
	ASSERT_EQ(0, mregion_map(self->root, bus, 0x10000, 0));
	ASSERT_EQ(0, mregion_map(bus, alias, 0x3000, 0));
	ASSERT_EQ(0, mregion_map(bus, self->uart, 0x1000, 0));
	EXPECT_VIEW("0000000000011000 00000000000110ff 0000000000000000 i/o uart\n"
		    "0000000000013000 00000000000130ff 0000000000000000 i/o uart\n");
	EXPECT_EQ(-ELOOP, mregion_map(bus, self->root, 0, 0));
	EXPECT_STREQ("map 'root' into 'bus': it would contain itself (ELOOP)",
		     mregion_error());
	EXPECT_EQ(-EMLINK, mregion_move(alias, 0x1000));
	file = open_memstream(&text, &size);
	EXPECT_EQ(0, mregion_print_tree(self->space, file));
	fclose(file);
	EXPECT_STREQ("0000000000000000-ffffffffffffffff (prio 0, container): root\n"
		     "  0000000000010000-000000000001ffff (prio 0, container): bus\n"
		     "    0000000000011000-00000000000110ff (prio 0, mmio): uart\n"
		     "    0000000000013000-0000000000013fff (prio 0, alias): upper @root 0000000000011000-0000000000011fff\n",
		     text);
	free(text);
}

#define DEEP	4000

static void *print_deep(void *space)
{
	char *text = NULL, *line;
	intptr_t lines = 0;
	FILE *file;
	size_t size;

	file = open_memstream(&text, &size);
	if (mregion_print_tree(space, file))
		lines = -1000000;
	fclose(file);
	for (line = text; (line = strchr(line, '\n')); line++)
		lines++;
	free(text);
	return (void *)lines;
}

/* What is hidden may be nested deeper than a stack has room for. */
TEST_F(machine, deep_tree)
{
	struct mregion_region *below, *region;
	pthread_attr_t attr;
	pthread_t thread;
	void *lines;
	int i;

	ASSERT_EQ(0, mregion_set_enabled(self->uart, false));
	ASSERT_EQ(0, mregion_map(self->root, self->uart, 0, 0));
	mregion_begin(self->machine);
	below = self->uart;
	for (i = 0; i < DEEP; i++) {
		region = mregion_new_container(self->machine, "deep", 0x1000);
		ASSERT_NE(NULL, region);
		mregion_map(below, region, 1, 0);
		below = region;
	}
	ASSERT_EQ(0, mregion_commit(self->machine));

	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, 128 << 10));
	ASSERT_EQ(0, pthread_create(&thread, &attr, print_deep, self->space));
	ASSERT_EQ(0, pthread_join(thread, &lines));
	EXPECT_EQ(DEEP + 2, (intptr_t)lines);
	pthread_attr_destroy(&attr);
}

TEST_F(machine, roots)
{
	struct mregion_region *other;

	other = mregion_new_container(self->machine, "other", 0x10000);
	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, mregion_map(other, self->uart, 0x1000, 0));
	EXPECT_VIEW("");
	EXPECT_EQ(0, mregion_space_set_root(self->space, other));
	EXPECT_VIEW(UART_AT_1000);
	EXPECT_TRUE(reads_at(self->space, 0x1000));
	EXPECT_EQ(-EBUSY, mregion_free(other));

	/* The policy is another matter: the root stays. */
	EXPECT_EQ(0, guest_write(self->machine, self->space, 0x5000, 1, 4));
	EXPECT_EQ(0, mregion_space_set_unassigned(self->space,
						  MREGION_POLICY_ONES));
	EXPECT_VIEW(UART_AT_1000);
	EXPECT_EQ(1, guest_write(self->machine, self->space, 0x5000, 1, 4));
	EXPECT_EQ(-EINVAL, mregion_space_set_unassigned(self->space, 99));
	EXPECT_EQ(0, mregion_space_free(self->space));
	EXPECT_EQ(-EBUSY, mregion_free(other));
	EXPECT_EQ(0, mregion_unmap(self->uart));
	EXPECT_EQ(0, mregion_free(other));
}

int main(int argc, char **argv)
{
	if (access("/dev/mregion", F_OK))
		ksft_exit_skip("the mregion module is not loaded\n");
	return test_harness_run(argc, argv);
}
