/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of servers, as <linux/mregion.h> has it and no further; a device
 * that keeps account of what it sees; and guests that access it.
 *
 * Functions that return int return 0 (or a count) or a negative errno.
 */
#ifndef SERVER_UTIL_H
#define SERVER_UTIL_H

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "device_util.h"

static inline void server_no_op(int signal)
{
	(void)signal;
}

/* SIGUSR1 does nothing but end what waits. */
static inline void catch_signals(void)
{
	struct sigaction action = { .sa_handler = server_no_op };

	sigaction(SIGUSR1, &action, NULL);
}

/* ---- A server's descriptor and memory ---------------------------------- */

struct mr_server {
	int fd;
	uint32_t nr_slots;
	size_t bytes;
	struct mregion_server_header *header;
	struct mregion_server_slot *slots;
};

static inline struct mregion_server_create server_args(uint32_t id,
						       uint32_t nr_slots)
{
	return (struct mregion_server_create){
		.size = sizeof(struct mregion_server_create),
		.id = id,
		.nr_slots = nr_slots,
		.fd = -1,
		.eventfd = -1,
	};
}

static inline int mr_server_map(struct mr_server *server)
{
	void *memory;

	server->bytes = MREGION_SERVER_SLOTS +
		server->nr_slots * sizeof(*server->slots);
	memory = mmap(NULL, server->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      server->fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	server->header = memory;
	server->slots = memory + MREGION_SERVER_SLOTS;
	return 0;
}

static inline int mr_server_create(int fd, uint32_t id, uint32_t nr_slots,
				   uint32_t spin_usecs, uint64_t timeout_usecs,
				   struct mr_server *server)
{
	struct mregion_server_create create = server_args(id, nr_slots);
	int err;

	create.spin_usecs = spin_usecs;
	create.timeout_usecs = timeout_usecs;
	err = mr_ioctl(fd, MREGION_SERVER_CREATE, &create);
	memset(server, 0, sizeof(*server));
	server->fd = create.fd;
	server->nr_slots = nr_slots;
	return err ? err : mr_server_map(server);
}

static inline int mr_server_free(int fd, uint32_t id)
{
	struct mregion_server_free arg = { .size = sizeof(arg), .id = id };

	return mr_ioctl(fd, MREGION_SERVER_FREE, &arg);
}

/* Without its descriptor and mapping a server is dead. */
static inline void mr_server_close(struct mr_server *server)
{
	if (server->header)
		munmap(server->header, server->bytes);
	if (server->fd >= 0)
		close(server->fd);
	server->header = NULL;
	server->fd = -1;
}

static inline int mr_server_wait(const struct mr_server *server,
				 uint64_t timeout_usecs)
{
	struct mregion_server_wait arg = {
		.size = sizeof(arg),
		.timeout_usecs = timeout_usecs,
	};

	return mr_ioctl(server->fd, MREGION_SERVER_WAIT, &arg);
}

static inline int mr_server_wake(const struct mr_server *server, uint32_t slot)
{
	struct mregion_server_wake arg = { .size = sizeof(arg), .slot = slot };

	return mr_ioctl(server->fd, MREGION_SERVER_WAKE, &arg);
}

/* ---- Requests and answers ---------------------------------------------- */

static inline uint32_t mr_server_events(const struct mr_server *server)
{
	return __atomic_load_n(&server->header->events, __ATOMIC_ACQUIRE);
}

static inline void mr_server_seen(struct mr_server *server, uint32_t events)
{
	__atomic_store_n(&server->header->seen, events, __ATOMIC_SEQ_CST);
}

/* Take one of a slot's requests; its number without a state. */
static inline bool mr_server_take_slot(struct mr_server *server, uint32_t slot,
				       uint32_t *number)
{
	uint32_t *state = &server->slots[slot].state;
	uint32_t old = __atomic_load_n(state, __ATOMIC_ACQUIRE);

	*number = old & ~(uint32_t)MREGION_SERVER_STATE;
	return (old & MREGION_SERVER_STATE) == MREGION_SERVER_REQUEST &&
	       __atomic_compare_exchange_n(state, &old,
					   *number | MREGION_SERVER_TAKEN,
					   false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Take any request: its slot, or -1. No slot comes first each time. */
static inline int mr_server_take(struct mr_server *server, uint32_t *number)
{
	static __thread uint32_t next;
	uint32_t i;

	for (i = 0; i < server->nr_slots; i++) {
		uint32_t slot = next++ % server->nr_slots;
		__u64 *word = &server->header->pending[slot / 64];
		__u64 bit = 1ull << slot % 64;

		if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit) ||
		    !(__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit))
			continue;
		if (mr_server_take_slot(server, slot, number))
			return slot;
	}
	return -1;
}

static inline void mr_server_answer(struct mr_server *server, uint32_t slot,
				    uint32_t number, uint64_t data)
{
	struct mregion_server_slot *shared = &server->slots[slot];

	if (!(shared->flags & MREGION_SERVER_WRITE))
		shared->data = data;
	__atomic_store_n(&shared->state, number | MREGION_SERVER_ANSWERED,
			 __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&shared->sleeping, __ATOMIC_RELAXED))
		mr_server_wake(server, slot);
}

/* ---- A device ---------------------------------------------------------- */

#define CLIENTS		4		/* as many vCPUs access it */
#define REGISTERS	16u		/* bytes that each has for itself */

/*
 * Each vCPU writes the numbers from 1 on to its first register, and reads the
 * last of them from the second one, 4 bytes behind. All of this is in memory
 * that the VMM shares with its servers' processes.
 */
struct device {
	struct {
		uint32_t last;
		uint32_t writes;
		uint32_t reads;
		uint32_t repeated;
		uint32_t wrong;
	} of[CLIENTS];
	uint32_t here;			/* accesses that came to the VMM */
	uint32_t served;		/* and to servers */
	uint32_t delay;			/* time that each takes, in us */
	pthread_mutex_t lock;		/* of who consumes the ring */
	pthread_mutex_t gate;		/* of servers' accesses */
	bool closed;			/* servers make none any more */
	bool quiet;			/* wrong accesses are expected */
	struct mr_ring ring;		/* of posted writes, if any */
	void (*hook)(void *data);	/* called for each that is served */
	void *hook_data;
};

static inline struct device *device_new(void)
{
	struct device *device = mmap(NULL, sizeof(*device),
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	if (device == MAP_FAILED)
		return NULL;
	/* Servers are killed at any time. */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&device->lock, &attr);
	pthread_mutex_init(&device->gate, &attr);
	return device;
}

static inline void robust_lock(pthread_mutex_t *mutex)
{
	if (pthread_mutex_lock(mutex) == EOWNERDEAD)
		pthread_mutex_consistent(mutex);
}

static inline uint32_t count(uint32_t *counter)
{
	return __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

static inline uint32_t counted(const uint32_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_SEQ_CST);
}

/* Make an access to the device. */
static inline uint64_t device_access(struct device *device, unsigned int vcpu,
				     uint64_t offset, unsigned int len,
				     bool write, uint64_t data)
{
	uint32_t *last;
	uint32_t before;

	if (vcpu >= CLIENTS || len != 4 ||
	    offset != REGISTERS * vcpu + (write ? 0 : 4)) {
		if (count(&device->of[vcpu % CLIENTS].wrong) == 1 &&
		    !device->quiet)
			fprintf(stderr, "# vCPU %u: %s of %u@%#llx\n", vcpu,
				write ? "write" : "read", len,
				(unsigned long long)offset);
		return 0;
	}
	last = &device->of[vcpu].last;
	if (!write) {
		count(&device->of[vcpu].reads);
		return __atomic_load_n(last, __ATOMIC_SEQ_CST);
	}
	count(&device->of[vcpu].writes);
	before = __atomic_exchange_n(last, data, __ATOMIC_SEQ_CST);
	if (data == before)
		count(&device->of[vcpu].repeated);
	else if (data != before + 1 && count(&device->of[vcpu].wrong) == 1 &&
		 !device->quiet)
		fprintf(stderr, "# vCPU %u: write of %llu after %u\n", vcpu,
			(unsigned long long)data, before);
	return 0;
}

/* What was posted comes before whatever is done next. */
static inline void device_drain(struct device *device)
{
	struct mr_ring *ring = &device->ring;
	struct mregion_ring_entry *entry;
	uint32_t consumer;

	if (!ring->header)
		return;
	robust_lock(&device->lock);
	while (mr_ring_waiting(ring)) {
		consumer = ring->header->consumer;
		entry = &ring->entries[consumer % ring->nr_entries];
		device_access(device, entry->vcpu, entry->offset, entry->len,
			      true, entry->data);
		__atomic_store_n(&ring->header->consumer, consumer + 1,
				 __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&device->lock);
}

/* ---- Serving it -------------------------------------------------------- */

#define SPINS	200

/*
 * Whoever takes a device from a server that lives has to see to it that what
 * the server is at does not reach the device later.
 */
static inline void device_close(struct device *device, bool closed)
{
	robust_lock(&device->gate);
	device->closed = closed;
	pthread_mutex_unlock(&device->gate);
}

/* Make a requested access, if the server may. */
static inline bool serve_access(struct device *device,
				struct mregion_server_slot *request)
{
	bool closed;

	robust_lock(&device->gate);
	closed = device->closed;
	if (!closed) {
		request->data = device_access(device, request->vcpu,
				request->offset, request->len,
				request->flags & MREGION_SERVER_WRITE,
				request->data);
		count(&device->served);
	}
	pthread_mutex_unlock(&device->gate);
	return !closed;
}

/* Serve until nothing more will come, which is -ENODEV. */
static inline int serve(struct mr_server *server, struct device *device)
{
	struct mregion_server_slot request;
	uint32_t events, number;
	int slot, i, err;

	for (;;) {
		events = mr_server_events(server);
		device_drain(device);
		while ((slot = mr_server_take(server, &number)) >= 0) {
			request = server->slots[slot];
			device_drain(device);
			if (device->delay)
				usleep(device->delay);
			if (device->hook)
				device->hook(device->hook_data);
			if (serve_access(device, &request))
				mr_server_answer(server, slot, number,
						 request.data);
		}
		mr_server_seen(server, events);
		for (i = 0; i < SPINS && mr_server_events(server) == events;
		     i++)
			sched_yield();
		if (i < SPINS)
			continue;
		err = mr_server_wait(server, 0);
		if (err && err != -EINTR)
			return err;
	}
}

#define MAX_SERVING	8

/* Threads of this process, or of one of its own, that serve. */
struct serving {
	struct mr_server server;
	struct device *device;
	pthread_t threads[MAX_SERVING];
	unsigned int nr_threads;
	int errs[MAX_SERVING];
	pid_t child;
};

struct serving_thread {
	struct serving *serving;
	unsigned int index;
};

static inline void *serving_thread(void *arg)
{
	struct serving_thread *thread = arg;
	struct serving *serving = thread->serving;

	serving->errs[thread->index] = serve(&serving->server,
					     serving->device);
	free(thread);
	return NULL;
}

static inline int serving_threads(struct serving *serving,
				  unsigned int nr_threads)
{
	struct serving_thread *thread;
	int err;

	while (serving->nr_threads < nr_threads) {
		thread = malloc(sizeof(*thread));
		*thread = (struct serving_thread){
			serving, serving->nr_threads,
		};
		err = pthread_create(&serving->threads[serving->nr_threads],
				     NULL, serving_thread, thread);
		if (err)
			return -err;
		serving->nr_threads++;
	}
	return 0;
}

/* After what makes them end: the server's or the machine's. */
static inline int serving_join(struct serving *serving)
{
	unsigned int i;
	int err = -ENODEV;

	for (i = 0; i < serving->nr_threads; i++) {
		pthread_join(serving->threads[i], NULL);
		if (serving->errs[i] != -ENODEV)
			err = serving->errs[i];
	}
	serving->nr_threads = 0;
	return err;
}

/*
 * The same in another process, which has the server and nothing else of the
 * VMM's. It is killed when the thread that calls this ends. @run, if any, is
 * what it does instead.
 */
static inline int serving_process(struct serving *serving, struct rig *rig,
				  unsigned int nr_threads,
				  void (*run)(struct serving *serving))
{
	serving->child = fork();
	if (serving->child < 0)
		return -errno;
	if (serving->child) {
		mr_server_close(&serving->server);
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rig_close(rig);
	if (run)
		run(serving);
	else if (!serving_threads(serving, nr_threads - 1))
		serve(&serving->server, serving->device);
	_exit(1);
}

/* kill -9; returns whether it lived until then. */
static inline bool serving_kill(struct serving *serving)
{
	int status = 0;

	kill(serving->child, SIGKILL);
	if (waitpid(serving->child, &status, 0) != serving->child)
		return false;
	serving->child = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Bind both devices to a server, or to none. */
static inline int bind_devices(struct rig *rig, uint32_t server)
{
	return COMMIT(rig->fd, mr_set_server(DEV_MMIO, server),
		      mr_set_server(DEV_PORTS, server));
}

/* ---- Guests that access it --------------------------------------------- */

#define CLIENT_ROUND	16

/* A vCPU, with the thread of the VMM that runs it. */
struct client {
	pthread_t thread;
	struct rig *rig;
	struct vcpu *vcpu;
	struct device *device;
	bool pio;
	bool posts;
	const bool *stop;
	uint64_t region_base;	/* if not that of struct rig's device */
	uint32_t numbers;	/* written, and counted as they are */
	uint32_t accesses;	/* that the VMM completed */
	uint32_t interrupts;
	uint64_t mismatches;
	bool given_up;		/* it hangs: a signal ends its thread */
	int err;
};

/*
 * Whether a client does more than @before, its numbers and accesses, within a
 * time that is long on any machine. One that does not says where it hangs, and
 * ends.
 */
static inline uint32_t client_done(const struct client *client)
{
	return counted(&client->accesses) + counted(&client->numbers);
}

static inline bool client_gets_on(struct client *client, uint32_t before)
{
	uint64_t deadline = mr_now_ms() + MR_PATIENCE_MS;

	while (client_done(client) == before) {
		if (mr_now_ms() > deadline) {
			__atomic_store_n(&client->given_up, true,
					 __ATOMIC_RELEASE);
			client->vcpu->run->immediate_exit = 1;
			pthread_kill(client->thread, SIGUSR1);
			return false;
		}
		usleep(200);
	}
	return true;
}

static inline bool client_given_up(const struct client *client)
{
	return __atomic_load_n(&client->given_up, __ATOMIC_ACQUIRE);
}

static inline uint64_t client_base(const struct client *client)
{
	if (client->region_base)
		return client->region_base;
	return client->pio ? PIO_BASE : MMIO_BASE;
}

/*
 * Complete an exit as a VMM does: ask the machine, which waits for the server;
 * and if it is nobody's, be the device.
 */
static inline int client_complete(struct client *client)
{
	struct mregion_access access = { .size = sizeof(access) };
	struct vcpu_exit exit;
	int err;

	if (!vcpu_exit_access(client->vcpu, &exit))
		return -EPROTO;
	access.space = exit.pio ? DEV_PIO : DEV_MEMORY;
	access.addr = exit.addr;
	access.len = exit.len;
	access.flags = exit.write ? MREGION_ACCESS_WRITE : 0;
	access.data = exit.write ? vcpu_exit_value(&exit) : 0;
	access.vcpu = client->vcpu->index;
	access.vm_fd = client->rig->vm.fd;
	while ((err = mr_ioctl(__atomic_load_n(&client->rig->fd,
					       __ATOMIC_ACQUIRE),
			       MREGION_ACCESS, &access)) == -EINTR) {
		count(&client->interrupts);
		if (client_given_up(client)) {
			fprintf(stderr, "# vCPU %d: no answer, access of %#llx\n",
				client->vcpu->index,
				(unsigned long long)exit.addr);
			return -ETIMEDOUT;
		}
	}
	/* EBADF: the machine is closed. */
	if (err && err != -EBADF)
		return err;
	if (err || !access.handled) {
		device_drain(client->device);
		access.data = device_access(client->device,
					    client->vcpu->index,
					    exit.addr - client_base(client),
					    exit.len, exit.write,
					    vcpu_exit_value(&exit));
		count(&client->device->here);
	}
	if (!exit.write)
		memcpy(exit.data, &access.data, exit.len);
	count(&client->accesses);
	return 0;
}

static inline int client_start(struct client *client)
{
	uint64_t at = client_base(client) + REGISTERS * client->vcpu->index;
	const struct guest_regs regs = {
		.addr = at,
		.port = at,
		.number = client->numbers + 1,
		.end = client->numbers + 1 + CLIENT_ROUND,
	};

#if VM_HAS_PORTS
	if (client->pio)
		return vcpu_start(client->vcpu, client->posts ?
				  &guest_count4_pio : &guest_count_pio, regs);
#endif
	return vcpu_start(client->vcpu, client->posts ? &guest_count4_mmio :
			  &guest_count_mmio, regs);
}

static inline int client_round(struct client *client)
{
	struct guest_regs regs;
	int err = client_start(client), reason;

	while (!err) {
		reason = vcpu_run(client->vcpu);
		if (reason == VCPU_ENDED)
			break;
		if (reason == -EINTR && !client_given_up(client))
			count(&client->interrupts);
		else if (reason < 0)
			err = reason;
		else
			err = client_complete(client);
	}
	if (!err)
		err = vcpu_regs(client->vcpu, &regs);
	if (!err)
		client->mismatches += regs.count;
	return err;
}

static inline void *client_thread(void *arg)
{
	struct client *client = arg;

	while (!__atomic_load_n(client->stop, __ATOMIC_ACQUIRE)) {
		client->err = client_round(client);
		if (client->err)
			break;
		__atomic_add_fetch(&client->numbers, CLIENT_ROUND,
				   __ATOMIC_SEQ_CST);
	}
	return NULL;
}

#endif /* SERVER_UTIL_H */
