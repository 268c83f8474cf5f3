/* SPDX-License-Identifier: GPL-2.0 */
/* A case: what is made of one string of random bytes. */
#ifndef FUZZ_CASE_H
#define FUZZ_CASE_H

#include <stddef.h>

void case_run(const unsigned char *data, size_t len);

#endif /* FUZZ_CASE_H */
