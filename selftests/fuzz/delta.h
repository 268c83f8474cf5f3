/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_DELTA_H
#define FUZZ_DELTA_H

void delta_run(unsigned int seed, unsigned int rounds);

#endif /* FUZZ_DELTA_H */
