/* SPDX-License-Identifier: MIT */
/* The tables that describe what the kernel tells of machines. */
#ifndef MREGION_TOOL_LIVE_TYPES_H
#define MREGION_TOOL_LIVE_TYPES_H

#include "live.h"

/** enum live_format - what an attribute is, and its member */
enum live_format {
	LIVE_U32,
	LIVE_S32,
	LIVE_U64,
	LIVE_MASK,	/* 32 bits, in hexadecimal */
	LIVE_ADDRESS,	/* 64 bits, in hexadecimal */
	LIVE_LENGTH,	/* the same, and 0 stands for 2^64 */
	LIVE_STRING,
	LIVE_FLAG,
	LIVE_WORD,	/* 32 bits, an enumeration */
	LIVE_FLAGS,	/* 32 bits, flags */
	LIVE_COUNTERS,
};

/**
 * struct live_field - an attribute
 * @attribute: its type
 * @format: what it is
 * @offset: of the member
 * @key: in JSON; NULL: not there
 * @words: for LIVE_WORD and LIVE_FLAGS
 */
struct live_field {
	uint8_t attribute;
	uint8_t format;
	uint16_t offset;
	const char *key;
	const struct words *words;
};

/**
 * struct live_type - a type of objects
 * @command: what gets it
 * @machine: its attribute for the machine; 0: none
 * @id: its attribute for the ID; 0: none
 * @max: its largest attribute
 * @size: of the structure
 * @nr: how many fields it has
 * @fields: its fields
 */
struct live_type {
	uint8_t command;
	uint8_t machine;
	uint8_t id;
	uint8_t max;
	uint16_t size;
	uint16_t nr;
	const struct live_field *fields;
};

#endif
