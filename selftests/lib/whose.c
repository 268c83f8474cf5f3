// SPDX-License-Identifier: GPL-2.0
/*
 * Whose an access is that the kernel has left to the VMM, when the map or the
 * servers have changed by the time that the library looks once more.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "server_in_vmm.h"
#include "vm.h"

#define ADDR	0x1000

struct device {
	unsigned int reads;
	unsigned int writes;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct device *device = opaque;

	(void)offset;
	(void)len;
	device->reads++;
	return 0x55;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	(void)offset;
	(void)data;
	(void)len;
	device->writes++;
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
};

/* Region 1 is the VMM's own, region 2 a server's; there are two of these. */
static struct {
	struct mregion_machine machine;
	struct mregion_space space;
	struct mregion_region *region;
	struct mregion_server servers[2];
	unsigned int asked;
	uint32_t seen;		/* the region that the first answer is about */
	/* What the kernel has seen, and then seen change: set by each test. */
	void (*change)(void);
} all;

static const struct mregion_range after[] = {
	{ .start = ADDR, .last = ADDR + 63, .region = 2, .kind = MREGION_MMIO },
};

/* The kernel leaves the first access to the VMM; a server answers others. */
static int kernel(unsigned long request, void *arg)
{
	struct mregion_translate *translate = arg;
	struct mregion_access *access = arg;

	switch (request) {
	case MREGION_TRANSLATE:
		translate->range = after[0];
		translate->range.start = translate->addr;
		translate->range.last = translate->addr + translate->len - 1;
		translate->generation = 1;
		return 0;
	case MREGION_ACCESS:
		access->part = access->len;
		if (!all.asked++) {
			access->outcome = MREGION_OUTCOME_EXIT;
			access->region = all.seen;
			all.change();
			return 0;
		}
		access->handled = 1;
		access->outcome = MREGION_OUTCOME_SERVED;
		access->data = 0xaa;
		return 0;
	}
	return -ENOTTY;
}

static void commit_begins(void)
{
	atomic_fetch_add(&all.machine.committing, 1);
	atomic_fetch_add(&all.machine.commits, 1);
}

static void commit_ends(void)
{
	atomic_fetch_add(&all.machine.commits, 1);
	atomic_fetch_sub(&all.machine.committing, 1);
}

FIXTURE(whose)
{
	struct mregion_vm vm;
	struct device own, served;
	struct kvm_run run;
};

FIXTURE_SETUP(whose)
{
	unsigned int i;

	memset(self, 0, sizeof(*self));
	memset(&all, 0, sizeof(all));
	all.seen = 2;
	fixture_init(&all.machine);
	fixture_region(&all.machine, 1, MREGION_MMIO, 64, &device_ops,
		       &self->own);
	all.region = fixture_region(&all.machine, 2, MREGION_MMIO, 64,
				    &device_ops, &self->served);
	for (i = 0; i < 2; i++)
		all.servers[i].machine = &all.machine;
	all.servers[0].next = &all.servers[1];
	atomic_store(&all.machine.servers, &all.servers[0]);
	atomic_store(&all.region->server, &all.servers[0]);
	fixture_space(&all.machine, &all.space, MREGION_BUS_MEMORY, after, 1);
	self->vm.machine = &all.machine;
	self->vm.progress = calloc(MREGION_NO_VCPU,
				   sizeof(struct mregion_progress));
	self->vm.memory = &all.space;
	fixture_ioctl = kernel;
}

FIXTURE_TEARDOWN(whose)
{
	fixture_space_destroy(&all.space);
	free(self->vm.progress);
	fixture_destroy(&all.machine);
}

static int read_by_vcpu(struct mregion_vm *vm, struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = ADDR;
	run->mmio.len = 4;
	run->mmio.is_write = 0;
	return mregion_vm_exit(vm, 0, run);
}

static int read_by_device(struct kvm_run *run)
{
	return mregion_space_read(&all.space, ADDR, run->mmio.data, 4, NULL);
}

/*
 * The kernel has seen the VMM's own region there; by the time that the library
 * looks, a commit has put a server's in its place.
 */
TEST_F(whose, replaced)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		all.asked = 0;
		all.seen = 1;
		all.change = commit_ends;
		commit_begins();
		self->vm.progress[0].commits = atomic_load(&all.machine.commits);
		EXPECT_EQ(0, i ? read_by_device(&self->run) :
				 read_by_vcpu(&self->vm, &self->run));
		EXPECT_EQ(2, all.asked);
		EXPECT_EQ(0xaa, self->run.mmio.data[0]);
	}
	EXPECT_EQ(0, self->served.reads + self->own.reads);
}

static void bind_to_other(void)
{
	commit_begins();
	atomic_store(&all.region->server, &all.servers[1]);
	commit_ends();
}

/* A server has died, and another one has followed it. */
TEST_F(whose, followed)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		all.asked = 0;
		all.change = bind_to_other;
		atomic_store(&all.region->server, &all.servers[0]);
		self->vm.progress[0].commits = atomic_load(&all.machine.commits);
		EXPECT_EQ(0, i ? read_by_device(&self->run) :
				 read_by_vcpu(&self->vm, &self->run));
		EXPECT_EQ(2, all.asked);
		EXPECT_EQ(0xaa, self->run.mmio.data[0]);
	}
	EXPECT_EQ(0, self->served.reads);
}

static void come_and_go(void)
{
	commit_begins();
	commit_ends();
	commit_begins();
	commit_ends();
}

/* The kernel has seen another region there, which has gone again. */
TEST_F(whose, came_and_went)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		all.asked = 0;
		all.change = come_and_go;
		self->vm.progress[0].commits = atomic_load(&all.machine.commits);
		EXPECT_EQ(0, i ? read_by_device(&self->run) :
				 read_by_vcpu(&self->vm, &self->run));
		EXPECT_EQ(2, all.asked);
	}
	EXPECT_EQ(0, self->served.reads);
}

static void change_nothing(void)
{
}

/* What a server's region is left with, without a change, is the VMM's. */
TEST_F(whose, left)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		all.asked = 0;
		all.change = change_nothing;
		self->vm.progress[0].commits = atomic_load(&all.machine.commits);
		EXPECT_EQ(0, i ? read_by_device(&self->run) :
				 read_by_vcpu(&self->vm, &self->run));
		EXPECT_EQ(1, all.asked);
		EXPECT_EQ(0x55, self->run.mmio.data[0]);
	}
	EXPECT_EQ(2, self->served.reads);
}

TEST_HARNESS_MAIN
