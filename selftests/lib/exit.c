// SPDX-License-Identifier: GPL-2.0
/* Exits of vCPUs: how they find their way to memory and devices. */
#include "exit_util.h"

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
	FIXTURE_RANGE(0x1000, 0x1005, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x1006, 0x10ff, 0, 11, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x2000, 0x2005, 0, 11, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x2006, 0x20ff, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x3000, 0x3005, 0, 12, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x3006, 0x30ff, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x4003, 0x40ff, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x5000, 0x5001, 0, 13, MREGION_ROMD, 0),
	FIXTURE_RANGE(0x5002, 0x50ff, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x6000, 0x6001, 0, 13, MREGION_ROMD, MREGION_RANGE_ROMD),
	FIXTURE_RANGE(0x6002, 0x60ff, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x7000, 0x7001, 0, 1, MREGION_RAM, 0),
	FIXTURE_RANGE(0x7002, 0x70ff, 0, 10, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x8000, 0x8001, 0, 14, MREGION_RAMDEV, 0),
	FIXTURE_RANGE(0x8002, 0x80ff, 0, 10, MREGION_MMIO, 0),
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
		FIXTURE_RANGE(0x1000, 0x101d, 0, 10, MREGION_MMIO, 0),
		FIXTURE_RANGE(0x101e, 0x102f, 0, 11, MREGION_MMIO, 0),
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
		FIXTURE_RANGE(0x1000, 0x101d, 0, 11, MREGION_MMIO, 0),
		FIXTURE_RANGE(0x101e, 0x102f, 0, 10, MREGION_MMIO, 0),
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

TEST_HARNESS_MAIN
