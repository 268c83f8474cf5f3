// SPDX-License-Identifier: GPL-2.0
/*
 * Data registers, set by the library, against the module: PCI's configuration
 * mechanism 1 as a VMM has it, with the same answers whoever gives them; the other
 * usual pairs; and mistakes.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <mregion.h>

#include "../random_util.h"

#define BASE		0xcf8
#define BUS_LEN		0x10000
#define NONE		BUS_LEN
#define INDEX		(NONE + 0x100)
#define MEMORY_LEN	(INDEX + 0x100)

/* A host bridge: what its functions answer is in the memory that they share. */
struct bridge {
	uint8_t *memory;
	unsigned int reads, writes;
};

static uint32_t load_index(const struct bridge *bridge)
{
	return atomic_load_explicit((_Atomic uint32_t *)(bridge->memory + INDEX),
				    memory_order_acquire);
}

static uint64_t bridge_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct bridge *bridge = opaque;
	uint32_t index = load_index(bridge);
	const uint8_t *from = bridge->memory + NONE;
	uint64_t data = 0;

	bridge->reads++;
	if (offset < 4) {
		if (len != 4)
			return -1;
		memcpy(&data, bridge->memory + INDEX, len);
		return data;
	}
	if (!(index & 0x80000000))
		return -1;
	if (!(index & 0x00ff0000))
		from = bridge->memory + (index & 0xff00);
	memcpy(&data, from + (index & 0xfc) + offset - 4, len);
	return data;
}

static void bridge_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct bridge *bridge = opaque;

	bridge->writes++;
	if (!offset && len == 4)
		atomic_store_explicit((_Atomic uint32_t *)(bridge->memory + INDEX),
				      data, memory_order_release);
}

static const struct mregion_ops bridge_ops = {
	.read = bridge_read,
	.write = bridge_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

FIXTURE(indexed)
{
	struct mregion_machine *machine;
	struct mregion_region *root;
	struct mregion_region *region;
	struct mregion_space *space;
	struct mregion_shadow *shadow;
	struct bridge bridge;
	struct mregion_pair pci;
};

FIXTURE_SETUP(indexed)
{
	memset(self, 0, sizeof(*self));
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	self->shadow = mregion_new_shadow(self->machine, MEMORY_LEN);
	ASSERT_NE(NULL, self->shadow)
		TH_LOG("%s", mregion_error());
	self->bridge.memory = mregion_shadow_ptr(self->shadow);
	mregion_begin(self->machine);
	self->root = mregion_new_container(self->machine, "root", 0x10000);
	self->space = mregion_new_space(self->machine, MREGION_BUS_PIO,
					self->root, MREGION_POLICY_DEFAULT);
	self->region = mregion_new_mmio(self->machine, "bridge", 8, &bridge_ops,
					&self->bridge);
	mregion_map(self->root, self->region, BASE, 0);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	self->pci = (struct mregion_pair){
		.kind = MREGION_PAIR_PCI,
		.index = self->shadow,
		.index_offset = INDEX,
	};
}

FIXTURE_TEARDOWN(indexed)
{
	mregion_machine_close(self->machine);
}

/* What the kernel makes of an access. Return: an outcome, or an errno. */
static int make(FIXTURE_DATA(indexed) *self, uint64_t addr, unsigned int len,
		bool write, uint64_t *data)
{
	struct mregion_access access = {
		.size = sizeof(access),
		.space = mregion_space_id(self->space),
		.addr = addr,
		.len = len,
		.flags = write ? MREGION_ACCESS_WRITE : 0,
		.data = *data,
		.vcpu = MREGION_NO_VCPU,
	};

	if (ioctl(mregion_machine_fd(self->machine), MREGION_ACCESS, &access))
		return -errno;
	*data = access.data;
	return access.outcome;
}

static int out(FIXTURE_DATA(indexed) *self, uint64_t addr, unsigned int len,
	       uint64_t data)
{
	return make(self, addr, len, true, &data);
}

/* The outcome of a read, if it has the value, else -1. */
static int in_is(FIXTURE_DATA(indexed) *self, uint64_t addr, unsigned int len,
		 uint64_t value)
{
	uint64_t data = 0;
	int outcome = make(self, addr, len, false, &data);

	return data == value ? outcome : -1;
}

/* Any bytes for the functions of bus 0 that are there, and ones for all others. */
static void fill(FIXTURE_DATA(indexed) *self, struct prng *prng)
{
	uint8_t *memory = self->bridge.memory;
	unsigned int i;

	memset(memory, 0xff, INDEX);
	for (i = 0; i < BUS_LEN; i++)
		if (i >> 8 == 0 || i >> 8 == 3 * 8 || i >> 8 == 31 * 8 + 7)
			memory[i] = below(prng, 256);
}

static void show_all(FIXTURE_DATA(indexed) *self,
		     int (*change)(struct mregion_region *region,
				   const struct mregion_pair *pair,
				   uint32_t first, uint32_t last, uint32_t select,
				   struct mregion_shadow *shadow,
				   uint64_t shadow_offset))
{
	change(self->region, &self->pci, mregion_pci_index(0, 0, 0),
	       mregion_pci_index(0, 31, 7) + 0xff, 0xffff, self->shadow, 0);
	change(self->region, &self->pci, mregion_pci_index(1, 0, 0),
	       mregion_pci_index(255, 31, 7) + 0xff, 0xff, self->shadow, NONE);
}

static uint32_t random_index(struct prng *prng)
{
	static const uint8_t devices[] = { 0, 3, 31, 5 };
	uint32_t index;

	if (one_in(prng, 10))
		return below(prng, 1u << 31) * 2 + below(prng, 2);
	index = mregion_pci_index(one_in(prng, 4) ? below(prng, 256) : 0,
				  devices[below(prng, 4)],
				  one_in(prng, 2) ? 0 : below(prng, 8));
	if (one_in(prng, 10))
		index &= 0x7fffffff;
	return index | below(prng, 256);
}

/* The kernel, the library's DMA, and the device's functions are of one mind. */
TEST_F(indexed, pci_for_all_alike)
{
	struct prng prng = { 1 };
	uint64_t by_kernel, by_dma, by_device;
	unsigned int i, len, reads;
	uint32_t index;
	uint64_t addr;
	int outcome;

	fill(self, &prng);
	mregion_begin(self->machine);
	mregion_add_pair(self->region, &self->pci);
	show_all(self, mregion_show_in_pair);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	for (i = 0; i < 5000; i++) {
		index = random_index(&prng);
		len = 1u << below(&prng, 3);
		addr = BASE + 4 + len * below(&prng, 4 / len);
		if (one_in(&prng, 2)) {
			ASSERT_EQ(MREGION_OUTCOME_SHADOW,
				  out(self, BASE, 4, index));
		} else {
			ASSERT_EQ(0, mregion_space_write(self->space, BASE,
							 &index, 4, NULL));
		}
		ASSERT_EQ(index, load_index(&self->bridge));
		ASSERT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, BASE, 4, index));

		by_kernel = by_dma = by_device = 0;
		outcome = make(self, addr, len, false, &by_kernel);
		ASSERT_EQ(index & 0x80000000 ? MREGION_OUTCOME_SHADOW :
					       MREGION_OUTCOME_EXIT, outcome);
		reads = self->bridge.reads;
		ASSERT_EQ(0, mregion_space_read(self->space, addr, &by_dma, len,
						NULL));
		/* it is called for what the kernel does not know */
		ASSERT_EQ(outcome == MREGION_OUTCOME_EXIT,
			  self->bridge.reads - reads);
		by_device = bridge_read(&self->bridge, addr - BASE, len) &
			    (~0ull >> (64 - 8 * len));
		ASSERT_EQ(by_device, by_dma)
			TH_LOG("index %#x, port %#llx, %u bytes", index,
			       (unsigned long long)addr, len);
		if (outcome == MREGION_OUTCOME_SHADOW) {
			ASSERT_EQ(by_device, by_kernel);
		}
	}
	EXPECT_EQ(0, self->bridge.writes);
	/* only accesses of 4 bytes are to the index: the others are for the device */
	EXPECT_EQ(MREGION_OUTCOME_EXIT, out(self, BASE, 1, 0));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, out(self, BASE + 2, 2, 0));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, BASE + 1, 1, 0));
	/* writes of data are the device's */
	ASSERT_EQ(0, mregion_space_write(self->space, BASE + 4, &index, 4, NULL));
	EXPECT_EQ(1, self->bridge.writes);

	/* With nothing shown, all is as it was: by the device. */
	mregion_begin(self->machine);
	show_all(self, mregion_hide_in_pair);
	mregion_del_pair(self->region, &self->pci);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	index = mregion_pci_index(0, 3, 0);
	EXPECT_EQ(MREGION_OUTCOME_EXIT, out(self, BASE, 4, index));
	ASSERT_EQ(0, mregion_space_write(self->space, BASE, &index, 4, NULL));
	EXPECT_EQ(2, self->bridge.writes);
	EXPECT_EQ(index, load_index(&self->bridge));
	by_dma = 0;
	ASSERT_EQ(0, mregion_space_read(self->space, BASE + 4, &by_dma, 4, NULL));
	EXPECT_EQ(0, memcmp(&by_dma, self->bridge.memory + (3 << 11), 4));
	EXPECT_EQ(-ENOENT, mregion_del_pair(self->region, &self->pci));
	EXPECT_EQ(0, mregion_shadow_free(self->shadow));
}

/* A register that changes by itself is between two ranges, and its device's. */
TEST_F(indexed, but_for_one_register)
{
	uint32_t index = mregion_pci_index(0, 3, 0);

	EXPECT_EQ(0, mregion_add_pair(self->region, &self->pci));
	EXPECT_EQ(0, mregion_show_in_pair(self->region, &self->pci, index,
					  index + 0x43, 0xff, self->shadow, 0));
	EXPECT_EQ(0, mregion_show_in_pair(self->region, &self->pci, index + 0x48,
					  index + 0xff, 0xff, self->shadow, 0));
	self->bridge.memory[0x40] = 5;
	self->bridge.memory[0x48] = 6;
	out(self, BASE, 4, index + 0x40);
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, BASE + 4, 4, 5));
	out(self, BASE, 4, index + 0x44);
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, BASE + 4, 4, 0));
	out(self, BASE, 4, index + 0x48);
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, BASE + 4, 4, 6));
	out(self, BASE, 4, index + 0x100);
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, BASE + 4, 4, 0));
	EXPECT_EQ(-EEXIST, mregion_show_in_pair(self->region, &self->pci,
						index + 0x40, index + 0x47, 0xff,
						self->shadow, 0));
	EXPECT_NE(NULL, strstr(mregion_error(),
		": another shadow could match the same access with the same index (EEXIST)"))
		TH_LOG("%s", mregion_error());
	/* The memory of a range is exchanged by one commit. */
	memset(self->bridge.memory + 0x200, 0x77, 0x100);
	mregion_begin(self->machine);
	mregion_hide_in_pair(self->region, &self->pci, index, index + 0x43, 0xff,
			     self->shadow, 0);
	mregion_show_in_pair(self->region, &self->pci, index, index + 0x43, 0xff,
			     self->shadow, 0x200);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	out(self, BASE, 4, index);
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, BASE + 4, 2, 0x7777));
	EXPECT_EQ(-EBUSY, mregion_shadow_free(self->shadow));
}

/* A byte that selects a byte; an outw writes both, as drivers of VGA do. */
TEST_F(indexed, bytes)
{
	static const struct mregion_ops bytes = {
		.constraints = { .impl_max = 1 },
	};
	struct mregion_pair pair = {
		.kind = MREGION_PAIR_BYTE, .index = self->shadow,
	};
	struct mregion_pair cmos = {
		.kind = MREGION_PAIR_CMOS, .index = self->shadow,
		.index_offset = 8,
	};
	struct mregion_region *vga, *clock;
	uint8_t *memory = self->bridge.memory;

	mregion_begin(self->machine);
	vga = mregion_new_mmio(self->machine, "vga", 2, &bytes, NULL);
	clock = mregion_new_mmio(self->machine, "clock", 2, &bytes, NULL);
	mregion_map(self->root, vga, 0x3c4, 0);
	mregion_map(self->root, clock, 0x70, 0);
	mregion_add_pair(vga, &pair);
	mregion_show_in_pair(vga, &pair, 0, 4, 7, self->shadow, 0x100);
	mregion_add_pair(clock, &cmos);
	mregion_show_in_pair(clock, &cmos, 0x0e, 0x7f, 0x7f, self->shadow, 0x200);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	memory[0x104] = 0x24;
	memory[0x20e] = 0x2e;
	memory[0x27f] = 0x2f;

	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x3c4, 1, 4));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x3c5, 1, 0x24));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x3c4, 1, 4));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x3c4, 2, 0x2404));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x3c4, 1, 5));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, 0x3c5, 1, 0));
	/* NMIs are masked; the index cannot be read */
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x70, 1, 0x8e));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x71, 1, 0x2e));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, 0x70, 1, 0));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x70, 1, 0x7f));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x71, 1, 0x2f));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x70, 1, 0x0a));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, 0x71, 1, 0));
}

TEST_F(indexed, ioapic)
{
	static const struct mregion_ops words = {
		.constraints = { .valid_max = 4, .impl_max = 4 },
	};
	struct mregion_pair pair = {
		.kind = MREGION_PAIR_IOAPIC, .index = self->shadow,
	};
	uint8_t *memory = self->bridge.memory;
	struct mregion_region *ioapic;

	mregion_begin(self->machine);
	ioapic = mregion_new_mmio(self->machine, "ioapic", 0x1000, &words, NULL);
	mregion_map(self->root, ioapic, 0x1000, 0);
	mregion_add_pair(ioapic, &pair);
	mregion_show_in_pair(ioapic, &pair, 0x10, 0x3f, 0xff, self->shadow, 0x1000);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	memcpy(memory + 0x1000 + 4 * 0x3f, "\1\2\3\4", 4);
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x1000, 4, 0x3f));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x1010, 4, 0x04030201));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x1000, 1, 0x10));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x1000, 4, 0x10));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, in_is(self, 0x1010, 4, 0));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, out(self, 0x1010, 4, 1));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, 0x1000, 4, 0));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, in_is(self, 0x1010, 4, 0));
}

/* What is written is stored where the index says, and told. */
TEST_F(indexed, stored)
{
	int fd = eventfd(0, EFD_NONBLOCK), same = dup(fd);
	struct mregion_indexed indexed = {
		.offset = 4, .len = 2,
		.index = self->shadow, .index_offset = 0x10, .index_len = 2,
		.bits = 0x8000, .first = 0x8000, .last = 0x8000,
		.select = 0x700, .shift = -7,
		.shadow = self->shadow, .shadow_offset = 0x20,
		.access_len = 2,
		.flags = MREGION_RULE_READ | MREGION_RULE_WRITE,
		.eventfd = fd,
	};
	uint8_t *memory = self->bridge.memory;
	uint64_t count;

	ASSERT_LE(0, same);
	ASSERT_EQ(0, mregion_add_indexed(self->region, &indexed))
		TH_LOG("%s", mregion_error());
	memory[0x11] = 0x83;
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, BASE + 4, 2, 0x1234));
	EXPECT_EQ(0, memcmp(memory + 0x26, "\x34\x12", 2));
	EXPECT_EQ(8, read(fd, &count, sizeof(count)));
	EXPECT_EQ(MREGION_OUTCOME_SHADOW, out(self, BASE + 4, 2, 0x1234));
	EXPECT_EQ(-1, read(fd, &count, sizeof(count)));
	EXPECT_EQ(MREGION_OUTCOME_EXIT, out(self, BASE + 4, 1, 0x12));
	memory[0x11] = 0x03;
	EXPECT_EQ(MREGION_OUTCOME_EXIT, out(self, BASE + 4, 2, 0x4321));
	/* closed by now */
	close(fd);
	EXPECT_EQ(0, mregion_del_indexed(self->region, &indexed))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(-ENOENT, mregion_del_indexed(self->region, &indexed));
	close(same);
}

/* Each byte is a data register here, of which a region has no more than a few. */
TEST_F(indexed, no_more_room)
{
	uint32_t i, max = mregion_machine_info(self->machine)->max_indices;
	struct mregion_indexed indexed = {
		.offset = 4, .len = 1, .index = self->shadow, .index_len = 1,
		.select = 0xff, .shadow = self->shadow,
		.flags = MREGION_RULE_READ, .eventfd = -1,
	};
	struct mregion_region *region;

	region = mregion_new_mmio(self->machine, "many", 0x1000, &bridge_ops,
				  &self->bridge);
	ASSERT_NE(NULL, region);
	for (i = 0; i < max; i++) {
		indexed.offset = i;
		ASSERT_EQ(0, mregion_add_indexed(region, &indexed))
			TH_LOG("%s", mregion_error());
	}
	indexed.offset = i;
	EXPECT_EQ(-ENOSPC, mregion_add_indexed(region, &indexed));
	EXPECT_NE(NULL, strstr(mregion_error(),
		": the region or the machine has as many rules as it can, or the region max_indices kinds of data registers (ENOSPC)"))
		TH_LOG("%s", mregion_error());
}

/* To all of these the kernel says EINVAL; the library, which of its reasons it is. */
#define MISTAKE(member, value, reason) do { \
	struct mregion_indexed bad = good; \
	bad.member = value; \
	EXPECT_EQ(-EINVAL, mregion_add_indexed(self->region, &bad)); \
	EXPECT_NE(NULL, strstr(mregion_error(), ": " reason " (EINVAL)")) \
		TH_LOG("%s", mregion_error()); \
} while (0)

TEST_F(indexed, mistakes)
{
	const struct mregion_indexed good = {
		.offset = 4, .len = 4,
		.index = self->shadow, .index_offset = INDEX, .index_len = 4,
		.bits = 0x80fffffc, .first = 0x80000000, .last = 0x8000fffc,
		.select = 0xfffc, .shadow = self->shadow,
		.flags = MREGION_RULE_READ, .eventfd = -1,
	};

	MISTAKE(len, 0, "the register's length is 0");
	MISTAKE(index_len, 3, "the index has 1, 2 or 4 bytes");
	MISTAKE(index_len, 0, "the index has 1, 2 or 4 bytes");
	MISTAKE(index_offset, 2, "the index's offset is not a multiple of its length");
	MISTAKE(index_len, 2, "bits or select has a bit that the index does not have");
	MISTAKE(first, 0x80fffffc, "first is more than last");
	MISTAKE(last, 0x8000ffff, "first or last has a bit that is not in bits");
	MISTAKE(last, mregion_pci_index(0, 32, 0) + 0xfc,
		"first or last has a bit that is not in bits");
	MISTAKE(shift, 32, "shift is -31 to 31");
	MISTAKE(shift, -32, "shift is -31 to 31");
	MISTAKE(shift, -1, "places that an index selects are not aligned as the register is");
	MISTAKE(select, 0xff, "places that an index selects are not aligned as the register is");
	MISTAKE(shadow_offset, 2,
		"offset and shadow_offset differ modulo the register's size, up to 8");
	MISTAKE(select, 0xffffc, "the index or a place that it selects is behind the end of its memory");
	MISTAKE(index_offset, MEMORY_LEN + 0x1000,
		"the index or a place that it selects is behind the end of its memory");
	MISTAKE(flags, 0, "flags say neither MREGION_RULE_READ nor MREGION_RULE_WRITE");
	MISTAKE(access_len, 3, "access_len is 1, 2, 4, 8, or 0 for any");
	MISTAKE(access_len, 8, "access_len is more than the part has room for");
	MISTAKE(offset, 8, "the part begins behind the region's end");
	EXPECT_EQ(0, mregion_add_indexed(self->region, &good))
		TH_LOG("%s", mregion_error());
}

TEST_HARNESS_MAIN
