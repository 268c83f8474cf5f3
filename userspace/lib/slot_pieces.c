// SPDX-License-Identifier: MIT
/* The slots that ranges of memory are made of: those of before, and what is between. */
#include <stdint.h>

#include <linux/kvm.h>

#include "memslots.h"
#include "slot_pieces.h"

bool mregion_same_memory(const struct mregion_memslot *a,
			 const struct mregion_memslot *b)
{
	return a->gpa == b->gpa && a->size == b->size && a->hva == b->hva &&
	       a->region == b->region &&
	       (a->flags & KVM_MEM_READONLY) == (b->flags & KVM_MEM_READONLY);
}

/* @skip bytes into @range, @size of them. */
static struct mregion_memslot part_of(const struct mregion_memslot *range,
				      uint64_t skip, uint64_t size)
{
	struct mregion_memslot part = *range;

	part.gpa += skip;
	part.hva += skip;
	part.offset += skip;
	part.size = size;
	return part;
}

size_t mregion_slot_pieces(const struct mregion_memslot *ranges, size_t nr_ranges,
			   const struct mregion_memslot *slots, size_t nr_slots,
			   struct mregion_memslot *pieces)
{
	const struct mregion_memslot *range;
	struct mregion_memslot part;
	uint64_t skip, done;
	size_t i, k = 0, nr = 0;

	for (i = 0; i < nr_ranges; i++) {
		range = &ranges[i];
		done = 0;
		while (k < nr_slots && slots[k].gpa < range->gpa)
			k++;
		for (; k < nr_slots && slots[k].gpa - range->gpa < range->size; k++) {
			skip = slots[k].gpa - range->gpa;
			if (slots[k].size > range->size - skip)
				continue;
			part = part_of(range, skip, slots[k].size);
			if (!mregion_same_memory(&part, &slots[k]))
				continue;
			if (skip > done)
				pieces[nr++] = part_of(range, done, skip - done);
			pieces[nr++] = part;
			done = skip + part.size;
		}
		if (done < range->size)
			pieces[nr++] = part_of(range, done, range->size - done);
	}
	return nr;
}
