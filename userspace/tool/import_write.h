/* SPDX-License-Identifier: MIT */
/* A topology of a tree as QEMU prints it. */
#ifndef MREGION_TOOL_IMPORT_WRITE_H
#define MREGION_TOOL_IMPORT_WRITE_H

#include <stdbool.h>
#include <stdio.h>

struct mtree;

/**
 * import_write() - write a topology
 * @path: file that the tree is from, for complaints
 * @mtree: the tree
 * @out: where to
 *
 * Return: false after a complaint.
 */
bool import_write(const char *path, const struct mtree *mtree, FILE *out);

#endif
