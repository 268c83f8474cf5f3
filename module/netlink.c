// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and dumps. What they ask for is listed under the machine's lock as they
 * begin, and handed out from the list.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "budget.h"
#include "compat.h"
#include "event.h"
#include "machine.h"
#include "netlink.h"

#ifndef GENL_MCAST_CAP_NET_ADMIN
#error "this kernel cannot keep multicast groups of netlink to administrators"
#endif


/* The machine that a request names, for mregion_machine_put(). */
static struct mregion_machine *
mregion_nl_machine(const struct net *net, struct nlattr **attrs, u16 attr,
		   struct netlink_ext_ack *extack)
{
	struct mregion_machine *machine;

	if (!attrs[attr])
		return ERR_PTR(mregion_nl_missing(extack, attr, "machine"));
	machine = mregion_machine_find(net, nla_get_u32(attrs[attr]));
	if (machine)
		return machine;
	NL_SET_ERR_MSG_ATTR(extack, attrs[attr],
			    "machine: there is none in this network namespace");
	return ERR_PTR(-ENOENT);
}

/* Read what a request asks for, but the machine. */
static int mregion_nl_ask(const struct mregion_nl_kind *kind,
			  struct nlattr **attrs, struct netlink_ext_ack *extack,
			  bool dump, struct mregion_query *query)
{
	const struct nlattr *id = kind->a_id ? attrs[kind->a_id] : NULL;

	query->last = U64_MAX;
	query->buses = BIT(MREGION_BUS_MEMORY) | BIT(MREGION_BUS_PIO);
	if (dump && id) {
		NL_SET_ERR_MSG_ATTR(extack, id, "id: a dump is of all");
		return -EINVAL;
	}
	if (!dump && kind->a_id) {
		if (!id)
			return mregion_nl_missing(extack, kind->a_id, "id");
		query->attr = id;
		query->id = nla_get_u32(id);
	}
	return kind->ask ? kind->ask(attrs, extack, dump, query) : 0;
}

/* List what is asked for: count it, and then fill the list in. */
static int mregion_nl_list(struct mregion_machine *machine,
			   const struct mregion_query *query,
			   struct mregion_answer *answer)
{
	const struct mregion_nl_kind *kind = answer->kind;
	struct mregion_list *list = &answer->list;
	int ret;

	list->budget = machine->budget;
	list->entry_size = kind->entry_size;
	ret = kind->fill(machine, query, list) ?:
	      mregion_list_alloc(list, list->nr);
	if (ret)
		return ret;
	list->nr = 0;
	ret = kind->fill(machine, query, list);
	if (ret) {
		mregion_list_free(list);
		return ret;
	}
	/* of buses, which are not the machine's alone, there can be more now */
	list->nr = min(list->nr, list->room);
	answer->machine = machine->id;
	answer->generation = machine->generation;
	mregion_budget_get(list->budget);
	return 0;
}

static void mregion_answer_free(struct mregion_answer *answer)
{
	struct mregion_budget *budget = answer->list.budget;

	mregion_list_free(&answer->list);
	mregion_budget_put(budget);
}

/* The machine has not what the request names. */
static void mregion_nl_none(struct netlink_ext_ack *extack,
			    const struct mregion_query *query)
{
	if (query->space)
		NL_SET_ERR_MSG_ATTR(extack, query->attr,
				    "space: the machine has none of it, or it ends before start");
	else if (query->region)
		NL_SET_ERR_MSG_ATTR(extack, query->attr,
				    "region: the machine has none of it");
	else if (query->vm)
		NL_SET_ERR_MSG_ATTR(extack, query->attr,
				    "vm: the machine has none of it");
	else
		NL_SET_ERR_MSG_ATTR(extack, query->attr,
				    "id: the machine has none of it");
}

/* Answer a request about one machine. */
static int mregion_nl_take(const struct net *net, struct nlattr **attrs,
			   struct netlink_ext_ack *extack, bool dump,
			   struct mregion_answer *answer)
{
	struct mregion_query query = {};
	struct mregion_machine *machine;
	int ret;

	machine = mregion_nl_machine(net, attrs, answer->kind->a_machine,
				     extack);
	if (IS_ERR(machine))
		return PTR_ERR(machine);
	ret = mregion_nl_ask(answer->kind, attrs, extack, dump, &query);
	if (ret)
		goto out;
	ret = -EINTR;
	if (mutex_lock_killable(&machine->lock))
		goto out;
	ret = mregion_nl_list(machine, &query, answer);
	if (!ret && !dump && !answer->list.nr) {
		mregion_answer_free(answer);
		ret = -ENOENT;
	}
	mutex_unlock(&machine->lock);
	if (ret == -ENOENT)
		mregion_nl_none(extack, &query);
	else if (ret == -ENOBUFS)
		NL_SET_ERR_MSG(extack,
			       "the answer does not fit into the machine's budget");
out:
	mregion_machine_put(machine);
	return ret;
}

static int mregion_nl_put(struct sk_buff *skb, u32 portid, u32 seq, int flags,
			  u8 cmd, const struct mregion_answer *answer,
			  const void *entry)
{
	void *head = genlmsg_put(skb, portid, seq, &mregion_family, flags, cmd);

	if (!head)
		return -EMSGSIZE;
	if (answer->kind->put(skb, answer, entry)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int mregion_nl_do(struct sk_buff *request, struct genl_info *info)
{
	u8 cmd = info->genlhdr->cmd;
	struct mregion_answer answer = { .kind = &mregion_nl_kinds[cmd] };
	struct sk_buff *skb;
	int ret;

	ret = mregion_nl_take(genl_info_net(info), info->attrs, info->extack,
			      false, &answer);
	if (ret)
		return ret;
	ret = -ENOMEM;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (skb)
		ret = mregion_nl_put(skb, info->snd_portid, info->snd_seq, 0,
				     cmd, &answer, answer.list.entries);
	mregion_answer_free(&answer);
	if (!ret)
		return genlmsg_reply(skb, info);
	nlmsg_free(skb);
	return ret;
}

static int mregion_nl_begin(struct netlink_callback *cb)
{
	u8 cmd = genl_dumpit_info(cb)->op.cmd;
	struct mregion_answer *answer;
	int ret;

	answer = kzalloc(sizeof(*answer), GFP_KERNEL_ACCOUNT);
	if (!answer)
		return -ENOMEM;
	answer->kind = &mregion_nl_kinds[cmd];
	ret = mregion_nl_take(sock_net(cb->skb->sk), mregion_dump_attrs(cb),
			      cb->extack, true, answer);
	if (ret)
		kfree(answer);
	else
		cb->args[0] = (long)answer;
	return ret;
}

/*
 * On 6.1 nothing can be said here of what is wrong; and where it is said
 * later, not of which attribute.
 */
static int mregion_nl_start(struct netlink_callback *cb)
{
	return cb->extack ? mregion_nl_begin(cb) : 0;
}

static int mregion_nl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct mregion_answer *answer;
	const struct mregion_list *list;
	int ret = cb->args[0] ? 0 : mregion_nl_begin(cb);

	if (ret)
		return ret;
	answer = (struct mregion_answer *)cb->args[0];
	list = &answer->list;
	for (; answer->next < list->nr; answer->next++)
		if (mregion_nl_put(skb, NETLINK_CB(cb->skb).portid,
				   cb->nlh->nlmsg_seq, NLM_F_MULTI,
				   genl_dumpit_info(cb)->op.cmd, answer,
				   list->entries +
				   answer->next * list->entry_size))
			break;
	return skb->len;
}

static int mregion_nl_done(struct netlink_callback *cb)
{
	struct mregion_answer *answer = (struct mregion_answer *)cb->args[0];

	if (answer) {
		mregion_answer_free(answer);
		kfree(answer);
	}
	return 0;
}

/* ---- Machines, each of which has a generation of its own --------------- */

static int mregion_nl_machine_msg(struct sk_buff *skb, u32 portid, u32 seq,
				  int flags, struct mregion_machine *machine)
{
	void *head = genlmsg_put(skb, portid, seq, &mregion_family, flags,
				 MREGION_CMD_MACHINE_GET);
	int ret;

	if (!head)
		return -EMSGSIZE;
	ret = mregion_put_machine(skb, machine);
	if (ret)
		genlmsg_cancel(skb, head);
	else
		genlmsg_end(skb, head);
	return ret;
}

static int mregion_nl_do_machine(struct sk_buff *request,
				 struct genl_info *info)
{
	struct mregion_machine *machine;
	struct sk_buff *skb;
	int ret = -ENOMEM;

	machine = mregion_nl_machine(genl_info_net(info), info->attrs,
				     MREGION_A_MACHINE_ID, info->extack);
	if (IS_ERR(machine))
		return PTR_ERR(machine);
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (skb)
		ret = mregion_nl_machine_msg(skb, info->snd_portid,
					     info->snd_seq, 0, machine);
	mregion_machine_put(machine);
	if (!ret)
		return genlmsg_reply(skb, info);
	nlmsg_free(skb);
	return ret;
}

static int mregion_nl_dump_machines(struct sk_buff *skb,
				    struct netlink_callback *cb)
{
	const struct nlattr *id = mregion_dump_attrs(cb)[MREGION_A_MACHINE_ID];
	const struct net *net = sock_net(cb->skb->sk);
	struct mregion_machine *machine;
	int ret = 0;

	if (id) {
		NL_SET_ERR_MSG_ATTR(cb->extack, id, "id: a dump is of all");
		return -EINVAL;
	}
	while (!ret && (machine = mregion_machine_from(net, cb->args[0] + 1))) {
		ret = mregion_nl_machine_msg(skb, NETLINK_CB(cb->skb).portid,
					     cb->nlh->nlmsg_seq, NLM_F_MULTI,
					     machine);
		if (!ret)
			cb->args[0] = machine->id;
		mregion_machine_put(machine);
	}
	return ret && ret != -EMSGSIZE ? ret : skb->len;
}

/* ---- The family -------------------------------------------------------- */

#define MREGION_POLICY_ID	NLA_POLICY_MIN(NLA_U32, 1)

static const struct nla_policy mregion_machine_policy[] = {
	[MREGION_A_MACHINE_ID] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_vm_policy[] = {
	[MREGION_A_VM_MACHINE] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_space_policy[] = {
	[MREGION_A_SPACE_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_SPACE_ID] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_region_policy[] = {
	[MREGION_A_REGION_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_REGION_ID] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_range_policy[] = {
	[MREGION_A_RANGE_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_RANGE_SPACE] = MREGION_POLICY_ID,
	[MREGION_A_RANGE_START] = { .type = NLA_U64 },
	[MREGION_A_RANGE_LAST] = { .type = NLA_U64 },
};

static const struct nla_policy mregion_rule_policy[] = {
	[MREGION_A_RULE_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_RULE_REGION] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_ring_policy[] = {
	[MREGION_A_RING_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_RING_ID] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_shadow_policy[] = {
	[MREGION_A_SHADOW_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_SHADOW_ID] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_server_policy[] = {
	[MREGION_A_SERVER_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_SERVER_ID] = MREGION_POLICY_ID,
};

static const struct nla_policy mregion_claim_policy[] = {
	[MREGION_A_CLAIM_MACHINE] = MREGION_POLICY_ID,
	[MREGION_A_CLAIM_VM] = MREGION_POLICY_ID,
	[MREGION_A_CLAIM_BUS] = NLA_POLICY_MAX(NLA_U32, MREGION_BUS_PIO),
};

#define MREGION_NL_DUMP(_cmd, _policy)					\
	.cmd = (_cmd),							\
	.flags = GENL_UNS_ADMIN_PERM,					\
	.policy = (_policy),						\
	.maxattr = ARRAY_SIZE(_policy) - 1,				\
	.start = mregion_nl_start,					\
	.dumpit = mregion_nl_dump,					\
	.done = mregion_nl_done

static const struct genl_ops mregion_ops[] = {
	{
		.cmd = MREGION_CMD_MACHINE_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = mregion_machine_policy,
		.maxattr = ARRAY_SIZE(mregion_machine_policy) - 1,
		.doit = mregion_nl_do_machine,
		.dumpit = mregion_nl_dump_machines,
	},
	{ MREGION_NL_DUMP(MREGION_CMD_VM_GET, mregion_vm_policy) },
	{ MREGION_NL_DUMP(MREGION_CMD_SPACE_GET, mregion_space_policy),
	  .doit = mregion_nl_do },
	{ MREGION_NL_DUMP(MREGION_CMD_REGION_GET, mregion_region_policy),
	  .doit = mregion_nl_do },
	{ MREGION_NL_DUMP(MREGION_CMD_RANGE_GET, mregion_range_policy),
	  .doit = mregion_nl_do },
	{ MREGION_NL_DUMP(MREGION_CMD_RULE_GET, mregion_rule_policy) },
	{ MREGION_NL_DUMP(MREGION_CMD_RING_GET, mregion_ring_policy),
	  .doit = mregion_nl_do },
	{ MREGION_NL_DUMP(MREGION_CMD_SHADOW_GET, mregion_shadow_policy),
	  .doit = mregion_nl_do },
	{ MREGION_NL_DUMP(MREGION_CMD_SERVER_GET, mregion_server_policy),
	  .doit = mregion_nl_do },
	{ MREGION_NL_DUMP(MREGION_CMD_CLAIM_GET, mregion_claim_policy) },
};

static const struct genl_multicast_group mregion_groups[] = {
	{ .name = MREGION_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family mregion_family __ro_after_init = {
	.name = MREGION_FAMILY_NAME,
	.version = MREGION_FAMILY_VERSION,
	.netnsok = true,
	/* a machine can be locked for long, and others are not to wait for it */
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = mregion_ops,
	.n_ops = ARRAY_SIZE(mregion_ops),
	.resv_start_op = MREGION_CMD_MACHINE_GET,
	.mcgrps = mregion_groups,
	.n_mcgrps = ARRAY_SIZE(mregion_groups),
};

int __init mregion_netlink_init(void)
{
	return genl_register_family(&mregion_family);
}

void mregion_netlink_exit(void)
{
	genl_unregister_family(&mregion_family);
}
