/* SPDX-License-Identifier: MIT */
/* Amounts of memory, in bytes */
#ifndef VMM_UNITS_H
#define VMM_UNITS_H

#include <stdint.h>

#define KIB(n)			((uint64_t)(n) << 10)
#define MIB(n)			((uint64_t)(n) << 20)
#define GIB(n)			((uint64_t)(n) << 30)

#endif /* VMM_UNITS_H */
