// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/kvm.h>

#include "kvm_log.h"
#include "memslots.h"
#include "mregion.h"
#include "region_log.h"

#define BITS	64u

static int enable(int vm_fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	return ioctl(vm_fd, KVM_ENABLE_CAP, &enable) ? -errno : 0;
}

static bool has(int vm_fd, uint32_t cap)
{
	return ioctl(vm_fd, KVM_CHECK_EXTENSION, cap) > 0;
}

int mregion_kvm_log_init(struct mregion_kvm_log *log, int vm_fd,
			 uint64_t page_size, uint32_t ring_bytes)
{
	uint32_t cap = KVM_CAP_DIRTY_LOG_RING;

	*log = (struct mregion_kvm_log){
		.vm_fd = vm_fd,
		.page_size = page_size,
		.ring_bytes = ring_bytes,
	};
	if (!ring_bytes)
		return 0;
	/* The second one is for those that order memory weakly as well. */
	if (!has(vm_fd, cap))
		cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL;
	return enable(vm_fd, cap, ring_bytes);
}

void mregion_kvm_log_destroy(struct mregion_kvm_log *log)
{
	unsigned int i;

	for (i = 0; i < log->nr_rings; i++)
		if (log->rings[i].entries)
			munmap(log->rings[i].entries, log->ring_bytes);
	free(log->rings);
	log->rings = NULL;
	log->nr_rings = 0;
}

int mregion_kvm_log_add(struct mregion_kvm_log *log, unsigned int vcpu,
			int vcpu_fd)
{
	struct mregion_vcpu_ring *rings;
	void *entries;

	if (vcpu >= log->nr_rings) {
		rings = realloc(log->rings, (vcpu + 1) * sizeof(*rings));
		if (!rings)
			return -ENOMEM;
		log->rings = rings;
		while (log->nr_rings <= vcpu)
			rings[log->nr_rings++] = (struct mregion_vcpu_ring){ 0 };
	}
	if (log->rings[vcpu].entries)
		return -EEXIST;
	entries = mmap(NULL, log->ring_bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED, vcpu_fd,
		       KVM_DIRTY_LOG_PAGE_OFFSET * log->page_size);
	if (entries == MAP_FAILED)
		return -errno;
	log->rings[vcpu].entries = entries;
	return 0;
}

/* ---- Bitmaps ----------------------------------------------------------- */

/*
 * Bits are cleared in a second step, so that KVM's lock is free while a large bitmap is read.
 * It does no harm if the VMM has asked for that as well. All bits could be set in
 * the beginning; that would tell of pages that nobody has written.
 */
static void ask_for_manual(struct mregion_kvm_log *log)
{
	if (log->manual_known)
		return;
	log->manual_known = true;
	log->manual = has(log->vm_fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) &&
		      !enable(log->vm_fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
}

/*
 * A page may be written between the two steps. If the first has told of it, the client
 * reads it later, and so sees the write; else the second leaves its bit for the next time.
 */
static int read_bitmap(struct mregion_kvm_log *log, uint32_t number,
		       uint64_t nr_pages, uint64_t *bitmap)
{
	struct kvm_dirty_log get = {
		.slot = number,
		.dirty_bitmap = bitmap,
	};
	struct kvm_clear_dirty_log clear = {
		.slot = number,
		.dirty_bitmap = bitmap,
	};
	uint64_t chunk = 1u << 30;

	if (ioctl(log->vm_fd, KVM_GET_DIRTY_LOG, &get))
		return -errno;
	if (!log->manual)
		return 0;
	/* The number of pages has 32 bits; a multiple of 64 but for the last part */
	while (clear.first_page < nr_pages) {
		if (chunk > nr_pages - clear.first_page)
			chunk = nr_pages - clear.first_page;
		clear.num_pages = chunk;
		clear.dirty_bitmap = bitmap + clear.first_page / BITS;
		if (ioctl(log->vm_fd, KVM_CLEAR_DIRTY_LOG, &clear))
			return -errno;
		clear.first_page += chunk;
	}
	return 0;
}

int mregion_kvm_log_slot(struct mregion_kvm_log *log,
			 const struct mregion_memslot *slot, uint32_t number)
{
	uint64_t nr_pages = slot->size / log->page_size;
	uint64_t nr_words = (nr_pages + BITS - 1) / BITS, i;
	uint64_t *bitmap;
	int ret;

	bitmap = calloc(nr_words, sizeof(*bitmap));
	if (!bitmap)
		return -ENOMEM;
	ask_for_manual(log);
	ret = read_bitmap(log, number, nr_pages, bitmap);
	/* Pages that were read are told, even if they were not cleared. */
	for (i = 0; i < nr_words; i++)
		if (bitmap[i])
			mregion_logging_bits(slot->region,
					     slot->offset / log->page_size +
					     i * BITS, bitmap[i]);
	free(bitmap);
	return ret;
}

/* ---- Rings ------------------------------------------------------------- */

/* By KVM's number, with the address space in it; NULL: it is not the library's. */
static const struct mregion_memslot *find_slot(const struct mregion_kvm_log *log,
					       uint32_t number)
{
	uint32_t space = number >> MREGION_SLOT_SPACE;
	const struct mregion_memslots *memslots;
	size_t i;

	memslots = space < MREGION_ADDRESS_SPACES ? log->memslots[space] : NULL;
	for (i = 0; memslots && i < memslots->nr; i++)
		if (memslots->first + memslots->slots[i].slot == number)
			return &memslots->slots[i];
	return NULL;
}

/* A page that a ring has told of. */
struct told {
	struct mregion_region *region;
	uint64_t page;
};

struct taken {
	struct told *told;
	size_t nr;
	size_t entries;
};

static bool is_dirty(const struct kvm_dirty_gfn *entry)
{
	return __atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) ==
	       KVM_DIRTY_GFN_F_DIRTY;
}

static struct kvm_dirty_gfn *entry_at(const struct mregion_kvm_log *log,
				      const struct mregion_vcpu_ring *ring,
				      uint32_t at)
{
	uint32_t nr = log->ring_bytes / sizeof(*ring->entries);

	return &ring->entries[at % nr];
}

/* How many entries a ring has by now; more may follow. */
static size_t count_entries(const struct mregion_kvm_log *log,
			    const struct mregion_vcpu_ring *ring)
{
	uint32_t max = log->ring_bytes / sizeof(*ring->entries), nr = 0;

	while (ring->entries && nr < max &&
	       is_dirty(entry_at(log, ring, ring->next + nr)))
		nr++;
	return nr;
}

/* Take as many entries as there is room for; KVM still has to reset them. */
static void take_ring(struct mregion_kvm_log *log,
		      struct mregion_vcpu_ring *ring, struct taken *taken,
		      size_t room)
{
	const struct mregion_memslot *slot = NULL;
	struct kvm_dirty_gfn *entry;
	uint32_t number = 0;

	for (; taken->entries < room; ring->next++) {
		entry = entry_at(log, ring, ring->next);
		if (!is_dirty(entry))
			return;
		if (!slot || number != entry->slot) {
			number = entry->slot;
			slot = find_slot(log, number);
		}
		if (slot && entry->offset < slot->size / log->page_size)
			taken->told[taken->nr++] = (struct told){
				.region = slot->region,
				.page = slot->offset / log->page_size +
					entry->offset,
			};
		taken->entries++;
		__atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET,
				 __ATOMIC_RELEASE);
	}
}

/* Have KVM reset what was taken; a signal may end that in between. */
static int reset_rings(const struct mregion_kvm_log *log, size_t entries)
{
	int ret = 0;

	while (entries) {
		ret = ioctl(log->vm_fd, KVM_RESET_DIRTY_RINGS, 0);
		if (ret < 0 && errno != EINTR)
			return -errno;
		/* The VMM may have done it itself. */
		if (!ret)
			break;
		if (ret > 0)
			entries -= (size_t)ret < entries ? (size_t)ret :
							   entries;
	}
	return 0;
}

/*
 * Pages come to the logs when writes to them are logged anew: a client that reads a
 * page earlier would miss a write that has an entry already.
 */
int mregion_kvm_log_rings(struct mregion_kvm_log *log)
{
	struct taken taken = { 0 };
	size_t room = 0, k;
	unsigned int i;
	int ret;

	for (i = 0; i < log->nr_rings; i++)
		room += count_entries(log, &log->rings[i]);
	if (!room)
		return 0;
	taken.told = malloc(room * sizeof(*taken.told));
	if (!taken.told)
		return -ENOMEM;
	for (i = 0; i < log->nr_rings; i++)
		if (log->rings[i].entries)
			take_ring(log, &log->rings[i], &taken, room);
	ret = reset_rings(log, taken.entries);
	for (k = 0; k < taken.nr; k++)
		mregion_logging_bits(taken.told[k].region, taken.told[k].page,
				     1);
	free(taken.told);
	return ret;
}
