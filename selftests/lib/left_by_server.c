// SPDX-License-Identifier: GPL-2.0
/* Accesses that a dead server has left to the VMM: whose they are, and how made. */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fixture.h"
#include "resolve.h"
#include "ring.h"
#include "ring_drain.h"
#include "server_in_vmm.h"
#include "vm.h"

/* What a device was called for, in words. */
struct device {
	char log[256];
};

static void log_call(struct device *device, char what, uint64_t offset,
		     unsigned int len)
{
	size_t used = strlen(device->log);

	snprintf(device->log + used, sizeof(device->log) - used, "%c%llu+%u ",
		 what, (unsigned long long)offset, len);
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	log_call(opaque, 'r', offset, len);
	return 0x1122334455667788;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	(void)data;
	log_call(opaque, 'w', offset, len);
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 8, .impl_max = 8 },
};

#define RANGE(from, to, id) { \
	.start = from, .last = to, .region = id, .kind = MREGION_MMIO }

static const struct mregion_range ranges[] = {
	RANGE(0x1000, 0x103f, 1),
	RANGE(0x2000, 0x203f, 2),
};

/* MREGION_ACCESS: a test says what comes of it, all else is as in the view. */
static struct mregion_access asked[32];
static unsigned int nr_asked;
static void (*answer)(struct mregion_access *access);

static int kernel(unsigned long request, void *arg)
{
	struct mregion_access *access = arg;
	struct mregion_translate *translate = arg;
	size_t i;

	if (request == MREGION_TRANSLATE) {
		translate->generation = 1;
		translate->range = (struct mregion_range){
			.start = translate->addr,
			.last = translate->addr + translate->len - 1,
		};
		for (i = 0; i < ARRAY_SIZE(ranges); i++) {
			if (translate->addr < ranges[i].start ||
			    translate->addr > ranges[i].last)
				continue;
			translate->range.region = ranges[i].region;
			translate->range.kind = ranges[i].kind;
			translate->range.offset = translate->addr -
						  ranges[i].start;
		}
		return 0;
	}
	if (request != MREGION_ACCESS || nr_asked == ARRAY_SIZE(asked))
		return -ENOTTY;
	access->part = access->len;
	access->region = access->addr >> 12;
	access->offset = access->addr & 0xfff;
	asked[nr_asked++] = *access;
	answer(access);
	return 0;
}

static void served(struct mregion_access *access)
{
	access->handled = 1;
	access->outcome = MREGION_OUTCOME_SERVED;
	access->data = 0x5a;
}

static void server_exit(struct mregion_access *access)
{
	access->outcome = MREGION_OUTCOME_SERVER_EXIT;
}

FIXTURE(left)
{
	struct mregion_machine machine;
	struct mregion_space space;
	struct mregion_vm vm;
	struct device device;
	struct mregion_region *region;
	struct mregion_server server;
	union {
		struct kvm_run run;
		uint8_t page[8192];
	};
};

/* The server of region 1, which has died if its eventfd says so. */
static struct mregion_server *server;

FIXTURE_SETUP(left)
{
	struct mregion_machine *machine = &self->machine;

	memset(self, 0, sizeof(*self));
	fixture_init(machine);
	self->region = fixture_region(machine, 1, MREGION_MMIO, 64, &device_ops,
				      &self->device);
	fixture_region(machine, 2, MREGION_MMIO, 64, &device_ops,
		       &self->device);
	fixture_space(machine, &self->space, MREGION_BUS_MEMORY, ranges,
		      ARRAY_SIZE(ranges));
	self->vm.machine = machine;
	self->vm.progress = calloc(MREGION_NO_VCPU,
				   sizeof(struct mregion_progress));
	self->vm.memory = &self->space;
	server = &self->server;
	server->machine = machine;
	server->id = 1;
	server->eventfd = eventfd(0, EFD_CLOEXEC);
	atomic_store(&machine->servers, server);
	atomic_store(&self->region->server, server);
	atomic_store(&self->region->next_server, server);
	fixture_ioctl = kernel;
	nr_asked = 0;
	answer = served;
}

FIXTURE_TEARDOWN(left)
{
	close(self->server.eventfd);
	fixture_space_destroy(&self->space);
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

/* A ring to which the first bytes of region 1 are posted. */
static struct mregion_ring *posted_ring(struct mregion_machine *machine)
{
	struct mregion_ring *ring = fixture_ring(machine, 1);
	struct mregion_posted *posted = calloc(1, sizeof(*posted));

	atomic_store(&ring->server, server);
	posted->region = 1;
	posted->last = 15;
	mregion_ring_add_posted(ring, posted);
	return ring;
}

/* The vCPU had left the access with the region's former server, which dies. */
static void former_exit(struct mregion_access *access)
{
	if (nr_asked == 1)
		server_exit(access);
	else
		served(access);
}

TEST_F(left, by_a_former_server)
{
	struct mregion_ring *ring = posted_ring(&self->machine);
	uint8_t buf[4];

	fixture_append(&ring->memory, 1, 8, 1, 1);
	answer = former_exit;
	EXPECT_EQ(0, mmio(&self->vm, &self->run, 0x1000, 4, false));
	EXPECT_EQ(0x5a, self->run.mmio.data[0]);
	EXPECT_EQ(2, nr_asked);
	EXPECT_FALSE(atomic_load(&server->dead));

	nr_asked = 0;
	EXPECT_EQ(0, mregion_space_read(&self->space, 0x1000, buf, 4, NULL));
	EXPECT_EQ(0x5a, buf[0]);
	EXPECT_EQ(2, nr_asked);
	EXPECT_FALSE(atomic_load(&server->dead));

	/* What is posted to the one that lives is not the VMM's. */
	EXPECT_TRUE(mregion_ring_memory_pending(&ring->memory));
	EXPECT_STREQ("", self->device.log);
	mregion_ring_release(ring);
}

/* It is dead, and says so once all that was posted to it is in its ring. */
static struct mregion_ring *late_ring;

static void late_exit(struct mregion_access *access)
{
	server_exit(access);
	if (nr_asked != 3)
		return;
	fixture_append(&late_ring->memory, 1, 8, 1, 1);
	eventfd_write(server->eventfd, 1);
}

TEST_F(left, by_one_that_has_just_died)
{
	uint8_t buf[4];
	int i;

	answer = late_exit;
	for (i = 0; i < 2; i++) {
		late_ring = posted_ring(&self->machine);
		nr_asked = 0;
		self->device.log[0] = 0;
		EXPECT_EQ(0, i ? mregion_space_read(&self->space, 0x1000, buf,
						    4, NULL) :
				 mmio(&self->vm, &self->run, 0x1000, 4, false));
		EXPECT_EQ(3, nr_asked);
		EXPECT_TRUE(atomic_load(&server->dead));
		EXPECT_STREQ("w8+1 r0+4 ", self->device.log);
		mregion_ring_release(late_ring);
		atomic_store(&server->dead, false);
		close(server->eventfd);
		server->eventfd = eventfd(0, EFD_CLOEXEC);
	}
}

/*
 * A commit is under way all the time: the one that has bound the region to the server
 * that has died since, or another one.
 */
static struct mregion_region *bound;

static void exit_in_commit(struct mregion_access *access)
{
	struct mregion_machine *machine = bound->machine;

	server_exit(access);
	if (nr_asked != 3)
		return;
	atomic_store(&bound->server, server);
	atomic_fetch_add(&machine->commits, 1);
	atomic_fetch_sub(&machine->committing, 1);
}

TEST_F(left, in_a_commit)
{
	struct mregion_ring *ring = posted_ring(&self->machine);
	uint8_t buf[4];
	int i;

	answer = exit_in_commit;
	bound = self->region;
	eventfd_write(server->eventfd, 1);
	for (i = 0; i < 4; i++) {
		fixture_append(&ring->memory, 1, 8, 1, 1);
		atomic_store(&server->dead, false);
		nr_asked = 0;
		self->device.log[0] = 0;
		if (i & 1)
			atomic_store(&bound->server, NULL);
		atomic_fetch_add(&self->machine.committing, 1);
		atomic_fetch_add(&self->machine.commits, 1);
		EXPECT_EQ(0, i & 2 ?
			  mregion_space_read(&self->space, 0x1000, buf, 4,
					     NULL) :
			  mmio(&self->vm, &self->run, 0x1000, 4, false));
		EXPECT_LE(3, nr_asked);
		EXPECT_TRUE(atomic_load(&server->dead));
		EXPECT_STREQ("w8+1 r0+4 ", self->device.log);
	}
	mregion_ring_release(ring);
}

/*
 * A vCPU leaves an access with the server while a commit is under way, which then
 * shows a device without one there. The exit before was in the same commit.
 */
TEST_F(left, with_one_that_is_taken_away)
{
	struct mregion_machine *machine = &self->machine;

	atomic_fetch_add(&machine->committing, 1);
	atomic_fetch_add(&machine->commits, 1);
	EXPECT_EQ(0, mmio(&self->vm, &self->run, 0x1000, 4, false));
	nr_asked = 0;
	EXPECT_EQ(0, mmio(&self->vm, &self->run, 0x2000, 4, false));
	EXPECT_EQ(1, nr_asked);
	EXPECT_EQ(0x5a, self->run.mmio.data[0]);
	EXPECT_STREQ("", self->device.log);

	/* Nor does it matter that the commit has ended meanwhile. */
	atomic_fetch_add(&machine->commits, 1);
	atomic_fetch_sub(&machine->committing, 1);
	EXPECT_EQ(0, mmio(&self->vm, &self->run, 0x2000, 4, false));
	EXPECT_EQ(2, nr_asked);
	EXPECT_STREQ("", self->device.log);
	EXPECT_EQ(0, mmio(&self->vm, &self->run, 0x2000, 4, false));
	EXPECT_EQ(2, nr_asked);
	EXPECT_STREQ("r0+4 ", self->device.log);
}

/* It is cut by what the device accepts, as the server itself would have cut it. */
static const struct {
	unsigned int len;
	struct mregion_constraints constraints;
	int ret;
	const char *log;
} cuts[] = {
	{ 4, { .valid_max = 2 }, 0, "w16+2 w18+2 " },
	{ 3, { .valid_max = 8, .impl_max = 8 }, 0, "w16+2 w18+1 " },
	{ 5, { .valid_max = 8, .impl_max = 8 }, 0, "w16+4 w20+1 " },
	{ 5, { .valid_min = 4, .valid_max = 4 }, 0, "w16+4 " },
	{ 5, { .valid_min = 4, .valid_max = 4,
	       .refused = MREGION_POLICY_ERROR }, -EFAULT, "w16+4 " },
	{ 2, { .valid_min = 4, .valid_max = 4,
	       .refused = MREGION_POLICY_ERROR }, -EFAULT, "" },
};

TEST_F(left, cut)
{
	static const uint8_t buf[8];
	size_t i;

	answer = server_exit;
	eventfd_write(server->eventfd, 1);
	for (i = 0; i < 2 * ARRAY_SIZE(cuts); i++) {
		self->device.log[0] = 0;
		mregion_region_set_constraints(self->region,
					       &cuts[i / 2].constraints);
		EXPECT_EQ(cuts[i / 2].ret, i & 1 ?
			  mregion_space_write(&self->space, 0x1010, buf,
					      cuts[i / 2].len, NULL) :
			  mmio(&self->vm, &self->run, 0x1010, cuts[i / 2].len,
			       true));
		EXPECT_STREQ(cuts[i / 2].log, self->device.log);
	}
}

/* What the device accepts has changed since it was looked at: nothing is lost. */
TEST_F(left, constraints_have_changed)
{
	static const struct mregion_constraints bytes = { .valid_max = 1 };
	struct mregion_origin origin = { .space = &self->space };
	struct mregion_piece piece = {
		.region = self->region,
		.kind = MREGION_MMIO,
		.offset = 4,
		.len = 4,
	};
	uint8_t buf[4] = { 0 };

	mregion_region_set_constraints(self->region, &bytes);
	EXPECT_EQ(0, mregion_dispatch(&origin, &piece, 0x1004, false, true,
				      buf));
	EXPECT_STREQ("w4+1 w5+1 w6+1 w7+1 ", self->device.log);
}

/*
 * A doorbell for any length completes all of a write, so DMA is cut before; but for what
 * is no longer than a vCPU's access, which is as that.
 */
TEST_F(left, dma_over_a_doorbell)
{
	static const struct mregion_constraints words = { .valid_max = 4 };
	static const uint8_t buf[16];
	size_t i, done;

	mregion_region_set_constraints(self->region, &words);
	EXPECT_EQ(0, mregion_space_write(&self->space, 0x1002, buf, 14, &done));
	EXPECT_EQ(14, done);
	ASSERT_EQ(4, nr_asked);
	EXPECT_EQ(2, asked[0].len);
	for (i = 1; i < 4; i++) {
		EXPECT_EQ(0x1000 + 4 * i, asked[i].addr);
		EXPECT_EQ(4, asked[i].len);
	}
	nr_asked = 0;
	EXPECT_EQ(0, mregion_space_write(&self->space, 0x1002, buf, 8, &done));
	ASSERT_EQ(1, nr_asked);
	EXPECT_EQ(8, asked[0].len);
}

TEST_HARNESS_MAIN
