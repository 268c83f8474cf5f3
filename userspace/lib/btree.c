// SPDX-License-Identifier: MIT
#include "btree.h"

#include "../../module/btree.c"
