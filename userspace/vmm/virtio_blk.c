// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "virtio_blk.h"

#define SECTOR_SIZE		512
#define SERIAL			"mregion-blk"

/* How much is read or written before it is asked whether to go on, in bytes */
#define CHUNK			(16u << 20)

/* The driver's headers and tables need some of a queue's descriptors. */
#define MAX_SEGMENTS		(VIRTQUEUE_MAX_SIZE - 2)

int virtio_blk_open(struct virtio_blk *blk, const char *path, bool readonly)
{
	struct stat st;
	off_t size;

	blk->readonly = readonly;
	blk->fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (blk->fd < 0) {
		report("cannot open the disk '%s': %s", path, strerror(errno));
		return -errno;
	}
	/* A block device tells its size here only. */
	size = lseek(blk->fd, 0, SEEK_END);
	if (size < 0 || fstat(blk->fd, &st) < 0) {
		report("cannot use the disk '%s': %s", path, strerror(errno));
		goto bad;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		report("cannot use the disk '%s': neither a regular file nor a block device",
		       path);
		goto bad;
	}
	if (size < SECTOR_SIZE) {
		report("cannot use the disk '%s': shorter than a sector of %d bytes",
		       path, SECTOR_SIZE);
		goto bad;
	}
	blk->sectors = size / SECTOR_SIZE;
	return 0;

bad:
	virtio_blk_close(blk);
	return -EINVAL;
}

void virtio_blk_close(struct virtio_blk *blk)
{
	if (blk->fd >= 0)
		close(blk->fd);
	blk->fd = -1;
}

void virtio_blk_face(const struct virtio_blk *blk, struct virtio_face *face)
{
	const struct virtio_blk_config config = {
		.capacity = blk->sectors,
		.seg_max = MAX_SEGMENTS,
		.blk_size = SECTOR_SIZE,
	};

	*face = (struct virtio_face){
		.features = 1ULL << VIRTIO_BLK_F_SEG_MAX |
			    1ULL << VIRTIO_BLK_F_BLK_SIZE |
			    1ULL << VIRTIO_BLK_F_FLUSH,
		.config_len = sizeof(config),
	};
	if (blk->readonly)
		face->features |= 1ULL << VIRTIO_BLK_F_RO;
	_Static_assert(sizeof(config) <= VIRTIO_MAX_CONFIG,
		       "configuration too long");
	memcpy(face->config, &config, sizeof(config));
}

/* Take @len bytes off the front of @iov, into @buf; @nr shrinks. */
static void take(struct iovec **iov, unsigned int *nr, void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len) {
		size_t part = (*iov)->iov_len < len ? (*iov)->iov_len : len;

		memcpy(to, (*iov)->iov_base, part);
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + part;
		(*iov)->iov_len -= part;
		to += part;
		len -= part;
		if (!(*iov)->iov_len) {
			(*iov)++;
			(*nr)--;
		}
	}
}

/* Read or write some of @iov, of one element at least. As preadv(). */
static ssize_t transfer_some(const struct virtio_blk *blk, bool write,
			     struct iovec *iov, unsigned int nr,
			     uint64_t offset)
{
	size_t cut = iov->iov_len > CHUNK ? iov->iov_len - CHUNK : 0;
	unsigned int few = 1;
	size_t len;
	ssize_t done;

	iov->iov_len -= cut;
	for (len = iov->iov_len; few < nr; few++) {
		len += iov[few].iov_len;
		if (len > CHUNK)
			break;
	}
	done = write ? pwritev(blk->fd, iov, few, offset) :
		       preadv(blk->fd, iov, few, offset);
	iov->iov_len += cut;
	return done;
}

/*
 * Read or write all of @iov; files may do part of it at a time. Return: what the
 * driver is told, or -ECANCELED.
 */
static int transfer(const struct virtio *virtio, bool write, struct iovec *iov,
		    unsigned int nr, uint64_t sector, uint64_t len)
{
	const struct virtio_blk *blk = virtio->opaque;
	uint64_t offset = sector * SECTOR_SIZE;
	ssize_t done;

	if (len % SECTOR_SIZE || sector > blk->sectors ||
	    len / SECTOR_SIZE > blk->sectors - sector)
		return VIRTIO_BLK_S_IOERR;

	while (len) {
		if (virtio_cancelled(virtio))
			return -ECANCELED;
		done = transfer_some(blk, write, iov, nr, offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return VIRTIO_BLK_S_IOERR;
		offset += done;
		len -= done;
		while (nr && (size_t)done >= iov->iov_len) {
			done -= iov->iov_len;
			iov++;
			nr--;
		}
		if (nr) {
			iov->iov_base = (uint8_t *)iov->iov_base + done;
			iov->iov_len -= done;
		}
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t flush(const struct virtio_blk *blk)
{
	if (blk->readonly)
		return VIRTIO_BLK_S_OK;
	return fdatasync(blk->fd) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

/* Return: how many bytes of it there was room for. */
static uint64_t get_id(const struct iovec *iov, unsigned int nr)
{
	static const char id[VIRTIO_BLK_ID_BYTES] = SERIAL;
	size_t done = 0;

	for (; nr && done < sizeof(id); nr--, iov++) {
		size_t part = sizeof(id) - done;

		if (part > iov->iov_len)
			part = iov->iov_len;
		memcpy(iov->iov_base, id + done, part);
		done += part;
	}
	return done;
}

/* A header, data to be written or room for what is read, and a status byte */
static int64_t handle(const struct virtio *virtio, uint64_t features,
		      struct virtqueue_chain *chain)
{
	const struct virtio_blk *blk = virtio->opaque;
	struct iovec *in = chain->iov;
	struct iovec *out = chain->iov + chain->nr_in;
	unsigned int nr_in = chain->nr_in, nr_out = chain->nr_out;
	struct virtio_blk_outhdr header;
	struct iovec *last;
	uint64_t room, written = 0;
	uint8_t *status;
	int result;

	if (chain->in_len < sizeof(header) || !nr_out)
		return -EINVAL;
	take(&in, &nr_in, &header, sizeof(header));

	last = &out[nr_out - 1];
	status = (uint8_t *)last->iov_base + --last->iov_len;
	if (!last->iov_len)
		nr_out--;
	room = chain->out_len - 1;

	switch (header.type) {
	case VIRTIO_BLK_T_IN:
		result = transfer(virtio, false, out, nr_out, header.sector,
				  room);
		if (result == VIRTIO_BLK_S_OK)
			written = room;
		break;
	case VIRTIO_BLK_T_OUT:
		result = blk->readonly ? VIRTIO_BLK_S_IOERR :
			 transfer(virtio, true, in, nr_in, header.sector,
				  chain->in_len - sizeof(header));
		/*
		 * A driver that cannot flush counts on what it wrote: virtio
		 * 1.0, 5.2.6.2.
		 */
		if (result == VIRTIO_BLK_S_OK &&
		    !(features & 1ULL << VIRTIO_BLK_F_FLUSH))
			result = flush(blk);
		break;
	case VIRTIO_BLK_T_FLUSH:
		result = flush(blk);
		break;
	case VIRTIO_BLK_T_GET_ID:
		written = get_id(out, nr_out);
		result = VIRTIO_BLK_S_OK;
		break;
	default:
		result = VIRTIO_BLK_S_UNSUPP;
	}
	if (result < 0)
		return result;
	*status = result;
	/* What is said to be written is so from the beginning on, without gaps. */
	if (written == room)
		written++;
	return written <= UINT32_MAX ? (int64_t)written : 0;
}

const struct virtio_type virtio_blk_type = {
	.id = VIRTIO_ID_BLOCK,
	.class = 0x010000,		/* SCSI storage, as others say, too */
	.name = "virtio-blk",
	.nr_queues = 1,
	.handle = handle,
};
