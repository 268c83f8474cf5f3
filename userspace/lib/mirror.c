// SPDX-License-Identifier: MIT
/* A copy of a view in any process, with its memory mapped: see mregion.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/mregion.h>

#include "error.h"
#include "flat_copy.h"
#include "kernel.h"
#include "mirror.h"
#include "mregion.h"
#include "written.h"

/**
 * struct mapping - a mapping of memory
 * @ptr: of the region's first byte
 * @len: how many bytes are mapped
 * @before: the one before the region grew; somebody may have a pointer into it
 */
struct mapping {
	uint8_t *ptr;
	uint64_t len;
	struct mapping *before;
};

/**
 * struct memory - the memory of a region, as it is mapped
 * @refs: ranges that show it
 * @held: one more of @refs is for the time that the copy follows the view
 * @serial: struct mregion_view_file.serial
 * @writable: it is mapped for writing
 * @fd: its file
 * @offset: of the region's first byte in the file
 * @now: where it is mapped
 * @written: where writes are marked, or NULL
 * @region: its ID
 * @in_flight: what is being written now, the last part for mregion_mirror_write(); or
 *	NULL
 * @holder: whose @in_flight it is
 * @next: of the mirror's
 * @mirror: the mirror
 */
struct memory {
	unsigned int refs;
	bool held;
	uint32_t region;
	uint64_t serial;
	bool writable;
	int fd;
	uint64_t offset;
	struct mapping *now;
	struct mregion_written *written;
	struct mregion_in_flight *in_flight;
	unsigned int holder;
	struct memory *next;
	struct mregion_mirror *mirror;
};

/* How many ranges are found again at once: as many as most machines have of memory. */
#define NR_HITS		8u

/**
 * struct mregion_mirror - a mirror
 * @fd: the view's descriptor
 * @page: the page that has the generation
 * @generation: of the copy
 * @hits: the ranges that were looked up last, or NULL, see hit_of()
 * @shift: the lowest bit of an address that says which of them
 * @flat: the copy
 * @changed: what has changed, as it is read
 * @memories: what is mapped
 * @page_size: of the host
 * @told: called with what has changed, or NULL
 * @opaque: passed to it
 */
struct mregion_mirror {
	int fd;
	const struct mregion_view_page *page;
	uint64_t generation;
	struct mregion_flat_range *hits[NR_HITS];
	unsigned int shift;
	struct mregion_flat flat;
	struct mregion_changed changed;
	struct memory *memories;
	uint64_t page_size;
	void (*told)(void *opaque, const struct mregion_changed *changed);
	void *opaque;
};

static void free_memory(struct memory *memory)
{
	struct memory **link = &memory->mirror->memories;
	struct mapping *mapping;

	while (*link != memory)
		link = &(*link)->next;
	*link = memory->next;
	/* Somebody may still write, and cannot mark it any more. */
	if (memory->in_flight)
		mregion_written_settle(memory->written, memory->holder);
	while ((mapping = memory->now)) {
		memory->now = mapping->before;
		munmap(mapping->ptr, mapping->len);
		free(mapping);
	}
	close(memory->fd);
	mregion_written_free(memory->written);
	free(memory);
}

static void put_memory(void *opaque)
{
	struct memory *memory = opaque;

	if (!--memory->refs)
		free_memory(memory);
}

/* Map what the file has by now. Return: 0 or a negative errno. */
static int map_memory(struct memory *memory)
{
	int prot = memory->writable ? PROT_READ | PROT_WRITE : PROT_READ;
	off_t size = lseek(memory->fd, 0, SEEK_END);
	struct mapping *mapping;
	int err;

	if (size < 0)
		return -errno;
	if ((uint64_t)size <= memory->offset ||
	    (memory->now && size - memory->offset <= memory->now->len))
		return -EFAULT;
	mapping = malloc(sizeof(*mapping));
	if (!mapping)
		return -ENOMEM;
	mapping->len = size - memory->offset;
	mapping->before = memory->now;
	mapping->ptr = mmap(NULL, mapping->len, prot, MAP_SHARED, memory->fd,
			    memory->offset);
	if (mapping->ptr == MAP_FAILED) {
		err = -errno;
		free(mapping);
		return err;
	}
	memory->now = mapping;
	return 0;
}

static int map_written(struct memory *memory, int log, uint32_t holder)
{
	int err;

	if (log < 0)
		return 0;
	memory->written = mregion_written_open(log);
	if (!memory->written) {
		err = errno;
		close(log);
		return -err;
	}
	if (holder < MREGION_MAX_HOLDERS) {
		memory->holder = holder;
		memory->in_flight =
			memory->written->header->in_flight[holder];
	}
	return 0;
}

/* Has the view of the copy become another one meanwhile? */
static bool is_old(const struct mregion_mirror *mirror,
		   const struct mregion_view_file *file)
{
	return file->generation != mirror->generation;
}

static uint64_t now(const struct mregion_mirror *mirror)
{
	return __atomic_load_n(&mirror->page->generation, __ATOMIC_ACQUIRE);
}

/*
 * Ask for the file of the memory at an address. Return: 0; -EFAULT: there is none that
 * this process may have; -EAGAIN: the view is another one by now; or an errno.
 */
static int ask_file(struct mregion_mirror *mirror, uint64_t addr, uint32_t flags,
		    struct mregion_view_file *file)
{
	*file = (struct mregion_view_file){
		.size = sizeof(*file),
		.flags = flags,
		.addr = addr,
	};
	if (!ioctl(mirror->fd, MREGION_VIEW_FILE, file))
		return 0;
	if (errno != ENODATA && errno != ENXIO && errno != EACCES)
		return -errno;
	return now(mirror) == mirror->generation ? -EFAULT : -EAGAIN;
}

/* Map memory that was not mapped yet. Return: it; NULL with @err set. */
static struct memory *new_memory(struct mregion_mirror *mirror, uint64_t addr,
				 int *err)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	struct mregion_view_file file;

	*err = memory ? ask_file(mirror, addr, 0, &file) : -ENOMEM;
	if (*err) {
		free(memory);
		return NULL;
	}
	*memory = (struct memory){
		.region = file.range.region,
		.serial = file.serial,
		.writable = file.writable,
		.fd = file.memory,
		.offset = file.offset,
		.mirror = mirror,
		.next = mirror->memories,
	};
	mirror->memories = memory;
	*err = map_written(memory, file.log, file.holder);
	if (!*err)
		*err = is_old(mirror, &file) ? -EAGAIN : map_memory(memory);
	if (!*err)
		return memory;
	free_memory(memory);
	return NULL;
}

/*
 * Find the memory of a range. Return: 0; -EAGAIN: the view has changed; -EFAULT: there is
 * none that this process may have; or another negative errno.
 */
static int attach_memory(struct mregion_mirror *mirror,
			 struct mregion_flat_range *range)
{
	uint64_t addr = range->range.start;
	struct mregion_view_file file;
	struct memory *memory;
	int ret = ask_file(mirror, addr, MREGION_VIEW_FILE_SERIAL, &file);

	if (ret)
		return ret;
	if (is_old(mirror, &file))
		return -EAGAIN;
	for (memory = mirror->memories; memory; memory = memory->next)
		if (memory->serial == file.serial &&
		    memory->writable == !!file.writable)
			break;
	if (!memory)
		memory = new_memory(mirror, addr, &ret);
	if (!memory)
		return ret;
	memory->refs++;
	range->opaque = memory;
	return 0;
}

/* Memory that may be a file's. To a RAM device the size of an access matters. */
static bool is_memory(const struct mregion_range *range)
{
	return range->kind == MREGION_RAM || range->kind == MREGION_ROM ||
	       (range->kind == MREGION_ROMD &&
		range->flags & MREGION_RANGE_ROMD);
}

static bool is_mapped(const struct mregion_mirror *mirror, uint32_t region)
{
	const struct memory *memory;

	for (memory = mirror->memories; memory; memory = memory->next)
		if (memory->region == region)
			return true;
	return false;
}

/* Memory that is shown before and after stays mapped. Return: 0 or -EAGAIN. */
static int keep_mapped(struct mregion_mirror *mirror)
{
	struct mregion_flat_range *range;
	const struct mregion_range *new;
	uint32_t i;

	for (i = 0; i < mirror->changed.nr_ranges; i++) {
		new = &mirror->changed.ranges[i];
		if (!is_memory(new) || !is_mapped(mirror, new->region))
			continue;
		range = mregion_btree_bound(&mirror->flat.tree, new->start);
		if (range->opaque)
			continue;
		/* Another failure comes again when the memory is needed. */
		if (attach_memory(mirror, range) == -EAGAIN)
			return -EAGAIN;
	}
	return 0;
}

static int follow_changes(struct mregion_mirror *mirror)
{
	int ret;

	do {
		ret = mregion_kernel_changes(mirror->fd, 0, mirror->generation,
					     &mirror->changed);
		if (!ret)
			ret = mregion_flat_follow(&mirror->flat, NULL,
						  &mirror->changed);
		mirror->generation = ret ? 0 : mirror->changed.generation;
		if (!ret && mirror->told)
			mirror->told(mirror->opaque, &mirror->changed);
	} while (!ret && keep_mapped(mirror));
	return ret;
}

/*
 * Choose the bits of addresses that say where a range is noted: those that tell most of
 * the memory apart. Among many ranges few are found again; then it is the number of the
 * gigabyte, which tells apart the memory below PCI's addresses and above them.
 */
static unsigned int spread(const struct mregion_mirror *mirror)
{
	uint64_t starts[NR_HITS];
	const struct mregion_flat_range *range;
	struct mregion_btree_cursor cursor;
	unsigned int nr = 0, best = 0, shift = 30, s, i, slots;

	if (mirror->flat.tree.height > 1)
		return shift;
	mregion_btree_for_each(range, &cursor, &mirror->flat.tree, 0)
		if (is_memory(&range->range) && nr < NR_HITS)
			starts[nr++] = range->range.start;
	for (s = 40; nr > 1 && s >= 12; s--) {
		for (slots = 0, i = 0; i < nr; i++)
			slots |= 1u << (starts[i] >> s & (NR_HITS - 1));
		if ((unsigned int)__builtin_popcount(slots) > best) {
			best = __builtin_popcount(slots);
			shift = s;
		}
	}
	return shift;
}

/* Have the copy follow the view. */
static int follow(struct mregion_mirror *mirror)
{
	struct memory *memory, *next;
	int ret;

	memset(mirror->hits, 0, sizeof(mirror->hits));
	for (memory = mirror->memories; memory; memory = memory->next) {
		memory->refs++;
		memory->held = true;
	}
	ret = follow_changes(mirror);
	mirror->shift = spread(mirror);
	for (memory = mirror->memories; memory; memory = next) {
		next = memory->next;
		if (!memory->held)
			continue;
		memory->held = false;
		put_memory(memory);
	}
	return ret;
}

static inline bool has(const struct mregion_flat_range *range, uint64_t addr)
{
	return addr - range->range.start <=
	       range->range.last - range->range.start;
}

/* Where the range at an address was noted when it was looked up last. */
static inline struct mregion_flat_range **hit_of(struct mregion_mirror *mirror,
						 uint64_t addr)
{
	return &mirror->hits[addr >> mirror->shift & (NR_HITS - 1)];
}

/* The range at an address, if the copy is current; or NULL. */
static inline struct mregion_flat_range *look_up(struct mregion_mirror *mirror,
						 uint64_t addr)
{
	struct mregion_flat_range **hit = hit_of(mirror, addr);
	struct mregion_flat_range *range = *hit;

	if (now(mirror) != mirror->generation)
		return NULL;
	if (!range || !has(range, addr)) {
		range = mregion_btree_bound(&mirror->flat.tree, addr);
		if (!range || !has(range, addr))
			return NULL;
		*hit = range;
	}
	return range;
}

/* The first range that ends at an address or behind it, or NULL; the copy is current. */
static struct mregion_flat_range *find(struct mregion_mirror *mirror,
				       uint64_t addr)
{
	struct mregion_flat_range **hit = hit_of(mirror, addr);
	struct mregion_flat_range *range = *hit;

	if (range && has(range, addr))
		return range;
	range = mregion_btree_bound(&mirror->flat.tree, addr);
	if (!range || range->range.last < addr)
		return NULL;
	if (range->range.start <= addr)
		*hit = range;
	return range;
}

static void fill_gap(const struct mregion_flat_range *next, uint64_t addr,
		     uint64_t last, struct mregion_place *place)
{
	if (next && next->range.start - 1 < last)
		last = next->range.start - 1;
	place->len = last - addr + 1;
}

static inline void fill_range(const struct mregion_flat_range *range,
			      uint64_t addr, uint64_t last,
			      struct mregion_place *place)
{
	uint64_t at = addr - range->range.start;

	if (last > range->range.last)
		last = range->range.last;
	place->region = range->range.region;
	place->kind = range->range.kind;
	place->flags = range->range.flags;
	place->offset = range->range.offset + at;
	place->len = last - addr + 1;
	place->ptr = range->ptr ? range->ptr + at : NULL;
	place->writable = range->writable;
}

/* All is known of a range that lookups need. */
static void set_known(struct mregion_flat_range *range)
{
	const struct memory *memory = range->opaque;

	range->known = true;
	if (!memory)
		return;
	range->ptr = memory->now->ptr + range->range.offset;
	range->writable = memory->writable;
}

/* Have the memory of a range mapped as far as the range goes, if there is any. */
static int need_memory(struct mregion_mirror *mirror,
		       struct mregion_flat_range *range)
{
	struct memory *memory;
	uint64_t end;
	int ret;

	ret = !is_memory(&range->range) ? -EFAULT :
	      range->opaque ? 0 : attach_memory(mirror, range);
	if (ret && ret != -EFAULT)
		return ret;
	if (ret) {
		set_known(range);
		return 0;
	}
	memory = range->opaque;
	end = range->range.offset + (range->range.last - range->range.start);
	/* The region may have grown, and its file before. */
	if (end >= memory->now->len)
		ret = map_memory(memory);
	if (!ret && end >= memory->now->len)
		ret = -EFAULT;
	if (ret) {
		range->opaque = NULL;
		put_memory(memory);
		return ret;
	}
	set_known(range);
	return 0;
}

static int translate(struct mregion_mirror *mirror, uint64_t addr,
		     uint64_t len, struct mregion_place *place)
{
	uint64_t last = addr + len - 1;
	struct mregion_flat_range *range;
	int ret = 0;

	*place = (struct mregion_place){ 0 };
	if (last < addr)
		last = UINT64_MAX;
	do {
		if (now(mirror) != mirror->generation || ret)
			ret = follow(mirror);
		if (ret)
			return ret;
		range = find(mirror, addr);
		if (range && range->range.start <= addr && !range->known)
			ret = need_memory(mirror, range);
	} while (ret == -EAGAIN);
	if (ret)
		return ret;
	place->generation = mirror->generation;
	if (range && range->range.start <= addr)
		fill_range(range, addr, last, place);
	else
		fill_gap(range, addr, last, place);
	return 0;
}

static int fail_at(int err, uint64_t addr)
{
	return mregion_fail(err, "access address %#llx of a view",
			    (unsigned long long)addr);
}

/* Apart, so that what is found at once needs no registers saved, nor a stack. */
static __attribute__((noinline, cold)) int
translate_slowly(struct mregion_mirror *mirror, uint64_t addr, uint64_t len,
		 struct mregion_place *place)
{
	int ret = translate(mirror, addr, len, place);

	return ret ? fail_at(-ret, addr) : 0;
}

int mregion_mirror_translate(struct mregion_mirror *mirror, uint64_t addr,
			     uint64_t len, struct mregion_place *place)
{
	struct mregion_flat_range *range = look_up(mirror, addr);
	uint64_t last = addr + len - 1;

	if (!range || !range->known)
		return translate_slowly(mirror, addr, len, place);
	place->generation = mirror->generation;
	fill_range(range, addr, last < addr ? UINT64_MAX : last, place);
	return 0;
}

static __attribute__((noinline, cold)) void *
ptr_slowly(struct mregion_mirror *mirror, uint64_t addr, size_t *len, bool write)
{
	struct mregion_place place;
	int ret = translate(mirror, addr, *len, &place);

	if (!ret && (!place.ptr || (write && !place.writable)))
		ret = -EFAULT;
	if (ret) {
		*len = 0;
		fail_at(-ret, addr);
		return NULL;
	}
	*len = place.len;
	return place.ptr;
}

void *mregion_mirror_ptr(struct mregion_mirror *mirror, uint64_t addr,
			 size_t *len, bool write)
{
	struct mregion_flat_range *range = look_up(mirror, addr);
	uint64_t left;

	/* A pointer is there as soon as the range is known. */
	if (!range || !range->ptr || (write && !range->writable))
		return ptr_slowly(mirror, addr, len, write);
	left = range->range.last - addr;
	if (*len - 1 > left)
		*len = left + 1;
	return range->ptr + (addr - range->range.start);
}

/* ---- Writes ------------------------------------------------------------ */

/* The memory that a pointer is into, and where; NULL: that is not mapped any more. */
static struct memory *memory_of(struct mregion_mirror *mirror, const void *ptr,
				uint64_t *offset)
{
	const struct mapping *mapping;
	struct memory *memory;

	*offset = 0;
	for (memory = mirror->memories; memory; memory = memory->next) {
		for (mapping = memory->now; mapping; mapping = mapping->before) {
			*offset = (uintptr_t)ptr - (uintptr_t)mapping->ptr;
			if (*offset < mapping->len)
				return memory;
		}
	}
	return NULL;
}

/* The region may have grown, and the log with it. */
static void need_bits(struct memory *memory, uint64_t page)
{
	struct mregion_written *grown;
	int fd;

	if (page < memory->written->nr_pages)
		return;
	fd = fcntl(memory->written->fd, F_DUPFD_CLOEXEC, 0);
	grown = fd < 0 ? NULL : mregion_written_open(fd);
	if (!grown) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (memory->in_flight)
		memory->in_flight = grown->header->in_flight[memory->holder];
	mregion_written_free(memory->written);
	memory->written = grown;
}

static void pages_of(const struct memory *memory, uint64_t offset, size_t len,
		     uint64_t *first, uint64_t *last)
{
	*first = offset / memory->mirror->page_size;
	*last = (offset + len - 1) / memory->mirror->page_size;
}

static uint64_t first_of(const struct mregion_in_flight *span)
{
	return atomic_load_explicit(&span->first, memory_order_relaxed);
}

static uint64_t end_of(const struct mregion_in_flight *span)
{
	return atomic_load_explicit(&span->end, memory_order_relaxed);
}

/* A span that has some of the pages, or is next to them; else one that is free; else any. */
static struct mregion_in_flight *span_for(struct mregion_in_flight *spans,
					  uint64_t first, uint64_t last)
{
	struct mregion_in_flight *any = NULL;
	unsigned int i;

	for (i = 0; i < MREGION_MAX_SPANS - 1; i++) {
		if (!end_of(&spans[i]))
			any = any ? any : &spans[i];
		else if (first_of(&spans[i]) <= last + 1 &&
			 first <= end_of(&spans[i]))
			return &spans[i];
	}
	return any ? any : &spans[0];
}

static void fly(struct mregion_in_flight *span, uint64_t first, uint64_t last)
{
	uint64_t end = end_of(span);

	if (end && first_of(span) < first)
		first = first_of(span);
	if (end < last + 1)
		end = last + 1;
	atomic_store_explicit(&span->first, first, memory_order_relaxed);
	atomic_store_explicit(&span->end, end, memory_order_release);
	/* To be seen before anything of the write is. */
	atomic_thread_fence(memory_order_seq_cst);
}

static void land(struct mregion_in_flight *span)
{
	atomic_store_explicit(&span->end, 0, memory_order_release);
}

static void begin(struct memory *memory, uint64_t offset, size_t len)
{
	uint64_t first, last;

	if (!memory || !memory->in_flight || !len)
		return;
	pages_of(memory, offset, len, &first, &last);
	need_bits(memory, last);
	fly(span_for(memory->in_flight, first, last), first, last);
}

static void mark(struct memory *memory, uint64_t offset, size_t len)
{
	uint64_t first, last;

	if (!memory || !memory->written || !len)
		return;
	pages_of(memory, offset, len, &first, &last);
	need_bits(memory, last);
	mregion_written_mark(memory->written, first, last);
}

/* Copy, as the one part of all that does so. */
static void copy_in(struct memory *memory, const struct mregion_place *place,
		    const void *from)
{
	struct mregion_in_flight *span = NULL;
	uint64_t first, last;

	if (memory->in_flight) {
		pages_of(memory, place->offset, place->len, &first, &last);
		need_bits(memory, last);
		span = &memory->in_flight[MREGION_MAX_SPANS - 1];
		fly(span, first, last);
	}
	memcpy(place->ptr, from, place->len);
	mark(memory, place->offset, place->len);
	if (span)
		land(span);
}

void mregion_mirror_begin(struct mregion_mirror *mirror, const void *ptr,
			  size_t len)
{
	uint64_t offset;
	struct memory *memory = memory_of(mirror, ptr, &offset);

	begin(memory, offset, len);
}

void mregion_mirror_mark(struct mregion_mirror *mirror, const void *ptr,
			 size_t len)
{
	uint64_t offset;
	struct memory *memory = memory_of(mirror, ptr, &offset);

	mark(memory, offset, len);
}

void mregion_mirror_end(struct mregion_mirror *mirror)
{
	struct memory *memory;

	unsigned int i;

	for (memory = mirror->memories; memory; memory = memory->next)
		for (i = 0; memory->in_flight && i < MREGION_MAX_SPANS - 1; i++)
			land(&memory->in_flight[i]);
}

/* ---- Transfers --------------------------------------------------------- */

/* One part. Return: how many bytes, or a negative errno. */
static int64_t transfer_part(struct mregion_mirror *mirror, uint64_t addr,
			     void *in, const void *out, size_t len)
{
	struct mregion_place place;
	int ret = translate(mirror, addr, len, &place);

	if (ret)
		return ret;
	if (!place.ptr)
		return -EFAULT;
	if (in) {
		memcpy(in, place.ptr, place.len);
		return place.len;
	}
	if (!place.writable)
		return -EROFS;
	copy_in((*hit_of(mirror, addr))->opaque, &place, out);
	return place.len;
}

static int transfer(struct mregion_mirror *mirror, uint64_t addr, void *in,
		    const void *out, size_t len, size_t *done)
{
	size_t so_far = 0;
	int64_t part = 0;

	while (so_far < len && part >= 0) {
		part = addr + so_far < addr ? -EFAULT :
		       transfer_part(mirror, addr + so_far,
				     in ? (uint8_t *)in + so_far : NULL,
				     (const uint8_t *)out + so_far,
				     len - so_far);
		if (part > 0)
			so_far += part;
	}
	if (done)
		*done = so_far;
	return part < 0 ? fail_at(-part, addr + so_far) : 0;
}

int mregion_mirror_read(struct mregion_mirror *mirror, uint64_t addr, void *buf,
			size_t len, size_t *done)
{
	return transfer(mirror, addr, buf, NULL, len, done);
}

int mregion_mirror_write(struct mregion_mirror *mirror, uint64_t addr,
			 const void *buf, size_t len, size_t *done)
{
	return transfer(mirror, addr, NULL, buf, len, done);
}

/* ---- Begin and end ----------------------------------------------------- */

struct mregion_mirror *mregion_mirror_open(int fd)
{
	struct mregion_mirror *mirror = calloc(1, sizeof(*mirror));
	void *page;
	int ret;

	if (!mirror)
		return mregion_fail_ptr(ENOMEM, "make a mirror of a view");
	mregion_flat_init(&mirror->flat);
	mirror->flat.release = put_memory;
	mirror->page_size = sysconf(_SC_PAGESIZE);
	mirror->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	page = mirror->fd < 0 ? MAP_FAILED :
	       mmap(NULL, mirror->page_size, PROT_READ, MAP_SHARED, mirror->fd,
		    0);
	if (page != MAP_FAILED)
		mirror->page = page;
	/* Other descriptors have no memory to be mapped: ENODEV is of the space. */
	ret = mirror->page ? follow(mirror) : errno == ENODEV ? -EINVAL : -errno;
	if (!ret)
		return mirror;
	mregion_mirror_close(mirror);
	return mregion_fail_ptr(ret == -ENOTTY || ret == -EACCES ? EINVAL : -ret,
				"make a mirror of a view");
}

void mregion_mirror_close(struct mregion_mirror *mirror)
{
	if (!mirror)
		return;
	mregion_flat_destroy(&mirror->flat);
	mregion_changed_free(&mirror->changed);
	if (mirror->page)
		munmap((void *)mirror->page, mirror->page_size);
	if (mirror->fd >= 0)
		close(mirror->fd);
	free(mirror);
}

void mregion_mirror_watch(struct mregion_mirror *mirror,
			  void (*told)(void *opaque,
				       const struct mregion_changed *changed),
			  void *opaque)
{
	mirror->told = told;
	mirror->opaque = opaque;
}

int mregion_mirror_follow(struct mregion_mirror *mirror)
{
	int ret = now(mirror) == mirror->generation ? 0 : follow(mirror);

	return ret ? mregion_fail(-ret, "read what has changed of a view") : 0;
}

static void fill_file(const struct mregion_flat_range *range, uint64_t addr,
		      struct mregion_file_range *file)
{
	const struct memory *memory = range->opaque;

	if (addr < range->range.start)
		addr = range->range.start;
	file->start = addr;
	file->len = range->range.last - addr + 1;
	file->fd = memory->fd;
	file->offset = memory->offset + range->range.offset +
		       (addr - range->range.start);
}

int mregion_mirror_file(struct mregion_mirror *mirror, uint64_t addr,
			struct mregion_file_range *file)
{
	struct mregion_btree_cursor cursor;
	struct mregion_flat_range *range;
	int ret;

	mregion_btree_for_each(range, &cursor, &mirror->flat.tree, addr) {
		if (range->range.last < addr)
			continue;
		ret = range->known ? 0 : need_memory(mirror, range);
		if (ret)
			return ret;
		if (!range->opaque)
			continue;
		fill_file(range, addr, file);
		return 1;
	}
	return 0;
}

int mregion_mirror_fd(const struct mregion_mirror *mirror)
{
	return mirror->fd;
}
