// SPDX-License-Identifier: MIT
/*
 * Serving until there is nothing more to come: requests are taken from their slots, made,
 * and answered.
 *
 * A request can be withdrawn at any time, and its slot be given to another one
 * with another number in its state. So what was read from a slot counts only if
 * the state has stayed the same, and an answer replaces only the state of the
 * very request that it is for.
 *
 * A thread sleeps in epoll_wait() rather than in MREGION_SERVER_WAIT, since it
 * has to wake up for mregion_serving_stop(), too. Each has an epoll instance of
 * its own, with the server in it as EPOLLEXCLUSIVE, so that one event wakes one
 * thread.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "mregion.h"
#include "server_process.h"

/* What the kernel has counted up to now. */
static uint32_t count_events(const struct mregion_serving *serving)
{
	return __atomic_load_n(&serving->header->events, __ATOMIC_ACQUIRE);
}

static uint32_t replace_state(uint32_t state, enum mregion_server_state new)
{
	return (state & ~MREGION_SERVER_STATE) | new;
}

static bool change_state(struct mregion_server_slot *slot, uint32_t from,
			 enum mregion_server_state to)
{
	return __atomic_compare_exchange_n(&slot->state, &from,
					   replace_state(from, to), false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool state_is(const struct mregion_server_slot *slot, uint32_t state)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->state, __ATOMIC_RELAXED) == state;
}

/* Return: false if there is no request, or no longer. */
static bool take_request(struct mregion_server_slot *slot,
			 struct mregion_server_slot *request)
{
	uint32_t state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

	if ((state & MREGION_SERVER_STATE) != MREGION_SERVER_REQUEST ||
	    !change_state(slot, state, MREGION_SERVER_TAKEN))
		return false;
	*request = *slot;
	request->state = replace_state(state, MREGION_SERVER_TAKEN);
	return state_is(slot, request->state) && request->len &&
	       request->len <= 8;
}

/* Make an access as the VMM would: in parts that the device takes. */
static uint64_t make_request(const struct mregion_device *device,
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

static void answer_request(struct mregion_serving *serving, uint32_t index,
			   const struct mregion_server_slot *request,
			   uint64_t data)
{
	struct mregion_server_slot *slot = &serving->slots[index];
	struct mregion_server_wake wake = {
		.size = sizeof(wake),
		.slot = index,
	};

	if (!state_is(slot, request->state))
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

	if (!take_request(&serving->slots[index], &request))
		return;
	/* What the vCPU wrote before, it is to find written. */
	mregion_serving_drain(serving);
	device = mregion_serving_device(serving, request.region);
	if (device)
		data = make_request(device, &request);
	answer_request(serving, index, &request, data);
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
static uint32_t serve_round(struct mregion_serving *serving)
{
	uint32_t events = count_events(serving);
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

/* Looks between two at the clock, which costs more. */
#define LOOKS	64

/**
 * struct spin - how long a thread looks for the next event before it sleeps
 * @max_ns: at most
 * @ns: at present
 */
struct spin {
	uint64_t max_ns;
	uint64_t ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#elif defined(__riscv)
	/* pause: a fence of nothing where the processor does not know it */
	__asm__ volatile(".4byte 0x0100000f");
#endif
}

static bool has_news(const struct mregion_serving *serving, uint32_t seen)
{
	return count_events(serving) != seen ||
	       atomic_load_explicit(&serving->stop, memory_order_relaxed);
}

/* Return: whether something came in time. */
static bool spin_for(const struct spin *spin,
		     const struct mregion_serving *serving, uint32_t seen,
		     uint64_t since)
{
	unsigned int i;

	if (!spin->ns)
		return has_news(serving, seen);
	do {
		for (i = 0; i < LOOKS; i++) {
			if (has_news(serving, seen))
				return true;
			pause_cpu();
		}
	} while (now_ns() - since < spin->ns);
	return false;
}

/*
 * As long as allowed if that would have been enough this time, and ever less if
 * it takes several times as long.
 */
static void adapt_spin(struct spin *spin, uint64_t took)
{
	if (took <= spin->max_ns)
		spin->ns = spin->max_ns;
	else if (took > 4 * spin->max_ns)
		spin->ns /= 2;
}

static int add_to_epoll(int epoll_fd, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_epoll(const struct mregion_serving *serving)
{
	int fd = epoll_create1(EPOLL_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (add_to_epoll(fd, serving->fd, EPOLLIN | EPOLLEXCLUSIVE) ||
	    add_to_epoll(fd, serving->stop_fd, EPOLLIN)) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

/* Return: 0, or -ENODEV if nothing more will come. */
static int sleep_on(int epoll_fd)
{
	struct epoll_event event = { 0 };

	/* A signal may have stopped the serving; the caller looks. */
	if (epoll_wait(epoll_fd, &event, 1, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	return event.events & (EPOLLHUP | EPOLLERR) ? -ENODEV : 0;
}

static bool is_dead(const struct mregion_serving *serving)
{
	struct pollfd poll_fd = { .fd = serving->fd };

	return poll(&poll_fd, 1, 0) > 0 &&
	       poll_fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static int serve_until_stopped(struct mregion_serving *serving, struct spin *spin,
			       int epoll_fd)
{
	uint64_t since;
	uint32_t seen;
	int ret = 0;

	while (!atomic_load(&serving->stop)) {
		seen = serve_round(serving);
		if (has_news(serving, seen))
			continue;
		since = spin->max_ns ? now_ns() : 0;
		if (!spin_for(spin, serving, seen, since))
			ret = sleep_on(epoll_fd);
		if (ret)
			return ret;
		if (spin->max_ns)
			adapt_spin(spin, now_ns() - since);
	}
	return 0;
}

static int nothing_more(void)
{
	return mregion_fail_why(ENODEV,
		"serve: the machine is closed, or the server freed or dead");
}

int mregion_serve(struct mregion_serving *serving, unsigned int spin_usecs)
{
	struct spin spin = { 0 };
	int epoll_fd, ret;

	/* On a single CPU nothing can happen while one looks. */
	if (get_nprocs() > 1)
		spin.max_ns = (uint64_t)spin_usecs * 1000;
	spin.ns = spin.max_ns;
	epoll_fd = open_epoll(serving);
	if (epoll_fd < 0)
		return mregion_fail(-epoll_fd, "wait for accesses to serve");
	ret = serve_until_stopped(serving, &spin, epoll_fd);
	close(epoll_fd);
	if (ret == -ENODEV)
		return nothing_more();
	return ret ? mregion_fail(-ret, "serve") : 0;
}

int mregion_serve_once(struct mregion_serving *serving)
{
	/* What a dead server leaves in its rings is the VMM's. */
	if (is_dead(serving))
		return nothing_more();
	serve_round(serving);
	return 0;
}
