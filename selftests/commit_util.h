/* SPDX-License-Identifier: GPL-2.0 */
/* A machine with something of everything, and long commits that change it. */
#ifndef COMMIT_UTIL_H
#define COMMIT_UTIL_H

#include "mregion_util.h"

/* The machine that is changed, see FIXTURE_SETUP. */
enum {
	ROOT = 1, BUS, MMIO, RAM, ROMD, ALIAS, LOOSE, RESERVED, ROM, RAMDEV,
	PIO_ROOT, PIO_MMIO, BUS_ALIAS, CHILDLESS, FILE_RAM,
};

#define SPACE		1
#define PIO_SPACE	2
#define RING		1

FIXTURE(commit) {
	struct mregion_info info;
	struct mr_ring ring;
	int fd;
	int file;
};

FIXTURE_SETUP(commit)
{
	struct mregion_op file_ram = mr_ram(FILE_RAM, 0x4000);

	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, mr_info(self->fd, &self->info));
	self->file = memfd_create("commit", MFD_CLOEXEC);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, 0x4000));
	file_ram.create.backing = MREGION_BACKING_FD;
	file_ram.create.fd = self->file;

	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 16, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd,
		mr_container(ROOT, 0),
		mr_container(BUS, 0x10000),
		mr_mmio(MMIO, 0x1000),
		mr_ram(RAM, 0x2000),
		mr_create(ROMD, MREGION_ROMD, 0x1000),
		mr_alias(ALIAS, RAM, 0x1000, 0x1000),
		mr_mmio(LOOSE, 0x100),
		mr_create(RESERVED, MREGION_RESERVATION, 0x1000),
		mr_create(ROM, MREGION_ROM, 0x1000),
		mr_create(RAMDEV, MREGION_RAMDEV, 0x1000),
		mr_container(PIO_ROOT, 0x10000),
		mr_mmio(PIO_MMIO, 8),
		mr_alias(BUS_ALIAS, BUS, 0, 0x1000),
		mr_container(CHILDLESS, 0x1000),
		file_ram,
		mr_map(BUS, ROOT, 0x10000, 0),
		mr_map(MMIO, BUS, 0, 0),
		mr_map(RAM, ROOT, 0, 0),
		mr_map(ROMD, ROOT, 0x8000, 1),
		mr_map(ALIAS, ROOT, 0x40000, 0),
		mr_map(RESERVED, ROOT, 0xfec00000, -1),
		mr_map(ROM, ROOT, 0xfffff000, 0),
		mr_map(RAMDEV, ROOT, 0x1fffff000, 0),
		mr_map(PIO_MMIO, PIO_ROOT, 0x3f8, 0),
		mr_rule_add(MMIO, RING, 0x10, 0x10),
		mr_space(SPACE, ROOT),
		mr_pio_space(PIO_SPACE, PIO_ROOT)));
}

FIXTURE_TEARDOWN(commit)
{
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	close(self->file);
	close(self->fd);
}

/* A long commit has so many groups of operations, and so many of these, at most. */
#define LONG_GROUPS	8
#define LONG_GROUP	22
#define LONG_OPS	(LONG_GROUPS * LONG_GROUP)

/*
 * A long commit with every operation in it, for the machine above; less long where all
 * is slow, as each operation of it is made to fail in turn. Return: how long.
 */
static inline uint32_t long_commit(struct mregion_op *op)
{
	uint32_t i, id, groups = mr_checking_kernel() ? 3 : LONG_GROUPS;
	struct mregion_constraints constraints = { .valid_max = 8 };

	for (i = 0; i < groups; i++) {
		id = 100 + 10 * i;
		*op++ = mr_container(id, 0x10000);
		*op++ = mr_mmio(id + 1, 0x1000);
		*op++ = mr_ram(id + 2, 0x3000);
		*op++ = mr_create(id + 3, MREGION_ROMD, 0x1000);
		*op++ = mr_map(id + 1, id, 0x1000, 0);
		*op++ = mr_map(id + 2, id, 0, -1);
		*op++ = mr_map(id + 3, id, 0x8000, i);
		*op++ = mr_alias(id + 4, id, 0x800, 0x9000);
		*op++ = mr_map(id + 4, ROOT, 0x100000 * (i + 1), i % 3);
		*op++ = mr_move(id + 1, 0x2000);
		*op++ = mr_resize(id + 1, 0x1800);
		*op++ = mr_rule_add(id + 1, RING, 8 * i, 8);
		*op++ = mr_rule_add(id + 1, RING, 0x800, 8);
		*op++ = mr_rule_del(id + 1, RING, 0x800, 8);
		*op++ = mr_set_constraints(id + 1, constraints);
		*op++ = mr_set_flags(id + 3, MREGION_REGION_ROMD_OFF,
				     MREGION_REGION_ROMD_OFF);
		*op++ = mr_set_alias(id + 4, 0x1000);
		*op++ = mr_space(id, id);
		*op++ = mr_space_set(id, ROOT, MREGION_BUS_MEMORY,
				     MREGION_POLICY_ZEROES);
		*op++ = mr_unmap(id + 2);
		*op++ = mr_free(id + 2);
		*op++ = i % 2 ? mr_space_free(id) : mr_move(MMIO, 16 * i + 16);
	}
	return groups * LONG_GROUP;
}

#endif /* COMMIT_UTIL_H */
