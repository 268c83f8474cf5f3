// SPDX-License-Identifier: MIT
/* Which lines of a tree are the same region. */
#include <stdlib.h>
#include <string.h>

#include "import_same.h"
#include "mtree.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Whether two lines, and all below them, say the same of two regions. */
static bool equal(const struct mtree *mtree, size_t a, size_t b)
{
	const struct mtree_region *x = &mtree->regions[a];
	const struct mtree_region *y = &mtree->regions[b];
	size_t i, j;

	if (strcmp(x->name, y->name) || strcmp(x->type, y->type) ||
	    !same_text(x->target, y->target) ||
	    !same_text(x->owner, y->owner) ||
	    x->target_offset != y->target_offset || x->len != y->len ||
	    x->priority != y->priority || x->disabled != y->disabled)
		return false;
	for (i = x->child, j = y->child; i != MTREE_NONE && j != MTREE_NONE;
	     i = mtree->regions[i].next, j = mtree->regions[j].next)
		if (mtree->regions[i].first - x->first !=
		    mtree->regions[j].first - y->first || !equal(mtree, i, j))
			return false;
	return i == j;
}

static size_t root_of(const struct mtree *mtree, size_t i)
{
	while (mtree->regions[i].parent != MTREE_NONE)
		i = mtree->regions[i].parent;
	return i;
}

struct same {
	const struct mtree *mtree;
	size_t *same;
	bool *space;	/* of a root: it is that of a space */
	bool *taken;	/* of a region: a section is it */
	bool *kept;	/* of a root: a section is in it, so that it stays */
	bool *dropped;	/* of a root: its section is another region */
};

/* Find section @s in trees that are spaces', or in those that are not. */
static void find(struct same *same, size_t s, bool spaces)
{
	const struct mtree *mtree = same->mtree;
	size_t own = mtree->sections[s].root, i, root;

	if (same->space[own] || same->dropped[own] || same->kept[own])
		return;
	for (i = 0; i < mtree->nr_regions; i++) {
		if (strcmp(mtree->regions[i].name, mtree->regions[own].name) ||
		    same->taken[i])
			continue;
		root = root_of(mtree, i);
		if (root == own || same->space[root] != spaces ||
		    same->dropped[root] || (!spaces && root == i) ||
		    !equal(mtree, own, i))
			continue;
		same->same[s] = i;
		same->taken[i] = true;
		same->kept[root] = true;
		same->dropped[own] = true;
		return;
	}
}

bool import_same(const struct mtree *mtree, size_t *same)
{
	bool *flags = calloc(mtree->nr_regions, 4 * sizeof(*flags));
	struct same search = {
		.mtree = mtree,
		.same = same,
		.space = flags,
		.taken = flags + mtree->nr_regions,
		.kept = flags + 2 * mtree->nr_regions,
		.dropped = flags + 3 * mtree->nr_regions,
	};
	size_t s;
	int spaces;

	if (!flags)
		return false;
	for (s = 0; s < mtree->nr_sections; s++) {
		same[s] = mtree->sections[s].root;
		if (mtree->sections[s].is_space)
			search.space[same[s]] = true;
	}
	for (spaces = 1; spaces >= 0; spaces--)
		for (s = 0; s < mtree->nr_sections; s++)
			if (!mtree->sections[s].is_space)
				find(&search, s, spaces);
	free(flags);
	return true;
}

/* Whether an alias could show a region: it has its name, and its type. */
static bool fits(const struct mtree *mtree, size_t alias, size_t target)
{
	const struct mtree_region *a = &mtree->regions[alias];
	const struct mtree_region *t = &mtree->regions[target];

	return alias != target && !strcmp(a->target, t->name) &&
	       (!strcmp(a->type, t->type) || t->disabled);
}

/*
 * Sections are in the order in which QEMU came upon aliases that show them. So
 * where there are as many aliases of a name as sections, each has its own. Set
 * @nr to the number of aliases, and return which of them this one is; those that
 * are printed several times count once.
 */
static size_t rank_of(const struct mtree *mtree, size_t alias, size_t *nr)
{
	const char *target = mtree->regions[alias].target;
	size_t i, j, rank = 0;

	*nr = 0;
	for (i = 0; i < mtree->nr_regions; i++) {
		if (!mtree->regions[i].target ||
		    strcmp(mtree->regions[i].target, target))
			continue;
		for (j = 0; j < i; j++)
			if (mtree->regions[j].target && equal(mtree, i, j))
				break;
		if (j < i)
			continue;
		if (equal(mtree, i, alias))
			rank = *nr;
		++*nr;
	}
	return rank;
}

size_t import_target(const struct mtree *mtree, const size_t *same,
		     size_t alias, bool *guessed)
{
	const struct mtree_region *region = &mtree->regions[alias];
	size_t s, i, found = MTREE_NONE, nr = 0, rank, aliases;

	for (s = 0; s < mtree->nr_sections; s++) {
		if (mtree->sections[s].is_space ||
		    !fits(mtree, alias, mtree->sections[s].root))
			continue;
		/* That of the same owner is the likelier one. */
		if (found == MTREE_NONE || (region->owner && nr &&
		    !same_text(mtree->regions[found].owner, region->owner) &&
		    same_text(mtree->regions[same[s]].owner, region->owner)))
			found = same[s];
		nr++;
	}
	*guessed = nr > 1;
	if (*guessed) {
		rank = rank_of(mtree, alias, &aliases);
		*guessed = nr != aliases;
	}
	for (s = 0; nr > 1 && !*guessed && s < mtree->nr_sections; s++)
		if (!mtree->sections[s].is_space &&
		    fits(mtree, alias, mtree->sections[s].root) && !rank--)
			found = same[s];
	for (i = 0; found == MTREE_NONE && i < mtree->nr_regions; i++)
		if (fits(mtree, alias, i))
			found = i;
	return found;
}
