/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own, which its tools do not have. */
#include <include/linux/interval_tree_generic.h>
