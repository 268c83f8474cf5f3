// SPDX-License-Identifier: GPL-2.0
/* MREGION_ATTACH and MREGION_DETACH: to what, by whom, and beside whom. */
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kvm_util.h"

#define SPACE		1
#define PIO		2
#define RING		1
#define DEVICE		3
#define BASE		0x10000000u
#define IOAPIC		0xfec00000u

FIXTURE(attach) {
	struct vm vm;
	struct mr_ring ring;
	struct vcpu *vcpu;
	int fd;
};

FIXTURE_SETUP(attach)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, vm_create(&self->vm, 1));
	self->vcpu = &self->vm.vcpus[0];
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0),
			    mr_container(2, 0x10000), mr_mmio(DEVICE, 0x1000),
			    mr_map(DEVICE, 1, BASE, 0), mr_mmio(4, 8),
			    mr_map(4, 2, 0x3f8, 0),
			    mr_rule_add(DEVICE, RING, 0, 0),
			    mr_rule_add(4, RING, 0, 0), mr_space(SPACE, 1),
			    mr_pio_space(PIO, 2)));
}

FIXTURE_TEARDOWN(attach)
{
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	vm_free(&self->vm);
	close(self->fd);
}

#define EXPECT_ATTACH(_err, _vm, _memory, _pio) \
	EXPECT_EQ(-(_err), mr_attach(self->fd, _vm, _memory, _pio, NULL))

/* How the guest's write of 4 bytes ends: by HLT, when it was coalesced. */
static int guest_write(struct vcpu *vcpu, uint64_t addr)
{
	if (GUEST_RUN(vcpu, mmio_write4, .addr = addr, .number = 0x77))
		return -1;
	return vcpu_run(vcpu);
}

/* The same for a byte to a port. */
static int guest_out(struct vcpu *vcpu, uint16_t port)
{
	if (GUEST_RUN(vcpu, pio_write1, .port = port, .number = 0x77))
		return -1;
	return vcpu_run(vcpu);
}

#define EXPECT_OUT(reason, vcpu, port) do {				\
	if (VM_HAS_PORTS)						\
		EXPECT_EQ(reason, guest_out(vcpu, port));		\
} while (0)

TEST_F(attach, not_a_virtual_machine)
{
	char path[] = "/tmp/kvm-vmXXXXXX";
	int fd, fds[2], stats, irqs;

	EXPECT_ATTACH(EBADF, -1, SPACE, PIO);
	EXPECT_ATTACH(EBADF, 1000, SPACE, PIO);
	EXPECT_ATTACH(EINVAL, self->vm.kvm, SPACE, PIO);
	EXPECT_ATTACH(EINVAL, self->vcpu->fd, SPACE, PIO);
	EXPECT_ATTACH(EINVAL, self->fd, SPACE, PIO);
	EXPECT_ATTACH(EINVAL, self->ring.fd, SPACE, PIO);
	fd = open("/dev/null", O_RDWR);
	EXPECT_ATTACH(EINVAL, fd, SPACE, PIO);
	close(fd);
	fd = open("/", O_RDONLY | O_DIRECTORY);
	EXPECT_ATTACH(EINVAL, fd, SPACE, PIO);
	close(fd);
	fd = eventfd(0, 0);
	EXPECT_ATTACH(EINVAL, fd, SPACE, PIO);
	close(fd);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_ATTACH(EINVAL, fds[0], SPACE, PIO);
	close(fds[0]);
	close(fds[1]);
	stats = ioctl(self->vm.fd, KVM_GET_STATS_FD, NULL);
	if (stats >= 0) {
		EXPECT_ATTACH(EINVAL, stats, SPACE, PIO);
		close(stats);
	}
	fd = open("/", O_PATH);
	EXPECT_ATTACH(EBADF, fd, SPACE, PIO);
	close(fd);

	/* Files that are named as KVM names its own. */
	fd = memfd_create("kvm-vm", MFD_CLOEXEC);
	EXPECT_ATTACH(EINVAL, fd, SPACE, PIO);
	close(fd);
	ASSERT_NE(NULL, mkdtemp(path));
	irqs = open(path, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, irqs);
	fd = openat(irqs, "kvm-vm", O_CREAT | O_RDWR, 0600);
	ASSERT_LE(0, fd);
	EXPECT_ATTACH(EINVAL, fd, SPACE, PIO);
	close(fd);
	fd = openat(irqs, "kvm-vm", O_RDONLY);
	EXPECT_ATTACH(EINVAL, fd, SPACE, PIO);
	close(fd);
	unlinkat(irqs, "kvm-vm", 0);
	close(irqs);
	rmdir(path);
	/* None of it made an attachment. */
	EXPECT_ATTACH(0, self->vm.fd, SPACE, PIO);
}

TEST_F(attach, spaces)
{
	struct mregion_attach attach = {
		.size = sizeof(attach), .vm_fd = self->vm.fd, .memory = SPACE,
	};

	EXPECT_ATTACH(EINVAL, self->vm.fd, 0, 0);
	EXPECT_ATTACH(EINVAL, self->vm.fd, PIO, 0);
	EXPECT_ATTACH(EINVAL, self->vm.fd, 0, SPACE);
	EXPECT_ATTACH(EINVAL, self->vm.fd, PIO, SPACE);
	EXPECT_ATTACH(ENOENT, self->vm.fd, 99, 0);
	EXPECT_ATTACH(ENOENT, self->vm.fd, 0, 99);
	EXPECT_ATTACH(ENOENT, self->vm.fd, SPACE, 99);
	attach.flags = 1;
	EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->fd, MREGION_ATTACH, &attach));
	attach.flags = 0;
	/* Of vCPUs in SMM there is more in smm.c. */
	attach.smm = 99;
	EXPECT_EQ(VM_HAS_SMM ? -ENOENT : -EOPNOTSUPP,
		  mr_ioctl(self->fd, MREGION_ATTACH, &attach));
	attach.smm = PIO;
	EXPECT_EQ(VM_HAS_SMM ? -EINVAL : -EOPNOTSUPP,
		  mr_ioctl(self->fd, MREGION_ATTACH, &attach));
	attach.memory = 0;
	attach.smm = SPACE;
	EXPECT_EQ(VM_HAS_SMM ? -EINVAL : -EOPNOTSUPP,
		  mr_ioctl(self->fd, MREGION_ATTACH, &attach));
	/* It exits all the while. */
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, BASE));
}

TEST_F(attach, memory_or_ports_alone)
{
	struct mregion_attach result;

	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, 0, &result));
	EXPECT_EQ(1, result.nr_windows);
	EXPECT_EQ(0, result.nr_conflicts);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE));
	EXPECT_OUT(KVM_EXIT_IO, self->vcpu, 0x3f8);
	EXPECT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, 0, PIO, &result));
	EXPECT_EQ(1, result.nr_windows);
	EXPECT_OUT(VCPU_ENDED, self->vcpu, 0x3f8);
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, BASE));
}

TEST_F(attach, only_once)
{
	EXPECT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, 0, NULL));
	EXPECT_ATTACH(EEXIST, self->vm.fd, SPACE, 0);
	EXPECT_ATTACH(EEXIST, self->vm.fd, 0, PIO);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE));
}

TEST_F(attach, detach)
{
	int i;

	EXPECT_EQ(-ENOENT, mr_detach(self->fd, self->vm.fd));
	EXPECT_EQ(-EBADF, mr_detach(self->fd, -1));
	EXPECT_EQ(-EBADF, mr_detach(self->fd, 1000));
	EXPECT_NE(0, mr_detach(self->fd, self->fd));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO,
				       NULL));
		ASSERT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE));
		ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
		ASSERT_EQ(-ENOENT, mr_detach(self->fd, self->vm.fd));
		ASSERT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, BASE));
		ASSERT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
		self->ring.header->consumer = self->ring.header->producer;
	}
}

/* Another descriptor of the same virtual machine is the same. */
TEST_F(attach, duplicate_descriptor)
{
	int fd = dup(self->vm.fd);

	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_ATTACH(EEXIST, fd, SPACE, PIO);
	EXPECT_EQ(0, mr_detach(self->fd, fd));
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, BASE));
	close(fd);
}

TEST_F(attach, of_another_process)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		int own = mr_open();

		/* Not with the parent's machine, nor with its own. */
		if (mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL) !=
		    -EPERM)
			_exit(1);
		if (COMMIT(own, mr_container(1, 0), mr_space(SPACE, 1)))
			_exit(2);
		if (mr_attach(own, self->vm.fd, SPACE, 0, NULL) != -EPERM)
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, BASE));
}

TEST_F(attach, space_in_use)
{
	struct mregion_space_info info;

	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_space_free(SPACE)));
	EXPECT_EQ(-EBUSY, COMMIT(self->fd, mr_space_free(PIO)));
	ASSERT_EQ(2, mr_spaces(self->fd, 0, &info, 1));
	EXPECT_EQ(1, info.nr_vms);
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	ASSERT_EQ(2, mr_spaces(self->fd, 0, &info, 1));
	EXPECT_EQ(0, info.nr_vms);
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE),
			    mr_space_free(PIO)));
}

/* A virtual machine that is gone keeps nothing of the machine's. */
TEST_F(attach, virtual_machine_goes_first)
{
	struct mregion_space_info info;

	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	vm_free(&self->vm);
	ASSERT_EQ(2, mr_spaces(self->fd, 0, &info, 1));
	EXPECT_EQ(0, info.nr_vms);
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_move(DEVICE, 2 * BASE)));
	EXPECT_EQ(0, COMMIT(self->fd, mr_space_free(PIO)));
}

/* One machine, two virtual machines: each has what its spaces say. */
TEST_F(attach, two_virtual_machines)
{
	struct mregion_space_info info;
	struct vm other;

	ASSERT_EQ(0, vm_create(&other, 1));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(5, 0), mr_mmio(6, 0x100),
			    mr_map(6, 5, 2 * BASE, 0),
			    mr_rule_add(6, RING, 0, 0), mr_space(5, 5)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, mr_attach(self->fd, other.fd, 5, PIO, NULL));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE));
	EXPECT_EQ(VCPU_ENDED, guest_write(&other.vcpus[0], 2 * BASE));
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(&other.vcpus[0], BASE));
	EXPECT_EQ(VCPU_ENDED, vcpu_run(&other.vcpus[0]));
	EXPECT_OUT(VCPU_ENDED, &other.vcpus[0], 0x3f8);
	ASSERT_EQ(3, mr_spaces(self->fd, 2, &info, 1) + 1);
	EXPECT_EQ(2, info.nr_vms);
	vm_free(&other);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE));
}

/* Two machines at one virtual machine: the second leaves out what is taken. */
TEST_F(attach, two_machines)
{
	struct mregion_attach result;
	int other = mr_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, COMMIT(other, mr_container(1, 0), mr_mmio(2, 0x1000),
			    mr_map(2, 1, BASE + 0x800, 0), mr_space(1, 1)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, 0, NULL));
	ASSERT_EQ(0, mr_attach(other, self->vm.fd, 1, 0, &result));
	EXPECT_LE(1, result.nr_conflicts);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x800));
	close(other);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x800));
}

/* A region that is mapped later is claimed when it is. */
TEST_F(attach, mapped_later)
{
	uint64_t addr;

	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 0x100),
			    mr_rule_add(5, RING, 0, 0)));
	for (addr = BASE / 2; addr < 0xe0000000; addr += 0x13000000) {
		ASSERT_EQ(0, COMMIT(self->fd, mr_map(5, 1, addr, 0)));
		EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, addr + 0xfc));
		ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(5)));
		EXPECT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, addr + 0xfc));
		EXPECT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
		self->ring.header->consumer = self->ring.header->producer;
	}
}

/* RAM in the middle of registers, and registers in the middle of RAM. */
TEST_F(attach, windows_around_ram)
{
	void *memory = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 0x100000),
			    mr_rule_add(5, RING, 0, 0), mr_ram(6, 0x10000),
			    mr_map(5, 1, 2 * BASE, 0),
			    mr_map(6, 1, 2 * BASE + 0x20000, 1)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, vm_memslot(&self->vm, 1, 2 * BASE + 0x20000, 0x10000,
				memory));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, 2 * BASE + 0x1fffc));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, 2 * BASE + 0x20000));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, 2 * BASE + 0x30000));
	EXPECT_EQ(2, mr_ring_waiting(&self->ring));
	EXPECT_EQ(0x77, *(volatile uint32_t *)memory);
	munmap(memory, 0x10000);
}

/* How much of the views is not claimed. */
static uint64_t unclaimed(int fd)
{
	struct mregion_stats stats;

	return mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats) ?
	       ~0ull : stats.unclaimed;
}

/* Each window is in a unit of 1 GiB; the device is in the first one. */
TEST_F(attach, as_many_windows_as_there_may_be)
{
	struct mregion_info info;
	struct mregion_op *ops;
	uint32_t i, nr = 0;
	uint64_t unit;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ops = calloc(info.max_windows, 3 * sizeof(*ops));
	ASSERT_NE(NULL, ops);
	EXPECT_ATTACH(0, self->vm.fd, SPACE, PIO);
	for (i = 1; i < info.max_windows; i++) {
		unit = (uint64_t)i << 30;
		ops[nr++] = mr_mmio(100 + i, 0x1000);
		ops[nr++] = mr_map(100 + i, 1, unit, 0);
		ops[nr++] = mr_rule_add(100 + i, RING, 0, 0);
	}
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr));
	free(ops);
	EXPECT_EQ(0, unclaimed(self->fd));
	unit = (uint64_t)i << 30;
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(100 + i, 0x1000),
			    mr_map(100 + i, 1, unit, 0),
			    mr_rule_add(100 + i, RING, 0, 0)));
	EXPECT_EQ(1, unclaimed(self->fd));
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(100 + i)));
	EXPECT_EQ(0, unclaimed(self->fd));
	ASSERT_EQ(0, COMMIT(self->fd, mr_map(100 + i, 1, unit, 0)));
	EXPECT_EQ(1, unclaimed(self->fd));
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(101)));
	EXPECT_EQ(0, unclaimed(self->fd));
}

/* KVM's interrupt controller keeps its addresses, and it is told. */
TEST_F(attach, beside_the_irqchip)
{
	struct mregion_attach result;
	struct vm vm;

	if (!VM_HAS_IOAPIC)
		SKIP(return, NO_IOAPIC);
	ASSERT_EQ(0, vm_create(&vm, 0));
	ASSERT_EQ(0, mr_ioctl(vm.fd, KVM_CREATE_IRQCHIP, NULL));
	ASSERT_EQ(0, vm_add_vcpu(&vm));
	/* Registers on both sides of the I/O APIC's, and over them. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 0x3000),
			    mr_map(5, 1, IOAPIC - 0x1000, 0),
			    mr_rule_add(5, RING, 0, 0)));
	/* The ports of its other parts are in nobody's way. */
	ASSERT_EQ(0, mr_attach(self->fd, vm.fd, SPACE, PIO, &result));
	EXPECT_EQ(1, result.nr_conflicts);

	/* IOREGSEL: what is written there can be read again, without us. */
	ASSERT_EQ(0, GUEST_RUN(&vm.vcpus[0], mmio_write4_leave, .addr = IOAPIC,
			       .number = 5));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(&vm.vcpus[0]));
	ASSERT_EQ(0, GUEST_RUN(&vm.vcpus[0], mmio_read4_leave, .addr = IOAPIC));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(&vm.vcpus[0]));
	EXPECT_EQ(5, vcpu_value(&vm.vcpus[0]));
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));

	ASSERT_EQ(0, GUEST_RUN(&vm.vcpus[0], mmio_write4_leave,
			       .addr = IOAPIC - 0x1000, .number = 5));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(&vm.vcpus[0]));
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
	ASSERT_EQ(0, GUEST_RUN(&vm.vcpus[0], mmio_write4_leave,
			       .addr = IOAPIC + 0x1ffc, .number = 5));
	ASSERT_EQ(VCPU_ENDED, vcpu_run(&vm.vcpus[0]));
	EXPECT_EQ(2, mr_ring_waiting(&self->ring));

	/* With a reservation there is no conflict. */
	ASSERT_EQ(0, mr_detach(self->fd, vm.fd));
	ASSERT_EQ(0, COMMIT(self->fd,
			    mr_create(6, MREGION_RESERVATION, 0x1000),
			    mr_map(6, 1, IOAPIC, 1)));
	ASSERT_EQ(0, mr_attach(self->fd, vm.fd, SPACE, PIO, &result));
	EXPECT_EQ(0, result.nr_conflicts);
	vm_free(&vm);
}

static int ioeventfd(int vm, uint64_t addr, int fd, uint32_t flags)
{
	struct kvm_ioeventfd arg = {
		.addr = addr, .len = 4, .fd = fd, .flags = flags,
	};

	return mr_ioctl(vm, KVM_IOEVENTFD, &arg);
}

/* Doorbells of KVM's own that were there before. */
TEST_F(attach, beside_an_ioeventfd)
{
	int efd = new_eventfd();
	struct mregion_attach result;

	ASSERT_EQ(0, ioeventfd(self->vm.fd, BASE + 0x80, efd, 0));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, &result));
	EXPECT_EQ(1, result.nr_conflicts);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x80));
	EXPECT_TRUE(signals(efd));
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x7c));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x84));
	EXPECT_EQ(2, mr_ring_waiting(&self->ring));
	/* Gone, it is ours after the next attachment. */
	ASSERT_EQ(0, ioeventfd(self->vm.fd, BASE + 0x80, efd,
			       KVM_IOEVENTFD_FLAG_DEASSIGN));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, &result));
	EXPECT_EQ(0, result.nr_conflicts);
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x80));
	EXPECT_EQ(3, mr_ring_waiting(&self->ring));
	close(efd);
}

/*
 * And such as come later, where no rule of ours is: they get their accesses.
 * What is beside them may exit that would not have to, but is not lost.
 */
TEST_F(attach, an_ioeventfd_later)
{
	int reason, efd = new_eventfd();
	unsigned int coalesced = 0;
	uint64_t addr;

	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_del(DEVICE, RING, 0, 0),
			    mr_rule_add(DEVICE, RING, 0, 0x80),
			    mr_rule_add(DEVICE, RING, 0x84, 0)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, ioeventfd(self->vm.fd, BASE + 0x80, efd, 0));
	for (addr = BASE; addr < BASE + 0x1000; addr += 0x40) {
		uint32_t waiting = mr_ring_waiting(&self->ring);

		reason = guest_write(self->vcpu, addr);
		if (addr == BASE + 0x80) {
			EXPECT_EQ(VCPU_ENDED, reason);
			EXPECT_TRUE(signals(efd));
			EXPECT_EQ(waiting, mr_ring_waiting(&self->ring));
		} else if (reason == KVM_EXIT_MMIO) {
			EXPECT_EQ(addr, self->vcpu->run->mmio.phys_addr);
			EXPECT_EQ(waiting, mr_ring_waiting(&self->ring));
			EXPECT_EQ(VCPU_ENDED, vcpu_run(self->vcpu));
		} else {
			EXPECT_EQ(VCPU_ENDED, reason);
			EXPECT_EQ(waiting + 1, mr_ring_waiting(&self->ring));
			coalesced++;
		}
		self->ring.header->consumer = self->ring.header->producer;
	}
	/* KVM's search goes astray on one side of it, and not on both. */
	EXPECT_LT(0, coalesced);
	/* A commit with the doorbell in the middle of things. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEVICE, BASE + 0x1000)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEVICE, BASE)));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x80));
	EXPECT_TRUE(signals(efd));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	EXPECT_EQ(VCPU_ENDED, guest_write(self->vcpu, BASE + 0x80));
	EXPECT_TRUE(signals(efd));
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(self->vcpu, BASE + 0x84));
	close(efd);
}

TEST_HARNESS_MAIN
