/* SPDX-License-Identifier: MIT */
/* Machines, as a whole: their begin, and their end. */
#ifndef MREGION_LIB_MACHINE_OPEN_H
#define MREGION_LIB_MACHINE_OPEN_H

struct mregion_machine;

/**
 * mregion_machine_init() - make what a machine has besides its descriptor
 * @machine: zeroes, but for what is known of the device
 *
 * Return: 0 or -ENOMEM.
 */
int mregion_machine_init(struct mregion_machine *machine);

/** mregion_machine_destroy() - undo it, when nothing is left that belongs to it */
void mregion_machine_destroy(struct mregion_machine *machine);

#endif
