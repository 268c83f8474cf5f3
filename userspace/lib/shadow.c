// SPDX-License-Identifier: MIT
/* Shadow memory. The rules that serve accesses from it are in rules.c. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "shadow.h"

static int free_in_kernel(const struct mregion_shadow *shadow)
{
	struct mregion_shadow_free arg = {
		.size = sizeof(arg),
		.id = shadow->id,
	};

	return ioctl(shadow->machine->fd, MREGION_SHADOW_FREE, &arg) ? errno
								     : 0;
}

static void link_shadow(struct mregion_shadow *shadow)
{
	struct mregion_machine *machine = shadow->machine;

	pthread_mutex_lock(&machine->transaction.lock);
	shadow->next = machine->shadows;
	machine->shadows = shadow;
	pthread_mutex_unlock(&machine->transaction.lock);
}

/* The kernel has refused it: what for, if that can be told. */
static const char *create_reason(uint64_t len, int err)
{
	if (err == ENOSPC)
		return "the machine has max_shadows of them";
	if (err != EINVAL)
		return NULL;
	return len ? "its length is more than max_shadow_len"
		   : "its length is 0";
}

struct mregion_shadow *mregion_new_shadow(struct mregion_machine *machine,
					  uint64_t len)
{
	struct mregion_shadow_create arg = {
		.size = sizeof(arg),
		.id = mregion_next_id(machine, &machine->last_shadow_id),
		.len = len,
	};
	struct mregion_shadow *shadow = calloc(1, sizeof(*shadow));
	const char *reason = NULL;
	int err = ENOMEM;

	if (!shadow)
		goto fail;
	if (ioctl(machine->fd, MREGION_SHADOW_CREATE, &arg)) {
		err = errno;
		reason = create_reason(len, err);
		goto free_shadow;
	}
	shadow->machine = machine;
	shadow->id = arg.id;
	shadow->fd = arg.fd;
	shadow->mapped = (len + machine->page_size - 1) &
			 ~(machine->page_size - 1);
	shadow->ptr = mmap(NULL, shadow->mapped, PROT_READ | PROT_WRITE,
			   MAP_SHARED, shadow->fd, 0);
	if (shadow->ptr == MAP_FAILED) {
		err = errno;
		goto close_fd;
	}
	link_shadow(shadow);
	return shadow;

close_fd:
	close(shadow->fd);
	free_in_kernel(shadow);
free_shadow:
	free(shadow);
fail:
	mregion_fail_reason(err, "create shadow memory", reason);
	return NULL;
}

void mregion_shadow_release(struct mregion_shadow *shadow)
{
	struct mregion_machine *machine = shadow->machine;
	struct mregion_shadow **link;

	pthread_mutex_lock(&machine->transaction.lock);
	for (link = &machine->shadows; *link != shadow; link = &(*link)->next)
		;
	*link = shadow->next;
	pthread_mutex_unlock(&machine->transaction.lock);
	munmap(shadow->ptr, shadow->mapped);
	close(shadow->fd);
	free(shadow);
}

int mregion_shadow_free(struct mregion_shadow *shadow)
{
	int err;

	if (!shadow)
		return 0;
	err = free_in_kernel(shadow);
	if (err == EBUSY)
		return mregion_fail_why(err,
			"free shadow memory %u: a rule refers to it",
			shadow->id);
	if (err)
		return mregion_fail(err, "free shadow memory %u", shadow->id);
	mregion_shadow_release(shadow);
	return 0;
}

void *mregion_shadow_ptr(const struct mregion_shadow *shadow)
{
	return shadow->ptr;
}

int mregion_shadow_fd(const struct mregion_shadow *shadow)
{
	return shadow->fd;
}
