/* SPDX-License-Identifier: MIT */
/* What follows a commit: copies of views, and memory slots. */
#ifndef MREGION_LIB_FOLLOW_H
#define MREGION_LIB_FOLLOW_H

struct mregion_machine;

/**
 * mregion_follow_views() - have the copies of views that commits have left behind follow
 * @machine: the machine; its transaction is locked
 */
void mregion_follow_views(struct mregion_machine *machine);

/**
 * mregion_follow_slots() - have the memory slots of virtual machines follow
 * @machine: the machine, after mregion_follow_views(); its transaction is locked
 *
 * Errors are kept for mregion_vm_slots_error().
 */
void mregion_follow_slots(struct mregion_machine *machine);

#endif
