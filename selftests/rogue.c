// SPDX-License-Identifier: GPL-2.0
/*
 * Servers that misbehave: they harm nobody but who asks them. Beside one, an
 * honest server and a ring of the same virtual machine lose and repeat nothing;
 * and nobody waits for it any more once it is killed, or its time is up.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "ask_util.h"

#define HONEST		1
#define ROGUE		2
#define RING		1
#define SPIN		50	/* us */
#define SLOTS		4
#define ROGUE_MS	80	/* that one of them lives */
#define LOAD_MS		250

#define ROGUE_MMIO	6	/* regions */
#define ROGUE_PORTS	7
#define ROGUE_BASE	0x18000000u
#define ROGUE_PIO_BASE	0x600u
#define RINGED_BASE	0x20000000u	/* of DEV_PORTS, where there are no ports */

/* ---- What the kernel trusts -------------------------------------------- */

FIXTURE(trust) {
	struct mr_server server;
	struct mregion_server_slot *slot;
	int fd;
};

FIXTURE_SETUP(trust)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_server_create(self->fd, ROGUE, 1, SPIN, 0,
				      &self->server));
	ASSERT_EQ(0, COMMIT(self->fd, dev_create(1, 0x1000),
			    mr_space(DEV_MEMORY, 1), mr_set_server(1, ROGUE)));
	self->slot = self->server.slots;
}

FIXTURE_TEARDOWN(trust)
{
	mr_server_close(&self->server);
	close(self->fd);
}

/* Somebody reads a register. */
static int ask_for_it(struct asker *asker, int fd)
{
	return ask(asker, fd, 8, 4, false, 0, MREGION_NO_VCPU);
}

static bool is_answered(struct asker *asker)
{
	usleep(30000);
	return __atomic_load_n(&asker->done, __ATOMIC_ACQUIRE);
}

/* Take the request, by its slot alone: the header may be nonsense. */
static bool take_it(struct mr_server *server, uint32_t *number)
{
	bool taken = false;

	return mr_until(taken ||
			(taken = mr_server_take_slot(server, 0, number)));
}

static void set_state(struct mr_server *server, uint32_t state)
{
	__atomic_store_n(&server->slots[0].state, state, __ATOMIC_SEQ_CST);
	mr_server_wake(server, 0);
}

TEST_F(trust, answered_twice)
{
	struct asker asker;
	uint32_t number, old, i;

	ASSERT_EQ(0, ask_for_it(&asker, self->fd));
	ASSERT_TRUE(take_it(&self->server, &old));
	mr_server_answer(&self->server, 0, old, 0x11);
	EXPECT_EQ(0x11, answer_of(&asker));
	for (i = 0; i < 3; i++) {
		/* Once more while nobody asks, and while somebody does. */
		self->slot->data = 0x22;
		set_state(&self->server, old | MREGION_SERVER_ANSWERED);
		ASSERT_EQ(0, ask_for_it(&asker, self->fd));
		ASSERT_TRUE(take_it(&self->server, &number));
		EXPECT_NE(old, number);
		self->slot->data = 0x33;
		set_state(&self->server, old | MREGION_SERVER_ANSWERED);
		EXPECT_FALSE(is_answered(&asker));
		mr_server_answer(&self->server, 0, number, 0x44);
		EXPECT_EQ(0x44, answer_of(&asker));
		old = number;
	}
}

TEST_F(trust, of_another_number)
{
	struct asker asker;
	uint32_t number, i;

	for (i = 1; i < 40; i++) {
		ASSERT_EQ(0, ask_for_it(&asker, self->fd));
		ASSERT_TRUE(take_it(&self->server, &number));
		self->slot->data = 0x55;
		set_state(&self->server, (number + 4 * i) |
			  MREGION_SERVER_ANSWERED);
		set_state(&self->server, (number - 4 * i) |
			  MREGION_SERVER_ANSWERED);
		set_state(&self->server, (number ^ 1u << (2 + i % 30)) |
			  MREGION_SERVER_ANSWERED);
		if (i % 8 == 0)
			EXPECT_FALSE(is_answered(&asker));
		/* Other states of the right one are none either. */
		set_state(&self->server, number | MREGION_SERVER_REQUEST);
		set_state(&self->server, number);
		if (i % 8 == 1)
			EXPECT_FALSE(is_answered(&asker));
		mr_server_answer(&self->server, 0, number, i);
		EXPECT_EQ(i, answer_of(&asker));
	}
}

/* An answer that lies ready is overwritten by the request. */
TEST_F(trust, before_the_question)
{
	struct asker asker;
	uint32_t number, state, i;

	for (i = 0; i < 8; i++) {
		state = self->slot->state;
		EXPECT_EQ(MREGION_SERVER_IDLE, state & MREGION_SERVER_STATE);
		self->slot->data = 0x66;
		set_state(&self->server, (state + 4 * (i % 3)) |
			  MREGION_SERVER_ANSWERED);
		ASSERT_EQ(0, ask_for_it(&asker, self->fd));
		ASSERT_TRUE(take_it(&self->server, &number));
		mr_server_answer(&self->server, 0, number, i);
		EXPECT_EQ(i, answer_of(&asker));
	}
}

/* Whatever it says about itself, the kernel goes by what it knows. */
TEST_F(trust, the_rest_is_not_read)
{
	struct mregion_server_slot nonsense;
	struct asker asker;
	uint32_t number, i;

	memset(&nonsense, 0xff, sizeof(nonsense));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, ask_for_it(&asker, self->fd));
		ASSERT_TRUE(take_it(&self->server, &number));
		EXPECT_EQ(8, self->slot->offset);
		EXPECT_EQ(4, self->slot->len);
		EXPECT_EQ(1, self->slot->region);
		/* sleeping, too */
		memcpy((uint8_t *)self->slot + 4, (uint8_t *)&nonsense + 4,
		       sizeof(nonsense) - 4);
		memset(self->server.header, i, MREGION_SERVER_SLOTS);
		self->slot->data = 0x8877665500000000 | i;
		set_state(&self->server, number | MREGION_SERVER_ANSWERED);
		EXPECT_EQ(i, answer_of(&asker));
		EXPECT_EQ(-EINVAL, mr_server_wake(&self->server, 1));
	}
}

/* ---- Servers that cannot run ------------------------------------------- */

#define HELD_MS		600	/* the server's timeout */
#define CGROUP		"/tmp/mregion-rogue.cgroup"
#define FROZEN		CGROUP "/mregion-rogue"

FIXTURE(held) {
	struct mr_server server;
	struct device *device;
	pid_t child;
	int fd;
};

FIXTURE_VARIANT(held) {
	uint32_t nr_slots;
	bool cgroup;		/* frozen, rather than stopped */
};

FIXTURE_VARIANT_ADD(held, stopped) { .nr_slots = 2 };
FIXTURE_VARIANT_ADD(held, frozen) { .nr_slots = 2, .cgroup = true };
/* One of two accesses waits for a slot. */
FIXTURE_VARIANT_ADD(held, stopped_and_full) { .nr_slots = 1 };

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), ret = -errno;

	if (fd < 0)
		return ret;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int join_cgroup(pid_t child)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", child);
	if ((mkdir(CGROUP, 0700) && errno != EEXIST) ||
	    mount("none", CGROUP, "cgroup2", 0, NULL) ||
	    (mkdir(FROZEN, 0700) && errno != EEXIST))
		return -errno;
	return write_to(FROZEN "/cgroup.procs", pid);
}

static bool is_frozen(void)
{
	char text[256] = "";
	int fd = open(FROZEN "/cgroup.events", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strstr(text, "frozen 1");
}

static int hold(FIXTURE_DATA(held) *self, bool cgroup)
{
	int err, status;

	if (!cgroup) {
		if (kill(self->child, SIGSTOP) ||
		    waitpid(self->child, &status, WUNTRACED) != self->child)
			return -errno;
		return WIFSTOPPED(status) ? 0 : -ECHILD;
	}
	err = write_to(FROZEN "/cgroup.freeze", "1");
	return err ? err : mr_until(is_frozen()) ? 0 : -ETIMEDOUT;
}

static int let_go(FIXTURE_DATA(held) *self, bool cgroup)
{
	if (cgroup)
		return write_to(FROZEN "/cgroup.freeze", "0");
	return kill(self->child, SIGCONT) ? -errno : 0;
}

FIXTURE_SETUP(held)
{
	self->device = device_new();
	ASSERT_NE(NULL, self->device);
	self->device->quiet = true;
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_server_create(self->fd, HONEST, variant->nr_slots, SPIN,
				      HELD_MS * 1000, &self->server));
	ASSERT_EQ(0, COMMIT(self->fd, dev_create(1, 0x1000),
			    mr_space(DEV_MEMORY, 1), mr_set_server(1, HONEST)));
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(self->fd);
		/* the first access may find it before it has slept */
		mr_server_wait(&self->server, 1);
		serve(&self->server, self->device);
		_exit(1);
	}
	mr_server_close(&self->server);
	if (variant->cgroup)
		ASSERT_EQ(0, join_cgroup(self->child));
}

FIXTURE_TEARDOWN(held)
{
	kill(self->child, SIGKILL);
	waitpid(self->child, NULL, 0);
	close(self->fd);
	if (variant->cgroup) {
		/* as soon as it is empty */
		EXPECT_TRUE(mr_until(!rmdir(FROZEN) || errno == ENOENT));
		umount(CGROUP);
		rmdir(CGROUP);
	}
}

static bool is_served(struct asker *asker)
{
	pthread_join(asker->thread, NULL);
	return !asker->err && asker->access.handled &&
	       asker->access.outcome == MREGION_OUTCOME_SERVED;
}

/* Whether the kernel has logged something since @kmsg was opened. */
static bool is_logged(int kmsg, const char *what)
{
	char line[1024];
	ssize_t len;

	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		if (strstr(line, what))
			return true;
	}
	return false;
}

/* Its time does not pass; and it does once the server can run again. */
TEST_F(held, is_waited_for)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct asker askers[2];
	unsigned int round, i;

	ASSERT_LE(0, kmsg);
	ASSERT_LE(0, lseek(kmsg, 0, SEEK_END));

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, ask_for_it(&askers[0], self->fd));
		EXPECT_TRUE(is_served(&askers[0]));
		ASSERT_EQ(0, hold(self, variant->cgroup));
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, ask_for_it(&askers[i], self->fd));
		usleep(3 * HELD_MS * 1000);
		for (i = 0; i < 2; i++)
			EXPECT_FALSE(is_answered(&askers[i]));
		ASSERT_EQ(0, let_go(self, variant->cgroup));
		for (i = 0; i < 2; i++)
			EXPECT_TRUE(is_served(&askers[i]));
	}
	/* From now on it takes too long. */
	self->device->delay = 20 * HELD_MS * 1000;
	ASSERT_EQ(0, ask_for_it(&askers[0], self->fd));
	usleep(HELD_MS * 1000 / 8);
	ASSERT_EQ(0, hold(self, variant->cgroup));
	usleep(2 * HELD_MS * 1000);
	EXPECT_FALSE(is_answered(&askers[0]));
	ASSERT_EQ(0, let_go(self, variant->cgroup));
	pthread_join(askers[0].thread, NULL);
	EXPECT_EQ(0, askers[0].err);
	EXPECT_EQ(MREGION_OUTCOME_SERVER_EXIT, askers[0].access.outcome);
	EXPECT_TRUE(is_logged(kmsg, "has taken more than 600 ms"));
	close(kmsg);
}

/* ---- Rogues ------------------------------------------------------------ */

/* Answer all there is, by the slots alone. */
static void answer_all(struct mr_server *server, uint64_t data)
{
	uint32_t slot, number;

	for (slot = 0; slot < server->nr_slots; slot++)
		if (mr_server_take_slot(server, slot, &number))
			mr_server_answer(server, slot, number, data);
}

static void answers_twice(struct serving *serving)
{
	struct mr_server *server = &serving->server;
	uint32_t slot, number, old[SLOTS] = {};

	for (;;) {
		for (slot = 0; slot < SLOTS; slot++) {
			if (!mr_server_take_slot(server, slot, &number))
				continue;
			mr_server_answer(server, slot, number, number);
			server->slots[slot].data = ~0ull;
			mr_server_answer(server, slot, number, 1);
			mr_server_answer(server, slot, old[slot], 2);
			mr_server_answer(server, slot, number, 3);
			old[slot] = number;
		}
	}
}

/* Answers for whoever has not asked, of all numbers near those in use. */
static void answers_unasked(struct serving *serving)
{
	struct mr_server *server = &serving->server;
	uint32_t slot, state, i;

	for (i = 0; ; i++) {
		for (slot = 0; slot < SLOTS; slot++) {
			state = server->slots[slot].state;
			if ((state & MREGION_SERVER_STATE) !=
			    MREGION_SERVER_IDLE)
				continue;
			state += 4 * (i % 5) - 8;
			mr_server_answer(server, slot, state & ~3u, i);
		}
		if (i % 4 == 0)
			answer_all(server, i);
	}
}

/* Takes its time, so that some of who asks has gone meanwhile. */
static void answers_late(struct serving *serving)
{
	struct mr_server *server = &serving->server;
	uint32_t slot, numbers[SLOTS];
	bool taken[SLOTS];

	for (;;) {
		for (slot = 0; slot < SLOTS; slot++)
			taken[slot] = mr_server_take_slot(server, slot,
							  &numbers[slot]);
		usleep(8000);
		for (slot = 0; slot < SLOTS; slot++)
			if (taken[slot])
				mr_server_answer(server, slot, numbers[slot],
						 slot);
	}
}

static void scribbles(struct serving *serving)
{
	struct mr_server *server = &serving->server;
	uint32_t *words = (uint32_t *)server->header;
	size_t nr = server->bytes / 4, i;
	unsigned int seed = getpid();

	/* There is time to say something true, too. */
	for (;;) {
		for (i = 0; i < 1000; i++)
			__atomic_store_n(&words[(size_t)rand_r(&seed) % nr],
					 rand_r(&seed) * 5u, __ATOMIC_RELAXED);
		for (i = MREGION_SERVER_SLOTS / 4; i < nr; i++)
			words[i] ^= rand_r(&seed) & 7;
		memset(server->slots, rand_r(&seed),
		       SLOTS * sizeof(*server->slots));
		answer_all(server, seed);
	}
}

static void scribbles_over_header(struct serving *serving)
{
	struct mregion_server_header *header = serving->server.header;
	unsigned int seed = getpid(), i;

	for (;;) {
		header->seen = rand_r(&seed) & 1 ? header->events : seed;
		header->events = rand_r(&seed);
		header->nr_slots = rand_r(&seed);
		for (i = 0; i < 4; i++)
			header->pending[i] = rand_r(&seed) & 1 ? ~0ull : 0;
		answer_all(&serving->server, seed);
		if (rand_r(&seed) % 16 == 0)
			mr_server_wait(&serving->server, 100);
	}
}

static void *wakes_thread(void *arg)
{
	struct serving *serving = arg;
	uint32_t i;

	for (i = 0; ; i++)
		mr_server_wake(&serving->server, i % (SLOTS + 1));
	return NULL;
}

static void wakes(struct serving *serving)
{
	pthread_t thread;
	uint32_t i;

	if (pthread_create(&thread, NULL, wakes_thread, serving))
		_exit(1);
	for (;;) {
		for (i = 0; i < SLOTS; i++)
			mr_server_wake(&serving->server, i);
		answer_all(&serving->server, i);
		mr_server_wait(&serving->server, 1);
	}
}

static void maps(struct serving *serving)
{
	struct mr_server *server = &serving->server, other;
	uint32_t i;

	for (i = 0; ; i++) {
		other = *server;
		if (mr_server_map(&other))
			_exit(1);
		answer_all(&other, i);
		munmap(server->header, server->bytes);
		*server = other;
		if (i % 3 == 0) {
			other.fd = dup(server->fd);
			close(server->fd);
			server->fd = other.fd;
		}
		madvise(server->header, server->bytes, MADV_DONTNEED);
		mprotect(server->header, server->bytes, PROT_READ);
		mprotect(server->header, server->bytes,
			 PROT_READ | PROT_WRITE);
	}
}

/* Takes everything, and answers nothing. */
static void takes(struct serving *serving)
{
	uint32_t slot, number;

	for (;;) {
		for (slot = 0; slot < SLOTS; slot++)
			mr_server_take_slot(&serving->server, slot, &number);
		usleep(100);
	}
}

static void sleeps(struct serving *serving)
{
	(void)serving;
	for (;;)
		pause();
}

/* Goes away by itself, as soon as somebody needs it. */
static void goes(struct serving *serving)
{
	while (!mr_server_events(&serving->server))
		;
	usleep(200);
	mr_server_close(&serving->server);
	for (;;)
		pause();
}

FIXTURE(rogue) {
	struct rig rig;
	struct device *honest, *ringed, *rogue;	/* the devices */
	struct serving server, other;		/* the honest one's, and not */
	struct mr_ring ring;
	struct client clients[4];	/* two of the rogue's, and one each */
	pthread_t prober;
	unsigned long probes;
	uint64_t forwarded;	/* to others than the present rogue */
	bool stop;
};

FIXTURE_VARIANT(rogue) {
	void (*run)(struct serving *serving);
};

#define ROGUE_THAT(_name) \
	FIXTURE_VARIANT_ADD(rogue, _name) { .run = _name, }

ROGUE_THAT(answers_twice);
ROGUE_THAT(answers_unasked);
ROGUE_THAT(answers_late);
ROGUE_THAT(scribbles);
ROGUE_THAT(scribbles_over_header);
ROGUE_THAT(wakes);
ROGUE_THAT(maps);
ROGUE_THAT(takes);
ROGUE_THAT(sleeps);
ROGUE_THAT(goes);

FIXTURE_SETUP(rogue)
{
	int fd;

	catch_signals();
	self->other.server.fd = -1;
	self->honest = device_new();
	self->ringed = device_new();
	self->rogue = device_new();
	ASSERT_TRUE(self->honest && self->ringed && self->rogue);
	self->rogue->quiet = true;
	ASSERT_EQ(0, rig_open(&self->rig, 4));
	fd = self->rig.fd;
	ASSERT_EQ(0, mr_ring_create(fd, RING, 64, -1, 0, 0, &self->ring));
	self->ringed->ring = self->ring;
	ASSERT_EQ(0, mr_server_create(fd, HONEST, SLOTS, SPIN, 0,
				      &self->server.server));
	ASSERT_EQ(0, COMMIT(fd, mr_set_server(DEV_MMIO, HONEST),
			    mr_rule_add(DEV_PORTS, RING, 0, 0),
			    dev_create(ROGUE_MMIO, DEV_LEN),
			    mr_map(ROGUE_MMIO, 1, ROGUE_BASE, 0),
			    dev_create(ROGUE_PORTS, DEV_PORTS_LEN),
			    mr_map(ROGUE_PORTS, 4, ROGUE_PIO_BASE, 0)));
	if (!VM_HAS_PORTS)
		ASSERT_EQ(0, COMMIT(fd, mr_unmap(DEV_PORTS),
				    mr_map(DEV_PORTS, 1, RINGED_BASE, 0)));
	self->server.device = self->honest;
	ASSERT_EQ(0, serving_process(&self->server, &self->rig, 1, NULL));
}

FIXTURE_TEARDOWN(rogue)
{
	if (self->other.child)
		serving_kill(&self->other);
	if (self->server.child)
		serving_kill(&self->server);
	rig_close(&self->rig);
	mr_ring_unmap(&self->ring);
}

/*
 * Asks the rogue on nobody's behalf, so that a signal withdraws the request, unless
 * it has been taken.
 */
static void *prober_thread(void *arg)
{
	FIXTURE_DATA(rogue) *self = arg;
	struct mregion_access access;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE)) {
		mr_read(self->rig.fd, DEV_MEMORY, ROGUE_BASE + 0x100, 4,
			&access);
		__atomic_add_fetch(&self->probes, 1, __ATOMIC_SEQ_CST);
		usleep(100);
	}
	return NULL;
}

static int start_clients(FIXTURE_DATA(rogue) *self)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < 4 && !err; i++) {
		struct client *client = &self->clients[i];

		*client = (struct client){
			.rig = &self->rig,
			.vcpu = &self->rig.vm.vcpus[i],
			.device = i < 2 ? self->rogue :
				  i == 2 ? self->honest : self->ringed,
			.pio = VM_HAS_PORTS && i & 1,
			.posts = i == 3,
			.region_base = i == 0 ? ROGUE_BASE :
				       VM_HAS_PORTS ?
				       (i == 1 ? ROGUE_PIO_BASE : 0) :
				       i == 1 ? ROGUE_BASE :
				       i == 3 ? RINGED_BASE : 0,
			.stop = &self->stop,
		};
		err = pthread_create(&client->thread, NULL, client_thread,
				     client);
	}
	if (!err)
		err = pthread_create(&self->prober, NULL, prober_thread, self);
	return -err;
}

/* Until some clients have done more; false if one does not get on. */
static bool get_on(FIXTURE_DATA(rogue) *self, unsigned int first,
		   unsigned int last)
{
	uint32_t before[4];
	unsigned int i;
	bool ok = true;

	for (i = first; i <= last; i++)
		before[i] = client_done(&self->clients[i]);
	for (i = first; i <= last; i++)
		ok &= client_gets_on(&self->clients[i], before[i]);
	return ok;
}

/* The prober, too, waits for nothing but the server: signals end that. */
static void interrupt_all(FIXTURE_DATA(rogue) *self)
{
	pthread_kill(self->prober, SIGUSR1);
	pthread_kill(self->clients[0].thread, SIGUSR1);
	pthread_kill(self->clients[1].thread, SIGUSR1);
}

/* Accesses to the rogue's regions that went to a server of theirs. */
static uint64_t forwarded(FIXTURE_DATA(rogue) *self)
{
	static const uint32_t regions[] = { ROGUE_MMIO, ROGUE_PORTS };
	struct mregion_stats stats;
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (!mr_stats(self->rig.fd, MREGION_OBJECT_REGION, regions[i],
			      &stats))
			sum += stats.outcomes[MREGION_OUTCOME_SERVED];
	return sum;
}

static int new_rogue(FIXTURE_DATA(rogue) *self, uint64_t timeout_usecs,
		     void (*run)(struct serving *serving))
{
	int err;

	memset(&self->other, 0, sizeof(self->other));
	self->forwarded = forwarded(self);
	err = mr_server_create(self->rig.fd, ROGUE, SLOTS, SPIN, timeout_usecs,
			       &self->other.server);
	if (!err)
		err = COMMIT(self->rig.fd, mr_set_server(ROGUE_MMIO, ROGUE),
			     mr_set_server(ROGUE_PORTS, ROGUE));
	return err ?: serving_process(&self->other, &self->rig, 1, run);
}

/* Whether the rogue has been asked. */
static bool is_asked(FIXTURE_DATA(rogue) *self)
{
	interrupt_all(self);
	/* Time for the guests: by nothing but signals they would not get on. */
	usleep(10000);
	return forwarded(self) > self->forwarded;
}

static int free_rogue(FIXTURE_DATA(rogue) *self)
{
	int err = COMMIT(self->rig.fd, mr_set_server(ROGUE_MMIO, 0),
			 mr_set_server(ROGUE_PORTS, 0));

	return err ?: mr_server_free(self->rig.fd, ROGUE);
}

/* Everybody ends; the honest device and the ring have seen what they should. */
static void finish(struct __test_metadata *_metadata,
		   FIXTURE_DATA(rogue) *self)
{
	struct mregion_stats stats;
	unsigned int i;

	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	interrupt_all(self);
	for (i = 0; i < 4; i++) {
		pthread_join(self->clients[i].thread, NULL);
		EXPECT_EQ(0, self->clients[i].err);
	}
	pthread_join(self->prober, NULL);
	EXPECT_LT(0, self->probes);
	device_drain(self->ringed);
	for (i = 2; i < 4; i++) {
		struct client *client = &self->clients[i];

		EXPECT_EQ(0, client->mismatches);
		EXPECT_LT(0, client->numbers);
		EXPECT_EQ(0, client->device->of[i].wrong);
		EXPECT_EQ(0, client->device->of[i].repeated);
		EXPECT_EQ(client->numbers, client->device->of[i].writes);
		EXPECT_EQ(client->numbers / (i == 3 ? 4 : 1),
			  client->device->of[i].reads);
	}
	EXPECT_EQ(0, self->honest->here);
	EXPECT_EQ(2 * self->clients[2].numbers, self->honest->served);
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_SERVER, HONEST,
			      &stats));
	EXPECT_EQ(self->honest->served, stats.outcomes[MREGION_OUTCOME_SERVED]);
	EXPECT_EQ(0, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	/* It has answered all, and lives. */
	EXPECT_TRUE(serving_kill(&self->server));
}

TEST_F_TIMEOUT(rogue, killed, 180)
{
	uint64_t deadline = mr_now_ms() + LOAD_MS, until;
	unsigned int rounds = 0;

	ASSERT_EQ(0, start_clients(self));
	while (mr_now_ms() < deadline || rounds < 2) {
		ASSERT_EQ(0, new_rogue(self, 0, variant->run));
		until = mr_now_ms() + ROGUE_MS;
		while (mr_now_ms() < until) {
			interrupt_all(self);
			usleep(2000);
		}
		/* It was not left alone. */
		EXPECT_TRUE(mr_until(is_asked(self)));
		/* The others do not suffer; and nor does anybody after it. */
		EXPECT_TRUE(get_on(self, 2, 3));
		EXPECT_TRUE(serving_kill(&self->other));
		EXPECT_TRUE(get_on(self, 0, 3));
		ASSERT_EQ(0, free_rogue(self));
		rounds++;
	}
	finish(_metadata, self);
}

/* With a time limit nobody has to kill it. */
TEST_F_TIMEOUT(rogue, limited, 180)
{
	ASSERT_EQ(0, start_clients(self));
	ASSERT_EQ(0, new_rogue(self, 100000, variant->run));
	EXPECT_TRUE(get_on(self, 0, 3));
	EXPECT_TRUE(get_on(self, 0, 3));
	usleep(ROGUE_MS * 1000);
	EXPECT_TRUE(get_on(self, 0, 3));
	EXPECT_TRUE(is_asked(self));
	finish(_metadata, self);
	EXPECT_TRUE(serving_kill(&self->other));
	EXPECT_EQ(0, free_rogue(self));
}

/* Freed while it is at it, and another takes over. */
TEST_F_TIMEOUT(rogue, replaced, 180)
{
	struct serving old;

	ASSERT_EQ(0, start_clients(self));
	ASSERT_EQ(0, new_rogue(self, 0, variant->run));
	EXPECT_TRUE(mr_until(is_asked(self)));
	usleep(20000);
	ASSERT_EQ(0, free_rogue(self));
	EXPECT_TRUE(get_on(self, 0, 3));
	old = self->other;
	ASSERT_EQ(0, new_rogue(self, 0, variant->run));
	EXPECT_TRUE(mr_until(is_asked(self)));
	usleep(50000);
	EXPECT_TRUE(get_on(self, 2, 3));
	ASSERT_EQ(0, free_rogue(self));
	EXPECT_TRUE(get_on(self, 0, 3));
	EXPECT_TRUE(serving_kill(&old));
	finish(_metadata, self);
	EXPECT_TRUE(serving_kill(&self->other));
}

TEST_HARNESS_MAIN
