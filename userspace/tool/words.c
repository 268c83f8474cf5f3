// SPDX-License-Identifier: MIT
/*
 * Words for the enumerations and flags of <linux/mregion.h>. They are those of
 * the family's specification, Documentation/netlink/specs/mregion.yaml; outcomes
 * are keys of JSON.
 */
#include "../array.h"
#include "json.h"
#include "words.h"

#define WORDS(name, start, ...)						\
	static const char *const name##_list[] = { __VA_ARGS__ };	\
	const struct words words_##name = {				\
		.first = start,						\
		.nr = ARRAY_SIZE(name##_list),				\
		.word = name##_list,					\
	}

WORDS(kind, 1, "container", "ram", "rom", "romd", "ramdev", "mmio", "alias",
      "reservation");
WORDS(region_flags, 0, "readonly", "disabled", "nonvolatile", "unmergeable",
      "romd-off", "log-dirty");
WORDS(policy, 0, "default", "ones", "zeroes", "error", "exit");
WORDS(constraint_flags, 0, "valid-unaligned", "impl-unaligned", "big-endian",
      "valid-beyond");
WORDS(backing, 0, "none", "fd", "user");
WORDS(bus, 0, "memory", "pio");
WORDS(rule_kind, 1, "coalesce", "doorbell", "shadow");
WORDS(rule_flags, 0, "datamatch", "store", "read", "write", "notify", "posted",
      "any-len", "fast", "indexed");
WORDS(range_flags, 0, "readonly", "nonvolatile", "unmergeable", "romd",
      "log-dirty");
WORDS(claim_kind, 1, "window", "conflict", "unclaimed", "fast", "slow");
WORDS(claim_flags, 0, "rules", "policy", "inside", "smm");
WORDS(outcome, 0, "unassigned", "unassigned_exit", "refused", "refused_exit",
      "coalesced", "ring_full", "exit", "doorbell", "shadow", "served",
      "server_exit");

const char *words_find(const struct words *words, uint32_t value)
{
	return value - words->first < words->nr ?
		words->word[value - words->first] : NULL;
}

const char *words_text(const struct words *words, uint32_t value,
		       char text[WORDS_SIZE])
{
	const char *word = words_find(words, value);

	if (word)
		return word;
	snprintf(text, WORDS_SIZE, "%u", value);
	return text;
}

const char *words_flags_text(const struct words *words, uint32_t flags,
			     char text[WORDS_SIZE])
{
	const char *comma = "";
	size_t len = 0;
	uint32_t bit;

	text[0] = '\0';
	for (bit = 0; bit < 32 && len < WORDS_SIZE; bit++) {
		const char *word = words_find(words, bit);

		if (!(flags & 1u << bit))
			continue;
		if (word)
			len += snprintf(text + len, WORDS_SIZE - len, "%s%s",
					comma, word);
		else
			len += snprintf(text + len, WORDS_SIZE - len, "%s%#x",
					comma, 1u << bit);
		comma = ",";
	}
	return text;
}

void words_json(const char *key, const struct words *words, uint32_t value)
{
	const char *word = words_find(words, value);

	if (word)
		json_string(key, word);
	else
		json_number(key, value);
}

void words_flags_json(const char *key, const struct words *words,
		      uint32_t flags)
{
	uint32_t bit;

	json_begin_array(key);
	for (bit = 0; bit < 32; bit++) {
		const char *word = words_find(words, bit);

		if (!(flags & 1u << bit))
			continue;
		if (word)
			json_string(NULL, word);
		else
			json_address(NULL, 1u << bit);
	}
	json_end_array();
}
