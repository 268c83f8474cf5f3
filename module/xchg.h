/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exchange of one or two bytes for architectures whose xchg() takes words only. Also
 * compiled as an ordinary program, see selftests/fuzz/xchg.c.
 */
#ifndef MREGION_XCHG_H
#define MREGION_XCHG_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>

/*
 * So often the exchange begins anew when the word has changed meanwhile. Userspace shares
 * the memory, and must not keep a CPU here.
 */
#define MREGION_XCHG_ROUNDS	128

/**
 * mregion_word_shift() - where some bytes of a word are in its value
 * @at: the first of them, 0 to 3
 * @len: how many
 * @big_endian: the order of the word's bytes
 *
 * Return: the number of the lowest bit.
 */
static inline u32 mregion_word_shift(u32 at, u32 len, bool big_endian)
{
	return (big_endian ? 4 - len - at : at) * 8;
}

/**
 * mregion_xchg_in_word() - exchange 1 or 2 bytes by way of the word that has them
 * @at: the bytes, aligned to their length
 * @len: 1 or 2
 * @val: their new value, in the order of the CPU; its upper bytes do not count
 *
 * The other bytes of the word keep what others write there at the same time. As xchg(),
 * it is a full barrier. Where the word never rests, the bytes are stored, by
 * store-release, and count as changed.
 *
 * Return: their old value; or, of a word that never rests, one that is not the new one.
 */
static inline u32 mregion_xchg_in_word(void *at, u32 len, u32 val)
{
	u32 *word = (u32 *)((unsigned long)at & ~3ul);
	u32 shift = mregion_word_shift((unsigned long)at & 3, len,
				       __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	u32 mask = ((1u << len * 8) - 1) << shift;
	u32 old = READ_ONCE(*word), seen, i;

	for (i = 0; i < MREGION_XCHG_ROUNDS; i++) {
		seen = cmpxchg(word, old, (old & ~mask) | (val << shift & mask));
		if (seen == old)
			return (old & mask) >> shift;
		old = seen;
	}
	/* pairs with the load-acquire of who shares the memory */
	if (len == 1)
		smp_store_release((u8 *)at, val);
	/* likewise */
	if (len == 2)
		smp_store_release((u16 *)at, val);
	return ~val & ((1u << len * 8) - 1);
}

#endif /* MREGION_XCHG_H */
