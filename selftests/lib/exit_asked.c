// SPDX-License-Identifier: GPL-2.0
/* Accesses that the kernel is asked for, which has a server do them. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "exit_util.h"

#include "flat_copy.h"
#include "server_in_vmm.h"

/* The spaces that MREGION_ACCESS looks into: memory from 0x1000 on, and ports. */
static struct mregion_space *ask_memory;
static struct mregion_space *ask_pio;

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
					  &ask_pio->flat : &ask_memory->flat;
	const struct mregion_range *range;

	range = mregion_btree_bound(&flat->tree, access->addr);

	access->part = access->len;
	if (!range || range->last < access->addr || range->start > access->addr)
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

static void bind(FIXTURE_DATA(exit) *self, uint32_t id,
		 struct mregion_server *server)
{
	struct mregion_region *region;

	region = mregion_table_get(&self->machine.regions, id);
	server->machine = &self->machine;
	atomic_store(&region->server, server);
	mregion_region_put(region);
	fixture_ioctl = ask;
	ask_memory = &self->memory;
	ask_pio = &self->pio;
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

	bind(self, 2, &server);
	memcpy(run->mmio.data, "\1\2\3\4", 4);
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
		FIXTURE_RANGE(0x1000, 0x1003, 0, 4, MREGION_ROMD, 0),
		FIXTURE_RANGE(0x1004, 0x10ff, 0x20, 3, MREGION_MMIO, 0),
	};

	fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
	bind(self, 3, &server);
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

	bind(self, 2, &server);
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
	interrupts = 1;
	interrupts_after = 1;
	EXPECT_EQ(-EINTR, io(&self->vm, run, 0x3f8, 2, 2, false));
	EXPECT_EQ(0, io(&self->vm, run, 0x3f8, 2, 2, false));
	EXPECT_EQ(3, nr_asked);
	EXPECT_EQ(0, memcmp(self->page + 4096, "\xa1\xa0\xa3\xa0", 4));
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

	bind(self, 2, &server);
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
		FIXTURE_RANGE(0x1000, 0x1003, 0, 4, MREGION_ROMD, 0),
		FIXTURE_RANGE(0x1004, 0x10ff, 0x20, 3, MREGION_MMIO, 0),
	};
	static const struct mregion_range moved[] = {
		FIXTURE_RANGE(0x1000, 0x1fff, 0, 4, MREGION_ROMD, 0),
	};
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };
	unsigned int first;

	for (first = 3; first <= 4; first++) {
		fixture_set_view(&self->memory, ranges, ARRAY_SIZE(ranges));
		self->device = (struct device){ 0 };
		bind(self, first, &server);
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

	bind(self, 2, &server);
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

	bind(self, 2, &server);
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

	bind(self, 3, &server);
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

/* An exit that is not resolved yet is one to go on with. */
TEST_F(exit, not_stale)
{
	struct kvm_run *run = &self->run;
	struct mregion_server server = { 0 };

	bind(self, 2, &server);
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

	bind(self, 2, &server);
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

TEST_HARNESS_MAIN
