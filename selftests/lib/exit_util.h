/* SPDX-License-Identifier: GPL-2.0 */
/* A virtual machine with a view on each bus, two devices, and memory. */
#ifndef EXIT_UTIL_H
#define EXIT_UTIL_H

#include <kselftest_harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "ring_drain.h"
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

static inline uint64_t device_read(void *opaque, uint64_t offset,
				   unsigned int len)
{
	struct device *device = opaque;

	device->reads++;
	device->offset = offset;
	device->len = len;
	return 0x1122334455667788 + device->reads - 1;
}

static inline void device_write(void *opaque, uint64_t offset, uint64_t data,
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

static const struct mregion_range memory_ranges[] = {
	FIXTURE_RANGE(0x1000, 0x10ff, 0x10, 1, MREGION_RAM, 0),
	FIXTURE_RANGE(0x1100, 0x11ff, 0x110, 1, MREGION_RAM, MREGION_RANGE_READONLY),
	FIXTURE_RANGE(0x1200, 0x120f, 0x8, 2, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x1210, 0x121f, 0, 3, MREGION_MMIO, 0),
	FIXTURE_RANGE(0x1300, 0x13ff, 0, 4, MREGION_ROMD, MREGION_RANGE_ROMD),
	FIXTURE_RANGE(0x1400, 0x14ff, 0, 4, MREGION_ROMD, 0),
	FIXTURE_RANGE(0x1500, 0x15ff, 0, 99, MREGION_MMIO, 0),
	FIXTURE_RANGE(UINT64_MAX - 3, UINT64_MAX, 0, 2, MREGION_MMIO, 0),
};

static const struct mregion_range pio_ranges[] = {
	FIXTURE_RANGE(0x3f8, 0x3ff, 0, 2, MREGION_MMIO, 0),
	/* As on a PC: an index register with another device in its middle. */
	FIXTURE_RANGE(0xcf8, 0xcf8, 0, 2, MREGION_MMIO, 0),
	FIXTURE_RANGE(0xcf9, 0xcf9, 0, 3, MREGION_MMIO, 0),
	FIXTURE_RANGE(0xcfa, 0xcfb, 2, 2, MREGION_MMIO, 0),
	FIXTURE_RANGE(0xfffe, 0xffff, 0, 2, MREGION_MMIO, 0),
};

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
	self->vm.progress = calloc(MREGION_NO_VCPU,
				   sizeof(struct mregion_progress));
	self->vm.memory = &self->memory;
	self->vm.pio = &self->pio;
}

FIXTURE_TEARDOWN(exit)
{
	fixture_space_destroy(&self->memory);
	fixture_space_destroy(&self->pio);
	free(self->vm.progress);
	fixture_destroy(&self->machine);
}

static inline int mmio(struct mregion_vm *vm, struct kvm_run *run,
		       uint64_t addr, unsigned int len, bool write)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = addr;
	run->mmio.len = len;
	run->mmio.is_write = write;
	return mregion_vm_exit(vm, 0, run);
}

static inline int io(struct mregion_vm *vm, struct kvm_run *run, uint16_t port,
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

#endif /* EXIT_UTIL_H */
