/* SPDX-License-Identifier: GPL-2.0 */
/* View descriptors that outlive spaces, and what they tell and hand out. */
#ifndef FUZZ_VIEWS_H
#define FUZZ_VIEWS_H

#include <sys/stat.h>

#include "fuzz_machine.h"

static inline bool view_failed(int err)
{
	return err == -ENODEV || may_be_injected(err);
}

/* What is at an address: a file, which can only be the one there is, or none. */
static inline void view_file_at(struct machine *machine,
				const struct fuzz_view *view, uint64_t addr)
{
	bool failures, may_read = view->flags & MREGION_VIEW_OPEN_READ;
	struct mregion_view_file file;
	struct stat ours, theirs;
	int err;

	failures = WITH_FAILURES(&machine->inject, &machine->prng, 4,
				 err = mr_view_file(view->fd, addr, 0, &file));
	FUZZ_CHECK(&machine->place, !err || err == -ENODEV || err == -ENXIO ||
		   err == -ENODATA || (err == -EACCES && !may_read) ||
		   (failures && injected(err)),
		   "file at %#llx: error %d", (unsigned long long)addr, err);
	if (err)
		return;
	machine->counts.handed_out++;
	FUZZ_CHECK(&machine->place, may_read && file.serial &&
		   !fstat(machine->resources.file, &ours) &&
		   !fstat(file.memory, &theirs) &&
		   ours.st_ino == theirs.st_ino,
		   "another file at %#llx", (unsigned long long)addr);
	FUZZ_CHECK(&machine->place,
		   (!file.writable || view->flags & MREGION_VIEW_OPEN_WRITE) &&
		   (fcntl(file.memory, F_GETFL) & O_ACCMODE) ==
			(file.writable ? O_RDWR : O_RDONLY) &&
		   (file.log < 0 || file.writable),
		   "a file at %#llx for more than is allowed",
		   (unsigned long long)addr);
	close(file.memory);
	if (file.log >= 0)
		close(file.log);
}

/* Nobody changes the machine meanwhile, so that all must say the same. */
static inline void view_use(struct machine *machine, struct fuzz_view *view)
{
	struct mregion_range ranges[32];
	struct mregion_changes_read changes = {
		.size = sizeof(changes), .range_size = sizeof(ranges[0]),
		.since = view->generation,
	};
	struct mregion_translate translate;
	uint64_t generation = 0, page;
	int i, nr, err;

	nr = mr_view(view->fd, 0, ranges, 32, &generation);
	FUZZ_CHECK(&machine->place, nr >= 0 ? !view->gone : view_failed(nr),
		   "view of space %u: error %d", view->space, nr);
	if (nr == -ENODEV) {
		view->gone = true;
		machine->counts.gone++;
	}
	page = view->page ? mr_view_page_load(view->page) : 0;
	FUZZ_CHECK(&machine->place, !view->page || (nr < 0 && !view->gone) ||
		   page == (view->gone ? MREGION_VIEW_GONE : generation),
		   "page of space %u: %llu, not %llu", view->space,
		   (unsigned long long)page, (unsigned long long)generation);
	FUZZ_CHECK(&machine->place, nr < 0 || generation >= view->generation,
		   "space %u goes back", view->space);
	err = mr_ioctl(view->fd, MREGION_CHANGES, &changes);
	FUZZ_CHECK(&machine->place, err ? view_failed(err) :
		   nr < 0 || changes.generation == generation,
		   "changes of space %u: error %d", view->space, err);
	err = mr_translate(view->fd, 0, random_addr(&machine->prng,
						    view->space % 2 == 0),
			   1, &translate);
	FUZZ_CHECK(&machine->place, err ? err == -EINVAL || view_failed(err) :
		   nr < 0 || translate.generation == generation,
		   "translation in space %u: error %d", view->space, err);
	if (nr >= 0)
		view->generation = generation;
	for (i = 0; i < nr && i < 32; i++)
		if (is_memory(ranges[i].kind))
			view_file_at(machine, view, ranges[i].start);
}

static inline void view_close(struct machine *machine, struct fuzz_view *view)
{
	if (!view->open)
		return;
	if (view->page)
		munmap((void *)view->page, MR_PAGE);
	WITH_FAILURES(&machine->inject, &machine->prng, 4, close(view->fd));
	memset(view, 0, sizeof(*view));
}

static inline void view_open(struct machine *machine, struct fuzz_view *view)
{
	struct prng *prng = &machine->prng;
	struct mregion_view_open args = {
		.size = sizeof(args),
		.space = one_in(prng, 2) ? 1 : 1 + below(prng, MAX_SPACE),
		.flags = PICK(prng, 0, 1, 3, 3, 3),
		.fd = -1,
	};
	bool failures, there = machine->model.spaces[args.space].root;
	int err;

	failures = WITH_FAILURES(&machine->inject, prng, 4,
				 err = mr_ioctl(machine->fd, MREGION_VIEW_OPEN,
						&args));
	FUZZ_CHECK(&machine->place, err ? (err == -ENOENT && !there) ||
		   (failures && injected(err)) : there,
		   "opening the view of space %u: error %d", args.space, err);
	/* It was opened, but where it is could not be told. */
	machine->counts.lost += !err && args.fd < 0;
	if (err || args.fd < 0)
		return;
	*view = (struct fuzz_view){
		.open = true, .fd = args.fd, .space = args.space,
		.flags = args.flags,
	};
	if (one_in(prng, 2))
		view->page = mr_view_page(args.fd);
	machine->counts.views++;
}

static inline void random_view(struct machine *machine)
{
	struct fuzz_view *view = &machine->views[below(&machine->prng,
						       MAX_VIEWS)];

	if (!view->open)
		view_open(machine, view);
	else if (one_in(&machine->prng, 8) || view->gone)
		view_close(machine, view);
	else
		view_use(machine, view);
}

#endif /* FUZZ_VIEWS_H */
