/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to accesses to a region: the device's constraints, and rules.
 *
 * A behaviour never changes: a commit makes a new one. Views point to it, so
 * that vCPUs see rules change together with the rest of a commit.
 */
#ifndef MREGION_BEHAVIOUR_H
#define MREGION_BEHAVIOUR_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mregion.h>
#include <linux/types.h>

struct eventfd_ctx;
struct mregion_budget;
struct mregion_ring;
struct mregion_server;
struct mregion_shadow;

/**
 * struct mregion_behaviour_rule - a rule, ready for use
 * @kref: held by each behaviour that has the rule
 * @offset: first byte in the region
 * @last: last byte in the region
 * @kind: enum mregion_rule_kind
 * @flags: enum mregion_rule_flags
 * @access_len: of a doorbell: the size of write that it is for, or 0
 * @reads: sizes of reads that it is for; bit n for n bytes
 * @writes: sizes of writes that it is for, in the same way
 * @any: those of @writes that it is for whatever the value
 * @datamatch: with DATAMATCH: the value
 * @shadow_offset: in @shadow, of the byte for @offset
 * @ring: of a ring, else NULL; a reference
 * @eventfd: to signal, or NULL; a reference
 * @shadow: to read from or store to, or NULL; a reference
 * @memory: where in @shadow the byte for @offset is
 * @budget: that it is charged to
 */
struct mregion_behaviour_rule {
	struct kref kref;
	u64 offset;
	u64 last;
	u32 kind;
	u32 flags;
	u32 access_len;
	u16 reads;
	u16 writes;
	u16 any;
	u64 datamatch;
	u64 shadow_offset;
	struct mregion_ring *ring;
	struct eventfd_ctx *eventfd;
	struct mregion_shadow *shadow;
	void *memory;
	struct mregion_budget *budget;
};

/**
 * struct mregion_behaviour - what happens to accesses to a region
 * @plain: sizes that are accepted in one piece if aligned; bit n for n bytes
 * @refused: enum mregion_policy, never DEFAULT
 * @nr_rules: number of @rules
 * @constraints: as given
 * @server: answers what is forwarded, or NULL; a reference
 * @retired: in the list of what is freed after a grace period
 * @budget: that it is charged to, or NULL
 * @rules: in the order in which they are to be tried; references; ends in NULL
 */
struct mregion_behaviour {
	u16 plain;
	u16 nr_rules;
	u8 refused;
	struct mregion_constraints constraints;
	struct mregion_server *server;
	struct list_head retired;
	struct mregion_budget *budget;
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
		      const struct mregion_behaviour_rule *rule);
int mregion_behaviour_charge(struct mregion_behaviour *behaviour,
			     struct mregion_budget *budget);
void mregion_behaviour_free(struct mregion_behaviour *behaviour);

unsigned int
mregion_access_size(const struct mregion_constraints *constraints,
		    u64 offset, unsigned int len);
bool mregion_access_valid(const struct mregion_constraints *constraints,
			  u64 offset, unsigned int len);

#endif /* MREGION_BEHAVIOUR_H */
