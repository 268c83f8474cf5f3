/* SPDX-License-Identifier: MIT */
/* The module's B-tree, which is under MIT as well, as a part of this library. */
#ifndef MREGION_LIB_BTREE_H
#define MREGION_LIB_BTREE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

typedef __u32 u32;
typedef __u64 u64;

#include "../../module/btree.h"

#endif
