// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of devices' functions: what they say, what they are told, how deep they are,
 * and that they are not called for what is beyond the region's end.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "ring_drain.h"
#include "vm.h"

#define VCPU	5

struct device {
	/* What its functions say; in one call only, if that has a number. */
	enum mregion_result result;
	unsigned int only;
	unsigned int calls;
	/* The last call. */
	struct mregion_current current;
	uint64_t data;
	/* The furthest byte that they were called for. */
	uint64_t last;
	/* Where they write, as long as it is more than 0. */
	struct mregion_space *space;
	uint64_t addr;
	int writes;
	/* What that has said, and whether all is as before then. */
	int ret;
	bool restored;
};

static void note(struct device *device, uint64_t offset, unsigned int len)
{
	const struct mregion_current *current = mregion_current();
	uint32_t data = 1;

	device->calls++;
	if (offset + len - 1 > device->last)
		device->last = offset + len - 1;
	if (current)
		device->current = *current;
	if (device->writes <= 0)
		return;
	device->writes--;
	device->ret = mregion_space_write(device->space, device->addr, &data, 4,
					  NULL);
	device->restored = current && mregion_current() == current &&
			   current->offset == offset;
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	note(opaque, offset, len);
	return 0x44332211;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	note(device, offset, len);
	device->data = data;
}

static enum mregion_result result(const struct device *device)
{
	return device->only && device->only != device->calls ? MREGION_OK :
							       device->result;
}

static enum mregion_result try_read(void *opaque, uint64_t offset,
				    uint64_t *data, unsigned int len,
				    const struct mregion_current *current)
{
	struct device *device = opaque;

	note(device, offset, len);
	if (current != mregion_current())
		device->calls = 1000;
	*data = 0x44332211;
	return result(device);
}

static enum mregion_result try_write(void *opaque, uint64_t offset,
				     uint64_t data, unsigned int len,
				     const struct mregion_current *current)
{
	struct device *device = opaque;

	(void)current;
	device_write(opaque, offset, data, len);
	return result(device);
}

#define TRIED(policy) { \
	.try_read = try_read, .try_write = try_write, \
	.constraints = { .valid_max = 8, .refused = policy } }

static const struct mregion_ops tried[] = {
	TRIED(MREGION_POLICY_ONES), TRIED(MREGION_POLICY_ZEROES),
	TRIED(MREGION_POLICY_ERROR),
};

static const struct mregion_ops plain = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8 },
};

static const struct mregion_ops guarded = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8 },
	.flags = MREGION_OPS_NOT_REENTRANT,
};

/* Widened to four bytes; and the same as QEMU has it. */
static const struct mregion_ops wide = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_min = 4, .impl_max = 4,
			 .refused = MREGION_POLICY_ZEROES },
};

static const struct mregion_ops wide_beyond = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_min = 4, .impl_max = 4,
			 .flags = MREGION_VALID_BEYOND },
};

/* Regions 1 to 3 say what they are told to; 4, 5 and 6 write. */
enum { PLAIN = 4, OTHER, GUARDED, WIDE, WIDE_BEYOND, BEHIND, NR };

static const struct mregion_ops *const all_ops[NR] = {
	NULL, &tried[0], &tried[1], &tried[2], &plain, &plain, &guarded,
	&wide, &wide_beyond, &plain,
};

#define AT(id)	(0x1000ull * (id))

FIXTURE(calls)
{
	struct mregion_machine machine;
	struct mregion_space space, pio;
	struct mregion_vm vm;
	struct mregion_region *regions[NR];
	struct device devices[NR];
	int err, old_err;
	union {
		struct kvm_run run;
		uint8_t page[8192];
	};
};

FIXTURE_SETUP(calls)
{
	struct mregion_range ranges[NR - 1], ports[1];
	unsigned int id, last;

	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	for (id = 1; id < NR; id++) {
		last = id == WIDE || id == WIDE_BEYOND ? 5 : 63;
		self->devices[id].space = &self->space;
		self->regions[id] = fixture_region(&self->machine, id,
				MREGION_MMIO, last + 1, all_ops[id],
				&self->devices[id]);
		ranges[id - 1] = (struct mregion_range){
			.start = AT(id),
			.last = AT(id) + last,
			.region = id,
			.kind = MREGION_MMIO,
		};
	}
	/* Behind the first device that ends in the middle of a register. */
	ranges[BEHIND - 1] = ranges[WIDE_BEYOND - 1];
	ranges[WIDE_BEYOND - 1] = (struct mregion_range){
		.start = AT(WIDE) + 6,
		.last = AT(WIDE) + 6 + 63,
		.region = BEHIND,
		.kind = MREGION_MMIO,
	};
	ports[0] = (struct mregion_range){
		.start = 0x60, .last = 0x67, .offset = 8, .region = PLAIN,
		.kind = MREGION_MMIO,
	};
	fixture_space(&self->machine, &self->space, MREGION_BUS_MEMORY, ranges,
		      ARRAY_SIZE(ranges));
	fixture_space(&self->machine, &self->pio, MREGION_BUS_PIO, ports, 1);
	self->vm.machine = &self->machine;
	self->vm.progress = calloc(MREGION_NO_VCPU,
				   sizeof(struct mregion_progress));
	self->vm.memory = &self->space;
	self->vm.pio = &self->pio;

	/* What is said on stderr. */
	self->err = memfd_create("stderr", 0);
	self->old_err = dup(2);
	ASSERT_LE(0, self->err);
	ASSERT_LE(0, self->old_err);
}

FIXTURE_TEARDOWN(calls)
{
	close(self->err);
	close(self->old_err);
	fixture_space_destroy(&self->pio);
	fixture_space_destroy(&self->space);
	free(self->vm.progress);
	fixture_destroy(&self->machine);
}

static int mmio(FIXTURE_DATA(calls) *self, uint64_t addr, unsigned int len,
		bool write)
{
	struct kvm_run *run = &self->run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = addr;
	run->mmio.len = len;
	run->mmio.is_write = write;
	return mregion_vm_exit(&self->vm, VCPU, run);
}

static int dma(FIXTURE_DATA(calls) *self, uint64_t addr, bool write, void *data)
{
	return write ? mregion_space_write(&self->space, addr, data, 4, NULL) :
		       mregion_space_read(&self->space, addr, data, 4, NULL);
}

TEST_F(calls, no_vcpu)
{
	EXPECT_EQ(-EINVAL, mregion_vm_exit(&self->vm, MREGION_NO_VCPU,
					   &self->run));
	EXPECT_NE(NULL, strstr(mregion_error(), "vCPU 65535"));
}

/* What a device says is answered by its policy, as what it does not accept is. */
TEST_F(calls, results)
{
	static const char *const answers[] = {
		"\xff\xff\xff\xff", "\0\0\0", "\xff\xff\xff\xff",
	};
	enum mregion_result result;
	struct device *device;
	uint8_t buf[4];
	unsigned int i;
	int ret;

	for (i = 0; i < 3; i++) {
		device = &self->devices[i + 1];
		EXPECT_EQ(0, mmio(self, AT(i + 1), 4, false));
		EXPECT_EQ(0, memcmp(self->run.mmio.data, "\x11\x22\x33\x44", 4));
		EXPECT_EQ(0, dma(self, AT(i + 1), false, buf));
		EXPECT_EQ(0, memcmp(buf, "\x11\x22\x33\x44", 4));
		EXPECT_EQ(2, device->calls);
		for (result = MREGION_ERROR; result <= MREGION_DECODE_ERROR;
		     result++) {
			device->result = result;
			device->calls = 0;
			ret = i == 2 ? -EFAULT : 0;
			EXPECT_EQ(ret, mmio(self, AT(i + 1), 4, false));
			EXPECT_EQ(0, memcmp(self->run.mmio.data, answers[i], 4));
			EXPECT_EQ(ret, mmio(self, AT(i + 1), 4, true));
			memset(buf, 0x5a, 4);
			EXPECT_EQ(ret, dma(self, AT(i + 1), false, buf));
			EXPECT_EQ(0, memcmp(buf, answers[i], 4));
			EXPECT_EQ(ret, dma(self, AT(i + 1), true, buf));
			EXPECT_EQ(4, device->calls);
		}
	}

	/* One of two calls has failed: so has the access. Both are made. */
	for (i = 0; i < 4; i++) {
		device->calls = 0;
		device->result = MREGION_ERROR;
		device->only = 1 + i / 2;
		EXPECT_EQ(-EFAULT, mmio(self, AT(3), 8, i & 1));
		EXPECT_EQ(2, device->calls);
		if (i & 1)
			continue;
		EXPECT_EQ(0, memcmp(self->run.mmio.data,
				    "\xff\xff\xff\xff\xff\xff\xff\xff", 8));
	}
}

/* A write that was in a ring is done, and nobody is told that it failed. */
TEST_F(calls, results_from_rings)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 1);

	self->devices[3].result = MREGION_ERROR;
	fixture_append(&ring->memory, 3, 0, 7, 4);
	fixture_append(&ring->memory, 3, 4, 8, 4);
	EXPECT_EQ(2, mregion_ring_drain(ring));
	EXPECT_EQ(2, self->devices[3].calls);
	EXPECT_EQ(8, self->devices[3].data);
	mregion_ring_release(ring);
}

TEST_F(calls, current_of_exits)
{
	struct device *device = &self->devices[PLAIN];
	struct kvm_run *run = &self->run;

	EXPECT_EQ(NULL, mregion_current());
	/* Made in two accesses of four bytes. */
	EXPECT_EQ(0, mmio(self, AT(PLAIN) + 8, 8, true));
	EXPECT_EQ(NULL, mregion_current());
	EXPECT_EQ(2, device->calls);
	EXPECT_EQ(self->regions[PLAIN], device->current.region);
	EXPECT_EQ(PLAIN, device->current.region_id);
	EXPECT_EQ(MREGION_FROM_VCPU, device->current.source);
	EXPECT_EQ(&self->vm, device->current.vm);
	EXPECT_EQ(VCPU, device->current.vcpu);
	EXPECT_EQ(&self->space, device->current.space);
	EXPECT_EQ(AT(PLAIN) + 12, device->current.addr);
	EXPECT_EQ(12, device->current.offset);

	run->exit_reason = KVM_EXIT_IO;
	run->io.port = 0x62;
	run->io.size = 2;
	run->io.count = 1;
	run->io.direction = KVM_EXIT_IO_IN;
	run->io.data_offset = 4096;
	EXPECT_EQ(0, mregion_vm_exit(&self->vm, VCPU, run));
	EXPECT_EQ(&self->pio, device->current.space);
	EXPECT_EQ(0x62, device->current.addr);
	EXPECT_EQ(10, device->current.offset);
}

TEST_F(calls, current_of_dma)
{
	struct device *device = &self->devices[PLAIN];
	uint8_t buf[4] = { 0 };

	/* Within the function of another device: that one's is back afterwards. */
	self->devices[OTHER].addr = AT(PLAIN) + 4;
	self->devices[OTHER].writes = 1;
	EXPECT_EQ(0, mmio(self, AT(OTHER), 4, true));
	EXPECT_TRUE(self->devices[OTHER].restored);
	EXPECT_EQ(MREGION_FROM_VCPU, self->devices[OTHER].current.source);
	EXPECT_EQ(MREGION_FROM_DMA, device->current.source);
	EXPECT_EQ(self->regions[PLAIN], device->current.region);
	EXPECT_EQ(NULL, device->current.vm);
	EXPECT_EQ(MREGION_NO_VCPU, device->current.vcpu);
	EXPECT_EQ(&self->space, device->current.space);
	EXPECT_EQ(AT(PLAIN) + 4, device->current.addr);
	EXPECT_EQ(4, device->current.offset);
	EXPECT_EQ(0, dma(self, AT(PLAIN), false, buf));
	EXPECT_EQ(AT(PLAIN), device->current.addr);
	EXPECT_EQ(NULL, mregion_current());
}

TEST_F(calls, current_of_rings)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 1);
	struct device *device = &self->devices[PLAIN];

	fixture_append(&ring->memory, PLAIN, 8, 7, 4);
	ring->memory.entries[0].vcpu = 3;
	EXPECT_EQ(1, mregion_ring_drain(ring));
	EXPECT_EQ(1, device->calls);
	EXPECT_EQ(self->regions[PLAIN], device->current.region);
	EXPECT_EQ(PLAIN, device->current.region_id);
	EXPECT_EQ(MREGION_FROM_RING, device->current.source);
	EXPECT_EQ(NULL, device->current.vm);
	EXPECT_EQ(3, device->current.vcpu);
	EXPECT_EQ(NULL, device->current.space);
	EXPECT_EQ(0, device->current.addr);
	EXPECT_EQ(8, device->current.offset);
	EXPECT_EQ(NULL, mregion_current());
	mregion_ring_release(ring);
}

/* How often something has been said on stderr since the last call. */
static int said(FIXTURE_DATA(calls) *self, const char *text)
{
	char buf[4096] = "", *at = buf;
	int nr = 0;

	fflush(stderr);
	if (pread(self->err, buf, sizeof(buf) - 1, 0) < 0 ||
	    ftruncate(self->err, 0) || lseek(self->err, 0, SEEK_SET))
		return -1;
	while ((at = strstr(at, text))) {
		at++;
		nr++;
	}
	return nr;
}

static int quietly(FIXTURE_DATA(calls) *self, unsigned int id)
{
	int ret;

	fflush(stderr);
	dup2(self->err, 2);
	ret = mmio(self, AT(id), 4, true);
	fflush(stderr);
	dup2(self->old_err, 2);
	return ret;
}

TEST_F(calls, reentrant)
{
	struct device *device = &self->devices[PLAIN];
	struct device *other = &self->devices[OTHER];

	device->addr = AT(PLAIN);
	device->writes = 50;
	EXPECT_EQ(0, quietly(self, PLAIN));
	EXPECT_EQ(51, device->calls);
	EXPECT_EQ(0, device->ret);
	EXPECT_EQ(0, mregion_reentries(&self->machine));
	EXPECT_EQ(0, said(self, "mregion:"));

	/* By the guest's will it could go on for ever. */
	device->calls = 0;
	device->writes = 1000000;
	device->ret = 0;
	EXPECT_EQ(0, quietly(self, PLAIN));
	EXPECT_EQ(64, device->calls);
	EXPECT_EQ(1000000 - 64, device->writes);
	EXPECT_EQ(1, mregion_reentries(&self->machine));
	EXPECT_EQ(1, said(self, "mregion: 'fixture' is accessed by its own functions, endlessly: refused\n"));
	/* The innermost is told; and the next time it is only counted. */
	EXPECT_EQ(0, quietly(self, PLAIN));
	EXPECT_EQ(2, mregion_reentries(&self->machine));
	EXPECT_EQ(0, said(self, "mregion:"));

	/* In a circle. */
	device->calls = 0;
	device->addr = AT(OTHER);
	other->addr = AT(PLAIN);
	other->writes = 1000000;
	EXPECT_EQ(0, quietly(self, PLAIN));
	EXPECT_EQ(32, device->calls);
	EXPECT_EQ(32, other->calls);
	EXPECT_EQ(3, mregion_reentries(&self->machine));
	EXPECT_EQ(NULL, mregion_current());

	/* It is not for good. */
	device->calls = 0;
	device->writes = 0;
	EXPECT_EQ(0, quietly(self, PLAIN));
	EXPECT_EQ(1, device->calls);
}

TEST_F(calls, not_reentrant)
{
	struct device *device = &self->devices[GUARDED];
	struct device *other = &self->devices[OTHER];
	uint8_t buf[4] = { 0 };

	device->addr = AT(GUARDED);
	device->writes = 10;
	EXPECT_EQ(0, quietly(self, GUARDED));
	EXPECT_EQ(-ELOOP, device->ret);
	EXPECT_EQ(1, device->calls);
	EXPECT_EQ(1, mregion_reentries(&self->machine));
	EXPECT_EQ(1, said(self, "mregion: 'fixture' is accessed by its own functions: refused\n"));

	/* By another one, too. */
	device->addr = AT(OTHER);
	other->addr = AT(GUARDED);
	other->writes = 1;
	EXPECT_EQ(0, quietly(self, GUARDED));
	EXPECT_EQ(0, device->ret);
	EXPECT_EQ(-ELOOP, other->ret);
	EXPECT_EQ(2, device->calls);
	EXPECT_EQ(2, mregion_reentries(&self->machine));
	EXPECT_EQ(0, said(self, "mregion:"));

	/* But not when it is not at work. */
	device->writes = 0;
	EXPECT_EQ(0, dma(self, AT(GUARDED), true, buf));
	other->writes = 1;
	EXPECT_EQ(0, quietly(self, OTHER));
	EXPECT_EQ(0, other->ret);
	EXPECT_EQ(2, mregion_reentries(&self->machine));
}

/* The device itself is there, as the kernel is asked what to do with another one. */
static int moved(unsigned long request, void *arg)
{
	struct mregion_access *access = arg;

	if (request != MREGION_ACCESS)
		return -ENOTTY;
	access->part = access->len;
	access->region = GUARDED;
	access->offset = 0;
	access->outcome = MREGION_OUTCOME_EXIT;
	return 0;
}

TEST_F(calls, not_reentrant_where_it_has_moved_to)
{
	struct device *device = &self->devices[GUARDED];

	fixture_ioctl = moved;
	atomic_store(&self->regions[PLAIN]->nr_asked, 1);
	device->addr = AT(PLAIN);
	device->writes = 1;
	EXPECT_EQ(0, quietly(self, GUARDED));
	EXPECT_EQ(-ELOOP, device->ret);
	EXPECT_EQ(1, device->calls);
	EXPECT_EQ(1, mregion_reentries(&self->machine));
}

/* @offset may be an index: cut at the region's end, and the rest is the next one's. */
TEST_F(calls, end_of_region)
{
	struct device *device = &self->devices[WIDE];
	struct device *behind = &self->devices[BEHIND];
	struct device *beyond = &self->devices[WIDE_BEYOND];
	uint8_t buf[8] = { 0 };
	unsigned int at, len;

	for (at = 0; at < 6; at++) {
		for (len = 1; len <= 8; len++) {
			behind->calls = 0;
			EXPECT_EQ(0, mmio(self, AT(WIDE) + at, len, false));
			EXPECT_EQ(0, mmio(self, AT(WIDE) + at, len, true));
			EXPECT_EQ(0, mregion_space_write(&self->space,
					AT(WIDE) + at, buf, len, NULL));
			EXPECT_EQ(at + len > 6, behind->calls > 0)
				TH_LOG("%u bytes at %u", len, at);
		}
	}
	EXPECT_LT(0, device->calls);
	EXPECT_GE(5, device->last);

	/* Wider than what is left of it: as what it does not accept. */
	device->calls = 0;
	self->run.mmio.data[0] = 0x5a;
	EXPECT_EQ(0, mmio(self, AT(WIDE) + 4, 1, false));
	EXPECT_EQ(0, self->run.mmio.data[0]);
	EXPECT_EQ(0, device->calls);
	EXPECT_EQ(0, mmio(self, AT(WIDE) + 1, 1, false));
	EXPECT_EQ(1, device->calls);

	/* As QEMU does it, for who says so. */
	EXPECT_EQ(0, mmio(self, AT(WIDE_BEYOND) + 4, 1, false));
	EXPECT_EQ(1, beyond->calls);
	EXPECT_EQ(7, beyond->last);
	EXPECT_EQ(0, mmio(self, AT(WIDE_BEYOND) + 4, 4, true));
	EXPECT_EQ(7, beyond->last);
	EXPECT_EQ(2, beyond->calls);
}

/* What waited in a ring while its region became shorter, or who says that it does. */
TEST_F(calls, end_of_region_in_rings)
{
	struct mregion_ring *ring = fixture_ring(&self->machine, 1);

	fixture_append(&ring->memory, WIDE, 4, 7, 1);
	fixture_append(&ring->memory, WIDE, 4, 7, 4);
	fixture_append(&ring->memory, WIDE, 8, 7, 4);
	fixture_append(&ring->memory, WIDE, UINT64_MAX, 7, 1);
	fixture_append(&ring->memory, PLAIN, 60, 7, 4);
	fixture_append(&ring->memory, PLAIN, 60, 7, 8);
	EXPECT_EQ(6, mregion_ring_drain(ring));
	EXPECT_EQ(0, self->devices[WIDE].calls);
	EXPECT_EQ(1, self->devices[PLAIN].calls);
	EXPECT_EQ(63, self->devices[PLAIN].last);
	mregion_ring_release(ring);
}

/* A view may be older than the region's length. */
TEST_F(calls, shorter_than_its_view)
{
	struct device *device = &self->devices[PLAIN];
	uint8_t buf[4] = { 0 };

	atomic_store(&self->regions[PLAIN]->len, 10);
	EXPECT_EQ(0, mmio(self, AT(PLAIN) + 8, 8, true));
	EXPECT_EQ(0, mmio(self, AT(PLAIN) + 16, 4, true));
	EXPECT_EQ(0, mmio(self, AT(PLAIN) + 16, 4, false));
	EXPECT_EQ(0, memcmp(self->run.mmio.data, "\xff\xff\xff\xff", 4));
	EXPECT_EQ(0, dma(self, AT(PLAIN) + 16, true, buf));
	EXPECT_EQ(0, device->calls);
	EXPECT_EQ(0, mmio(self, AT(PLAIN) + 8, 2, true));
	EXPECT_EQ(1, device->calls);
}

TEST_HARNESS_MAIN
