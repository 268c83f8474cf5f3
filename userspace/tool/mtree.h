/* SPDX-License-Identifier: MIT */
/* What QEMU's monitor prints for "info mtree", taken apart. */
#ifndef MREGION_TOOL_MTREE_H
#define MREGION_TOOL_MTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MTREE_NONE	((size_t)-1)

/**
 * struct mtree_region - a line of a tree
 * @name: its name
 * @type: "ram", "i/o" and so on; of an alias: that of its target
 * @target: of an alias: name of what it shows, else NULL
 * @owner: what -o says behind it, or NULL
 * @target_offset: of an alias
 * @first: first address, from the beginning of the section
 * @len: length in bytes, 0 for 2^64
 * @priority: among siblings
 * @disabled: it is
 * @nonvolatile: it is
 * @line: of the file
 * @parent: index, or %MTREE_NONE
 * @child: index of the first region in it, or %MTREE_NONE
 * @next: index of the next sibling, or %MTREE_NONE
 */
struct mtree_region {
	char *name;
	char *type;
	char *target;
	char *owner;
	uint64_t target_offset;
	uint64_t first;
	uint64_t len;
	int32_t priority;
	bool disabled;
	bool nonvolatile;
	size_t line;
	size_t parent;
	size_t child;
	size_t next;
};

/**
 * struct mtree_section - a heading
 * @name: of the space, or of the region
 * @is_space: "address-space", else "memory-region": what an alias shows
 * @root: index of its root. Spaces that have the same root follow one another
 */
struct mtree_section {
	char *name;
	bool is_space;
	size_t root;
};

/**
 * struct mtree - all of the text
 * @regions: in the order of the text, parents before children
 * @nr_regions: how many
 * @sections: in the order of the text
 * @nr_sections: how many
 * @registers: names of what flat views show as i/o, if the text has these, too
 * @nr_registers: how many
 * @has_views: it has
 */
struct mtree {
	struct mtree_region *regions;
	size_t nr_regions;
	struct mtree_section *sections;
	size_t nr_sections;
	char **registers;
	size_t nr_registers;
	bool has_views;
};

/**
 * mtree_read() - read a file
 * @path: its name, "-" for stdin
 * @mtree: filled in; mtree_free() it in any case
 *
 * What else a monitor prints, and what was typed, is passed over. Return: false
 * after a complaint.
 */
bool mtree_read(const char *path, struct mtree *mtree);

void mtree_free(struct mtree *mtree);

#endif
