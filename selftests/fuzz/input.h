/* SPDX-License-Identifier: GPL-2.0 */
/* Random bytes, to be made sense of. When none are left, all are zero. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

struct input {
	const unsigned char *next;
	size_t left;
};

static inline unsigned int input_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->next++;
}

static inline u64 input_u64(struct input *in)
{
	u64 value = 0;
	int i;

	for (i = 0; i < 8; i++)
		value = value << 8 | input_byte(in);
	return value;
}

/* A number from 0 to @nr - 1; @nr is at most 256. */
static inline unsigned int input_below(struct input *in, unsigned int nr)
{
	return input_byte(in) % nr;
}

/* True once in @nr times. */
static inline bool input_once_in(struct input *in, unsigned int nr)
{
	return input_below(in, nr) == nr - 1;
}

#endif /* FUZZ_INPUT_H */
