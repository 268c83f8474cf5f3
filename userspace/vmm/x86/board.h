/* SPDX-License-Identifier: MIT */
/* What a machine has that is a PC's */
#ifndef VMM_BOARD_H
#define VMM_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "debugport.h"
#include "i8042.h"
#include "pam.h"
#include "pci_ports.h"
#include "pm.h"
#include "reset.h"
#include "rtc.h"

/* APIC IDs have 8 bits; the last one means all. */
#define MACHINE_MAX_VCPUS	254

/* For people */
#define BOARD_KERNEL		"bzImage"

struct mregion_region;

struct board {
	struct mregion_region *bios;
	uint64_t low_size, high_size;	/* of RAM, in bytes */

	struct rtc rtc;
	struct i8042 i8042;
	struct reset reset;
	struct pm pm;
	struct debugport debugport;
	struct pam pam;
	struct pci_ports pci_ports;
};

#define BOARD_INITIAL		{ .rtc = { .timer_fd = -1 } }

/** board_no_framebuffer() - why there can be none, for people, or NULL */
static inline const char *board_no_framebuffer(void)
{
	return NULL;
}

#endif /* VMM_BOARD_H */
