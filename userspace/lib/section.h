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

struct mregion_transaction;

/**
 * struct mregion_deferred - something to do when sections have ended
 * @call: does it
 * @wait: the epoch that must have ended
 * @next: the one to be done after it
 */
struct mregion_deferred {
	void (*call)(struct mregion_deferred *deferred);
	unsigned int wait;
	struct mregion_deferred *next;
};

/**
 * struct mregion_vmm_lock - a lock of the VMM's that its devices want to have
 * @lock: takes it, and returns true; false if the thread has it already. NULL:
 *	there is none
 * @unlock: gives it back
 * @opaque: for both
 */
struct mregion_vmm_lock {
	bool (*lock)(void *opaque);
	void (*unlock)(void *opaque);
	void *opaque;
};

/**
 * struct mregion_sections - all sections of a machine
 * @epoch: grows when somebody waits for all sections that have begun
 * @running: how many sections run that began in an even, and in an odd epoch
 * @busy: how many threads wait, and how many things are deferred
 * @lock: protects all below
 * @changed: @ended has
 * @ended: sections that began before this epoch have ended. It is @epoch or the
 *	one before
 * @wanted: the epoch that somebody waits for
 * @first: of what is deferred, by epoch
 * @last: where the next one goes
 * @vmm_lock: held in all sections; set before the first
 * @transaction: who has it open does nothing that was deferred; or NULL
 */
struct mregion_sections {
	atomic_uint epoch;
	atomic_uint running[2];
	atomic_uint busy;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int ended;
	unsigned int wanted;
	struct mregion_deferred *first;
	struct mregion_deferred **last;
	struct mregion_vmm_lock vmm_lock;
	const struct mregion_transaction *transaction;
};

/**
 * struct mregion_section - a section, on the stack of its thread
 * @sections: of the machine it is for
 * @counted: it is waited for; else it is there for what goes around it
 * @locked: the VMM's lock was taken for it
 * @epoch: in which it began
 * @outer: the section of this thread that it is within, or NULL
 */
struct mregion_section {
	struct mregion_sections *sections;
	bool counted;
	bool locked;
	unsigned int epoch;
	struct mregion_section *outer;
};

void mregion_sections_init(struct mregion_sections *sections);
void mregion_sections_destroy(struct mregion_sections *sections);

void mregion_section_begin(struct mregion_section *section,
			   struct mregion_sections *sections);

/** mregion_section_end() - also does what was deferred, if it can be done now */
void mregion_section_end(struct mregion_section *section);

/**
 * mregion_section_around() - begin what takes locks and has sections in it
 * @section: to be ended by mregion_section_end()
 * @sections: of the machine
 *
 * Takes the VMM's lock, which comes before those of the library. What is deferred
 * waits for the end, by when they are given back.
 */
void mregion_section_around(struct mregion_section *section,
			    struct mregion_sections *sections);

/** mregion_sections_inside() - is this thread in a section of the machine */
bool mregion_sections_inside(const struct mregion_sections *sections);

/** mregion_sections_wait() - wait until all that have begun have ended */
void mregion_sections_wait(struct mregion_sections *sections);

/** mregion_sections_defer() - do something when all that have begun have ended */
void mregion_sections_defer(struct mregion_sections *sections,
			    struct mregion_deferred *deferred);

/**
 * mregion_sections_run() - do what was deferred and can be done
 *
 * Does nothing in a thread that is in a section, or has the transaction open: it
 * comes here again when it ends that.
 */
void mregion_sections_run(struct mregion_sections *sections);

/** mregion_sections_flush() - likewise, wherever it is; nobody is in a section */
void mregion_sections_flush(struct mregion_sections *sections);

/** mregion_vmm_lock() - take the VMM's lock; false: nothing is to be given back */
static inline bool mregion_vmm_lock(const struct mregion_vmm_lock *lock)
{
	return lock->lock && lock->lock(lock->opaque);
}

/** mregion_vmm_unlock() - undo mregion_vmm_lock(), which has returned @locked */
static inline void mregion_vmm_unlock(const struct mregion_vmm_lock *lock,
				      bool locked)
{
	if (locked)
		lock->unlock(lock->opaque);
}

#endif
