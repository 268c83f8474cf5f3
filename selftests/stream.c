// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that write and write: coalesced writes arrive complete, once and in
 * each vCPU's order, whatever changes meanwhile.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "guest_util.h"

#define VCPUS	4

FIXTURE(stream) {
	struct guest guest;
};

FIXTURE_VARIANT(stream) {
	unsigned int len;
	bool pio;
	uint32_t nr_entries;
	unsigned int writes;
};

#define STREAM(_name, _len, _pio)					\
FIXTURE_VARIANT_ADD(stream, _name##_tiny_ring) {			\
	.len = _len, .pio = _pio, .nr_entries = 2, .writes = 300,	\
};									\
FIXTURE_VARIANT_ADD(stream, _name##_ring) {				\
	.len = _len, .pio = _pio, .nr_entries = 64, .writes = 600,	\
}

STREAM(mmio1, 1, false);
STREAM(mmio2, 2, false);
STREAM(mmio4, 4, false);
STREAM(mmio8, 8, false);
STREAM(pio1, 1, true);
STREAM(pio2, 2, true);
STREAM(pio4, 4, true);

FIXTURE_SETUP(stream)
{
	if (variant->pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	ASSERT_EQ(0, guest_open(&self->guest, VCPUS, variant->nr_entries));
	ASSERT_EQ(0, COMMIT(self->guest.fd, mr_rule_add(DEVICE, RING, 0, 0),
			    mr_rule_add(PIO_DEVICE, RING, 0, 0)));
}

FIXTURE_TEARDOWN(stream)
{
	guest_close(&self->guest);
}

/* Changes of each sort that a stream has to live through. */
#define CHANGES	5

/*
 * The device that the streams are for. It expects from each vCPU the numbers
 * from 0 on, at the vCPU's own offset. The lock is that of the ring's consumer.
 */
struct device {
	pthread_mutex_t lock;
	struct guest *guest;
	unsigned int len;
	bool pio;
	uint32_t region;
	uint32_t space;
	uint64_t start;
	uint64_t next[VCPUS];
	unsigned int coalesced, exits, wrong;
	unsigned int moves, slot_changes;	/* made while vCPUs wrote */
	unsigned int running;		/* vCPUs that still write */
	bool change;
};

/* One write. The first that is not as expected is told; all are counted. */
static void device_write(struct device *device, unsigned int vcpu,
			 uint64_t offset, unsigned int len, uint64_t data,
			 const char *path)
{
	uint64_t mask = len == 8 ? -1ull : (1ull << (8 * len)) - 1;
	uint64_t expected;

	if (vcpu >= VCPUS) {
		if (!device->wrong++)
			fprintf(stderr, "# write of vCPU %u\n", vcpu);
		return;
	}
	expected = (device->start + device->next[vcpu]) & mask;
	if (len != device->len || offset != 8 * vcpu || data != expected) {
		if (!device->wrong++)
			fprintf(stderr, "# %s, vCPU %u: %u@%#llx: %#llx; expected %u@%#x: %#llx\n",
				path, vcpu, len, (unsigned long long)offset,
				(unsigned long long)data, device->len,
				8 * vcpu, (unsigned long long)expected);
	}
	device->next[vcpu]++;
}

/* With the lock held. */
static void device_drain(struct device *device)
{
	struct mregion_ring_entry entry;

	while (mr_ring_take(&device->guest->ring, &entry)) {
		if (entry.region != device->region || entry.reserved)
			device->wrong++;
		device_write(device, entry.vcpu, entry.offset, entry.len,
			     entry.data, "ring");
		device->coalesced++;
	}
}

static bool has_changed(const unsigned int *changes)
{
	return __atomic_load_n(changes, __ATOMIC_ACQUIRE) >= CHANGES;
}

/* Whether all has changed often enough. */
static bool all_has_changed(const struct device *device)
{
	return has_changed(&device->moves) &&
	       has_changed(&device->slot_changes);
}

struct vcpu_thread {
	pthread_t thread;
	struct vcpu *vcpu;
	struct device *device;
	unsigned int writes;	/* of a round */
	uint64_t written;
	int ended_by;
};

static int stream_start(struct vcpu *vcpu, const struct device *device,
			uint64_t first, unsigned int writes)
{
	const struct guest_regs regs = {
		.addr = MMIO_BASE + 8 * vcpu->index,
		.port = PIO_BASE + 8 * vcpu->index,
		.number = device->start + first,
		.end = device->start + first + writes,
	};

	return vcpu_start(vcpu, guest_writes(device->pio, device->len), regs);
}

/* An exit is a write that the ring had no room for, or the region had moved. */
static int stream_round(struct vcpu *vcpu, struct device *device)
{
	struct kvm_run *run = vcpu->run;
	int reason;

	for (;;) {
		reason = vcpu_run(vcpu);
		if (reason == -EINTR)
			continue;
		if (reason != KVM_EXIT_MMIO && reason != KVM_EXIT_IO)
			return reason;
		pthread_mutex_lock(&device->lock);
		device_drain(device);
		__atomic_add_fetch(&device->exits, 1, __ATOMIC_RELEASE);
		if (reason == KVM_EXIT_MMIO && run->mmio.is_write) {
			device_write(device, vcpu->index,
				     run->mmio.phys_addr - MMIO_BASE,
				     run->mmio.len, mmio_data(run), "exit");
		} else if (reason == KVM_EXIT_IO && run->io.count == 1 &&
			   run->io.direction == KVM_EXIT_IO_OUT) {
			device_write(device, vcpu->index,
				     run->io.port - PIO_BASE, run->io.size,
				     pio_data(run), "exit");
		} else {
			vcpu_astray(vcpu, reason);
			device->wrong++;
		}
		pthread_mutex_unlock(&device->lock);
	}
}

/* Round after round until all has changed, however slow this machine is. */
static void *vcpu_thread(void *arg)
{
	struct vcpu_thread *thread = arg;
	struct device *device = thread->device;

	do {
		thread->ended_by = stream_start(thread->vcpu, device,
						thread->written,
						thread->writes);
		if (thread->ended_by)
			break;
		thread->ended_by = stream_round(thread->vcpu, device);
		if (thread->ended_by != VCPU_ENDED)
			break;
		thread->written += thread->writes;
	} while (device->change && !all_has_changed(device));
	__atomic_sub_fetch(&device->running, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Writes that have arrived, in the ring or by an exit. */
static uint64_t arrived(const struct device *device)
{
	return __atomic_load_n(&device->guest->ring.header->producer,
			       __ATOMIC_ACQUIRE) +
	       (uint64_t)__atomic_load_n(&device->exits, __ATOMIC_ACQUIRE);
}

static uint64_t coalesced(const struct device *device)
{
	return __atomic_load_n(&device->guest->ring.header->producer,
			       __ATOMIC_ACQUIRE);
}

static uint64_t unassigned(const struct device *device)
{
	struct mregion_stats stats;

	if (mr_stats(device->guest->fd, MREGION_OBJECT_SPACE, device->space,
		     &stats))
		return 0;
	return stats.outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT];
}

/*
 * Until there are more of something than @before; false if the streams end
 * first. A change that waits for the effect of the one before cannot keep the
 * vCPUs from getting on, and is one that they have seen.
 */
static bool wait_for_more(const struct device *device,
			  uint64_t (*number)(const struct device *device),
			  uint64_t before)
{
	while (__atomic_load_n(&device->running, __ATOMIC_ACQUIRE)) {
		if (number(device) != before)
			return true;
		usleep(100);
	}
	return false;
}

/* Moves the device away and back, so that some writes find nothing there. */
static void *mover_thread(void *arg)
{
	struct device *device = arg;
	uint32_t id = device->region;
	uint64_t home = device->pio ? PIO_BASE : MMIO_BASE;
	uint64_t away = device->pio ? PIO_AWAY : MMIO_AWAY;
	uint64_t before = 0;
	long errors = 0;

	while (wait_for_more(device, coalesced, before)) {
		before = unassigned(device);
		errors += !!COMMIT(device->guest->fd, mr_move(id, away));
		if (wait_for_more(device, unassigned, before))
			__atomic_add_fetch(&device->moves, 1, __ATOMIC_RELEASE);
		before = coalesced(device);
		errors += !!COMMIT(device->guest->fd, mr_move(id, home));
	}
	return (void *)errors;
}

static void *memslot_thread(void *arg)
{
	struct device *device = arg;
	struct vm *vm = &device->guest->vm;
	void *memory = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t before = 0;
	uint64_t len = 0;
	long errors = 0;

	while (wait_for_more(device, arrived, before)) {
		before = arrived(device);
		len = len ? 0 : 0x10000;
		errors += !!vm_memslot(vm, 1, 0x20000000, len, memory);
		__atomic_add_fetch(&device->slot_changes, 1, __ATOMIC_RELEASE);
	}
	if (len)
		errors += !!vm_memslot(vm, 1, 0x20000000, 0, memory);
	munmap(memory, 0x10000);
	return (void *)errors;
}

/* Run the streams of all vCPUs at once, and see that all of it arrived. */
static void stream(struct __test_metadata *_metadata, struct device *device,
		   unsigned int writes)
{
	struct vcpu_thread threads[VCPUS];
	struct mregion_stats stats;
	pthread_t mover, memslots;
	uint64_t written = 0;
	unsigned int i;
	void *errors;

	pthread_mutex_init(&device->lock, NULL);
	device->region = device->pio ? PIO_DEVICE : DEVICE;
	device->space = device->pio ? PIO : SPACE;
	device->running = VCPUS;
	/* Let all bytes matter. */
	device->start = device->len == 8 ? 0x1122334455667700 :
		device->len == 4 ? 0xffffff80 : 0x7f80;
	for (i = 0; i < VCPUS; i++) {
		threads[i] = (struct vcpu_thread){
			.vcpu = &device->guest->vm.vcpus[i],
			.device = device,
			.writes = writes,
		};
		ASSERT_EQ(0, pthread_create(&threads[i].thread, NULL,
					    vcpu_thread, &threads[i]));
	}
	if (device->change) {
		ASSERT_EQ(0, pthread_create(&mover, NULL, mover_thread,
					    device));
		ASSERT_EQ(0, pthread_create(&memslots, NULL, memslot_thread,
					    device));
	}
	for (i = 0; i < VCPUS; i++) {
		pthread_join(threads[i].thread, NULL);
		EXPECT_EQ(VCPU_ENDED, threads[i].ended_by);
	}
	if (device->change) {
		pthread_join(mover, &errors);
		EXPECT_EQ(NULL, errors);
		pthread_join(memslots, &errors);
		EXPECT_EQ(NULL, errors);
	}
	device_drain(device);

	EXPECT_EQ(0, device->wrong);
	for (i = 0; i < VCPUS; i++) {
		EXPECT_EQ(threads[i].written, device->next[i]);
		written += threads[i].written;
	}
	EXPECT_EQ(written, device->coalesced + device->exits);
	EXPECT_LT(0, device->coalesced);
	ASSERT_EQ(0, mr_stats(device->guest->fd, MREGION_OBJECT_REGION,
			      device->region, &stats));
	EXPECT_EQ(device->coalesced, stats.outcomes[MREGION_OUTCOME_COALESCED]);
	/* What was not, found the ring full or nothing there. */
	EXPECT_EQ(device->exits, stats.outcomes[MREGION_OUTCOME_RING_FULL] +
		  unassigned(device));
}

TEST_F_TIMEOUT(stream, complete_and_in_order, 180)
{
	struct device device = {
		.guest = &self->guest, .len = variant->len,
		.pio = variant->pio,
	};

	stream(_metadata, &device, variant->writes);
	EXPECT_EQ(0, unassigned(&device));
}

TEST_F_TIMEOUT(stream, while_all_changes, 180)
{
	struct device device = {
		.guest = &self->guest, .len = variant->len,
		.pio = variant->pio, .change = true,
	};

	stream(_metadata, &device, variant->writes);
	EXPECT_LE(CHANGES, unassigned(&device));
	EXPECT_LE(CHANGES, device.moves);
	EXPECT_LE(CHANGES, device.slot_changes);
}

/* ---- Rings that many write to ------------------------------------------ */

#define ROUND	200
#define NUMBERS	(1u << 16)	/* that each vCPU may write */

/*
 * vCPUs write the numbers from 1 on, every other one to ports, to one or two
 * rings. A consumer is woken by an eventfd; nobody else empties a ring, but who
 * finds it full.
 */
FIXTURE(rings) {
	struct guest guest;
	struct mr_ring rings[2];
	int efd;
	pthread_mutex_t lock;
	struct {
		uint64_t seen[NUMBERS / 64];
		uint32_t last[2];	/* of each ring */
		uint32_t count;
	} from[VCPUS];
	uint64_t wakes, taken, exits, wrong;
	bool enough;			/* the vCPUs may end */
	bool stop;
};

FIXTURE_SETUP(rings)
{
	unsigned int i;

	pthread_mutex_init(&self->lock, NULL);
	ASSERT_EQ(0, guest_open(&self->guest, VCPUS, 2));
	self->efd = new_eventfd();
	ASSERT_LE(0, self->efd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, mr_ring_create(self->guest.fd, 2 + i, 64,
					    self->efd, 8, 1000,
					    &self->rings[i]));
	ASSERT_EQ(0, COMMIT(self->guest.fd, mr_rule_add(DEVICE, 2, 0, 0),
			    mr_rule_add(PIO_DEVICE, 2, 0, 0)));
}

FIXTURE_TEARDOWN(rings)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (self->rings[i].header)
			mr_ring_unmap(&self->rings[i]);
	close(self->efd);
	guest_close(&self->guest);
}

/* A write has arrived, by ring @ring or an exit (-1). With the lock held. */
static void received(FIXTURE_DATA(rings) *self, unsigned int vcpu,
		     uint64_t offset, unsigned int len, uint64_t data, int ring)
{
	uint64_t *word, bit = 1ull << data % 64;

	if (vcpu >= VCPUS || offset != 8 * vcpu || len != 4 || !data ||
	    data >= NUMBERS) {
		self->wrong++;
		return;
	}
	word = &self->from[vcpu].seen[data / 64];
	if (*word & bit ||
	    (ring >= 0 && data <= self->from[vcpu].last[ring])) {
		if (!self->wrong++)
			fprintf(stderr, "# vCPU %u, ring %d: %u out of order\n",
				vcpu, ring, (unsigned int)data);
		return;
	}
	*word |= bit;
	self->from[vcpu].count++;
	if (ring >= 0)
		self->from[vcpu].last[ring] = data;
}

/* With the lock held. */
static void empty_rings(FIXTURE_DATA(rings) *self)
{
	struct mregion_ring_entry entry;
	int i;

	for (i = 0; i < 2; i++) {
		while (mr_ring_take(&self->rings[i], &entry)) {
			/* Which bus it came by does not show but here. */
			bool pio = VM_HAS_PORTS && entry.vcpu & 1;

			if (entry.region != (pio ? PIO_DEVICE : DEVICE))
				self->wrong++;
			received(self, entry.vcpu, entry.offset, entry.len,
				 entry.data, i);
			self->taken++;
		}
	}
}

static void *consumer_thread(void *arg)
{
	FIXTURE_DATA(rings) *self = arg;
	struct pollfd pollfd = { .fd = self->efd, .events = POLLIN };
	uint64_t value;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		if (poll(&pollfd, 1, 100) != 1 ||
		    read(self->efd, &value, sizeof(value)) != sizeof(value))
			continue;
		__atomic_add_fetch(&self->wakes, 1, __ATOMIC_RELAXED);
		pthread_mutex_lock(&self->lock);
		empty_rings(self);
		pthread_mutex_unlock(&self->lock);
	}
	return NULL;
}

struct sender {
	pthread_t thread;
	FIXTURE_DATA(rings) *self;
	struct vcpu *vcpu;
	uint32_t written;
	int ended_by;
};

static int sender_exit(struct sender *sender)
{
	FIXTURE_DATA(rings) *self = sender->self;
	struct vcpu *vcpu = sender->vcpu;
	struct kvm_run *run = vcpu->run;
	int reason = vcpu_run(vcpu);

	if (reason != KVM_EXIT_MMIO && reason != KVM_EXIT_IO)
		return reason;
	pthread_mutex_lock(&self->lock);
	empty_rings(self);
	self->exits++;
	if (reason == KVM_EXIT_MMIO && run->mmio.is_write)
		received(self, vcpu->index, run->mmio.phys_addr - MMIO_BASE,
			 run->mmio.len, mmio_data(run), -1);
	else if (reason == KVM_EXIT_IO && run->io.count == 1 &&
		 run->io.direction == KVM_EXIT_IO_OUT)
		received(self, vcpu->index, run->io.port - PIO_BASE,
			 run->io.size, pio_data(run), -1);
	else
		self->wrong++;
	pthread_mutex_unlock(&self->lock);
	return reason;
}

static void *sender_thread(void *arg)
{
	struct sender *sender = arg;
	struct vcpu *vcpu = sender->vcpu;

	do {
		const struct guest_regs regs = {
			.addr = MMIO_BASE + 8 * vcpu->index,
			.port = PIO_BASE + 8 * vcpu->index,
			.number = sender->written + 1,
			.end = sender->written + 1 + ROUND,
		};
		bool pio = VM_HAS_PORTS && vcpu->index & 1;

		sender->ended_by = vcpu_start(vcpu, guest_writes(pio, 4), regs);
		if (sender->ended_by)
			break;
		do {
			sender->ended_by = sender_exit(sender);
		} while (sender->ended_by == KVM_EXIT_MMIO ||
			 sender->ended_by == KVM_EXIT_IO ||
			 sender->ended_by == -EINTR);
		if (sender->ended_by != VCPU_ENDED)
			break;
		sender->written += ROUND;
	} while (!__atomic_load_n(&sender->self->enough, __ATOMIC_ACQUIRE) &&
		 sender->written + ROUND < NUMBERS);
	return NULL;
}

static int senders_start(FIXTURE_DATA(rings) *self, struct sender *senders,
			 pthread_t *consumer)
{
	unsigned int i;
	int err = pthread_create(consumer, NULL, consumer_thread, self);

	for (i = 0; i < VCPUS && !err; i++) {
		senders[i] = (struct sender){
			.self = self, .vcpu = &self->guest.vm.vcpus[i],
		};
		err = pthread_create(&senders[i].thread, NULL, sender_thread,
				     &senders[i]);
	}
	return -err;
}

/* All that was written has arrived once, and each ring's in order. */
static void senders_stop(struct __test_metadata *_metadata,
			 FIXTURE_DATA(rings) *self, struct sender *senders,
			 pthread_t consumer)
{
	uint64_t written = 0;
	unsigned int i;

	__atomic_store_n(&self->enough, true, __ATOMIC_RELEASE);
	for (i = 0; i < VCPUS; i++) {
		pthread_join(senders[i].thread, NULL);
		EXPECT_EQ(VCPU_ENDED, senders[i].ended_by);
		written += senders[i].written;
	}
	/* The consumer is woken for the last of it, too. */
	EXPECT_TRUE(mr_until(!mr_ring_waiting(&self->rings[0]) &&
			     !mr_ring_waiting(&self->rings[1])));
	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	pthread_join(consumer, NULL);
	EXPECT_EQ(0, self->wrong);
	EXPECT_EQ(written, self->taken + self->exits);
	for (i = 0; i < VCPUS; i++)
		EXPECT_EQ(senders[i].written, self->from[i].count);
}

TEST_F_TIMEOUT(rings, one_for_both_buses, 180)
{
	struct sender senders[VCPUS];
	pthread_t consumer;

	ASSERT_EQ(0, senders_start(self, senders, &consumer));
	mr_for_a_while(500, __atomic_load_n(&self->wakes, __ATOMIC_RELAXED) > 5)
		usleep(1000);
	senders_stop(_metadata, self, senders, consumer);
	EXPECT_LT(5, self->wakes);
	EXPECT_LT(0, self->taken);
	EXPECT_EQ(self->taken, self->rings[0].header->producer);
}

/* One commit moves the rules from one ring to the other, under load. */
TEST_F_TIMEOUT(rings, swapped, 180)
{
	struct sender senders[VCPUS];
	unsigned int swaps = 0, ring = 0;
	pthread_t consumer;

	ASSERT_EQ(0, senders_start(self, senders, &consumer));
	mr_for_a_while(500, swaps >= 10) {
		uint32_t *producer = &self->rings[ring].header->producer;
		uint32_t before = __atomic_load_n(producer, __ATOMIC_ACQUIRE);

		/* Something has to come by each of them. */
		if (!mr_until(__atomic_load_n(producer, __ATOMIC_ACQUIRE) !=
			      before))
			break;
		ASSERT_EQ(0, COMMIT(self->guest.fd,
				    mr_rule_del(DEVICE, 2 + ring, 0, 0),
				    mr_rule_add(DEVICE, 3 - ring, 0, 0),
				    mr_rule_del(PIO_DEVICE, 2 + ring, 0, 0),
				    mr_rule_add(PIO_DEVICE, 3 - ring, 0, 0)));
		ring = !ring;
		swaps++;
	}
	senders_stop(_metadata, self, senders, consumer);
	EXPECT_LE(10, swaps);
	EXPECT_EQ(self->taken, (uint64_t)self->rings[0].header->producer +
		  self->rings[1].header->producer);
}

TEST_HARNESS_MAIN
