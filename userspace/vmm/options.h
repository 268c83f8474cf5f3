/* SPDX-License-Identifier: MIT */
/* The command line of mregion-vmm */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio_devices.h"

struct options {
	const char *kernel;
	const char *initrd;		/* or NULL */
	const char *cmdline;
	uint64_t memory;		/* in bytes */
	unsigned int nr_vcpus;
	bool coalesce;
	uint32_t ring_entries;
	struct virtio_options virtio;
	bool stats;
	const char *stats_file;		/* NULL: stderr */
	bool map;
	const char *map_file;		/* NULL: stderr */
	const char *copy_live;		/* or NULL */
	const char *screen;		/* or NULL */
};

enum options_result {
	OPTIONS_RUN,			/* go on */
	OPTIONS_HELP,			/* help or version: it is printed */
	OPTIONS_BAD,			/* wrong, and said so */
};

enum options_result options_parse(struct options *options, int argc,
				  char **argv);

#endif /* VMM_OPTIONS_H */
