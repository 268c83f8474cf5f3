// SPDX-License-Identifier: MIT
/*
 * mregion-vmm: boot a Linux kernel in a virtual machine whose memory map is
 * kept by the mregion kernel module
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mregion.h>

#include "boot.h"
#include "copy_live.h"
#include "machine.h"
#include "options.h"
#include "report.h"
#include "screen.h"
#include "signals.h"
#include "stats.h"

#define EXIT_USAGE	2

/* The files that results go to: opened early, since the guest cannot wait. */
struct outputs {
	FILE *stats;
	FILE *map;
	struct copy_live copy;
	struct screen screen;
};

static int open_output(FILE **file, const char *path)
{
	*file = stderr;
	if (!path)
		return 0;
	*file = fopen(path, "we");
	if (*file)
		return 0;
	report("cannot write to '%s': %s", path, strerror(errno));
	return -errno;
}

static void close_output(FILE *file)
{
	if (file && file != stderr)
		fclose(file);
}

static int print_map(const struct machine *machine, FILE *file)
{
	const struct {
		const char *title;
		struct mregion_space *space;
	} spaces[] = {
		{ "Memory", machine->memory },
		{ "I/O ports", machine->pio },
	};
	size_t i;
	int error = 0;

	for (i = 0; i < 2 && !error; i++) {
		if (!spaces[i].space)
			continue;
		fprintf(file, "%s, regions:\n", spaces[i].title);
		error = mregion_print_tree(spaces[i].space, file);
		if (error)
			break;
		fprintf(file, "\n%s, flat view:\n", spaces[i].title);
		error = mregion_print_view(spaces[i].space, file);
		fputc('\n', file);
	}
	if (error)
		report("cannot print the memory map: %s", mregion_error());
	else if (fflush(file))
		report("cannot print the memory map: %s", strerror(errno));
	return error;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void end_machine(void *opaque, enum machine_end why)
{
	machine_end(opaque, why);
}

/* What the program's exit status is to be. */
static int status_of(enum machine_end why)
{
	switch (why) {
	case END_REBOOT:
		report("the guest asked for a reset: ending");
		return EXIT_SUCCESS;
	case END_POWER_OFF:
	case END_USER:
		return EXIT_SUCCESS;
	default:
		return EXIT_FAILURE;
	}
}

static int run(struct machine *machine, const struct options *options,
	       struct signals *signals, struct outputs *outputs)
{
	const struct end_line end = { end_machine, machine };
	enum machine_end why;
	double start, seconds;

	if (signals_listen(signals, &machine->loop, end)) {
		report("cannot wait for signals");
		return EXIT_FAILURE;
	}
	if (options->map && print_map(machine, outputs->map))
		return EXIT_FAILURE;

	start = now();
	if (screen_start(&outputs->screen, machine) ||
	    copy_live_start(&outputs->copy, machine))
		return EXIT_FAILURE;
	machine_run(machine);
	/* Whoever sends another signal has lost patience. */
	signals_release(signals);
	why = machine_join(machine);
	seconds = now() - start;
	copy_live_end(&outputs->copy);
	screen_end(&outputs->screen);
	if (outputs->copy.failed || outputs->screen.failed)
		why = END_FAILED;
	if (options->stats &&
	    stats_print(machine, seconds,
			options->screen ? &outputs->screen.counts : NULL,
			outputs->stats))
		why = END_FAILED;
	return status_of(why);
}

static int build_and_run(const struct options *options,
			 const struct boot_kernel *kernel,
			 struct signals *signals, struct outputs *outputs)
{
	const struct machine_config config = {
		.kernel = kernel,
		.initrd = options->initrd,
		.cmdline = options->cmdline,
		.memory = options->memory,
		.nr_vcpus = options->nr_vcpus,
		.coalesce = options->coalesce,
		.ring_entries = options->ring_entries,
		.virtio = options->virtio,
		.framebuffer = options->screen,
	};
	struct machine machine;
	int status = EXIT_FAILURE;

	if (!machine_init(&machine, &config))
		status = run(&machine, options, signals, outputs);

	signals_release(signals);
	machine_exit(&machine);
	return status;
}

int main(int argc, char **argv)
{
	struct outputs outputs = { .copy = { .fd = -1 } };
	struct boot_kernel kernel;
	struct signals signals;
	struct options options;
	int status = EXIT_FAILURE;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_RUN:
		break;
	case OPTIONS_HELP:
		return EXIT_SUCCESS;
	default:
		return EXIT_USAGE;
	}

	if (screen_open(&outputs.screen, options.screen))
		return EXIT_FAILURE;
	if (signals_block(&signals)) {
		report("cannot block signals: %s", strerror(errno));
		screen_close(&outputs.screen);
		return EXIT_FAILURE;
	}
	if (!boot_open(&kernel, options.kernel) &&
	    !open_output(&outputs.stats, options.stats_file) &&
	    !open_output(&outputs.map, options.map_file) &&
	    !copy_live_open(&outputs.copy, options.copy_live))
		status = build_and_run(&options, &kernel, &signals, &outputs);

	close_output(outputs.stats);
	close_output(outputs.map);
	copy_live_close(&outputs.copy);
	screen_close(&outputs.screen);
	boot_close(&kernel);
	return status;
}
