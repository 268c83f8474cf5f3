// SPDX-License-Identifier: GPL-2.0
/*
 * For vm_screen.sh: compares a picture with the memory of a framebuffer
 *
 * Usage: png_pixels PICTURE MEMORY
 *
 * PICTURE is a PNG; MEMORY has four bytes for each pixel: blue, green, red, and one
 * that does not count. Prints the picture's width and height, how many pixels are not
 * black, and how many are not the same. The exit status is 0 if PICTURE is a PNG and
 * MEMORY is long enough.
 */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *path, const char *text)
{
	fprintf(stderr, "png_pixels: %s: %s\n", path, text);
	return EXIT_FAILURE;
}

/* Of @size bytes at least; NULL if the file is shorter. */
static unsigned char *read_memory(const char *path, size_t size)
{
	unsigned char *memory = malloc(size);
	FILE *file = fopen(path, "r");

	if (!memory || !file || fread(memory, 1, size, file) != size)
		return NULL;
	fclose(file);
	return memory;
}

int main(int argc, char **argv)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	unsigned long i, nr, bright = 0, different = 0;
	unsigned char *pixels, *memory;

	if (argc != 3)
		return fail("usage", "png_pixels PICTURE MEMORY");
	if (!png_image_begin_read_from_file(&image, argv[1]))
		return fail(argv[1], image.message);
	image.format = PNG_FORMAT_BGRA;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	if (!pixels || !png_image_finish_read(&image, NULL, pixels, 0, NULL))
		return fail(argv[1], image.message);
	memory = read_memory(argv[2], PNG_IMAGE_SIZE(image));
	if (!memory)
		return fail(argv[2], "too short");

	nr = (unsigned long)image.width * image.height;
	for (i = 0; i < nr; i++) {
		bright += !!memcmp(pixels + 4 * i, "\0\0\0", 3);
		different += !!memcmp(pixels + 4 * i, memory + 4 * i, 3);
	}
	printf("%u %u %lu %lu\n", image.width, image.height, bright, different);
	return EXIT_SUCCESS;
}
