// SPDX-License-Identifier: MIT
/*
 * Accesses to devices: how one is cut into what a device accepts and implements, and the
 * calls of the device's functions. A device that does DMA to registers has a function
 * called from within another.
 */
#include <errno.h>
#include <string.h>

#include "access.h"
#include "constraints.h"
#include "mregion.h"

/* The size of the accesses that implement one of @len bytes. */
static unsigned int impl_size(const struct mregion_constraints *constraints,
			      unsigned int len)
{
	unsigned int min = constraints->impl_min ?: 1;
	unsigned int max = constraints->impl_max ?: 4;
	unsigned int size = len < max ? len : max;

	return size > min ? size : min;
}

static uint64_t value_mask(unsigned int len)
{
	return len < 8 ? (1ULL << (len * 8)) - 1 : ~0ULL;
}

/*
 * By how many bits the value of the accesses at @i is shifted in that of the
 * whole of @len bytes; less than nothing if it is wider than the whole.
 */
static int shift_of(const struct mregion_device *device, unsigned int i,
		    unsigned int size, unsigned int len)
{
	if (device->constraints.flags & MREGION_BIG_ENDIAN)
		return ((int)len - (int)size - (int)i) * 8;
	return (int)i * 8;
}

static uint64_t load_value(const struct mregion_device *device, const uint8_t *buf,
			   unsigned int len)
{
	bool big = device->constraints.flags & MREGION_BIG_ENDIAN;
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		value = value << 8 | buf[big ? i : len - 1 - i];
	return value;
}

static void store_value(const struct mregion_device *device, uint8_t *buf,
			unsigned int len, uint64_t value)
{
	bool big = device->constraints.flags & MREGION_BIG_ENDIAN;
	unsigned int i;

	for (i = 0; i < len; i++, value >>= 8)
		buf[big ? len - 1 - i : i] = value;
}

/*
 * Whether an access that is made in ones of @size bytes would reach beyond the region's
 * end. Accesses are cut there before; but they may be widened, the region may have got
 * shorter since, and a server need not believe what the VMM says.
 */
static bool reaches_beyond(const struct mregion_device *device, uint64_t offset,
			   unsigned int size, unsigned int len)
{
	unsigned int end = size > len ? size : len;

	return (offset > device->last || end - 1 > device->last - offset) &&
	       !(device->constraints.flags & MREGION_VALID_BEYOND);
}

/**
 * struct call - a call of a device's function under way, on the stack of its thread
 * @current: what mregion_current() tells
 * @outer: the one that this is within, or NULL
 * @depth: 1 for the outermost
 */
struct call {
	struct mregion_current current;
	const struct call *outer;
	unsigned int depth;
};

static __thread const struct call *innermost;

static void begin_call(struct call *call, const struct mregion_device *device,
		       uint64_t offset)
{
	call->current = device->current;
	call->current.offset = offset;
	if (call->current.space)
		call->current.addr += offset;
	call->outer = innermost;
	call->depth = innermost ? innermost->depth + 1 : 1;
	innermost = call;
}

static void end_call(const struct call *call)
{
	innermost = call->outer;
}

const struct mregion_current *mregion_current(void)
{
	return innermost ? &innermost->current : NULL;
}

bool mregion_calls_inside(const struct mregion_region *region)
{
	const struct call *call;

	for (call = innermost; call; call = call->outer)
		if (call->current.region == region)
			return true;
	return false;
}

bool mregion_calls_deep(void)
{
	return innermost && innermost->depth >= MREGION_MAX_CALLS;
}

static bool call_read(const struct mregion_device *device, uint64_t offset,
		      unsigned int size, uint64_t *value)
{
	const struct mregion_ops *ops = device->ops;
	struct call call;
	bool failed = false;

	begin_call(&call, device, offset);
	if (ops->try_read)
		failed = ops->try_read(device->opaque, offset, value, size,
				       &call.current) != MREGION_OK;
	else
		*value = ops->read(device->opaque, offset, size);
	end_call(&call);
	return !failed;
}

static bool call_write(const struct mregion_device *device, uint64_t offset,
		       unsigned int size, uint64_t value)
{
	const struct mregion_ops *ops = device->ops;
	struct call call;
	bool failed = false;

	begin_call(&call, device, offset);
	if (ops->try_write)
		failed = ops->try_write(device->opaque, offset, value, size,
					&call.current) != MREGION_OK;
	else
		ops->write(device->opaque, offset, value, size);
	end_call(&call);
	return !failed;
}

int mregion_device_read(const struct mregion_device *device, uint64_t offset,
			uint8_t *buf, unsigned int len)
{
	unsigned int size = impl_size(&device->constraints, len);
	bool beyond = reaches_beyond(device, offset, size, len);
	bool failed = beyond;
	uint64_t value = 0, part;
	unsigned int i;
	int shift;

	if (!device->ops->read && !device->ops->try_read) {
		memset(buf, 0xff, len);
		return 0;
	}
	/* As in QEMU, all of it is made, also what follows an error. */
	for (i = 0; i < len && !beyond; i += size) {
		part = 0;
		failed |= !call_read(device, offset + i, size, &part);
		part &= value_mask(size);
		shift = shift_of(device, i, size, len);
		value |= shift >= 0 ? part << shift : part >> -shift;
	}
	if (failed)
		return mregion_policy_answer(device->constraints.refused, buf,
					     len, false);
	store_value(device, buf, len, value);
	return 0;
}

int mregion_device_write(const struct mregion_device *device, uint64_t offset,
			 const uint8_t *buf, unsigned int len)
{
	unsigned int size = impl_size(&device->constraints, len);
	bool beyond = reaches_beyond(device, offset, size, len);
	bool failed = beyond;
	uint64_t value = load_value(device, buf, len);
	uint64_t part;
	unsigned int i;
	int shift;

	if (!device->ops->write && !device->ops->try_write)
		return 0;
	for (i = 0; i < len && !beyond; i += size) {
		shift = shift_of(device, i, size, len);
		part = shift >= 0 ? value >> shift : value << -shift;
		failed |= !call_write(device, offset + i, size,
				      part & value_mask(size));
	}
	if (failed)
		return mregion_policy_answer(device->constraints.refused, NULL,
					     len, true);
	return 0;
}

void mregion_to_bytes(uint8_t *buf, uint64_t value, unsigned int len)
{
	for (; len; len--, value >>= 8)
		*buf++ = value;
}

uint64_t mregion_from_bytes(const uint8_t *buf, unsigned int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | buf[len];
	return value;
}

int mregion_policy_answer(unsigned int policy, uint8_t *buf, uint64_t len,
			  bool write)
{
	if (!write)
		memset(buf, policy == MREGION_POLICY_ZEROES ? 0 : 0xff, len);
	return policy == MREGION_POLICY_ERROR ? -EFAULT : 0;
}

/* Make a part that an access is cut into, if it is accepted. */
static int make_part(const struct mregion_device *device, uint64_t offset,
		     uint8_t *buf, unsigned int size, bool write)
{
	if (!mregion_access_valid(&device->constraints, offset, size))
		return mregion_policy_answer(device->constraints.refused, buf,
					     size, write);
	return write ? mregion_device_write(device, offset, buf, size) :
		       mregion_device_read(device, offset, buf, size);
}

int mregion_access_all(const struct mregion_device *device, uint64_t offset,
		       uint8_t *buf, unsigned int len, bool write)
{
	unsigned int at, size;
	int ret = 0, err;

	for (at = 0; at < len; at += size) {
		size = mregion_access_size(&device->constraints, offset + at,
					   len - at);
		err = make_part(device, offset + at, buf + at, size, write);
		if (err)
			ret = err;
	}
	return ret;
}

void mregion_device_post(const struct mregion_device *device,
			 const struct mregion_ring_entry *entry)
{
	struct mregion_device posted = *device;
	unsigned int len = entry->len;
	uint8_t buf[8];

	if (len != 1 && len != 2 && len != 4 && len != 8)
		return;
	posted.current.vcpu = entry->vcpu;
	posted.current.source = MREGION_FROM_RING;
	mregion_to_bytes(buf, entry->data, len);
	mregion_access_all(&posted, entry->offset, buf, len, true);
}
