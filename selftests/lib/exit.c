// SPDX-License-Identifier: GPL-2.0
/* Exits of vCPUs: how they find their way to memory and devices. */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fixture.h"
#include "flat.h"
#include "progress.h"
#include "server.h"
#include "vm.h"

static uint64_t ram[512];

struct device {
	unsigned int reads;
	unsigned int writes;
	uint64_t offset;
	uint64_t data;
	unsigned int len;
	char bytes[32];
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct device *device = opaque;

	device->reads++;
	device->offset = offset;
	device->len = len;
	return 0x1122334455667788 + device->reads - 1;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	if (device->writes < sizeof(device->bytes))
		device->bytes[device->writes] = data;
	device->writes++;
	device->offset = offset;
	device->data = data;
	device->len = len;
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

static const struct mregion_ops picky_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = {
		.valid_min = 4,
		.valid_max = 4,
		.refused = MREGION_POLICY_ERROR,
	},
};

#define RANGE(from, to, off, id, k, f) { \
	.start = from, .last = to, .offset = off, .region = id, .kind = k, \
	.flags = f }

static const struct mregion_range memory_ranges[] = {
	RANGE(0x1000, 0x10ff, 0x10, 1, MREGION_RAM, 0),
	RANGE(0x1100, 0x11ff, 0x110, 1, MREGION_RAM, MREGION_RANGE_READONLY),
	RANGE(0x1200, 0x120f, 0x8, 2, MREGION_MMIO, 0),
	RANGE(0x1210, 0x121f, 0, 3, MREGION_MMIO, 0),
	RANGE(0x1300, 0x13ff, 0, 4, MREGION_ROMD, MREGION_RANGE_ROMD),
	RANGE(0x1400, 0x14ff, 0, 4, MREGION_ROMD, 0),
	RANGE(0x1500, 0x15ff, 0, 99, MREGION_MMIO, 0),
	RANGE(UINT64_MAX - 3, UINT64_MAX, 0, 2, MREGION_MMIO, 0),
};

static const struct mregion_range pio_ranges[] = {
	RANGE(0x3f8, 0x3ff, 0, 2, MREGION_MMIO, 0),
	/* As on a PC: an index register with another device in its middle. */
	RANGE(0xcf8, 0xcf8, 0, 2, MREGION_MMIO, 0),
	RANGE(0xcf9, 0xcf9, 0, 3, MREGION_MMIO, 0),
	RANGE(0xcfa, 0xcfb, 2, 2, MREGION_MMIO, 0),
	RANGE(0xfffe, 0xffff, 0, 2, MREGION_MMIO, 0),
};

/* The spaces that MREGION_ACCESS looks into: memory from 0x1000 on, and ports. */
static struct mregion_space *ask_memory;
static struct mregion_space *ask_pio;

FIXTURE(exit)
{
	struct mregion_machine machine;
	struct mregion_space memory;
	struct mregion_space pio;
	struct mregion_vm vm;
	struct device device;
	struct device picky;
	union {
		struct kvm_run run;
		uint8_t page[8192];
	};
};

FIXTURE_SETUP(exit)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *region;

	memset(self, 0, sizeof(*self));
	memset(ram, 0, sizeof(ram));
	fixture_init(machine);
	region = fixture_region(machine, 1, MREGION_RAM, 4096, NULL, NULL);
	atomic_store(&region->ram.ptr, (uint8_t *)ram);
	fixture_region(machine, 2, MREGION_MMIO, 64, &device_ops,
		       &self->device);
	fixture_region(machine, 3, MREGION_MMIO, 64, &picky_ops, &self->picky);
	region = fixture_region(machine, 4, MREGION_ROMD, 4096, &device_ops,
				&self->device);
	atomic_store(&region->ram.ptr, (uint8_t *)ram);
	fixture_space(machine, &self->memory, MREGION_BUS_MEMORY,
		      memory_ranges, ARRAY_SIZE(memory_ranges));
	fixture_space(machine, &self->pio, MREGION_BUS_PIO, pio_ranges,
		      ARRAY_SIZE(pio_ranges));
	self->vm.machine = machine;
	self->vm.progress = mregion_progress_alloc();
	self->vm.memory = &self->memory;
	self->vm.pio = &self->pio;
	ask_memory = &self->memory;
	ask_pio = &self->pio;
}

FIXTURE_TEARDOWN(exit)
{
	fixture_space_destroy(&self->memory);
	fixture_space_destroy(&self->pio);
	free(self->vm.progress);
	fixture_destroy(&self->machine);
}

static int mmio(struct mregion_vm *vm, struct kvm_run *run, uint64_t addr,
		unsigned int len, bool write)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = addr;
	run->mmio.len = len;
	run->mmio.is_write = write;
	return mregion_vm_exit(vm, 0, run);
}

static int io(struct mregion_vm *vm, struct kvm_run *run, uint16_t port,
	      unsigned int size, unsigned int count, bool write)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.port = port;
	run->io.size = size;
	run->io.count = count;
	run->io.direction = write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.data_offset = 4096;
	return mregion_vm_exit(vm, 0, run);
}

TEST_F(exit, ram)
{
	struct kvm_run *run = &self->run;

	memcpy(run->mmio.data, "abcd", 4);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1004, 4, true));
	EXPECT_EQ(0, memcmp((char *)ram + 0x14, "abcd", 5));
	memset(run->mmio.data, 0, 8);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1005, 2, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, "bc\0", 3));
}

TEST_F(exit, readonly)
{
	struct kvm_run *run = &self->run;

	((uint8_t *)ram)[0x110] = 7;
	memset(run->mmio.data, 1, 8);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1100, 1, true));
	EXPECT_EQ(7, ((uint8_t *)ram)[0x110]);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1100, 1, false));
	EXPECT_EQ(7, run->mmio.data[0]);
}

TEST_F(exit, device)
{
	struct kvm_run *run = &self->run;

	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 8, false));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(0x10, self->device.offset);
	EXPECT_EQ(8, self->device.len);
	EXPECT_EQ(0, memcmp(run->mmio.data,
			    "\x88\x77\x66\x55\x44\x33\x22\x11", 8));
	memcpy(run->mmio.data, "\1\2\3\4", 4);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1200, 2, true));
	EXPECT_EQ(0x0201, self->device.data);
	EXPECT_EQ(8, self->device.offset);
	EXPECT_EQ(2, self->device.len);
}

/* Read-only RAM, a device, another device: three ranges, one access each. */
TEST_F(exit, straddles)
{
	struct kvm_run *run = &self->run;

	memset((uint8_t *)ram + 0x20e, 0x5a, 2);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x11fe, 4, false));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(8, self->device.offset);
	EXPECT_EQ(2, self->device.len);
	EXPECT_EQ(0, memcmp(run->mmio.data, "\x5a\x5a\x88\x77", 4));

	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x120e, 4, true));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(2, self->device.len);
	EXPECT_EQ(0, self->picky.writes);
}

/* QEMU's address_space_translate_internal(): registers are not cut. */
TEST_F(exit, reaches_into_the_next)
{
	memcpy(self->page + 4096, "\1\2\3\4", 4);
	EXPECT_EQ(0, io(&self->vm, &self->run, 0xcf8, 4, 1, true));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(0, self->device.offset);
	EXPECT_EQ(4, self->device.len);
	EXPECT_EQ(0x04030201, self->device.data);
	EXPECT_EQ(0, self->picky.writes);
}

/* Devices that note what is asked of them, for the table below. */
static char calls[128];

static void note(const char *device, uint64_t offset, unsigned int len)
{
	size_t used = strlen(calls);

	snprintf(calls + used, sizeof(calls) - used, "%s%s%u/%u",
		 used ? " " : "", device, (unsigned int)offset, len);
}

static uint64_t note_read(void *opaque, uint64_t offset, unsigned int len)
{
	note(opaque, offset, len);
	return 0;
}

static void note_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	(void)data;
	note(opaque, offset, len);
}

#define NOTE_OPS(max, f) { \
	.read = note_read, .write = note_write, \
	.constraints = { .valid_max = max, .impl_max = 8, .flags = f } }

static const struct mregion_ops note_4 = NOTE_OPS(4, 0);
static const struct mregion_ops note_8 = NOTE_OPS(8, 0);
static const struct mregion_ops note_any = NOTE_OPS(4, MREGION_VALID_UNALIGNED |
						    MREGION_IMPL_UNALIGNED);

static const struct mregion_range cut_ranges[] = {
	RANGE(0x1000, 0x1005, 0, 10, MREGION_MMIO, 0),
	RANGE(0x1006, 0x10ff, 0, 11, MREGION_MMIO, 0),
	RANGE(0x2000, 0x2005, 0, 11, MREGION_MMIO, 0),
	RANGE(0x2006, 0x20ff, 0, 10, MREGION_MMIO, 0),
	RANGE(0x3000, 0x3005, 0, 12, MREGION_MMIO, 0),
	RANGE(0x3006, 0x30ff, 0, 10, MREGION_MMIO, 0),
	RANGE(0x4003, 0x40ff, 0, 10, MREGION_MMIO, 0),
	RANGE(0x5000, 0x5001, 0, 13, MREGION_ROMD, 0),
	RANGE(0x5002, 0x50ff, 0, 10, MREGION_MMIO, 0),
	RANGE(0x6000, 0x6001, 0, 13, MREGION_ROMD, MREGION_RANGE_ROMD),
	RANGE(0x6002, 0x60ff, 0, 10, MREGION_MMIO, 0),
	RANGE(0x7000, 0x7001, 0, 1, MREGION_RAM, 0),
	RANGE(0x7002, 0x70ff, 0, 10, MREGION_MMIO, 0),
	RANGE(0x8000, 0x8001, 0, 14, MREGION_RAMDEV, 0),
	RANGE(0x8002, 0x80ff, 0, 10, MREGION_MMIO, 0),
};

/*
 * Where accesses are cut that are to several ranges: the calls that QEMU makes
 * for them, step by step (flatview_read_continue(), flatview_write_continue()).
 * @rule names the function that decides the case; those of memory.c apart, they
 * are in system/physmem.c (softmmu/physmem.c before QEMU 8.2).
 */
static const struct cut {
	const char *rule;
	uint64_t addr;
	unsigned int len;
	bool write;
	const char *calls;
} cuts[] = {
	{ "address_space_translate_internal(): registers are not cut",
	  0x1004, 4, false, "A4/4" },
	{ "flatview_write_continue(): nor in a later step",
	  0x1000, 8, true, "A0/4 A4/4" },
	{ "flatview_read_continue(): what is left is the next one's",
	  0x1002, 8, false, "A2/2 A4/4 B2/2" },
	{ "memory_access_size(): in one step",
	  0x2000, 8, true, "B0/8" },
	{ "memory_access_size(): in parts, the last of which goes beyond",
	  0x2004, 8, true, "B4/4 A2/2 A4/2" },
	{ "memory_access_size(): unaligned steps, to the end",
	  0x3002, 4, false, "C2/4" },
	{ "memory_access_size(): unaligned steps, and beyond",
	  0x3001, 8, false, "C1/4 C5/4" },
	{ "memory_access_size(): what nothing is at is one step",
	  0x4000, 4, true, "" },
	{ "memory_access_size(): of no more than 4",
	  0x4000, 8, true, "A1/1 A2/2 A4/1" },
	{ "memory_access_size(): and aligned by address",
	  0x4001, 4, true, "A1/1" },
	{ "memory_region_is_ram(), memory.c: a ROM device's registers",
	  0x5000, 4, false, "R0/4" },
	{ "memory_access_is_direct(): a ROM device's writes",
	  0x6000, 4, true, "R0/4" },
	{ "memory_access_is_direct(): but reads are of memory",
	  0x6000, 4, false, "A0/2" },
	{ "address_space_translate_internal(): memory is cut",
	  0x7000, 4, true, "A0/2" },
	{ "memory_region_is_ram(), memory.c: a RAM device's, too",
	  0x8000, 4, true, "D0/2 A0/2" },
};

TEST_F(exit, cut)
{
	struct mregion_machine *machine = &self->machine;
	struct mregion_region *region;
	unsigned int i;

	fixture_region(machine, 10, MREGION_MMIO, 64, &note_4, "A");
	fixture_region(machine, 11, MREGION_MMIO, 64, &note_8, "B");
	fixture_region(machine, 12, MREGION_MMIO, 64, &note_any, "C");
	region = fixture_region(machine, 13, MREGION_ROMD, 64, &note_4, "R");
	atomic_store(&region->ram.ptr, (uint8_t *)ram);
	fixture_region(machine, 14, MREGION_RAMDEV, 64, &note_8, "D");
	fixture_set_view(&self->memory, cut_ranges, ARRAY_SIZE(cut_ranges));
	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		const struct cut *cut = &cuts[i];
		size_t done;

		calls[0] = '\0';
		EXPECT_EQ(0, mmio(&self->vm, &self->run, cut->addr, cut->len,
				  cut->write));
		EXPECT_STREQ(cut->calls, calls)
			TH_LOG("%s", cut->rule);
		if (cut->addr >> 12 == 4)
			continue;

		/* By DMA, too. */
		calls[0] = '\0';
		EXPECT_EQ(0, cut->write ?
			     mregion_space_write(&self->memory, cut->addr, ram,
						 cut->len, &done) :
			     mregion_space_read(&self->memory, cut->addr,
						self->page, cut->len, &done));
		EXPECT_STREQ(cut->calls, calls)
			TH_LOG("%s", cut->rule);
		EXPECT_EQ(cut->len, done);
	}
}

/* A long transfer is cut where a step ends, wherever it begins. */
TEST_F(exit, long_transfer)
{
	static const struct mregion_range ranges[] = {
		RANGE(0x1000, 0x101d, 0, 10, MREGION_MMIO, 0),
		RANGE(0x101e, 0x102f, 0, 11, MREGION_MMIO, 0),
	};
	uint8_t buf[64];
	size_t done;

	fixture_region(&self->machine, 10, MREGION_MMIO, 64, &note_any, "C");
	fixture_region(&self->machine, 11, MREGION_MMIO, 64, &note_4, "A");
	fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
	calls[0] = '\0';
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1011, buf, 20, &done));
	EXPECT_STREQ("C17/4 C21/4 C25/4 C29/4 A3/1 A4/2 A6/1", calls);
	fixture_set_view(&self->memory, (struct mregion_range[]){
		RANGE(0x1000, 0x101d, 0, 11, MREGION_MMIO, 0),
		RANGE(0x101e, 0x102f, 0, 10, MREGION_MMIO, 0),
	}, 2);
	calls[0] = '\0';
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1011, buf, 20, &done));
	EXPECT_STREQ("A17/1 A18/2 A20/4 A24/4 A28/4 C2/4 C6/1", calls);
	EXPECT_EQ(20, done);
}

TEST_F(exit, refused)
{
	struct kvm_run *run = &self->run;

	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x1210, 2, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, "\xff\xff", 2));
	EXPECT_EQ(0, self->picky.reads);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1210, 4, false));
	EXPECT_EQ(1, self->picky.reads);
}

TEST_F(exit, rom_device)
{
	struct kvm_run *run = &self->run;

	ram[0] = 0x12345678;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1300, 4, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, ram, 4));
	EXPECT_EQ(0, self->device.reads);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1300, 4, true));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1400, 4, false));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(0x12345678, ram[0]);
}

TEST_F(exit, unassigned)
{
	struct kvm_run *run = &self->run;

	EXPECT_EQ(0, mmio(&self->vm, run, 0x2000, 8, false));
	EXPECT_EQ(0, memcmp(run->mmio.data,
			    "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
	self->memory.unassigned = MREGION_POLICY_ZEROES;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x0, 8, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, "\0\0\0\0\0\0\0\0", 8));
	self->memory.unassigned = MREGION_POLICY_ERROR;
	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x1220, 4, false));
	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x1220, 4, true));
	/* A region of somebody else's: nothing is there as far as we know. */
	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x1500, 4, true));
}

static struct mregion_unassigned seen[4];
static unsigned int nr_seen;
static uint8_t last_byte;

static int see(void *opaque, struct mregion_unassigned *access)
{
	if (opaque != seen || nr_seen == ARRAY_SIZE(seen))
		return -EFAULT;
	seen[nr_seen++] = *access;
	last_byte = access->data[access->len - 1];
	if (!access->write)
		access->data[0] = 0x5a;
	return access->addr == 0x2008 ? -EFAULT : 0;
}

/* By the policy EXIT the VMM sees what nothing is at, and that alone. */
TEST_F(exit, unassigned_callback)
{
	struct kvm_run *run = &self->run;

	nr_seen = 0;
	self->vm.unassigned = see;
	self->vm.opaque = seen;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x2000, 4, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, "\x5a\xff\xff\xff", 4));
	memcpy(run->mmio.data, "abcd", 4);
	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x2008, 4, true));
	EXPECT_EQ('d', last_byte);
	/* Behind a device. */
	EXPECT_EQ(0, io(&self->vm, run, 0x3fe, 4, 1, false));
	ASSERT_EQ(3, nr_seen);
	EXPECT_EQ(&self->vm, seen[0].vm);
	EXPECT_EQ(0x2000, seen[0].addr);
	EXPECT_EQ(4, seen[0].len);
	EXPECT_FALSE(seen[0].write);
	EXPECT_TRUE(seen[1].write);
	EXPECT_EQ(0x400, seen[2].addr);
	EXPECT_EQ(2, seen[2].len);
	EXPECT_EQ(MREGION_BUS_PIO, seen[2].bus);

	self->memory.unassigned = MREGION_POLICY_ZEROES;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x2000, 4, false));
	self->memory.unassigned = MREGION_POLICY_EXIT;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x2000, 4, false));
	EXPECT_EQ(4, nr_seen);
}

TEST_F(exit, end_of_space)
{
	struct kvm_run *run = &self->run;

	EXPECT_EQ(0, mmio(&self->vm, run, UINT64_MAX - 3, 8, false));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(4, self->device.len);
	EXPECT_EQ(0, memcmp(run->mmio.data,
			    "\x88\x77\x66\x55\xff\xff\xff\xff", 8));
	EXPECT_EQ(0, io(&self->vm, run, 0xfffe, 4, 1, false));
	EXPECT_EQ(2, self->device.reads);
	EXPECT_EQ(2, self->device.len);
	EXPECT_EQ(0, memcmp(self->page + 4096, "\x89\x77\xff\xff", 4));
}

TEST_F(exit, string_io)
{
	struct kvm_run *run = &self->run;

	memcpy(self->page + 4096, "hello, world", 12);
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 1, 12, true));
	EXPECT_EQ(12, self->device.writes);
	EXPECT_EQ(0, self->device.offset);
	EXPECT_STREQ("hello, world", self->device.bytes);
	EXPECT_EQ(0, io(&self->vm, run, 0x3fc, 2, 3, false));
	EXPECT_EQ(3, self->device.reads);
	EXPECT_EQ(0, memcmp(self->page + 4096,
			    "\x88\x77\x89\x77\x8a\x77 world", 12));
}

/* MREGION_ACCESS, as the kernel answers it for a region that has a server. */
static struct mregion_access asked[32];
static unsigned int nr_asked;
/* How many are interrupted before one is answered, after so many others. */
static unsigned int interrupts;
static unsigned int interrupts_after;
static int interrupt_error;
static bool server_dead;

static void find_part(struct mregion_access *access)
{
	const struct mregion_flat *flat = access->addr < 0x1000 ?
					  ask_pio->flat : ask_memory->flat;
	size_t i = mregion_flat_find(flat, access->addr);
	const struct mregion_range *range = &flat->view->ranges[i];

	access->part = access->len;
	if (i == flat->view->nr || range->start > access->addr)
		return;
	if (access->part - 1 > range->last - access->addr)
		access->part = range->last - access->addr + 1;
	access->region = range->region;
	access->offset = range->offset + (access->addr - range->start);
	access->range_flags = range->flags;
}

static int ask(unsigned long request, void *arg)
{
	struct mregion_access *access = arg;

	if (request != MREGION_ACCESS || nr_asked == ARRAY_SIZE(asked))
		return -ENOTTY;
	find_part(access);
	asked[nr_asked++] = *access;
	if (interrupts && nr_asked > interrupts_after) {
		interrupts--;
		return interrupt_error;
	}
	access->handled = !server_dead;
	access->outcome = server_dead ? MREGION_OUTCOME_SERVER_EXIT :
					MREGION_OUTCOME_SERVED;
	if (access->handled && !(access->flags & MREGION_ACCESS_WRITE))
		access->data = 0xa0a0a0a0a0a0a0a0 + nr_asked;
	return 0;
}

static void bind(struct mregion_machine *machine, uint32_t id,
		 struct mregion_server *server)
{
	struct mregion_region *region = mregion_table_get(&machine->regions,
							  id);

	server->machine = machine;
	atomic_store(&region->server, server);
	mregion_region_put(region);
	fixture_ioctl = ask;
	nr_asked = 0;
	interrupts = 0;
	interrupts_after = 0;
	interrupt_error = -EINTR;
	server_dead = false;
}

TEST_F(exit, served)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };

	bind(&self->machine, 2, &server);
	memcpy(run->mmio.data, "\1\2\3\4", 4);
	run->mmio.len = 4;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1204, 4, true));
	ASSERT_EQ(1, nr_asked);
	EXPECT_EQ(0x1204, asked[0].addr);
	EXPECT_EQ(4, asked[0].len);
	EXPECT_EQ(0x04030201, asked[0].data);
	EXPECT_EQ(MREGION_ACCESS_WRITE | MREGION_ACCESS_PART, asked[0].flags);
	EXPECT_EQ(0, asked[0].vcpu);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1204, 2, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, "\xa2\xa0", 2));
	EXPECT_EQ(0, self->device.reads + self->device.writes);
}

/* Parts that are done stay done when the VMM comes back after a signal. */
TEST_F(exit, interrupted)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };
	static const struct mregion_range ranges[] = {
		RANGE(0x1000, 0x1003, 0, 4, MREGION_ROMD, 0),
		RANGE(0x1004, 0x10ff, 0x20, 3, MREGION_MMIO, 0),
	};

	fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
	bind(&self->machine, 3, &server);
	interrupts = 2;
	EXPECT_EQ(-EINTR, mmio(&self->vm, run, 0x1002, 4, false));
	EXPECT_EQ(-EINTR, mmio(&self->vm, run, 0x1002, 4, false));
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1002, 4, false));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(3, nr_asked);
	EXPECT_EQ(0x1004, asked[2].addr);
	EXPECT_EQ(2, asked[2].len);
	EXPECT_EQ(0, memcmp(run->mmio.data, "\x88\x77\xa3\xa0", 4));

	/* Nothing is left over for the next exit. */
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1002, 4, false));
	EXPECT_EQ(2, self->device.reads);

	/*
	 * Not even if the VMM has forgotten to come back. That takes two reads,
	 * as three bytes are in two parts.
	 */
	interrupts = 1;
	EXPECT_EQ(-EINTR, mmio(&self->vm, run, 0x1002, 4, false));
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1001, 4, false));
	EXPECT_EQ(5, self->device.reads);
}

TEST_F(exit, interrupted_string)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };
	unsigned int i;

	bind(&self->machine, 2, &server);
	memcpy(self->page + 4096, "abcdef", 6);
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 2, 1, true));
	interrupts = 1;
	EXPECT_EQ(-EINTR, io(&self->vm, run, 0x3f8, 2, 3, true));
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 2, 3, true));
	ASSERT_EQ(5, nr_asked);
	for (i = 0; i < 3; i++)
		EXPECT_EQ('a' + 2 * i + 256 * ('b' + 2 * i), asked[i + 2].data);

	/* In the middle: the first is not asked for again. */
	nr_asked = 0;
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 2, 2, false));
	EXPECT_EQ(2, nr_asked);
	EXPECT_EQ(0, memcmp(self->page + 4096, "\xa1\xa0\xa2\xa0", 4));
}

/* A commit takes the region from its server, which is at something still. */
static void unbind(struct mregion_machine *machine, uint32_t id)
{
	struct mregion_region *region = mregion_table_get(&machine->regions,
							  id);

	atomic_store(&region->server, NULL);
	mregion_region_put(region);
	atomic_fetch_add(&machine->commits, 2);
}

/* What the server has is asked for again, and not done here as well. */
TEST_F(exit, unbound_while_interrupted)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };

	bind(&self->machine, 2, &server);
	atomic_store(&self->machine.servers, &server);
	memcpy(self->page + 4096, "abcdef", 6);
	interrupts = 1;
	interrupts_after = 1;
	EXPECT_EQ(-EINTR, io(&self->vm, run, 0x3f8, 2, 3, true));
	unbind(&self->machine, 2);
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 2, 3, true));
	ASSERT_EQ(3, nr_asked);
	EXPECT_EQ(0x3f8, asked[2].addr);
	EXPECT_EQ('c' + 256 * 'd', asked[2].data);
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ('e' + 256 * 'f', self->device.data);
}

/* A part is asked for again as it was, not as the access or the map is. */
TEST_F(exit, moved_while_interrupted)
{
	static const struct mregion_range ranges[] = {
		RANGE(0x1000, 0x1003, 0, 4, MREGION_ROMD, 0),
		RANGE(0x1004, 0x10ff, 0x20, 3, MREGION_MMIO, 0),
	};
	static const struct mregion_range moved[] = {
		RANGE(0x1000, 0x1fff, 0, 4, MREGION_ROMD, 0),
	};
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };
	unsigned int first;

	for (first = 3; first <= 4; first++) {
		fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
		self->device = (struct device){ 0 };
		bind(&self->machine, first, &server);
		atomic_store(&self->machine.servers, &server);
		interrupts = 1;
		EXPECT_EQ(-EINTR, mmio(&self->vm, run, 0x1002, 4, false));
		fixture_set_view(&self->memory, moved, ARRAY_SIZE(moved));
		unbind(&self->machine, first);
		EXPECT_EQ(0, mmio(&self->vm, run, 0x1002, 4, false));
		/* The first part, or the second. */
		ASSERT_EQ(2, nr_asked);
		EXPECT_EQ(first == 4 ? 0x1002 : 0x1004, asked[1].addr);
		EXPECT_EQ(asked[0].addr, asked[1].addr);
		EXPECT_EQ(2, asked[1].len);
		EXPECT_EQ(1, self->device.reads);
		EXPECT_EQ(0, memcmp(run->mmio.data, first == 4 ?
				    "\xa2\xa0\x88\x77" :
				    "\x88\x77\xa2\xa0", 4));
	}
}

/* As long as the kernel has not said whose an access is, it is nobody's. */
TEST_F(exit, kernel_has_no_memory)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };
	uint8_t buf[4] = { 0 };
	size_t done;

	bind(&self->machine, 2, &server);
	interrupts = 1;
	interrupt_error = -ENOMEM;
	EXPECT_EQ(-ENOMEM, mmio(&self->vm, run, 0x1204, 4, false));
	EXPECT_EQ(0, self->device.reads);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1204, 4, false));
	EXPECT_EQ(0, memcmp(run->mmio.data, "\xa2\xa0", 2));
	interrupts = 1;
	EXPECT_EQ(-ENOMEM, mregion_space_write(&self->memory, 0x1204, buf, 4,
					       &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(0, self->device.reads + self->device.writes);
}

/* Its devices are the VMM's, and so is what it has not taken of its ring. */
TEST_F(exit, dead_server)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { .eventfd = eventfd(1, EFD_CLOEXEC) };
	struct mregion_ring *ring = fixture_ring(&self->machine, 1);
	struct mregion_posted *posted = calloc(1, sizeof(*posted));

	bind(&self->machine, 2, &server);
	atomic_store(&ring->server, &server);
	posted->region = 2;
	posted->last = 7;
	mregion_ring_add_posted(ring, posted);

	fixture_append(&ring->memory, 2, 0, 'x', 1);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1200, 4, false));
	EXPECT_EQ(0, self->device.writes);
	server_dead = true;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1200, 4, false));
	EXPECT_TRUE(atomic_load(&server.dead));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ('x', self->device.bytes[0]);
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(2, nr_asked);
	/* It stays dead. The region may have doorbells, too: so it is asked. */
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1200, 4, false));
	EXPECT_EQ(2, self->device.reads);
	EXPECT_EQ(3, nr_asked);
	mregion_ring_release(ring);
	close(server.eventfd);
}

/* It may have been made by a map in which there was a server. */
TEST_F(exit, map_has_changed)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };

	bind(&self->machine, 3, &server);
	atomic_store(&self->machine.servers, &server);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 8, false));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(0, nr_asked);

	atomic_fetch_add(&self->machine.commits, 2);
	interrupts = 1;
	EXPECT_EQ(-EINTR, mmio(&self->vm, run, 0x1208, 8, false));
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 8, false));
	ASSERT_EQ(2, nr_asked);
	EXPECT_EQ(0x1208, asked[1].addr);
	EXPECT_EQ(8, asked[1].len);
	EXPECT_EQ(1, self->device.reads);

	/* Not any more, and the servers that there are have not got it. */
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 8, false));
	EXPECT_EQ(2, self->device.reads);
	EXPECT_EQ(2, nr_asked);
	atomic_fetch_add(&self->machine.commits, 2);
	server_dead = true;
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 8, false));
	EXPECT_EQ(3, self->device.reads);
	EXPECT_EQ(3, nr_asked);
	EXPECT_FALSE(atomic_load(&server.dead));
}

/*
 * What a KVM_RUN leaves behind that a signal has ended is the last exit once more,
 * and done already. KVM writes a new one anew, be it the same.
 */
TEST_F(exit, stale)
{
	struct kvm_run *run = &self->run;

	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 4, true));
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 4, true));
	EXPECT_EQ(2, self->device.writes);

	/* What was read is there, and nothing is read again. */
	EXPECT_EQ(0, mmio(&self->vm, run, 0x1208, 4, false));
	run->mmio.data[0] = 0x5a;
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(0x5a, run->mmio.data[0]);

	/* An error of the guest's is one error. */
	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x1210, 2, false));
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(-EFAULT, mmio(&self->vm, run, 0x1210, 2, false));

	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 1, 3, true));
	EXPECT_EQ(5, self->device.writes);
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(5, self->device.writes);
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 1, 3, true));
	EXPECT_EQ(8, self->device.writes);
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 1, 3, false));
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(4, self->device.reads);
}

/* An exit that is not resolved yet is one to go on with. */
TEST_F(exit, not_stale)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };

	bind(&self->machine, 2, &server);
	interrupts = 1;
	EXPECT_EQ(-EINTR, mmio(&self->vm, run, 0x1204, 4, true));
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(2, nr_asked);
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(2, nr_asked);
	interrupts = 1;
	EXPECT_EQ(-EINTR, io(&self->vm, run, 0x3f8, 1, 1, true));
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(4, nr_asked);
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, 0, run));
	EXPECT_EQ(4, nr_asked);
}

TEST_F(exit, dma_served)
{
	struct mregion_server server = { .eventfd = eventfd(1, EFD_CLOEXEC) };
	uint8_t buf[16];
	size_t done;

	bind(&self->machine, 2, &server);
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1204, buf, 12, &done));
	EXPECT_EQ(12, done);
	ASSERT_EQ(2, nr_asked);
	EXPECT_EQ(4, asked[0].len);
	EXPECT_EQ(8, asked[1].len);
	EXPECT_EQ(MREGION_NO_VCPU, asked[0].vcpu);
	EXPECT_EQ(0, memcmp(buf, "\xa1\xa0\xa0\xa0\xa2\xa0", 6));
	interrupts = 3;
	EXPECT_EQ(0, mregion_space_write(&self->memory, 0x1204, buf, 4, &done));
	EXPECT_EQ(6, nr_asked);
	server_dead = true;
	EXPECT_EQ(0, mregion_space_write(&self->memory, 0x1204, buf, 4, &done));
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(4, done);
	close(server.eventfd);
}

TEST_F(exit, not_ours)
{
	struct kvm_run *run = &self->run;

	run->exit_reason = KVM_EXIT_HLT;
	EXPECT_EQ(1, mregion_vm_exit(&self->vm, 0, run));
	self->vm.pio = NULL;
	EXPECT_EQ(1, io(&self->vm, run, 0x3f8, 1, 1, true));
	self->vm.memory = NULL;
	EXPECT_EQ(1, mmio(&self->vm, run, 0x1200, 4, true));
	EXPECT_EQ(0, self->device.writes);
}

TEST_F(exit, dma)
{
	uint8_t buf[0x220];
	size_t done;

	memset(ram, 0x33, sizeof(ram));
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1000, buf, 0x208,
					&done));
	EXPECT_EQ(0x208, done);
	EXPECT_EQ(0x33, buf[0x1ff]);
	EXPECT_EQ(0x88, buf[0x200]);
	EXPECT_EQ(1, self->device.reads);

	/* Ends in the device that refuses, after one that does not. */
	memset(buf, 0x44, sizeof(buf));
	EXPECT_EQ(-EFAULT, mregion_space_write(&self->memory, 0x1208, buf, 10,
					       &done));
	EXPECT_EQ(8, done);
	EXPECT_EQ(1, self->device.writes);

	/* Memory that is read-only takes nothing, and says so. */
	EXPECT_EQ(-EROFS, mregion_space_write(&self->memory, 0x10fe, buf, 4,
					      &done));
	EXPECT_EQ(2, done);
	EXPECT_EQ(0x44, ((uint8_t *)ram)[0x10f]);
	EXPECT_EQ(0x33, ((uint8_t *)ram)[0x110]);

	EXPECT_EQ(-EFAULT, mregion_space_read(&self->memory, 0, buf, 1, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(-EFAULT, mregion_space_read(&self->memory, UINT64_MAX - 3,
					      buf, 8, &done));
	EXPECT_EQ(4, done);
}

/* Registers are as the guest has left them; memory does not care. */
TEST_F(exit, dma_drains)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 1);
	uint8_t buf[16] = { 0 };
	size_t done;

	fixture_append(&ring->memory, 2, 0, 'x', 1);
	EXPECT_EQ(0, mregion_space_read(&self->memory, 0x1000, buf, 8, &done));
	EXPECT_EQ(0, self->device.writes);
	EXPECT_EQ(0, mregion_space_write(&self->memory, 0x1200, buf, 16,
					 &done));
	EXPECT_EQ(3, self->device.writes);
	EXPECT_EQ('x', self->device.bytes[0]);
	mregion_ring_release(ring);
}

/* After the last address comes nothing, least of all the first one. */
TEST_F(exit, dma_does_not_wrap)
{
	static const struct mregion_range ranges[] = {
		RANGE(0, 0xff, 0, 1, MREGION_RAM, 0),
		RANGE(UINT64_MAX - 0xff, UINT64_MAX, 0, 1, MREGION_RAM, 0),
	};
	size_t len = 8, done;
	uint8_t buf[8];

	fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
	EXPECT_EQ(-EFAULT, mregion_space_read(&self->memory, UINT64_MAX - 3,
					      buf, 8, &done));
	EXPECT_EQ(4, done);
	EXPECT_NE(NULL, mregion_space_ptr(&self->memory, UINT64_MAX - 3, &len,
					  true));
	EXPECT_EQ(4, len);
}

TEST_F(exit, pointer)
{
	size_t len = 0x1000;

	/* Neighbouring ranges in one piece, as far as they go. */
	EXPECT_EQ((uint8_t *)ram + 0x20,
		  mregion_space_ptr(&self->memory, 0x1010, &len, false));
	EXPECT_EQ(0x1f0, len);
	len = 0x1000;
	EXPECT_EQ((uint8_t *)ram + 0x20,
		  mregion_space_ptr(&self->memory, 0x1010, &len, true));
	EXPECT_EQ(0xf0, len);
	len = 16;
	EXPECT_EQ(NULL, mregion_space_ptr(&self->memory, 0x1200, &len, false));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(NULL, mregion_space_ptr(&self->memory, 0x1300, &len, true));
	len = 16;
	EXPECT_EQ((void *)ram,
		  mregion_space_ptr(&self->memory, 0x1300, &len, false));
	EXPECT_EQ(16, len);
}

TEST_F(exit, translate)
{
	struct mregion_translation there;
	uint64_t addr = 0;

	/* Registers, and memory that is both. */
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1204, 4, &there));
	EXPECT_EQ(2, there.region->id);
	EXPECT_EQ(MREGION_MMIO, there.kind);
	EXPECT_EQ(0xc, there.offset);
	EXPECT_EQ(4, there.len);
	EXPECT_TRUE(there.device && !there.readable && !there.writable);
	EXPECT_EQ(NULL, there.ptr);
	EXPECT_EQ(1, there.generation);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1204, 0x100,
					     &there));
	EXPECT_EQ(0xc, there.len);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1302, 0x1000,
					     &there));
	EXPECT_TRUE(there.device && there.readable && !there.writable);
	EXPECT_EQ(0xfe, there.len);
	EXPECT_EQ((uint8_t *)ram + 2, there.ptr);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x10fe, 4, &there));
	EXPECT_TRUE(!there.device && there.readable && there.writable);
	EXPECT_EQ(2, there.len);
	EXPECT_EQ((uint8_t *)ram + 0x10e, there.ptr);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1100, 4, &there));
	EXPECT_TRUE(!there.device && there.readable && !there.writable);
	/* Somebody else's: it is there, and that is all. */
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0x1500, 4, &there));
	EXPECT_EQ(NULL, there.region);
	EXPECT_EQ(MREGION_MMIO, there.kind);
	EXPECT_FALSE(there.device || there.readable || there.writable);

	/* The whole space, piece by piece. */
	do {
		ASSERT_EQ(0, mregion_space_translate(&self->memory, addr, -addr,
						     &there));
		addr += there.len;
	} while (addr);
	EXPECT_EQ(MREGION_MMIO, there.kind);
	EXPECT_EQ(4, there.len);
	EXPECT_EQ(-EINVAL, mregion_space_translate(&self->memory, 1, 0,
						   &there));
	EXPECT_EQ(-EINVAL, mregion_space_translate(&self->memory, UINT64_MAX, 2,
						   &there));
	fixture_set_view(&self->memory, NULL, 0);
	EXPECT_EQ(0, mregion_space_translate(&self->memory, 0, 0, &there));
	EXPECT_EQ(0, there.len);
	EXPECT_EQ(0, there.kind);

	EXPECT_EQ(0, mregion_space_translate(&self->pio, 0xfffe, 4, &there));
	EXPECT_EQ(2, there.len);
	EXPECT_EQ(-EINVAL, mregion_space_translate(&self->pio, 0x10000, 1,
						   &there));
}

TEST_HARNESS_MAIN
