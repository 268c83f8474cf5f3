/* SPDX-License-Identifier: MIT */
/*
 * What is remembered of a vCPU from one call to the next: how far an exit has
 * been resolved that a signal interrupted, so that what is done already is not
 * done again when the VMM comes back; and which map that was in.
 */
#ifndef MREGION_LIB_PROGRESS_H
#define MREGION_LIB_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct mregion_progress - a vCPU's exit
 * @addr: address, or port
 * @len: of all its accesses together, in bytes
 * @pio: it is on the I/O port bus
 * @write: it is a write
 * @done: how many bytes are done
 * @part: how many more a server may be at, whatever is there by now: ask for
 *	that very part first
 * @interrupted: there is an exit that was
 * @ret: what it will return
 * @commits: the machine's counter as the last exit that is resolved was begun. If
 *	it is the same now, and no commit is under way, the map has not changed
 *	since: what the vCPU has left with a server is still that server's
 */
struct mregion_progress {
	uint64_t addr;
	uint64_t len;
	bool pio;
	bool write;
	uint64_t done;
	unsigned int part;
	bool interrupted;
	int ret;
	unsigned int commits;
};

/**
 * mregion_progress_alloc() - room for the vCPUs of a virtual machine
 *
 * For as many as there can be; what is not used takes no memory. Each belongs to
 * its vCPU's thread. Return: to be freed with free(), NULL without memory.
 */
struct mregion_progress *mregion_progress_alloc(void);

/**
 * mregion_progress_resume() - where to go on
 * @saved: of the vCPU
 * @now: the exit, to be resolved from its start; changed if it is @saved
 *
 * What was @saved is forgotten.
 */
void mregion_progress_resume(struct mregion_progress *saved,
			     struct mregion_progress *now);

#endif
