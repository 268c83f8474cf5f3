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
#include <stddef.h>

/** tool_json - -j was given: print JSON */
extern bool tool_json;

/**
 * struct tool_command - a subcommand
 * @name: what it is called by; any unambiguous beginning will do
 * @args: its arguments, for help
 * @help: what it does, for help
 * @options: letters of the options that it has besides those of all commands
 * @details: lines for its own help, such as an example; or NULL
 * @run: does it; gets its own name as argv[0]; returns the exit status
 */
struct tool_command {
	const char *name;
	const char *args;
	const char *help;
	const char *options;
	const char *details;
	int (*run)(int argc, char **argv);
};

int tool_draw(int argc, char **argv);
int tool_import(int argc, char **argv);
int tool_info(int argc, char **argv);
int tool_monitor(int argc, char **argv);
int tool_render(int argc, char **argv);
int tool_show(int argc, char **argv);
int tool_stat(int argc, char **argv);
int tool_top(int argc, char **argv);
int tool_trace(int argc, char **argv);
int tool_translate(int argc, char **argv);
int tool_version(int argc, char **argv);

/**
 * tool_error() - say what is wrong
 *
 * One line to stderr, after the name of the program. With -j an object to
 * stdout instead, in place of what has been written of an answer so far; and of
 * several errors the first one alone.
 */
__attribute__((format(printf, 1, 2)))
void tool_error(const char *fmt, ...);

/** tool_note() - one line to stderr, also with -j; what was asked for is done */
__attribute__((format(printf, 1, 2)))
void tool_note(const char *fmt, ...);

/** tool_alloc() - memory, zeroed; without it the program ends */
void *tool_alloc(size_t nr, size_t size);

/** tool_grow() - as realloc(); without memory the program ends */
void *tool_grow(void *memory, size_t nr, size_t size);

#endif
