// SPDX-License-Identifier: MIT
/*
 * Sections, counted in two counters: one for those that began in the current
 * epoch, and one, which only ever falls, for those of the epoch before.
 */
#include "mregion.h"
#include "section.h"

static __thread struct mregion_section *innermost;

void mregion_sections_init(struct mregion_sections *sections)
{
	atomic_init(&sections->epoch, 0);
	atomic_init(&sections->running[0], 0);
	atomic_init(&sections->running[1], 0);
	atomic_init(&sections->waiting, false);
	pthread_mutex_init(&sections->sync, NULL);
	pthread_mutex_init(&sections->lock, NULL);
	pthread_cond_init(&sections->changed, NULL);
}

void mregion_sections_destroy(struct mregion_sections *sections)
{
	pthread_cond_destroy(&sections->changed);
	pthread_mutex_destroy(&sections->lock);
	pthread_mutex_destroy(&sections->sync);
}

static void leave(struct mregion_sections *sections, unsigned int epoch)
{
	if (atomic_fetch_sub(&sections->running[epoch & 1], 1) == 1 &&
	    atomic_load(&sections->waiting)) {
		pthread_mutex_lock(&sections->lock);
		pthread_cond_broadcast(&sections->changed);
		pthread_mutex_unlock(&sections->lock);
	}
}

void mregion_section_begin(struct mregion_section *section,
			   struct mregion_sections *sections)
{
	unsigned int epoch;

	/*
	 * Count first, then make sure that the epoch is still the same: only
	 * then is who ends the epoch certain to see the count.
	 */
	for (;;) {
		epoch = atomic_load(&sections->epoch);
		atomic_fetch_add(&sections->running[epoch & 1], 1);
		if (atomic_load(&sections->epoch) == epoch)
			break;
		leave(sections, epoch);
	}
	section->sections = sections;
	section->epoch = epoch;
	section->outer = innermost;
	innermost = section;
}

void mregion_section_end(struct mregion_section *section)
{
	innermost = section->outer;
	leave(section->sections, section->epoch);
}

bool mregion_sections_inside(const struct mregion_sections *sections)
{
	const struct mregion_section *section;

	for (section = innermost; section; section = section->outer)
		if (section->sections == sections)
			return true;
	return false;
}

void mregion_sections_wait(struct mregion_sections *sections)
{
	unsigned int old;

	pthread_mutex_lock(&sections->sync);
	old = atomic_fetch_add(&sections->epoch, 1);
	pthread_mutex_lock(&sections->lock);
	atomic_store(&sections->waiting, true);
	while (atomic_load(&sections->running[old & 1]))
		pthread_cond_wait(&sections->changed, &sections->lock);
	atomic_store(&sections->waiting, false);
	pthread_mutex_unlock(&sections->lock);
	pthread_mutex_unlock(&sections->sync);
}
