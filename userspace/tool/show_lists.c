// SPDX-License-Identifier: MIT
/* mregion show: all that is a table. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "columns.h"
#include "json.h"
#include "show.h"
#include "text.h"
#include "tool.h"

static void object_json(const struct live_type *type, const void *object)
{
	json_begin_object(NULL);
	live_json(type, object);
	json_end_object();
}

static void add_label(struct columns *columns, const struct show *show,
		      uint32_t region)
{
	char *label = show_label(&show->hierarchy, region);

	columns_add(columns, COLOUR_NAME, "%s", region ? label : "-");
	free(label);
}

/* A number that may have no meaning. */
static void add_id(struct columns *columns, uint32_t id)
{
	if (id)
		columns_add(columns, COLOUR_NONE, "%u", id);
	else
		columns_add(columns, COLOUR_FAINT, "-");
}

static void add_number(struct columns *columns, uint64_t number)
{
	columns_add(columns, COLOUR_NONE, "%" PRIu64, number);
}

static void add_address(struct columns *columns, uint64_t address)
{
	columns_add(columns, COLOUR_ADDRESS, "0x%" PRIx64, address);
}

static void add_len(struct columns *columns, uint64_t len)
{
	char text[TEXT_LEN_SIZE];

	columns_add(columns, COLOUR_NONE, "%s", text_len(text, len));
}

static void add_word(struct columns *columns, const struct words *words,
		     uint32_t value)
{
	char text[WORDS_SIZE];

	columns_add(columns, COLOUR_KIND, "%s", words_text(words, value, text));
}

static void add_flags(struct columns *columns, const struct words *words,
		      uint32_t flags)
{
	char text[WORDS_SIZE];

	columns_add(columns, COLOUR_NONE, "%s",
		    flags ? words_flags_text(words, flags, text) : "-");
}

/* There is a heading where there is something below. */
static void print(const char *heading, struct columns *columns)
{
	if (columns->nr_cells)
		printf("%s:\n", heading);
	else
		printf("%s: none\n", heading);
	if (columns->nr_cells)
		columns_print(columns, -1);
}

void show_spaces(const struct show *show)
{
	static const char *const heads[] = {
		">SPACE", "BUS", "ROOT", "UNASSIGNED", ">RANGES", ">VMS",
		">GENERATION",
	};
	const struct live_space *space = show->snapshot.spaces.items;
	struct columns columns = COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.spaces.nr; i++, space++) {
		if (tool_json) {
			object_json(&live_space_type, space);
			continue;
		}
		columns_add(&columns, COLOUR_NAME, "%u", space->id);
		add_word(&columns, &words_bus, space->bus);
		add_label(&columns, show, space->root);
		add_word(&columns, &words_policy, space->unassigned);
		add_number(&columns, space->nr_ranges);
		add_number(&columns, space->nr_vms);
		add_number(&columns, space->view_generation);
	}
	if (!tool_json)
		print("spaces", &columns);
}

static void add_size(struct columns *columns, const struct live_rule *rule)
{
	if (rule->flags & MREGION_RULE_ANY_LEN || !rule->access_len)
		columns_add(columns, COLOUR_FAINT, "-");
	else
		add_number(columns, rule->access_len);
}

/* Which register the index is, for which values of it, and what selects the place. */
static void add_index(struct columns *columns, const struct live_rule *rule)
{
	int32_t shift = rule->index_shift;
	char by[16] = "";

	if (!(rule->flags & MREGION_RULE_INDEXED)) {
		columns_add(columns, COLOUR_FAINT, "-");
		return;
	}
	if (shift)
		snprintf(by, sizeof(by), " %s %d", shift < 0 ? ">>" : "<<",
			 abs(shift));
	columns_add(columns, COLOUR_NONE,
		    "%u byte%s at 0x%" PRIx64 " of shadow %u: 0x%" PRIx32
		    "-0x%" PRIx32 " of 0x%" PRIx32 ", place by 0x%" PRIx32 "%s",
		    rule->index_len, rule->index_len == 1 ? "" : "s",
		    rule->index_offset, rule->index_shadow, rule->index_first,
		    rule->index_last, rule->index_bits, rule->index_select, by);
}

static bool rule_is_shown(const struct show *show, const struct live_rule *rule)
{
	return show_matches_id(show, rule->region) &&
	       show_at(show, rule->region, rule->offset, rule->len);
}

/* Most machines have none, and no column for it. */
static bool any_is_indexed(const struct show *show)
{
	const struct live_rule *rule = show->snapshot.rules.items;
	size_t i;

	for (i = 0; i < show->snapshot.rules.nr; i++)
		if (rule[i].flags & MREGION_RULE_INDEXED &&
		    rule_is_shown(show, &rule[i]))
			return true;
	return false;
}

#define RULE_HEADS							\
	"REGION", "KIND", ">OFFSET", ">LENGTH", ">SIZE", ">VALUE",	\
	">RING", ">SHADOW", ">AT", "FLAGS"

void show_rules(const struct show *show)
{
	static const char *const heads[] = { RULE_HEADS };
	static const char *const heads_index[] = { RULE_HEADS, "INDEX" };
	const struct live_rule *rule = show->snapshot.rules.items;
	bool indexed = any_is_indexed(show);
	struct columns columns = indexed ? COLUMNS(heads_index, 2) :
					   COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.rules.nr; i++, rule++) {
		if (!rule_is_shown(show, rule))
			continue;
		if (tool_json) {
			object_json(&live_rule_type, rule);
			continue;
		}
		add_label(&columns, show, rule->region);
		add_word(&columns, &words_rule_kind, rule->kind);
		add_address(&columns, rule->offset);
		add_len(&columns, rule->len);
		add_size(&columns, rule);
		if (rule->flags & MREGION_RULE_DATAMATCH)
			columns_add(&columns, COLOUR_NONE, "0x%" PRIx64,
				    rule->datamatch);
		else
			columns_add(&columns, COLOUR_FAINT, "-");
		add_id(&columns, rule->ring);
		add_id(&columns, rule->shadow);
		if (rule->shadow)
			add_address(&columns, rule->shadow_offset);
		else
			columns_add(&columns, COLOUR_FAINT, "-");
		add_flags(&columns, &words_rule_flags, rule->flags);
		if (indexed)
			add_index(&columns, rule);
	}
	if (!tool_json)
		print("rules", &columns);
}

void show_rings(const struct show *show)
{
	static const char *const heads[] = {
		">RING", ">ENTRIES", ">WAITING", ">APPENDED", ">FULL",
		">WAKEUPS",
	};
	const struct live_ring *ring = show->snapshot.rings.items;
	struct columns columns = COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.rings.nr; i++, ring++) {
		if (tool_json) {
			object_json(&live_ring_type, ring);
			continue;
		}
		columns_add(&columns, COLOUR_NAME, "%u", ring->id);
		add_number(&columns, ring->nr_entries);
		add_number(&columns, ring->waiting);
		add_number(&columns, ring->appended);
		add_number(&columns, ring->full);
		add_number(&columns, ring->wakeups);
	}
	if (!tool_json)
		print("rings", &columns);
}

void show_shadows(const struct show *show)
{
	static const char *const heads[] = { ">SHADOW", ">LENGTH" };
	const struct live_shadow *shadow = show->snapshot.shadows.items;
	struct columns columns = COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.shadows.nr; i++, shadow++) {
		if (tool_json) {
			object_json(&live_shadow_type, shadow);
			continue;
		}
		columns_add(&columns, COLOUR_NAME, "%u", shadow->id);
		add_len(&columns, shadow->len);
	}
	if (!tool_json)
		print("shadows", &columns);
}

void show_servers(const struct show *show)
{
	static const char *const heads[] = {
		">SERVER", ">PID", "STATE", ">SLOTS", ">PARKED", ">SERVED",
		">EXITS", ">SLEEPS", ">WAKEUPS",
	};
	const struct live_server *server = show->snapshot.servers.items;
	struct columns columns = COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.servers.nr; i++, server++) {
		if (tool_json) {
			object_json(&live_server_type, server);
			continue;
		}
		columns_add(&columns, COLOUR_NAME, "%u", server->id);
		add_id(&columns, server->pid);
		columns_add(&columns,
			    server->dead ? COLOUR_OFF : COLOUR_KIND, "%s",
			    server->dead ? "dead" : "alive");
		add_number(&columns, server->nr_slots);
		add_number(&columns, server->parked);
		add_number(&columns, server->served);
		add_number(&columns, server->exits);
		add_number(&columns, server->sleeps);
		add_number(&columns, server->wakeups);
	}
	if (!tool_json)
		print("servers", &columns);
}

/* Most have none, and no column for it. */
static bool any_has_smm(const struct show *show)
{
	const struct live_vm *vm = show->snapshot.vms.items;
	size_t i;

	for (i = 0; i < show->snapshot.vms.nr; i++)
		if (vm[i].smm)
			return true;
	return false;
}

void show_vms(const struct show *show)
{
	static const char *const heads[] = {
		">VM", ">PID", ">MEMORY-SPACE", ">PIO-SPACE",
	};
	static const char *const heads_smm[] = {
		">VM", ">PID", ">MEMORY-SPACE", ">PIO-SPACE", ">SMM-SPACE",
	};
	const struct live_vm *vm = show->snapshot.vms.items;
	bool smm = any_has_smm(show);
	struct columns columns = smm ? COLUMNS(heads_smm, 2) :
				       COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.vms.nr; i++, vm++) {
		if (tool_json) {
			object_json(&live_vm_type, vm);
			continue;
		}
		columns_add(&columns, COLOUR_NAME, "%u", vm->id);
		add_id(&columns, vm->pid);
		add_id(&columns, vm->memory);
		add_id(&columns, vm->pio);
		if (smm)
			add_id(&columns, vm->smm);
	}
	if (!tool_json)
		print("vms", &columns);
}

static bool claim_is_shown(const struct show *show,
			   const struct live_claim *claim)
{
	return show_matches_id(show, claim->region) &&
	       (!show->has_address || (claim->start <= show->address &&
				       claim->last >= show->address));
}

void show_claims(const struct show *show)
{
	static const char *const heads[] = {
		">VM", "BUS", "KIND", ">FIRST", ">LAST", "REGION", "FLAGS",
	};
	const struct live_claim *claim = show->snapshot.claims.items;
	struct columns columns = COLUMNS(heads, 2);
	size_t i;

	for (i = 0; i < show->snapshot.claims.nr; i++, claim++) {
		if (!claim_is_shown(show, claim))
			continue;
		if (tool_json) {
			object_json(&live_claim_type, claim);
			continue;
		}
		columns_add(&columns, COLOUR_NAME, "%u", claim->vm);
		add_word(&columns, &words_bus, claim->bus);
		add_word(&columns, &words_claim_kind, claim->kind);
		add_address(&columns, claim->start);
		add_address(&columns, claim->last);
		add_label(&columns, show, claim->region);
		add_flags(&columns, &words_claim_flags, claim->flags);
	}
	if (!tool_json)
		print("claims", &columns);
}
