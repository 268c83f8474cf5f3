/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all threads of the fuzzer share: random addresses, where a run is, what is
 * wrong, failures of the kernel's allocations on demand.
 */
#ifndef FUZZ_UTIL_H
#define FUZZ_UTIL_H

#include <stdarg.h>

#include "random_util.h"
#include "server_util.h"

/* ---- Random addresses -------------------------------------------------- */

/*
 * Addresses that regions, memory slots and KVM's devices are mapped at, all
 * within the 4 GiB that a guest can reach; and what is near them.
 */
#define LAST_ADDR	0xfffffff0u

static inline uint64_t random_base(struct prng *state)
{
	if (one_in(state, 12))
		return PICK(state, 0xfec00000, 0xfee00000, 0xe0000000,
			    0xfffff000, VM_RAM, 0x80000000);
	return MMIO_BASE + 0x1000 * below(state, one_in(state, 2) ? 3 : 16);
}

static inline uint64_t random_addr(struct prng *state, bool pio)
{
	uint64_t offset = 8 * below(state, one_in(state, 2) ? 4 : 24);

	if (one_in(state, 4))
		offset = below(state, 0x200);
	else if (one_in(state, 4))
		offset = 0xff8 + below(state, 16);	/* over the page's end */
	if (!pio) {
		offset += random_base(state);
		return offset < LAST_ADDR ? offset : LAST_ADDR;
	}
	if (one_in(state, 20))
		return PICK(state, 0x20, 0x61, 0x40, 0xfff8, 0xffff);
	return PIO_BASE + (offset + 0x80 * below(state, 4)) % 0x400;
}

/* ---- Where a run is, and what is wrong --------------------------------- */

#define FUZZ_ERRORS	10	/* told before it is enough */

static struct fuzz {
	uint64_t seed;
	unsigned int round;
	unsigned int errors;
	bool failures;			/* of anybody's are asked for */
} fuzz;

/* What a thread is at, and since when, for who looks whether it is stuck. */
struct place {
	const char *who;
	unsigned int number;		/* of who */
	unsigned int step;
	const char *doing;
	uint64_t since;			/* ms; 0: nothing that could hang */
};

static inline void fuzz_at(struct place *place, const char *doing)
{
	__atomic_store_n(&place->doing, doing, __ATOMIC_RELAXED);
	__atomic_store_n(&place->since, mr_now_ms(), __ATOMIC_RELAXED);
}

static inline void fuzz_idle(struct place *place)
{
	__atomic_store_n(&place->since, 0, __ATOMIC_RELAXED);
}

static inline bool fuzz_failed(void)
{
	return __atomic_load_n(&fuzz.errors, __ATOMIC_RELAXED);
}

static inline void __attribute__((format(printf, 2, 3)))
fuzz_wrong(const struct place *place, const char *format, ...)
{
	char text[512];
	va_list args;

	if (__atomic_add_fetch(&fuzz.errors, 1, __ATOMIC_RELAXED) > FUZZ_ERRORS)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr,
		"# seed %#llx round %u, %s %u step %u, %s: %s\n",
		(unsigned long long)fuzz.seed, fuzz.round, place->who,
		place->number, place->step, place->doing, text);
}

#define FUZZ_CHECK(place, condition, ...) ({				\
	bool __ok = (condition);					\
									\
	if (!__ok)							\
		fuzz_wrong(place, __VA_ARGS__);				\
	__ok;								\
})

/* ---- Failures ---------------------------------------------------------- */

/* Of allocations of this thread, and copies from and to userspace. */
struct inject {
	int fd;				/* -1: the kernel cannot, or shall not */
	bool armed;
	unsigned long failed;		/* failures that came */
};

/* Whether something may fail at present in what this thread asks for. */
static __thread bool inject_armed;

/* Whether an error may come from a failure. */
static inline bool injected(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* The same of a call that is looked at before inject_end(). */
static inline bool may_be_injected(int err)
{
	return inject_armed && injected(err);
}

static inline void inject_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
}

/* Whether the kernel can; makes ready for it. */
static inline bool inject_possible(void)
{
	static const char dir[] = "/sys/kernel/debug/failslab";

	if (access(dir, F_OK) || access("/proc/thread-self/fail-nth", W_OK))
		return false;
	inject_setting("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	inject_setting("/sys/kernel/debug/failslab/verbose", "0");
	inject_setting("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
		       "N");
	inject_setting("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	inject_setting("/sys/kernel/debug/fail_usercopy/verbose", "0");
	return true;
}

static inline struct inject inject_open(bool wanted)
{
	return (struct inject){
		.fd = wanted ? open("/proc/thread-self/fail-nth",
				    O_RDWR | O_CLOEXEC) : -1,
	};
}

static inline void inject_close(struct inject *inject)
{
	if (inject->fd >= 0)
		close(inject->fd);
}

static inline bool inject_nth(const struct inject *inject, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	return pwrite(inject->fd, text, strlen(text), 0) > 0;
}

/* Signals would have their frames copied, and kill whom that fails for. */
static inline void inject_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

/* Let something fail in what comes next, once in @n times. */
static inline void inject_begin(struct inject *inject, struct prng *state,
				uint32_t n)
{
	uint32_t nth = 1 + below(state, 1u << (1 + below(state, 8)));

	inject->armed = inject->fd >= 0 && one_in(state, n);
	if (!inject->armed)
		return;
	inject_armed = true;
	inject_signals(SIG_BLOCK);
	inject_nth(inject, nth);
}

/* Return: whether something may have failed. */
static inline bool inject_end(struct inject *inject)
{
	char text[16] = "";

	if (!inject->armed)
		return false;
	/* Where few are left over, it is this that fails. */
	if (pread(inject->fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text))
		inject->failed++;
	while (!inject_nth(inject, 0))
		;
	inject->armed = false;
	inject_armed = false;
	inject_signals(SIG_UNBLOCK);
	return true;
}

/* Carry out a statement. Value: whether something in it may have failed. */
#define WITH_FAILURES(of, state, n, statement) ({			\
	struct inject *__inject = (of);					\
									\
	inject_begin(__inject, state, n);				\
	statement;							\
	inject_end(__inject);						\
})

#endif /* FUZZ_UTIL_H */
