// SPDX-License-Identifier: MIT
/* Events of machines, as mregion monitor prints them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/mregion.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "../array.h"
#include "colour.h"
#include "event.h"
#include "json.h"
#include "live_types.h"
#include "names.h"
#include "text.h"

#define FIELD(attribute_, format_, member) {				\
	.attribute = MREGION_A_EVENT_##attribute_,			\
	.format = LIVE_##format_,					\
	.offset = offsetof(struct event, member),			\
	.key = #member,							\
}

static const struct live_field event_fields[] = {
	FIELD(MACHINE, U32, machine),
	FIELD(PID, U32, pid),
	FIELD(COMM, STRING, comm),
	FIELD(GENERATION, U64, generation),
	FIELD(VM, U32, vm),
	FIELD(VM_PID, U32, vm_pid),
	FIELD(MEMORY, U32, memory),
	FIELD(PIO, U32, pio),
	FIELD(SERVER, U32, server),
	FIELD(RING, U32, ring),
	FIELD(FULL, U64, full),
	FIELD(SMM, U32, smm),
};

static const struct live_type event_type = {
	.max = MREGION_A_EVENT_MAX,
	.size = sizeof(struct event),
	.nr = ARRAY_SIZE(event_fields),
	.fields = event_fields,
};

struct change {
	uint64_t told;
	uint64_t start;
	uint64_t last;
	uint32_t space;
};

static const struct live_field change_fields[] = {
	{ MREGION_A_CHANGE_SPACE, LIVE_U32, offsetof(struct change, space),
	  "space", NULL },
	{ MREGION_A_CHANGE_START, LIVE_ADDRESS, offsetof(struct change, start),
	  "start", NULL },
	{ MREGION_A_CHANGE_LAST, LIVE_ADDRESS, offsetof(struct change, last),
	  "last", NULL },
};

static const struct live_type change_type = {
	.max = MREGION_A_CHANGE_MAX,
	.size = sizeof(struct change),
	.nr = ARRAY_SIZE(change_fields),
	.fields = change_fields,
};

void event_read(const struct nlmsghdr *message, struct event *event)
{
	struct genlmsghdr *genl = genlmsg_hdr((struct nlmsghdr *)message);

	memset(event, 0, sizeof(*event));
	event->command = genl->cmd;
	event->attrs = genlmsg_attrdata(genl, 0);
	event->len = genlmsg_attrlen(genl, 0);
	live_parse(&event_type, event->attrs, event->len, event);
	event->cut = nla_find(event->attrs, event->len, MREGION_A_EVENT_CUT);
}

void event_clear(struct event *event)
{
	live_clear(&event_type, event);
}

static void parse_nested(const struct live_type *type,
			 const struct nlattr *attr, void *object)
{
	memset(object, 0, type->size);
	live_parse(type, nla_data(attr), nla_len(attr), object);
}

/* One range that is all of the interval needs no addresses of its own. */
static void print_range(const struct nlattr *attr, const struct change *change)
{
	struct mregion_range kernel = {};
	struct live_range range;

	parse_nested(&live_range_type, attr, &range);
	kernel.kind = range.kind;
	kernel.flags = range.flags;
	if (range.start != change->start || range.last != change->last)
		printf(" 0x%" PRIx64 "-0x%" PRIx64, range.start, range.last);
	printf(" #%u+0x%" PRIx64 " %s", range.region, range.offset,
	       mregion_range_type(&kernel));
}

static void print_change(const struct nlattr *attr)
{
	const char *separator = ":";
	struct change change;
	struct nlattr *nested;
	int left;

	parse_nested(&change_type, attr, &change);
	printf("space %u %s0x%" PRIx64 "-0x%" PRIx64 "%s", change.space,
	       colour_begin(COLOUR_ADDRESS), change.start, change.last,
	       colour_end(COLOUR_ADDRESS));
	nla_for_each_nested(nested, attr, left) {
		if (nla_type(nested) != MREGION_A_CHANGE_RANGE)
			continue;
		fputs(separator, stdout);
		print_range(nested, &change);
		separator = ",";
	}
	if (separator[0] == ':')
		fputs(": nothing", stdout);
}

static void print_changes(const struct event *event)
{
	const char *separator = ": ";
	struct nlattr *attr;
	int left;

	nla_for_each_attr(attr, event->attrs, event->len, left) {
		if (nla_type(attr) != MREGION_A_EVENT_CHANGE)
			continue;
		fputs(separator, stdout);
		print_change(attr);
		separator = "; ";
	}
	if (event->cut)
		printf("%sand more", separator);
	else if (separator[0] == ':')
		fputs(": no view has changed", stdout);
}

static void print_process(const char *what, const struct event *event)
{
	printf("%s by ", what);
	text_print(event->comm);
	printf(", process %u", event->pid);
}

static void print_vm(const char *what, const struct event *event)
{
	printf("%s vm %u of process %u", what, event->vm, event->vm_pid);
	if (event->memory)
		printf(", memory space %u", event->memory);
	if (event->pio)
		printf(", pio space %u", event->pio);
	if (event->smm)
		printf(", SMM space %u", event->smm);
}

void event_print(const struct event *event)
{
	printf("%smachine %u%s ", colour_begin(COLOUR_NAME), event->machine,
	       colour_end(COLOUR_NAME));
	switch (event->command) {
	case MREGION_CMD_MACHINE_OPENED:
		print_process("opened", event);
		break;
	case MREGION_CMD_MACHINE_CLOSED:
		print_process("closed, opened", event);
		break;
	case MREGION_CMD_COMMITTED:
		printf("committed %" PRIu64, event->generation);
		print_changes(event);
		break;
	case MREGION_CMD_ATTACHED:
		print_vm("attached to", event);
		break;
	case MREGION_CMD_DETACHED:
		print_vm("detached from", event);
		break;
	case MREGION_CMD_SERVER_DEAD:
		printf("server %u is dead", event->server);
		break;
	case MREGION_CMD_RING_FULL:
		printf("ring %u was full, %" PRIu64 " times so far",
		       event->ring, event->full);
		break;
	default:
		printf("event %u, which this program does not know",
		       event->command);
	}
}

static void change_json(const struct nlattr *attr)
{
	struct live_range range;
	struct change change;
	struct nlattr *nested;
	int left;

	parse_nested(&change_type, attr, &change);
	json_begin_object(NULL);
	live_json(&change_type, &change);
	json_begin_array("ranges");
	nla_for_each_nested(nested, attr, left) {
		if (nla_type(nested) != MREGION_A_CHANGE_RANGE)
			continue;
		parse_nested(&live_range_type, nested, &range);
		json_begin_object(NULL);
		live_json(&live_range_type, &range);
		json_end_object();
	}
	json_end_array();
	json_end_object();
}

void event_json(const struct event *event)
{
	static const char *const names[] = {
		[MREGION_CMD_MACHINE_OPENED] = "opened",
		[MREGION_CMD_MACHINE_CLOSED] = "closed",
		[MREGION_CMD_COMMITTED] = "committed",
		[MREGION_CMD_ATTACHED] = "attached",
		[MREGION_CMD_DETACHED] = "detached",
		[MREGION_CMD_SERVER_DEAD] = "server_dead",
		[MREGION_CMD_RING_FULL] = "ring_full",
	};
	struct nlattr *attr;
	int left;

	if (event->command < ARRAY_SIZE(names) && names[event->command])
		json_string("event", names[event->command]);
	else
		json_number("event", event->command);
	live_json(&event_type, event);
	if (event->command != MREGION_CMD_COMMITTED)
		return;
	json_begin_array("changes");
	nla_for_each_attr(attr, event->attrs, event->len, left)
		if (nla_type(attr) == MREGION_A_EVENT_CHANGE)
			change_json(attr);
	json_end_array();
	json_bool("cut", event->cut);
}
