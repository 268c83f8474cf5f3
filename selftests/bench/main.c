// SPDX-License-Identifier: GPL-2.0
/*
 * Measures what accesses to regions cost, and what changes of regions do.
 *
 * Usage: bench [--json] [--tsc] [--few] [--way TEXT] PART...
 *
 *   --json       one JSON document
 *   --tsc        count by the processor's time stamp counter, which Bochs advances by one
 *                an instruction, as QEMU does with -icount shift=0
 *   --few        of accesses: in machines with few regions only
 *   --way TEXT   of accesses: the ways whose names contain that
 *
 * PART is "accesses", "changes", "doorbells", "servers", "large" or "translate". All but
 * "servers" and "large" mean something only where the clock counts instructions; see
 * Documentation/performance.rst.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "output.h"

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "accesses", bench_accesses },
	{ "changes", bench_changes },
	{ "doorbells", bench_doorbells },
	{ "servers", bench_servers },
	{ "large", bench_large },
	{ "translate", bench_translate },
};

#define NR_PARTS	(sizeof(parts) / sizeof(parts[0]))

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static bool by_tsc;

uint64_t bench_now(void)
{
	struct timespec ts;

#if defined(__x86_64__)
	if (by_tsc)
		return __builtin_ia32_rdtsc();
#endif
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_sort(double *values, unsigned int nr, struct bench_sample *sample)
{
	qsort(values, nr, sizeof(*values), compare);
	sample->least = values[0];
	sample->median = values[nr / 2];
	sample->most = values[nr - 1];
}

/* Run on this CPU, or on the last if there are fewer. */
void bench_pin(unsigned int cpu)
{
	unsigned int nr = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu < nr ? cpu : nr - 1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %u: %s", cpu, strerror(errno));
}

bool bench_two_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

int main(int argc, char **argv)
{
	struct utsname name;
	bool json = false;
	unsigned int i;

	for (argv++, argc--; argc && !strncmp(*argv, "--", 2); argv++, argc--) {
		if (!strcmp(*argv, "--json")) {
			json = true;
		} else if (!strcmp(*argv, "--tsc")) {
			by_tsc = true;
		} else if (!strcmp(*argv, "--few")) {
			bench_few = true;
		} else if (!strcmp(*argv, "--way") && argc > 1) {
			bench_way = *++argv;
			argc--;
		} else {
			die("%s: no such option, or it needs an argument", *argv);
		}
	}
	if (!argc)
		die("no part: there are accesses, changes, doorbells, servers, large and translate");
	uname(&name);
	output_begin(json);
	output_fact("kernel", name.release);
	output_fact("cpus", bench_two_cpus() ? "2 or more" : "1");
	for (; argc; argv++, argc--) {
		for (i = 0; i < NR_PARTS; i++)
			if (!strcmp(*argv, parts[i].name))
				break;
		if (i == NR_PARTS)
			die("%s: no such part", *argv);
		parts[i].run();
	}
	output_end();
	return 0;
}
