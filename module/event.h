/* SPDX-License-Identifier: GPL-2.0 */
/* Events: netlink messages to the listeners of the multicast group. */
#ifndef MREGION_EVENT_H
#define MREGION_EVENT_H

#include <linux/mregion_netlink.h>
#include <linux/types.h>

struct mregion_machine;
struct mregion_owner;
struct mregion_space;
struct mregion_view;
struct mregion_vm;
struct nlattr;
struct sk_buff;
struct work_struct;

/**
 * struct mregion_event - a commit's event, as it is made
 * @skb: the message, or NULL without listeners
 * @head: of it
 * @machine: the machine
 * @cut: there is room for no more
 */
struct mregion_event {
	struct sk_buff *skb;
	void *head;
	const struct mregion_machine *machine;
	bool cut;
};

bool mregion_event_wanted(const struct mregion_owner *owner);
bool mregion_event_later(struct work_struct *work);
void mregion_event_machine(const struct mregion_machine *machine,
			   enum mregion_cmd cmd);
void mregion_event_vm(const struct mregion_machine *machine,
		      enum mregion_cmd cmd, const struct mregion_vm *vm);
void mregion_event_server_dead(const struct mregion_owner *owner, u32 server);
void mregion_event_ring_full(const struct mregion_owner *owner, u32 ring,
			     u64 full);

void mregion_event_begin(struct mregion_event *event,
			 const struct mregion_machine *machine);
void mregion_event_change(struct mregion_event *event,
			  const struct mregion_space *space,
			  const struct mregion_view *view);
void mregion_event_end(struct mregion_event *event);

int mregion_event_init(void);
void mregion_event_exit(void);

#endif /* MREGION_EVENT_H */
