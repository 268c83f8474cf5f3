// SPDX-License-Identifier: MIT
/* mregion: look at, and try out, hierarchies of memory regions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/mregion.h>

#include "../array.h"
#include "colour.h"
#include "json.h"
#include "options.h"
#include "tool.h"

static int tool_help(int argc, char **argv);

#define MACHINES "  MACHINE is a number, as 'mregion show' prints it, or 'pid PID'; without\n" \
		 "  it, all machines are meant.\n"

static const struct tool_command commands[] = {
	{ "show", "[MACHINE] [SELECTION]... [FILTER]...",
	  "show machines, or what is in one", "",
	  MACHINES
	  "  SELECTION: tree, spaces, view, rules, rings, servers, shadows, vms, claims\n"
	  "  FILTER: name GLOB, addr ADDRESS, kind KIND\n"
	  "\nExamples:\n"
	  "  mregion show\n"
	  "  mregion show 3\n"
	  "  mregion show pid 1234 view name 'vga*'\n"
	  "  mregion -jp show 3 tree rules\n",
	  tool_show },
	{ "monitor", "[MACHINE]", "show what happens to machines", "bt",
	  "  MACHINE is a number, as 'mregion show' prints it. Says how many events\n"
	  "  were lost, if any were. Ends on SIGINT, SIGTERM or SIGHUP, or when\n"
	  "  MACHINE is closed.\n"
	  "\nExample:\n"
	  "  mregion monitor -t\n",
	  tool_monitor },
	{ "trace", "[MACHINE] [region NAME|ID] [outcome NAME]... [EVENTS]...",
	  "show accesses, and what becomes of them", "btN",
	  MACHINES
	  "  NAME is a pattern of the shell. Outcomes are those of 'mregion stat'.\n"
	  "  EVENTS: commits, attachments, servers\n"
	  "  Without outcomes and EVENTS: all; with a region: all outcomes.\n"
	  "  Says how many events were lost, if any were. Ends on SIGINT, SIGTERM or\n"
	  "  SIGHUP.\n"
	  "\nExamples:\n"
	  "  mregion trace 3 region 'serial*'\n"
	  "  mregion trace 3 outcome '*exit' commits\n"
	  "  mregion -j trace pid 1234 -n 1000\n",
	  tool_trace },
	{ "stat", "[MACHINE]", "show where accesses went so far", "ain",
	  MACHINES
	  "  With -i or -n: accesses a second, as top.\n"
	  "\nExamples:\n"
	  "  mregion stat 3\n"
	  "  mregion stat -i 5 -n 12\n",
	  tool_stat },
	{ "top", "[MACHINE]", "show accesses a second", "ain",
	  MACHINES
	  "\nExamples:\n"
	  "  mregion top\n"
	  "  mregion top 3 -i 0.5\n"
	  "  mregion top -n 1 | cat\n",
	  tool_top },
	{ "translate", "MACHINE SPACE ADDRESS",
	  "show what is at an address, and why", "",
	  "  MACHINE is a number, as 'mregion show' prints it, or 'pid PID'.\n"
	  "\nExample:\n"
	  "  mregion translate 3 1 0xfee00000\n",
	  tool_translate },
	{ "render", "FILE", "show the flat views of a topology, - for stdin", "O",
	  "\nExample:\n"
	  "  printf 'region 1 ram 0x1000 memory\\nspace s 1\\n' | mregion render -\n",
	  tool_render },
	{ "draw", "FILE|MACHINE", "draw a topology or a machine as SVG", "AosTO",
	  "  FILE is a topology, - for stdin; one whose name is a number is ./3.\n"
	  "  MACHINE is a number, as 'mregion show' prints it, or 'pid PID'. Of it,\n"
	  "  the NAME of a space is its number, and there is no --offline.\n"
	  "\nExamples:\n"
	  "  mregion draw machine.topo -s memory -o machine.svg\n"
	  "  mregion draw 3 -s 1 -o machine.svg\n"
	  "  mregion draw pid 1234 > machine.svg\n",
	  tool_draw },
	{ "import", "FILE",
	  "make a topology of QEMU's 'info mtree', - for stdin", "",
	  "\nExample:\n"
	  "  echo 'info mtree -D' | qemu-system-x86_64 -S -display none \\\n"
	  "      -monitor stdio | mregion import - > machine.topo\n",
	  tool_import },
	{ "info", "", "show version, features and limits of the kernel module", "",
	  "\nExample:\n"
	  "  mregion -j info\n",
	  tool_info },
	{ "version", "", "show versions of command, library and module", "",
	  "\nExample:\n"
	  "  mregion version\n",
	  tool_version },
	{ "help", "[COMMAND]", "show this, or what a command does", "",
	  "\nExample:\n"
	  "  mregion help show\n",
	  tool_help },
};

static void usage(FILE *file)
{
	size_t i;

	fputs("Usage: mregion [OPTION]... COMMAND [ARGUMENT]...\n\n", file);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(file, "  %-9s %s\n", commands[i].name,
			commands[i].help);
	fputc('\n', file);
	options_print(file, "");
}

static void command_usage(const struct tool_command *command)
{
	printf("Usage: mregion %s%s%s\n\n  %s\n", command->name,
	       command->args[0] ? " " : "", command->args, command->help);
	fputs(command->details, stdout);
	if (!command->options[0])
		return;
	fputs("\nOptions:\n", stdout);
	options_print(stdout, command->options);
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

static int help(const struct tool_command *command)
{
	if (command)
		command_usage(command);
	else
		usage(stdout);
	return 0;
}

static int tool_help(int argc, char **argv)
{
	const struct tool_command *command;

	if (argc < 2)
		return help(NULL);
	command = find_command(argv[1]);
	return command ? help(command) : 2;
}

int main(int argc, char **argv)
{
	const struct tool_command *command = NULL;
	int status;

	if (!options_take(&argc, argv, "", NULL))
		return 2;
	if (!tool_options.help && !tool_options.version) {
		if (argc == 1) {
			usage(stderr);
			return 2;
		}
		command = find_command(argv[1]);
		if (!command)
			return 2;
		argc--;
		argv++;
		if (!options_take(&argc, argv, command->options, argv[0]))
			return 2;
	}
	json_setup(tool_options.pretty);
	colour_setup(tool_options.colour);

	if (tool_options.version)
		status = tool_version(0, NULL);
	else if (tool_options.help)
		status = help(command);
	else
		status = command->run(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		tool_note("cannot write: %s", strerror(errno));
		return 1;
	}
	return status;
}
