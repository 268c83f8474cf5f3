// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/mregion.h>

#include "bench.h"
#include "peer.h"

/* How often to look before sleeping; the kernel's side spins for as long. */
#define SPINS	4000

static uint32_t look(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Answer what is in a slot, if it is still wanted. */
static void answer(int fd, struct mregion_server_slot *slot, uint32_t index,
		   struct peer_counts *counts)
{
	struct mregion_server_wake wake = {
		.size = sizeof(wake),
		.slot = index,
	};
	uint32_t state = look(&slot->state);
	uint32_t taken = (state & ~MREGION_SERVER_STATE) | MREGION_SERVER_TAKEN;

	if ((state & MREGION_SERVER_STATE) != MREGION_SERVER_REQUEST ||
	    !__atomic_compare_exchange_n(&slot->state, &state, taken, 0,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	slot->data = peer_value(counts->served++);
	__atomic_store_n(&slot->state, taken | MREGION_SERVER_ANSWERED,
			 __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (look(&slot->sleeping)) {
		counts->calls++;
		ioctl(fd, MREGION_SERVER_WAKE, &wake);
	}
}

/* Serve until the machine is closed. */
void peer_server(int fd, struct peer_counts *counts)
{
	struct mregion_server_wait wait = { .size = sizeof(wait) };
	struct mregion_server_header *header;
	struct mregion_server_slot *slots;
	/* asking costs system calls */
	const uint32_t max_spins = bench_two_cpus() ? SPINS : 0;
	uint32_t events, spins, i;
	uint64_t bits;
	size_t len;

	header = mmap(NULL, MREGION_SERVER_SLOTS, PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		die("mapping a server: %s", strerror(errno));
	len = MREGION_SERVER_SLOTS + header->nr_slots * sizeof(*slots);
	header = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		die("mapping a server: %s", strerror(errno));
	slots = (void *)((char *)header + MREGION_SERVER_SLOTS);
	for (;;) {
		events = look(&header->events);
		bits = __atomic_exchange_n(&header->pending[0], 0,
					   __ATOMIC_ACQUIRE);
		for (i = 0; bits; i++, bits >>= 1)
			if (bits & 1)
				answer(fd, &slots[i], i, counts);
		__atomic_store_n(&header->seen, events, __ATOMIC_RELEASE);
		for (spins = max_spins; spins; spins--) {
			if (look(&header->events) != events)
				break;
			__builtin_ia32_pause();
		}
		if (look(&header->events) != events)
			continue;
		counts->calls++;
		if (ioctl(fd, MREGION_SERVER_WAIT, &wait) && errno == ENODEV)
			return;
	}
}

/* Serve until the socket is closed. */
void peer_socket(int fd, struct peer_counts *counts)
{
	struct peer_message message;

	while (read(fd, &message, PEER_REQUEST_SIZE) == PEER_REQUEST_SIZE) {
		message.data = peer_value(counts->served++);
		counts->calls += 2;
		if (write(fd, &message, sizeof(message)) != sizeof(message))
			die("socket: %s", strerror(errno));
	}
}
