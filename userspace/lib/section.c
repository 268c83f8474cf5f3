// SPDX-License-Identifier: MIT
/*
 * Sections, counted in two counters: one for those that began in the current
 * epoch, and one, which only ever falls, for those of the epoch before. An epoch
 * begins only when those of the one before the last have ended.
 */
#include "mregion.h"
#include "section.h"
#include "transaction.h"

static __thread struct mregion_section *innermost;

void mregion_sections_init(struct mregion_sections *sections)
{
	*sections = (struct mregion_sections){ 0 };
	sections->last = &sections->first;
	pthread_mutex_init(&sections->lock, NULL);
	pthread_cond_init(&sections->changed, NULL);
}

void mregion_sections_destroy(struct mregion_sections *sections)
{
	pthread_cond_destroy(&sections->changed);
	pthread_mutex_destroy(&sections->lock);
}

/* Epochs wrap. */
static bool has_ended(const struct mregion_sections *sections,
		      unsigned int epoch)
{
	return (int)(sections->ended - epoch) >= 0;
}

/* Let as many epochs begin and end as can, and are wanted. Lock held. */
static void advance_epochs(struct mregion_sections *sections)
{
	unsigned int epoch = atomic_load(&sections->epoch);

	for (;;) {
		if (sections->ended != epoch) {
			if (atomic_load(&sections->running[(epoch - 1) & 1]))
				return;
			sections->ended = epoch;
			pthread_cond_broadcast(&sections->changed);
		}
		if (has_ended(sections, sections->wanted))
			return;
		atomic_store(&sections->epoch, ++epoch);
	}
}

/* Want the end of all sections that have begun. Return: the epoch. Lock held. */
static unsigned int want_end_of_epoch(struct mregion_sections *sections)
{
	atomic_fetch_add(&sections->busy, 1);
	sections->wanted = atomic_load(&sections->epoch) + 1;
	return sections->wanted;
}

/* Whoever wants something has said so before he looks at the counter. */
static void leave_epoch(struct mregion_sections *sections, unsigned int epoch)
{
	if (atomic_fetch_sub(&sections->running[epoch & 1], 1) == 1 &&
	    atomic_load(&sections->busy)) {
		pthread_mutex_lock(&sections->lock);
		advance_epochs(sections);
		pthread_mutex_unlock(&sections->lock);
	}
}

static void push_section(struct mregion_section *section,
			 struct mregion_sections *sections)
{
	section->sections = sections;
	section->outer = innermost;
	innermost = section;
}

void mregion_section_begin(struct mregion_section *section,
			   struct mregion_sections *sections)
{
	unsigned int epoch;

	/* Who has the lock may wait for sections. */
	section->locked = mregion_vmm_lock(&sections->vmm_lock);
	/*
	 * Count first, then make sure that the epoch is still the same: only
	 * then is who ends the epoch certain to see the count.
	 */
	for (;;) {
		epoch = atomic_load(&sections->epoch);
		atomic_fetch_add(&sections->running[epoch & 1], 1);
		if (atomic_load(&sections->epoch) == epoch)
			break;
		leave_epoch(sections, epoch);
	}
	section->epoch = epoch;
	section->counted = true;
	push_section(section, sections);
}

void mregion_section_around(struct mregion_section *section,
			    struct mregion_sections *sections)
{
	section->locked = mregion_vmm_lock(&sections->vmm_lock);
	section->counted = false;
	push_section(section, sections);
}

void mregion_section_end(struct mregion_section *section)
{
	struct mregion_sections *sections = section->sections;

	innermost = section->outer;
	if (section->counted)
		leave_epoch(sections, section->epoch);
	mregion_vmm_unlock(&sections->vmm_lock, section->locked);
	mregion_sections_run(sections);
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
	unsigned int epoch;

	pthread_mutex_lock(&sections->lock);
	epoch = want_end_of_epoch(sections);
	advance_epochs(sections);
	while (!has_ended(sections, epoch))
		pthread_cond_wait(&sections->changed, &sections->lock);
	atomic_fetch_sub(&sections->busy, 1);
	pthread_mutex_unlock(&sections->lock);
}

void mregion_sections_defer(struct mregion_sections *sections,
			    struct mregion_deferred *deferred)
{
	pthread_mutex_lock(&sections->lock);
	deferred->wait = want_end_of_epoch(sections);
	deferred->next = NULL;
	*sections->last = deferred;
	sections->last = &deferred->next;
	advance_epochs(sections);
	pthread_mutex_unlock(&sections->lock);
}

/* The next that can be done, if there is one. */
static struct mregion_deferred *take_deferred(struct mregion_sections *sections)
{
	struct mregion_deferred *deferred;

	pthread_mutex_lock(&sections->lock);
	deferred = sections->first;
	if (deferred && has_ended(sections, deferred->wait)) {
		sections->first = deferred->next;
		if (!sections->first)
			sections->last = &sections->first;
		atomic_fetch_sub(&sections->busy, 1);
	} else {
		deferred = NULL;
	}
	pthread_mutex_unlock(&sections->lock);
	return deferred;
}

void mregion_sections_flush(struct mregion_sections *sections)
{
	struct mregion_deferred *deferred;

	while ((deferred = take_deferred(sections)))
		deferred->call(deferred);
}

void mregion_sections_run(struct mregion_sections *sections)
{
	if (atomic_load(&sections->busy) &&
	    !mregion_sections_inside(sections) &&
	    !mregion_transaction_inside(sections->transaction))
		mregion_sections_flush(sections);
}
