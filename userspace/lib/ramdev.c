// SPDX-License-Identifier: MIT
/* RAM device memory: it belongs to hardware, which sees each access's size. */
#include <string.h>

#include "access.h"
#include "mregion.h"

/* The functions below load and store numbers as the host does. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HOST_ORDER	MREGION_BIG_ENDIAN
#else
#define HOST_ORDER	0
#endif

static void *low_bytes(uint64_t *value, unsigned int len)
{
	return (uint8_t *)value + (HOST_ORDER ? sizeof(*value) - len : 0);
}

static uint64_t ramdev_read(void *opaque, uint64_t offset, unsigned int len)
{
	const uint8_t *ptr = mregion_ram_ptr(opaque);
	uint64_t value = 0;

	ptr += offset;
	if ((uintptr_t)ptr & (len - 1)) {
		memcpy(low_bytes(&value, len), ptr, len);
		return value;
	}
	switch (len) {
	case 1:
		return *(const volatile uint8_t *)ptr;
	case 2:
		return *(const volatile uint16_t *)ptr;
	case 4:
		return *(const volatile uint32_t *)ptr;
	default:
		return *(const volatile uint64_t *)ptr;
	}
}

static void ramdev_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	uint8_t *ptr = mregion_ram_ptr(opaque);

	ptr += offset;
	if ((uintptr_t)ptr & (len - 1)) {
		memcpy(ptr, low_bytes(&data, len), len);
		return;
	}
	switch (len) {
	case 1:
		*(volatile uint8_t *)ptr = data;
		break;
	case 2:
		*(volatile uint16_t *)ptr = data;
		break;
	case 4:
		*(volatile uint32_t *)ptr = data;
		break;
	default:
		*(volatile uint64_t *)ptr = data;
	}
}

const struct mregion_ops mregion_ramdev_ops = {
	.read = ramdev_read,
	.write = ramdev_write,
	.constraints = {
		.valid_min = 1,
		.valid_max = 8,
		.impl_min = 1,
		.impl_max = 8,
		.flags = MREGION_VALID_UNALIGNED | MREGION_IMPL_UNALIGNED |
			 HOST_ORDER,
	},
};
