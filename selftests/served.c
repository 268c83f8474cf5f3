// SPDX-License-Identifier: GPL-2.0
/*
 * Guests whose device is a server's: whatever happens to the server, the
 * machine, the virtual machine or the module meanwhile, each access is seen by
 * the device once, or is left to the VMM when its server died.
 */
#include "kselftest_harness.h"
#include "ask_util.h"

#define SERVER	1
#define RING	1
#define VCPUS	3
#define SPIN	50	/* us */
#define LOAD_MS	300

/* ---- Guests ------------------------------------------------------------ */

FIXTURE(guests) {
	struct rig rig;
	struct device *device;
	struct serving serving;
	struct mr_ring ring;
	struct client clients[VCPUS];
	unsigned int nr_clients;
	bool stop;
};

FIXTURE_SETUP(guests)
{
	catch_signals();
	self->device = device_new();
	ASSERT_NE(NULL, self->device);
	self->serving.server.fd = -1;
	ASSERT_EQ(0, rig_open(&self->rig, VCPUS));
}

FIXTURE_TEARDOWN(guests)
{
	if (self->serving.child)
		serving_kill(&self->serving);
	rig_close(&self->rig);
	serving_join(&self->serving);
	mr_server_close(&self->serving.server);
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	munmap(self->device, sizeof(*self->device));
}

/* A new server for both devices; nobody serves yet. */
static int new_server(FIXTURE_DATA(guests) *self, uint32_t id,
		      uint32_t nr_slots, uint64_t timeout_usecs)
{
	int err;

	memset(&self->serving, 0, sizeof(self->serving));
	self->serving.device = self->device;
	err = mr_server_create(self->rig.fd, id, nr_slots, SPIN, timeout_usecs,
			       &self->serving.server);
	return err ? err : bind_devices(&self->rig, id);
}

static int start_process(FIXTURE_DATA(guests) *self, unsigned int nr_threads)
{
	return serving_process(&self->serving, &self->rig, nr_threads, NULL);
}

static int start_threads(FIXTURE_DATA(guests) *self, unsigned int nr_threads)
{
	return serving_threads(&self->serving, nr_threads);
}

/* All vCPUs, the last of them on ports. */
static int start_clients(FIXTURE_DATA(guests) *self)
{
	unsigned int i;
	int err = 0;

	self->nr_clients = VCPUS;
	__atomic_store_n(&self->stop, false, __ATOMIC_RELEASE);
	for (i = 0; i < VCPUS && !err; i++) {
		struct client *client = &self->clients[i];
		uint32_t numbers = client->numbers;

		*client = (struct client){
			.rig = &self->rig,
			.vcpu = &self->rig.vm.vcpus[i],
			.device = self->device,
			.pio = VM_HAS_PORTS && i == VCPUS - 1,
			.posts = self->ring.header,
			.stop = &self->stop,
			.numbers = numbers,
		};
		err = pthread_create(&client->thread, NULL, client_thread,
				     client);
	}
	return -err;
}

/* Until each vCPU has done some more; false if one does not get on. */
static bool clients_get_on(FIXTURE_DATA(guests) *self)
{
	uint32_t before[VCPUS];
	unsigned int i;
	bool ok = true;

	for (i = 0; i < VCPUS; i++)
		before[i] = client_done(&self->clients[i]);
	for (i = 0; i < VCPUS; i++)
		ok &= client_gets_on(&self->clients[i], before[i]);
	return ok;
}

/*
 * Let the vCPUs end, and look at what they and the device have seen: all of it,
 * in order; and at most @repeats accesses of each twice.
 */
static void finish_guest(struct __test_metadata *_metadata,
			 FIXTURE_DATA(guests) *self, uint32_t repeats)
{
	unsigned int i;

	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < VCPUS; i++) {
		struct client *client = &self->clients[i];
		typeof(&self->device->of[i]) of = &self->device->of[i];
		uint32_t reads, repeated;

		pthread_join(client->thread, NULL);
		device_drain(self->device);
		reads = client->numbers / (client->posts ? 4 : 1);
		EXPECT_EQ(0, client->err);
		EXPECT_EQ(0, client->mismatches);
		EXPECT_LT(0, client->numbers);
		EXPECT_EQ(client->numbers, of->last);
		EXPECT_EQ(0, of->wrong);
		EXPECT_EQ(client->numbers + of->repeated, of->writes);
		repeated = of->repeated + (of->reads - reads);
		EXPECT_LE(reads, of->reads);
		EXPECT_GE(repeats, repeated);
	}
}

static struct mregion_stats server_stats(FIXTURE_DATA(guests) *self,
					 uint32_t id)
{
	struct mregion_stats stats;

	if (mr_stats(self->rig.fd, MREGION_OBJECT_SERVER, id, &stats))
		memset(&stats, 0xff, sizeof(stats));
	return stats;
}

static uint32_t all_accesses(FIXTURE_DATA(guests) *self)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		sum += self->device->of[i].reads + self->device->of[i].writes;
	return sum;
}

static void run_for_a_while(struct __test_metadata *_metadata,
			    FIXTURE_DATA(guests) *self, uint32_t repeats)
{
	ASSERT_EQ(0, start_clients(self));
	usleep(LOAD_MS * 1000);
	EXPECT_TRUE(clients_get_on(self));
	finish_guest(_metadata, self, repeats);
}

static void expect_all_served(struct __test_metadata *_metadata,
			      FIXTURE_DATA(guests) *self)
{
	struct mregion_stats stats = server_stats(self, SERVER);

	EXPECT_EQ(0, self->device->here);
	EXPECT_EQ(all_accesses(self), self->device->served);
	EXPECT_EQ(all_accesses(self), stats.outcomes[MREGION_OUTCOME_SERVED]);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	EXPECT_GE(all_accesses(self), stats.sleeps);
}

FIXTURE_VARIANT(guests) {
	unsigned int threads;
	uint32_t nr_slots;
	bool process;
};

FIXTURE_VARIANT_ADD(guests, thread) { .threads = 1, .nr_slots = VCPUS, };
FIXTURE_VARIANT_ADD(guests, threads) { .threads = 3, .nr_slots = VCPUS, };
FIXTURE_VARIANT_ADD(guests, process) {
	.threads = 1, .nr_slots = 64, .process = true,
};
FIXTURE_VARIANT_ADD(guests, process_with_threads) {
	.threads = 3, .nr_slots = VCPUS, .process = true,
};
FIXTURE_VARIANT_ADD(guests, single_slot) {
	.threads = 2, .nr_slots = 1, .process = true,
};

static int start_guest(FIXTURE_DATA(guests) *self,
		       const FIXTURE_VARIANT(guests) *variant)
{
	int err = new_server(self, SERVER, variant->nr_slots, 0);

	if (err)
		return err;
	return variant->process ? start_process(self, variant->threads) :
				  start_threads(self, variant->threads);
}

#define GUESTS_TEST(name)	TEST_F_TIMEOUT(guests, name, 120)

GUESTS_TEST(all_is_served)
{
	ASSERT_EQ(0, start_guest(self, variant));
	run_for_a_while(_metadata, self, 0);
	expect_all_served(_metadata, self);
}

/* No answer comes while the vCPU spins: the VMM waits, and gets it. */
GUESTS_TEST(slow_server)
{
	struct mregion_stats stats;

	self->device->delay = 1000;
	ASSERT_EQ(0, start_guest(self, variant));
	run_for_a_while(_metadata, self, 0);
	expect_all_served(_metadata, self);
	stats = server_stats(self, SERVER);
	/* With too few slots, vCPUs wait for those, and not for answers. */
	if (variant->nr_slots >= VCPUS)
		EXPECT_LT(0, stats.sleeps);
}

static uint32_t interrupts(FIXTURE_DATA(guests) *self)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		sum += counted(&self->clients[i].interrupts);
	return sum;
}

/* Signals come all the time: nothing is lost and nothing done twice. */
GUESTS_TEST(signals)
{
	unsigned int i;

	self->device->delay = 300;
	ASSERT_EQ(0, start_guest(self, variant));
	ASSERT_EQ(0, start_clients(self));
	mr_for_a_while(LOAD_MS, interrupts(self)) {
		for (i = 0; i < VCPUS; i++)
			pthread_kill(self->clients[i].thread, SIGUSR1);
		usleep(300);
	}
	EXPECT_TRUE(clients_get_on(self));
	finish_guest(_metadata, self, 0);
	expect_all_served(_metadata, self);
	EXPECT_LT(0, interrupts(self));
}

static int post_writes(FIXTURE_DATA(guests) *self, uint32_t nr_entries)
{
	struct mregion_op mmio = mr_rule_add(DEV_MMIO, RING, 0, 0);
	struct mregion_op pio = mr_rule_add(DEV_PORTS, RING, 0, 0);
	int err = mr_ring_create(self->rig.fd, RING, nr_entries, -1, 0, 0,
				 &self->ring);

	if (err)
		return err;
	self->device->ring = self->ring;
	mmio.rule.flags = MREGION_RULE_POSTED;
	pio.rule.flags = MREGION_RULE_POSTED;
	return COMMIT(self->rig.fd, mmio, pio);
}

/* Writes do not wait, and reads find all that was written before. */
GUESTS_TEST(posted)
{
	struct mregion_stats stats;

	ASSERT_EQ(0, post_writes(self, 64));
	ASSERT_EQ(0, start_guest(self, variant));
	run_for_a_while(_metadata, self, 0);
	EXPECT_EQ(0, self->device->here);
	stats = server_stats(self, SERVER);
	EXPECT_EQ(self->device->served,
		  stats.outcomes[MREGION_OUTCOME_SERVED]);
	EXPECT_GT(all_accesses(self), self->device->served);
}

/* ... also where those that find the ring full are requests. */
GUESTS_TEST(posted_to_a_small_ring)
{
	ASSERT_EQ(0, post_writes(self, 2));
	self->device->delay = 200;
	ASSERT_EQ(0, start_guest(self, variant));
	run_for_a_while(_metadata, self, 0);
	EXPECT_EQ(0, self->device->here);
}

/* Posted writes wake a server that sleeps, though no request follows. */
GUESTS_TEST(posted_writes_are_seen)
{
	struct vcpu *vcpu = &self->rig.vm.vcpus[0];
	unsigned int i;

	ASSERT_EQ(0, post_writes(self, 64));
	ASSERT_EQ(0, start_guest(self, variant));
	for (i = 1; i <= 20; i++) {
		usleep(5000);
		ASSERT_EQ(0, GUEST_RUN(vcpu, mmio_write4, .addr = MMIO_BASE,
				       .number = i));
		ASSERT_EQ(VCPU_ENDED, vcpu_run(vcpu));
		ASSERT_TRUE(mr_until(counted(&self->device->of[0].last) == i));
	}
}

/* ---- Guests, whose server comes and goes ------------------------------- */

FIXTURE(chaos) {
	FIXTURE_DATA(guests) guests;
};

FIXTURE_SETUP(chaos)
{
	guests_setup(_metadata, &self->guests, NULL);
}

FIXTURE_TEARDOWN(chaos)
{
	guests_teardown(_metadata, &self->guests, NULL);
}

#define CHAOS_TEST(name)	TEST_F_TIMEOUT(chaos, name, 180)

/* Whether accesses have come to the VMM, and others to servers. */
static bool both_seen(FIXTURE_DATA(guests) *guests)
{
	return counted(&guests->device->here) &&
	       counted(&guests->device->served);
}

/* Servers are killed at any time; other ones follow after a while. */
static void kill_again_and_again(struct __test_metadata *_metadata,
				 FIXTURE_DATA(guests) *guests)
{
	unsigned int seed = 1, kills = 0;
	uint32_t served;

	ASSERT_EQ(0, start_clients(guests));
	mr_for_a_while(3 * LOAD_MS, kills >= 6 && both_seen(guests)) {
		served = counted(&guests->device->served);
		ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
		ASSERT_EQ(0, start_process(guests, 1 + kills % 3));
		/* Most of them have served something by then. */
		if (kills % 4 != 3)
			while (counted(&guests->device->served) == served)
				usleep(100);
		usleep(rand_r(&seed) % 20000);
		ASSERT_TRUE(serving_kill(&guests->serving));
		kills++;
		/* Without a server they get on, too. */
		if (kills % 3 == 0)
			ASSERT_TRUE(clients_get_on(guests));
		ASSERT_EQ(0, bind_devices(&guests->rig, 0));
		ASSERT_EQ(0, mr_server_free(guests->rig.fd, SERVER));
	}
	EXPECT_TRUE(clients_get_on(guests));
	finish_guest(_metadata, guests, kills);
	EXPECT_LT(0, guests->device->here);
	EXPECT_LT(0, guests->device->served);
	/* A kill is one in the middle of few accesses. */
	TH_LOG("%u kills; %u accesses here, %u served", kills,
	       guests->device->here, guests->device->served);
}

CHAOS_TEST(killed)
{
	kill_again_and_again(_metadata, &self->guests);
}

CHAOS_TEST(killed_while_slow)
{
	self->guests.device->delay = 500;
	kill_again_and_again(_metadata, &self->guests);
}

CHAOS_TEST(killed_with_posted_writes)
{
	ASSERT_EQ(0, post_writes(&self->guests, 16));
	kill_again_and_again(_metadata, &self->guests);
}

/* The server lives, and says nothing. */
CHAOS_TEST(silent)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	struct mregion_stats stats;
	uint64_t start;

	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 200000));
	start = mr_now_ms();
	ASSERT_EQ(0, start_clients(guests));
	ASSERT_TRUE(clients_get_on(guests));
	EXPECT_LE(199, mr_now_ms() - start);
	finish_guest(_metadata, guests, 0);
	EXPECT_EQ(all_accesses(guests), guests->device->here);
	stats = server_stats(guests, SERVER);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVED]);
	/* A dead server is found so by the vCPU, and by the VMM again. */
	EXPECT_LE(guests->device->here,
		  stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	EXPECT_GE(2 * guests->device->here,
		  stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
}

/* The server changes the machine that waits for it, and its memory. */
static void change_machine(void *data)
{
	FIXTURE_DATA(guests) *guests = data;
	static __thread unsigned int calls;
	static uint32_t errors;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int fd = guests->rig.fd, err = 0;
	void *memory = guests->rig.vm.ram;
	size_t len;

	pthread_mutex_lock(&lock);
	switch (calls++ % 5) {
	case 0:
		err = COMMIT(fd, mr_create(20, MREGION_MMIO, 0x1000),
			     mr_map(20, 1, 0x30000000, 0)) ?:
		      COMMIT(fd, mr_unmap(20), mr_free(20));
		break;
	case 1:
		err = vm_memslot(&guests->rig.vm, 1, 0x20000000, VM_RAM,
				 memory) ?:
		      vm_memslot(&guests->rig.vm, 1, 0x20000000, 0, memory);
		break;
	case 2:
		err = mr_ring_create(fd, 7, 2, -1, 0, 0, &(struct mr_ring){}) ?:
		      COMMIT(fd, mr_rule_add(DEV_MMIO, 7, 0x800, 4)) ?:
		      COMMIT(fd, mr_rule_del(DEV_MMIO, 7, 0x800, 4)) ?:
		      mr_ring_free(fd, 7);
		break;
	case 3:	/* the code that the vCPU runs */
		len = guest_count_mmio.len;
		err = memcmp(guests->rig.vm.ram +
			     vm_code(&guests->rig.vm, &guest_count_mmio),
			     guest_count_mmio.code, len) ? -EPROTO : 0;
		break;
	case 4:	/* the windows on KVM's bus change as well */
		err = COMMIT(fd, mr_create(21, MREGION_RAM, 0x1000),
			     mr_map(21, 1, 0x30000000, 1)) ?:
		      COMMIT(fd, mr_unmap(21), mr_free(21));
		break;
	}
	if (err && !errors++)
		fprintf(stderr, "# change %u: %s\n", (calls - 1) % 5,
			strerror(-err));
	if (err)
		count(&guests->device->of[0].wrong);
	pthread_mutex_unlock(&lock);
}

CHAOS_TEST(server_changes_the_machine)
{
	FIXTURE_DATA(guests) *guests = &self->guests;

	guests->device->hook = change_machine;
	guests->device->hook_data = guests;
	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_threads(guests, 2));
	ASSERT_EQ(0, start_clients(guests));
	usleep(LOAD_MS * 1000);
	EXPECT_TRUE(clients_get_on(guests));
	finish_guest(_metadata, guests, 0);
	expect_all_served(_metadata, guests);
}

/* The devices move between the VMM and the server. */
CHAOS_TEST(unbound)
{
	FIXTURE_DATA(guests) *guests = &self->guests;

	guests->device->delay = 200;
	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_process(guests, 2));
	ASSERT_EQ(0, start_clients(guests));
	mr_for_a_while(2 * LOAD_MS, both_seen(guests)) {
		ASSERT_EQ(0, bind_devices(&guests->rig, 0));
		usleep(500);
		ASSERT_EQ(0, bind_devices(&guests->rig, SERVER));
		usleep(1000);
	}
	EXPECT_TRUE(clients_get_on(guests));
	finish_guest(_metadata, guests, 0);
	EXPECT_LT(0, guests->device->here);
	EXPECT_LT(0, guests->device->served);
	EXPECT_EQ(all_accesses(guests),
		  guests->device->here + guests->device->served);
}

static bool has_served(FIXTURE_DATA(guests) *guests, uint32_t id)
{
	return server_stats(guests, id).outcomes[MREGION_OUTCOME_SERVED];
}

/* ... and between two servers. */
CHAOS_TEST(swapped)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	struct serving other = { .device = guests->device };
	uint32_t id = SERVER;

	guests->device->delay = 200;
	ASSERT_EQ(0, mr_server_create(guests->rig.fd, 2, 1, SPIN, 0,
				      &other.server));
	ASSERT_EQ(0, serving_threads(&other, 1));
	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_process(guests, 2));
	ASSERT_EQ(0, start_clients(guests));
	mr_for_a_while(LOAD_MS, has_served(guests, SERVER) &&
		       has_served(guests, 2)) {
		id = SERVER + 2 - id;
		ASSERT_EQ(0, bind_devices(&guests->rig, id));
		usleep(1000);
	}
	EXPECT_TRUE(clients_get_on(guests));
	finish_guest(_metadata, guests, 0);
	EXPECT_EQ(0, guests->device->here);
	ASSERT_EQ(0, bind_devices(&guests->rig, SERVER));
	EXPECT_TRUE(has_served(guests, SERVER));
	EXPECT_TRUE(has_served(guests, 2));
	ASSERT_EQ(0, mr_server_free(guests->rig.fd, 2));
	EXPECT_EQ(-ENODEV, serving_join(&other));
	mr_server_close(&other.server);
}

/* The devices go elsewhere while vCPUs wait for them, and come back. */
CHAOS_TEST(moved)
{
	FIXTURE_DATA(guests) *guests = &self->guests;

	guests->device->delay = 200;
	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_process(guests, 2));
	ASSERT_EQ(0, start_clients(guests));
	mr_for_a_while(2 * LOAD_MS, both_seen(guests)) {
		ASSERT_EQ(0, COMMIT(guests->rig.fd,
				    mr_move(DEV_MMIO, MMIO_AWAY),
				    mr_move(DEV_PORTS, PIO_AWAY)));
		usleep(500);
		ASSERT_EQ(0, COMMIT(guests->rig.fd,
				    mr_move(DEV_MMIO, MMIO_BASE),
				    mr_move(DEV_PORTS, PIO_BASE)));
		usleep(1000);
	}
	EXPECT_TRUE(clients_get_on(guests));
	finish_guest(_metadata, guests, 0);
	EXPECT_LT(0, guests->device->here);
	EXPECT_LT(0, guests->device->served);
}

/* The regions are freed while vCPUs wait, and others are in their place. */
CHAOS_TEST(freed)
{
	FIXTURE_DATA(guests) *guests = &self->guests;

	guests->device->delay = 200;
	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_process(guests, 2));
	ASSERT_EQ(0, start_clients(guests));
	mr_for_a_while(2 * LOAD_MS, both_seen(guests)) {
		ASSERT_EQ(0, COMMIT(guests->rig.fd, mr_unmap(DEV_MMIO),
				    mr_free(DEV_MMIO), mr_unmap(DEV_PORTS),
				    mr_free(DEV_PORTS)));
		usleep(300);
		ASSERT_EQ(0, COMMIT(guests->rig.fd,
				    dev_create(DEV_MMIO, DEV_LEN),
				    mr_map(DEV_MMIO, 1, MMIO_BASE, 0),
				    mr_set_server(DEV_MMIO, SERVER),
				    dev_create(DEV_PORTS, DEV_PORTS_LEN),
				    mr_map(DEV_PORTS, 4, PIO_BASE, 0),
				    mr_set_server(DEV_PORTS, SERVER)));
		usleep(1000);
	}
	EXPECT_TRUE(clients_get_on(guests));
	finish_guest(_metadata, guests, 0);
	EXPECT_LT(0, guests->device->here);
	EXPECT_LT(0, guests->device->served);
}

/* Detached and attached again; its exits are completed before. */
CHAOS_TEST(detached)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	struct rig *rig = &guests->rig;

	guests->device->delay = 200;
	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_process(guests, 2));
	mr_for_a_while(2 * LOAD_MS, counted(&guests->device->served)) {
		ASSERT_EQ(0, start_clients(guests));
		EXPECT_TRUE(clients_get_on(guests));
		finish_guest(_metadata, guests, 0);
		ASSERT_EQ(0, mr_detach(rig->fd, rig->vm.fd));
		usleep(1000);
		ASSERT_EQ(0, mr_attach(rig->fd, rig->vm.fd, DEV_MEMORY,
				       DEV_PIO, NULL));
	}
	EXPECT_LT(0, guests->device->served);
}

/* Interrupt all vCPUs' threads, wherever they are, until they have ended. */
static void interrupt_clients(FIXTURE_DATA(guests) *guests)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		pthread_kill(guests->clients[i].thread, SIGUSR1);
}

/*
 * The machine is closed while vCPUs wait: the VMM is in an ioctl on it then,
 * which a signal or an answer ends. What the server was at, the VMM does again.
 */
CHAOS_TEST(machine_closed)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	uint64_t deadline = mr_now_ms() + 3 * LOAD_MS;
	unsigned int round, i;
	int fd;

	guests->device->delay = 300;
	for (round = 0; mr_now_ms() < deadline || round < 2; round++) {
		device_close(guests->device, false);
		ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
		ASSERT_EQ(0, round % 2 ? start_process(guests, 2) :
					 start_threads(guests, 2));
		ASSERT_EQ(0, start_clients(guests));
		usleep(3000 * (round % 5));
		device_close(guests->device, true);
		fd = guests->rig.fd;
		__atomic_store_n(&guests->rig.fd, -1, __ATOMIC_RELEASE);
		close(fd);
		interrupt_clients(guests);
		ASSERT_TRUE(clients_get_on(guests));
		finish_guest(_metadata, guests, round + 1);
		if (round % 2) {
			/* It sees the end of it by itself. */
			EXPECT_EQ(guests->serving.child,
				  waitpid(guests->serving.child, NULL, 0));
			guests->serving.child = 0;
		} else {
			EXPECT_EQ(-ENODEV, serving_join(&guests->serving));
		}
		mr_server_close(&guests->serving.server);
		rig_close(&guests->rig);
		ASSERT_EQ(0, rig_open(&guests->rig, VCPUS));
		for (i = 0; i < VCPUS; i++)
			ASSERT_EQ(guests->clients[i].numbers,
				  guests->device->of[i].last);
	}
}

/* A server that never answers, a machine that is closed: signals are enough. */
CHAOS_TEST(machine_closed_while_silent)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	int fd;

	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	ASSERT_EQ(0, start_clients(guests));
	usleep(50000);
	EXPECT_EQ(0, guests->device->here);
	fd = guests->rig.fd;
	__atomic_store_n(&guests->rig.fd, -1, __ATOMIC_RELEASE);
	close(fd);
	while (!guests->clients[0].numbers || !guests->clients[1].numbers ||
	       !guests->clients[2].numbers) {
		interrupt_clients(guests);
		usleep(1000);
	}
	finish_guest(_metadata, guests, 0);
	mr_server_seen(&guests->serving.server,
		       mr_server_events(&guests->serving.server));
	EXPECT_EQ(-ENODEV, mr_server_wait(&guests->serving.server, 0));
}

/*
 * The virtual machine is closed with requests under way, in all slots. What its
 * vCPUs have left with the server is none of the next one's, nor in its way.
 */
CHAOS_TEST(virtual_machine_closed)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	uint64_t deadline = mr_now_ms() + 2 * LOAD_MS;
	struct mr_server *server = &guests->serving.server;
	struct rig *rig = &guests->rig;
	unsigned int round, i, taken;
	uint32_t numbers[VCPUS];
	int slots[VCPUS];
	struct asker asker;

	ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
	for (round = 0; mr_now_ms() < deadline || round < 4; round++) {
		for (i = 0; i < VCPUS; i++) {
			ASSERT_EQ(0, GUEST_RUN(&rig->vm.vcpus[i], mmio_read4,
					       .addr = MMIO_BASE + 8 * i));
			ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&rig->vm.vcpus[i]));
		}
		/* Some of them are taken, and some of those answered. */
		taken = round % (VCPUS + 1);
		for (i = 0; i < taken; i++) {
			slots[i] = take(server, &numbers[i]);
			ASSERT_LE(0, slots[i]);
		}
		if (taken)
			mr_server_answer(server, slots[0], numbers[0], 0xdead);
		vm_free(&rig->vm);
		ASSERT_EQ(0, vm_create(&rig->vm, VCPUS));
		ASSERT_EQ(0, mr_attach(rig->fd, rig->vm.fd, DEV_MEMORY,
				       DEV_PIO, NULL));
		ask_vm_fd = rig->vm.fd;
		for (i = 1; i < taken; i++)
			mr_server_answer(server, slots[i], numbers[i], 0xdead);
		/* The same again, of the next one's. */
		for (i = 0; i < VCPUS; i++) {
			ASSERT_EQ(0, GUEST_RUN(&rig->vm.vcpus[i], mmio_read4,
					       .addr = MMIO_BASE + 8 * i));
			ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&rig->vm.vcpus[i]));
			ASSERT_EQ(0, ask(&asker, rig->fd, MMIO_BASE + 8 * i, 4,
					 false, 0, i));
			slots[0] = take(server, &numbers[0]);
			ASSERT_LE(0, slots[0]);
			EXPECT_EQ(8 * i, server->slots[slots[0]].offset);
			mr_server_answer(server, slots[0], numbers[0], i + 1);
			EXPECT_EQ(i + 1, answer_of(&asker));
			ASSERT_EQ(VCPU_ENDED, vcpu_run(&rig->vm.vcpus[i]));
		}
	}
}

/* ---- The module -------------------------------------------------------- */

struct unloader {
	pthread_t thread;
	bool stop;
	unsigned long tries;
	int err;		/* the first that was not EAGAIN */
};

static void *unloader_thread(void *arg)
{
	struct unloader *unloader = arg;
	int err;

	while (!__atomic_load_n(&unloader->stop, __ATOMIC_ACQUIRE)) {
		err = mr_module_unload();
		if (err != -EAGAIN) {
			unloader->err = err ? err : 1;
			break;
		}
		__atomic_add_fetch(&unloader->tries, 1, __ATOMIC_RELAXED);
		usleep(500);
	}
	return NULL;
}

/* It is tried all the time, while servers come and go. */
CHAOS_TEST(unload_refused_under_load)
{
	FIXTURE_DATA(guests) *guests = &self->guests;
	struct unloader unloader = {};
	unsigned int kills = 0;

	if (!mr_module_can_unload())
		SKIP(return, "modules cannot be unloaded here");
	ASSERT_EQ(0, pthread_create(&unloader.thread, NULL, unloader_thread,
				    &unloader));
	ASSERT_EQ(0, start_clients(guests));
	mr_for_a_while(2 * LOAD_MS, kills >= 2 &&
		       __atomic_load_n(&unloader.tries, __ATOMIC_RELAXED)) {
		ASSERT_EQ(0, new_server(guests, SERVER, VCPUS, 0));
		ASSERT_EQ(0, start_process(guests, 2));
		ASSERT_TRUE(clients_get_on(guests));
		ASSERT_TRUE(serving_kill(&guests->serving));
		kills++;
		ASSERT_EQ(0, bind_devices(&guests->rig, 0));
		ASSERT_EQ(0, mr_server_free(guests->rig.fd, SERVER));
	}
	finish_guest(_metadata, guests, kills);
	__atomic_store_n(&unloader.stop, true, __ATOMIC_RELEASE);
	pthread_join(unloader.thread, NULL);
	EXPECT_EQ(0, unloader.err);
	EXPECT_LT(0, unloader.tries);
}

TEST_HARNESS_MAIN
