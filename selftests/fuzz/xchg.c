// SPDX-License-Identifier: GPL-2.0
/*
 * The module's exchange of one and two bytes, where xchg() takes words only: alone,
 * against a model in bytes; and by several threads, whose bytes are in one word.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../module/xchg.h"

#define ROUNDS	1000000u

_Thread_local unsigned int shim_cmpxchg_fails;

static unsigned int nr, failed;

static void report(bool passed, const char *what)
{
	printf("%s %u - %s\n", passed ? "ok" : "not ok", ++nr, what);
	failed += !passed;
}

/* The bytes of a word's value in an order that this machine may not have. */
static void put_word(u8 bytes[4], u32 value, bool big_endian)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		bytes[big_endian ? 3 - i : i] = value >> i * 8;
}

/* What the shift says is in a word's value is where the bytes are. */
static bool shift_is_right(bool big_endian)
{
	const u32 value = 0x44332211;
	u32 at, len, i, shift, part, wanted;
	u8 bytes[4];

	put_word(bytes, value, big_endian);
	for (len = 1; len <= 2; len++) {
		for (at = 0; at < 4; at += len) {
			shift = mregion_word_shift(at, len, big_endian);
			part = value >> shift & ((1u << len * 8) - 1);
			for (wanted = 0, i = 0; i < len; i++)
				wanted |= (u32)bytes[at + i] <<
					  (big_endian ? len - 1 - i : i) * 8;
			if (part != wanted)
				return false;
		}
	}
	return true;
}

static bool alone(u32 len)
{
	u32 words[3], i, at, val, old, seen;
	u8 model[sizeof(words)];

	srandom(len);
	for (i = 0; i < sizeof(model); i++)
		model[i] = random();
	memcpy(words, model, sizeof(model));
	for (i = 0; i < ROUNDS; i++) {
		at = random() % (sizeof(model) / len) * len;
		/* of which the upper bytes do not count */
		val = random();
		if (len == 1) {
			old = model[at];
			model[at] = val;
		} else {
			u16 half;

			memcpy(&half, &model[at], sizeof(half));
			old = half;
			half = val;
			memcpy(&model[at], &half, sizeof(half));
		}
		seen = mregion_xchg_in_word((u8 *)words + at, len, val);
		if (seen != old || memcmp(words, model, sizeof(model)))
			return false;
	}
	return true;
}

/* A word that others change all the time: the bytes are stored, and count as changed. */
static bool never_rests(u32 len)
{
	const u32 mask = (1u << len * 8) - 1;
	u32 at, val, i, seen;
	u8 bytes[4], model[4];
	u32 word;

	for (at = 0; at < 4; at += len) {
		for (val = 0; val <= mask; val += len == 1 ? 1 : 251) {
			u16 half = val;

			for (i = 0; i < 4; i++)
				model[i] = 0xa0 + i;
			memcpy(&word, model, sizeof(word));
			if (len == 1)
				model[at] = val;
			else
				memcpy(&model[at], &half, sizeof(half));
			shim_cmpxchg_fails = ~0u;
			seen = mregion_xchg_in_word((u8 *)&word + at, len, val);
			if (shim_cmpxchg_fails != ~0u - MREGION_XCHG_ROUNDS ||
			    seen == val || seen > mask)
				return false;
			memcpy(bytes, &word, sizeof(bytes));
			if (memcmp(bytes, model, sizeof(model)))
				return false;
		}
	}
	/* one that rests at last is exchanged */
	shim_cmpxchg_fails = 0;
	word = 0x5a5a5a5a;
	shim_cmpxchg_fails = MREGION_XCHG_ROUNDS - 2;
	seen = mregion_xchg_in_word(&word, len, 7);
	return seen == (0x5a5a & mask);
}

struct exchanger {
	pthread_t thread;
	void *at;
	u32 len;
	bool failed;
};

/* Nobody else writes to these bytes: each value is the one that was stored last. */
static void *exchange_own(void *arg)
{
	struct exchanger *own = arg;
	u32 mask = (1u << own->len * 8) - 1, i, last = 0, seen;

	for (i = 1; i <= ROUNDS && !own->failed; i++) {
		seen = mregion_xchg_in_word(own->at, own->len, i & mask);
		own->failed = seen != last;
		last = i & mask;
	}
	return NULL;
}

static bool neighbours(void)
{
	u32 word = 0, i;
	struct exchanger own[] = {
		{ .at = (u8 *)&word, .len = 1 },
		{ .at = (u8 *)&word + 1, .len = 1 },
		{ .at = (u8 *)&word + 2, .len = 2 },
	};
	bool passed = true;

	for (i = 0; i < 3; i++)
		if (pthread_create(&own[i].thread, NULL, exchange_own, &own[i]))
			exit(1);
	for (i = 0; i < 3; i++) {
		pthread_join(own[i].thread, NULL);
		passed &= !own[i].failed;
	}
	return passed;
}

#define NR_PASSERS	3

/* Each value but 0 is stored once, and so read once. */
struct passer {
	pthread_t thread;
	u16 *at;
	u32 first;
	u32 *times;
};

static void *pass(void *arg)
{
	struct passer *passer = arg;
	u32 i, seen;

	for (i = 0; i < 0xffff / NR_PASSERS; i++) {
		seen = mregion_xchg_in_word(passer->at, 2, passer->first + i);
		__atomic_fetch_add(&passer->times[seen], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool same_bytes(void)
{
	static u32 times[0x10000];
	struct passer passers[NR_PASSERS];
	u32 word = 0, i, last;
	bool passed = true;

	memset(times, 0, sizeof(times));
	for (i = 0; i < NR_PASSERS; i++) {
		passers[i] = (struct passer){
			.at = (u16 *)&word + 1,
			.first = 1 + i * (0xffff / NR_PASSERS),
			.times = times,
		};
		if (pthread_create(&passers[i].thread, NULL, pass, &passers[i]))
			exit(1);
	}
	for (i = 0; i < NR_PASSERS; i++)
		pthread_join(passers[i].thread, NULL);
	last = mregion_xchg_in_word((u16 *)&word + 1, 2, 0);
	times[last]++;
	for (i = 0; i < 0x10000; i++)
		passed &= times[i] == 1;
	return passed;
}

static bool same_bytes_often(void)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		if (!same_bytes())
			return false;
	return true;
}

int main(void)
{
	printf("1..8\n");
	report(shift_is_right(false), "bytes are found in a little-endian word");
	report(shift_is_right(true), "bytes are found in a big-endian word");
	report(alone(1), "exchange of a byte");
	report(alone(2), "exchange of two bytes");
	report(never_rests(1), "a byte of a word that never rests is stored");
	report(never_rests(2), "so are two bytes");
	report(neighbours(), "bytes of one word are exchanged by several threads");
	report(same_bytes_often(), "no value is lost or read twice");
	return failed != 0;
}
