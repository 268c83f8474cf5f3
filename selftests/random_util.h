/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that can be had again, for the tests that use some. */
#ifndef RANDOM_UTIL_H
#define RANDOM_UTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct prng {
	uint64_t state;
};

/* Another sequence for each number: of a round, a thread, a machine. */
static inline struct prng prng_of(uint64_t seed, uint64_t number)
{
	uint64_t x = seed + (number + 1) * 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return (struct prng){ (x ^ x >> 31) | 1 };
}

static inline uint64_t random64(struct prng *prng)
{
	prng->state ^= prng->state << 13;
	prng->state ^= prng->state >> 7;
	prng->state ^= prng->state << 17;
	return prng->state * 0x2545f4914f6cdd1d;
}

static inline uint32_t below(struct prng *prng, uint32_t limit)
{
	return (random64(prng) >> 32) % limit;
}

static inline bool one_in(struct prng *prng, uint32_t n)
{
	return !below(prng, n);
}

#define PICK(prng, ...) ({						\
	static const uint64_t __of[] = { __VA_ARGS__ };			\
									\
	__of[below(prng, sizeof(__of) / sizeof(__of[0]))];		\
})

/* What variable @name says, else the clock: another seed for each run. */
static inline uint64_t random_seed(const char *name)
{
	const char *text = getenv(name);
	struct timespec now;

	if (text && *text)
		return strtoull(text, NULL, 0);
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

#endif /* RANDOM_UTIL_H */
