// SPDX-License-Identifier: MIT
/* mregion: look at, and try out, hierarchies of memory regions. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "tool.h"

bool tool_json;

static int tool_help(int argc, char **argv);

static const struct tool_command commands[] = {
	{
		.name = "render",
		.args = "FILE",
		.help = "show the flat views of a topology, - for stdin",
		.run = tool_render,
		.own_options = true,
		.more =
	"  --offline  without the kernel module, as where there is none\n\n"
	"Example: mregion render --offline machine.topo\n",
	},
	{
		.name = "draw",
		.args = "FILE",
		.help = "draw hierarchy and views of a topology as SVG",
		.run = tool_draw,
		.own_options = true,
		.more =
	"  -o, --output FILE  write there instead of to stdout\n"
	"  -s, --space NAME   only spaces of that name; may be repeated\n"
	"  -a, --all          also regions that are disabled\n"
	"  -t, --title TEXT   instead of the file's name\n"
	"      --offline      without the kernel module, as where there is none\n\n"
	"Example: mregion draw machine.topo -s memory -o machine.svg\n",
	},
	{
		.name = "import",
		.args = "FILE",
		.help = "make a topology of QEMU's 'info mtree', - for stdin",
		.run = tool_import,
		.own_options = true,
		.more =
	"Example:\n"
	"  echo 'info mtree -D' | qemu-system-x86_64 -S -display none \\\n"
	"      -monitor stdio | mregion import - > machine.topo\n",
	},
	{
		.name = "info",
		.args = "",
		.help = "show version and limits of the kernel module",
		.run = tool_info,
		.more = "Example: mregion info\n",
	},
	{
		.name = "version",
		.args = "",
		.help = "show versions of command, library and module",
		.run = tool_version,
		.more = "Example: mregion -j version\n",
	},
	{
		.name = "help",
		.args = "[COMMAND]",
		.help = "show this",
		.run = tool_help,
		.more = "Example: mregion help render\n",
	},
};

void tool_error(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("mregion: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static void usage(FILE *file)
{
	size_t i;

	fputs("Usage: mregion [-j] COMMAND [ARGUMENT]...\n\n", file);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(file, "  %-7s %-10s %s\n", commands[i].name,
			commands[i].args, commands[i].help);
	fputs("\n  -j, --json         print JSON\n"
	      "  -h, --help         show this, or what a command does\n", file);
}

static void command_usage(const struct tool_command *command)
{
	printf("Usage: mregion %s%s%s\n\n  %s\n", command->name,
	       command->args[0] ? " " : "", command->args, command->help);
	if (command->more)
		printf("\n%s", command->more);
}

bool tool_options(int *argc, char **argv, bool *help)
{
	bool ended = false;
	int from, to = 1;

	*help = false;
	for (from = 1; from < *argc; from++) {
		if (ended || argv[from][0] != '-' || !argv[from][1]) {
			argv[to++] = argv[from];
		} else if (!strcmp(argv[from], "--")) {
			ended = true;
		} else if (!strcmp(argv[from], "-j") ||
			   !strcmp(argv[from], "--json")) {
			tool_json = true;
		} else if (!strcmp(argv[from], "-h") ||
			   !strcmp(argv[from], "--help")) {
			*help = true;
		} else {
			tool_error("%s: unknown option '%s'", argv[0],
				   argv[from]);
			return false;
		}
	}
	*argc = to;
	return true;
}

/* The command of that name, or the only one that begins so. */
static const struct tool_command *find_command(const char *name)
{
	const struct tool_command *found = NULL;
	size_t i, len = strlen(name);

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
		if (strncmp(commands[i].name, name, len))
			continue;
		if (found) {
			tool_error("'%s' is ambiguous: %s or %s?", name,
				   found->name, commands[i].name);
			return NULL;
		}
		found = &commands[i];
	}
	if (!found)
		tool_error("no command '%s'; see 'mregion help'", name);
	return found;
}

static int tool_help(int argc, char **argv)
{
	const struct tool_command *command;

	if (argc < 2) {
		usage(stdout);
		return 0;
	}
	command = find_command(argv[1]);
	if (!command)
		return 2;
	command_usage(command);
	return 0;
}

int main(int argc, char **argv)
{
	const struct tool_command *command;
	int i, status = 0;
	bool help;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json")) {
			tool_json = true;
		} else if (!strcmp(argv[i], "-h") ||
			   !strcmp(argv[i], "--help")) {
			usage(stdout);
			return 0;
		} else if (!strcmp(argv[i], "-V") ||
			   !strcmp(argv[i], "--version")) {
			return tool_version(0, NULL);
		} else {
			tool_error("unknown option '%s'; see 'mregion help'",
				   argv[i]);
			return 2;
		}
	}
	if (i == argc) {
		usage(stderr);
		return 2;
	}
	command = find_command(argv[i]);
	if (!command)
		return 2;
	argc -= i;
	argv += i;
	help = false;
	if (!command->own_options && !tool_options(&argc, argv, &help))
		return 2;
	if (!help)
		status = command->run(argc, argv);
	if (help || status == TOOL_HELP) {
		command_usage(command);
		status = 0;
	}

	if (fflush(stdout) || ferror(stdout)) {
		tool_error("cannot write: %s", strerror(errno));
		return 1;
	}
	return status;
}
