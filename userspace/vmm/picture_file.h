/* SPDX-License-Identifier: MIT */
/* The file of a picture: whoever reads it finds a whole one, or the one before */
#ifndef VMM_PICTURE_FILE_H
#define VMM_PICTURE_FILE_H

/**
 * struct picture_file - the file
 * @path: its name
 * @new_path: its name until it is whole
 * @fd: it, while it is being written; else -1
 */
struct picture_file {
	const char *path;
	char *new_path;
	int fd;
};

/** picture_file_init() - see whether it can be written; reports what is wrong */
int picture_file_init(struct picture_file *file, const char *path);
void picture_file_exit(struct picture_file *file);

/** picture_file_begin() - create the next; a negative errno */
int picture_file_begin(struct picture_file *file);

/**
 * picture_file_end() - let it take the place of the one before
 * @file: the file
 * @error: 0, or why it could not be written: then it is removed
 *
 * Return: 0; @error, or another negative errno: the one before is still there.
 */
int picture_file_end(struct picture_file *file, int error);

/** picture_file_cannot() - report that it cannot be written. Return: @error */
int picture_file_cannot(const struct picture_file *file, int error);

#endif /* VMM_PICTURE_FILE_H */
