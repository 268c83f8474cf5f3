// SPDX-License-Identifier: GPL-2.0
/*
 * The library with a real guest: code in 16-bit mode, in memory that the
 * library made slots of, talking to devices in memory and on ports.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <mregion.h>

#define CODE	0x1000
#define DEVICE	0x20000

struct device {
	atomic_uint writes;
	unsigned int reads;
	atomic_ullong last;
	unsigned int out_of_order;
	/* Of the other device: how much it had seen at the last read. */
	struct device *before;
	unsigned int seen_before;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct device *device = opaque;

	(void)len;
	device->reads++;
	if (device->before)
		device->seen_before = device->before->writes;
	return 0xa0 + offset;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	(void)offset;
	(void)len;
	if (data != (uint16_t)(device->last + 1))
		device->out_of_order++;
	device->last = data;
	device->writes++;
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 4 },
};

FIXTURE(guest)
{
	struct mregion_machine *machine;
	struct mregion_region *root, *ports, *ram, *mmio, *port;
	struct mregion_space *memory, *pio;
	struct mregion_vm *vm;
	struct device mmio_device, port_device;
	int kvm, vm_fd, vcpu_fd;
	struct kvm_run *run;
	size_t run_size;
	unsigned int exits;
};

FIXTURE_SETUP(guest)
{
	struct mregion_attach_params params = { .first_slot = 3 };

	memset(self, 0, sizeof(*self));
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->kvm);
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	self->vm_fd = ioctl(self->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, self->vm_fd);
	self->vcpu_fd = ioctl(self->vm_fd, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, self->vcpu_fd);
	self->run_size = ioctl(self->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	self->run = mmap(NULL, self->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, self->vcpu_fd, 0);
	ASSERT_NE(MAP_FAILED, self->run);

	mregion_begin(self->machine);
	self->root = mregion_new_container(self->machine, "memory", 0);
	self->ports = mregion_new_container(self->machine, "ports", 0x10000);
	self->memory = mregion_new_space(self->machine, MREGION_BUS_MEMORY,
					 self->root, MREGION_POLICY_DEFAULT);
	self->pio = mregion_new_space(self->machine, MREGION_BUS_PIO,
				      self->ports, MREGION_POLICY_DEFAULT);
	self->ram = mregion_new_ram(self->machine, MREGION_RAM, "ram",
				    0x10000);
	self->mmio = mregion_new_mmio(self->machine, "mmio", 0x1000,
				      &device_ops, &self->mmio_device);
	self->port = mregion_new_mmio(self->machine, "port", 8, &device_ops,
				      &self->port_device);
	mregion_map(self->root, self->ram, 0, 0);
	mregion_map(self->root, self->mmio, DEVICE, 0);
	mregion_map(self->ports, self->port, 0x3f8, 0);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());

	params.vm_fd = self->vm_fd;
	params.memory = self->memory;
	params.pio = self->pio;
	params.nr_slots = 8;
	self->vm = mregion_attach(self->machine, &params);
	ASSERT_NE(NULL, self->vm)
		TH_LOG("%s", mregion_error());
}

FIXTURE_TEARDOWN(guest)
{
	mregion_machine_close(self->machine);
	if (self->run)
		munmap(self->run, self->run_size);
	close(self->vcpu_fd);
	close(self->vm_fd);
	close(self->kvm);
}

/* Of others there is nothing on the buses, until there is. */
TEST_F(guest, claims)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = DEVICE, .size = 16 };
	struct mregion_claims *claims;

	claims = mregion_vm_claims(self->vm, MREGION_BUS_PIO, 0);
	ASSERT_NE(NULL, claims)
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(1, claims->nr);
	EXPECT_EQ(1, claims->nr_windows);
	EXPECT_EQ(0xffff, claims->claims[0].last);
	free(claims);
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	claims = mregion_vm_claims(self->vm, MREGION_BUS_MEMORY,
				   MREGION_CLAIMS_RENEW);
	ASSERT_NE(NULL, claims)
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(1, claims->nr_conflicts);
	EXPECT_EQ(0, claims->nr_unclaimed);
	ASSERT_EQ(claims->nr, claims->nr_windows + 1);
	EXPECT_EQ(DEVICE, claims->claims[claims->nr - 1].start);
	EXPECT_EQ(self->mmio, mregion_region_by_id(self->machine,
			claims->claims[claims->nr - 1].region));
	free(claims);
	errno = 0;
	EXPECT_EQ(NULL, mregion_vm_claims(self->vm, 7, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NE(NULL, strstr(mregion_error(), "claimed"));
}

/* Start at CODE, with DS and ES at the device. */
static int start(FIXTURE_DATA(guest) *self, const void *code, size_t len)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = 0x8000 };

	memcpy((char *)mregion_ram_ptr(self->ram) + CODE, code, len);
	if (ioctl(self->vcpu_fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = DEVICE;
	sregs.ds.selector = DEVICE >> 4;
	sregs.es = sregs.ds;
	if (ioctl(self->vcpu_fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(self->vcpu_fd, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

/* Until it halts. Return: 0, an errno, or an exit that the library left. */
static int run_guest(FIXTURE_DATA(guest) *self)
{
	int ret;

	for (;;) {
		if (ioctl(self->vcpu_fd, KVM_RUN, 0) && errno != EINTR)
			return -errno;
		if (self->run->exit_reason == KVM_EXIT_HLT)
			return 0;
		self->exits++;
		ret = mregion_vm_exit(self->vm, 0, self->run);
		if (ret)
			return ret < 0 ? ret : (int)self->run->exit_reason;
	}
}

#define RUN(...) ({ \
	static const uint8_t code[] = { __VA_ARGS__ }; \
	int ret = start(self, code, sizeof(code)); \
	ret ? ret : run_guest(self); \
})

static uint64_t guest_rax(FIXTURE_DATA(guest) *self)
{
	struct kvm_regs regs = { 0 };

	ioctl(self->vcpu_fd, KVM_GET_REGS, &regs);
	return regs.rax;
}

TEST_F(guest, exits)
{
	ASSERT_EQ(0, RUN(
		0xb8, 0x01, 0x00,		/* mov $1, %ax */
		0xa3, 0x10, 0x00,		/* mov %ax, 0x10 */
		0xa1, 0x20, 0x00,		/* mov 0x20, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(1, self->mmio_device.writes);
	EXPECT_EQ(1, self->mmio_device.last);
	EXPECT_EQ(1, self->mmio_device.reads);
	EXPECT_EQ(0xc0, guest_rax(self) & 0xffff);
	EXPECT_EQ(2, self->exits);

	/* Nothing there: all-ones. */
	ASSERT_EQ(0, RUN(
		0xa1, 0x00, 0x20,		/* mov 0x2000, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(0xffff, guest_rax(self) & 0xffff);
}

TEST_F(guest, ports)
{
	ASSERT_EQ(0, RUN(
		0xba, 0xf8, 0x03,		/* mov $0x3f8, %dx */
		0xb8, 0x01, 0x00,		/* mov $1, %ax */
		0xef,				/* out %ax, %dx */
		0x42, 0x42,			/* inc %dx twice */
		0xed,				/* in %dx, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(1, self->port_device.writes);
	EXPECT_EQ(0xa2, guest_rax(self) & 0xffff);
}

TEST_F(guest, string_io)
{
	static const uint16_t numbers[] = { 1, 2, 3, 4, 5 };

	memcpy((char *)mregion_ram_ptr(self->ram) + 0x3000, numbers,
	       sizeof(numbers));
	ASSERT_EQ(0, RUN(
		0x31, 0xc0,			/* xor %ax, %ax */
		0x8e, 0xd8,			/* mov %ax, %ds */
		0xbe, 0x00, 0x30,		/* mov $0x3000, %si */
		0xb9, 0x05, 0x00,		/* mov $5, %cx */
		0xba, 0xf8, 0x03,		/* mov $0x3f8, %dx */
		0xf3, 0x6f,			/* rep outsw */
		0xf4));				/* hlt */
	EXPECT_EQ(5, self->port_device.writes);
	EXPECT_EQ(5, self->port_device.last);
	EXPECT_EQ(0, self->port_device.out_of_order);
}

/* A KVM_RUN that a signal ends leaves the last exit behind: it is not done again. */
TEST_F(guest, stale_exit)
{
	static const uint8_t code[] = {
		0xb8, 0x01, 0x00,		/* mov $1, %ax */
		0xa3, 0x10, 0x00,		/* mov %ax, 0x10 */
		0xa3, 0x10, 0x00,		/* mov %ax, 0x10 */
		0xba, 0xf8, 0x03,		/* mov $0x3f8, %dx */
		0xef,				/* out %ax, %dx */
		0xf4,				/* hlt */
	};

	ASSERT_EQ(0, start(self, code, sizeof(code)));
	ASSERT_EQ(0, ioctl(self->vcpu_fd, KVM_RUN, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, self->run->exit_reason);
	EXPECT_EQ(0, mregion_vm_exit(self->vm, 0, self->run));
	EXPECT_EQ(1, self->mmio_device.writes);
	self->run->immediate_exit = 1;
	EXPECT_EQ(-1, ioctl(self->vcpu_fd, KVM_RUN, 0));
	EXPECT_EQ(EINTR, errno);
	EXPECT_LE(0, mregion_vm_exit(self->vm, 0, self->run));
	EXPECT_EQ(1, self->mmio_device.writes);
	self->run->immediate_exit = 0;

	/* The next one is the same, and another. */
	ASSERT_EQ(0, ioctl(self->vcpu_fd, KVM_RUN, 0));
	ASSERT_EQ(KVM_EXIT_MMIO, self->run->exit_reason);
	EXPECT_EQ(0, mregion_vm_exit(self->vm, 0, self->run));
	EXPECT_EQ(2, self->mmio_device.writes);
	ASSERT_EQ(0, ioctl(self->vcpu_fd, KVM_RUN, 0));
	ASSERT_EQ(KVM_EXIT_IO, self->run->exit_reason);
	EXPECT_EQ(0, mregion_vm_exit(self->vm, 0, self->run));
	EXPECT_EQ(0, mregion_vm_exit(self->vm, 0, self->run));
	EXPECT_EQ(1, self->port_device.writes);
	EXPECT_EQ(0, run_guest(self));
}

/* An exit that no guest has made, as where no window could be claimed. */
union exit {
	struct kvm_run run;
	uint8_t page[8192];
};

static int exit_mmio(FIXTURE_DATA(guest) *self, union exit *exit, uint64_t addr,
		     unsigned int len, bool write)
{
	exit->run.exit_reason = KVM_EXIT_MMIO;
	exit->run.mmio.phys_addr = addr;
	exit->run.mmio.len = len;
	exit->run.mmio.is_write = write;
	return mregion_vm_exit(self->vm, 0, &exit->run);
}

static int exit_io(FIXTURE_DATA(guest) *self, union exit *exit, uint16_t port,
		   unsigned int size, bool write)
{
	exit->run.exit_reason = KVM_EXIT_IO;
	exit->run.io.port = port;
	exit->run.io.size = size;
	exit->run.io.count = 1;
	exit->run.io.direction = write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	exit->run.io.data_offset = 4096;
	return mregion_vm_exit(self->vm, 0, &exit->run);
}

static const struct mregion_ops halves_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 2, .impl_max = 2 },
};

static const struct mregion_ops bytes_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 4, .impl_max = 1 },
};

/* One access to what a rule is for and to what it is not. */
TEST_F(guest, rule_beside_register)
{
	int efd = eventfd(0, EFD_NONBLOCK);
	struct mregion_doorbell bell = {
		.offset = 0x10, .len = 2, .eventfd = efd,
		.shadow_offset = 0x10,
	};
	struct device device = { 0 }, port = { 0 };
	struct mregion_region *region, *bytes;
	struct mregion_shadow *shadow;
	eventfd_t count = 0;
	union exit exit = { 0 };
	uint8_t *memory;

	ASSERT_LE(0, efd);
	shadow = mregion_new_shadow(self->machine, 4096);
	ASSERT_NE(NULL, shadow);
	memory = mregion_shadow_ptr(shadow);
	memory[0x45] = 0x60;
	bell.shadow = shadow;
	mregion_begin(self->machine);
	region = mregion_new_mmio(self->machine, "halves", 0x100, &halves_ops,
				  &device);
	bytes = mregion_new_mmio(self->machine, "bytes", 8, &bytes_ops, &port);
	mregion_map(self->root, region, DEVICE + 0x1000, 0);
	mregion_map(self->ports, bytes, 0x60, 0);
	mregion_add_doorbell(region, &bell);
	mregion_add_shadow(bytes, 5, 1, shadow, 0x45, MREGION_RULE_READ, -1);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());

	ASSERT_EQ(0, RUN(
		0x66, 0xb8, 9, 0, 1, 0,		/* mov $0x10009, %eax */
		0x66, 0xa3, 0x10, 0x10,		/* mov %eax, 0x1010 */
		0xba, 0x65, 0x00,		/* mov $0x65, %dx */
		0xed,				/* in %dx, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(0, eventfd_read(efd, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(9, memory[0x10]);
	EXPECT_EQ(1, device.writes);
	EXPECT_EQ(1, device.last);
	EXPECT_EQ(0xa660, guest_rax(self) & 0xffff);
	EXPECT_EQ(1, port.reads);
	EXPECT_EQ(2, self->exits);

	/* And where all of it exits. */
	memcpy(exit.run.mmio.data, "\7\0\2\0", 4);
	EXPECT_EQ(0, exit_mmio(self, &exit, DEVICE + 0x1010, 4, true));
	EXPECT_EQ(0, eventfd_read(efd, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(7, memory[0x10]);
	EXPECT_EQ(2, device.writes);
	EXPECT_EQ(2, device.last);
	EXPECT_EQ(0, exit_mmio(self, &exit, DEVICE + 0x1010, 2, true));
	EXPECT_EQ(0, eventfd_read(efd, &count));
	EXPECT_EQ(2, device.writes);
	EXPECT_EQ(0, exit_io(self, &exit, 0x65, 1, false));
	EXPECT_EQ(0x60, exit.page[4096]);
	EXPECT_EQ(1, port.reads);
	EXPECT_EQ(0, exit_io(self, &exit, 0x64, 2, false));
	EXPECT_EQ(0, memcmp(exit.page + 4096, "\xa4\x60", 2));
	close(efd);
}

/* What is read-only takes nothing; what is behind it takes the rest. */
TEST_F(guest, readonly_straddle)
{
	struct device hidden = { 0 }, port = { 0 }, behind = { 0 };
	struct mregion_region *a, *alias, *b, *m, *n;
	union exit exit = { 0 };
	uint8_t data[4] = { 0 };
	size_t done;

	mregion_begin(self->machine);
	a = mregion_new_mmio(self->machine, "a", 1, &bytes_ops, &hidden);
	alias = mregion_new_alias(self->machine, "a, read-only", a, 0, 1);
	mregion_set_readonly(alias, true);
	mregion_map(self->ports, alias, 0x60, 0);
	b = mregion_new_mmio(self->machine, "b", 1, &bytes_ops, &port);
	mregion_map(self->ports, b, 0x61, 0);
	m = mregion_new_mmio(self->machine, "m", 0x102, &halves_ops, &hidden);
	mregion_set_readonly(m, true);
	mregion_map(self->root, m, DEVICE + 0x2000, 0);
	n = mregion_new_mmio(self->machine, "n", 2, &halves_ops, &behind);
	mregion_map(self->root, n, DEVICE + 0x2102, 0);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());

	ASSERT_EQ(0, RUN(
		0xba, 0x60, 0x00,		/* mov $0x60, %dx */
		0xb8, 0x11, 0x01,		/* mov $0x111, %ax */
		0xef,				/* out %ax, %dx */
		0x66, 0xb8, 9, 0, 1, 0,		/* mov $0x10009, %eax */
		0x66, 0xa3, 0x00, 0x21,		/* mov %eax, 0x2100 */
		0xf4));				/* hlt */
	EXPECT_EQ(1, port.writes);
	EXPECT_EQ(1, port.last);
	EXPECT_EQ(1, behind.writes);
	EXPECT_EQ(1, behind.last);

	memcpy(exit.page + 4096, "\x11\2", 2);
	EXPECT_EQ(0, exit_io(self, &exit, 0x60, 2, true));
	EXPECT_EQ(2, port.writes);
	EXPECT_EQ(2, port.last);
	memcpy(exit.run.mmio.data, "\x11\x22\2\0", 4);
	EXPECT_EQ(0, exit_mmio(self, &exit, DEVICE + 0x2100, 4, true));
	EXPECT_EQ(2, behind.writes);
	EXPECT_EQ(2, behind.last);
	EXPECT_EQ(0, hidden.writes);
	/* DMA is told. */
	EXPECT_EQ(-EROFS, mregion_space_write(self->memory, DEVICE + 0x2100,
					      data, 4, &done));
	EXPECT_EQ(0, done);
	EXPECT_EQ(2, behind.writes);
}

/* 1000 coalesced writes, then a read of the other bus: it sees them all. */
static const uint8_t write_1000[] = {
	0xb9, 0xe8, 0x03,			/* mov $1000, %cx */
	0x31, 0xc0,				/* xor %ax, %ax */
	0x40,					/* 1: inc %ax */
	0xa3, 0x40, 0x00,			/* mov %ax, 0x40 */
	0xe2, 0xfa,				/* loop 1b */
	0xba, 0xf8, 0x03,			/* mov $0x3f8, %dx */
	0xec,					/* in %dx, %al */
	0xf4,					/* hlt */
};

TEST_F(guest, coalesced)
{
	struct mregion_ring *ring;

	ring = mregion_new_ring(self->machine, 2048, 0, 0);
	ASSERT_NE(NULL, ring);
	ASSERT_EQ(0, mregion_coalesce(self->mmio, 0, 0, ring));
	self->port_device.before = &self->mmio_device;
	ASSERT_EQ(0, start(self, write_1000, sizeof(write_1000)));
	ASSERT_EQ(0, run_guest(self));
	EXPECT_EQ(1, self->exits);
	EXPECT_EQ(1000, self->mmio_device.writes);
	EXPECT_EQ(1000, self->port_device.seen_before);
	EXPECT_EQ(0, self->mmio_device.out_of_order);
}

static const uint8_t last_words[] = {
	0xb8, 0x01, 0x00,			/* mov $1, %ax */
	0xa3, 0x40, 0x00,			/* mov %ax, 0x40 */
	0x40,					/* inc %ax */
	0xa3, 0x40, 0x00,			/* mov %ax, 0x40 */
	0xf4,					/* hlt */
};

/* What it has written last waits in a ring when it stops for another reason. */
TEST_F(guest, last_words)
{
	struct mregion_ring *ring = mregion_new_ring(self->machine, 16, 0, 0);

	ASSERT_NE(NULL, ring);
	ASSERT_EQ(0, mregion_coalesce(self->mmio, 0, 0, ring));
	ASSERT_EQ(0, start(self, last_words, sizeof(last_words)));
	ASSERT_EQ(0, run_guest(self));
	EXPECT_EQ(0, self->exits);
	EXPECT_EQ(0, self->mmio_device.writes);
	EXPECT_EQ(1, mregion_vm_exit(self->vm, 0, self->run));
	EXPECT_EQ(2, self->mmio_device.writes);
	EXPECT_EQ(0, self->mmio_device.out_of_order);
}

TEST_F(guest, last_words_at_close)
{
	struct mregion_ring *ring = mregion_new_ring(self->machine, 16, 0, 0);

	ASSERT_NE(NULL, ring);
	ASSERT_EQ(0, mregion_coalesce(self->mmio, 0, 0, ring));
	ASSERT_EQ(0, start(self, last_words, sizeof(last_words)));
	ASSERT_EQ(0, run_guest(self));
	EXPECT_EQ(0, self->mmio_device.writes);
	mregion_machine_close(self->machine);
	self->machine = NULL;
	EXPECT_EQ(2, self->mmio_device.writes);
	EXPECT_EQ(0, self->mmio_device.out_of_order);
}

/* A device that its own function takes out of the machine. */
struct plug {
	struct mregion_machine *machine;
	struct mregion_region *region;
	bool inside;
	bool released_inside;
	unsigned int writes;
	unsigned int released;
	int ret;
};

static void plug_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct plug *plug = opaque;

	(void)offset;
	(void)data;
	(void)len;
	plug->inside = true;
	plug->writes++;
	mregion_begin(plug->machine);
	mregion_unmap(plug->region);
	mregion_free(plug->region);
	plug->ret = mregion_commit(plug->machine);
	plug->inside = false;
}

static void plug_release(void *opaque)
{
	struct plug *plug = opaque;

	plug->released++;
	plug->released_inside = plug->inside;
}

static const struct mregion_ops plug_ops = {
	.write = plug_write,
	.release = plug_release,
};

TEST_F(guest, unplugs_itself)
{
	struct plug plug = { .machine = self->machine, .ret = 1 };

	plug.region = mregion_new_mmio(self->machine, "plug", 0x1000,
				       &plug_ops, &plug);
	ASSERT_NE(NULL, plug.region);
	ASSERT_EQ(0, mregion_map(self->root, plug.region, DEVICE, 1));
	ASSERT_EQ(0, RUN(
		0xb8, 0x01, 0x00,		/* mov $1, %ax */
		0xa3, 0x10, 0x00,		/* mov %ax, 0x10 */
		0xa3, 0x10, 0x00,		/* mov %ax, 0x10 */
		0xf4));				/* hlt */
	EXPECT_EQ(0, plug.ret);
	EXPECT_EQ(1, plug.writes);
	EXPECT_EQ(1, plug.released);
	EXPECT_FALSE(plug.released_inside);
	/* The second one met what is below. */
	EXPECT_EQ(1, self->mmio_device.writes);
}

/* A flash chip in memory of the VMM's own: read there, written by a device. */
TEST_F(guest, romd_from_ptr)
{
	struct mregion_region *flash;
	uint16_t *ptr;

	ptr = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ptr);
	ptr[8] = 0x1234;
	flash = mregion_new_romd_from_ptr(self->machine, "flash", 0x1000,
					  &device_ops, &self->port_device, ptr);
	ASSERT_NE(NULL, flash)
		TH_LOG("%s", mregion_error());
	ASSERT_EQ(0, mregion_map(self->root, flash, DEVICE, 1));
	ASSERT_EQ(0, RUN(
		0xb8, 0x01, 0x00,		/* mov $1, %ax */
		0xa3, 0x20, 0x00,		/* mov %ax, 0x20 */
		0xa1, 0x10, 0x00,		/* mov 0x10, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(0x1234, guest_rax(self) & 0xffff);
	EXPECT_EQ(1, self->port_device.writes);
	EXPECT_EQ(1, self->exits);
	/* Slots are the machine's while it is mapped. */
	mregion_machine_close(self->machine);
	self->machine = NULL;
	munmap(ptr, 0x1000);
}

struct mover {
	struct mregion_machine *machine;
	struct device *device;
	struct mregion_region *window;
	struct mregion_region *ram;
	atomic_bool stop;
	atomic_uint moves;
	int ret;
};

/*
 * Moves RAM and another device about, so that memory slots come and go and the
 * views change all the time; but not before the guest has written something
 * since the last time, or it might never get on.
 */
static void *move(void *arg)
{
	struct mover *mover = arg;
	unsigned int writes = 0;
	uint64_t where;

	while (!mover->stop && !mover->ret) {
		if (mover->device->writes == writes) {
			usleep(100);
			continue;
		}
		writes = mover->device->writes;
		where = 0x100000 + (mover->moves++ & 7) * 0x10000;
		mregion_begin(mover->machine);
		mregion_move(mover->ram, where);
		mregion_move(mover->window, where + 0x8000);
		mover->ret = mregion_commit(mover->machine);
	}
	return NULL;
}

/* A small ring overflows and a thread drains it, while the map changes. */
TEST_F_TIMEOUT(guest, overflow_and_moves, 180)
{
	struct mover mover = {
		.machine = self->machine, .device = &self->mmio_device,
	};
	struct mregion_ring *ring;
	pthread_t thread;
	unsigned int i = 0;

	ring = mregion_new_ring(self->machine, 8, 4, 100);
	ASSERT_NE(NULL, ring);
	ASSERT_EQ(0, mregion_coalesce(self->mmio, 0, 0, ring));
	ASSERT_EQ(0, mregion_ring_start_thread(ring));
	mover.ram = mregion_new_ram(self->machine, MREGION_RAM, "moving",
				    0x4000);
	mover.window = mregion_new_alias(self->machine, "window", self->mmio,
					 0, 0x1000);
	ASSERT_NE(NULL, mover.window);
	ASSERT_EQ(0, mregion_map(self->root, mover.ram, 0x100000, 0));
	ASSERT_EQ(0, mregion_map(self->root, mover.window, 0x200000, 0));
	self->port_device.before = &self->mmio_device;
	ASSERT_EQ(0, pthread_create(&thread, NULL, move, &mover));
	do {
		i++;
		self->mmio_device.last = 0;
		ASSERT_EQ(0, start(self, write_1000, sizeof(write_1000)));
		ASSERT_EQ(0, run_guest(self));
		EXPECT_EQ(1000 * i, self->port_device.seen_before);
	} while (!mover.ret && (i < 10 || mover.moves <= 10));
	mover.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, mover.ret);
	EXPECT_LT(10, mover.moves);
	EXPECT_EQ(1000 * i, self->mmio_device.writes);
	EXPECT_EQ(0, self->mmio_device.out_of_order);
}

/* Memory that is no whole page has no slot, and works nevertheless. */
TEST_F(guest, small_ram)
{
	struct mregion_region *small;

	small = mregion_new_ram(self->machine, MREGION_RAM, "small", 0x100);
	ASSERT_NE(NULL, small);
	ASSERT_EQ(0, mregion_map(self->root, small, DEVICE + 0x5000, 0));
	ASSERT_EQ(0, RUN(
		0xb8, 0x34, 0x12,		/* mov $0x1234, %ax */
		0xa3, 0x08, 0x50,		/* mov %ax, 0x5008 */
		0x31, 0xc0,			/* xor %ax, %ax */
		0xa1, 0x08, 0x50,		/* mov 0x5008, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(0x1234, guest_rax(self) & 0xffff);
	EXPECT_EQ(0x1234, *(uint16_t *)((char *)mregion_ram_ptr(small) + 8));
	EXPECT_EQ(2, self->exits);
}

TEST_F(guest, rom)
{
	struct mregion_region *rom;

	rom = mregion_new_ram(self->machine, MREGION_ROM, "rom", 0x1000);
	ASSERT_NE(NULL, rom);
	*(uint16_t *)mregion_ram_ptr(rom) = 0x5678;
	ASSERT_EQ(0, mregion_map(self->root, rom, DEVICE + 0x5000, 0));
	ASSERT_EQ(0, RUN(
		0xb8, 0x34, 0x12,		/* mov $0x1234, %ax */
		0xa3, 0x00, 0x50,		/* mov %ax, 0x5000 */
		0xa1, 0x00, 0x50,		/* mov 0x5000, %ax */
		0xf4));				/* hlt */
	EXPECT_EQ(0x5678, guest_rax(self) & 0xffff);
	EXPECT_EQ(0x5678, *(uint16_t *)mregion_ram_ptr(rom));
}

/* Memory that the guest runs in goes away, and another one takes its place. */
TEST_F(guest, swap_memory)
{
	struct mregion_region *other, *old = self->ram;

	ASSERT_EQ(0, RUN(0xb8, 0x01, 0x00, 0xf4));
	EXPECT_EQ(1, guest_rax(self) & 0xffff);
	mregion_begin(self->machine);
	other = mregion_new_ram(self->machine, MREGION_RAM, "other", 0x10000);
	mregion_unmap(old);
	mregion_free(old);
	mregion_map(self->root, other, 0, 0);
	ASSERT_EQ(0, mregion_commit(self->machine));
	self->ram = other;
	ASSERT_EQ(0, RUN(0xb8, 0x02, 0x00, 0xf4));
	EXPECT_EQ(2, guest_rax(self) & 0xffff);
}

/* Each of the reasons not to attach is told from the others. */
#define NOT_ATTACHED(err, reason) do { \
	EXPECT_EQ(NULL, mregion_attach(self->machine, &params)); \
	EXPECT_EQ(err, errno); \
	EXPECT_STREQ("attach to a virtual machine: " reason " (" #err ")", \
		     mregion_error()); \
} while (0)

TEST_F(guest, mistakes)
{
	struct mregion_attach_params params = {
		.vm_fd = self->vm_fd,
		.memory = self->memory,
	};

	NOT_ATTACHED(EEXIST, "the machine is attached to it already");
	mregion_detach(self->vm);
	params.vm_fd = self->kvm;
	NOT_ATTACHED(EINVAL, "vm_fd is no virtual machine's");
	params.vm_fd = -1;
	NOT_ATTACHED(EBADF, "vm_fd is not open");
	params.vm_fd = self->vm_fd;
	params.nr_slots = 8;
	params.dirty_ring_bytes = 0x10000;
	NOT_ATTACHED(EINVAL, "pause and resume go together, and dirty rings with them");
	params.nr_slots = 0;
	params.dirty_ring_bytes = 0;
	params.pio = self->memory;
	NOT_ATTACHED(EINVAL, "the space for its ports is one of memory");
	params.pio = NULL;
	params.memory = self->pio;
	NOT_ATTACHED(EINVAL, "the space for its memory is one of ports");
	params.memory = NULL;
	NOT_ATTACHED(EINVAL,
		     "there is neither a space for its memory nor one for its ports");

	mregion_begin(self->machine);
	params.memory = mregion_new_space(self->machine, MREGION_BUS_MEMORY,
					  self->root, MREGION_POLICY_DEFAULT);
	NOT_ATTACHED(ENOENT, "a space is not committed yet");
	mregion_abort(self->machine);
}

/* Eight slots, and the first is taken: seven more ranges of memory have one each. */
TEST_F(guest, strict_slots)
{
	struct mregion_region *ram[8];
	int i;

	for (i = 0; i < 8; i++) {
		ram[i] = mregion_new_ram(self->machine, MREGION_RAM, "more",
					 0x1000);
		ASSERT_NE(NULL, ram[i]);
	}
	mregion_machine_set_strict_slots(self->machine, true);
	for (i = 0; i < 7; i++)
		ASSERT_EQ(0, mregion_map(self->root, ram[i],
					 0x100000 + 0x2000 * i, 0));
	EXPECT_EQ(-ENOSPC, mregion_map(self->root, ram[7], 0x200000, 0));
	EXPECT_EQ(-ENOSPC, mregion_vm_slots_error(self->vm));
	/* It is mapped all the same. */
	EXPECT_EQ(0, mregion_space_write(self->memory, 0x200000, "x", 1, NULL));
	EXPECT_EQ(0, mregion_unmap(ram[7]));
	mregion_machine_set_strict_slots(self->machine, false);
	EXPECT_EQ(0, mregion_map(self->root, ram[7], 0x200000, 0));
	EXPECT_EQ(-ENOSPC, mregion_vm_slots_error(self->vm));
}

TEST_F(guest, detach)
{
	struct mregion_attach_params params = {
		.vm_fd = self->vm_fd,
		.memory = self->memory,
		.nr_slots = 1,
	};
	struct mregion_region *more;

	EXPECT_EQ(NULL, mregion_attach(self->machine, &params));
	EXPECT_EQ(EEXIST, errno);
	mregion_detach(self->vm);
	more = mregion_new_ram(self->machine, MREGION_RAM, "more", 0x1000);
	ASSERT_EQ(0, mregion_map(self->root, more, 0x80000, 0));
	EXPECT_EQ(NULL, mregion_attach(self->machine, &params));
	EXPECT_EQ(ENOSPC, errno);
	params.nr_slots = MREGION_ALL_SLOTS;
	params.first_slot = 1 << 20;
	EXPECT_EQ(NULL, mregion_attach(self->machine, &params));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_STREQ("attach to a virtual machine: KVM has no memory slot 1048576 (EINVAL)",
		     mregion_error());
	params.first_slot = ioctl(self->vm_fd, KVM_CHECK_EXTENSION,
				  KVM_CAP_NR_MEMSLOTS) - 2;
	self->vm = mregion_attach(self->machine, &params);
	ASSERT_NE(NULL, self->vm)
		TH_LOG("%s", mregion_error());
	ASSERT_EQ(0, RUN(0xb8, 0x01, 0x00, 0xf4));
}

/* The pages that the guest has written, by the slots that there are. */
TEST_F(guest, dirty_log)
{
	struct mregion_slot slot;
	uint64_t bitmap = 0;
	struct kvm_dirty_log log = { .dirty_bitmap = &bitmap };

	ASSERT_EQ(0, mregion_set_log_dirty(self->ram, true));
	ASSERT_EQ(0, RUN(
		0x50,				/* push %ax */
		0xf4));				/* hlt */
	ASSERT_EQ(1, mregion_vm_slots(self->vm, &slot, 1));
	EXPECT_EQ(self->ram, slot.region);
	EXPECT_EQ(0, slot.gpa);
	EXPECT_EQ(0, slot.offset);
	EXPECT_EQ(0x10000, slot.size);
	EXPECT_EQ(3, slot.slot);
	EXPECT_EQ(KVM_MEM_LOG_DIRTY_PAGES, slot.flags);
	log.slot = slot.slot;
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_GET_DIRTY_LOG, &log));
	/* KVM takes pages for written that it lets the guest write. */
	EXPECT_EQ(1 << 7, bitmap & ~(1 << (CODE >> 12)));
	EXPECT_EQ(0, mregion_vm_slots_error(self->vm));
}

int main(int argc, char **argv)
{
	if (access("/dev/mregion", F_OK))
		ksft_exit_skip("the mregion module is not loaded\n");
	if (access("/dev/kvm", F_OK))
		ksft_exit_skip("there is no /dev/kvm\n");
	return test_harness_run(argc, argv);
}
