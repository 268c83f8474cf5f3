/* SPDX-License-Identifier: MIT */
/* Words for the enumerations and flags of <linux/mregion.h>. */
#ifndef MREGION_TOOL_WORDS_H
#define MREGION_TOOL_WORDS_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct words - words for an enumeration, or for flags
 * @first: number of the first word; of flags: 0, the number of its bit
 * @nr: how many words there are
 * @word: the words
 */
struct words {
	uint32_t first;
	uint32_t nr;
	const char *const *word;
};

extern const struct words words_kind;
extern const struct words words_region_flags;
extern const struct words words_policy;
extern const struct words words_constraint_flags;
extern const struct words words_backing;
extern const struct words words_bus;
extern const struct words words_rule_kind;
extern const struct words words_rule_flags;
extern const struct words words_range_flags;
extern const struct words words_claim_kind;
extern const struct words words_claim_flags;
extern const struct words words_outcome;

/** words_find() - the word for a value; NULL: a later kernel's */
const char *words_find(const struct words *words, uint32_t value);

#define WORDS_SIZE	256

/** words_text() - the word for a value, or the value */
const char *words_text(const struct words *words, uint32_t value,
		       char text[WORDS_SIZE]);

/** words_flags_text() - the words of flags, with commas between them */
const char *words_flags_text(const struct words *words, uint32_t flags,
			     char text[WORDS_SIZE]);

/** words_json() - the word for a value, or the value as a number */
void words_json(const char *key, const struct words *words, uint32_t value);

/** words_flags_json() - an array of words; bits without one as "0x..." */
void words_flags_json(const char *key, const struct words *words,
		      uint32_t flags);

#endif
