/* SPDX-License-Identifier: MIT */
#ifndef MREGION_LIB_SHADOW_H
#define MREGION_LIB_SHADOW_H

#include <stddef.h>
#include <stdint.h>

struct mregion_machine;

/**
 * struct mregion_shadow - shadow memory
 * @machine: it belongs to
 * @id: the kernel's name for it
 * @fd: to map it with
 * @ptr: the mapping
 * @mapped: its size in bytes
 * @next: in the machine's list
 */
struct mregion_shadow {
	struct mregion_machine *machine;
	uint32_t id;
	int fd;
	void *ptr;
	size_t mapped;
	struct mregion_shadow *next;
};

/** mregion_shadow_release() - end shadow memory whatever the kernel says */
void mregion_shadow_release(struct mregion_shadow *shadow);

#endif
