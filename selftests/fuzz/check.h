/* SPDX-License-Identifier: GPL-2.0 */
/* What happens when two that should agree do not. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#define CHECK(cond, ...) do {				\
	if (!(cond))					\
		fuzz_fail(__FILE__, __LINE__, __VA_ARGS__); \
} while (0)

void __attribute__((noreturn, format(printf, 3, 4)))
fuzz_fail(const char *file, int line, const char *fmt, ...);

/** fuzz_failed() - each program's own end of a run that has failed */
void __attribute__((noreturn)) fuzz_failed(void);

#endif /* FUZZ_CHECK_H */
