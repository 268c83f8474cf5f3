// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host_memory.h"
#include "report.h"
#include "units.h"

/* Memory and swap, in bytes. */
struct host_memory {
	uint64_t total;
	uint64_t available;
};

static void host_memory_read(struct host_memory *memory)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128], name[64];
	uint64_t kib;

	*memory = (struct host_memory){};
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %" SCNu64, name, &kib) != 2)
			continue;
		if (!strcmp(name, "MemTotal") || !strcmp(name, "SwapTotal"))
			memory->total += KIB(kib);
		if (!strcmp(name, "MemAvailable") || !strcmp(name, "SwapFree"))
			memory->available += KIB(kib);
	}
	fclose(file);
}

int host_memory_check(uint64_t bytes)
{
	struct host_memory memory;

	host_memory_read(&memory);
	/* Where nobody knows, the guest may try. */
	if (!memory.total)
		return 0;
	if (bytes > memory.total) {
		report("--memory: %" PRIu64 " MiB are more than this host has, %" PRIu64 " MiB with its swap",
		       bytes >> 20, memory.total >> 20);
		return -ENOMEM;
	}
	if (bytes > memory.available)
		report("warning: --memory: %" PRIu64 " MiB are more than this host has to spare, %" PRIu64 " MiB with its swap",
		       bytes >> 20, memory.available >> 20);
	return 0;
}
