/* SPDX-License-Identifier: MIT */
/* Events of machines, as mregion monitor prints them. */
#ifndef MREGION_TOOL_EVENT_H
#define MREGION_TOOL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "live.h"

/**
 * struct event - an event
 * @told: see struct live_machine
 * @command: enum mregion_cmd, which event it is
 * @attrs: its attributes
 * @len: their length
 */
struct event {
	uint64_t told;
	uint64_t generation;
	uint64_t full;
	char *comm;
	uint32_t machine;
	uint32_t pid;
	uint32_t vm;
	uint32_t vm_pid;
	uint32_t memory;
	uint32_t pio;
	uint32_t smm;
	uint32_t server;
	uint32_t ring;
	bool cut;
	uint8_t command;
	struct nlattr *attrs;
	int len;
};

/**
 * event_read() - read an event
 * @message: the message, which has to stay as long as the event
 * @event: filled in; event_clear() it
 */
void event_read(const struct nlmsghdr *message, struct event *event);

void event_clear(struct event *event);

/** event_print() - what has happened, without the end of the line */
void event_print(const struct event *event);

/** event_json() - the members of an event */
void event_json(const struct event *event);

#endif
