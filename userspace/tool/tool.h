/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of mregion share.
 *
 * The files of this folder are under MIT but for offline.c and shim/, which are under
 * GPL-2.0 as are the files of the module that they are linked with; so the program
 * as a whole is under GPL-2.0.
 */
#ifndef MREGION_TOOL_H
#define MREGION_TOOL_H

#include <stdbool.h>

/** tool_json - -j was given: print JSON */
extern bool tool_json;

/**
 * struct tool_command - a subcommand
 * @name: what it is called by; any unambiguous beginning will do
 * @args: its arguments, for help
 * @help: what it does, for help
 * @run: does it; gets its own name as argv[0]; returns the exit status, or
 *	%TOOL_HELP
 * @own_options: @run takes its options apart, see options.h
 * @more: more help: its options, and an example
 */
struct tool_command {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(int argc, char **argv);
	bool own_options;
	const char *more;
};

/* In place of an exit status: help with the subcommand was asked for. */
#define TOOL_HELP	(-1)

int tool_draw(int argc, char **argv);
int tool_import(int argc, char **argv);
int tool_info(int argc, char **argv);
int tool_render(int argc, char **argv);
int tool_version(int argc, char **argv);

/**
 * tool_options() - take the options that all subcommands have
 * @argc: number of arguments; updated
 * @argv: arguments; options are taken out
 * @help: set to whether help is asked for
 *
 * Return: false after a complaint about one that is unknown.
 */
bool tool_options(int *argc, char **argv, bool *help);

/** tool_error() - one line to stderr, after the name of the program */
__attribute__((format(printf, 1, 2)))
void tool_error(const char *fmt, ...);

#endif
