// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include "report.h"
#include "units.h"
#include "unpack.h"

/* No kernel is larger. */
#define MAX_SIZE		MIB(512)

/* Memory for one that is unpacked: as most need it, in units of this; doubled for more */
#define USUAL_RATIO		4
#define UNIT			MIB(1)

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

/* struct memory - what was mapped for a kernel that is unpacked */
struct memory {
	uint8_t *ptr;
	size_t size;
};

static int map(struct memory *memory, size_t size)
{
	void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ptr == MAP_FAILED)
		return -errno;
	*memory = (struct memory){ .ptr = ptr, .size = size };
	return 0;
}

static int resize(struct memory *memory, size_t size)
{
	void *ptr = mremap(memory->ptr, memory->size, size, MREMAP_MAYMOVE);

	if (ptr == MAP_FAILED)
		return -errno;
	*memory = (struct memory){ .ptr = ptr, .size = size };
	return 0;
}

/* Twice as much, for a stream that has filled it */
static int grow(struct memory *memory, z_stream *stream)
{
	size_t filled = memory->size;
	int error;

	if (filled >= MAX_SIZE)
		return -EFBIG;
	error = resize(memory, filled > MAX_SIZE / 2 ? MAX_SIZE : 2 * filled);
	stream->next_out = memory->ptr + filled;
	stream->avail_out = memory->size - filled;
	return error;
}

/* *@unpacked is set to the size of what is in there. */
static int gunzip(struct memory *to, const uint8_t *from, size_t size,
		  size_t *unpacked)
{
	z_stream stream = {
		.next_in = (uint8_t *)from,
		.avail_in = size,
		.next_out = to->ptr,
		.avail_out = to->size,
	};
	int ret, error = 0;

	if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
		return -ENOMEM;
	do {
		ret = inflate(&stream, Z_NO_FLUSH);
		if (ret == Z_OK && !stream.avail_out)
			error = grow(to, &stream);
	} while (ret == Z_OK && !error);
	*unpacked = stream.total_out;
	inflateEnd(&stream);
	if (error)
		return error;
	return ret == Z_STREAM_END && *unpacked ? 0 : -EBADMSG;
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

/* As much as is likely to be needed, in bytes */
static size_t guess(size_t packed)
{
	if (packed >= MAX_SIZE / USUAL_RATIO)
		return MAX_SIZE;
	return (packed * USUAL_RATIO / UNIT + 1) * UNIT;
}

int unpack_kernel(const char *path, const uint8_t **data, size_t *size)
{
	struct memory to = {};
	const uint8_t *payload;
	size_t len, unpacked;
	int error;

	error = find_payload(path, *data, *size, &payload, &len);
	if (error || !len)
		return error;
	error = map(&to, guess(len));
	if (!error)
		error = gunzip(&to, payload, len, &unpacked);
	if (error) {
		report("cannot unpack the kernel '%s': %s", path,
		       error == -EBADMSG ? "it is damaged" : strerror(-error));
		if (to.ptr)
			munmap(to.ptr, to.size);
		return error;
	}
	munmap((void *)*data, *size);
	/* The rest is not needed; memory can always be made smaller in its place. */
	resize(&to, unpacked);
	*data = to.ptr;
	*size = unpacked;
	return 0;
}
