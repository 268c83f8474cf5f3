// SPDX-License-Identifier: MIT
/* mregion info: version, features and limits of the kernel module. */
#include <inttypes.h>
#include <stdio.h>

#include <linux/mregion.h>

#include "../array.h"
#include "device.h"
#include "json.h"
#include "mregion.h"
#include "names.h"
#include "tool.h"

static void print_features(uint64_t features)
{
	char names[MREGION_FEATURES_SIZE], buffer[MREGION_FEATURE_SIZE];
	unsigned int i;

	if (!tool_json) {
		mregion_feature_names(features, names);
		printf("%-17s %s\n", "features", *names ? names : "none");
		return;
	}
	json_begin_array("features");
	for (i = 0; i < 64; i++)
		if (features >> i & 1)
			json_string(NULL, mregion_feature_name(i, buffer));
	json_end_array();
}

int tool_info(int argc, char **argv)
{
	struct mregion_info info;
	size_t i;

	if (argc > 1) {
		tool_error("info: unexpected argument '%s'", argv[1]);
		return 2;
	}
	if (device_info(&info)) {
		tool_error("%s", mregion_error());
		return 1;
	}

	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{ "abi_version", info.abi_version },
		{ "max_regions", info.max_regions },
		{ "max_spaces", info.max_spaces },
		{ "max_depth", info.max_depth },
		{ "max_ranges", info.max_ranges },
		{ "max_ops", info.max_ops },
		{ "max_rings", info.max_rings },
		{ "max_ring_entries", info.max_ring_entries },
		{ "max_rules", info.max_rules },
		{ "max_machine_rules", info.max_machine_rules },
		{ "max_windows", info.max_windows },
		{ "max_fast", info.max_fast },
		{ "max_indices", info.max_indices },
		{ "max_servers", info.max_servers },
		{ "max_slots", info.max_slots },
		{ "max_shadows", info.max_shadows },
		{ "max_shadow_len", info.max_shadow_len },
		{ "max_work", info.max_work },
		{ "max_memory", info.max_memory },
	};

	if (tool_json)
		json_begin_object(NULL);
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (tool_json)
			json_number(members[i].name, members[i].value);
		else
			printf("%-17s %" PRIu64 "\n", members[i].name,
			       members[i].value);
	}
	print_features(info.features);
	if (tool_json) {
		json_end_object();
		json_end();
	}
	return 0;
}
