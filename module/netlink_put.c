// SPDX-License-Identifier: GPL-2.0
#include <net/netlink.h>

#include "counters.h"
#include "netlink.h"

/** mregion_put_u64() - put a number that takes alignment; 0 or -EMSGSIZE */
int mregion_put_u64(struct sk_buff *skb, int attr, u64 value, int pad)
{
	return nla_put_u64_64bit(skb, attr, value, pad);
}

/** mregion_put_id() - put the ID of an object, unless there is none */
int mregion_put_id(struct sk_buff *skb, int attr, u32 id)
{
	return id ? nla_put_u32(skb, attr, id) : 0;
}

/**
 * mregion_put_counters() - put how often each outcome occurred
 * @skb: the message
 * @attr: the nest
 * @outcomes: by enum mregion_outcome
 *
 * Return: 0 or -EMSGSIZE.
 */
int mregion_put_counters(struct sk_buff *skb, int attr, const u64 *outcomes)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	/* the attributes have the order of the outcomes */
	for (i = 0; i < MREGION_NR_OUTCOMES; i++)
		if (mregion_put_u64(skb, MREGION_A_COUNTERS_UNASSIGNED + i,
				    outcomes[i], MREGION_A_COUNTERS_PAD))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/** mregion_put_range() - put what a range of a view has to say; 0 or -EMSGSIZE */
int mregion_put_range(struct sk_buff *skb, const struct mregion_range *range)
{
	if (mregion_put_u64(skb, MREGION_A_RANGE_START, range->start,
			    MREGION_A_RANGE_PAD) ||
	    mregion_put_u64(skb, MREGION_A_RANGE_LAST, range->last,
			    MREGION_A_RANGE_PAD))
		return -EMSGSIZE;
	if (!range->region)
		return 0;
	if (nla_put_u32(skb, MREGION_A_RANGE_REGION, range->region) ||
	    mregion_put_u64(skb, MREGION_A_RANGE_OFFSET, range->offset,
			    MREGION_A_RANGE_PAD) ||
	    nla_put_u32(skb, MREGION_A_RANGE_KIND, range->kind) ||
	    nla_put_u32(skb, MREGION_A_RANGE_FLAGS, range->flags))
		return -EMSGSIZE;
	return 0;
}
