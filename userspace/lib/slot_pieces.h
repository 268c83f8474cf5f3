/* SPDX-License-Identifier: MIT */
/* The slots that ranges of memory are made of: those of before, and what is between. */
#ifndef MREGION_LIB_SLOT_PIECES_H
#define MREGION_LIB_SLOT_PIECES_H

#include <stdbool.h>
#include <stddef.h>

struct mregion_memslot;

/**
 * mregion_same_memory() - whether KVM would need no other slot for the one than for
 *	the other: it cannot change but whether a slot logs
 */
bool mregion_same_memory(const struct mregion_memslot *a,
			 const struct mregion_memslot *b);

/**
 * mregion_slot_pieces() - cut ranges where slots are that can stay
 * @ranges: memory that is to have slots, sorted
 * @nr_ranges: how many
 * @slots: the slots that there are, sorted
 * @nr_slots: how many
 * @pieces: filled in, sorted; has room for @nr_ranges + 2 * @nr_slots
 *
 * A range that grows keeps the slots that it had, and gets others for what is new. So
 * its memory is never missing meanwhile, and KVM keeps what it has mapped of it. The
 * result is as few changes as KVM can be told of: each slot goes of which a part cannot
 * stay, and each stretch without one gets a slot.
 *
 * Return: the number of pieces.
 */
size_t mregion_slot_pieces(const struct mregion_memslot *ranges, size_t nr_ranges,
			   const struct mregion_memslot *slots, size_t nr_slots,
			   struct mregion_memslot *pieces);

#endif
