// SPDX-License-Identifier: MIT
/* What the kernel tells of machines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "json.h"
#include "live.h"
#include "live_types.h"
#include "tool.h"

/* Types have fewer attributes than @told has bits; later ones are ignored. */
#define MAX_ATTRIBUTES	64

static void parse_counters(const struct nlattr *attr,
			   struct live_counters *counters)
{
	struct nlattr *attrs[MREGION_A_COUNTERS_MAX + 1];
	unsigned int i;

	if (nla_parse_nested(attrs, MREGION_A_COUNTERS_MAX,
			     (struct nlattr *)attr, NULL))
		return;
	for (i = 0; i < LIVE_NR_OUTCOMES; i++) {
		attr = attrs[MREGION_A_COUNTERS_UNASSIGNED + i];
		if (attr && nla_len(attr) >= (int)sizeof(uint64_t))
			counters->nr[i] = nla_get_u64(attr);
	}
}

/* Return: false if the attribute is too short to be what it should be. */
static bool parse_field(const struct live_field *field,
			const struct nlattr *attr, void *member)
{
	int len = nla_len(attr);

	switch (field->format) {
	case LIVE_U32:
	case LIVE_S32:
	case LIVE_MASK:
	case LIVE_WORD:
	case LIVE_FLAGS:
		if (len < (int)sizeof(uint32_t))
			return false;
		*(uint32_t *)member = nla_get_u32(attr);
		return true;
	case LIVE_U64:
	case LIVE_ADDRESS:
	case LIVE_LENGTH:
		if (len < (int)sizeof(uint64_t))
			return false;
		*(uint64_t *)member = nla_get_u64(attr);
		return true;
	case LIVE_STRING:
		*(char **)member = strndup(nla_data(attr), len);
		return *(char **)member;
	case LIVE_FLAG:
		*(bool *)member = true;
		return true;
	default:
		parse_counters(attr, member);
		return true;
	}
}

void live_parse(const struct live_type *type, const struct nlattr *from,
		int len, void *object)
{
	struct nlattr *attrs[MAX_ATTRIBUTES];
	const struct live_field *field;
	uint64_t *told = object;

	if (nla_parse(attrs, type->max, (struct nlattr *)from, len, NULL))
		memset(attrs, 0, sizeof(attrs));
	for (field = type->fields; field < type->fields + type->nr; field++) {
		const struct nlattr *attr = attrs[field->attribute];

		if (attr && parse_field(field, attr,
					(char *)object + field->offset))
			*told |= 1ull << field->attribute;
	}
	/* A name is never NULL. */
	for (field = type->fields; field < type->fields + type->nr; field++) {
		char **member = (char **)((char *)object + field->offset);

		if (field->format == LIVE_STRING && !*member)
			*member = tool_alloc(1, 1);
	}
}

void live_clear(const struct live_type *type, void *object)
{
	const struct live_field *field;

	for (field = type->fields; field < type->fields + type->nr; field++)
		if (field->format == LIVE_STRING)
			free(*(char **)((char *)object + field->offset));
}

void live_free(struct live_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		live_clear(list->type, (char *)list->items +
				       i * list->type->size);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

static void begin_list(void *arg)
{
	struct live_list *list = arg;
	const struct live_type *type = list->type;

	live_free(list);
	list->type = type;
}

static void read_item(const struct nlmsghdr *message, void *arg)
{
	struct genlmsghdr *genl = genlmsg_hdr((struct nlmsghdr *)message);
	struct live_list *list = arg;
	void *object;

	if (list->nr == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->items = tool_grow(list->items, list->room,
					list->type->size);
	}
	object = (char *)list->items + list->nr++ * list->type->size;
	memset(object, 0, list->type->size);
	live_parse(list->type, genlmsg_attrdata(genl, 0),
		   genlmsg_attrlen(genl, 0), object);
}

static struct netlink_question
new_question(const struct live_type *type, bool dump, struct live_list *list)
{
	memset(list, 0, sizeof(*list));
	list->type = type;
	return (struct netlink_question){
		.request = { .command = type->command, .dump = dump },
		.begin = begin_list,
		.read = read_item,
		.arg = list,
	};
}

static void add_number(struct netlink_question *question, int attribute,
		       uint32_t value)
{
	struct netlink_request *request = &question->request;

	request->numbers[request->nr++] = (struct netlink_number){
		.type = attribute,
		.value = value,
	};
}

static struct netlink_question dump_question(const struct live_type *type,
					     uint32_t machine,
					     struct live_list *list)
{
	struct netlink_question question = new_question(type, true, list);

	if (type->machine)
		add_number(&question, type->machine, machine);
	return question;
}

int live_dump(struct netlink *nl, const struct live_type *type,
	      uint32_t machine, struct live_list *list)
{
	const struct netlink_question question =
		dump_question(type, machine, list);

	return netlink_ask_all(nl, &question, 1);
}

int live_dump_view(struct netlink *nl, uint32_t machine, uint32_t space,
		   struct live_list *list)
{
	struct netlink_question question =
		dump_question(&live_range_type, machine, list);

	add_number(&question, MREGION_A_RANGE_SPACE, space);
	return netlink_ask_all(nl, &question, 1);
}

int live_dump_rules(struct netlink *nl, uint32_t machine, uint32_t region,
		    struct live_list *list)
{
	struct netlink_question question =
		dump_question(&live_rule_type, machine, list);

	add_number(&question, MREGION_A_RULE_REGION, region);
	return netlink_ask_all(nl, &question, 1);
}

int live_machine(struct netlink *nl, uint32_t id, struct live_list *list)
{
	struct netlink_question question =
		new_question(&live_machine_type, false, list);
	int ret;

	add_number(&question, MREGION_A_MACHINE_ID, id);
	ret = netlink_ask_all(nl, &question, 1);
	return ret || list->nr == 1 ? ret : -EBADMSG;
}

int live_look_up(struct netlink *nl, uint32_t machine, uint32_t space,
		 uint64_t address, struct live_found *found)
{
	struct netlink_question questions[] = {
		new_question(&live_space_type, false, &found->space),
		new_question(&live_range_type, false, &found->range),
		dump_question(&live_region_type, machine, &found->regions),
	};
	struct netlink_request *range = &questions[1].request;
	int ret;

	add_number(&questions[0], MREGION_A_SPACE_MACHINE, machine);
	add_number(&questions[0], MREGION_A_SPACE_ID, space);
	add_number(&questions[1], MREGION_A_RANGE_MACHINE, machine);
	add_number(&questions[1], MREGION_A_RANGE_SPACE, space);
	range->numbers[range->nr++] = (struct netlink_number){
		.type = MREGION_A_RANGE_START,
		.is_u64 = true,
		.value = address,
	};
	ret = netlink_ask_all(nl, questions, 3);
	if (!ret && (found->space.nr != 1 || found->range.nr != 1))
		ret = -EBADMSG;
	return ret;
}

void live_json_counters(const char *key, const struct live_counters *counters)
{
	unsigned int i;

	json_begin_object(key);
	for (i = 0; i < LIVE_NR_OUTCOMES; i++)
		json_number(words_find(&words_outcome, i), counters->nr[i]);
	json_end_object();
}

static void field_json(const struct live_field *field, const void *member)
{
	const uint32_t *u32 = member;
	const uint64_t *u64 = member;

	switch (field->format) {
	case LIVE_U32:
		json_number(field->key, *u32);
		break;
	case LIVE_S32:
		json_signed(field->key, *(const int32_t *)member);
		break;
	case LIVE_MASK:
		json_address(field->key, *u32);
		break;
	case LIVE_U64:
		json_number(field->key, *u64);
		break;
	case LIVE_ADDRESS:
		json_address(field->key, *u64);
		break;
	case LIVE_LENGTH:
		json_len(field->key, *u64);
		break;
	case LIVE_STRING:
		json_string(field->key, *(char *const *)member);
		break;
	case LIVE_FLAG:
		json_bool(field->key, *(const bool *)member);
		break;
	case LIVE_WORD:
		words_json(field->key, field->words, *u32);
		break;
	case LIVE_FLAGS:
		words_flags_json(field->key, field->words, *u32);
		break;
	case LIVE_COUNTERS:
		live_json_counters(field->key, member);
		break;
	}
}

void live_json(const struct live_type *type, const void *object)
{
	const uint64_t *told = object;
	const struct live_field *field;

	for (field = type->fields; field < type->fields + type->nr; field++) {
		/* A flag that is not there says something, too. */
		if (field->key && (*told >> field->attribute & 1 ||
				   field->format == LIVE_FLAG))
			field_json(field, (const char *)object + field->offset);
	}
}
