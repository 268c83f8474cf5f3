/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells of machines. Each object is a structure, which a table
 * describes: the table says how the structure is filled in from attributes, and
 * how it is written as JSON.
 */
#ifndef MREGION_TOOL_LIVE_H
#define MREGION_TOOL_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/mregion_netlink.h>

#include "netlink.h"
#include "words.h"

struct nlattr;

/** LIVE_NR_OUTCOMES - how many outcomes of accesses are counted */
#define LIVE_NR_OUTCOMES \
	(MREGION_A_COUNTERS_MAX - MREGION_A_COUNTERS_UNASSIGNED + 1)

/** struct live_counters - accesses, by enum mregion_outcome */
struct live_counters {
	uint64_t nr[LIVE_NR_OUTCOMES];
};

/*
 * Each structure begins with a bit for each attribute that it was told; the
 * members of others are 0. Names are those of the attributes.
 */

struct live_machine {
	uint64_t told;
	uint64_t generation;
	uint64_t memory;
	uint64_t windows;
	uint64_t wakeups;
	uint64_t sleeps;
	char *comm;
	uint32_t id;
	uint32_t pid;
	uint32_t nr_regions;
	uint32_t nr_rules;
	uint32_t nr_spaces;
	uint32_t nr_rings;
	uint32_t nr_shadows;
	uint32_t nr_servers;
	uint32_t nr_vms;
	struct live_counters counters;
};

struct live_vm {
	uint64_t told;
	uint32_t id;
	uint32_t pid;
	uint32_t memory;
	uint32_t pio;
	uint32_t smm;
};

struct live_space {
	uint64_t told;
	uint64_t generation;
	uint64_t view_generation;
	uint32_t id;
	uint32_t root;
	uint32_t bus;
	uint32_t unassigned;
	uint32_t nr_ranges;
	uint32_t nr_vms;
	struct live_counters counters;
};

struct live_region {
	uint64_t told;
	uint64_t generation;
	uint64_t len;
	uint64_t offset;
	uint64_t order;
	uint64_t target_offset;
	uint64_t backing_offset;
	char *name;
	uint32_t id;
	uint32_t kind;
	uint32_t flags;
	uint32_t parent;
	int32_t priority;
	uint32_t target;
	uint32_t backing;
	uint32_t server;
	uint32_t nr_rules;
	uint32_t valid_min;
	uint32_t valid_max;
	uint32_t impl_min;
	uint32_t impl_max;
	uint32_t constraint_flags;
	uint32_t refused;
	struct live_counters counters;
};

struct live_range {
	uint64_t told;
	uint64_t generation;
	uint64_t start;
	uint64_t last;
	uint64_t offset;
	uint32_t region;
	uint32_t kind;
	uint32_t flags;
};

struct live_rule {
	uint64_t told;
	uint64_t offset;
	uint64_t len;
	uint64_t datamatch;
	uint64_t shadow_offset;
	uint32_t region;
	uint32_t kind;
	uint32_t flags;
	uint32_t access_len;
	uint32_t ring;
	uint32_t shadow;
	uint64_t index_offset;
	uint32_t index_shadow;
	uint32_t index_len;
	uint32_t index_bits;
	uint32_t index_first;
	uint32_t index_last;
	uint32_t index_select;
	int32_t index_shift;
};

struct live_ring {
	uint64_t told;
	uint64_t appended;
	uint64_t full;
	uint64_t wakeups;
	uint32_t id;
	uint32_t nr_entries;
	uint32_t waiting;
};

struct live_shadow {
	uint64_t told;
	uint64_t len;
	uint32_t id;
};

struct live_server {
	uint64_t told;
	uint64_t served;
	uint64_t exits;
	uint64_t sleeps;
	uint64_t wakeups;
	uint32_t id;
	uint32_t pid;
	uint32_t nr_slots;
	uint32_t parked;
	bool dead;
};

struct live_claim {
	uint64_t told;
	uint64_t start;
	uint64_t last;
	uint32_t vm;
	uint32_t bus;
	uint32_t kind;
	uint32_t flags;
	uint32_t region;
};

struct live_type;

extern const struct live_type live_machine_type;
extern const struct live_type live_vm_type;
extern const struct live_type live_space_type;
extern const struct live_type live_region_type;
extern const struct live_type live_range_type;
extern const struct live_type live_rule_type;
extern const struct live_type live_ring_type;
extern const struct live_type live_shadow_type;
extern const struct live_type live_server_type;
extern const struct live_type live_claim_type;

/** LIVE_TOLD() - whether @object was told MREGION_A_@attribute */
#define LIVE_TOLD(object, attribute) \
	(((object)->told >> MREGION_A_##attribute) & 1)

/**
 * struct live_list - objects of one type
 * @type: their type
 * @items: an array of their structure
 * @nr: how many there are
 */
struct live_list {
	const struct live_type *type;
	void *items;
	size_t nr;
	size_t room;
};

/**
 * live_dump() - read all objects of a type
 * @nl: a socket
 * @type: the type
 * @machine: number of their machine; 0 for machines
 * @list: filled in; live_free() it, whatever is returned
 *
 * Return: 0, or a negative errno.
 */
int live_dump(struct netlink *nl, const struct live_type *type,
	      uint32_t machine, struct live_list *list);

/** live_dump_view() - read the ranges of a space */
int live_dump_view(struct netlink *nl, uint32_t machine, uint32_t space,
		   struct live_list *list);

/** live_dump_rules() - read the rules of a region */
int live_dump_rules(struct netlink *nl, uint32_t machine, uint32_t region,
		    struct live_list *list);

/** live_machine() - read one machine, to the only item of @list */
int live_machine(struct netlink *nl, uint32_t id, struct live_list *list);

/**
 * struct live_found - what is at an address, and what may explain it
 * @space: the space, in a list of its own
 * @range: what is there, in a list of its own; its region is 0 where nothing is
 * @regions: the regions of the machine
 */
struct live_found {
	struct live_list space;
	struct live_list range;
	struct live_list regions;
};

/**
 * live_look_up() - read what is at an address
 * @nl: a socket
 * @machine: number of the machine
 * @space: number of the space
 * @address: the address
 * @found: filled in; live_free() its lists, whatever is returned
 *
 * Commits may come between the three, whose generations tell.
 *
 * Return: 0, or a negative errno.
 */
int live_look_up(struct netlink *nl, uint32_t machine, uint32_t space,
		 uint64_t address, struct live_found *found);

/** live_free() - free the objects of a list, which may be all zero */
void live_free(struct live_list *list);

/**
 * live_parse() - read one object out of attributes
 * @type: its type
 * @attrs: the attributes
 * @len: their length
 * @object: zeroed before; live_clear() it
 */
void live_parse(const struct live_type *type, const struct nlattr *attrs,
		int len, void *object);

/** live_clear() - free what an object holds */
void live_clear(const struct live_type *type, void *object);

/** live_json() - the members of an object; the caller begins and ends it */
void live_json(const struct live_type *type, const void *object);

/** live_json_counters() - the counters as an object */
void live_json_counters(const char *key, const struct live_counters *counters);

#endif
