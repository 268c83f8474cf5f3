// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include "report.h"
#include "units.h"
#include "unpack.h"

/* No kernel is larger; address space alone, of which a kernel takes what it needs. */
#define MAX_SIZE		MIB(512)

/* zlib's windows have up to 2^15 bytes; and 16: gzip's header is there. */
#define WINDOW_BITS		(15 + 16)

static const uint8_t gzip_magic[] = { 0x1f, 0x8b };

/* The header of a "zboot" program: all numbers are little-endian, as arm64 is here. */
struct zboot_header {
	uint8_t mz[4];
	char magic[4];			/* "zimg" */
	uint32_t payload_offset;
	uint32_t payload_size;
	uint32_t reserved[2];
	char compression[32];		/* a string */
};

static bool has_magic(const uint8_t *data, size_t size, const void *magic,
		      size_t len)
{
	return size >= len && !memcmp(data, magic, len);
}

/* Return: the size of what was unpacked to @to, or 0. */
static size_t gunzip(uint8_t *to, size_t max, const uint8_t *from, size_t size)
{
	z_stream stream = {
		.next_in = (uint8_t *)from,
		.avail_in = size,
		.next_out = to,
		.avail_out = max,
	};
	int ret;

	if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
		return 0;
	ret = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return ret == Z_STREAM_END ? stream.total_out : 0;
}

/* Find what is compressed by gzip in @data. *@len is 0 if nothing is. */
static int find_payload(const char *path, const uint8_t *data, size_t size,
			const uint8_t **payload, size_t *len)
{
	struct zboot_header header;

	*payload = data;
	*len = has_magic(data, size, gzip_magic, sizeof(gzip_magic)) ? size : 0;
	if (size < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.mz, "MZ", 2) || memcmp(header.magic, "zimg", 4))
		return 0;

	header.compression[sizeof(header.compression) - 1] = '\0';
	if (strcmp(header.compression, "gzip")) {
		report("'%s' is compressed by %s; unpack it, or take one that is compressed by gzip",
		       path, header.compression);
		return -ENOEXEC;
	}
	if (header.payload_offset > size ||
	    header.payload_size > size - header.payload_offset) {
		report("'%s' is cut short: its header speaks of %llu bytes, it has %zu",
		       path, (unsigned long long)header.payload_offset +
		       header.payload_size, size);
		return -ENOEXEC;
	}
	*payload = data + header.payload_offset;
	*len = header.payload_size;
	return 0;
}

int unpack_kernel(const char *path, const uint8_t **data, size_t *size)
{
	const uint8_t *payload;
	size_t len, unpacked;
	void *to, *shrunk;
	int error;

	error = find_payload(path, *data, *size, &payload, &len);
	if (error || !len)
		return error;
	to = mmap(NULL, MAX_SIZE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (to == MAP_FAILED) {
		report("cannot unpack the kernel '%s': %s", path,
		       strerror(errno));
		return -errno;
	}
	unpacked = gunzip(to, MAX_SIZE, payload, len);
	if (!unpacked) {
		report("cannot unpack the kernel '%s': it is damaged, or too large",
		       path);
		munmap(to, MAX_SIZE);
		return -ENOEXEC;
	}
	munmap((void *)*data, *size);
	/* What is not needed. If that fails it takes no more than addresses. */
	shrunk = mremap(to, MAX_SIZE, unpacked, 0);
	*data = shrunk == MAP_FAILED ? to : shrunk;
	*size = unpacked;
	return 0;
}
