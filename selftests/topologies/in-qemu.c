// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the machines of a topology within QEMU, by QEMU's own functions.
 *
 * QEMU cannot read a topology, but a QEMU that can load modules exports its
 * functions to whatever is loaded into it. So this is preloaded into one, and
 * waits until QEMU has made its (empty) machine. What it shows then is what
 * QEMU renders, which its monitor tells (info mtree -f). See README.md.
 *
 *	cc -shared -fPIC -o in-qemu.so in-qemu.c
 *	LD_PRELOAD=in-qemu.so MREGION_TOPOLOGY=FILE qemu-system-x86_64 -M none ...
 *
 * It does not look for errors in FILE, which `random` has written.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* QEMU's, of unknown size, but less than STRUCT_SIZE. */
struct region;
struct space;

#define STRUCT_SIZE	4096

/* As in QEMU's include/qemu/notify.h. */
struct notifier {
	void (*notify)(struct notifier *notifier, void *data);
	void *links[2];
};

void qemu_add_machine_init_done_notifier(struct notifier *notifier);
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);
void memory_region_init(struct region *region, void *owner, const char *name,
			uint64_t size);
void memory_region_init_io(struct region *region, void *owner, const void *ops,
			   void *opaque, const char *name, uint64_t size);
void memory_region_init_ram_ptr(struct region *region, void *owner,
				const char *name, uint64_t size, void *memory);
void memory_region_init_ram_device_ptr(struct region *region, void *owner,
				       const char *name, uint64_t size,
				       void *memory);
void memory_region_init_rom_device_nomigrate(struct region *region, void *owner,
					     const void *ops, void *opaque,
					     const char *name, uint64_t size,
					     void **error);
void memory_region_init_alias(struct region *region, void *owner,
			      const char *name, struct region *target,
			      uint64_t offset, uint64_t size);
void memory_region_set_enabled(struct region *region, bool enabled);
void memory_region_set_readonly(struct region *region, bool readonly);
void memory_region_add_subregion_overlap(struct region *parent, uint64_t offset,
					 struct region *region, int priority);
void address_space_init(struct space *space, struct region *root,
			const char *name);
extern const char unassigned_mem_ops[];

#define MAX_REGIONS	(1 << 20)

static struct region *regions[MAX_REGIONS];

/* Nobody looks at what is in it. */
static void *memory(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("in-qemu: mmap");
		exit(1);
	}
	return p;
}

static void *allocate(void)
{
	void *p = calloc(1, STRUCT_SIZE);

	if (!p)
		abort();
	return p;
}

/* Of 2^64, strtoull() makes UINT64_MAX, which means 2^64 to QEMU. */
static uint64_t number(const char *word)
{
	return strtoull(word, NULL, 0);
}

static void make_region(unsigned int id, const char *kind, uint64_t size,
			const char *name)
{
	struct region *region = regions[id] = allocate();

	if (!strcmp(kind, "container")) {
		memory_region_init(region, NULL, name, size);
	} else if (!strcmp(kind, "mmio")) {
		memory_region_init_io(region, NULL, NULL, NULL, name, size);
	} else if (!strcmp(kind, "ram")) {
		memory_region_init_ram_ptr(region, NULL, name, size,
					   memory(size));
	} else if (!strcmp(kind, "rom")) {
		memory_region_init_ram_ptr(region, NULL, name, size,
					   memory(size));
		memory_region_set_readonly(region, true);
	} else if (!strcmp(kind, "ramdev")) {
		memory_region_init_ram_device_ptr(region, NULL, name, size,
						  memory(size));
	} else if (!strcmp(kind, "romd")) {
		memory_region_init_rom_device_nomigrate(region, NULL,
							unassigned_mem_ops,
							NULL, name, size, NULL);
	} else {
		fprintf(stderr, "in-qemu: region %u: kind %s\n", id, kind);
		exit(1);
	}
}

static void statement(const char *line)
{
	char kind[32], size[32], offset[32], name[256] = "";
	unsigned int id, other;
	int priority;

	if (sscanf(line, "region %u %31s %31s %255[^\n]", &id, kind, size,
		   name) >= 3) {
		make_region(id, kind, number(size), name);
	} else if (sscanf(line, "alias %u %u %31s %31s %255[^\n]", &id, &other,
			  offset, size, name) >= 4) {
		regions[id] = allocate();
		memory_region_init_alias(regions[id], NULL, name,
					 regions[other], number(offset),
					 number(size));
	} else if (sscanf(line, "map %u %u %31s %d", &other, &id, offset,
			  &priority) == 4) {
		memory_region_add_subregion_overlap(regions[other],
						    number(offset), regions[id],
						    priority);
	} else if (sscanf(line, "disable %u", &id) == 1) {
		memory_region_set_enabled(regions[id], false);
	} else if (sscanf(line, "readonly %u", &id) == 1) {
		memory_region_set_readonly(regions[id], true);
	} else if (sscanf(line, "space %255s %u", name, &id) == 2) {
		address_space_init(allocate(), regions[id], name);
	}
}

static void make_all(struct notifier *notifier, void *data)
{
	const char *path = getenv("MREGION_TOPOLOGY");
	FILE *file = path ? fopen(path, "r") : NULL;
	char line[512];

	(void)notifier;
	(void)data;
	if (!file) {
		perror("in-qemu: MREGION_TOPOLOGY");
		exit(1);
	}
	/* QEMU renders when the transaction ends. */
	memory_region_transaction_begin();
	while (fgets(line, sizeof(line), file))
		statement(line);
	memory_region_transaction_commit();
	fclose(file);
}

static struct notifier made = { .notify = make_all };

/* Before QEMU's main(). */
__attribute__((constructor)) static void prepare(void)
{
	qemu_add_machine_init_done_notifier(&made);
}
