/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Behaviours: the handling of accesses to a region, by the device's constraints,
 * rules and server.
 *
 * A behaviour never changes: a commit makes a new one. Views point to it, so
 * that vCPUs see rules change together with the rest of a commit.
 */
#ifndef MREGION_BEHAVIOUR_H
#define MREGION_BEHAVIOUR_H

#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/types.h>

struct eventfd_ctx;
struct mregion_budget;
struct mregion_ring;
struct mregion_server;
struct mregion_shadow;

/* So many rules are tried one after the other, which is faster than a search. */
#define MREGION_FEW_RULES	4

/**
 * struct mregion_rule_index - how an index selects what a data register has
 * @word: the aligned four bytes of @shadow that the index register is in
 * @bits: of @word: those that are compared
 * @first: their lowest value
 * @span: how much higher they can be
 * @select: of @word: the bits that select the place
 * @scale: these times that are 2^32 times the place's distance
 * @within: mask of an access's distance from the register's first byte, which is @len of
 *	the rule rounded up to a power of two
 * @reads: sizes of reads that the rule is for; bit n for n bytes
 * @writes: sizes of writes, in the same way
 * @shadow: the index register's memory; a reference
 * @args: as given
 */
struct mregion_rule_index {
	const __le32 *word;
	u32 bits;
	u32 first;
	u32 span;
	u32 select;
	u64 scale;
	u64 within;
	u32 reads;
	u32 writes;
	struct mregion_shadow *shadow;
	struct mregion_index args;
};

/**
 * struct mregion_behaviour_rule - a rule, ready for use
 * @retired: in the list of what is freed after a grace period
 * @offset: first byte in the region
 * @last: last byte in the region
 * @len: how many bytes that is, or 0 for 2^64
 * @room: by an access's size (1, 2, 4, 8): how far behind @offset it can begin
 * @kind: enum mregion_rule_kind
 * @flags: enum mregion_rule_flags
 * @access_len: of a doorbell or a shadow: the size of access that it is for, or 0
 * @reads: sizes of reads that it is for; bit n for n bytes. None with INDEXED, of which
 *	@index has them: such a rule is in nobody's way who does not look for it
 * @writes: sizes of writes that it is for, in the same way
 * @any: those of @writes that it is for whatever the value
 * @datamatch: with DATAMATCH: the value
 * @shadow_offset: in @shadow, of the byte for @offset
 * @ring: of a ring, else NULL; a reference
 * @eventfd: to signal, or NULL; a reference
 * @shadow: to read from or store to, or NULL; a reference
 * @memory: where in @shadow the byte for @offset is
 * @budget: that it is charged to
 * @index: with INDEXED: one, else none
 *
 * Belongs to its region, from the commit that adds it to the one that deletes it
 * or frees the region; behaviours just point to it.
 */
struct mregion_behaviour_rule {
	struct list_head retired;
	u64 offset;
	u64 last;
	u64 len;
	u64 room[9];
	u32 kind;
	u32 flags;
	u32 access_len;
	u32 reads;
	u32 writes;
	u32 any;
	u64 datamatch;
	u64 shadow_offset;
	struct mregion_ring *ring;
	struct eventfd_ctx *eventfd;
	struct mregion_shadow *shadow;
	void *memory;
	struct mregion_budget *budget;
	struct mregion_rule_index index[];
};

/**
 * struct mregion_rule_group - rules of which one at most is for an access
 * @first: index of the first one in struct mregion_behaviour.sorted
 * @nr: how many there are
 * @reads: what each of them has as its @reads
 * @writes: what each of them has as its @writes
 * @match: each is for one value
 *
 * They are of one kind and of the same sizes, so those of the same value do not
 * overlap: they are sorted by value, and then by offset.
 */
struct mregion_rule_group {
	u32 first;
	u32 nr;
	u32 reads;
	u32 writes;
	bool match;
};

/**
 * struct mregion_index_group - rules of a data register, of which one is for an index
 * @rules: sorted by index; in struct mregion_behaviour.sorted
 * @nr: how many there are
 */
struct mregion_index_group {
	struct mregion_behaviour_rule *const *rules;
	u32 nr;
};

/**
 * struct mregion_behaviour - the handling of accesses to a region
 * @plain: sizes that are accepted in one piece if aligned; bit n for n bytes
 * @refused: enum mregion_policy, never DEFAULT
 * @any_len: there are doorbells of any length
 * @nr_rules: number of rules
 * @nr_fast: number of @fast
 * @nr_groups: number of @groups; 0 if there are no more than MREGION_FEW_RULES
 * @nr_indexed: number of rules with INDEXED, which are the last ones of @sorted
 * @nr_indices: number of @indices
 * @constraints: as given
 * @server: answers forwarded accesses, or NULL; a reference
 * @retired: in the list of what is freed after a grace period
 * @budget: that it is charged to, or NULL
 * @bytes: how much it takes
 * @groups: of @sorted, in the order in which they are to be tried
 * @indices: of the rules with INDEXED
 * @recent: the rule of these that a vCPU has found last. Guests read one register of a
 *	function after the other. Changes all the time, with no lock
 * @fast: those of @sorted that are fast doorbells, by offset
 * @sorted: all rules, in the order in which they are to be tried
 * @rules: those to be tried one after the other, ends in NULL: all if they are few,
 *	else the first one, which saves many a search
 */
struct mregion_behaviour {
	u32 plain;
	u8 refused;
	bool any_len;
	u32 nr_rules;
	u32 nr_fast;
	u32 nr_groups;
	u32 nr_indexed;
	u32 nr_indices;
	struct mregion_constraints constraints;
	struct mregion_server *server;
	struct list_head retired;
	struct mregion_rule_group *groups;
	struct mregion_index_group *indices;
	const struct mregion_behaviour_rule *recent;
	struct mregion_behaviour_rule **fast;
	struct mregion_behaviour_rule **sorted;
	struct mregion_budget *budget;
	size_t bytes;
	struct mregion_behaviour_rule *rules[];
};

struct mregion_behaviour *
mregion_behaviour_alloc(const struct mregion_constraints *constraints);
struct mregion_behaviour *
mregion_behaviour_constrain(const struct mregion_behaviour *old,
			    const struct mregion_constraints *constraints);
struct mregion_behaviour *
mregion_behaviour_serve(const struct mregion_behaviour *old,
			struct mregion_server *server);
struct mregion_behaviour *
mregion_behaviour_add(const struct mregion_behaviour *old,
		      struct mregion_behaviour_rule *rule);
struct mregion_behaviour *
mregion_behaviour_del(const struct mregion_behaviour *old,
		      const struct mregion_behaviour_rule *like,
		      struct mregion_behaviour_rule **rule);
int mregion_behaviour_charge(struct mregion_behaviour *behaviour,
			     struct mregion_budget *budget);
void mregion_behaviour_free(struct mregion_behaviour *behaviour);
void mregion_behaviour_free_rules(struct mregion_behaviour *behaviour);

const struct mregion_behaviour_rule *
mregion_behaviour_search(const struct mregion_behaviour *behaviour, u64 offset,
			 unsigned int len, bool write, u64 data);
const struct mregion_behaviour_rule *
mregion_behaviour_any_len(const struct mregion_behaviour *behaviour,
			  u64 offset);

unsigned int
mregion_access_size(const struct mregion_constraints *constraints,
		    u64 offset, unsigned int len);
unsigned int mregion_access_impl(const struct mregion_constraints *constraints,
				 unsigned int len);
bool mregion_access_valid(const struct mregion_constraints *constraints,
			  u64 offset, unsigned int len);

#endif /* MREGION_BEHAVIOUR_H */
