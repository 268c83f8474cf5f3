/* SPDX-License-Identifier: GPL-2.0 */
/* Values, and their bytes in the guest's order, little-endian. */
#ifndef MREGION_BYTES_H
#define MREGION_BYTES_H

#include <linux/minmax.h>
#include <linux/string.h>

#include "compat.h"

/**
 * mregion_load() - the value of some bytes
 * @val: the bytes
 * @len: how many; what is beyond 8 is ignored
 */
static inline u64 mregion_load(const void *val, u32 len)
{
	__le64 data = 0;

	memcpy(&data, val, min_t(u32, len, sizeof(data)));
	return le64_to_cpu(data);
}

/**
 * mregion_save() - the bytes of a value
 * @val: set to them
 * @len: how many; what is beyond 8 is left alone
 * @data: the value
 */
static inline void mregion_save(void *val, u32 len, u64 data)
{
	__le64 le = cpu_to_le64(data);

	memcpy(val, &le, min_t(u32, len, sizeof(le)));
}

/**
 * mregion_load_plain() - as mregion_load(), in one instruction
 * @val: the bytes, in any alignment
 * @len: 1, 2, 4 or 8
 */
static __always_inline u64 mregion_load_plain(const void *val, u32 len)
{
	if (len == 4)
		return get_unaligned_le32(val);
	if (len == 1)
		return *(const u8 *)val;
	if (len == 2)
		return get_unaligned_le16(val);
	return get_unaligned_le64(val);
}

/**
 * mregion_equal_plain() - whether bytes are those of a value
 * @val: the bytes, in any alignment
 * @len: 1, 2, 4 or 8
 * @data: the value, of which the upper bytes do not count
 */
static __always_inline bool mregion_equal_plain(const void *val, u32 len,
						u64 data)
{
	if (len == 4)
		return get_unaligned_le32(val) == (u32)data;
	if (len == 1)
		return *(const u8 *)val == (u8)data;
	if (len == 2)
		return get_unaligned_le16(val) == (u16)data;
	return get_unaligned_le64(val) == data;
}

#endif /* MREGION_BYTES_H */
