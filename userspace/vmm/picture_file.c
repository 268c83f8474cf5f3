// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "picture_file.h"
#include "report.h"

int picture_file_cannot(const struct picture_file *file, int error)
{
	report("cannot write to '%s': %s", file->path, strerror(-error));
	return error;
}

int picture_file_init(struct picture_file *file, const char *path)
{
	struct stat before;
	int error;

	*file = (struct picture_file){ .path = path, .fd = -1 };
	if (!stat(path, &before) && !S_ISREG(before.st_mode)) {
		report("cannot write to '%s': not a regular file", path);
		return -EINVAL;
	}
	if (asprintf(&file->new_path, "%s.%d", path, getpid()) < 0) {
		file->new_path = NULL;
		return picture_file_cannot(file, -ENOMEM);
	}
	error = picture_file_begin(file);
	if (error)
		return picture_file_cannot(file, error);
	picture_file_end(file, -ECANCELED);
	return 0;
}

void picture_file_exit(struct picture_file *file)
{
	if (file->fd >= 0)
		picture_file_end(file, -ECANCELED);
	free(file->new_path);
	file->new_path = NULL;
}

int picture_file_begin(struct picture_file *file)
{
	unlink(file->new_path);
	file->fd = open(file->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0666);
	return file->fd < 0 ? -errno : 0;
}

int picture_file_end(struct picture_file *file, int error)
{
	close(file->fd);
	file->fd = -1;
	if (!error && rename(file->new_path, file->path) < 0)
		error = -errno;
	if (error)
		unlink(file->new_path);
	return error;
}
