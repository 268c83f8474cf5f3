// SPDX-License-Identifier: MIT
/* mregion version: versions of the command, the library and the module. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/mregion.h>

#include "device.h"
#include "json.h"
#include "mregion.h"
#include "names.h"
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

/* What the module says of itself, if this user may ask it; any base interface will do. */
static bool module_info(struct mregion_info *info)
{
	int ret = device_info(info);

	return !ret || ret == -EPROTO;
}

static void print_module(const char *module, const struct mregion_info *info)
{
	char names[MREGION_FEATURES_SIZE];

	printf("module %s", module ? module : "not loaded");
	if (info) {
		mregion_feature_names(info->features, names);
		printf(", base interface %u, features: %s", info->abi_version,
		       *names ? names : "none");
	}
	printf("\n");
}

int tool_version(int argc, char **argv)
{
	char buffer[VERSION_SIZE];
	const char *module = module_version(buffer);
	struct mregion_info info;
	bool asked;

	if (argc > 1) {
		tool_error("version: unexpected argument '%s'", argv[1]);
		return 2;
	}
	asked = module && module_info(&info);
	if (!tool_json) {
		printf("mregion %s, base interface %u\n", MREGION_VERSION,
		       MREGION_ABI_VERSION);
		printf("libmregion %s\n", mregion_version());
		print_module(module, asked ? &info : NULL);
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
	if (asked)
		json_number("module_abi_version", info.abi_version);
	else
		json_null("module_abi_version");
	json_end_object();
	json_end();
	return 0;
}
