// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that nobody waits for at the moment: withdrawn, or left with the
 * server for a vCPU that comes back. The device sees each access once.
 */
#include "kselftest_harness.h"
#include "protocol_util.h"

/* ---- Signals ----------------------------------------------------------- */

/* Nobody comes back for an access without a vCPU: it is withdrawn. */
TEST_F(protocol, withdrawn_before_it_is_taken)
{
	struct asker asker;
	uint32_t number;

	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, MREGION_NO_VCPU));
	ASSERT_EQ(0, mr_server_wait(&self->server, WAIT_USECS));
	interrupt(&asker);
	EXPECT_EQ(-EINTR, asker.err);
	EXPECT_EQ(-1, mr_server_take(&self->server, &number));
	ASSERT_EQ(0, ask(&asker, self->fd, 8, 4, false, 0, MREGION_NO_VCPU));
	ASSERT_EQ(0, take(&self->server, &number));
	EXPECT_EQ(8, self->server.slots[0].offset);
	mr_server_answer(&self->server, 0, number, 6);
	EXPECT_EQ(6, answer_of(&asker));
}

/* What vCPUs have left with a server is given up when they are detached. */
static int detach_and_attach(FIXTURE_DATA(protocol) *self)
{
	return mr_detach(self->fd, self->vm.fd) ?:
	       mr_attach(self->fd, self->vm.fd, DEV_MEMORY, 0, NULL);
}

/* An answer that comes when nobody wants it any more is nobody else's. */
TEST_F(protocol, withdrawn_when_taken)
{
	struct mr_server *server = &self->server;
	struct asker first, second;
	uint32_t number, other;
	int slot, next;

	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 1));
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	interrupt(&first);
	EXPECT_EQ(-EINTR, first.err);
	ASSERT_EQ(0, detach_and_attach(self));
	ASSERT_EQ(0, ask(&second, self->fd, 8, 4, false, 0, 1));
	next = take(server, &other);
	ASSERT_LE(0, next);
	EXPECT_NE(slot, next);
	mr_server_answer(server, slot, number, 0x11);
	mr_server_answer(server, next, other, 0x22);
	EXPECT_EQ(0x22, answer_of(&second));
}

/* The same with no other slot to be had. */
TEST_F(protocol, withdrawn_when_taken_and_full)
{
	struct asker first, second;
	struct mr_server server;
	uint32_t number, other;
	int slot;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 1));
	ASSERT_EQ(0, take(&server, &number));
	interrupt(&first);
	EXPECT_EQ(-EINTR, first.err);
	ASSERT_EQ(0, detach_and_attach(self));
	ASSERT_EQ(0, ask(&second, self->fd, 8, 4, false, 0, 1));
	usleep(50000);
	mr_server_answer(&server, 0, number, 0x11);
	slot = take(&server, &other);
	ASSERT_LE(0, slot);
	EXPECT_EQ(8, server.slots[slot].offset);
	mr_server_answer(&server, slot, other, 0x22);
	EXPECT_EQ(0x22, answer_of(&second));
	mr_server_close(&server);
}

/* Where there is no telling who comes back, what has begun is waited for. */
TEST_F(protocol, taken_without_a_vcpu)
{
	struct mr_server *server = &self->server;
	struct asker asker;
	uint32_t number;
	int slot, i;

	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, MREGION_NO_VCPU));
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	for (i = 0; i < 50; i++) {
		pthread_kill(asker.thread, SIGUSR1);
		usleep(1000);
	}
	EXPECT_FALSE(__atomic_load_n(&asker.done, __ATOMIC_ACQUIRE));
	mr_server_answer(server, slot, number, 0x33);
	EXPECT_EQ(0x33, answer_of(&asker));
}

/* A vCPU's is left with the server, for the VMM to come back to. */
TEST_F(protocol, vcpu_comes_back)
{
	struct mr_server *server = &self->server;
	unsigned int round, write;
	struct asker asker;
	uint32_t number = 0, other;
	int slot;

	for (round = 0; round < 8; round++) {
		write = round & 1;
		ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, write, 9, 2));
		ASSERT_EQ(0, mr_server_wait(server, WAIT_USECS));
		slot = -1;
		if (round & 4)
			slot = take(server, &number);
		interrupt(&asker);
		EXPECT_EQ(-EINTR, asker.err);
		if (!(round & 4))
			slot = take(server, &number);
		ASSERT_LE(0, slot);
		if (round & 2)
			mr_server_answer(server, slot, number, 0x77);
		/* Again, and once more: there is no second request. */
		ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, write, 9, 2));
		if (!(round & 2)) {
			usleep(20000);
			interrupt(&asker);
			EXPECT_EQ(-EINTR, asker.err);
			ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, write, 9, 2));
			mr_server_answer(server, slot, number, 0x77);
		}
		EXPECT_EQ(write ? 9 : 0x77, answer_of(&asker));
		EXPECT_EQ(-1, mr_server_take(server, &other));
		mr_server_seen(server, mr_server_events(server));
	}
}

/* Whatever else is accessed on its behalf, it is kept. */
TEST_F(protocol, vcpu_comes_back_after_another_access)
{
	struct mr_server *server = &self->server;
	struct asker first, second;
	uint32_t number, other;
	int slot, next;

	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 2));
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	interrupt(&first);
	EXPECT_EQ(-EINTR, first.err);
	ASSERT_EQ(0, ask(&second, self->fd, 8, 4, false, 0, 2));
	next = take(server, &other);
	ASSERT_LE(0, next);
	ASSERT_EQ(8, server->slots[next].offset);
	mr_server_answer(server, next, other, 3);
	EXPECT_EQ(3, answer_of(&second));
	mr_server_answer(server, slot, number, 4);
	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 2));
	EXPECT_EQ(4, answer_of(&first));
	EXPECT_EQ(-1, mr_server_take(server, &number));
}

/* What a detached one has left is nobody's, and its slot is free. */
TEST_F(protocol, vcpu_is_detached_and_full)
{
	struct mr_server server;
	struct asker asker;
	uint32_t number;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	ASSERT_EQ(0, mr_server_wait(&server, WAIT_USECS));
	interrupt(&asker);
	EXPECT_EQ(-EINTR, asker.err);
	mr_server_seen(&server, mr_server_events(&server));
	ASSERT_EQ(0, detach_and_attach(self));
	ASSERT_EQ(0, ask(&asker, self->fd, 8, 4, false, 0, 2));
	ASSERT_EQ(0, mr_server_wait(&server, WAIT_USECS));
	ASSERT_EQ(0, take(&server, &number));
	EXPECT_EQ(8, server.slots[0].offset);
	mr_server_answer(&server, 0, number, 3);
	EXPECT_EQ(3, answer_of(&asker));
	mr_server_close(&server);
}

/* Two virtual machines have vCPUs of the same index. Each gets its own answer. */
TEST_F(protocol, vcpus_of_two_virtual_machines)
{
	struct mr_server *server = &self->server;
	struct asker asker;
	uint32_t numbers[2];
	struct vm other;
	int slots[2], i;

	ASSERT_EQ(0, vm_create(&other, 0));
	ASSERT_EQ(0, mr_attach(self->fd, other.fd, DEV_MEMORY, 0, NULL));
	for (i = 0; i < 2; i++) {
		ask_vm_fd = i ? other.fd : self->vm.fd;
		ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
		slots[i] = take(server, &numbers[i]);
		ASSERT_LE(0, slots[i]);
		interrupt(&asker);
		EXPECT_EQ(-EINTR, asker.err);
	}
	for (i = 2; i--; )
		mr_server_answer(server, slots[i], numbers[i], 0x10 + i);
	for (i = 2; i--; ) {
		ask_vm_fd = i ? other.fd : self->vm.fd;
		ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
		EXPECT_EQ(0x10 + i, answer_of(&asker));
	}
	EXPECT_EQ(-1, mr_server_take(server, &numbers[0]));
	vm_free(&other);
}

/* Who cannot name the virtual machine cannot speak for its vCPUs. */
TEST_F(protocol, vcpu_without_a_virtual_machine)
{
	struct vm other;
	struct asker asker;

	ask_vm_fd = self->fd;
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
	pthread_join(asker.thread, NULL);
	EXPECT_EQ(-EBADF, asker.err);
	ASSERT_EQ(0, vm_create(&other, 0));
	ask_vm_fd = other.fd;
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 0));
	pthread_join(asker.thread, NULL);
	EXPECT_EQ(-ENOENT, asker.err);
	vm_free(&other);
}

/* The limit is also one for who waits for a slot that nobody gives back. */
TEST_F(protocol, time_limit_without_a_slot)
{
	struct asker first, second;
	struct mr_server server;
	uint32_t number;

	/* Enough for the first one to be taken. */
	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 5000000, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 1));
	ASSERT_EQ(0, take(&server, &number));
	interrupt(&first);
	EXPECT_EQ(-EINTR, first.err);
	ASSERT_EQ(0, ask(&second, self->fd, 8, 4, false, 0, MREGION_NO_VCPU));
	EXPECT_TRUE(mr_until(__atomic_load_n(&second.done, __ATOMIC_ACQUIRE)));
	mr_server_close(&server);
	pthread_join(second.thread, NULL);
	EXPECT_EQ(0, second.err);
	EXPECT_EQ(0, second.access.handled);
}

/* But a server that has answered is not to blame for those who do not come. */
TEST_F(protocol, no_slot_for_want_of_the_vmm)
{
	struct asker first, second;
	struct mregion_stats stats;
	struct mr_server server;
	uint32_t number;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 5000000, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 1));
	ASSERT_EQ(0, take(&server, &number));
	interrupt(&first);
	EXPECT_EQ(-EINTR, first.err);
	mr_server_answer(&server, 0, number, 0x11);
	ASSERT_EQ(0, ask(&second, self->fd, 8, 4, false, 0, MREGION_NO_VCPU));
	usleep(7000000);
	EXPECT_FALSE(__atomic_load_n(&second.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 1));
	EXPECT_EQ(0x11, answer_of(&first));
	ASSERT_EQ(0, take(&server, &number));
	mr_server_answer(&server, 0, number, 0x22);
	EXPECT_EQ(0x22, answer_of(&second));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_SERVER, 2, &stats));
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	mr_server_close(&server);
}

/* What the view has there by then does not matter. */
TEST_F(protocol, vcpu_comes_back_to_a_changed_view)
{
	struct mr_server *server = &self->server;
	struct asker asker;
	uint32_t number;
	int slot;

	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	interrupt(&asker);
	EXPECT_EQ(-EINTR, asker.err);
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(3, 0x10000)));
	mr_server_answer(server, slot, number, 0x55);
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	EXPECT_EQ(0x55, answer_of(&asker));
	/* Now it is nothing's. */
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	pthread_join(asker.thread, NULL);
	EXPECT_EQ(MREGION_OUTCOME_UNASSIGNED_EXIT, asker.access.outcome);
}

/* ---- A guest ------------------------------------------------------------ */

FIXTURE(rest) {
	struct rig rig;
	struct mr_server server;
};

FIXTURE_VARIANT(rest) {
	bool write;
	bool answered;		/* before the VMM comes for it */
};

FIXTURE_VARIANT_ADD(rest, read) { };
FIXTURE_VARIANT_ADD(rest, read_answered) { .answered = true, };
FIXTURE_VARIANT_ADD(rest, write) { .write = true, };
FIXTURE_VARIANT_ADD(rest, write_answered) { .write = true, .answered = true, };

/* The device has two pages. */
FIXTURE_SETUP(rest)
{
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	ask_vm_fd = self->rig.vm.fd;
	ASSERT_EQ(0, mr_server_create(self->rig.fd, SERVER, 4, 0, 0,
				      &self->server));
	ASSERT_EQ(0, COMMIT(self->rig.fd, mr_resize(DEV_MMIO, 0x2000),
			    mr_set_server(DEV_MMIO, SERVER)));
}

FIXTURE_TEARDOWN(rest)
{
	mr_server_close(&self->server);
	rig_close(&self->rig);
}

/*
 * KVM makes an access that crosses a page in two, and tries both before it exits
 * for the first. The server sees each of them once, and in order.
 */
TEST_F(rest, of_an_access_across_pages)
{
	struct vcpu *vcpu = &self->rig.vm.vcpus[0];
	const uint64_t value = 0x44332211;
	struct mregion_stats stats;
	struct vcpu_exit exit;
	struct asker asker;
	uint32_t number, other;
	unsigned int part;
	int slot;

	if (!VM_SPLITS_PAGES)
		SKIP(return, NO_SPLITS);
	ASSERT_EQ(0, variant->write ?
		  vcpu_writes(vcpu, false, 4, 0xffe, value, value + 1) :
		  vcpu_reads(vcpu, false, 4, 0xffe));
	for (part = 0; part < 2; part++) {
		const struct mregion_server_slot *shared;
		uint64_t data = value >> 16 * part & 0xffff;

		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vcpu));
		ASSERT_TRUE(vcpu_exit_access(vcpu, &exit));
		EXPECT_EQ(MMIO_BASE + 0xffe + 2 * part, exit.addr);
		ASSERT_EQ(2, exit.len);
		/* the first has been left by the vCPU, the second is new */
		if (part || !variant->answered)
			ASSERT_EQ(0, ask(&asker, self->rig.fd, exit.addr, 2,
					 variant->write, data, 0));
		slot = take(&self->server, &number);
		ASSERT_LE(0, slot);
		EXPECT_EQ(-1, mr_server_take(&self->server, &other));
		shared = &self->server.slots[slot];
		EXPECT_EQ(0xffe + 2 * part, shared->offset);
		EXPECT_EQ(2, shared->len);
		if (variant->write)
			EXPECT_EQ(data, shared->data);
		mr_server_answer(&self->server, slot, number, data);
		if (!part && variant->answered)
			ASSERT_EQ(0, ask(&asker, self->rig.fd, exit.addr, 2,
					 variant->write, data, 0));
		EXPECT_EQ(data, answer_of(&asker));
		if (!variant->write)
			memcpy(exit.data, &data, 2);
	}
	ASSERT_EQ(VCPU_ENDED, vcpu_run(vcpu));
	if (!variant->write)
		EXPECT_EQ(value, vcpu_value(vcpu));
	EXPECT_EQ(-1, mr_server_take(&self->server, &other));
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_SERVER, SERVER,
			      &stats));
	EXPECT_EQ(2, stats.outcomes[MREGION_OUTCOME_SERVED]);
}

/* A vCPU that runs on has no use for what it has left. */
TEST_F(rest, of_a_vcpu_that_runs_on)
{
	struct vcpu *vcpu = &self->rig.vm.vcpus[0];
	struct asker asker;
	uint32_t number;
	int slot, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, vcpu_reads(vcpu, false, 4, 0x10 * i));
		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(vcpu));
		if (i)
			break;
		/* the VMM answers without asking */
		memset(vcpu->run->mmio.data, 0, 4);
		ASSERT_EQ(VCPU_ENDED, vcpu_run(vcpu));
	}
	slot = take(&self->server, &number);
	ASSERT_LE(0, slot);
	EXPECT_EQ(0x10, self->server.slots[slot].offset);
	mr_server_answer(&self->server, slot, number, 5);
	EXPECT_EQ(-1, mr_server_take(&self->server, &number));
	ASSERT_EQ(0, ask(&asker, self->rig.fd, MMIO_BASE + 0x10, 4, false, 0,
			 0));
	EXPECT_EQ(5, answer_of(&asker));
}

/* ---- What became of it -------------------------------------------------- */

/* Call again with the same structure. What is set on return holds nonsense. */
static int ask_again(struct asker *asker)
{
	asker->done = false;
	asker->access.handled = 1;
	asker->access.range_flags = ~0u;
	return pthread_create(&asker->thread, NULL, asker_thread, asker);
}

/* A server that dies while somebody waits for it again has handled nothing. */
TEST_F(protocol, vcpu_comes_back_and_the_server_dies)
{
	struct mr_server server;
	struct asker asker;
	uint32_t number;
	int slot;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&asker, self->fd, 8, 4, false, 0, 2));
	slot = take(&server, &number);
	ASSERT_LE(0, slot);
	interrupt(&asker);
	EXPECT_EQ(-EINTR, asker.err);
	asker.access.flags |= MREGION_ACCESS_PART;
	ASSERT_EQ(0, ask_again(&asker));
	EXPECT_TRUE(mr_until(__atomic_load_n(&server.slots[slot].sleeping,
					     __ATOMIC_ACQUIRE)));
	mr_server_close(&server);
	pthread_join(asker.thread, NULL);
	EXPECT_EQ(0, asker.err);
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, asker.access.outcome);
	EXPECT_EQ(0, asker.access.handled);
	EXPECT_EQ(4, asker.access.part);
	EXPECT_EQ(3, asker.access.region);
	EXPECT_EQ(8, asker.access.offset);
	EXPECT_EQ(0, asker.access.range_flags);
}

/* The virtual machine is attached, whichever of its descriptors is closed. */
TEST_F(protocol, vcpu_comes_back_by_another_descriptor)
{
	struct mr_server *server = &self->server;
	int slot, next = -1, fd = dup(self->vm.fd);
	uint32_t number, other;
	struct asker asker;

	ASSERT_LE(0, fd);
	ask_vm_fd = fd;
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	ask_vm_fd = self->vm.fd;
	slot = take(server, &number);
	ASSERT_LE(0, slot);
	close(fd);
	interrupt(&asker);
	EXPECT_EQ(-EINTR, asker.err);
	mr_server_answer(server, slot, number, 0x66);
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	ASSERT_TRUE(mr_until(__atomic_load_n(&asker.done, __ATOMIC_ACQUIRE) ||
			     next >= 0 ||
			     (next = mr_server_take(server, &other)) >= 0));
	EXPECT_EQ(-1, next);
	if (next >= 0)
		mr_server_answer(server, next, other, 0);
	EXPECT_EQ(0x66, answer_of(&asker));
}

/* Who waits for a slot learns that a vCPU detached meanwhile has left one. */
TEST_F(protocol, vcpu_is_attached_anew_and_full)
{
	struct asker first, second;
	struct mr_server server;
	uint32_t number;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&first, self->fd, 0, 4, false, 0, 2));
	ASSERT_EQ(0, mr_server_wait(&server, WAIT_USECS));
	ASSERT_EQ(0, ask(&second, self->fd, 8, 4, false, 0,
			 MREGION_NO_VCPU));
	/* Time to begin waiting, before and after it is told of the other. */
	usleep(200000);
	ASSERT_EQ(0, detach_and_attach(self));
	usleep(200000);
	interrupt(&first);
	EXPECT_EQ(-EINTR, first.err);
	EXPECT_EQ(0, take(&server, &number)) {
		/* nor does it ever end */
		interrupt(&second);
	}
	if (!second.done) {
		EXPECT_EQ(8, server.slots[0].offset);
		mr_server_answer(&server, 0, number, 3);
		EXPECT_EQ(3, answer_of(&second));
	}
	mr_server_close(&server);
}

/* A server's time does not pass while nobody waits, however often that is so. */
TEST_F(protocol, time_limit_while_nobody_waits)
{
	struct mr_server server;
	struct asker asker;
	uint32_t number;
	int slot, i;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 4000000, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	slot = take(&server, &number);
	ASSERT_LE(0, slot);
	/* Each time longer than the kernel looks apart. */
	for (i = 0; i < 14; i++) {
		interrupt(&asker);
		ASSERT_EQ(-EINTR, asker.err) {
			TH_LOG("round %d", i);
		}
		usleep(600000);
		ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	}
	mr_server_answer(&server, slot, number, 0x77);
	EXPECT_EQ(0x77, answer_of(&asker));
	mr_server_close(&server);
}

/* But it does while somebody waits, though not for long at a time. */
TEST_F(protocol, time_limit_of_short_waits)
{
	uint64_t end = mr_now_ms() + MR_PATIENCE_MS;
	struct mr_server server;
	struct asker asker;
	uint32_t number;

	ASSERT_EQ(0, mr_server_create(self->fd, 2, 1, 0, 1000000, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_set_server(3, 2)));
	ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	ASSERT_EQ(0, take(&server, &number));
	for (;;) {
		usleep(50000);
		interrupt(&asker);
		if (asker.err != -EINTR || mr_now_ms() > end)
			break;
		ASSERT_EQ(0, ask(&asker, self->fd, 0, 4, false, 0, 2));
	}
	EXPECT_EQ(0, asker.err);
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, asker.access.outcome);
	mr_server_close(&server);
}

TEST_HARNESS_MAIN
