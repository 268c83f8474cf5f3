// SPDX-License-Identifier: MIT
#include <errno.h>
#include <time.h>

#include <mregion.h>

#include "pl031.h"

#define REG_DATA		0x000
#define REG_MATCH		0x004
#define REG_LOAD		0x008
#define REG_CONTROL		0x00c
#define REG_MASK		0x010

#define CONTROL_ENABLED		1u
#define MASK_BITS		1u

/* The last eight registers say what it is, a byte each. */
#define REG_ID			(PL031_SIZE - 0x20)

static uint32_t host_seconds(void)
{
	return time(NULL);
}

static uint32_t id_byte(unsigned int index)
{
	/* Part 0x031 of Arm's, revision 0; then PrimeCell's own. */
	static const uint8_t bytes[] = {
		0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1,
	};

	return bytes[index];
}

static uint64_t pl031_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pl031 *rtc = opaque;

	(void)len;
	if (offset >= REG_ID)
		return id_byte((offset - REG_ID) / 4);
	switch (offset) {
	case REG_DATA:
		return host_seconds() + atomic_load(&rtc->ahead);
	case REG_MATCH:
		return atomic_load(&rtc->match);
	case REG_LOAD:
		return atomic_load(&rtc->loaded);
	case REG_CONTROL:
		return CONTROL_ENABLED;
	case REG_MASK:
		return atomic_load(&rtc->mask);
	default:
		/* No alarm ever. */
		return 0;
	}
}

static void pl031_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct pl031 *rtc = opaque;

	(void)len;
	switch (offset) {
	case REG_MATCH:
		atomic_store(&rtc->match, data);
		break;
	case REG_LOAD:
		atomic_store(&rtc->loaded, data);
		atomic_store(&rtc->ahead, (uint32_t)data - host_seconds());
		break;
	case REG_MASK:
		atomic_store(&rtc->mask, data & MASK_BITS);
		break;
	}
}

static const struct mregion_ops pl031_ops = {
	.read = pl031_read,
	.write = pl031_write,
	.constraints = {
		.valid_min = 1,
		.valid_max = 4,
		.impl_min = 4,
		.impl_max = 4,
	},
};

int pl031_init(struct pl031 *rtc, struct mregion_machine *machine,
	       struct mregion_region *parent, uint64_t addr)
{
	rtc->region = mregion_new_mmio(machine, "rtc", PL031_SIZE, &pl031_ops,
				       rtc);
	if (!rtc->region)
		return -errno;
	return mregion_map(parent, rtc->region, addr, 0);
}
