// SPDX-License-Identifier: GPL-2.0
/* The block device of mregion-vmm against drivers that break the rules. */
#include "virtio_driver.h"

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
