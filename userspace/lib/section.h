/* SPDX-License-Identifier: MIT */
/*
 * Sections: the time a thread spends from looking a region up until its
 * device's function has returned. mregion_synchronize() waits for those that
 * have begun.
 */
#ifndef MREGION_LIB_SECTION_H
#define MREGION_LIB_SECTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/**
 * struct mregion_sections - all sections of a machine
 * @epoch: grows with each mregion_synchronize()
 * @running: how many sections run that began in an even, and in an odd epoch
 * @waiting: whether somebody waits on @changed
 * @sync: held by the one thread that changes @epoch
 * @lock: for @changed
 * @changed: a section has ended that somebody waits for
 */
struct mregion_sections {
	atomic_uint epoch;
	atomic_uint running[2];
	atomic_bool waiting;
	pthread_mutex_t sync;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/**
 * struct mregion_section - a section, on the stack of its thread
 * @sections: of the machine it is for
 * @epoch: in which it began
 * @outer: the section of this thread that it is within, or NULL
 */
struct mregion_section {
	struct mregion_sections *sections;
	unsigned int epoch;
	struct mregion_section *outer;
};

void mregion_sections_init(struct mregion_sections *sections);
void mregion_sections_destroy(struct mregion_sections *sections);

void mregion_section_begin(struct mregion_section *section,
			   struct mregion_sections *sections);
void mregion_section_end(struct mregion_section *section);

/** mregion_sections_inside() - is this thread in a section of the machine */
bool mregion_sections_inside(const struct mregion_sections *sections);

/** mregion_sections_wait() - wait until all that have begun have ended */
void mregion_sections_wait(struct mregion_sections *sections);

#endif
