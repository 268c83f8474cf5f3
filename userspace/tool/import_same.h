/* SPDX-License-Identifier: MIT */
/* Which lines of a tree are the same region. */
#ifndef MREGION_TOOL_IMPORT_SAME_H
#define MREGION_TOOL_IMPORT_SAME_H

#include <stdbool.h>
#include <stddef.h>

struct mtree;

/**
 * import_same() - find what each "memory-region" is that a tree has as well
 * @mtree: the tree
 * @same: for each section, set to the region that it is: its own root, or one in a
 *	tree that is another section's
 *
 * QEMU prints the regions that aliases show once more, each as a section. Return:
 * false: out of memory.
 */
bool import_same(const struct mtree *mtree, size_t *same);

/**
 * import_target() - the region that an alias shows
 * @mtree: the tree
 * @same: of import_same()
 * @alias: index of the alias
 * @guessed: set to whether there are others of its name that could be meant
 *
 * Return: the index, or %MTREE_NONE.
 */
size_t import_target(const struct mtree *mtree, const size_t *same,
		     size_t alias, bool *guessed);

#endif
