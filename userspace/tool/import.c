// SPDX-License-Identifier: MIT
/* mregion import: a topology of what QEMU's monitor prints. */
#include <stdio.h>

#include "import_write.h"
#include "mtree.h"
#include "tool.h"

int tool_import(int argc, char **argv)
{
	struct mtree mtree;
	bool ok;

	if (argc != 2) {
		tool_error("import: %s; see 'mregion help import'",
			   argc < 2 ? "which file?" : "one file at a time");
		return 2;
	}
	ok = mtree_read(argv[1], &mtree) &&
	     import_write(argv[1], &mtree, stdout);
	mtree_free(&mtree);
	return !ok;
}
