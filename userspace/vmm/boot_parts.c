// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_parts.h"
#include "report.h"
#include "units.h"

uint64_t boot_in_mib(uint64_t bytes)
{
	return (bytes + MIB(1) - 1) >> 20;
}

/* Open @path, a @what; its size is not 0 then. */
static int open_file(const char *what, const char *path, uint64_t *size)
{
	struct stat stat;
	int fd, error;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) < 0) {
		error = -errno;
		report("cannot open the %s '%s': %s", what, path,
		       strerror(-error));
	} else if (!S_ISREG(stat.st_mode)) {
		error = -EINVAL;
		report("the %s '%s' is not a regular file", what, path);
	} else if (stat.st_size == 0) {
		error = -EINVAL;
		report("the %s '%s' is empty", what, path);
	} else {
		*size = stat.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return error;
}

int boot_map_file(const char *what, const char *path, const uint8_t **data,
		  size_t *size)
{
	uint64_t bytes;
	void *ptr;
	int fd, error;

	fd = open_file(what, path, &bytes);
	if (fd < 0)
		return fd;
	ptr = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	error = -errno;
	close(fd);
	if (ptr == MAP_FAILED) {
		report("cannot read the %s '%s': %s", what, path,
		       strerror(-error));
		return error;
	}
	*data = ptr;
	*size = bytes;
	return 0;
}

static int read_all(int fd, uint8_t *buf, uint64_t size)
{
	while (size) {
		ssize_t done = read(fd, buf, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -ENODATA;
		buf += done;
		size -= done;
	}
	return 0;
}

int boot_load_initrd(struct boot_initrd *initrd, uint8_t *ram)
{
	uint64_t lowest = initrd->lowest, top = initrd->top;
	uint64_t size;
	int fd, error;

	fd = open_file("initrd", initrd->path, &size);
	if (fd < 0)
		return fd;
	if (lowest > top || size > top - lowest) {
		report("the initrd '%s' is too large: it has %llu MiB, and the kernel leaves %llu MiB free (give the guest more with --memory)",
		       initrd->path, (unsigned long long)boot_in_mib(size),
		       (unsigned long long)(lowest > top ? 0 :
					    (top - lowest) >> 20));
		close(fd);
		return -E2BIG;
	}

	/* top and lowest are multiples of the page size. */
	initrd->at = (top - size) & ~(PAGE_SIZE - 1);
	initrd->size = size;
	error = read_all(fd, ram + initrd->at, size);
	close(fd);
	if (error)
		report("cannot read the initrd '%s': %s", initrd->path,
		       error == -ENODATA ? "it became shorter" :
		       strerror(-error));
	return error;
}
