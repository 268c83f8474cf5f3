// SPDX-License-Identifier: MIT
/*
 * A topology of a tree as QEMU prints it. The text does not say everything; what it
 * leaves open is decided here, one function each.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "../array.h"
#include "import_same.h"
#include "import_write.h"
#include "mtree.h"
#include "topology.h"

/**
 * struct import - a topology that is being written
 * @path: file that the tree is from
 * @mtree: the tree
 * @same: for each section the region that it is
 * @ids: for each region its ID, or 0 if another line is that region
 * @out: where to
 */
struct import {
	const char *path;
	const struct mtree *mtree;
	size_t *same;
	uint32_t *ids;
	FILE *out;
};

/* Containers of QEMU's that may have nothing in them. */
static const char *const containers[] = {
	"bus master container", "gpex_ioport", "memhp container", "pci",
	"pci-memory", "pci_bridge_io", "pci_io", "pci_mem", "platform bus", "smram",
};

/* Registers of QEMU's that may have others in them, or be as large as can be. */
static const char *const holders[] = {
	"dino", "gpex_ioport_window", "gpex_mmio_window", "io", "iocsr",
	"iommu-sun4m", "iommu-sun4u",
	"iommu-typhoon", "pci0-io", "pci_conf_idx", "rtc",
	"sabre-config", "unin-pci-isa-mmio",
};

static bool is_one_of(const char *name, const char *const *names, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Whether other registers have its name that there is nothing in. */
static bool has_leaf(const struct mtree *mtree,
		     const struct mtree_region *region)
{
	size_t i;

	for (i = 0; i < mtree->nr_regions; i++)
		if (mtree->regions[i].child == MTREE_NONE &&
		    !mtree->regions[i].target &&
		    !strcmp(mtree->regions[i].name, region->name))
			return true;
	return false;
}

/*
 * Containers are printed as "i/o", as registers are. Flat views tell them apart, if
 * they are there: registers are seen in them. Otherwise what has something in it, or
 * is as large as all addresses, is taken for a container.
 */
static bool is_container(const struct mtree *mtree,
			 const struct mtree_region *region)
{
	if (mtree->has_views)
		return !is_one_of(region->name,
				  (const char *const *)mtree->registers,
				  mtree->nr_registers) ||
		       (region->child != MTREE_NONE && has_leaf(mtree, region));
	if (is_one_of(region->name, holders, ARRAY_SIZE(holders)))
		return false;
	return region->child != MTREE_NONE || !region->len ||
	       is_one_of(region->name, containers, ARRAY_SIZE(containers));
}

/* Aliases do not say that they are read-only. On PCs, these are. */
static bool is_readonly(const struct mtree_region *region)
{
	return region->target && !strcmp(region->name, "pam-rom");
}

static const char *kind_of(const struct mtree *mtree,
			   const struct mtree_region *region)
{
	if (!strcmp(region->type, "i/o"))
		return is_container(mtree, region) ? "container" : "mmio";
	return !strcmp(region->type, "ramd") ? "ramdev" : region->type;
}

/* As far as a topology can have it. */
static void write_name(const struct import *import, const char *name)
{
	size_t i;

	for (i = 0; name[i] && i < MREGION_NAME_SIZE - 1; i++)
		putc((unsigned char)name[i] < 0x20 || name[i] == 0x7f ?
		     '?' : name[i], import->out);
}

static void write_len(const struct import *import, uint64_t len)
{
	if (len)
		fprintf(import->out, " 0x%" PRIx64 " ", len);
	else
		fputs(" 0x10000000000000000 ", import->out);
}

static bool write_region(const struct import *import, size_t i)
{
	const struct mtree *mtree = import->mtree;
	const struct mtree_region *region = &mtree->regions[i];
	bool guessed;
	size_t target;

	if (region->target) {
		target = import_target(mtree, import->same, i, &guessed);
		/* nor is one in a tree that is left out */
		if (target == MTREE_NONE || !import->ids[target]) {
			topology_error(import->path, region->line,
				       "there is no region '%s' for the alias",
				       region->target);
			return false;
		}
		if (guessed)
			fprintf(import->out,
				"# line %zu: there are more regions of the name that the next one shows\n",
				region->line);
		fprintf(import->out, "alias %u %u 0x%" PRIx64, import->ids[i],
			import->ids[target], region->target_offset);
	} else {
		fprintf(import->out, "region %u %s", import->ids[i],
			kind_of(mtree, region));
	}
	write_len(import, region->len);
	write_name(import, region->name);
	putc('\n', import->out);
	if (region->nonvolatile)
		fprintf(import->out, "# line %zu: non-volatile\n",
			region->line);
	if (is_readonly(region))
		fprintf(import->out, "readonly %u\n", import->ids[i]);
	if (region->disabled)
		fprintf(import->out, "disable %u\n", import->ids[i]);
	return true;
}

static void write_map(const struct import *import, size_t i)
{
	const struct mtree_region *region = &import->mtree->regions[i];

	fprintf(import->out, "map %u %u 0x%" PRIx64 " %d\n",
		import->ids[region->parent], import->ids[i],
		region->first - import->mtree->regions[region->parent].first,
		region->priority);
}

/*
 * Siblings are printed by address, of equal address by priority, and of equals the
 * topmost first: that one is mapped last. Of others that overlap with equal
 * priority, the one that begins later is taken for the one that was mapped later.
 */
static void write_maps(const struct import *import, size_t parent)
{
	const struct mtree_region *regions = import->mtree->regions;
	size_t i, end, last, before;

	for (i = regions[parent].child; i != MTREE_NONE; i = end) {
		end = regions[i].next;
		last = i;
		while (end != MTREE_NONE && regions[end].first == regions[i].first &&
		       regions[end].priority == regions[i].priority) {
			last = end;
			end = regions[end].next;
		}
		/* From the last one back; runs of equals are short. */
		while (last != i) {
			write_map(import, last);
			for (before = i; regions[before].next != last;)
				before = regions[before].next;
			last = before;
		}
		write_map(import, i);
	}
}

static size_t root_of(const struct mtree *mtree, size_t i)
{
	while (mtree->regions[i].parent != MTREE_NONE)
		i = mtree->regions[i].parent;
	return i;
}

/* IDs in the order of the text, for all trees but those that are there twice. */
static bool number(struct import *import)
{
	const struct mtree *mtree = import->mtree;
	bool *dropped = calloc(mtree->nr_regions, sizeof(*dropped));
	uint32_t id = 0;
	size_t i;

	if (!dropped)
		return false;
	for (i = 0; i < mtree->nr_sections; i++)
		if (import->same[i] != mtree->sections[i].root)
			dropped[mtree->sections[i].root] = true;
	for (i = 0; i < mtree->nr_regions; i++)
		if (!dropped[root_of(mtree, i)])
			import->ids[i] = ++id;
	free(dropped);
	return true;
}

static bool write_all(const struct import *import)
{
	const struct mtree *mtree = import->mtree;
	size_t i;

	for (i = 0; i < mtree->nr_regions; i++)
		if (import->ids[i] && !write_region(import, i))
			return false;
	for (i = 0; i < mtree->nr_regions; i++)
		if (import->ids[i])
			write_maps(import, i);
	for (i = 0; i < mtree->nr_sections; i++) {
		if (!mtree->sections[i].is_space)
			continue;
		fputs("space ", import->out);
		write_name(import, mtree->sections[i].name);
		fprintf(import->out, " %u\n",
			import->ids[mtree->sections[i].root]);
	}
	return true;
}

bool import_write(const char *path, const struct mtree *mtree, FILE *out)
{
	struct import import = {
		.path = path,
		.mtree = mtree,
		.same = calloc(mtree->nr_sections, sizeof(*import.same)),
		.ids = calloc(mtree->nr_regions, sizeof(*import.ids)),
		.out = out,
	};
	bool ok = import.same && import.ids && import_same(mtree, import.same) &&
		  number(&import);

	if (!ok)
		topology_error(path, 0, "out of memory");
	ok = ok && write_all(&import);
	free(import.same);
	free(import.ids);
	return ok;
}
