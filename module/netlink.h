/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: shows machines to other processes. */
#ifndef MREGION_NETLINK_H
#define MREGION_NETLINK_H

#include <linux/mregion.h>
#include <linux/mregion_netlink.h>
#include <linux/types.h>

#include "list.h"

struct genl_family;
struct mregion_machine;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/**
 * struct mregion_query - the objects that a request is for
 * @attr: attribute of @id, or of another object that must exist, for error messages
 * @id: of the only object, or 0 for all
 * @space: of a view
 * @region: whose rules, or 0 for all
 * @vm: whose claims, or 0 for all
 * @buses: which claims; bit n for enum mregion_bus n
 * @start: first address of interest
 * @last: last one
 * @cut: the one range that holds @start is asked for
 */
struct mregion_query {
	const struct nlattr *attr;
	u32 id;
	u32 space;
	u32 region;
	u32 vm;
	u32 buses;
	u64 start;
	u64 last;
	bool cut;
};

/**
 * struct mregion_answer - the answer to a request
 * @kind: kind of the entries
 * @machine: number of the machine
 * @generation: the machine's, of the entries
 * @next: the first one that has not been handed out
 * @list: the entries
 */
struct mregion_answer {
	const struct mregion_nl_kind *kind;
	u32 machine;
	u64 generation;
	u32 next;
	struct mregion_list list;
};

/**
 * struct mregion_nl_kind - a kind of object that can be asked for
 * @entry_size: size of an entry of its list
 * @a_machine: attribute that names the machine
 * @a_id: attribute of "do" that names the object, or 0
 * @ask: read the rest of a request, if there is any
 * @fill: list the objects; the machine is locked. -ENOENT if the object that they
 *	belong to does not exist
 * @put: make an entry attributes; 0 or -EMSGSIZE
 */
struct mregion_nl_kind {
	size_t entry_size;
	u16 a_machine;
	u16 a_id;
	int (*ask)(struct nlattr **attrs, struct netlink_ext_ack *extack,
		   bool dump, struct mregion_query *query);
	int (*fill)(struct mregion_machine *machine,
		    const struct mregion_query *query,
		    struct mregion_list *list);
	int (*put)(struct sk_buff *skb, const struct mregion_answer *answer,
		   const void *entry);
};

/* netlink_kinds.c: the kinds of objects, by enum mregion_cmd */
extern const struct mregion_nl_kind
mregion_nl_kinds[MREGION_CMD_CLAIM_GET + 1];

/* netlink_put.c: attributes that several sets have */
int mregion_put_u64(struct sk_buff *skb, int attr, u64 value, int pad);
int mregion_put_id(struct sk_buff *skb, int attr, u32 id);
int mregion_put_counters(struct sk_buff *skb, int attr, const u64 *outcomes);
int mregion_put_range(struct sk_buff *skb, const struct mregion_range *range);

/* netlink_machine.c */
int mregion_put_machine(struct sk_buff *skb, struct mregion_machine *machine);

/* netlink.c */
extern struct genl_family mregion_family;

/**
 * mregion_nl_missing() - refuse a request that lacks an attribute
 * @extack: takes the message
 * @attr: the attribute
 * @name: its name, a literal
 *
 * Return: -EINVAL.
 */
#define mregion_nl_missing(extack, attr, name) ({			\
	NL_SET_ERR_ATTR_MISS(extack, NULL, attr);			\
	NL_SET_ERR_MSG(extack, name ": is missing");			\
	-EINVAL;							\
})

int mregion_netlink_init(void);
void mregion_netlink_exit(void);

#endif /* MREGION_NETLINK_H */
