/* SPDX-License-Identifier: GPL-2.0 */
/* Data registers: shadows whose place in the memory an index register selects. */
#ifndef MREGION_INDEXED_H
#define MREGION_INDEXED_H

#include <linux/types.h>

#include "behaviour.h"
#include "rule.h"

struct mregion_machine;

int mregion_index_check(const struct mregion_rule *args);
int mregion_index_resolve(struct mregion_machine *machine,
			  const struct mregion_rule *args,
			  struct mregion_behaviour_rule *rule);
void mregion_index_release(struct mregion_behaviour_rule *rule);
int mregion_index_compare(const struct mregion_behaviour_rule *a,
			  const struct mregion_behaviour_rule *b);
bool mregion_index_apart(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b);
bool mregion_index_follows(const struct mregion_behaviour *behaviour, u64 offset,
			   unsigned int len,
			   const struct mregion_shadow *shadow);
bool mregion_index_alike(const struct mregion_behaviour_rule *a,
			 const struct mregion_behaviour_rule *b);
const struct mregion_behaviour_rule *
mregion_index_search(const struct mregion_index_group *group, u32 value);

/**
 * mregion_index_place() - where an index has what a data register shows
 * @rule: the register's rule that the index is for
 * @word: the index, as struct mregion_rule_index has it
 * @distance: of an access from the register's first byte
 *
 * No index and no distance lead to a place beyond the memory, whatever the processor
 * executes speculatively: masks reach no further than mregion_index_resolve() has
 * checked. Behind the memory is a page that is not mapped.
 */
static __always_inline void *
mregion_index_place(const struct mregion_behaviour_rule *rule, u32 word,
		    u64 distance)
{
	return rule->memory +
	       ((word & rule->index->select) * rule->index->scale >> 32) +
	       (distance & rule->index->within);
}

/**
 * mregion_index_find() - the rule of a group that is for an access
 * @group: the group
 * @offset: of the access, in the region
 * @len: its length, 1, 2, 4 or 8
 * @write: whether it is a write
 * @at: set to the place of its first byte in shadow memory
 *
 * The index is read once, so that what is compared is what selects.
 *
 * Return: the rule, or NULL.
 */
static __always_inline const struct mregion_behaviour_rule *
mregion_index_find(const struct mregion_index_group *group, u64 offset,
		   unsigned int len, bool write, void **at)
{
	const struct mregion_behaviour_rule *rule = *group->rules;
	const struct mregion_rule_index *index = rule->index;
	u32 word, value;

	if (offset - rule->offset > rule->room[len] ||
	    !((write ? index->writes : index->reads) >> len & 1))
		return NULL;
	word = le32_to_cpu(mregion_shadow_fetch(index->word));
	value = word & index->bits;
	if (group->nr > 1) {
		rule = mregion_index_search(group, value);
		index = rule->index;
	}
	if (value - index->first > index->span)
		return NULL;
	*at = mregion_index_place(rule, word, offset - rule->offset);
	return rule;
}

/**
 * mregion_indexed_find() - the data register's rule for an access
 * @behaviour: of the region
 * @offset: of the access, in the region
 * @len: its length, 1, 2, 4 or 8
 * @write: whether it is a write
 * @at: set to the place of its first byte in shadow memory
 *
 * Return: the rule, or NULL.
 */
static __always_inline const struct mregion_behaviour_rule *
mregion_indexed_find(const struct mregion_behaviour *behaviour, u64 offset,
		     unsigned int len, bool write, void **at)
{
	const struct mregion_index_group *group = behaviour->indices;
	const struct mregion_behaviour_rule *rule;
	u32 nr;

	for (nr = behaviour->nr_indices; nr; nr--, group++) {
		rule = mregion_index_find(group, offset, len, write, at);
		if (rule)
			return rule;
	}
	return NULL;
}

#endif /* MREGION_INDEXED_H */
