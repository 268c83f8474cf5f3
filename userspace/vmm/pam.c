// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include <mregion.h>

#include "layout.h"
#include "pam.h"
#include "pci.h"
#include "report.h"

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
 * An alias over the RAM. To write RAM and read PCI, as while a ROM is copied to its own
 * address, is none of what a region can do. Firmware that does it has to read a copy: it is
 * shown PCI, as QEMU has it.
 */
static struct mregion_region *new_alias(const struct pam *pam, unsigned int area,
					unsigned int mode)
{
	bool ram = mode == PAM_READ;
	struct mregion_region *alias;
	char name[MREGION_NAME_SIZE];

	snprintf(name, sizeof(name), "pam-%s-%llx", ram ? "shadow" : "pci",
		 (unsigned long long)area_addr(area));
	alias = mregion_new_alias(pam->machine, name, ram ? pam->ram : pam->pci,
				  area_addr(area), area_size(area));
	if (alias && ram)
		mregion_set_readonly(alias, true);
	return alias;
}

/* In a transaction, which tells what fails. */
static void show(struct pam *pam, unsigned int area, unsigned int mode,
		 struct mregion_region **shown)
{
	if (pam->shown[area]) {
		mregion_unmap(pam->shown[area]);
		mregion_free(pam->shown[area]);
	}
	*shown = NULL;
	if (mode == PAM_BOTH)
		return;
	*shown = new_alias(pam, area, mode);
	mregion_map(pam->system, *shown, area_addr(area), 1);
}

void pam_written(struct pam *pam, unsigned int offset, unsigned int len)
{
	struct mregion_region *shown[PAM_NR_AREAS];
	uint8_t mode[PAM_NR_AREAS];
	unsigned int area;
	bool done;

	if (offset >= PAM0 + PAM_NR_REGISTERS || offset + len <= PAM0)
		return;
	mregion_begin(pam->machine);
	for (area = 0; area < PAM_NR_AREAS; area++) {
		mode[area] = pam->bridge->config[area_register(area)] >>
				     area_shift(area) &
			     PAM_BOTH;
		shown[area] = pam->shown[area];
		if (mode[area] != pam->mode[area])
			show(pam, area, mode[area], &shown[area]);
	}
	done = !mregion_commit(pam->machine);
	if (!done)
		report("cannot switch between RAM and PCI below 1 MiB: %s",
		       mregion_error());
	for (area = 0; area < PAM_NR_AREAS; area++) {
		if (done) {
			pam->shown[area] = shown[area];
			pam->mode[area] = mode[area];
		} else if (shown[area] != pam->shown[area]) {
			/* There is no such region, but its handle. */
			mregion_free(shown[area]);
		}
	}
}

int pam_init(struct pam *pam)
{
	struct pci_function *bridge = pam->bridge;
	unsigned int area;
	int error;

	for (area = 0; area < PAM_NR_AREAS; area++) {
		pam->mode[area] = area < NR_RAM_AREAS ? PAM_BOTH : 0;
		bridge->config[area_register(area)] |=
			pam->mode[area] << area_shift(area);
		bridge->writable[area_register(area)] |=
			PAM_BOTH << area_shift(area);
		if (pam->mode[area] == PAM_BOTH)
			continue;
		pam->shown[area] = new_alias(pam, area, pam->mode[area]);
		if (!pam->shown[area])
			return -errno;
		error = mregion_map(pam->system, pam->shown[area],
				    area_addr(area), 1);
		if (error)
			return error;
	}
	return 0;
}
