/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The serving process's side, in memory that no kernel shares: the test makes
 * requests, as the kernel would, and looks for the answers.
 */
#ifndef SERVING_UTIL_H
#define SERVING_UTIL_H

#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "server_process.h"

#define NR_SLOTS	70

struct seen {
	uint64_t offset;
	uint64_t data;
	unsigned int len;
	bool write;
};

struct device {
	struct seen seen[64];
	size_t nr;
	/* Called from within the device's functions. */
	void (*within)(void *opaque);
	void *opaque;
};

static inline void note(struct device *device, const struct seen *seen)
{
	if (device->nr < 64)
		device->seen[device->nr] = *seen;
	device->nr++;
	if (device->within)
		device->within(device->opaque);
}

static inline uint64_t device_read(void *opaque, uint64_t offset,
				   unsigned int len)
{
	note(opaque, &(struct seen){ .offset = offset, .len = len });
	return 0x1122334455667788 + offset;
}

static inline void device_write(void *opaque, uint64_t offset, uint64_t data,
				unsigned int len)
{
	note(opaque, &(struct seen){ offset, data, len, true });
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 4 },
};

static const struct mregion_ops picky_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = {
		.valid_min = 4,
		.valid_max = 4,
		.refused = MREGION_POLICY_ZEROES,
	},
};

/* The kernel's side of a slot. */
struct kernel {
	struct mregion_serving *serving;
	uint32_t number[NR_SLOTS];
	uint32_t events;
	pthread_mutex_t lock;
};

static struct mregion_server_wake wakes[8];
static unsigned int nr_wakes;

static inline int wake(unsigned long request, void *arg)
{
	if (request != MREGION_SERVER_WAKE || nr_wakes == 8)
		return -ENOTTY;
	wakes[nr_wakes++] = *(struct mregion_server_wake *)arg;
	return 0;
}

FIXTURE(serving)
{
	struct mregion_serving *serving;
	struct kernel kernel;
	struct device device, picky;
};

FIXTURE_SETUP(serving)
{
	struct mregion_serving *serving = calloc(1, sizeof(*serving));

	memset(self, 0, sizeof(*self));
	/* Readable whenever there is something to do, as the kernel's is. */
	serving->fd = eventfd(0, EFD_NONBLOCK);
	serving->stop_fd = eventfd(0, EFD_NONBLOCK);
	serving->nr_slots = NR_SLOTS;
	serving->mapped = 4 * MREGION_SERVER_SLOTS;
	serving->header = mmap(NULL, serving->mapped, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, serving->header);
	serving->slots = (void *)((char *)serving->header +
				  MREGION_SERVER_SLOTS);
	pthread_mutex_init(&serving->lock, NULL);
	mregion_sections_init(&serving->sections);
	self->serving = serving;
	self->kernel.serving = serving;
	pthread_mutex_init(&self->kernel.lock, NULL);
	fixture_ioctl = wake;
	nr_wakes = 0;
	ASSERT_EQ(0, mregion_serving_add(serving, 1, 4096, &device_ops,
					 &self->device));
	ASSERT_EQ(0, mregion_serving_add(serving, 65, 4096, &picky_ops,
					 &self->picky));
}

FIXTURE_TEARDOWN(serving)
{
	mregion_serving_close(self->serving);
}

static inline uint32_t state(const struct kernel *kernel, unsigned int slot,
			     enum mregion_server_state what)
{
	return kernel->number[slot] << 2 | what;
}

static inline void event(struct kernel *kernel)
{
	uint64_t one = 1;

	pthread_mutex_lock(&kernel->lock);
	__atomic_store_n(&kernel->serving->header->events, ++kernel->events,
			 __ATOMIC_RELEASE);
	if (write(kernel->serving->fd, &one, sizeof(one)) < 0)
		abort();
	pthread_mutex_unlock(&kernel->lock);
}

static inline void submit(struct kernel *kernel, unsigned int index,
			  uint32_t region, uint64_t offset, uint64_t data,
			  unsigned int len, bool write)
{
	struct mregion_server_slot *slot = &kernel->serving->slots[index];

	slot->region = region;
	slot->offset = offset;
	slot->data = data;
	slot->len = len;
	slot->flags = write ? MREGION_SERVER_WRITE : 0;
	__atomic_store_n(&slot->state,
			 state(kernel, index, MREGION_SERVER_REQUEST),
			 __ATOMIC_RELEASE);
	__atomic_fetch_or(&kernel->serving->header->pending[index / 64],
			  1ull << index % 64, __ATOMIC_SEQ_CST);
	event(kernel);
}

static inline bool answered(struct kernel *kernel, unsigned int index)
{
	return __atomic_load_n(&kernel->serving->slots[index].state,
			       __ATOMIC_ACQUIRE) ==
	       state(kernel, index, MREGION_SERVER_ANSWERED);
}

/* Give the slot up, with an answer or without. */
static inline uint64_t withdraw(struct kernel *kernel, unsigned int index)
{
	struct mregion_server_slot *slot = &kernel->serving->slots[index];
	uint64_t data = slot->data, count;

	kernel->number[index]++;
	__atomic_fetch_and(&kernel->serving->header->pending[index / 64],
			   ~(1ull << index % 64), __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->state,
			 state(kernel, index, MREGION_SERVER_IDLE),
			 __ATOMIC_RELEASE);
	pthread_mutex_lock(&kernel->lock);
	if (__atomic_load_n(&kernel->serving->header->seen,
			    __ATOMIC_ACQUIRE) == kernel->events &&
	    read(kernel->serving->fd, &count, sizeof(count)) < 0 &&
	    errno != EAGAIN)
		abort();
	pthread_mutex_unlock(&kernel->lock);
	return data;
}

/* A ring, put together by hand. */
static inline struct mregion_serving_ring *
add_ring(struct mregion_serving *serving)
{
	struct mregion_serving_ring *ring = calloc(1, sizeof(*ring));

	ring->fd = -1;
	fixture_ring_memory(&ring->memory, 8);
	ring->memory.claims = true;
	atomic_store(&serving->rings, ring);
	return ring;
}

#endif /* SERVING_UTIL_H */
