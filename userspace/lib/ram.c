// SPDX-License-Identifier: MIT
/* The memory behind RAM, ROM, ROM device and RAM device regions. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "ram.h"
#include "region.h"

struct mregion_mapping {
	void *ptr;
	size_t len;
	struct mregion_mapping *next;
};

void mregion_ram_init(struct mregion_ram *ram)
{
	ram->fd = -1;
	atomic_init(&ram->ptr, NULL);
}

void mregion_ram_release(struct mregion_ram *ram)
{
	struct mregion_mapping *mapping;

	while ((mapping = ram->mappings)) {
		ram->mappings = mapping->next;
		munmap(mapping->ptr, mapping->len);
		free(mapping);
	}
	if (ram->fd >= 0)
		close(ram->fd);
}

static uint64_t round_up(uint64_t len, uint64_t unit)
{
	return (len + unit - 1) / unit * unit;
}

/* Map the first bytes of a file's part; a NULL mapping with errno set. */
static struct mregion_mapping *map_file(const struct mregion_region *region,
					uint64_t len)
{
	const struct mregion_ram *ram = &region->ram;
	struct mregion_mapping *mapping;

	/* Neither 0, which is 2^64, nor what wraps when rounded up. */
	if (len == 0 || len > SIZE_MAX / 2 || ram->fd_offset > INT64_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	mapping = malloc(sizeof(*mapping));
	if (!mapping)
		return NULL;
	mapping->len = round_up(len, region->machine->page_size);
	mapping->ptr = mmap(NULL, mapping->len, PROT_READ | PROT_WRITE,
			    MAP_SHARED, ram->fd, ram->fd_offset);
	if (mapping->ptr == MAP_FAILED && errno == EACCES &&
	    (region->kind == MREGION_ROM || region->kind == MREGION_ROMD))
		mapping->ptr = mmap(NULL, mapping->len, PROT_READ, MAP_SHARED,
				    ram->fd, ram->fd_offset);
	if (mapping->ptr == MAP_FAILED) {
		free(mapping);
		return NULL;
	}
	return mapping;
}

/*
 * Let a region use a mapping of its first bytes from now on: one that is there
 * already, or a new one. Return: 0 or a negative errno.
 */
static int use_mapping(struct mregion_region *region, uint64_t len)
{
	struct mregion_ram *ram = &region->ram;
	struct mregion_mapping *mapping = ram->mappings;

	while (mapping && mapping->len - 1 < len - 1)
		mapping = mapping->next;
	if (!mapping) {
		mapping = map_file(region, len);
		if (!mapping)
			return -errno;
		mapping->next = ram->mappings;
		ram->mappings = mapping;
	}
	ram->len = mapping->len;
	atomic_store(&ram->ptr, mapping->ptr);
	return 0;
}

static struct mregion_region *refuse(struct mregion_region *region, int err)
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
	int ret = use_mapping(region, atomic_load(&region->len));

	if (ret)
		return refuse(region, -ret);
	return mregion_region_create(region, &op);
}

static struct mregion_region *
create_from_given_fd(struct mregion_region *region, int fd, uint64_t offset)
{
	region->ram.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (region->ram.fd < 0)
		return refuse(region, errno);
	region->ram.fd_offset = offset;
	return create_from_fd(region);
}

static struct mregion_region *create_from_memfd(struct mregion_region *region)
{
	struct mregion_ram *ram = &region->ram;
	uint64_t size;

	size = round_up(atomic_load(&region->len), region->machine->page_size);
	ram->fd = memfd_create(region->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ram->fd < 0 || ftruncate(ram->fd, size))
		return refuse(region, errno);
	/*
	 * Other processes get the descriptor. Should one make the file smaller,
	 * the VMM would die of SIGBUS; should it seal more, it could not grow.
	 */
	if (fcntl(ram->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL))
		return refuse(region, errno);
	ram->grows = true;
	return create_from_fd(region);
}

static int bad_kind(struct mregion_machine *machine, const char *name)
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
		bad_kind(machine, name);
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
		return refuse(region, EINVAL);
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
static struct mregion_region *new_given(struct mregion_machine *machine,
					enum mregion_kind kind,
					const char *name, uint64_t len)
{
	struct mregion_region *region;

	if (kind != MREGION_RAM && kind != MREGION_ROM &&
	    kind != MREGION_RAMDEV) {
		bad_kind(machine, name);
		return NULL;
	}
	region = mregion_region_new(machine, kind, name, len);
	if (region && kind == MREGION_RAMDEV) {
		region->ops = &mregion_ramdev_ops;
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

	region = new_given(machine, kind, name, len);
	return region ? create_from_given_fd(region, fd, offset) : NULL;
}

struct mregion_region *mregion_new_ram_from_ptr(struct mregion_machine *machine,
						enum mregion_kind kind,
						const char *name, uint64_t len,
						void *ptr)
{
	struct mregion_region *region;

	region = new_given(machine, kind, name, len);
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

static struct mregion_extent extent(const struct mregion_region *region,
				    uint64_t len)
{
	return (struct mregion_extent){
		.len = len,
		.ptr = atomic_load(&region->ram.ptr),
		.mapped = region->ram.len,
	};
}

/* Make the library's own file larger; never smaller, for it is mapped. */
static int grow_file(int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	return (uint64_t)st.st_size < size ? ftruncate(fd, size) : 0;
}

/* Have more of a file mapped. The file stays larger if the commit fails. */
static int grow(struct mregion_region *region, uint64_t len)
{
	struct mregion_ram *ram = &region->ram;
	uint64_t size = round_up(len, region->machine->page_size);

	if (ram->fd < 0)
		return -EINVAL;
	if (ram->grows && grow_file(ram->fd, size))
		return -errno;
	return use_mapping(region, len);
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
	before = extent(region, atomic_load(&region->len));
	resize = malloc(sizeof(*resize));
	ret = resize ? 0 : -ENOMEM;
	if (!ret && before.ptr && len - 1 > before.mapped - 1)
		ret = grow(region, len);
	if (ret)
		goto fail;
	if (!region->resizing++)
		region->settled = before;
	if (len - 1 > before.len - 1)
		atomic_store(&region->len, len);
	mregion_region_get(region);
	resize->region = region;
	resize->extent = extent(region, len);
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
