/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests' accesses to ports, where there are none. These are declared and not there: a
 * test that has one run does not link.
 */
#ifndef ARCH_NO_PORTS_H
#define ARCH_NO_PORTS_H

#include "guest_code.h"

#define VM_HAS_PORTS	0

extern const struct guest_code guest_pio_write1, guest_pio_write4_leave,
	guest_pio_read1, guest_pio_read4, guest_pio_string;

#endif /* ARCH_NO_PORTS_H */
