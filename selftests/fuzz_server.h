/* SPDX-License-Identifier: GPL-2.0 */
/* Servers that answer, are slow, are silent, or die, each a thread. */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include "fuzz_model.h"

enum fuzz_server_mode {
	FUZZ_ANSWERS,
	FUZZ_SLOW,
	FUZZ_SILENT,
	FUZZ_DIES,
};

struct fuzz_server {
	pthread_t thread;
	struct mr_server server;
	struct prng prng;
	struct place place;
	enum fuzz_server_mode mode;
	unsigned int left;		/* requests, until it dies */
	bool stop;
};

static inline void fuzz_serve_one(struct fuzz_server *server, uint32_t slot,
				  uint32_t number)
{
	struct mregion_server_slot request = server->server.slots[slot];

	FUZZ_CHECK(&server->place, request.len >= 1 && request.len <= 8 &&
		   request.region && request.region <= MAX_REGION &&
		   !(request.flags & ~MREGION_SERVER_WRITE),
		   "request of %u for region %u, flags %#x", request.len,
		   request.region, request.flags);
	if (server->mode == FUZZ_SILENT)
		return;
	if (server->mode == FUZZ_SLOW)
		usleep(below(&server->prng, 3000));
	mr_server_answer(&server->server, slot, number, random64(&server->prng));
}

static inline void *fuzz_server_thread(void *arg)
{
	struct fuzz_server *server = arg;
	uint32_t events, number;
	int slot, err = 0;

	while (!__atomic_load_n(&server->stop, __ATOMIC_ACQUIRE) &&
	       err != -ENODEV) {
		events = mr_server_events(&server->server);
		while ((slot = mr_server_take(&server->server, &number)) >= 0) {
			/* It dies with what it has taken. */
			if (server->mode == FUZZ_DIES && !server->left--)
				goto out;
			fuzz_serve_one(server, slot, number);
		}
		mr_server_seen(&server->server, events);
		err = mr_server_wait(&server->server, 20000);
		FUZZ_CHECK(&server->place, !err || err == -ETIMEDOUT ||
			   err == -EINTR || err == -ENODEV,
			   "waiting for requests: error %d", err);
	}
out:
	mr_server_close(&server->server);
	return NULL;
}

/* With a descriptor that the caller gives away. */
static inline struct fuzz_server *fuzz_server_start(struct prng *prng_state,
						    int fd, uint32_t nr_slots,
						    unsigned int number)
{
	struct fuzz_server *server = calloc(1, sizeof(*server));

	server->server.fd = fd;
	server->server.nr_slots = nr_slots;
	server->prng = prng_of(random64(prng_state), 0);
	server->place = (struct place){
		.who = "server", .number = number, .doing = "serving",
	};
	server->mode = PICK(prng_state, FUZZ_ANSWERS, FUZZ_ANSWERS,
			    FUZZ_ANSWERS, FUZZ_SLOW, FUZZ_SILENT, FUZZ_DIES);
	server->left = below(prng_state, 20);
	if (mr_server_map(&server->server) ||
	    pthread_create(&server->thread, NULL, fuzz_server_thread, server)) {
		mr_server_close(&server->server);
		free(server);
		return NULL;
	}
	return server;
}

static inline void fuzz_server_end(struct fuzz_server *server)
{
	if (!server)
		return;
	__atomic_store_n(&server->stop, true, __ATOMIC_RELEASE);
	pthread_join(server->thread, NULL);
	free(server);
}

#endif /* FUZZ_SERVER_H */
