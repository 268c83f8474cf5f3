/* SPDX-License-Identifier: MIT */
/* What the parts of mregion show share. */
#ifndef MREGION_TOOL_SHOW_H
#define MREGION_TOOL_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "hierarchy.h"
#include "snapshot.h"

/**
 * struct show - a machine that is being shown
 * @snapshot: the machine
 * @hierarchy: its regions
 * @name: shows only regions of which the name matches; NULL: all
 * @kind: shows only regions of this kind; 0: all
 * @has_address: shows only what is at @address
 * @address: an address
 * @at: what each space has there, as a range that begins there; region 0: nothing
 */
struct show {
	struct snapshot snapshot;
	struct hierarchy hierarchy;
	const char *name;
	uint32_t kind;
	bool has_address;
	uint64_t address;
	struct live_range *at;
};

/** show_filters() - whether there is a filter at all */
bool show_filters(const struct show *show);

/** show_matches() - whether a region has a name and a kind that are shown */
bool show_matches(const struct show *show, const struct live_region *region);

/** show_matches_id() - the same of an ID; no region has no name and no kind */
bool show_matches_id(const struct show *show, uint32_t region);

/**
 * show_at() - whether part of a region is shown at the address in any space
 *
 * So it is of every part if there is no address. @len: 0 stands for 2^64.
 */
bool show_at(const struct show *show, uint32_t region, uint64_t offset,
	     uint64_t len);

/** show_label() - "#ID NAME" of a region, to be freed */
char *show_label(const struct hierarchy *hierarchy, uint32_t region);

void show_tree(const struct show *show);
void show_views(const struct show *show);

/*
 * Each prints a table, or the elements of an array of JSON.
 */
void show_regions_json(const struct show *show);
void show_views_json(const struct show *show);
void show_spaces(const struct show *show);
void show_rules(const struct show *show);
void show_rings(const struct show *show);
void show_shadows(const struct show *show);
void show_servers(const struct show *show);
void show_vms(const struct show *show);
void show_claims(const struct show *show);

#endif
