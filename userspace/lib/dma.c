// SPDX-License-Identifier: MIT
/* Accesses to a space that the VMM makes, as a device does by DMA. */
#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "dispatch.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "served.h"
#include "space.h"

static int fail_at(int err, const struct mregion_space *space, uint64_t addr)
{
	return mregion_fail(err, "access address %#llx of space %u",
			    (unsigned long long)addr, space->id);
}

static bool is_device(const struct mregion_piece *piece, bool write)
{
	struct mregion_device device;

	return !mregion_piece_memory(piece, write) &&
	       mregion_piece_device(piece, write, &device);
}

/* Why nothing can be transferred: 0 or a negative errno. */
static int check_piece(const struct mregion_piece *piece, bool write)
{
	if (mregion_piece_memory(piece, write) || is_device(piece, write))
		return 0;
	if (write && (mregion_piece_memory(piece, false) ||
		      is_device(piece, false)))
		return -EROFS;
	return -EFAULT;
}

/* Read, or write, what is in one range. Adds to @done what was. */
static int transfer_piece(const struct mregion_piece *piece, bool write,
			  uint8_t *buf, size_t *done)
{
	uint64_t at = 0, step;
	int ret = check_piece(piece, write);

	for (; at < piece->len && !ret; at += step) {
		ret = mregion_dispatch(piece, 0, write, at, buf + at, &step);
		if (!ret)
			*done += step;
	}
	return ret;
}

/*
 * Have the kernel make the next access to what may be a server's.
 *
 * With no vCPU behind it an access cannot be taken up again, so signals wait.
 */
static int transfer_served(struct mregion_served *access)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = mregion_served_access(access);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

static unsigned int next_len(const struct mregion_piece *piece)
{
	struct mregion_constraints constraints;

	constraints = mregion_region_constraints(piece->region);
	return mregion_access_size(&constraints, piece->offset, piece->len);
}

/**
 * struct transfer - a transfer
 * @space: the space
 * @addr: first address
 * @buf: where what is read goes; or what is written, and left alone
 * @write: whether it is written
 * @len: how many bytes
 * @done: how many of them are done
 * @left: if it is this that comes next, the kernel has left that to the VMM
 * @drained: the rings were drained before the first access to a device
 */
struct transfer {
	struct mregion_space *space;
	uint64_t addr;
	uint8_t *buf;
	bool write;
	size_t len;
	size_t done;
	struct mregion_seen left;
	bool drained;
};

/*
 * The next range, unless it is a server's: then true, and @served is set. Before
 * the first that is a device's it only asks for @drained, outside of the section:
 * within, who brings a write to a device would not be waited for.
 */
static bool transfer_here(struct transfer *transfer,
			  struct mregion_served *served, int *ret)
{
	struct mregion_space *space = transfer->space;
	size_t done = transfer->done;
	struct mregion_section section;
	struct mregion_piece piece;
	bool found;

	mregion_section_begin(&section, &space->machine->sections);
	served->seen.commits = atomic_load(&space->machine->commits);
	mregion_resolve(space, transfer->addr + done, transfer->len - done,
			transfer->write, &piece);
	if (!transfer->drained && is_device(&piece, transfer->write)) {
		*ret = -EAGAIN;
		found = false;
	} else if (!mregion_left_here(&transfer->left, &piece) &&
		   mregion_piece_served(&piece, transfer->write)) {
		found = true;
		mregion_served_set(served, &piece);
		served->addr = transfer->addr + done;
		served->len = next_len(&piece);
	} else {
		found = false;
		*ret = transfer_piece(&piece, transfer->write,
				      transfer->buf + done, &transfer->done);
		transfer->left.region = 0;
	}
	mregion_piece_put(&piece);
	mregion_section_end(&section);
	return found;
}

static int transfer_next(struct transfer *transfer)
{
	struct mregion_space *space = transfer->space;
	struct mregion_served served = {
		.space = space,
		.vcpu = MREGION_NO_VCPU,
		.write = transfer->write,
	};
	int ret = 0;

	if (!transfer_here(transfer, &served, &ret)) {
		if (ret != -EAGAIN)
			return ret;
		mregion_rings_drain(&space->machine->rings);
		transfer->drained = true;
		return 0;
	}
	served.data = transfer->buf + transfer->done;
	ret = transfer_served(&served);
	mregion_region_put(served.region);
	if (ret > 0) {
		transfer->done += served.len;
		transfer->left.region = 0;
	} else if (ret == -EAGAIN || ret == -EINTR) {
		sched_yield();
	} else if (ret) {
		return ret;
	} else {
		mregion_rings_drain(&space->machine->rings);
		transfer->left = served.seen;
	}
	return 0;
}

static int transfer_all(struct transfer *transfer, size_t *done)
{
	uint64_t addr = transfer->addr;
	int ret = 0;

	while (transfer->done < transfer->len && !ret) {
		if (addr + transfer->done < addr)
			ret = -EFAULT;
		else
			ret = transfer_next(transfer);
	}
	if (done)
		*done = transfer->done;
	return ret ? fail_at(-ret, transfer->space, addr + transfer->done) : 0;
}

int mregion_space_read(struct mregion_space *space, uint64_t addr, void *buf,
		       size_t len, size_t *done)
{
	struct transfer transfer = {
		.space = space,
		.addr = addr,
		.buf = buf,
		.len = len,
	};

	return transfer_all(&transfer, done);
}

int mregion_space_write(struct mregion_space *space, uint64_t addr,
			const void *buf, size_t len, size_t *done)
{
	struct transfer transfer = {
		.space = space,
		.addr = addr,
		.buf = (uint8_t *)buf,
		.write = true,
		.len = len,
	};

	return transfer_all(&transfer, done);
}

void *mregion_space_ptr(struct mregion_space *space, uint64_t addr,
			size_t *len, bool write)
{
	struct mregion_piece piece;
	uint8_t *memory, *first = NULL;
	size_t sum = 0;

	/* Ranges that differ in their attributes only may be neighbours. */
	while (sum < *len && addr + sum >= addr) {
		mregion_resolve(space, addr + sum, *len - sum, write, &piece);
		memory = mregion_piece_memory(&piece, write);
		mregion_piece_put(&piece);
		if (!memory || (first && memory != first + sum))
			break;
		if (!first)
			first = memory;
		sum += piece.len;
	}
	*len = sum;
	if (!first)
		fail_at(EFAULT, space, addr);
	return first;
}
