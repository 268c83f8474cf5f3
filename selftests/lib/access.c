// SPDX-License-Identifier: GPL-2.0
/*
 * How accesses are cut: a table of accesses, and of the calls of the device's
 * functions that QEMU 7.2 makes for them. The column @rule names the place in
 * its source that decides the case:
 *
 * size		memory_access_size(), softmmu/physmem.c
 * valid	memory_region_access_valid(), softmmu/memory.c
 * adjust	access_with_adjusted_size(), softmmu/memory.c
 * shift	memory_region_shift_read_access() and
 *		memory_region_shift_write_access(), softmmu/memory.c
 * endian	adjust_endianness(), softmmu/memory.c
 * continue	flatview_read_continue() and flatview_write_continue(),
 *		softmmu/physmem.c
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "fixture.h"

#define V_UN	MREGION_VALID_UNALIGNED
#define I_UN	MREGION_IMPL_UNALIGNED
#define BIG	MREGION_BIG_ENDIAN
#define ONES	MREGION_POLICY_ONES
#define ZEROES	MREGION_POLICY_ZEROES
#define ERROR	MREGION_POLICY_ERROR

/* Constraints: what is valid, what is implemented, flags, refused. */
#define C(vmin, vmax, imin, imax, flags, refused) \
	{ vmin, vmax, imin, imax, flags, refused, 0 }

/*
 * Registers of the device: the byte at offset i is 0x10 + i. What a read gives
 * beyond its size is garbage, which must not show.
 *
 * @calls: OFFSET/SIZE of each call, with =VALUE for a write
 * @data: bytes read or to be written, as they lie in memory
 */
static const struct access_case {
	const char *rule;
	struct mregion_constraints constraints;
	uint64_t offset;
	unsigned int len;
	bool write;
	const char *calls;
	uint8_t data[8];
	int ret;
} cases[] = {
	/* What a device gets that says nothing: 1 to 4 bytes, aligned. */
	{ "size: as it is if it fits", C(0, 0, 0, 0, 0, 0),
	  4, 4, false, "4/4", { 0x14, 0x15, 0x16, 0x17 }, 0 },
	{ "size: valid.max_access_size 0 is 4", C(0, 0, 0, 0, 0, 0),
	  8, 8, false, "8/4 12/4",
	  { 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f }, 0 },
	{ "size: bounded by the alignment of the address",
	  C(0, 0, 0, 0, 0, 0),
	  2, 4, false, "2/2 4/2", { 0x12, 0x13, 0x14, 0x15 }, 0 },
	{ "size: bounded by alignment anew for each part",
	  C(0, 0, 0, 0, 0, 0),
	  1, 4, false, "1/1 2/2 4/1", { 0x11, 0x12, 0x13, 0x14 }, 0 },
	{ "size: offset 0 is aligned to anything", C(1, 8, 1, 8, 0, 0),
	  0, 8, false, "0/8",
	  { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17 }, 0 },
	{ "size: pow2floor() of what is left", C(0, 0, 0, 0, 0, 0),
	  4, 3, false, "4/2 6/1", { 0x14, 0x15, 0x16 }, 0 },
	{ "size: pow2floor() of 7", C(1, 8, 1, 8, 0, 0),
	  8, 7, false, "8/4 12/2 14/1",
	  { 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e }, 0 },
	{ "size: no more than valid.max_access_size", C(1, 2, 1, 2, 0, 0),
	  4, 8, false, "4/2 6/2 8/2 10/2",
	  { 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b }, 0 },
	{ "size: bytes only", C(1, 1, 1, 1, 0, 0),
	  3, 4, false, "3/1 4/1 5/1 6/1", { 0x13, 0x14, 0x15, 0x16 }, 0 },
	{ "size: impl.unaligned lifts the bound", C(1, 4, 1, 4, V_UN | I_UN, 0),
	  1, 4, false, "1/4", { 0x11, 0x12, 0x13, 0x14 }, 0 },
	{ "size: impl.unaligned keeps the maximum",
	  C(1, 4, 1, 4, V_UN | I_UN, 0),
	  3, 8, false, "3/4 7/4",
	  { 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a }, 0 },
	{ "size: valid.unaligned alone does not lift it",
	  C(1, 4, 1, 4, V_UN, 0),
	  1, 2, false, "1/1 2/1", { 0x11, 0x12 }, 0 },

	/* What is refused, and what a part of the access becomes then. */
	{ "valid: size < valid.min_access_size", C(4, 4, 4, 4, 0, ONES),
	  4, 2, false, "", { 0xff, 0xff }, 0 },
	{ "valid: default policy is all-ones", C(2, 4, 1, 4, 0, 0),
	  4, 1, false, "", { 0xff }, 0 },
	{ "valid: refused, zeroes", C(4, 4, 4, 4, 0, ZEROES),
	  4, 1, false, "", { 0x00 }, 0 },
	{ "valid: refused, error", C(4, 4, 4, 4, 0, ERROR),
	  4, 2, false, "", { 0xff, 0xff }, -EFAULT },
	{ "valid: refused write is dropped", C(4, 4, 4, 4, 0, 0),
	  4, 2, true, "", { 1, 2 }, 0 },
	{ "valid: refused write, error", C(4, 4, 4, 4, 0, ERROR),
	  4, 2, true, "", { 1, 2 }, -EFAULT },
	{ "valid: each part by itself", C(2, 4, 1, 4, 0, 0),
	  2, 3, false, "2/2", { 0x12, 0x13, 0xff }, 0 },
	{ "valid: unaligned parts are refused if not valid.unaligned",
	  C(1, 4, 1, 4, I_UN, 0),
	  1, 4, false, "", { 0xff, 0xff, 0xff, 0xff }, 0 },
	{ "valid: max_access_size 0 is compatibility: all valid",
	  C(2, 0, 1, 4, 0, 0),
	  5, 1, false, "5/1", { 0x15 }, 0 },
	{ "continue: later parts are made after a refused one",
	  C(2, 4, 1, 4, 0, ERROR),
	  1, 3, false, "2/2", { 0xff, 0x12, 0x13 }, -EFAULT },

	/* What is accepted, but implemented in other sizes. */
	{ "adjust: split at impl.max_access_size", C(1, 8, 1, 4, 0, 0),
	  8, 8, false, "8/4 12/4",
	  { 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f }, 0 },
	{ "adjust: impl.max_access_size 0 is 4", C(1, 8, 0, 0, 0, 0),
	  8, 8, true, "8/4=04030201 12/4=08070605",
	  { 1, 2, 3, 4, 5, 6, 7, 8 }, 0 },
	{ "adjust: split into bytes", C(1, 4, 1, 1, 0, 0),
	  4, 4, true, "4/1=01 5/1=02 6/1=03 7/1=04", { 1, 2, 3, 4 }, 0 },
	{ "adjust: widened to impl.min_access_size, at the same address",
	  C(1, 4, 4, 4, 0, 0),
	  5, 1, false, "5/4", { 0x15 }, 0 },
	{ "shift: a widened write has zeroes above", C(1, 4, 4, 4, 0, 0),
	  6, 2, true, "6/4=00000201", { 1, 2 }, 0 },
	{ "adjust: widened to 8", C(1, 4, 8, 8, 0, 0),
	  8, 4, false, "8/8", { 0x18, 0x19, 0x1a, 0x1b }, 0 },
	{ "adjust: first cut by what is valid, then by impl",
	  C(1, 4, 2, 2, 0, 0),
	  0, 8, false, "0/2 2/2 4/2 6/2",
	  { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17 }, 0 },
	{ "adjust: unaligned parts are not aligned here",
	  C(1, 8, 1, 2, V_UN | I_UN, 0),
	  3, 4, false, "3/2 5/2", { 0x13, 0x14, 0x15, 0x16 }, 0 },

	/* Big-endian registers on a bus that has no order but addresses. */
	{ "endian: bytes swapped on the way in", C(1, 4, 1, 4, BIG, 0),
	  4, 4, true, "4/4=01020304", { 1, 2, 3, 4 }, 0 },
	{ "endian: and out", C(1, 4, 1, 4, BIG, 0),
	  4, 4, false, "4/4", { 0x14, 0x15, 0x16, 0x17 }, 0 },
	{ "endian: 2 bytes", C(1, 4, 1, 4, BIG, 0),
	  6, 2, true, "6/2=0102", { 1, 2 }, 0 },
	{ "endian: 8 bytes", C(1, 8, 1, 8, BIG, 0),
	  8, 8, true, "8/8=0102030405060708", { 1, 2, 3, 4, 5, 6, 7, 8 }, 0 },
	{ "endian: a byte is a byte", C(1, 4, 1, 4, BIG, 0),
	  7, 1, true, "7/1=09", { 9 }, 0 },
	{ "adjust: big-endian: the first part is the high one",
	  C(1, 8, 1, 4, BIG, 0),
	  8, 8, true, "8/4=01020304 12/4=05060708",
	  { 1, 2, 3, 4, 5, 6, 7, 8 }, 0 },
	{ "adjust: big-endian read of two parts", C(1, 8, 1, 4, BIG, 0),
	  8, 8, false, "8/4 12/4",
	  { 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f }, 0 },
	{ "shift: negative: a widened read gives its high end",
	  C(1, 4, 4, 4, BIG, 0),
	  5, 1, false, "5/4", { 0x15 }, 0 },
	{ "shift: negative: a widened write begins at the high end",
	  C(1, 4, 4, 4, BIG, 0),
	  6, 2, true, "6/4=01020000", { 1, 2 }, 0 },
	{ "endian: each part by itself", C(1, 4, 1, 4, BIG, 0),
	  2, 4, true, "2/2=0102 4/2=0304", { 1, 2, 3, 4 }, 0 },
};

struct log {
	bool big;
	char text[128];
};

static void log_call(struct log *log, const char *fmt, ...)
{
	size_t used = strlen(log->text);
	va_list args;

	if (used)
		log->text[used++] = ' ';
	va_start(args, fmt);
	vsnprintf(log->text + used, sizeof(log->text) - used, fmt, args);
	va_end(args);
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct log *log = opaque;
	uint64_t value = ~0ULL;
	unsigned int i;

	log_call(log, "%llu/%u", (unsigned long long)offset, len);
	for (i = 0; i < len; i++)
		value = value << 8 |
			(0x10 + offset + (log->big ? i : len - 1 - i));
	return value;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	log_call(opaque, "%llu/%u=%0*llx", (unsigned long long)offset, len,
		 2 * len, (unsigned long long)data);
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
};

static int make_access(struct mregion_region *region,
		       const struct access_case *c, uint8_t *data)
{
	struct mregion_device device;

	mregion_region_device(region, &device);
	return mregion_access_all(&device, c->offset, data, c->len, c->write);
}

TEST(table)
{
	struct mregion_machine machine;
	struct mregion_region *region;
	uint8_t data[8], want[8];
	struct log log;
	size_t i;
	int ret;

	fixture_init(&machine);
	region = fixture_region(&machine, 1, MREGION_MMIO, 64, &device_ops,
				&log);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct access_case *c = &cases[i];

		memset(&log, 0, sizeof(log));
		log.big = c->constraints.flags & MREGION_BIG_ENDIAN;
		mregion_region_set_constraints(region, &c->constraints);

		/* Bytes beyond the access must stay as they are. */
		memset(want, 0xa5, sizeof(want));
		memcpy(want, c->data, c->len);
		memset(data, 0xa5, sizeof(data));
		if (c->write)
			memcpy(data, c->data, c->len);

		ret = make_access(region, c, data);
		EXPECT_EQ(c->ret, ret)
			TH_LOG("%s", c->rule);
		EXPECT_STREQ(c->calls, log.text)
			TH_LOG("%s", c->rule);
		EXPECT_EQ(0, memcmp(want, data, sizeof(data)))
			TH_LOG("%s", c->rule);
	}
	fixture_destroy(&machine);
}

TEST(no_functions)
{
	static const struct mregion_ops ops;
	const struct access_case read = { .offset = 0, .len = 4 };
	const struct access_case write = { .len = 4, .write = true };
	struct mregion_machine machine;
	struct mregion_region *region;
	uint8_t data[8] = { 0 };

	fixture_init(&machine);
	region = fixture_region(&machine, 1, MREGION_MMIO, 64, &ops, NULL);
	EXPECT_EQ(0, make_access(region, &read, data));
	EXPECT_EQ(0, memcmp(data, "\xff\xff\xff\xff\0\0\0\0", 8));
	EXPECT_EQ(0, make_access(region, &write, data));
	fixture_destroy(&machine);
}

TEST_HARNESS_MAIN
