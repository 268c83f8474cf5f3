/* SPDX-License-Identifier: MIT */
/* A picture of the framebuffer, as PNG */
#ifndef VMM_PICTURE_H
#define VMM_PICTURE_H

#include <stdint.h>

/**
 * picture_write() - write pixels as PNG
 * @fd: where to
 * @pixels: FRAMEBUFFER_SIZE bytes, which do not change meanwhile
 *
 * Equal pixels give equal files. Return: 0 or a negative errno.
 */
int picture_write(int fd, const uint8_t *pixels);

#endif /* VMM_PICTURE_H */
