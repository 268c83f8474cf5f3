// SPDX-License-Identifier: GPL-2.0
/*
 * The same cases without libFuzzer: from a generator of random numbers, or
 * from files. Prints TAP.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/types.h>

#include "btree.h"
#include "case.h"
#include "check.h"
#include "delta.h"
#include "limits.h"
#include "stats.h"

#define RANDOM_MAX	512

/* So many cases reach everything that is counted, many times over. */
#define RANDOM_THOROUGH	5000

struct random_options {
	u64 seed;
	unsigned long runs;
	unsigned long seconds;
	const char *directory;
};

static struct random_options options = {
	.runs = 100000,
	.directory = ".",
};

static void run_btree(void)
{
	btree_run(options.seed, 2000);
}

static void run_delta(void)
{
	delta_run(options.seed, 200);
}

static const struct random_limit {
	const char *name;
	void (*run)(void);
} limits[] = {
	{ "large trees are as arrays are", run_btree },
	{ "sets of intervals have what was put in", run_delta },
	{ "depth of containers is limited", limits_depth_containers },
	{ "depth of aliases is limited", limits_depth_aliases },
	{ "depth of what is covered is not", limits_depth_covered },
	{ "depth of what shows itself is limited", limits_depth_self },
	{ "changes that are too deep are not overlooked", limits_depth_change },
	{ "what shows itself without end is found at once", limits_endless },
	{ "ranges of a view are limited", limits_ranges },
	{ "work is limited", limits_work },
};

#define RANDOM_NR_LIMITS	(sizeof(limits) / sizeof(*limits))

/* The test under way. */
static const char *test_name;
static unsigned int passed;

/* The case under way, to be kept if it fails. */
static unsigned char case_data[RANDOM_MAX];
static size_t case_len;
static unsigned long case_nr;

/* clang's and gcc's sanitizers have it; a build without them has not */
void __sanitizer_set_death_callback(void (*callback)(void))
	__attribute__((weak));

static void begin(const char *name)
{
	test_name = name;
}

static void pass(void)
{
	printf("ok %u - %s\n", ++passed, test_name);
	fflush(stdout);
}

static void keep_case(void)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/failed-%" PRIx64 "-%lu",
		 options.directory, options.seed, case_nr);
	file = fopen(path, "w");
	if (!file || fwrite(case_data, 1, case_len, file) != case_len ||
	    fclose(file)) {
		perror(path);
		return;
	}
	printf("# seed %#" PRIx64 ", case %lu, kept in %s\n", options.seed,
	       case_nr, path);
}

static void say_failed(void)
{
	printf("not ok %u - %s\n", passed + 1, test_name);
	if (case_len)
		keep_case();
	printf("%u passed, 1 failed\n", passed);
	fflush(stdout);
}

void fuzz_failed(void)
{
	say_failed();
	_exit(1);
}

/* splitmix64 */
static u64 random_next(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Depends on the seed and the number only, so that each can be had again. */
static void make_case(unsigned long nr)
{
	u64 state = options.seed ^ nr * 0xd1342543de82ef95;
	size_t i;

	case_nr = nr;
	case_len = 16 + random_next(&state) % (RANDOM_MAX - 16);
	for (i = 0; i < case_len; i += sizeof(u64)) {
		u64 bytes = random_next(&state);
		size_t left = case_len - i;

		memcpy(case_data + i, &bytes,
		       left < sizeof(bytes) ? left : sizeof(bytes));
	}
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec +
	       (now.tv_nsec - start->tv_nsec) / 1e9;
}

static void run_cases(void)
{
	struct timespec start;
	unsigned long nr;

	begin("random hierarchies and changes are as the model has them");
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (nr = 0; nr < options.runs; nr++) {
		if (options.seconds && !(nr % 64) &&
		    seconds_since(&start) >= options.seconds)
			break;
		make_case(nr);
		case_run(case_data, case_len);
	}
	case_len = 0;

#define PRINT(member, text)	printf("# %12lu " text "\n", fuzz_stats.member);
	FUZZ_STATS(PRINT)
#undef PRINT
	printf("# %12.1f seconds\n", seconds_since(&start));
	pass();
}

/* A test that never gets where it should look finds nothing. */
static void check_reach(void)
{
	begin("everything that is counted was reached");
	if (fuzz_stats.topologies < RANDOM_THOROUGH) {
		printf("ok %u - %s # SKIP fewer than %u cases\n", ++passed,
		       test_name, RANDOM_THOROUGH);
		return;
	}
#define REACHED(member, text)					\
	if (!fuzz_stats.member) {				\
		fprintf(stderr, "never reached: %s\n", text);	\
		fuzz_failed();					\
	}
	FUZZ_STATS(REACHED)
#undef REACHED
	pass();
}

static void run_file(const char *path)
{
	static unsigned char data[1 << 20];
	FILE *file = fopen(path, "r");
	size_t len;

	if (!file) {
		perror(path);
		exit(1);
	}
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	begin(path);
	case_run(data, len);
	pass();
}

static void __attribute__((noreturn)) usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: random [-n RUNS] [-t SECONDS] [-s SEED] [-d DIRECTORY]\n"
		"       random FILE...\n"
		"\n"
		"Run random cases, at most RUNS, for at most SECONDS; keep one that fails\n"
		"in DIRECTORY. Or run the cases in the FILEs.\n");
	exit(status);
}

static u64 number(const char *arg)
{
	char *end;
	u64 value = strtoull(arg, &end, 0);

	if (!*arg || *end || *arg == '-') {
		fprintf(stderr, "random: not a number: %s\n", arg);
		exit(2);
	}
	return value;
}

static void parse(int argc, char **argv)
{
	struct timespec now;
	int option;

	clock_gettime(CLOCK_REALTIME, &now);
	options.seed = (u64)now.tv_sec * 1000000000 + now.tv_nsec;
	while ((option = getopt(argc, argv, "n:t:s:d:h")) != -1) {
		switch (option) {
		case 'n':
			options.runs = number(optarg);
			break;
		case 't':
			options.seconds = number(optarg);
			break;
		case 's':
			options.seed = number(optarg);
			break;
		case 'd':
			options.directory = optarg;
			break;
		case 'h':
			usage(0);
		default:
			usage(2);
		}
	}
}

int main(int argc, char **argv)
{
	size_t i;

	parse(argc, argv);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_failed);

	printf("TAP version 13\n");
	if (optind < argc) {
		printf("1..%d\n", argc - optind);
		for (; optind < argc; optind++)
			run_file(argv[optind]);
	} else {
		printf("1..%zu\n# seed %#" PRIx64 "\n", RANDOM_NR_LIMITS + 2,
		       options.seed);
		run_cases();
		check_reach();
		for (i = 0; i < RANDOM_NR_LIMITS; i++) {
			begin(limits[i].name);
			limits[i].run();
			pass();
		}
	}
	printf("%u passed, 0 failed\n", passed);
	return 0;
}
