// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include <mregion.h>

#include "layout.h"
#include "pam.h"
#include "pci.h"
#include "report.h"
#include "units.h"

/* In configuration space. The first has one area, in its upper half; it is the last. */
#define PAM0			0x90
#define PAM_NR_REGISTERS	7
#define PAM_LAST		(PAM_NR_AREAS - 1)

#define PAM_ADDR		0xc0000ULL
#define PAM_SIZE		KIB(16)
#define PAM_LAST_ADDR		0xf0000ULL
#define PAM_LAST_SIZE		KIB(64)

/* Of half a register: where accesses go to RAM. */
#define PAM_READ		1
#define PAM_WRITE		2
#define PAM_BOTH		(PAM_READ | PAM_WRITE)

/* Firmware that shadows nothing has it so: the first eight areas are RAM. */
#define NR_RAM_AREAS		8

static uint64_t area_addr(unsigned int area)
{
	return area == PAM_LAST ? PAM_LAST_ADDR : PAM_ADDR + area * PAM_SIZE;
}

static uint64_t area_size(unsigned int area)
{
	return area == PAM_LAST ? PAM_LAST_SIZE : PAM_SIZE;
}

static unsigned int area_register(unsigned int area)
{
	return PAM0 + (area == PAM_LAST ? 0 : 1 + area / 2);
}

static unsigned int area_shift(unsigned int area)
{
	return area == PAM_LAST || area % 2 ? 4 : 0;
}

/*
 * To write RAM and read PCI, as while a ROM is copied to its own address, is none of what
 * a region can do. Firmware that does it has to read a copy: it is shown PCI, as QEMU
 * has it.
 */
static enum pam_shown shown_by(const struct pam *pam, unsigned int area)
{
	unsigned int bits = pam->bridge->config[area_register(area)] >>
			    area_shift(area);

	if (!(bits & PAM_READ))
		return PAM_PCI;
	return bits & PAM_WRITE ? PAM_RAM : PAM_SHADOW;
}

/* In a transaction, which tells what fails. */
static struct mregion_region *new_alias(const struct pam *pam, unsigned int area,
					enum pam_shown shown)
{
	bool ram = shown == PAM_SHADOW;
	struct mregion_region *alias;
	char name[MREGION_NAME_SIZE];

	snprintf(name, sizeof(name), "pam-%s-%llx", ram ? "shadow" : "pci",
		 (unsigned long long)area_addr(area));
	alias = mregion_new_alias(pam->machine, name, ram ? pam->ram : pam->pci,
				  area_addr(area), area_size(area));
	if (ram)
		mregion_set_readonly(alias, true);
	mregion_map(pam->system, alias, area_addr(area), 1);
	return alias;
}

/* Likewise. Return: the alias that is new, or NULL. */
static struct mregion_region *show(struct pam *pam, unsigned int area,
				   enum pam_shown shown)
{
	struct mregion_region **alias = pam->alias[area];

	if (alias[pam->shown[area]])
		mregion_set_enabled(alias[pam->shown[area]], false);
	if (shown == PAM_RAM)
		return NULL;
	if (!alias[shown])
		return new_alias(pam, area, shown);
	mregion_set_enabled(alias[shown], true);
	return NULL;
}

static void done(struct pam *pam, struct mregion_region **new)
{
	unsigned int area;

	for (area = 0; area < PAM_NR_AREAS; area++) {
		pam->shown[area] = shown_by(pam, area);
		if (new[area])
			pam->alias[area][pam->shown[area]] = new[area];
	}
}

/* The registers say what is shown, again. A guest can make this happen at will. */
static void undone(struct pam *pam, struct mregion_region **new)
{
	static const uint8_t bits[] = {
		[PAM_RAM] = PAM_BOTH, [PAM_SHADOW] = PAM_READ, [PAM_PCI] = 0,
	};
	unsigned int area, offset;
	uint8_t value;

	if (!pam->told)
		report("cannot switch between RAM and PCI below 1 MiB: %s",
		       mregion_error());
	pam->told = true;
	for (area = 0; area < PAM_NR_AREAS; area++) {
		/* There is no such region, but its handle. */
		mregion_free(new[area]);
		if (shown_by(pam, area) == pam->shown[area])
			continue;
		offset = area_register(area);
		value = pam->bridge->config[offset] &
			~(PAM_BOTH << area_shift(area));
		pci_set_byte(pam->bridge, offset,
			     value | bits[pam->shown[area]] << area_shift(area));
	}
}

void pam_written(struct pam *pam, unsigned int offset, unsigned int len)
{
	struct mregion_region *new[PAM_NR_AREAS] = { NULL };
	unsigned int area;

	if (offset >= PAM0 + PAM_NR_REGISTERS || offset + len <= PAM0)
		return;
	mregion_begin(pam->machine);
	for (area = 0; area < PAM_NR_AREAS; area++)
		if (shown_by(pam, area) != pam->shown[area])
			new[area] = show(pam, area, shown_by(pam, area));
	if (mregion_commit(pam->machine))
		undone(pam, new);
	else
		done(pam, new);
}

int pam_init(struct pam *pam)
{
	struct pci_function *bridge = pam->bridge;
	struct mregion_region **alias;
	unsigned int area;

	for (area = 0; area < PAM_NR_AREAS; area++) {
		bridge->writable[area_register(area)] |=
			PAM_BOTH << area_shift(area);
		if (area < NR_RAM_AREAS)
			bridge->config[area_register(area)] |=
				PAM_BOTH << area_shift(area);
		pam->shown[area] = shown_by(pam, area);
		if (pam->shown[area] == PAM_RAM)
			continue;
		alias = &pam->alias[area][pam->shown[area]];
		*alias = new_alias(pam, area, pam->shown[area]);
		if (!*alias)
			return -errno;
	}
	return 0;
}
