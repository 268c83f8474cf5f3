// SPDX-License-Identifier: MIT
/*
 * Requests: taking them from their slots, and answering them.
 *
 * A request can be withdrawn at any time, and its slot be given to another one
 * with another number in its state. So what was read from a slot counts only if
 * the state has stayed the same, and an answer replaces only the state of the
 * very request that it is for.
 */
#include <sys/ioctl.h>

#include "mregion.h"
#include "serving.h"

static uint32_t with(uint32_t state, enum mregion_server_state what)
{
	return (state & ~MREGION_SERVER_STATE) | what;
}

static bool change_state(struct mregion_server_slot *slot, uint32_t from,
			 enum mregion_server_state to)
{
	return __atomic_compare_exchange_n(&slot->state, &from, with(from, to),
					   false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static bool still(const struct mregion_server_slot *slot, uint32_t state)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->state, __ATOMIC_RELAXED) == state;
}

/* Return: false if there is no request, or no longer. */
static bool take(struct mregion_server_slot *slot,
		 struct mregion_server_slot *request)
{
	uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

	if ((state & MREGION_SERVER_STATE) != MREGION_SERVER_REQUEST ||
	    !change_state(slot, state, MREGION_SERVER_TAKEN))
		return false;
	*request = *slot;
	request->state = with(state, MREGION_SERVER_TAKEN);
	return still(slot, request->state) && request->len &&
	       request->len <= 8;
}

/* Make an access as the VMM would: in parts that the device takes. */
static uint64_t access_device(const struct mregion_device *device,
			      const struct mregion_server_slot *request)
{
	struct mregion_device asked = *device;
	uint8_t buf[8];

	asked.current.vcpu = request->vcpu;
	mregion_to_bytes(buf, request->data, 8);
	mregion_access_all(&asked, request->offset, buf, request->len,
			   request->flags & MREGION_SERVER_WRITE);
	return mregion_from_bytes(buf, request->len);
}

static void answer(struct mregion_serving *serving, uint32_t index,
		   const struct mregion_server_slot *request, uint64_t data)
{
	struct mregion_server_slot *slot = &serving->slots[index];
	struct mregion_server_wake wake = {
		.size = sizeof(wake),
		.slot = index,
	};

	if (!still(slot, request->state))
		return;
	if (!(request->flags & MREGION_SERVER_WRITE))
		slot->data = data;
	if (!change_state(slot, request->state, MREGION_SERVER_ANSWERED))
		return;
	/* Who waits says so first, and then looks for the answer. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&slot->sleeping, __ATOMIC_RELAXED))
		ioctl(serving->fd, MREGION_SERVER_WAKE, &wake);
}

static void serve_slot(struct mregion_serving *serving, uint32_t index)
{
	const struct mregion_device *device;
	struct mregion_server_slot request;
	uint64_t data = UINT64_MAX;

	if (!take(&serving->slots[index], &request))
		return;
	/* What the vCPU wrote before, it is to find written. */
	mregion_serving_drain(serving);
	device = mregion_serving_device(serving, request.region);
	if (device)
		data = access_device(device, &request);
	answer(serving, index, &request, data);
}

/*
 * Take one of the bits, so that the others are left for other threads: the next
 * one from @from on, so that no vCPU is always the last.
 */
static int take_bit(__u64 *word, unsigned int from)
{
	__u64 bits = __atomic_load_n(word, __ATOMIC_RELAXED), rest, bit;

	while (bits) {
		rest = from < 64 ? bits & ~0ull << from : 0;
		bit = rest ? rest & -rest : bits & -bits;
		bits = __atomic_fetch_and(word, ~bit, __ATOMIC_ACQ_REL);
		if (bits & bit)
			return __builtin_ctzll(bit);
	}
	return -1;
}

/*
 * A value of events is stored as seen when everything that it stands for has
 * been taken, be it by another thread that is still at it: that one goes on
 * whatever anybody waits for. What was made known before the counter was read
 * is in pending by then; so a look at all words after that finds it, unless
 * somebody else has.
 *
 * Of several threads, the one that read an older value may be the last to store
 * it. Then somebody is woken for nothing. The other way round is impossible.
 */
uint32_t mregion_serving_round(struct mregion_serving *serving)
{
	uint32_t events = mregion_serving_events(serving);
	struct mregion_section section;
	unsigned int i;
	int bit;

	mregion_section_begin(&section, &serving->sections);
	mregion_serving_drain(serving);
	for (i = 0; i * 64 < serving->nr_slots; i++) {
		bit = -1;
		while ((bit = take_bit(&serving->header->pending[i],
				       bit + 1)) >= 0)
			if (i * 64 + bit < serving->nr_slots)
				serve_slot(serving, i * 64 + bit);
	}
	mregion_section_end(&section);
	__atomic_store_n(&serving->header->seen, events, __ATOMIC_RELEASE);
	return events;
}
