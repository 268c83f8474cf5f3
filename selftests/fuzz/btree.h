/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_BTREE_H
#define FUZZ_BTREE_H

void btree_run(unsigned int seed, unsigned int rounds);

#endif /* FUZZ_BTREE_H */
