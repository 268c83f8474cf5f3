// SPDX-License-Identifier: MIT
/*
 * A device in a process of its own: it adds numbers up. vmm.c starts it, with
 * descriptors that stay open, and the ID of the region that it serves.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <mregion.h>

#include "machine.h"

static uint64_t adder_read(void *opaque, uint64_t offset, unsigned int len)
{
	const uint32_t *sum = opaque;

	(void)len;
	return offset == ADDER_SUM ? *sum : 0;
}

static void adder_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	uint32_t *sum = opaque;

	(void)len;
	if (offset == ADDER_ADD)
		*sum += data;
	else if (offset == ADDER_CRASH)
		_exit(1);
}

/* As in the VMM: only whole registers. */
static const struct mregion_ops adder_ops = {
	.read = adder_read,
	.write = adder_write,
	.constraints = { .valid_min = 4, .valid_max = 4 },
};

int main(int argc, char **argv)
{
	struct mregion_serving *serving;
	int ret, server, ring;
	uint32_t sum = 0;

	if (argc != 4)
		errx(2, "usage: device SERVER RING REGION");
	server = atoi(argv[1]);
	ring = atoi(argv[2]);

	serving = mregion_serving_open(server);
	if (!serving || mregion_serving_add_ring(serving, ring) ||
	    mregion_serving_add(serving, strtoul(argv[3], NULL, 0),
				PAGE, &adder_ops, &sum))
		errx(1, "%s", mregion_error());
	/* The library has duplicates. */
	close(server);
	close(ring);

	ret = mregion_serve(serving, 50);
	if (ret && ret != -ENODEV)
		errx(1, "%s", mregion_error());
	mregion_serving_close(serving);
	return 0;
}
