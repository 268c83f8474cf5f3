// SPDX-License-Identifier: GPL-2.0
/* Registers that a read-only region or alias shows, as the kernel has them. */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "server_in_vmm.h"
#include "vm.h"

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return 0x5a;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	unsigned int *writes = opaque;

	(void)offset;
	(void)data;
	(void)len;
	(*writes)++;
}

#define OPS(policy) { \
	.read = device_read, .write = device_write, \
	.constraints = { .refused = policy } }

static const struct mregion_ops quiet = OPS(MREGION_POLICY_DEFAULT);
static const struct mregion_ops strict = OPS(MREGION_POLICY_ERROR);

static const struct shown {
	const char *what;
	uint32_t kind;
	const struct mregion_ops *ops;
	int ret;
} shown[] = {
	{ "MMIO", MREGION_MMIO, &quiet, 0 },
	{ "MMIO, an error", MREGION_MMIO, &strict, -EFAULT },
	{ "ROM device", MREGION_ROMD, &quiet, 0 },
	{ "ROM device, an error", MREGION_ROMD, &strict, -EFAULT },
	{ "RAM device", MREGION_RAMDEV, &quiet, 0 },
	{ "RAM device, an error", MREGION_RAMDEV, &strict, -EFAULT },
};

#define AT(i)	(0x1000ULL * ((i) + 1))

FIXTURE(readonly)
{
	struct mregion_machine machine;
	struct mregion_space space;
	struct mregion_vm vm;
	struct kvm_run run;
	unsigned int writes;
};

FIXTURE_SETUP(readonly)
{
	struct mregion_range ranges[ARRAY_SIZE(shown)];
	unsigned int i;

	memset(self, 0, sizeof(*self));
	fixture_init(&self->machine);
	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		fixture_region(&self->machine, i + 1, shown[i].kind, 64,
			       shown[i].ops, &self->writes);
		ranges[i] = (struct mregion_range){
			.start = AT(i),
			.last = AT(i) + 63,
			.region = i + 1,
			.kind = shown[i].kind,
			.flags = MREGION_RANGE_READONLY,
		};
	}
	fixture_space(&self->machine, &self->space, MREGION_BUS_MEMORY, ranges,
		      ARRAY_SIZE(ranges));
	self->vm.machine = &self->machine;
	self->vm.progress = calloc(MREGION_NO_VCPU,
				   sizeof(struct mregion_progress));
	self->vm.memory = &self->space;
}

FIXTURE_TEARDOWN(readonly)
{
	fixture_space_destroy(&self->space);
	free(self->vm.progress);
	fixture_destroy(&self->machine);
}

static int access_by_vcpu(struct mregion_vm *vm, struct kvm_run *run,
			  uint64_t addr, bool write)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = addr;
	run->mmio.len = 4;
	run->mmio.is_write = write;
	return mregion_vm_exit(vm, 0, run);
}

TEST_F(readonly, vcpu)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		EXPECT_EQ(shown[i].ret, access_by_vcpu(&self->vm, &self->run,
						       AT(i), true))
			TH_LOG("%s", shown[i].what);
		EXPECT_EQ(0, access_by_vcpu(&self->vm, &self->run, AT(i),
					    false));
		EXPECT_EQ(0x5a, self->run.mmio.data[0]);
	}
	EXPECT_EQ(0, self->writes);
}

TEST_F(readonly, dma)
{
	uint8_t buf[4] = { 0 };
	unsigned int i;
	size_t done;

	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		EXPECT_EQ(-EROFS, mregion_space_write(&self->space, AT(i), buf,
						      4, &done))
			TH_LOG("%s", shown[i].what);
		EXPECT_EQ(0, done);
		EXPECT_EQ(0, mregion_space_read(&self->space, AT(i), buf, 4,
						&done));
		EXPECT_EQ(4, done);
	}
	EXPECT_EQ(0, self->writes);
}

static unsigned int nr_asked;

static int ask(unsigned long request, void *arg)
{
	(void)request;
	(void)arg;
	nr_asked++;
	return -ENOTTY;
}

/* No server gets to see them either, so there is none to ask. */
TEST_F(readonly, served)
{
	struct mregion_server server = { .machine = &self->machine };
	struct mregion_region *region;
	uint8_t buf[4] = { 0 };

	nr_asked = 0;
	fixture_ioctl = ask;
	region = mregion_table_get(&self->machine.regions, 1);
	atomic_store(&region->server, &server);
	mregion_region_put(region);
	EXPECT_EQ(0, access_by_vcpu(&self->vm, &self->run, AT(0), true));
	EXPECT_EQ(-EROFS, mregion_space_write(&self->space, AT(0), buf, 4,
					      NULL));
	EXPECT_EQ(0, nr_asked);
	EXPECT_NE(0, access_by_vcpu(&self->vm, &self->run, AT(0), false));
	EXPECT_EQ(1, nr_asked);
	EXPECT_EQ(0, self->writes);
}

TEST_HARNESS_MAIN
