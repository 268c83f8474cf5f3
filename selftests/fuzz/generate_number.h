/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_GENERATE_NUMBER_H
#define FUZZ_GENERATE_NUMBER_H

#include <linux/types.h>

struct generator;

u64 generate_addr(struct generator *g);
u64 generate_last(struct generator *g);

#endif /* FUZZ_GENERATE_NUMBER_H */
