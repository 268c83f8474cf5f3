/* SPDX-License-Identifier: MIT */
/*
 * Programmable attribute map: from 768 KiB to 1 MiB, RAM or what lies on PCI
 *
 * Firmware copies its ROM to the RAM behind it, which is faster, and write-protects
 * that. Seven registers of the host bridge say for each area whether reads, and
 * writes, go to RAM: PAM0 to PAM6, as Intel's datasheet of the Q35 has them, at 0x90.
 */
#ifndef VMM_PAM_H
#define VMM_PAM_H

#include <stdbool.h>
#include <stdint.h>

struct mregion_machine;
struct mregion_region;
struct pci_function;

/* 16 KiB each from 768 KiB on, and the last one 64 KiB. */
#define PAM_NR_AREAS		13

/**
 * enum pam_shown - what an area shows
 * @PAM_RAM: RAM, as there is no alias over it
 * @PAM_SHADOW: RAM that cannot be written
 * @PAM_PCI: PCI
 */
enum pam_shown {
	PAM_RAM,
	PAM_SHADOW,
	PAM_PCI,
	PAM_NR_SHOWN,
};

/**
 * struct pam - the areas as they are mapped
 * @machine: where their regions are created
 * @bridge: the host bridge, whose configuration has the registers
 * @system: root of memory
 * @ram: the RAM behind them, at the same offset
 * @pci: addresses of PCI
 * @alias: over each area, by what it shows; NULL until it is needed
 * @shown: which of them is enabled
 * @told: that something could not be done
 */
struct pam {
	struct mregion_machine *machine;
	struct pci_function *bridge;
	struct mregion_region *system;
	struct mregion_region *ram;
	struct mregion_region *pci;
	struct mregion_region *alias[PAM_NR_AREAS][PAM_NR_SHOWN];
	enum pam_shown shown[PAM_NR_AREAS];
	bool told;
};

/**
 * pam_init() - have the areas as firmware leaves them that has no use for them
 * @pam: with @machine, @bridge, @system, @ram and @pci set; must stay as long as these
 *
 * RAM up to 896 KiB, then PCI, that is, the ROM. Return: 0 or a negative errno;
 * mregion_error() says more.
 */
int pam_init(struct pam *pam);

/**
 * pam_written() - @len bytes of the bridge's configuration from @offset on were written
 *
 * With the bus's lock held. What cannot be done is reported, and taken back in the
 * registers.
 */
void pam_written(struct pam *pam, unsigned int offset, unsigned int len);

#endif /* VMM_PAM_H */
