// SPDX-License-Identifier: MIT
/* Hierarchies and views for people to read. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "error.h"
#include "kernel.h"
#include "machine.h"
#include "mregion.h"
#include "names.h"
#include "region.h"
#include "space.h"

int mregion_print_view(struct mregion_space *space, FILE *file)
{
	struct mregion_machine *machine = space->machine;
	const struct mregion_range *range;
	struct mregion_region *region;
	struct mregion_view *view;
	size_t i;

	view = mregion_space_view(space);
	if (!view)
		return -errno;
	for (i = 0; i < view->nr; i++) {
		range = &view->ranges[i];
		fprintf(file, "%016llx %016llx %016llx %s ", range->start,
			range->last, range->offset, mregion_range_type(range));
		region = mregion_table_get(&machine->regions, range->region);
		if (region) {
			fprintf(file, "%s\n", region->name);
			mregion_region_put(region);
		} else {
			fprintf(file, "region %u\n", range->region);
		}
	}
	free(view);
	return ferror(file) ? mregion_fail(EIO, "print a view") : 0;
}

/**
 * struct tree - a machine's regions, as they are needed to print them
 * @regions: sorted by ID
 * @nr: how many
 * @sorted: pointers to them, sorted by parent and then by address
 */
struct tree {
	struct mregion_region_info *regions;
	size_t nr;
	const struct mregion_region_info **sorted;
};

/* Levels; the kernel's max_depth, beyond which nothing is shown. */
#define MAX_INDENT	64

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_place(const void *a, const void *b)
{
	const struct mregion_region_info *x, *y;
	int ret;

	x = *(const struct mregion_region_info **)a;
	y = *(const struct mregion_region_info **)b;
	ret = compare_numbers(x->parent, y->parent);
	if (!ret)
		ret = compare_numbers(x->offset, y->offset);
	if (!ret)
		ret = (x->priority < y->priority) - (x->priority > y->priority);
	return ret ? ret : compare_numbers(y->order, x->order);
}

static int read_tree(struct mregion_machine *machine, struct tree *tree)
{
	size_t i;
	int ret;

	ret = mregion_kernel_regions(machine->fd, &tree->regions, &tree->nr);
	if (ret)
		return mregion_fail(-ret, "list regions");
	tree->sorted = calloc(tree->nr + 1, sizeof(tree->sorted[0]));
	if (!tree->sorted) {
		free(tree->regions);
		return mregion_fail(ENOMEM, "list regions");
	}
	for (i = 0; i < tree->nr; i++)
		tree->sorted[i] = &tree->regions[i];
	qsort(tree->sorted, tree->nr, sizeof(tree->sorted[0]), compare_place);
	return 0;
}

static const struct mregion_region_info *find_region(const struct tree *tree,
						     uint32_t id)
{
	size_t low = 0, high = tree->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (tree->regions[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < tree->nr && tree->regions[low].id == id ?
	       &tree->regions[low] : NULL;
}

static size_t first_child(const struct tree *tree, uint32_t parent)
{
	size_t low = 0, high = tree->nr, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (tree->sorted[mid]->parent < parent)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void print_region(const struct tree *tree,
			 const struct mregion_region_info *region,
			 uint64_t addr, FILE *file)
{
	const struct mregion_region_info *target;

	fprintf(file, "%016llx-%016llx (prio %d, %s): %s",
		(unsigned long long)addr,
		(unsigned long long)addr + region->len - 1, region->priority,
		mregion_kind_name(region->kind), region->name);
	if (region->target) {
		target = find_region(tree, region->target);
		fprintf(file, " @%s %016llx-%016llx",
			target ? target->name : "?", region->target_offset,
			region->target_offset + region->len - 1);
	}
	if (region->flags & MREGION_REGION_READONLY)
		fputs(" [readonly]", file);
	if (region->flags & MREGION_REGION_DISABLED)
		fputs(" [disabled]", file);
	fputc('\n', file);
}

/* The next of a parent's subregions behind @region, or NULL. */
static const struct mregion_region_info *
next_sibling(const struct tree *tree, const struct mregion_region_info *region)
{
	const struct mregion_region_info **place, **end;

	place = bsearch(&region, tree->sorted, tree->nr,
			sizeof(tree->sorted[0]), compare_place);
	end = tree->sorted + tree->nr;
	return ++place < end && (*place)->parent == region->parent ? *place :
								     NULL;
}

/*
 * Parents are followed, which end, and aliases are not. No recursion: what no
 * space shows may be nested as deep as there are regions. Nor is it indented
 * beyond where a space could show it.
 */
static void print_subtree(const struct tree *tree,
			  const struct mregion_region_info *root, FILE *file)
{
	const struct mregion_region_info *region = root, *next;
	uint64_t addr = 0;
	size_t i, depth = 0;

	for (;;) {
		fprintf(file, "%*s",
			(int)(2 * (depth < MAX_INDENT ? depth : MAX_INDENT)),
			"");
		print_region(tree, region, addr, file);
		i = first_child(tree, region->id);
		if (i < tree->nr && tree->sorted[i]->parent == region->id) {
			region = tree->sorted[i];
			addr += region->offset;
			depth++;
			continue;
		}
		next = NULL;
		while (!next && region && region != root) {
			addr -= region->offset;
			next = next_sibling(tree, region);
			if (next)
				addr += next->offset;
			else
				depth--;
			region = next ?: find_region(tree, region->parent);
		}
		if (!next)
			break;
	}
}

/* The root of a space is what the kernel says, not what was asked for last. */
static int root_of(struct mregion_space *space, uint32_t *root)
{
	struct mregion_space_info info = { 0 };
	struct mregion_spaces arg = {
		.size = sizeof(arg),
		.first = space->id,
		.spaces = (uintptr_t)&info,
		.nr = 1,
		.space_size = sizeof(info),
	};

	if (ioctl(space->machine->fd, MREGION_SPACES, &arg))
		return mregion_fail(errno, "look up space %u", space->id);
	if (info.id != space->id)
		return mregion_fail(ENOENT, "look up space %u", space->id);
	*root = info.root;
	return 0;
}

int mregion_print_tree(struct mregion_space *space, FILE *file)
{
	struct mregion_machine *machine = space->machine;
	const struct mregion_region_info *region;
	struct tree tree;
	uint32_t root = 0;
	int ret;

	/* So that no commit of ours comes in between. */
	pthread_mutex_lock(&machine->transaction.lock);
	ret = root_of(space, &root);
	if (!ret)
		ret = read_tree(machine, &tree);
	pthread_mutex_unlock(&machine->transaction.lock);
	if (ret)
		return ret;

	region = find_region(&tree, root);
	if (region)
		print_subtree(&tree, region, file);
	free(tree.sorted);
	free(tree.regions);
	return ferror(file) ? mregion_fail(EIO, "print a hierarchy") : 0;
}
