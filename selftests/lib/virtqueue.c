// SPDX-License-Identifier: GPL-2.0
/*
 * The block device of mregion-vmm against drivers that break the rules.
 *
 * Each piece of the guest's memory is an allocation of its own, so that
 * AddressSanitizer notices whatever leaves it.
 */
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

#include "kselftest_harness.h"

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

static void *find(void *opaque, uint64_t addr, size_t *len, bool write)
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

static void *at(device_t *self, uint64_t addr)
{
	size_t len = 1;

	return find(self, addr, &len, true);
}

static void write_register(device_t *self, unsigned int offset, uint32_t value,
			   unsigned int len)
{
	virtio_common_ops.write(&self->virtio, offset, value, len);
}

static uint8_t status(device_t *self)
{
	return virtio_common_ops.read(&self->virtio, VIRTIO_PCI_COMMON_STATUS,
				      1);
}

static bool broken(device_t *self)
{
	return status(self) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void set_queue(device_t *self, uint64_t desc, uint64_t avail,
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
static void restart(device_t *self)
{
	memset(self->pieces[0], 0, PIECE);
	self->available = 0;
	set_queue(self, DESC, AVAIL, USED);
}

static void set_desc(device_t *self, uint64_t table, unsigned int index,
		     uint64_t addr, uint32_t len, uint16_t flags,
		     uint16_t next)
{
	struct vring_desc *desc = at(self, table);

	desc[index] = (struct vring_desc){ addr, len, flags, next };
}

/* A header, @len bytes at @addr, and a byte of status, in @table. */
static void set_request(device_t *self, uint64_t table, uint32_t type,
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
static void kick(device_t *self, uint16_t head)
{
	struct vring_avail *avail = at(self, AVAIL);

	avail->ring[self->available++ % QUEUE_SIZE] = head;
	avail->idx = self->available;
	virtio_queue_ready(&self->virtio, 0);
}

static const struct vring_used *used(device_t *self)
{
	return at(self, USED);
}

/* What became of the last request, if the device has given it back. */
static int request_status(device_t *self)
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
	self->virtio.wires.dma = (struct dma){ find, self };
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

/* The driver's rules are kept in these. */

TEST_F(device, reads)
{
	uint64_t count;

	set_request(self, DESC, VIRTIO_BLK_T_IN, 7, DATA, 1024);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(0, used(self)->ring[0].id);
	EXPECT_EQ(1025, used(self)->ring[0].len);
	EXPECT_EQ(8, *(uint8_t *)at(self, DATA));
	EXPECT_EQ(9, *(uint8_t *)at(self, DATA + 1023));
	EXPECT_EQ(0, *(uint8_t *)at(self, DATA + 1024));
	EXPECT_EQ(8, read(self->virtio.wires.irqs[1], &count, 8));
}

TEST_F(device, indirect_and_in_two_pieces)
{
	uint8_t *last = self->pieces[0] + PIECE - 1;
	uint8_t found[2];

	set_request(self, TABLE, VIRTIO_BLK_T_OUT, SECTORS - 1, PIECE - 256,
		    512);
	*last = 0xaa;
	*self->pieces[1] = 0xbb;
	set_desc(self, DESC, 3, TABLE, 3 * sizeof(struct vring_desc),
		 VRING_DESC_F_INDIRECT, 0);
	kick(self, 3);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(3, used(self)->ring[0].id);
	EXPECT_EQ(1, used(self)->ring[0].len);
	EXPECT_EQ(2, pread(self->blk.fd, found, 2,
			   (SECTORS - 1) * 512 + 255));
	EXPECT_EQ(0xaa, found[0]);
	EXPECT_EQ(0xbb, found[1]);
}

/* What can be answered is, with an error. */
TEST_F(device, refuses_requests)
{
	const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t len;
		int result;
	} requests[] = {
		{ VIRTIO_BLK_T_IN, SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, SECTORS - 1, 1024, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, SECTORS, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, ~0ULL, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 1ULL << 55, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 511, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 1, VIRTIO_BLK_S_IOERR },
		{ 77, 0, 512, VIRTIO_BLK_S_UNSUPP },
		{ ~0u, 0, 512, VIRTIO_BLK_S_UNSUPP },
	};
	unsigned int i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		set_request(self, DESC, requests[i].type, requests[i].sector,
			    DATA, requests[i].len);
		kick(self, 0);
		EXPECT_EQ(requests[i].result, request_status(self)) {
			TH_LOG("request %u", i);
		}
	}
	EXPECT_FALSE(broken(self));
}

/* What was written is there to stay, unless the driver can ask for that. */
TEST_F(device, flushes)
{
	flushes = 0;
	flush_error = 0;
	set_request(self, DESC, VIRTIO_BLK_T_OUT, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(1, flushes);
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(1, flushes);
	flush_error = EIO;
	set_request(self, DESC, VIRTIO_BLK_T_OUT, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, request_status(self));
	EXPECT_EQ(2, flushes);

	self->features = 1u << VIRTIO_BLK_F_FLUSH;
	restart(self);
	set_request(self, DESC, VIRTIO_BLK_T_OUT, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(2, flushes);
	set_request(self, DESC, VIRTIO_BLK_T_FLUSH, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, request_status(self));
	EXPECT_EQ(3, flushes);
}

/* Without the guest's leave it does not look into memory, nor write there. */
TEST_F(device, no_master)
{
	atomic_store(&self->master, false);
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(-1, request_status(self));
	EXPECT_EQ(0, *(uint8_t *)at(self, DATA));
	EXPECT_FALSE(broken(self));
	atomic_store(&self->master, true);
	virtio_queue_ready(&self->virtio, 0);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(1, *(uint8_t *)at(self, DATA));
}

/* How much is said to be written: what is, from the first byte on. */
TEST_F(device, written)
{
	const struct {
		uint32_t type;
		uint32_t len;
		uint32_t written;
	} requests[] = {
		{ VIRTIO_BLK_T_GET_ID, 19, 20 },
		{ VIRTIO_BLK_T_GET_ID, 20, 21 },
		{ VIRTIO_BLK_T_GET_ID, 21, 20 },
		{ VIRTIO_BLK_T_GET_ID, 512, 20 },
		{ VIRTIO_BLK_T_IN, 512, 513 },
		{ VIRTIO_BLK_T_OUT, 512, 1 },
		/* Nothing but a status, behind what is left alone. */
		{ VIRTIO_BLK_T_IN, 511, 0 },
		{ VIRTIO_BLK_T_FLUSH, 512, 0 },
		{ 77, 512, 0 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		set_request(self, DESC, requests[i].type, 0, DATA,
			    requests[i].len);
		kick(self, 0);
		EXPECT_LE(0, request_status(self));
		EXPECT_EQ(requests[i].written, used(self)->ring[i].len) {
			TH_LOG("request %u", i);
		}
	}
}

TEST_F(device, readonly)
{
	uint8_t found;

	self->blk.readonly = true;
	set_request(self, DESC, VIRTIO_BLK_T_OUT, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, request_status(self));
	EXPECT_EQ(1, pread(self->blk.fd, &found, 1, 0));
	EXPECT_EQ(1, found);
}

/*
 * One descriptor of a good request is replaced. The device must wait for a
 * reset then, have given nothing back, and be fine again after one.
 */
TEST_F(device, breaks)
{
	const uint16_t next = VRING_DESC_F_NEXT, out = VRING_DESC_F_WRITE;
	const uint16_t indirect = VRING_DESC_F_INDIRECT;
	const struct {
		const char *what;
		unsigned int index;
		struct vring_desc desc;
	} cases[] = {
		{ "a loop of one", 0, { HEADER, 16, next, 0 } },
		{ "a loop", 2, { STATUS, 1, next | out, 1 } },
		{ "no such descriptor", 1, { DATA, 512, next | out, QUEUE_SIZE } },
		{ "far from the table", 1, { DATA, 512, next | out, 65535 } },
		{ "no memory there", 1, { 0x10000, 512, next | out, 2 } },
		{ "into nothing", 1, { HIGH + PIECE - 1, 2, next | out, 2 } },
		{ "around the end", 1, { ~0ULL - 100, 512, next | out, 2 } },
		{ "4 GiB", 1, { DATA, ~0u, next | out, 2 } },
		{ "nothing", 1, { DATA, 0, next | out, 2 } },
		{ "nothing at 0", 1, { 0, 0, next | out, 2 } },
		{ "in after out", 2, { STATUS, 1, 0, 0 } },
		{ "no status", 0, { HEADER, 16, 0, 0 } },
		{ "only status", 0, { STATUS, 1, out, 0 } },
		{ "short header", 0, { HEADER, 15, next, 1 } },
		{ "more than a table", 0, { TABLE, 48, indirect | next, 1 } },
		{ "table of nothing", 0, { TABLE, 0, indirect, 0 } },
		{ "table and a half", 0, { TABLE, 56, indirect, 0 } },
		{ "a table too long", 0,
		  { TABLE, 16 * QUEUE_SIZE + 16, indirect, 0 } },
		{ "a huge table", 0, { TABLE, 0xfffffff0, indirect, 0 } },
		{ "a table nowhere", 0, { HIGH - 16, 48, indirect, 0 } },
		{ "a table into nothing", 0,
		  { HIGH + PIECE - 16, 32, indirect, 0 } },
		{ "table in two pieces", 0, { PIECE - 16, 48, indirect, 0 } },
		{ "a table awry", 0, { TABLE + 1, 48, indirect, 0 } },
		{ "a table of itself", 0, { DESC, 48, indirect, 0 } },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		restart(self);
		set_request(self, TABLE, VIRTIO_BLK_T_IN, 0, DATA, 512);
		set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
		((struct vring_desc *)at(self, DESC))[cases[i].index] =
			cases[i].desc;
		kick(self, 0);
		EXPECT_TRUE(broken(self)) {
			TH_LOG("%s", cases[i].what);
		}
		EXPECT_EQ(0, used(self)->idx) {
			TH_LOG("%s", cases[i].what);
		}
		/* It does not look until it is reset. */
		set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
		kick(self, 0);
		EXPECT_EQ(0, used(self)->idx);
	}
	EXPECT_EQ(1, complaints);
	restart(self);
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
}

/* Each buffer is in two pieces: more than the device has room for. */
TEST_F(device, breaks_by_pieces)
{
	unsigned int i;

	for (i = 0; i < QUEUE_SIZE; i++)
		set_desc(self, DESC, i, PIECE - 1, 2,
			 VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, i + 1);
	set_desc(self, DESC, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	set_desc(self, DESC, QUEUE_SIZE - 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	kick(self, 0);
	EXPECT_TRUE(broken(self));
	EXPECT_EQ(0, used(self)->idx);
}

TEST_F(device, breaks_rings)
{
	struct vring_avail *avail = at(self, AVAIL);
	const uint64_t wrong[][3] = {
		{ DESC, AVAIL, 0x10000 },	/* no memory there */
		{ DESC, ~1ULL, USED },
		{ ~15ULL, AVAIL, USED },
		{ PIECE - 16, AVAIL, USED },	/* in two pieces */
		{ DESC, PIECE - 2, USED },
		{ DESC, AVAIL, HIGH + PIECE - 4 },
		{ DESC + 8, AVAIL, USED },	/* not aligned */
		{ DESC, AVAIL + 1, USED },
		{ DESC, AVAIL, USED + 2 },
	};
	unsigned int i;

	kick(self, QUEUE_SIZE);
	EXPECT_TRUE(broken(self));
	restart(self);
	kick(self, 0xffff);
	EXPECT_TRUE(broken(self));
	restart(self);
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	avail->idx = QUEUE_SIZE + 1;
	virtio_queue_ready(&self->virtio, 0);
	EXPECT_TRUE(broken(self));

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		restart(self);
		set_queue(self, wrong[i][0], wrong[i][1], wrong[i][2]);
		virtio_queue_ready(&self->virtio, 0);
		EXPECT_TRUE(broken(self)) {
			TH_LOG("rings %u", i);
		}
	}
}

/* --- a device that takes its time */

/* What the thread is at: nothing, a chain, or that one was given up. */
static atomic_int stage;

static int64_t slow_handle(const struct virtio *virtio, uint64_t features,
			   struct virtqueue_chain *chain)
{
	(void)features;
	(void)chain;
	atomic_store(&stage, 1);
	while (atomic_load(&stage) == 1) {
		if (virtio_cancelled(virtio)) {
			atomic_store(&stage, 3);
			return -ECANCELED;
		}
		usleep(100);
	}
	return 1;
}

static const struct virtio_type slow_type = {
	.name = "slow",
	.nr_queues = 1,
	.handle = slow_handle,
};

static bool wait_for_stage(int wanted)
{
	int i;

	for (i = 0; i < 5000 && atomic_load(&stage) != wanted; i++)
		usleep(1000);
	return i < 5000;
}

/* Two chains, the first of which is being handled when this returns. */
static bool start_slow(device_t *self)
{
	const struct virtio_wires wires = self->virtio.wires;
	struct vring_avail *avail = at(self, AVAIL);

	atomic_store(&stage, 0);
	self->virtio.type = &slow_type;
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	avail->idx = 2;
	if (virtio_start(&self->virtio, &wires) ||
	    eventfd_write(wires.kicks[0], 1))
		return false;
	return wait_for_stage(1);
}

/* A vCPU does not wait for the disk, however slow it is. */
TEST_F(device, registers_while_busy)
{
	int i;

	ASSERT_TRUE(start_slow(self));
	EXPECT_TRUE(status(self) & VIRTIO_CONFIG_S_DRIVER_OK);
	EXPECT_EQ(0, virtio_isr_ops.read(&self->virtio, 0, 1));
	EXPECT_EQ(1, atomic_load(&stage));
	EXPECT_EQ(0, used(self)->idx);
	atomic_store(&stage, 2);
	for (i = 0; i < 5000 && used(self)->idx != 2; i++) {
		atomic_store(&stage, 2);
		usleep(1000);
	}
	EXPECT_EQ(2, used(self)->idx);
}

/* A reset does, for what would else be done after it; and has an end of it. */
TEST_F(device, reset_while_busy)
{
	int i;

	ASSERT_TRUE(start_slow(self));
	write_register(self, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	for (i = 0; i < 5000 && status(self); i++)
		usleep(1000);
	EXPECT_EQ(0, status(self));
	EXPECT_EQ(3, atomic_load(&stage));
	EXPECT_EQ(0, used(self)->idx);
	EXPECT_FALSE(self->virtio.queues[0].enabled);

	/* And it is as any other device after one. */
	restart(self);
	set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
	((struct vring_avail *)at(self, AVAIL))->idx = 1;
	eventfd_write(self->virtio.wires.kicks[0], 1);
	EXPECT_TRUE(wait_for_stage(1));
	atomic_store(&stage, 2);
	for (i = 0; i < 5000 && used(self)->idx != 1; i++)
		usleep(1000);
	EXPECT_EQ(1, used(self)->idx);
}

/* What a driver writes before the reset is over gets lost in it. */
TEST_F(device, impatient)
{
	atomic_store(&self->virtio.reset_wanted, true);
	self->virtio.busy = true;
	write_register(self, VIRTIO_PCI_COMMON_STATUS,
		       VIRTIO_CONFIG_S_ACKNOWLEDGE, 1);
	EXPECT_TRUE(status(self) & VIRTIO_CONFIG_S_DRIVER_OK);
	write_register(self, VIRTIO_PCI_COMMON_Q_SELECT, 7, 2);
	EXPECT_EQ(0, self->virtio.queue_select);
	self->virtio.busy = false;
}

/* The machine ends: what has not been done is left. */
TEST_F(device, stopped_while_busy)
{
	ASSERT_TRUE(start_slow(self));
	virtio_quiesce(&self->virtio);
	EXPECT_TRUE(wait_for_stage(3));
	virtio_stop(&self->virtio);
	EXPECT_EQ(0, used(self)->idx);
	EXPECT_EQ(3, atomic_load(&stage));
}

/* What is given up when the guest takes its leave back is begun anew. */
TEST_F(device, no_master_while_busy)
{
	int i;

	ASSERT_TRUE(start_slow(self));
	atomic_store(&self->master, false);
	ASSERT_TRUE(wait_for_stage(3));
	EXPECT_EQ(0, used(self)->idx);
	EXPECT_TRUE(status(self) & VIRTIO_CONFIG_S_DRIVER_OK);
	atomic_store(&self->master, true);
	eventfd_write(self->virtio.wires.kicks[0], 1);
	for (i = 0; i < 5000 && used(self)->idx != 2; i++) {
		atomic_store(&stage, 2);
		usleep(1000);
	}
	EXPECT_EQ(2, used(self)->idx);
}

#define LONG	(40u << 20)

/* What is long is done by pieces, and given up between two of them. */
TEST_F(device, long_request)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	struct virtio_blk blk = { .sectors = LONG / 512 };
	struct virtqueue_chain *chain = calloc(1, sizeof(*chain));
	uint8_t *data = malloc(LONG), *disk, result = 0xee;
	unsigned int i;

	ASSERT_NE(NULL, chain);
	ASSERT_NE(NULL, data);
	blk.fd = memfd_create("long", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(blk.fd, LONG));
	disk = mmap(NULL, LONG, PROT_READ | PROT_WRITE, MAP_SHARED, blk.fd, 0);
	ASSERT_NE(MAP_FAILED, disk);
	for (i = 0; i < LONG; i += 4096)
		disk[i] = i >> 12 ^ i >> 20;
	self->virtio.opaque = &blk;

	/* A long element, between short ones. */
	for (i = 0; i < 2; i++) {
		memset(data, 0xee, LONG);
		chain->nr_in = 1;
		chain->nr_out = 4;
		chain->in_len = sizeof(header);
		chain->out_len = LONG + 1;
		chain->iov[0] = (struct iovec){ &header, sizeof(header) };
		chain->iov[1] = (struct iovec){ data, 5000 };
		chain->iov[2] = (struct iovec){ data + 5000, LONG - 12000 };
		chain->iov[3] = (struct iovec){ data + LONG - 7000, 7000 };
		chain->iov[4] = (struct iovec){ &result, 1 };
		atomic_store(&self->virtio.reset_wanted, i);
		EXPECT_EQ(i ? -ECANCELED : (int)LONG + 1,
			  virtio_blk_type.handle(&self->virtio, 0, chain));
		EXPECT_EQ(i, memcmp(data, disk, LONG) != 0);
		EXPECT_EQ(0, result);
	}
	EXPECT_EQ(0xee, data[0]);
	munmap(disk, LONG);
	close(blk.fd);
	free(data);
	free(chain);
}

/* --- another process's device */

static int inherit(device_t *self, const struct virtio *from)
{
	const struct virtio_wires wires = self->virtio.wires;
	int error;

	pthread_mutex_lock(&self->virtio.lock);
	error = virtio_inherit(&self->virtio, &wires, from);
	pthread_mutex_unlock(&self->virtio.lock);
	return error;
}

/* A request that was taken and not given back is handled again. */
TEST_F(device, inherits)
{
	struct virtio *other = malloc(sizeof(*other));
	int i;

	set_request(self, DESC, VIRTIO_BLK_T_IN, 3, DATA, 512);
	kick(self, 0);
	ASSERT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	ASSERT_NE(NULL, other);
	*other = self->virtio;
	other->queues[0].next = self->available + 1;
	pthread_mutex_lock(&self->virtio.lock);
	virtio_reset(&self->virtio);
	pthread_mutex_unlock(&self->virtio.lock);

	set_request(self, DESC, VIRTIO_BLK_T_IN, 4, DATA, 512);
	kick(self, 0);
	EXPECT_EQ(-1, request_status(self));
	EXPECT_EQ(0, inherit(self, other));
	for (i = 0; i < 500 && request_status(self) < 0; i++)
		usleep(10000);
	EXPECT_EQ(VIRTIO_BLK_S_OK, request_status(self));
	EXPECT_EQ(5, *(uint8_t *)at(self, DATA));
	EXPECT_FALSE(broken(self));
	virtio_stop(&self->virtio);
	free(other);
}

/* It died before it had reset the device, for which the driver waits. */
TEST_F(device, inherits_reset)
{
	struct virtio *other = malloc(sizeof(*other));

	ASSERT_NE(NULL, other);
	*other = self->virtio;
	atomic_store(&other->reset_wanted, true);
	EXPECT_EQ(0, inherit(self, other));
	EXPECT_EQ(0, status(self));
	free(other);
}

/* Or the device died with it, and no driver can have it back. */
TEST_F(device, lost)
{
	struct virtio *other = malloc(sizeof(*other));
	uint64_t count;
	unsigned int i;

	ASSERT_NE(NULL, other);
	write_register(self, VIRTIO_PCI_COMMON_MSIX, 0, 2);
	*other = self->virtio;
	pthread_mutex_lock(&self->virtio.lock);
	virtio_lose(&self->virtio, other);
	pthread_mutex_unlock(&self->virtio.lock);
	EXPECT_TRUE(broken(self));
	EXPECT_EQ(8, read(self->virtio.wires.irqs[0], &count, 8));
	for (i = 0; i < 2; i++) {
		set_request(self, DESC, VIRTIO_BLK_T_IN, 0, DATA, 512);
		kick(self, 0);
		EXPECT_EQ(-1, request_status(self));
		restart(self);
		EXPECT_FALSE(status(self) & VIRTIO_CONFIG_S_FEATURES_OK);
	}

	/* Its process may have left anything. */
	memset(other, 0xff, sizeof(*other));
	atomic_store(&other->reset_wanted, false);
	pthread_mutex_lock(&self->virtio.lock);
	virtio_lose(&self->virtio, other);
	pthread_mutex_unlock(&self->virtio.lock);
	EXPECT_TRUE(broken(self));
	restart(self);
	EXPECT_FALSE(broken(self));
	free(other);
}

static uint64_t state = 1;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

TEST_F(device, inherits_nonsense)
{
	struct virtio *other = malloc(sizeof(*other));
	unsigned int i, j, size;

	ASSERT_NE(NULL, other);
	for (i = 0; i < 200; i++) {
		const struct virtio_wires wires = self->virtio.wires;
		struct virtio_face face = self->virtio.face;

		for (j = 0; j < sizeof(*other); j++)
			((uint8_t *)other)[j] = pick(256);
		/* Now and then nearly right, to get further. */
		if (i % 2) {
			other->queues[0] = self->virtio.queues[0];
			other->queues[0].size = 1u << pick(17);	/* or 0 */
			other->queues[0].used_addr = pick(3) ? USED :
						     HIGH + pick(PIECE);
			other->status = 0x0f;
		}
		EXPECT_EQ(0, inherit(self, other));
		size = self->virtio.queues[0].size;
		EXPECT_TRUE(size && size <= VIRTQUEUE_MAX_SIZE &&
			    !(size & (size - 1))) {
			TH_LOG("size %u", size);
		}
		virtio_stop(&self->virtio);
		virtio_init(&self->virtio, &virtio_blk_type, &face, &self->blk);
		self->virtio.wires = wires;
		restart(self);
	}
	free(other);
}

/* --- anything at all */

static uint64_t any_addr(void)
{
	switch (pick(8)) {
	case 0:
		return piece_addr[pick(NR_PIECES)] + PIECE - pick(600);
	case 1:
		return (uint64_t)pick(~0u) << pick(33);
	case 2:
		return -(uint64_t)pick(1024);
	case 3:
		return TABLE + 16 * pick(16);
	default:
		return piece_addr[pick(NR_PIECES)] + pick(PIECE);
	}
}

static void any_desc(struct vring_desc *desc)
{
	static const uint32_t lens[] = { 0, 1, 16, 48, 512, 4096, 0x10000 };

	*desc = (struct vring_desc){
		.addr = any_addr(),
		.len = pick(6) ? lens[pick(7)] : pick(~0u),
		.flags = pick(20) ? pick(8) : pick(65536),
		.next = pick(20) ? pick(4) : pick(65536),
	};
}

/* A driver that takes the device through every mistake there is, in time. */
static void any_request(device_t *self)
{
	struct vring_desc *table = at(self, pick(2) ? DESC : TABLE);
	unsigned int changes = pick(4);

	set_request(self, TABLE, pick(12), pick(SECTORS + 2), any_addr(),
		    512 * pick(9));
	set_request(self, DESC, pick(12), pick(SECTORS + 2), any_addr(),
		    512 * pick(9));
	if (!pick(3))
		set_desc(self, DESC, 0, TABLE, 16 * (1 + pick(4)),
			 VRING_DESC_F_INDIRECT, 0);
	while (changes--)
		any_desc(&table[pick(3)]);
	if (!pick(50))
		((struct vring_avail *)at(self, AVAIL))->idx = pick(65536);
}

TEST_F(device, any_requests)
{
	unsigned int i, answered = 0, breaks = 0;

	for (i = 0; i < 300000; i++) {
		if (broken(self) || !pick(100))
			restart(self);
		any_request(self);
		kick(self, pick(30) ? 0 : pick(65536));
		answered += request_status(self) >= 0;
		breaks += broken(self);
	}
	/* Both kinds have been tried, or the test is none. */
	TH_LOG("%u of %u requests answered, %u resets", answered, i, breaks);
	EXPECT_LT(i / 20, answered);
	EXPECT_LT(i / 20, breaks);
	EXPECT_EQ(1, complaints);
}

struct scribbler {
	device_t *self;
	atomic_bool stop;
};

/* The guest's other processor: it changes what the device is reading. */
static void *scribble(void *opaque)
{
	struct scribbler *scribbler = opaque;
	uint32_t seed = 1;

	while (!atomic_load(&scribbler->stop)) {
		uint8_t *memory = scribbler->self->pieces[0];
		uint32_t offset;

		seed = seed * 1664525 + 1013904223;
		/* A descriptor of the first four in one of the tables. */
		offset = (seed >> 30 & 1 ? DESC : TABLE) + (seed >> 8) % 64;
		__atomic_store_n(&memory[offset], seed >> 16, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(device, changing_requests)
{
	struct scribbler scribbler = { .self = self };
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &scribbler));
	for (i = 0; i < 300000; i++) {
		if (broken(self))
			restart(self);
		any_request(self);
		kick(self, 0);
	}
	atomic_store(&scribbler.stop, true);
	pthread_join(thread, NULL);
	EXPECT_LT(0, complaints);
}

TEST_HARNESS_MAIN
