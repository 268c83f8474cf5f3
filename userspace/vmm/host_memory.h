/* SPDX-License-Identifier: MIT */
/* Whether the host has the memory that the guest is to have. */
#ifndef VMM_HOST_MEMORY_H
#define VMM_HOST_MEMORY_H

#include <stdint.h>

/**
 * host_memory_check() - refuse more than the host can ever give; report it
 * @bytes: how much the guest is to have
 *
 * More than it can give at present is reported, too, as a warning: a guest need
 * not use all of it, and others may end meanwhile.
 *
 * Return: 0; -ENOMEM: it is refused.
 */
int host_memory_check(uint64_t bytes);

#endif /* VMM_HOST_MEMORY_H */
