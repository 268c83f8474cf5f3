/* SPDX-License-Identifier: MIT */
/* What a machine has that is arm64's */
#ifndef VMM_BOARD_H
#define VMM_BOARD_H

#include "pl031.h"

/* KVM's limit; there are addresses for as many redistributors. */
#define MACHINE_MAX_VCPUS	512

/* For people */
#define BOARD_KERNEL		"Image"

struct board {
	struct pl031 rtc;
};

#define BOARD_INITIAL		{}

/** board_no_framebuffer() - why there can be none, for people, or NULL */
static inline const char *board_no_framebuffer(void)
{
	return "arm64 has no framebuffer here: guests write it around the cache, and this host reads it from the cache";
}

#endif /* VMM_BOARD_H */
