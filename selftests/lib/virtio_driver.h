/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver of mregion-vmm's block device, and the guest's memory.
 *
 * Each piece of the memory is an allocation of its own, so that AddressSanitizer
 * notices whatever leaves it.
 */
#ifndef VIRTIO_DRIVER_H
#define VIRTIO_DRIVER_H

#include <kselftest_harness.h>

#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mregion.h>

#include "report.h"
#include "virtio.h"
#include "virtio_blk.h"

#define SECTORS		64
#define QUEUE_SIZE	VIRTQUEUE_MAX_SIZE

/* The guest's memory: three pieces, two of which are neighbours. */
#define PIECE		0x8000ULL
#define HIGH		0x100000000ULL
#define NR_PIECES	3

/* Where in it things are. */
#define DESC		0x0ULL
#define AVAIL		0x1000ULL
#define USED		0x2000ULL
#define TABLE		0x4000ULL
#define HEADER		0x6000ULL
#define DATA		HIGH
#define STATUS		(HIGH + 0x3000)

static const uint64_t piece_addr[NR_PIECES] = { 0, PIECE, HIGH };

/* The device's complaints; it makes one, the first time that it is broken. */
static unsigned int complaints;

void report(const char *format, ...)
{
	(void)format;
	__atomic_fetch_add(&complaints, 1, __ATOMIC_RELAXED);
}

/* How often the disk was flushed, and what came of it. */
static unsigned int flushes;
static int flush_error;

int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	flushes++;
	errno = flush_error;
	return flush_error ? -1 : 0;
}

FIXTURE(device) {
	struct virtio_blk blk;
	struct virtio virtio;
	uint8_t *pieces[NR_PIECES];
	uint16_t available;
	uint32_t features;	/* what the driver takes of the device's own */
	atomic_bool master;
};

typedef struct _test_data_device device_t;

static inline void *find(void *opaque, uint64_t addr, size_t *len, bool write)
{
	device_t *self = opaque;
	unsigned int i;

	(void)write;
	for (i = 0; i < NR_PIECES; i++) {
		uint64_t at = addr - piece_addr[i];

		if (addr < piece_addr[i] || at >= PIECE)
			continue;
		if (*len > PIECE - at)
			*len = PIECE - at;
		return self->pieces[i] + at;
	}
	return NULL;
}

static inline void *at(device_t *self, uint64_t addr)
{
	size_t len = 1;

	return find(self, addr, &len, true);
}

static inline void write_register(device_t *self, unsigned int offset,
				  uint32_t value, unsigned int len)
{
	virtio_common_ops.write(&self->virtio, offset, value, len);
}

static inline uint8_t status(device_t *self)
{
	return virtio_common_ops.read(&self->virtio, VIRTIO_PCI_COMMON_STATUS,
				      1);
}

static inline bool broken(device_t *self)
{
	return status(self) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static inline void set_queue(device_t *self, uint64_t desc, uint64_t avail,
			     uint64_t used)
{
	const uint8_t negotiated = VIRTIO_CONFIG_S_ACKNOWLEDGE |
				   VIRTIO_CONFIG_S_DRIVER |
				   VIRTIO_CONFIG_S_FEATURES_OK;

	write_register(self, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	write_register(self, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	write_register(self, VIRTIO_PCI_COMMON_GF, self->features, 4);
	write_register(self, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	write_register(self, VIRTIO_PCI_COMMON_GF,
		       1u << (VIRTIO_F_VERSION_1 - 32), 4);
	write_register(self, VIRTIO_PCI_COMMON_STATUS, negotiated, 1);
	write_register(self, VIRTIO_PCI_COMMON_Q_SIZE, QUEUE_SIZE, 2);
	write_register(self, VIRTIO_PCI_COMMON_Q_DESCLO, desc, 4);
	write_register(self, VIRTIO_PCI_COMMON_Q_DESCHI, desc >> 32, 4);
	write_register(self, VIRTIO_PCI_COMMON_Q_AVAILLO, avail, 4);
	write_register(self, VIRTIO_PCI_COMMON_Q_AVAILHI, avail >> 32, 4);
	write_register(self, VIRTIO_PCI_COMMON_Q_USEDLO, used, 4);
	write_register(self, VIRTIO_PCI_COMMON_Q_USEDHI, used >> 32, 4);
	write_register(self, VIRTIO_PCI_COMMON_Q_MSIX, 1, 2);
	write_register(self, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	write_register(self, VIRTIO_PCI_COMMON_STATUS,
		       negotiated | VIRTIO_CONFIG_S_DRIVER_OK, 1);
}

/* A reset, and rings with nothing in them. */
static inline void restart(device_t *self)
{
	memset(self->pieces[0], 0, PIECE);
	self->available = 0;
	set_queue(self, DESC, AVAIL, USED);
}

static inline void set_desc(device_t *self, uint64_t table, unsigned int index,
			    uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	struct vring_desc *desc = at(self, table);

	desc[index] = (struct vring_desc){ addr, len, flags, next };
}

/* A header, @len bytes at @addr, and a byte of status, in @table. */
static inline void set_request(device_t *self, uint64_t table, uint32_t type,
			       uint64_t sector, uint64_t addr, uint32_t len)
{
	struct virtio_blk_outhdr *header = at(self, HEADER);
	bool write = type != VIRTIO_BLK_T_OUT;

	*header = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	set_desc(self, table, 0, HEADER, sizeof(*header), VRING_DESC_F_NEXT,
		 1);
	set_desc(self, table, 1, addr, len, VRING_DESC_F_NEXT |
		 (write ? VRING_DESC_F_WRITE : 0), 2);
	set_desc(self, table, 2, STATUS, 1, VRING_DESC_F_WRITE, 0);
	*(uint8_t *)at(self, STATUS) = 0xee;
}

/* Make the chain @head available, and let the device look. */
static inline void kick(device_t *self, uint16_t head)
{
	struct vring_avail *avail = at(self, AVAIL);

	avail->ring[self->available++ % QUEUE_SIZE] = head;
	avail->idx = self->available;
	virtio_queue_ready(&self->virtio, 0);
}

static inline const struct vring_used *used(device_t *self)
{
	return at(self, USED);
}

/* What became of the last request, if the device has given it back. */
static inline int request_status(device_t *self)
{
	if (used(self)->idx != self->available)
		return -1;
	return *(uint8_t *)at(self, STATUS);
}

FIXTURE_SETUP(device)
{
	struct virtio_face face;
	uint8_t sector[512];
	unsigned int i;

	self->blk.fd = memfd_create("disk", MFD_CLOEXEC);
	ASSERT_LE(0, self->blk.fd);
	self->blk.sectors = SECTORS;
	for (i = 0; i < SECTORS; i++) {
		memset(sector, i + 1, sizeof(sector));
		ASSERT_EQ((ssize_t)sizeof(sector),
			  write(self->blk.fd, sector, sizeof(sector)));
	}
	for (i = 0; i < NR_PIECES; i++) {
		self->pieces[i] = calloc(1, PIECE);
		ASSERT_NE(NULL, self->pieces[i]);
	}
	virtio_blk_face(&self->blk, &face);
	virtio_init(&self->virtio, &virtio_blk_type, &face, &self->blk);
	self->virtio.wires.dma = (struct dma){ .ptr = find, .opaque = self };
	self->virtio.wires.master = &self->master;
	atomic_store(&self->master, true);
	self->virtio.wires.kicks[0] = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < VIRTIO_MAX_VECTORS; i++)
		self->virtio.wires.irqs[i] = eventfd(0, EFD_NONBLOCK);
	restart(self);
}

FIXTURE_TEARDOWN(device)
{
	unsigned int i;

	/* Whatever it was asked for, it has no more sectors than before. */
	EXPECT_EQ(SECTORS * 512, lseek(self->blk.fd, 0, SEEK_END));
	virtio_stop(&self->virtio);
	close(self->blk.fd);
	for (i = 0; i < NR_PIECES; i++)
		free(self->pieces[i]);
}

/* A number, the same ones each time. */
static inline uint32_t pick(uint32_t below)
{
	static uint64_t state = 1;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

#endif
