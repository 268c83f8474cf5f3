// SPDX-License-Identifier: MIT
/* mregion import: a topology of what QEMU's monitor prints. */
#include <stdio.h>

#include "import_write.h"
#include "mtree.h"
#include "options.h"
#include "tool.h"

int tool_import(int argc, char **argv)
{
	static const struct option longs[] = { TOOL_LONG_OPTIONS, { 0 } };
	struct mtree mtree;
	bool ok;
	int c;

	while ((c = tool_getopt(argc, argv, TOOL_SHORT_OPTIONS, longs)) >= 0)
		return c == 'h' ? TOOL_HELP : 2;
	if (argc - optind != 1) {
		tool_error("import: %s; see 'mregion help import'",
			   optind < argc ? "one file at a time" :
					   "which file?");
		return 2;
	}
	ok = mtree_read(argv[optind], &mtree) &&
	     import_write(argv[optind], &mtree, stdout);
	mtree_free(&mtree);
	return !ok;
}
