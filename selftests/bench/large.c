// SPDX-License-Identifier: GPL-2.0
/*
 * What a machine with very many regions takes: time for each thing that is done
 * with it, and memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../mregion_util.h"

#include "bench.h"
#include "output.h"

#define REGIONS		100000u
#define LEN		0x1000ull
#define ID_ROOT		1
#define ID_FIRST	2
#define ID_SPACE	1
#define BATCH		20000u		/* regions a commit creates */

static const char *const columns[] = { "what", "ms", "MiB", NULL };

static void must(int err, const char *what)
{
	if (err < 0)
		die("%s: %s", what, strerror(-err));
}

/* Memory that is left, in bytes. */
static double available(void)
{
	unsigned long kib;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	if (!file)
		die("/proc/meminfo: %s", strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu", &kib) == 1) {
			fclose(file);
			return kib * 1024.;
		}
	die("/proc/meminfo: no MemAvailable");
}

static void report(const char *what, uint64_t begin, double memory)
{
	double ms = (bench_now() - begin) / 1e6;

	output_text(what);
	output_number(ms, 1);
	if (memory)
		output_number(memory / (1 << 20), 1);
	else
		output_none();
}

static void create(int fd, struct mregion_op *ops, uint32_t first)
{
	uint32_t i, nr = 0;

	for (i = first; i < first + BATCH; i++) {
		ops[nr++] = mr_mmio(ID_FIRST + i, LEN);
		ops[nr++] = mr_map(ID_FIRST + i, ID_ROOT, 2 * LEN * i, 0);
	}
	must(mr_commit(fd, ops, nr), "MREGION_COMMIT");
}

static void dump(int fd)
{
	struct mregion_range *ranges = calloc(REGIONS, sizeof(*ranges));
	struct mregion_region_info *regions = calloc(REGIONS + 1,
						     sizeof(*regions));
	uint64_t begin;
	int nr;

	if (!ranges || !regions)
		die("out of memory");
	/* the pages are not what is to be measured */
	memset(ranges, 0xff, REGIONS * sizeof(*ranges));
	memset(regions, 0xff, (REGIONS + 1) * sizeof(*regions));
	begin = bench_now();
	nr = mr_view(fd, ID_SPACE, ranges, REGIONS, NULL);
	report("read the view", begin, 0);
	if (nr != REGIONS || ranges[REGIONS - 1].region != ID_FIRST + REGIONS - 1)
		die("the view has %d ranges", nr);
	begin = bench_now();
	nr = mr_regions(fd, 0, regions, REGIONS + 1);
	report("list the regions", begin, 0);
	if (nr != REGIONS + 1)
		die("there are %d regions", nr);
	free(regions);
	free(ranges);
}

void bench_large(void)
{
	struct mregion_op *ops = calloc(2 * BATCH, sizeof(*ops));
	double before;
	uint64_t begin;
	uint32_t i;
	int fd;

	output_part("large", "A machine with 100000 regions", columns);
	if (!ops)
		die("out of memory");
	memset(ops, 0xff, 2 * BATCH * sizeof(*ops));
	fd = mr_open();
	must(fd, MR_DEVICE);
	before = available();
	begin = bench_now();
	must(COMMIT(fd, mr_container(ID_ROOT, 0)), "MREGION_COMMIT");
	for (i = 0; i < REGIONS; i += BATCH)
		create(fd, ops, i);
	report("create and map them, 20000 a commit", begin,
	       before - available());
	before = available();
	begin = bench_now();
	must(COMMIT(fd, mr_space(ID_SPACE, ID_ROOT)), "MREGION_COMMIT");
	report("create a space that shows them", begin, before - available());
	dump(fd);
	begin = bench_now();
	close(fd);
	report("close the machine", begin, 0);
	free(ops);
}
