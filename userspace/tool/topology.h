/* SPDX-License-Identifier: MIT */
/* Topology files: machines written down a statement a line. */
#ifndef MREGION_TOOL_TOPOLOGY_H
#define MREGION_TOOL_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct topology_region - a region or alias
 * @id: its ID
 * @kind: enum mregion_kind
 * @len: length in bytes, 0 for 2^64
 * @target: of an alias: ID of the region it shows
 * @offset: of an alias: offset in @target
 * @name: its name
 * @line: where it is defined
 */
struct topology_region {
	uint32_t id;
	uint32_t kind;
	uint64_t len;
	uint32_t target;
	uint64_t offset;
	char *name;
	size_t line;
};

/** struct topology_map - region @child is mapped into @parent */
struct topology_map {
	uint32_t parent;
	uint32_t child;
	uint64_t offset;
	int32_t priority;
	size_t line;
};

/** struct topology_flag - region @id has @flag of enum mregion_region_flags */
struct topology_flag {
	uint32_t id;
	uint32_t flag;
	size_t line;
};

/** struct topology_space - a space called @name shows region @root */
struct topology_space {
	char *name;
	uint32_t root;
	size_t line;
};

/**
 * struct topology - what a file says; each array in the order of the file
 * @index: hash table: ID to one more than an index of @regions
 * @index_size: a power of two
 */
struct topology {
	struct topology_region *regions;
	size_t nr_regions;
	struct topology_map *maps;
	size_t nr_maps;
	struct topology_flag *flags;
	size_t nr_flags;
	struct topology_space *spaces;
	size_t nr_spaces;
	size_t *index;
	size_t index_size;
};

/**
 * topology_read() - read a file
 * @path: its name, "-" for stdin
 * @topology: filled in; topology_free() it in any case
 *
 * Whatever is referred to is defined somewhere in the file. Return: false after
 * a complaint.
 */
bool topology_read(const char *path, struct topology *topology);

void topology_free(struct topology *topology);

/** topology_find() - the region of an ID, or NULL */
const struct topology_region *topology_find(const struct topology *topology,
					    uint32_t id);

/**
 * topology_error() - complain about a line of a file
 * @path: the file
 * @line: number of the line, from 1; 0: the file as a whole
 * @fmt: the reason
 */
__attribute__((format(printf, 3, 4)))
void topology_error(const char *path, size_t line, const char *fmt, ...);

#endif
