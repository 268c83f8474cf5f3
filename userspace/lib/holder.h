/* SPDX-License-Identifier: MIT */
/* Processes that have the view of a space: what the VMM has of them. */
#ifndef MREGION_LIB_HOLDER_H
#define MREGION_LIB_HOLDER_H

struct mregion_machine;

/**
 * struct mregion_holder - a process that has a view
 * @machine: of the space
 * @number: its part of the files in which writes are marked
 * @next: in the machine's list
 */
struct mregion_holder {
	struct mregion_machine *machine;
	unsigned int number;
	struct mregion_holder *next;
};

/** mregion_holders_close() - the machine closes */
void mregion_holders_close(struct mregion_machine *machine);

#endif
