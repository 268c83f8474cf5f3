/* SPDX-License-Identifier: GPL-2.0 */
/* A machine's rings, shadow memories and servers, by their IDs. */
#ifndef MREGION_OBJECTS_H
#define MREGION_OBJECTS_H

#include <linux/mregion.h>

struct mregion_machine;

int mregion_ring_create(struct mregion_machine *machine,
			struct mregion_ring_create *args);
struct mregion_ring *mregion_ring_remove(struct mregion_machine *machine,
					 u32 id);
int mregion_shadow_create(struct mregion_machine *machine,
			  struct mregion_shadow_create *args);
int mregion_shadow_free(struct mregion_machine *machine, u32 id);
int mregion_server_create(struct mregion_machine *machine,
			  struct mregion_server_create *args);
int mregion_server_free(struct mregion_machine *machine, u32 id);
void mregion_objects_free(struct mregion_machine *machine);

#endif /* MREGION_OBJECTS_H */
