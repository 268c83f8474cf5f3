// SPDX-License-Identifier: MIT
#include <errno.h>
#include <png.h>
#include <unistd.h>

#include "framebuffer.h"
#include "picture.h"

struct output {
	int fd;
	int error;
};

static void write_bytes(png_structp png, png_bytep bytes, size_t len)
{
	struct output *output = png_get_io_ptr(png);
	ssize_t done;

	for (; len; bytes += done, len -= done) {
		done = write(output->fd, bytes, len);
		if (done >= 0)
			continue;
		if (errno != EINTR) {
			output->error = -errno;
			png_error(png, "write");
		}
		done = 0;
	}
}

/* Nothing is kept back. */
static void flush(png_structp png)
{
	(void)png;
}

static void failed(png_structp png, png_const_charp text)
{
	(void)text;
	png_longjmp(png, 1);
}

static void warned(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* libpng leaves by longjmp() where it fails, and no variable of this changes before. */
static int write_picture(png_structp png, png_infop info, struct output *output,
			 const uint8_t *pixels)
{
	unsigned int y;

	if (setjmp(png_jmpbuf(png)))
		return output->error;
	png_set_write_fn(png, output, write_bytes, flush);
	png_set_IHDR(png, info, FRAMEBUFFER_WIDTH, FRAMEBUFFER_HEIGHT, 8,
		     PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	png_set_bgr(png);
	png_set_filler(png, 0, PNG_FILLER_AFTER);
	for (y = 0; y < FRAMEBUFFER_HEIGHT; y++)
		png_write_row(png, pixels + y * FRAMEBUFFER_STRIDE);
	png_write_end(png, NULL);
	return 0;
}

int picture_write(int fd, const uint8_t *pixels)
{
	struct output output = { .fd = fd, .error = -ENOMEM };
	png_structp png;
	png_infop info;
	int error;

	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, failed,
				      warned);
	if (!png)
		return -ENOMEM;
	info = png_create_info_struct(png);
	error = info ? write_picture(png, info, &output, pixels) : -ENOMEM;
	png_destroy_write_struct(&png, &info);
	return error;
}
