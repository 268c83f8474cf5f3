// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to translate an address to memory while the map stands still: by ioctl, by
 * the library in the VMM, and by a mirror as any process has it. The memory is one region
 * with registers over every second page, so that the view has twice as many ranges as
 * there are registers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <mregion.h>

#include "bench.h"
#include "output.h"

#define PAGE		0x1000ull
#define STEP		(2 * PAGE)
#define CALLS		1000u
#define ROUNDS		9
#define BATCH		10000u		/* regions that are created together */

static const uint32_t numbers[] = { 4, 100, 1000, 10000 };

#define NR_NUMBERS	(sizeof(numbers) / sizeof(numbers[0]))

static const char *const columns[] = {
	"what", "ranges", "same range", "another each", NULL
};

/**
 * struct board - a machine whose addresses are translated
 * @machine: the machine
 * @space: the space
 * @mirror: a mirror of that
 * @nr: how many pages of memory are left open
 */
struct board {
	struct mregion_machine *machine;
	struct mregion_space *space;
	struct mregion_mirror *mirror;
	uint32_t nr;
};

static void must_lib(bool ok)
{
	if (!ok)
		die("%s", mregion_error());
}

/* ---- Ways -------------------------------------------------------------- */

/* Each returns something of the result, so that it is not optimised away. */

/* The cost of such a call, for being taken off the others. */
static uint64_t by_nothing(const struct board *board, uint64_t addr)
{
	return board->nr + addr;
}

static uint64_t by_ioctl(const struct board *board, uint64_t addr)
{
	struct mregion_translate translate = {
		.size = sizeof(translate),
		.space = mregion_space_id(board->space),
		.addr = addr,
		.len = 64,
	};

	if (ioctl(mregion_machine_fd(board->machine), MREGION_TRANSLATE,
		  &translate))
		die("translate: %s", strerror(errno));
	return translate.range.offset;
}

static uint64_t by_library(const struct board *board, uint64_t addr)
{
	struct mregion_translation there;

	must_lib(!mregion_space_translate(board->space, addr, 64, &there));
	return (uintptr_t)there.ptr;
}

static uint64_t by_mirror(const struct board *board, uint64_t addr)
{
	struct mregion_place place;

	must_lib(!mregion_mirror_translate(board->mirror, addr, 64, &place));
	return (uintptr_t)place.ptr;
}

static uint64_t by_pointer(const struct board *board, uint64_t addr)
{
	size_t len = 64;

	return (uintptr_t)mregion_mirror_ptr(board->mirror, addr, &len, false);
}

static const struct {
	const char *name;
	uint64_t (*translate)(const struct board *board, uint64_t addr);
} ways[] = {
	{ "nothing", by_nothing },
	{ "ioctl", by_ioctl },
	{ "library, in the VMM", by_library },
	{ "mirror, in any process", by_mirror },
	{ "mirror, pointer only", by_pointer },
};

#define NR_WAYS	(sizeof(ways) / sizeof(ways[0]))

/* ---- Measuring --------------------------------------------------------- */

/* Addresses that follow no order that a cache of the last one would like. */
static uint64_t address(const struct board *board, uint32_t i, bool other)
{
	return other ? i * 2654435761ull % board->nr * STEP : 0;
}

static double measure_once(const struct board *board, uint32_t way, bool other)
{
	uint64_t sum = 0, begin = bench_now();
	uint32_t i;

	for (i = 0; i < CALLS; i++)
		sum += ways[way].translate(board, address(board, i, other));
	begin = bench_now() - begin;
	if (!sum && way > 1)
		die("%s: no memory is there", ways[way].name);
	return (double)begin / CALLS;
}

static double measure(const struct board *board, uint32_t way, bool other)
{
	struct bench_sample sample;
	double values[ROUNDS];
	unsigned int i;

	measure_once(board, way, other);
	for (i = 0; i < ROUNDS; i++)
		values[i] = measure_once(board, way, other);
	bench_sort(values, ROUNDS, &sample);
	return sample.least;
}

/* ---- Machines ---------------------------------------------------------- */

static uint64_t exits_only(void *opaque, uint64_t offset, unsigned int size)
{
	(void)opaque;
	(void)offset;
	(void)size;
	return 0;
}

static const struct mregion_ops device_ops = { .read = exits_only };

static void create(struct board *board)
{
	struct mregion_region *root, *memory, *device;
	uint32_t i;

	board->machine = mregion_machine_open(NULL);
	must_lib(board->machine);
	mregion_begin(board->machine);
	root = mregion_new_container(board->machine, "root", 0);
	memory = mregion_new_ram(board->machine, MREGION_RAM, "memory",
				 board->nr * STEP);
	mregion_map(root, memory, 0, 0);
	for (i = 0; i < board->nr; i++) {
		device = mregion_new_mmio(board->machine, "device", PAGE,
					  &device_ops, NULL);
		mregion_map(root, device, i * STEP + PAGE, 1);
		if ((i + 1) % (BATCH / 2))
			continue;
		must_lib(!mregion_commit(board->machine));
		mregion_begin(board->machine);
	}
	board->space = mregion_new_space(board->machine, MREGION_BUS_MEMORY,
					 root, MREGION_POLICY_DEFAULT);
	must_lib(!mregion_commit(board->machine));
}

static void open_mirror(struct board *board)
{
	int fd;

	must_lib(mregion_new_holder(board->space, MREGION_VIEW_OPEN_READ, &fd));
	board->mirror = mregion_mirror_open(fd);
	must_lib(board->mirror);
	close(fd);
}

static void measure_board(uint32_t nr)
{
	struct board board = { .nr = nr };
	double same, other;
	uint32_t way;

	create(&board);
	open_mirror(&board);
	same = measure(&board, 0, false);
	other = measure(&board, 0, true);
	for (way = 1; way < NR_WAYS; way++) {
		output_text(ways[way].name);
		output_number(2 * nr, 0);
		output_number(measure(&board, way, false) - same, 0);
		output_number(measure(&board, way, true) - other, 0);
	}
	mregion_mirror_close(board.mirror);
	mregion_machine_close(board.machine);
}

void bench_translate(void)
{
	unsigned int i;

	output_part("translate", "Instructions for translating an address",
		    columns);
	for (i = 0; i < NR_NUMBERS; i++)
		measure_board(numbers[i]);
}
