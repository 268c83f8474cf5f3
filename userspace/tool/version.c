// SPDX-License-Identifier: MIT
/* mregion version: versions of the command, the library and the module. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/mregion.h>

#include "json.h"
#include "mregion.h"
#include "tool.h"

/* A module that is loaded has a directory, and a version in it if it has one. */
#define MODULE	"/sys/module/mregion"

#define VERSION_SIZE	64

/* Of the module that is loaded; NULL if none is. */
static const char *module_version(char version[VERSION_SIZE])
{
	FILE *file = fopen(MODULE "/version", "re");
	bool ok;

	if (file) {
		ok = fgets(version, VERSION_SIZE, file);
		fclose(file);
		if (ok) {
			version[strcspn(version, "\n")] = '\0';
			return version;
		}
	}
	return access(MODULE, F_OK) ? NULL : "unknown";
}

int tool_version(int argc, char **argv)
{
	char buffer[VERSION_SIZE];
	const char *module = module_version(buffer);

	if (argc > 1) {
		tool_error("version: unexpected argument '%s'", argv[1]);
		return 2;
	}
	if (!tool_json) {
		printf("mregion %s, speaks version %u to the module\n",
		       MREGION_VERSION, MREGION_ABI_VERSION);
		printf("libmregion %s\n", mregion_version());
		printf("module %s\n", module ? module : "not loaded");
		return 0;
	}
	json_begin_object(NULL);
	json_string("version", MREGION_VERSION);
	json_number("abi_version", MREGION_ABI_VERSION);
	json_string("library", mregion_version());
	if (module)
		json_string("module", module);
	else
		json_null("module");
	json_end_object();
	json_end();
	return 0;
}
