// SPDX-License-Identifier: MIT
/* The options of mregion. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "../array.h"
#include "options.h"
#include "tool.h"

struct tool_options tool_options;

#define COMMON	"jphV"

/* Options without a letter have one that nobody can type. */
#define COLOR	'\001'
#define OFFLINE	'\002'

/* @key is what commands name an option by: two of them may have the same letter. */
static const struct {
	int key;
	int letter;
	const char *name;
	int argument;
	const char *label;
	const char *help;
} options[] = {
	{ 'a', 'a', "all", no_argument, NULL,
	  "also what has had no accesses" },
	{ 'A', 'a', "all", no_argument, NULL,
	  "also regions that are disabled" },
	{ 'b', 'b', "buffer", required_argument, "BYTES",
	  "room for events that come too fast" },
	{ 'i', 'i', "interval", required_argument, "SECONDS",
	  "time between tables" },
	{ 'n', 'n', "count", required_argument, "COUNT",
	  "end after so many tables" },
	{ 'N', 'n', "count", required_argument, "COUNT",
	  "end after so many events" },
	{ 'o', 'o', "output", required_argument, "FILE",
	  "write there instead of to stdout" },
	{ 's', 's', "space", required_argument, "NAME",
	  "only spaces of that name; may be repeated" },
	{ 't', 't', "timestamp", no_argument, NULL,
	  "print dates, too" },
	{ 'T', 't', "title", required_argument, "TEXT",
	  "title of the drawing" },
	{ 'O', OFFLINE, "offline", no_argument, NULL,
	  "without the module, as where there is none" },
	{ 'j', 'j', "json", no_argument, NULL,
	  "print JSON" },
	{ 'p', 'p', "pretty", no_argument, NULL,
	  "print JSON in lines, with indentation" },
	{ COLOR, COLOR, "color", optional_argument, "WHEN",
	  "auto (on terminals), always or never" },
	{ 'h', 'h', "help", no_argument, NULL,
	  "show this, or what a command does" },
	{ 'V', 'V', "version", no_argument, NULL,
	  "show the version of this program" },
};

static bool has(size_t i, const char *letters)
{
	int key = options[i].key;

	return key == COLOR || strchr(COMMON, key) || strchr(letters, key);
}

/* Whether it can be typed as a letter. */
static bool has_letter(size_t i)
{
	return options[i].letter != COLOR && options[i].letter != OFFLINE;
}

void options_print(FILE *file, const char *letters)
{
	char name[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const char *label = options[i].label;

		if (!has(i, letters) || (options[i].letter == 'V' && *letters))
			continue;
		if (!has_letter(i))
			snprintf(name, sizeof(name), "    --%s%s%s",
				 options[i].name, label ? "=" : "",
				 label ? label : "");
		else
			snprintf(name, sizeof(name), "-%c, --%s%s%s",
				 options[i].letter, options[i].name,
				 label ? " " : "", label ? label : "");
		fprintf(file, "  %-22s %s\n", name, options[i].help);
	}
}

static bool take_colour(const char *when)
{
	if (!when || !strcmp(when, "always"))
		tool_options.colour = COLOUR_ALWAYS;
	else if (!strcmp(when, "auto"))
		tool_options.colour = COLOUR_AUTO;
	else if (!strcmp(when, "never"))
		tool_options.colour = COLOUR_NEVER;
	else
		return false;
	return true;
}

static bool take_interval(const char *text)
{
	char *end;

	tool_options.interval = strtod(text, &end);
	return end != text && !*end && isfinite(tool_options.interval) &&
	       tool_options.interval >= 0.01 && tool_options.interval <= 86400;
}

static bool take_space(char *name)
{
	tool_options.spaces = tool_grow(tool_options.spaces,
					tool_options.nr_spaces + 1,
					sizeof(*tool_options.spaces));
	tool_options.spaces[tool_options.nr_spaces++] = name;
	return true;
}

static bool take(int key, char *argument)
{
	switch (key) {
	case 'a':
	case 'A':
		tool_options.all = true;
		return true;
	case 'b':
		return args_u64(argument, &tool_options.buffer) &&
		       tool_options.buffer &&
		       tool_options.buffer <= INT32_MAX / 2;
	case 'i':
		return take_interval(argument);
	case 'n':
	case 'N':
		return args_u64(argument, &tool_options.count) &&
		       tool_options.count;
	case 'o':
		tool_options.output = argument;
		return true;
	case 'O':
		tool_options.offline = true;
		return true;
	case 's':
		return take_space(argument);
	case 't':
		tool_options.timestamp = true;
		return true;
	case 'T':
		tool_options.title = argument;
		return true;
	case 'j':
		tool_json = true;
		return true;
	case 'p':
		tool_options.pretty = true;
		return true;
	case 'h':
		tool_options.help = true;
		return true;
	case 'V':
		tool_options.version = true;
		return true;
	default:
		return take_colour(argument);
	}
}

/* Which of the options that a command has was given. */
static int key_of(int letter, const char *letters)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (has(i, letters) && options[i].letter == letter)
			return options[i].key;
	return letter;
}

static bool fail(const char *command, const char *what, const char *option,
		 const char *more)
{
	if (command)
		tool_error("%s: %s '%s'%s", command, what, option, more);
	else
		tool_error("%s '%s'%s; see 'mregion help'", what, option,
			   more);
	return false;
}

static const char *kind_of_argument(int key)
{
	switch (key) {
	case 'b':
		return "no such number of bytes:";
	case 'i':
		return "no such number of seconds:";
	case 'n':
		return "no such number of tables:";
	case 'N':
		return "no such number of events:";
	default:
		return "neither auto, always nor never:";
	}
}

/* What getopt_long() did not like, as it was typed. */
static const char *typed(char **argv, char short_option[3])
{
	/* A long one is either not known (0), or known by its letter. */
	if (!optopt || !strncmp(argv[optind - 1], "--", 2))
		return argv[optind - 1];
	short_option[0] = '-';
	short_option[1] = optopt;
	short_option[2] = '\0';
	return short_option;
}

bool options_take(int *argc, char **argv, const char *letters,
		  const char *command)
{
	struct option longs[ARRAY_SIZE(options) + 1] = {};
	char shorts[2 * ARRAY_SIZE(options) + 3], *p = shorts;
	char short_option[3];
	size_t i, nr = 0;
	int letter, key, to = 1;

	/* Up to the command, or all over the line. */
	if (!command)
		*p++ = '+';
	*p++ = ':';
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!has(i, letters))
			continue;
		longs[nr++] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].argument,
			.val = options[i].letter,
		};
		if (!has_letter(i))
			continue;
		*p++ = options[i].letter;
		if (options[i].argument == required_argument)
			*p++ = ':';
	}
	*p = '\0';

	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(*argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == '?')
			return fail(command, "unknown option",
				    typed(argv, short_option), "");
		if (letter == ':')
			return fail(command, "option",
				    typed(argv, short_option),
				    " needs an argument");
		key = key_of(letter, letters);
		if (!take(key, optarg))
			return fail(command, kind_of_argument(key), optarg,
				    "");
	}
	while (optind < *argc)
		argv[to++] = argv[optind++];
	*argc = to;
	argv[to] = NULL;
	return true;
}
