// SPDX-License-Identifier: MIT
/* Accesses to a space that the VMM makes, as a device does by DMA. */
#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "ask_kernel.h"
#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "resolve.h"
#include "ring_drain.h"
#include "space.h"

static int fail_at(int err, const struct mregion_space *space, uint64_t addr)
{
	return mregion_fail(err, "access address %#llx of space %u",
			    (unsigned long long)addr, space->id);
}

/* Why nothing can be transferred: 0 or a negative errno. */
static int check_piece(const struct mregion_piece *piece, bool write)
{
	if (mregion_piece_memory(piece, write) ||
	    mregion_piece_is_device(piece, write))
		return 0;
	if (write && (mregion_piece_memory(piece, false) ||
		      mregion_piece_is_device(piece, false)))
		return -EROFS;
	return -EFAULT;
}

/**
 * struct transfer - a transfer
 * @origin: who makes it
 * @addr: first address
 * @buf: where what is read goes; or what is written, and left alone
 * @write: whether it is written
 * @len: how many bytes
 * @done: how many of them are done
 * @drained: the rings were drained before the first access to a device
 */
struct transfer {
	struct mregion_origin origin;
	uint64_t addr;
	uint8_t *buf;
	bool write;
	size_t len;
	size_t done;
	bool drained;
};

static int transfer_piece(struct transfer *transfer,
			  const struct mregion_piece *piece, bool accepted)
{
	int ret = mregion_dispatch(&transfer->origin, piece,
				   transfer->addr + transfer->done, accepted,
				   transfer->write,
				   transfer->buf + transfer->done);

	if (!ret)
		transfer->done += piece->len;
	return ret;
}

/* What has to be done outside of a section before the next part can be made. */
enum need { NEED_NOTHING, NEED_DRAIN, NEED_ASK };

/*
 * Make the next part, unless there is something to do before: see @need. Rings are not
 * drained here, as a thread that is in a section waits for no other thread that drains
 * them. If the kernel is to be asked, @len is how many bytes the device takes.
 */
static int transfer_without_kernel(struct transfer *transfer, enum need *need,
				   unsigned int *len)
{
	struct mregion_space *space = transfer->origin.space;
	struct mregion_section section;
	struct mregion_piece piece;
	int ret;

	*need = NEED_NOTHING;
	*len = 0;
	mregion_section_begin(&section, &space->machine->sections);
	mregion_resolve(space, transfer->addr + transfer->done,
			transfer->len - transfer->done, transfer->write,
			&piece);
	ret = check_piece(&piece, transfer->write);
	if (!ret && mregion_piece_is_device(&piece, transfer->write)) {
		if (!mregion_region_may_call(piece.region))
			ret = -ELOOP;
		else if (!transfer->drained)
			*need = NEED_DRAIN;
		else if (mregion_piece_asked(&piece, transfer->write))
			*need = NEED_ASK;
		*len = piece.len;
	}
	if (!ret && *need == NEED_NOTHING)
		ret = transfer_piece(transfer, &piece, false);
	mregion_piece_put(&piece);
	mregion_section_end(&section);
	return ret;
}

/* The kernel has left a part to the VMM; nothing is done if the map has changed. */
static int transfer_left_to_vmm(struct transfer *transfer,
				const struct mregion_ask *ask)
{
	struct mregion_space *space = transfer->origin.space;
	struct mregion_section section;
	struct mregion_piece piece;
	int ret = 0;

	if (ask->outcome == MREGION_OUTCOME_REFUSED_EXIT)
		return -EFAULT;
	mregion_section_begin(&section, &space->machine->sections);
	if (!mregion_ask_piece(ask, &piece))
		sched_yield();
	else if (!piece.region)
		ret = -EFAULT;
	/* It may be another device than the one that the kernel was asked for. */
	else if (mregion_piece_is_device(&piece, transfer->write) &&
		 !mregion_region_may_call(piece.region))
		ret = -ELOOP;
	else
		ret = transfer_piece(transfer, &piece,
				     ask->outcome == MREGION_OUTCOME_EXIT);
	mregion_piece_put(&piece);
	mregion_section_end(&section);
	return ret;
}

/*
 * How much the kernel is asked for, where the device takes @len bytes. A transfer that is
 * no longer than a vCPU's access is cut by the kernel, as that is. A longer one is cut
 * here: a doorbell for any length would complete eight bytes of it, whatever is there.
 */
static unsigned int ask_len(const struct transfer *transfer, unsigned int len)
{
	uint64_t addr = transfer->addr + transfer->done;
	uint64_t last = mregion_space_last(transfer->origin.space);

	if (transfer->len > 8)
		return len;
	len = transfer->len - transfer->done;
	return last - addr < len - 1 ? last - addr + 1 : len;
}

/*
 * Have the kernel make the next part, where the device takes @len bytes. With no vCPU
 * behind it an access cannot be taken up again, so signals wait.
 */
static int transfer_by_kernel(struct transfer *transfer, unsigned int len)
{
	struct mregion_ask ask = {
		.space = transfer->origin.space,
		.vcpu = MREGION_NO_VCPU,
		.write = transfer->write,
		.addr = transfer->addr + transfer->done,
		.data = transfer->buf + transfer->done,
		.len = ask_len(transfer, len),
	};
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = mregion_ask(&ask);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret > 0)
		transfer->done += ask.part;
	if (ret == -EINTR)
		sched_yield();
	if (ret > 0 || ret == -EINTR)
		return 0;
	return ret ? ret : transfer_left_to_vmm(transfer, &ask);
}

static int transfer_next(struct transfer *transfer)
{
	unsigned int len;
	enum need need;
	int ret = transfer_without_kernel(transfer, &need, &len);

	switch (need) {
	case NEED_DRAIN:
		mregion_rings_drain(&transfer->origin.space->machine->rings);
		transfer->drained = true;
		return 0;
	case NEED_ASK:
		return transfer_by_kernel(transfer, len);
	default:
		return ret;
	}
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
	return ret ? fail_at(-ret, transfer->origin.space,
			     addr + transfer->done) : 0;
}

int mregion_space_read(struct mregion_space *space, uint64_t addr, void *buf,
		       size_t len, size_t *done)
{
	struct transfer transfer = {
		.origin = {
			.space = space,
			.vcpu = MREGION_NO_VCPU,
			.source = MREGION_FROM_DMA,
		},
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
		.origin = {
			.space = space,
			.vcpu = MREGION_NO_VCPU,
			.source = MREGION_FROM_DMA,
		},
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
