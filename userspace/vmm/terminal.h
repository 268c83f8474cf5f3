/* SPDX-License-Identifier: MIT */
/*
 * The terminal at the other end of the guest's serial line: stdin and stdout
 *
 * What the guest sends is written by a thread of its own, in batches, so that
 * neither vCPUs nor the main loop wait for a slow reader of stdout until
 * TERMINAL_BUFFER bytes have piled up. Nothing is lost.
 */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "wiring.h"

struct loop;

#define TERMINAL_BUFFER		65536
/* Keys that wait for a guest that does not listen; further ones are lost. */
#define TERMINAL_KEYS		4096

/** struct terminal_input - who gets what is typed; called in the main loop */
struct terminal_input {
	/* How many bytes receive() would take now */
	size_t (*room)(void *opaque);
	void (*receive)(void *opaque, const uint8_t *bytes, size_t len);
	void *opaque;
};

struct terminal {
	struct loop *loop;
	struct terminal_input input;
	struct end_line end;		/* pulled by the key to end the VMM */
	bool raw;			/* @saved is to be restored */
	bool escaped;			/* the escape key was the last one */
	uint8_t keys[TERMINAL_KEYS];	/* typed, and not taken yet */
	size_t nr_keys;
	struct termios saved;

	pthread_t writer;
	bool started;
	pthread_mutex_t lock;		/* of all below */
	pthread_cond_t more;		/* there is something to write */
	pthread_cond_t space;		/* there is room in the buffer */
	bool unlimited;			/* the buffer may grow */
	bool closing;			/* write what is there, and end */
	uint8_t *buffer;
	size_t len, capacity;
	size_t writing;			/* bytes the thread has yet to write */
};

/**
 * terminal_init() - begin to write; reports what is wrong
 * @terminal: the terminal
 *
 * Call terminal_close() also after an error.
 */
int terminal_init(struct terminal *terminal);

/**
 * terminal_listen() - begin to read
 * @terminal: the terminal
 * @loop: main loop that reads
 * @input: who gets it
 * @end: pulled by the keys Ctrl-A x
 *
 * A terminal is switched to raw mode, so that every key goes to the guest. It
 * is read whether or not the guest listens: Ctrl-A x has to end any guest.
 */
int terminal_listen(struct terminal *terminal, struct loop *loop,
		    const struct terminal_input *input, struct end_line end);

/** terminal_put() - write a byte; any thread; waits when the buffer is full */
void terminal_put(struct terminal *terminal, uint8_t byte);

/** terminal_no_wait() - let terminal_put() extend the buffer from now on */
void terminal_no_wait(struct terminal *terminal);

/** terminal_restore() - out of raw mode; the loop does not run any more */
void terminal_restore(struct terminal *terminal);

/**
 * terminal_close() - write what is left, and restore the terminal
 * @terminal: the terminal
 * @patience: how long to wait for a reader that does not read, in seconds; a
 *	negative number: for ever
 *
 * Nobody may be in another function of this terminal.
 */
void terminal_close(struct terminal *terminal, int patience);

#endif /* VMM_TERMINAL_H */
