/* SPDX-License-Identifier: GPL-2.0 */
/* A machine with a ring, two regions, and a device that notes what it is told. */
#ifndef RING_UTIL_H
#define RING_UTIL_H

#include <kselftest_harness.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "ring.h"
#include "ring_drain.h"
#include "server_in_vmm.h"

#define NR_ENTRIES	FIXTURE_NR_ENTRIES

struct seen {
	uint64_t offset;
	uint64_t data;
	unsigned int len;
};

struct device {
	struct seen seen[64];
	size_t nr;
	/* To be drained from within the function; what that returned. */
	struct mregion_ring *drain;
	unsigned int drained;
	bool pending;
	/* To be taken off the machine from within the function. */
	struct mregion_region *gone;
};

static inline void device_write(void *opaque, uint64_t offset, uint64_t data,
				unsigned int len)
{
	struct device *device = opaque;

	device->seen[device->nr++] = (struct seen){ offset, data, len };
	if (device->drain) {
		device->drained += mregion_ring_drain(device->drain);
		device->pending |= mregion_ring_memory_pending(&device->drain->memory);
	}
	if (device->gone)
		atomic_store(&device->gone->freed, true);
}

static const struct mregion_ops device_ops = {
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 4 },
};

static inline void append(struct mregion_ring *ring, uint32_t region,
			  uint64_t offset, uint64_t data, unsigned int len)
{
	fixture_append(&ring->memory, region, offset, data, len);
}

FIXTURE(ring)
{
	struct mregion_machine machine;
	struct mregion_ring *ring;
	struct device device;
};

FIXTURE_SETUP(ring)
{
	struct mregion_ring *ring;

	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	fixture_region(&self->machine, 1, MREGION_MMIO, 64, &device_ops,
		       &self->device);
	fixture_region(&self->machine, 2, MREGION_RAM, 64, NULL, NULL);

	ring = fixture_ring(&self->machine, 1);
	/* Indices wrap before the test is over. */
	ring->memory.header->producer = UINT32_MAX - 2;
	ring->memory.header->consumer = UINT32_MAX - 2;
	self->ring = ring;
}

FIXTURE_TEARDOWN(ring)
{
	mregion_ring_release(self->ring);
	fixture_destroy(&self->machine);
}

/* Let the region have a server, and the kernel agree to what follows. */
static inline struct mregion_region *bind(struct mregion_machine *machine,
					  uint32_t id,
					  struct mregion_server *server)
{
	struct mregion_region *region = mregion_table_get(&machine->regions,
							  id);

	mregion_region_put(region);
	atomic_store(&region->server, server);
	atomic_store(&region->next_server, server);
	fixture_ioctl = fixture_kernel;
	fixture_refuse_commits(false);
	return region;
}

static inline void *drain_once(void *ring)
{
	mregion_ring_drain(ring);
	return NULL;
}

#endif /* RING_UTIL_H */
