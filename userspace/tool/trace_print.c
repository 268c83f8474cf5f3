// SPDX-License-Identifier: MIT
/* Trace events, as mregion trace prints them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/mregion.h>

#include "colour.h"
#include "json.h"
#include "text.h"
#include "trace_print.h"

#define OFFSET_SIZE	24

static uint64_t get(const struct trace_record *record, const char *key)
{
	return trace_record_get(record, key);
}

/* What a read returns is not known yet where others are to complete it. */
static bool has_data(const struct trace_record *record)
{
	unsigned int outcome = record->event;

	if (record->event == TRACE_SERVER)
		return trace_record_is_write(record) || get(record, "answered");
	return trace_record_is_write(record) ||
	       outcome == MREGION_OUTCOME_SHADOW ||
	       outcome == MREGION_OUTCOME_UNASSIGNED ||
	       outcome == MREGION_OUTCOME_REFUSED;
}

/* An access can begin before its region, which it exits because of. */
static const char *offset_text(char text[OFFSET_SIZE], uint64_t offset)
{
	bool before = (int64_t)offset < 0;

	snprintf(text, OFFSET_SIZE, "%s0x%" PRIx64, before ? "-" : "",
		 before ? -offset : offset);
	return text;
}

static void print_data(const struct trace_record *record)
{
	char text[OFFSET_SIZE] = "-";

	if (has_data(record) && get(record, "len"))
		snprintf(text, sizeof(text), "0x%" PRIx64,
			 get(record, "data"));
	printf("= %-10s ", text);
}

static void print_region(uint32_t region, const char *name, uint64_t offset)
{
	char text[OFFSET_SIZE];

	if (!region) {
		fputs("nothing", stdout);
		return;
	}
	printf("%s#%u", colour_begin(COLOUR_NAME), region);
	if (*name) {
		putchar(' ');
		text_print(name);
	}
	printf("%s, offset %s", colour_end(COLOUR_NAME),
	       offset_text(text, offset));
}

/* What rang before KVM looked at the instruction has no length, and may be a read. */
static bool is_fast(const struct trace_record *record)
{
	return !get(record, "len");
}

static void print_read_or_write(const struct trace_record *record)
{
	if (is_fast(record)) {
		fputs("fast  - ", stdout);
		return;
	}
	printf("%-5s %" PRIu64 " ",
	       trace_record_is_write(record) ? "write" : "read",
	       get(record, "len"));
}

static void print_access(const struct trace_record *record)
{
	print_read_or_write(record);
	printf("space %" PRIu64 " %s0x%-8" PRIx64 "%s ", get(record, "space"),
	       colour_begin(COLOUR_ADDRESS), get(record, "addr"),
	       colour_end(COLOUR_ADDRESS));
	print_data(record);
	print_region(get(record, "region"), record->name, record->offset);
}

static void print_server(const struct trace_record *record)
{
	print_read_or_write(record);
	printf("server %-11" PRIu64 " ", get(record, "server"));
	print_data(record);
	print_region(get(record, "region"), "", get(record, "offset"));
	printf(", %s after %.3f us",
	       get(record, "answered") ? "answered" : "not answered",
	       get(record, "ns") / 1e3);
}

/* Return: whether it has failed. */
static bool print_error(const struct trace_record *record)
{
	int ret = get(record, "ret");

	if (ret < 0)
		printf(" failed: %s", strerror(-ret));
	return ret < 0;
}

static void print_commit(const struct trace_record *record)
{
	uint64_t nr = get(record, "nr_ops");
	uint64_t alone = get(record, "nr_failed");

	printf("%s%" PRIu64 " operation%s",
	       get(record, "dry_run") ? "dry run of " : "", nr,
	       nr == 1 ? "" : "s");
	if (!print_error(record))
		printf(", generation %" PRIu64, get(record, "generation"));
	else if (get(record, "failed") < nr)
		printf(" (operation %" PRIu64 ")", get(record, "failed"));
	if (alone)
		printf(", %" PRIu64 " failed alone", alone);
}

static void print_attach(const struct trace_record *record)
{
	printf("memory space %" PRIu64 ", pio space %" PRIu64,
	       get(record, "memory"), get(record, "pio"));
	if (get(record, "smm"))
		printf(", SMM space %" PRIu64, get(record, "smm"));
	if (!print_error(record))
		printf(", %" PRIu64 " windows, %" PRIu64 " conflicts",
		       get(record, "nr_windows"), get(record, "nr_conflicts"));
}

void trace_print(const struct trace_record *record)
{
	int vcpu = get(record, "vcpu");
	char text[16] = "-";

	if (vcpu >= 0)
		snprintf(text, sizeof(text), "%d", vcpu);
	printf("%smachine %" PRIu64 "%s ", colour_begin(COLOUR_NAME),
	       get(record, "machine"), colour_end(COLOUR_NAME));
	if (record->event <= TRACE_SERVER)
		printf("vcpu %-3s ", text);
	else
		printf("%9s", "");
	printf("%s%-15s%s ", colour_begin(COLOUR_KIND),
	       trace_event_word(record->event), colour_end(COLOUR_KIND));
	switch (record->event) {
	case TRACE_SERVER:
		print_server(record);
		break;
	case TRACE_COMMIT:
		print_commit(record);
		break;
	case TRACE_ATTACH:
		print_attach(record);
		break;
	case TRACE_DETACH:
		fputs(get(record, "gone") ? "the virtual machine is gone" :
					    "asked for", stdout);
		break;
	default:
		print_access(record);
	}
}

static void number_json(const struct trace_record *record, const char *key)
{
	json_number(key, get(record, key));
}

static void json_access(const struct trace_record *record)
{
	uint64_t offset = record->event == TRACE_SERVER ?
		get(record, "offset") : record->offset;
	int vcpu = get(record, "vcpu");
	char text[OFFSET_SIZE];

	if (vcpu >= 0)
		json_number("vcpu", vcpu);
	if (record->event == TRACE_SERVER) {
		number_json(record, "server");
	} else {
		number_json(record, "space");
		json_address("address", get(record, "addr"));
	}
	json_bool("write", trace_record_is_write(record));
	number_json(record, "len");
	if (has_data(record))
		json_address("data", get(record, "data"));
	if (!get(record, "region")) {
		json_null("region");
		return;
	}
	number_json(record, "region");
	if (record->event != TRACE_SERVER)
		json_string("name", record->name);
	json_string("offset", offset_text(text, offset));
}

static void json_failure(const struct trace_record *record)
{
	int ret = get(record, "ret");

	if (ret < 0)
		json_string("failed", strerror(-ret));
}

static void json_commit(const struct trace_record *record)
{
	number_json(record, "nr_ops");
	json_bool("dry_run", get(record, "dry_run"));
	number_json(record, "generation");
	json_failure(record);
	if (get(record, "failed") < get(record, "nr_ops"))
		json_number("failed_op", get(record, "failed"));
	number_json(record, "nr_failed");
}

void trace_json(const struct trace_record *record)
{
	const char *word = trace_event_word(record->event);

	json_string("event", record->event < TRACE_SERVER ? "access" : word);
	if (record->event < TRACE_SERVER)
		json_string("outcome", word);
	number_json(record, "machine");
	switch (record->event) {
	case TRACE_COMMIT:
		json_commit(record);
		break;
	case TRACE_ATTACH:
		number_json(record, "memory");
		number_json(record, "pio");
		if (get(record, "smm"))
			number_json(record, "smm");
		json_failure(record);
		number_json(record, "nr_windows");
		number_json(record, "nr_conflicts");
		break;
	case TRACE_DETACH:
		json_bool("gone", get(record, "gone"));
		break;
	case TRACE_SERVER:
		json_access(record);
		json_bool("answered", get(record, "answered"));
		number_json(record, "ns");
		break;
	default:
		json_access(record);
	}
}
