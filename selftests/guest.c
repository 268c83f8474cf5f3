// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose accesses take the rules of a machine, one at a time: what is
 * coalesced does not exit; what is refused is answered; what is left exits.
 */
#include <pthread.h>

#include "kselftest_harness.h"
#include "guest_util.h"

FIXTURE(guest) {
	struct guest guest;
	struct vcpu *vcpu;
	struct kvm_run *run;
	int fd;
};

FIXTURE_SETUP(guest)
{
	ASSERT_EQ(0, guest_open(&self->guest, 1, 16));
	self->vcpu = &self->guest.vm.vcpus[0];
	self->run = self->vcpu->run;
	self->fd = self->guest.fd;
}

FIXTURE_TEARDOWN(guest)
{
	guest_close(&self->guest);
}

#define EXPECT_MMIO_EXIT(_addr, _len, _is_write) do {			\
	ASSERT_EQ(KVM_EXIT_MMIO,					\
		  vcpu_run_until(self->vcpu, KVM_EXIT_MMIO));		\
	EXPECT_EQ(_addr, self->run->mmio.phys_addr);			\
	EXPECT_EQ(_len, self->run->mmio.len);				\
	EXPECT_EQ(_is_write, self->run->mmio.is_write);			\
} while (0)

#define EXPECT_IO_EXIT() \
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run_until(self->vcpu, KVM_EXIT_IO))

#define EXPECT_END() \
	ASSERT_EQ(VCPU_ENDED, vcpu_run_until(self->vcpu, VCPU_ENDED))

#define ASSERT_RUN(name, ...) \
	ASSERT_EQ(0, GUEST_RUN(self->vcpu, name, __VA_ARGS__))

/* Without a rule an exit is what it is without a machine. */
TEST_F(guest, device_exits)
{
	ASSERT_RUN(mmio_write4, .addr = MMIO_BASE + 8, .number = 0x12345678,
		   .end = 0);
	EXPECT_MMIO_EXIT(MMIO_BASE + 8, 4, 1);
	EXPECT_EQ(0x12345678, mmio_data(self->run));
	EXPECT_END();

	ASSERT_RUN(mmio_read4, .addr = MMIO_BASE + 8);
	EXPECT_MMIO_EXIT(MMIO_BASE + 8, 4, 0);
	memcpy(self->run->mmio.data, "\x11\x22\x33\x44", 4);
	EXPECT_END();
	EXPECT_EQ(0x44332211, vcpu_value(self->vcpu));
}

TEST_F(guest, port_exits)
{
	SKIP_WITHOUT_PORTS();
	ASSERT_RUN(pio_write1, .port = PIO_BASE + 1, .number = 0x42);
	EXPECT_IO_EXIT();
	EXPECT_EQ(PIO_BASE + 1, self->run->io.port);
	EXPECT_EQ(0x42, pio_data(self->run));
	EXPECT_END();

	ASSERT_RUN(pio_read1, .port = PIO_BASE + 2);
	EXPECT_IO_EXIT();
	EXPECT_EQ(KVM_EXIT_IO_IN, self->run->io.direction);
	*((uint8_t *)self->run + self->run->io.data_offset) = 0x99;
	EXPECT_END();
	EXPECT_EQ(0x99, vcpu_value(self->vcpu));
}

TEST_F(guest, coalesced_write_does_not_exit)
{
	struct mregion_ring_entry entry;

	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(DEVICE, RING, 0x10, 8)));
	ASSERT_RUN(mmio_write8, .addr = MMIO_BASE + 0x10,
		   .number = 0x1122334455667788);
	EXPECT_END();
	ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
	EXPECT_EQ(DEVICE, entry.region);
	EXPECT_EQ(0x10, entry.offset);
	EXPECT_EQ(8, entry.len);
	EXPECT_EQ(0x1122334455667788, entry.data);
	EXPECT_EQ(0, entry.vcpu);
	/* Beside the rule it does. */
	ASSERT_RUN(mmio_write4, .addr = MMIO_BASE + 0x18, .number = 1);
	EXPECT_MMIO_EXIT(MMIO_BASE + 0x18, 4, 1);
	EXPECT_END();
	/* And reads do. */
	ASSERT_RUN(mmio_read8, .addr = MMIO_BASE + 0x10);
	EXPECT_MMIO_EXIT(MMIO_BASE + 0x10, 8, 0);
	EXPECT_END();
}

/* One ring has both buses' writes, in the order that the vCPU made them in. */
TEST_F(guest, coalesced_output_does_not_exit)
{
	struct mregion_ring_entry entry;

	SKIP_WITHOUT_PORTS();
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(DEVICE, RING, 0x10, 8),
			    mr_rule_add(PIO_DEVICE, RING, 2, 1)));
	ASSERT_RUN(mmio_write8, .addr = MMIO_BASE + 0x10, .number = 1);
	EXPECT_END();
	ASSERT_RUN(pio_write1, .port = PIO_BASE + 2, .number = 0x5a);
	EXPECT_END();
	ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
	EXPECT_EQ(DEVICE, entry.region);
	ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
	EXPECT_EQ(PIO_DEVICE, entry.region);
	EXPECT_EQ(2, entry.offset);
	EXPECT_EQ(1, entry.len);
	EXPECT_EQ(0x5a, entry.data);
	EXPECT_EQ(0, entry.vcpu);
}

TEST_F(guest, string_output)
{
	struct mregion_ring_entry entry;
	unsigned int i;

	SKIP_WITHOUT_PORTS();
	memcpy(self->guest.vm.ram + 0x8000, "abcd", 4);
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(PIO_DEVICE, RING, 0, 1)));
	ASSERT_RUN(pio_string, .port = PIO_BASE, .number = 4, .arg[0] = 0x8000);
	EXPECT_END();
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
		EXPECT_EQ('a' + i, entry.data);
		EXPECT_EQ(0, entry.offset);
		EXPECT_EQ(1, entry.len);
	}
	EXPECT_FALSE(mr_ring_take(&self->guest.ring, &entry));
}

TEST_F(guest, refused)
{
	struct mregion_constraints picky = { .valid_min = 4, .valid_max = 4 };

	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(DEVICE, picky)));
	ASSERT_RUN(mmio_read1, .addr = MMIO_BASE);
	EXPECT_END();
	EXPECT_EQ(0xff, vcpu_value(self->vcpu));
	ASSERT_RUN(mmio_read2, .addr = MMIO_BASE);
	EXPECT_END();
	EXPECT_EQ(0xffff, vcpu_value(self->vcpu));
	ASSERT_RUN(mmio_write2, .addr = MMIO_BASE, .number = 0x1234);
	EXPECT_END();
	ASSERT_RUN(mmio_read4, .addr = MMIO_BASE);
	EXPECT_MMIO_EXIT(MMIO_BASE, 4, 0);
	EXPECT_END();

	picky.refused = MREGION_POLICY_ZEROES;
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(DEVICE, picky)));
	ASSERT_RUN(mmio_read2, .addr = MMIO_BASE);
	EXPECT_END();
	EXPECT_EQ(0, vcpu_value(self->vcpu));

	picky.refused = MREGION_POLICY_ERROR;
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(DEVICE, picky)));
	ASSERT_RUN(mmio_read2, .addr = MMIO_BASE);
	EXPECT_MMIO_EXIT(MMIO_BASE, 2, 0);
	EXPECT_END();
}

TEST_F(guest, port_refused)
{
	struct mregion_constraints picky = { .valid_min = 4, .valid_max = 4 };

	SKIP_WITHOUT_PORTS();
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_constraints(PIO_DEVICE, picky)));
	ASSERT_RUN(pio_read1, .port = PIO_BASE);
	EXPECT_END();
	EXPECT_EQ(0xff, vcpu_value(self->vcpu));
}

TEST_F(guest, unassigned_exits)
{
	ASSERT_RUN(mmio_write4, .addr = MMIO_BASE + 0x1000, .number = 7);
	EXPECT_MMIO_EXIT(MMIO_BASE + 0x1000, 4, 1);
	EXPECT_END();
	ASSERT_RUN(mmio_read4, .addr = 0xf0000000);
	EXPECT_MMIO_EXIT(0xf0000000, 4, 0);
	EXPECT_END();
}

TEST_F(guest, unassigned_port_exits)
{
	SKIP_WITHOUT_PORTS();
	ASSERT_RUN(pio_read4, .port = 0x999);
	EXPECT_IO_EXIT();
	EXPECT_END();
}

/*
 * One instruction over two devices is one exit, and nothing in the ring. All guests can
 * make it, as it is aligned, and the devices are not.
 */
TEST_F(guest, straddling)
{
	struct mregion_op first = mr_mmio(6, 0x80);
	struct mregion_op second = mr_mmio(7, 0x80);
	uint64_t edge = MMIO_AWAY + 0x104;

	first.create.constraints.valid_max = 8;
	second.create.constraints.valid_max = 8;
	ASSERT_EQ(0, COMMIT(self->fd, first, mr_map(6, 1, edge - 0x80, 0),
			    second, mr_map(7, 1, edge, 0),
			    mr_rule_add(6, RING, 0, 0),
			    mr_rule_add(7, RING, 0, 0)));
	ASSERT_RUN(mmio_write8, .addr = edge - 4,
		   .number = 0x1122334455667788);
	EXPECT_MMIO_EXIT(edge - 4, 8, 1);
	EXPECT_EQ(0x1122334455667788, mmio_data(self->run));
	EXPECT_END();
	EXPECT_EQ(0, mr_ring_waiting(&self->guest.ring));
	ASSERT_RUN(mmio_write4, .addr = edge, .number = 1);
	EXPECT_END();
	EXPECT_EQ(1, mr_ring_waiting(&self->guest.ring));
}

/* When the ioctl has returned, accesses that begin see the new view. */
TEST_F(guest, commit_takes_effect_at_once)
{
	struct mregion_ring_entry entry;
	unsigned int i;

	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(DEVICE, RING, 0, 0)));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEVICE, MMIO_AWAY)));
		ASSERT_RUN(mmio_write4, .addr = MMIO_BASE, .number = i);
		EXPECT_MMIO_EXIT(MMIO_BASE, 4, 1);
		EXPECT_END();
		ASSERT_RUN(mmio_write4, .addr = MMIO_AWAY, .number = i);
		EXPECT_END();
		ASSERT_EQ(0, COMMIT(self->fd, mr_move(DEVICE, MMIO_BASE)));
		ASSERT_RUN(mmio_write4, .addr = MMIO_BASE, .number = i);
		EXPECT_END();
		ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
		ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
	}
}

/*
 * Two regions swap places in one commit, while a vCPU reads over their common
 * edge: it sees them as they are before or after, and nothing else. It counts
 * what it sees in the guest's memory.
 */
static void *run_until_end(void *arg)
{
	return (void *)(long)(vcpu_run_until(arg, VCPU_ENDED) ==
			      VCPU_ENDED);
}

TEST_F_TIMEOUT(guest, no_state_between, 120)
{
	struct mregion_constraints answers[2] = {
		{ .valid_min = 8, .valid_max = 8,
		  .refused = MREGION_POLICY_ZEROES },
		{ .valid_min = 8, .valid_max = 8,
		  .refused = MREGION_POLICY_ONES },
	};
	struct { uint32_t stop, wrong, seen[2]; uint64_t value; } *counts =
		(void *)(self->guest.vm.ram + 0x9000);
	struct mregion_op ops[2] = { mr_mmio(20, 0x40), mr_mmio(21, 0x40) };
	uint64_t base = MMIO_BASE + 0x204, commits = 0;
	pthread_t thread;
	unsigned int i;
	void *ended;

	for (i = 0; i < 2; i++)
		ops[i].create.constraints = answers[i];
	ASSERT_EQ(0, COMMIT(self->fd, ops[0], ops[1], mr_map(20, 1, base, 1),
			    mr_map(21, 1, base + 0x40, 1)));
	/* Within a page; else KVM would make two accesses of it. */
	ASSERT_RUN(edge, .addr = base + 0x3c,
		   .arg = { 0xffffffff00000000, 0x00000000ffffffff, 0x9000 });
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_until_end,
				    self->vcpu));
	mr_for_a_while(1000, __atomic_load_n(&counts->seen[0],
					     __ATOMIC_RELAXED) > 10 &&
		       __atomic_load_n(&counts->seen[1],
				       __ATOMIC_RELAXED) > 10) {
		commits++;
		ASSERT_EQ(0, COMMIT(self->fd,
				    mr_move(20, base + 0x40 * (commits & 1)),
				    mr_move(21, base + 0x40 * !(commits & 1))));
		if (commits % 8 == 0)
			usleep(100);
	}
	__atomic_store_n(&counts->stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, &ended);
	EXPECT_TRUE(ended);
	EXPECT_EQ(0, counts->wrong) {
		TH_LOG("%#llx", (unsigned long long)counts->value);
	}
	EXPECT_LT(10, counts->seen[0]);
	EXPECT_LT(10, counts->seen[1]);
}

/* Space roots and rules change under the guest, too. */
TEST_F(guest, space_gets_another_root)
{
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(7, 0), mr_mmio(8, 0x100),
			    mr_map(8, 7, MMIO_BASE, 0),
			    mr_rule_add(8, RING, 0, 0),
			    mr_space_set(SPACE, 7, 0, 0)));
	ASSERT_RUN(mmio_write4, .addr = MMIO_BASE, .number = 5);
	EXPECT_END();
	EXPECT_EQ(8, self->guest.ring.entries[0].region);
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_del(8, RING, 0, 0)));
	ASSERT_RUN(mmio_write4, .addr = MMIO_BASE, .number = 5);
	EXPECT_MMIO_EXIT(MMIO_BASE, 4, 1);
	EXPECT_END();
}

/* A waiting entry wakes its consumer while the guest does nothing else. */
TEST_F(guest, ring_wakes_by_time)
{
	int efd = eventfd(0, EFD_CLOEXEC);
	struct mr_ring ring;
	uint64_t value;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, mr_ring_create(self->fd, 2, 64, efd, 0, 10000, &ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(DEVICE, 2, 0, 0)));
	ASSERT_RUN(mmio_write4, .addr = MMIO_BASE, .number = 5);
	EXPECT_END();
	ASSERT_EQ(sizeof(value), read(efd, &value, sizeof(value)));
	EXPECT_EQ(1, mr_ring_waiting(&ring));
	mr_ring_unmap(&ring);
	close(efd);
}

/* ROM devices: a write to the memory slot's read-only pages is the device's. */
TEST_F(guest, rom_device)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 2,
		.flags = KVM_MEM_READONLY,
		.guest_phys_addr = 0x30000000,
		.memory_size = MR_PAGE,
	};
	struct mregion_ring_entry entry;
	uint8_t *memory = mmap(NULL, MR_PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, memory);
	memcpy(memory, "\x12\x34\x56\x78", 4);
	slot.userspace_addr = (uintptr_t)memory;
	ASSERT_EQ(0, mr_ioctl(self->guest.vm.fd, KVM_SET_USER_MEMORY_REGION,
			      &slot));
	ASSERT_EQ(0, COMMIT(self->fd, mr_create(9, MREGION_ROMD, MR_PAGE),
			    mr_map(9, 1, 0x30000000, 0),
			    mr_rule_add(9, RING, 0, 0)));
	ASSERT_RUN(mmio_read4, .addr = 0x30000000);
	EXPECT_END();
	EXPECT_EQ(0x78563412, vcpu_value(self->vcpu));
	ASSERT_RUN(mmio_write4, .addr = 0x30000004, .number = 0xcafe);
	EXPECT_END();
	ASSERT_TRUE(mr_ring_take(&self->guest.ring, &entry));
	EXPECT_EQ(9, entry.region);
	EXPECT_EQ(4, entry.offset);
	EXPECT_EQ(0xcafe, entry.data);
	munmap(memory, MR_PAGE);
}

TEST_HARNESS_MAIN
