/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that make an access by ioctl, and threads that wait to serve one. */
#ifndef ASK_UTIL_H
#define ASK_UTIL_H

#include "server_util.h"

/* Whether the thread of which that is the ID sleeps. */
static inline bool thread_sleeps(pid_t *id)
{
	pid_t tid = __atomic_load_n(id, __ATOMIC_ACQUIRE);
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = tid ? fopen(path, "r") : NULL;
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S';
}

/* The virtual machine whose vCPUs ask. */
static int ask_vm_fd;

/* A thread that makes an access, and waits for the answer. */
struct asker {
	pthread_t thread;
	struct mregion_access access;
	int fd;
	pid_t tid;
	int err;
	bool done;
};

static inline void *asker_thread(void *arg)
{
	struct asker *asker = arg;

	__atomic_store_n(&asker->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	asker->err = mr_ioctl(asker->fd, MREGION_ACCESS, &asker->access);
	__atomic_store_n(&asker->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline int ask(struct asker *asker, int fd, uint64_t addr,
		      unsigned int len, bool write, uint64_t data,
		      uint16_t vcpu)
{
	*asker = (struct asker){
		.fd = fd,
		.access = {
			.size = sizeof(asker->access),
			.space = DEV_MEMORY,
			.addr = addr,
			.len = len,
			.flags = write ? MREGION_ACCESS_WRITE : 0,
			.data = data,
			.vcpu = vcpu,
			.vm_fd = vcpu == MREGION_NO_VCPU ? 0 : ask_vm_fd,
		},
	};
	return pthread_create(&asker->thread, NULL, asker_thread, asker);
}

/* Send signals until its access ends. */
static inline void interrupt(struct asker *asker)
{
	while (!__atomic_load_n(&asker->done, __ATOMIC_ACQUIRE)) {
		pthread_kill(asker->thread, SIGUSR1);
		usleep(1000);
	}
	pthread_join(asker->thread, NULL);
}

/* What it got, as far as the kernel has completed it. */
static inline uint64_t answer_of(struct asker *asker)
{
	pthread_join(asker->thread, NULL);
	if (asker->err || !asker->access.handled)
		return 0xdeadbeefdeadbeef;
	return asker->access.data;
}

/* Take a request, and wait for it if need be. */
static inline int take(struct mr_server *server, uint32_t *number)
{
	int slot = -1;

	*number = 0;
	if (!mr_until(slot >= 0 ||
		      (slot = mr_server_take(server, number)) >= 0))
		return -1;
	return slot;
}

/* The same, for one thread of a server that waits for it. */
#define WAIT_USECS	(MR_PATIENCE_MS * 1000ull)

/* A thread of a server that waits. */
struct waiter {
	pthread_t thread;
	struct mr_server *server;
	pid_t tid;
	int err;
	bool done;
};

static inline void *waiter_thread(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	waiter->err = mr_server_wait(waiter->server, 0);
	__atomic_store_n(&waiter->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline int start_waiter(struct waiter *waiter, struct mr_server *server)
{
	*waiter = (struct waiter){ .server = server };
	return pthread_create(&waiter->thread, NULL, waiter_thread, waiter);
}

/* The same, which sleeps before anything else happens: it does so nowhere else. */
static inline int start_sleeper(struct waiter *waiter, struct mr_server *server)
{
	int err = start_waiter(waiter, server);

	return err ? err : mr_until(thread_sleeps(&waiter->tid)) ? 0 : -ETIMEDOUT;
}

#endif /* ASK_UTIL_H */
