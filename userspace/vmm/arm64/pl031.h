/* SPDX-License-Identifier: MIT */
/* Arm's real-time clock PL031, without its alarm: seconds since 1970 */
#ifndef VMM_PL031_H
#define VMM_PL031_H

#include <stdatomic.h>
#include <stdint.h>

struct mregion_machine;
struct mregion_region;

#define PL031_SIZE		0x1000

struct pl031 {
	struct mregion_region *region;
	atomic_uint ahead;		/* of the host's clock, in s */
	atomic_uint match;
	atomic_uint loaded;
	atomic_uint mask;
};

/**
 * pl031_init() - create the clock and map it
 * @rtc: the device
 * @machine: where its region is created
 * @parent: region of memory
 * @addr: of its registers, PL031_SIZE bytes
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pl031_init(struct pl031 *rtc, struct mregion_machine *machine,
	       struct mregion_region *parent, uint64_t addr);

#endif /* VMM_PL031_H */
