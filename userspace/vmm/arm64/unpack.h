/* SPDX-License-Identifier: MIT */
/* What compressed kernels have inside */
#ifndef VMM_UNPACK_H
#define VMM_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/**
 * unpack_kernel() - unpack a kernel that is compressed
 * @path: its name, for people
 * @data: the file; set to what is in there, for munmap(), or left as it is if it is not
 *	compressed; the file is unmapped then
 * @size: its size in bytes; likewise
 *
 * Reports what is wrong. Return: 0 or a negative errno.
 */
int unpack_kernel(const char *path, const uint8_t **data, size_t *size);

#endif /* VMM_UNPACK_H */
