/* SPDX-License-Identifier: MIT */
/* Bring a resolved access to the memory or the device that it is for. */
#ifndef MREGION_LIB_DISPATCH_H
#define MREGION_LIB_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "mregion.h"
#include "resolve.h"

/**
 * struct mregion_origin - who makes an access
 * @space: that it is made in
 * @vm: the virtual machine, or NULL
 * @vcpu: index of its vCPU, or %MREGION_NO_VCPU
 * @source: what kind of access it is
 */
struct mregion_origin {
	struct mregion_space *space;
	struct mregion_vm *vm;
	uint16_t vcpu;
	enum mregion_source source;
};

/**
 * mregion_dispatch() - make (a part of) an access
 * @origin: who makes it
 * @piece: what is there: memory, or at most 8 bytes of a device
 * @addr: its first address
 * @accepted: the kernel has cut it by what the device accepts: it is one access. Else
 *	it is cut here, and each part accepted or refused
 * @write: whether it is a write
 * @buf: the bytes; of a write, they are left alone
 *
 * Where nothing is, the space's policy answers.
 *
 * Return: 0, or -EFAULT if a policy makes it an error; what is read is all-ones
 * then.
 */
int mregion_dispatch(const struct mregion_origin *origin,
		     const struct mregion_piece *piece, uint64_t addr,
		     bool accepted, bool write, uint8_t *buf);

#endif
