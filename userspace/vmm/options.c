// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mregion.h>

#include "machine.h"
#include "options.h"
#include "report.h"
#include "units.h"

#define DEFAULT_MEMORY		MIB(512)
#define DEFAULT_RING_ENTRIES	1024
/* 2^52 bytes is as much as a guest's page tables can address. */
#define MAX_MEMORY		(1ULL << 52)

enum {
	OPT_KERNEL = 256,
	OPT_INITRD,
	OPT_CMDLINE,
	OPT_MEMORY,
	OPT_CPUS,
	OPT_COALESCE,
	OPT_RING_ENTRIES,
	OPT_BLK,
	OPT_BLK_SERVER,
	OPT_RNG,
	OPT_STATS,
	OPT_STATS_FILE,
	OPT_MAP,
	OPT_MAP_FILE,
	OPT_COPY_LIVE,
	OPT_SCREEN,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "cmdline", required_argument, NULL, OPT_CMDLINE },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "coalesce", required_argument, NULL, OPT_COALESCE },
	{ "ring-entries", required_argument, NULL, OPT_RING_ENTRIES },
	{ "blk", required_argument, NULL, OPT_BLK },
	{ "blk-server", optional_argument, NULL, OPT_BLK_SERVER },
	{ "rng", no_argument, NULL, OPT_RNG },
	{ "stats", no_argument, NULL, OPT_STATS },
	{ "stats-file", required_argument, NULL, OPT_STATS_FILE },
	{ "map", no_argument, NULL, OPT_MAP },
	{ "map-file", required_argument, NULL, OPT_MAP_FILE },
	{ "copy-live", required_argument, NULL, OPT_COPY_LIVE },
	{ "screen", required_argument, NULL, OPT_SCREEN },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{}
};

static const char screen_help[] =
	"  --screen FILE        a framebuffer for the guest (efifb; console=tty0): its\n"
	"                       picture is written to FILE, as PNG, upon SIGUSR1 and at\n"
	"                       the end\n";

static void print_help(void)
{
	fputs("Usage: mregion-vmm --kernel FILE [OPTION]...\n"
	      "Boot a Linux kernel in a virtual machine, with its serial console on the\n"
	      "terminal.\n"
	      "\n"
	      "  --kernel FILE        " BOARD_KERNEL " to boot\n"
	      "  --initrd FILE        initial RAM disk\n"
	      "  --cmdline TEXT       kernel command line (console=ttyS0); before it comes\n"
	      "                       panic=-1, so that a panic ends the virtual machine,\n"
	      "                       unless TEXT has a panic= of its own\n"
	      "  --memory SIZE        memory, in MiB, or in GiB with a g behind it (512)\n"
	      "  --cpus N             number of vCPUs (1)\n"
	      "  --coalesce on|off    let the kernel module take writes that can wait (on)\n"
	      "  --ring-entries N     how many can wait; a power of two (1024)\n"
	      "  --blk FILE[,ro]      disk for the guest (virtio); ro: the guest cannot write\n"
	      "  --blk-server         emulate it in an unprivileged process of its own; if that\n"
	      "                       dies, the disk is broken\n"
	      "  --blk-server=takeover  the same, but go on with the disk here\n"
	      "  --rng                entropy for the guest (virtio)\n"
	      "  --stats              print counters at the end\n"
	      "  --stats-file FILE    the same, into FILE\n"
	      "  --map                print the memory map before the guest starts\n"
	      "  --map-file FILE      the same, into FILE\n"
	      "  --copy-live FILE     copy the guest's memory while it runs, as migration does,\n"
	      "                       and compare the two\n",
	      stdout);
	if (!board_no_framebuffer())
		fputs(screen_help, stdout);
	fputs("  --help               print this\n"
	      "  --version            print the version\n"
	      "\n"
	      "On a terminal every key goes to the guest; Ctrl-A x ends it.\n",
	      stdout);
}

static void print_version(void)
{
	printf("mregion-vmm %s, base interface %u\n", MREGION_VERSION,
	       MREGION_ABI_VERSION);
}

/* A decimal number of @text; the rest of it in @rest. */
static bool parse_number(const char *text, uint64_t *number, const char **rest)
{
	char *end;

	/* strtoull() would take blanks and signs. */
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	*rest = end;
	return !errno;
}

static bool parse_memory(const char *text, uint64_t *memory)
{
	uint64_t number, unit;
	const char *rest;

	if (!parse_number(text, &number, &rest))
		goto bad;
	if (!strcasecmp(rest, "") || !strcasecmp(rest, "m"))
		unit = MIB(1);
	else if (!strcasecmp(rest, "g"))
		unit = GIB(1);
	else
		goto bad;
	if (number > MAX_MEMORY / unit || number * unit < MACHINE_MIN_MEMORY)
		goto bad;
	*memory = number * unit;
	return true;

bad:
	report("--memory '%s' is not an amount of memory (give MiB, 16 at least, or GiB as in 4g)",
	       text);
	return false;
}

static bool parse_cpus(const char *text, unsigned int *nr)
{
	const char *rest;
	uint64_t number;

	if (parse_number(text, &number, &rest) && !*rest && number >= 1 &&
	    number <= MACHINE_MAX_VCPUS) {
		*nr = number;
		return true;
	}
	report("--cpus '%s' is not a number from 1 to %u", text,
	       MACHINE_MAX_VCPUS);
	return false;
}

static bool parse_ring_entries(const char *text, uint32_t *entries)
{
	const char *rest;
	uint64_t number;

	if (parse_number(text, &number, &rest) && !*rest && number >= 2 &&
	    number <= UINT32_MAX && !(number & (number - 1))) {
		*entries = number;
		return true;
	}
	report("--ring-entries '%s' is not a power of two, 2 at least", text);
	return false;
}

static bool parse_switch(const char *text, bool *on)
{
	*on = !strcmp(text, "on");
	if (*on || !strcmp(text, "off"))
		return true;
	report("--coalesce '%s' is neither on nor off", text);
	return false;
}

/* A comma in the path itself is no trouble unless "ro" follows at the end. */
static bool parse_blk(char *text, struct virtio_options *virtio)
{
	char *suffix = strrchr(text, ',');

	virtio->blk_readonly = suffix && !strcmp(suffix, ",ro");
	if (virtio->blk_readonly)
		*suffix = '\0';
	virtio->blk = text;
	if (*text)
		return true;
	report("--blk: no file given");
	return false;
}

static bool parse_blk_server(const char *text, struct virtio_options *virtio)
{
	virtio->blk_server = true;
	virtio->blk_takeover = text;
	if (!text || !strcmp(text, "takeover"))
		return true;
	report("--blk-server '%s' is not takeover", text);
	return false;
}

static bool parse_screen(const char *text, const char **screen)
{
	*screen = text;
	if (board_no_framebuffer())
		report("--screen: %s", board_no_framebuffer());
	else if (!*text)
		report("--screen: no file given");
	else
		return true;
	return false;
}

static bool parse_option(struct options *options, int option)
{
	switch (option) {
	case OPT_KERNEL:
		options->kernel = optarg;
		return true;
	case OPT_INITRD:
		options->initrd = optarg;
		return true;
	case OPT_CMDLINE:
		options->cmdline = optarg;
		return true;
	case OPT_MEMORY:
		return parse_memory(optarg, &options->memory);
	case OPT_CPUS:
		return parse_cpus(optarg, &options->nr_vcpus);
	case OPT_COALESCE:
		return parse_switch(optarg, &options->coalesce);
	case OPT_RING_ENTRIES:
		return parse_ring_entries(optarg, &options->ring_entries);
	case OPT_BLK:
		return parse_blk(optarg, &options->virtio);
	case OPT_BLK_SERVER:
		return parse_blk_server(optarg, &options->virtio);
	case OPT_RNG:
		options->virtio.rng = true;
		return true;
	case OPT_STATS_FILE:
		options->stats_file = optarg;
		/* fall through */
	case OPT_STATS:
		options->stats = true;
		return true;
	case OPT_MAP_FILE:
		options->map_file = optarg;
		/* fall through */
	case OPT_MAP:
		options->map = true;
		return true;
	case OPT_COPY_LIVE:
		options->copy_live = optarg;
		return true;
	case OPT_SCREEN:
		return parse_screen(optarg, &options->screen);
	default:
		/* getopt_long() has said what is wrong. */
		return false;
	}
}

enum options_result options_parse(struct options *options, int argc,
				  char **argv)
{
	int option;

	*options = (struct options){
		.cmdline = "console=ttyS0",
		.memory = DEFAULT_MEMORY,
		.nr_vcpus = 1,
		.coalesce = true,
		.ring_entries = DEFAULT_RING_ENTRIES,
	};

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) !=
	       -1) {
		if (option == OPT_HELP) {
			print_help();
			return OPTIONS_HELP;
		}
		if (option == OPT_VERSION) {
			print_version();
			return OPTIONS_HELP;
		}
		if (!parse_option(options, option))
			goto bad;
	}
	if (optind < argc) {
		report("'%s' is not an option", argv[optind]);
		goto bad;
	}
	if (!options->kernel) {
		report("no kernel given (--kernel FILE)");
		goto bad;
	}
	if (options->virtio.blk_server && !options->virtio.blk) {
		report("--blk-server: no disk given (--blk FILE)");
		goto bad;
	}
	return OPTIONS_RUN;

bad:
	fputs("Try 'mregion-vmm --help'.\n", stderr);
	return OPTIONS_BAD;
}
