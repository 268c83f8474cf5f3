/* SPDX-License-Identifier: MIT */
/*
 * The framebuffer's only mode
 *
 * A pixel is four bytes: blue, green, red, and one without a meaning. The memory is whole
 * pages.
 */
#ifndef VMM_FRAMEBUFFER_H
#define VMM_FRAMEBUFFER_H

#define FRAMEBUFFER_WIDTH	640u
#define FRAMEBUFFER_HEIGHT	480u
#define FRAMEBUFFER_STRIDE	(FRAMEBUFFER_WIDTH * 4)
#define FRAMEBUFFER_SIZE	(FRAMEBUFFER_STRIDE * FRAMEBUFFER_HEIGHT)
#define FRAMEBUFFER_PAGE	4096u
#define FRAMEBUFFER_PAGES	(FRAMEBUFFER_SIZE / FRAMEBUFFER_PAGE)

#endif /* VMM_FRAMEBUFFER_H */
