/* SPDX-License-Identifier: GPL-2.0 */
/* The limits that random cases are too small to meet. */
#ifndef FUZZ_LIMITS_H
#define FUZZ_LIMITS_H

void limits_depth_containers(void);
void limits_depth_aliases(void);
void limits_depth_covered(void);
void limits_depth_self(void);
void limits_depth_change(void);
void limits_endless(void);
void limits_ranges(void);
void limits_work(void);

#endif /* FUZZ_LIMITS_H */
