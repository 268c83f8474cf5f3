// SPDX-License-Identifier: MIT
/*
 * RAM, ROM, ROM device and RAM device regions: how they are created, with the memory
 * behind them; how regions get another size; and what the library does upon accesses to
 * RAM devices, whose memory belongs to hardware, which sees each access's size.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "ram.h"
#include "region.h"
#include "region_changes.h"

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

static void store_as_is(uint8_t *ptr, uint64_t data, unsigned int len)
{
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

static void ramdev_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	store_as_is((uint8_t *)mregion_ram_ptr(opaque) + offset, data, len);
	mregion_mark(opaque, offset, len);
}

static const struct mregion_ops ramdev_ops = {
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

static struct mregion_region *refuse_memory(struct mregion_region *region, int err)
{
	mregion_fail(err, "memory of '%s'", region->name);
	mregion_refuse(region->machine, -err);
	mregion_region_put(region);
	errno = err;
	return NULL;
}

/* Create a region of the file that region->ram has. */
static struct mregion_region *create_from_fd(struct mregion_region *region)
{
	struct mregion_op op = {
		.create = {
			.backing = MREGION_BACKING_FD,
			.fd = region->ram.fd,
			.offset = region->ram.fd_offset,
		},
	};
	int ret = mregion_ram_map(&region->ram, atomic_load(&region->len));

	if (ret)
		return refuse_memory(region, -ret);
	return mregion_region_create(region, &op);
}

static struct mregion_region *
create_from_given_fd(struct mregion_region *region, int fd, uint64_t offset)
{
	region->ram.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (region->ram.fd < 0)
		return refuse_memory(region, errno);
	region->ram.fd_offset = offset;
	return create_from_fd(region);
}

static struct mregion_region *create_from_memfd(struct mregion_region *region)
{
	int ret = mregion_ram_create_file(&region->ram, region->name,
					  atomic_load(&region->len));

	return ret ? refuse_memory(region, -ret) : create_from_fd(region);
}

static int refuse_kind(struct mregion_machine *machine, const char *name)
{
	return mregion_refuse(machine,
			      mregion_fail_why(EINVAL,
				"create '%s': wrong kind of region",
				name ? name : ""));
}

struct mregion_region *mregion_new_ram(struct mregion_machine *machine,
				       enum mregion_kind kind,
				       const char *name, uint64_t len)
{
	struct mregion_region *region;

	if (kind != MREGION_RAM && kind != MREGION_ROM) {
		refuse_kind(machine, name);
		return NULL;
	}
	region = mregion_region_new(machine, kind, name, len);
	return region ? create_from_memfd(region) : NULL;
}

static struct mregion_region *new_romd(struct mregion_machine *machine,
				       const char *name, uint64_t len,
				       const struct mregion_ops *ops,
				       void *opaque)
{
	struct mregion_region *region;

	if (!ops) {
		mregion_refuse_null("create a ROM device");
		return NULL;
	}
	region = mregion_region_new(machine, MREGION_ROMD, name, len);
	if (!region)
		return NULL;
	region->ops = ops;
	region->opaque = opaque;
	mregion_region_set_constraints(region, &ops->constraints);
	return region;
}

struct mregion_region *mregion_new_romd(struct mregion_machine *machine,
					const char *name, uint64_t len,
					const struct mregion_ops *ops,
					void *opaque)
{
	struct mregion_region *region;

	region = new_romd(machine, name, len, ops, opaque);
	return region ? create_from_memfd(region) : NULL;
}

struct mregion_region *
mregion_new_romd_from_fd(struct mregion_machine *machine, const char *name,
			 uint64_t len, const struct mregion_ops *ops,
			 void *opaque, int fd, uint64_t offset)
{
	struct mregion_region *region;

	region = new_romd(machine, name, len, ops, opaque);
	return region ? create_from_given_fd(region, fd, offset) : NULL;
}

/* Create a region of memory that the VMM has mapped. */
static struct mregion_region *create_from_ptr(struct mregion_region *region,
					      void *ptr)
{
	struct mregion_op op = {
		.create = {
			.backing = MREGION_BACKING_USER,
			.offset = (uintptr_t)ptr,
		},
	};

	if (!ptr)
		return refuse_memory(region, EINVAL);
	region->ram.len = atomic_load(&region->len);
	atomic_store(&region->ram.ptr, ptr);
	return mregion_region_create(region, &op);
}

struct mregion_region *
mregion_new_romd_from_ptr(struct mregion_machine *machine, const char *name,
			  uint64_t len, const struct mregion_ops *ops,
			  void *opaque, void *ptr)
{
	struct mregion_region *region;

	region = new_romd(machine, name, len, ops, opaque);
	return region ? create_from_ptr(region, ptr) : NULL;
}

/* Of the kinds that can be made from memory that is there already. */
static struct mregion_region *new_given_memory(struct mregion_machine *machine,
					       enum mregion_kind kind,
					       const char *name, uint64_t len)
{
	struct mregion_region *region;

	if (kind != MREGION_RAM && kind != MREGION_ROM &&
	    kind != MREGION_RAMDEV) {
		refuse_kind(machine, name);
		return NULL;
	}
	region = mregion_region_new(machine, kind, name, len);
	if (region && kind == MREGION_RAMDEV) {
		region->ops = &ramdev_ops;
		region->opaque = region;
		mregion_region_set_constraints(region,
					       &region->ops->constraints);
	}
	return region;
}

struct mregion_region *mregion_new_ram_from_fd(struct mregion_machine *machine,
					       enum mregion_kind kind,
					       const char *name, uint64_t len,
					       int fd, uint64_t offset)
{
	struct mregion_region *region;

	region = new_given_memory(machine, kind, name, len);
	return region ? create_from_given_fd(region, fd, offset) : NULL;
}

struct mregion_region *mregion_new_ram_from_ptr(struct mregion_machine *machine,
						enum mregion_kind kind,
						const char *name, uint64_t len,
						void *ptr)
{
	struct mregion_region *region;

	region = new_given_memory(machine, kind, name, len);
	return region ? create_from_ptr(region, ptr) : NULL;
}

void *mregion_ram_ptr(const struct mregion_region *region)
{
	return atomic_load(&region->ram.ptr);
}

int mregion_ram_fd(const struct mregion_region *region)
{
	return region->ram.fd;
}

/* A region as it will be after mregion_resize(); with a reference to it. */
struct resize {
	struct mregion_region *region;
	struct mregion_extent extent;
};

/*
 * A region that grows has done so already, for as soon as the kernel shows more
 * of it, others may get there; one that shrinks does it once the last of several
 * changes is settled.
 */
static void settle_resize(void *object, const struct mregion_op *op, bool done)
{
	struct resize *resize = object;
	struct mregion_region *region = resize->region;

	(void)op;
	if (done)
		region->settled = resize->extent;
	if (!--region->resizing) {
		atomic_store(&region->len, region->settled.len);
		region->ram.len = region->settled.mapped;
		atomic_store(&region->ram.ptr, region->settled.ptr);
	}
	mregion_region_put(region);
	free(resize);
}

static struct mregion_extent extent_of_len(const struct mregion_region *region,
					   uint64_t len)
{
	return (struct mregion_extent){
		.len = len,
		.ptr = atomic_load(&region->ram.ptr),
		.mapped = region->ram.len,
	};
}

int mregion_resize(struct mregion_region *region, uint64_t len)
{
	struct mregion_op op = { .code = MREGION_OP_RESIZE };
	struct mregion_machine *machine;
	struct mregion_extent before;
	struct resize *resize;
	int ret;

	if (!region)
		return mregion_refuse_null("resize a region");
	machine = region->machine;
	ret = mregion_region_wire_len("resize", region->name, &len);
	if (ret)
		return mregion_refuse(machine, ret);

	/* The lock keeps two threads from growing the same file. */
	pthread_mutex_lock(&machine->transaction.lock);
	before = extent_of_len(region, atomic_load(&region->len));
	resize = malloc(sizeof(*resize));
	ret = resize ? 0 : -ENOMEM;
	if (!ret && before.ptr && len - 1 > before.mapped - 1)
		ret = mregion_ram_grow(&region->ram, len);
	if (!ret && before.ptr)
		ret = mregion_logging_grow(region, len);
	if (ret)
		goto fail;
	if (!region->resizing++)
		region->settled = before;
	if (len - 1 > before.len - 1)
		atomic_store(&region->len, len);
	mregion_region_get(region);
	resize->region = region;
	resize->extent = extent_of_len(region, len);
	op.id = region->id;
	op.len = len;
	ret = mregion_change(machine, &op, settle_resize, resize);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;

fail:
	free(resize);
	mregion_fail(-ret, "resize '%s'", region->name);
	mregion_refuse(machine, ret);
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}
