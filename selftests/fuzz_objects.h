/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a machine has besides regions: rings, shadow memories, servers,
 * attachments; and how it comes and goes.
 */
#ifndef FUZZ_OBJECTS_H
#define FUZZ_OBJECTS_H

#include "fuzz_machine.h"
#include "fuzz_views.h"
#include "fuzz_vm.h"
#include "kvm_util.h"

/* ---- Rings, shadows, servers ------------------------------------------- */

/*
 * Make an object by an ioctl whose argument begins with @size and @id, and has
 * the descriptor in *fd. Return: whether there is a new one that can be used.
 */
static inline bool object_make(struct machine *machine, const char *what,
			       unsigned long cmd, unsigned long free_cmd,
			       void *arg, int *fd, bool *objects)
{
	uint32_t id = ((uint32_t *)arg)[1], to_free[2] = { 8, id };
	bool failures;
	int err;

	*fd = -1;
	failures = WITH_FAILURES(&machine->inject, &machine->prng, 4,
				 err = mr_ioctl(machine->fd, cmd, arg));
	FUZZ_CHECK(&machine->place,
		   err ? (objects[id] && err == -EEXIST) ||
			 (failures && injected(err)) : !objects[id],
		   "making a %s that %s: error %d", what,
		   objects[id] ? "exists" : "does not exist", err);
	if (err)
		return false;
	if (*fd < 0) {
		/* It was made, but where it is could not be told. */
		FUZZ_CHECK(&machine->place, failures &&
			   !mr_ioctl(machine->fd, free_cmd, to_free),
			   "a %s without a descriptor", what);
		machine->counts.lost++;
		return false;
	}
	objects[id] = true;
	return true;
}

/* Return: whether it existed, and is gone. */
static inline bool object_free(struct machine *machine, const char *what,
			       unsigned long cmd, uint32_t id, bool *objects)
{
	bool busy = model_object_busy(&machine->model, objects, id);
	uint32_t arg[2] = { 8, id };
	bool failures;
	int err;

	failures = WITH_FAILURES(&machine->inject, &machine->prng, 4,
				 err = mr_ioctl(machine->fd, cmd, arg));
	FUZZ_CHECK(&machine->place,
		   err == (!objects[id] ? -ENOENT : busy ? -EBUSY : 0) ||
		   (failures && injected(err)),
		   "freeing %s %u%s%s: error %d", what, id,
		   objects[id] ? "" : ", which does not exist",
		   busy ? ", which is in use" : "", err);
	if (!err)
		objects[id] = false;
	return !err;
}

static inline void ring_consume(struct place *place, struct mr_ring *ring)
{
	struct mregion_ring_entry entry;

	while (ring->header && mr_ring_take(ring, &entry))
		FUZZ_CHECK(place, entry.region && entry.region <= MAX_REGION &&
			   (entry.len == 1 || entry.len == 2 ||
			    entry.len == 4 || entry.len == 8) &&
			   (entry.len == 8 || !(entry.data >> 8 * entry.len)) &&
			   !entry.reserved,
			   "ring entry: region %u, %#llx of %u", entry.region,
			   entry.data, entry.len);
}

/* A ring that was freed stays mapped for a while: nothing comes any more. */
static inline void ring_bury(struct machine *machine)
{
	if (!machine->freed.header)
		return;
	FUZZ_CHECK(&machine->place, machine->freed.header->producer ==
		   machine->freed_producer, "appended to a ring that is freed");
	mr_ring_unmap(&machine->freed);
	machine->freed.header = NULL;
}

static inline void ring_gone(struct machine *machine, struct mr_ring *ring)
{
	ring_bury(machine);
	if (!ring->header)
		return;
	machine->freed = *ring;
	machine->freed_producer = ring->header->producer;
	ring->header = NULL;
}

static inline void random_ring(struct machine *machine)
{
	struct prng *prng = &machine->prng;
	uint32_t id = 1 + below(prng, MAX_OBJECT);
	struct mregion_ring_create create = {
		.size = sizeof(create),
		.id = id,
		.nr_entries = 2u << below(prng, 5),
		.eventfd = one_in(prng, 2) ? -1 :
			   machine->resources.efds[below(prng, FUZZ_EFDS)],
	};

	if (machine->model.rings[id] && !one_in(prng, 10)) {
		if (object_free(machine, "ring", MREGION_RING_FREE, id,
				machine->model.rings))
			ring_gone(machine, &machine->rings[id]);
		return;
	}
	if (create.eventfd >= 0 && one_in(prng, 2))
		create.notify_entries = below(prng, create.nr_entries);
	if (create.eventfd >= 0 && one_in(prng, 2))
		create.notify_usecs = below(prng, 2000);
	if (object_make(machine, "ring", MREGION_RING_CREATE, MREGION_RING_FREE,
			&create, &create.fd, machine->model.rings) &&
	    mr_ring_map(&machine->rings[id], create.fd, create.nr_entries))
		close(create.fd);
}

static inline void random_shadow(struct machine *machine)
{
	struct prng *prng = &machine->prng;
	uint32_t id = 1 + below(prng, MAX_OBJECT);
	struct mregion_shadow_create create = {
		.size = sizeof(create),
		.id = id,
		.len = PICK(prng, 1, 0x1000, 0x1001, 0x4000),
	};

	if (machine->model.shadows[id] && !one_in(prng, 10)) {
		object_free(machine, "shadow memory", MREGION_SHADOW_FREE, id,
			    machine->model.shadows);
		return;
	}
	if (!object_make(machine, "shadow memory", MREGION_SHADOW_CREATE,
			 MREGION_SHADOW_FREE, &create, &create.fd,
			 machine->model.shadows))
		return;
	machine->model.shadow_len[id] = (create.len + MR_PAGE - 1) &
					~(MR_PAGE - 1);
	if (write(create.fd, "", 1) >= 0)
		FUZZ_CHECK(&machine->place, false, "shadow memory is a file");
	close(create.fd);
}

static inline void random_server(struct machine *machine)
{
	struct prng *prng = &machine->prng;
	uint32_t id = 1 + below(prng, MAX_OBJECT);
	struct mregion_server_create create = server_args(id,
							  1 + below(prng, 4));

	if (machine->model.servers[id] && one_in(prng, 4)) {
		/* It dies, and the regions that it serves know it. */
		fuzz_server_end(machine->servers[id]);
		machine->servers[id] = NULL;
		return;
	}
	if (machine->model.servers[id] && !one_in(prng, 10)) {
		if (object_free(machine, "server", MREGION_SERVER_FREE, id,
				machine->model.servers)) {
			fuzz_server_end(machine->servers[id]);
			machine->servers[id] = NULL;
		}
		return;
	}
	/* Who waits for one that is silent has to be let go. */
	create.timeout_usecs = 1000 + below(prng, 50000);
	create.spin_usecs = one_in(prng, 2) ? below(prng, 1000) : 0;
	if (one_in(prng, 2))
		create.eventfd = machine->resources.efds[0];
	if (object_make(machine, "server", MREGION_SERVER_CREATE,
			MREGION_SERVER_FREE, &create, &create.fd,
			machine->model.servers))
		machine->servers[id] = fuzz_server_start(prng, create.fd,
				create.nr_slots, 10 * machine->place.number +
				id);
}

/* ---- Attachments ------------------------------------------------------- */

static inline uint32_t random_space_on(struct prng *prng,
				       const struct model *model, uint32_t bus)
{
	uint32_t i, id = 1 + below(prng, MAX_SPACE);

	if (one_in(prng, 6))
		return 0;
	if (one_in(prng, 40))
		return id;
	/* What vCPUs look at. */
	if (one_in(prng, 2))
		id = bus == MREGION_BUS_PIO ? 2 : 1;
	for (i = 0; i < MAX_SPACE; i++, id = id % MAX_SPACE + 1)
		if (model->spaces[id].root && model->spaces[id].bus == bus)
			return id;
	return id;
}

static inline void attach_expects(const struct model *model, uint32_t memory,
				  uint32_t pio, uint32_t smm,
				  struct verdict *verdict)
{
	const struct model_space *spaces = model->spaces;

	memset(verdict, 0, sizeof(*verdict));
	if (smm && !VM_HAS_SMM)
		must_fail(verdict, -EOPNOTSUPP);
	if ((memory && !spaces[memory].root) || (pio && !spaces[pio].root) ||
	    (smm && !spaces[smm].root))
		must_fail(verdict, -ENOENT);
	if ((memory && spaces[memory].bus != MREGION_BUS_MEMORY) ||
	    (pio && spaces[pio].bus != MREGION_BUS_PIO) || (!memory && !pio) ||
	    (smm && (spaces[smm].bus != MREGION_BUS_MEMORY || !memory)))
		must_fail(verdict, -EINVAL);
	may_fail(verdict, -EEXIST);
}

static inline void random_attach(struct machine *machine)
{
	struct prng *prng = &machine->prng;
	uint32_t memory, pio, smm = 0, vm = below(prng, FUZZ_VMS);
	struct mregion_attach result;
	struct verdict verdict;
	int fd, err;
	bool failures;

	fd = fuzz_vm_dup(&machine->vms[vm]);
	if (fd < 0)
		return;
	if (one_in(prng, 5)) {
		failures = WITH_FAILURES(&machine->inject, prng, 3,
					 err = mr_detach(machine->fd, fd));
		FUZZ_CHECK(&machine->place, !err || err == -ENOENT ||
			   (failures && injected(err)), "detach: error %d",
			   err);
		machine->counts.detached += !err;
		close(fd);
		return;
	}
	memory = random_space_on(prng, &machine->model, MREGION_BUS_MEMORY);
	pio = random_space_on(prng, &machine->model, MREGION_BUS_PIO);
	if (one_in(prng, 3))
		smm = random_space_on(prng, &machine->model,
				      MREGION_BUS_MEMORY);
	attach_expects(&machine->model, memory, pio, smm, &verdict);
	failures = WITH_FAILURES(&machine->inject, prng, 3,
				 err = mr_attach_smm(machine->fd, fd, memory,
						     pio, smm, &result));
	/* Out of memory, KVM may have thrown the virtual machine's bus away. */
	FUZZ_CHECK(&machine->place, (err ? verdict_has(&verdict, err) :
					   !verdict.fails) ||
		   (failures && injected(err)) ||
		   (machine->failures && err == -ENOMEM),
		   "attach of spaces %u, %u and %u: error %d", memory, pio,
		   smm, err);
	if (!err) {
		machine->model.attached = true;
		machine->counts.attached++;
		machine->counts.conflicts += result.nr_conflicts;
	}
	close(fd);
}

/* ---- Machines ---------------------------------------------------------- */

static inline void machine_open(struct machine *machine)
{
	static __thread struct fuzz_commit commit;
	struct mregion_op ops[FIRST_OPS];
	unsigned int i;
	int fd = mr_open();

	if (!FUZZ_CHECK(&machine->place, fd >= 0, "open: error %d", fd))
		return;
	memset(&machine->model, 0, sizeof(machine->model));
	for (i = 0; i < FUZZ_EFDS; i++)
		machine->resources.efds[i] = new_eventfd();
	machine->resources.file = memfd_create("fuzz", MFD_CLOEXEC);
	(void)!ftruncate(machine->resources.file, FILE_LEN);
	pthread_mutex_lock(&machine->lock);
	machine->fd = fd;
	pthread_mutex_unlock(&machine->lock);

	first_ops(ops, &machine->resources);
	memset(&machine->next, 0, sizeof(machine->next));
	for (commit.nr = 0; commit.nr < FIRST_OPS; commit.nr++)
		commit_put(machine, &commit, ops[commit.nr], false);
	/* At last, without failures. */
	while (machine_commit(machine, &commit, 0) && !fuzz_failed())
		;
}

static inline void machine_close_resources(struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < FUZZ_EFDS; i++)
		close(machine->resources.efds[i]);
	close(machine->resources.file);
}

static inline void machine_close_objects(struct machine *machine)
{
	unsigned int i;

	for (i = 1; i <= MAX_OBJECT; i++) {
		if (machine->rings[i].header)
			mr_ring_unmap(&machine->rings[i]);
		machine->rings[i].header = NULL;
		fuzz_server_end(machine->servers[i]);
		machine->servers[i] = NULL;
	}
	ring_bury(machine);
}

static inline void machine_close_fd(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	WITH_FAILURES(&machine->inject, &machine->prng, 2, close(machine->fd));
	machine->fd = -1;
	pthread_mutex_unlock(&machine->lock);
}

/* All that a machine has, in some order; others may hold it for a moment. */
static inline void machine_close(struct machine *machine)
{
	unsigned int order = below(&machine->prng, 6), i;
	struct mregion_stats stats;

	if (machine->fd < 0)
		return;
	if (!mr_stats(machine->fd, MREGION_OBJECT_MACHINE, 0, &stats))
		for (i = 0; i < 16; i++)
			machine->counts.parts[i] += stats.outcomes[i];
	for (i = 0; i < MAX_VIEWS; i++)
		if (one_in(&machine->prng, 2))
			view_close(machine, &machine->views[i]);
	if (order < 2)
		machine_close_resources(machine);
	if (order % 3 == 0)
		machine_close_objects(machine);
	machine_close_fd(machine);
	for (i = 0; i < MAX_VIEWS; i++)
		view_close(machine, &machine->views[i]);
	if (order % 3)
		machine_close_objects(machine);
	if (order >= 2)
		machine_close_resources(machine);
}

static inline void machine_step(struct machine *machine)
{
	struct prng *prng = &machine->prng;
	struct place *place = &machine->place;

	switch (below(prng, 40)) {
	case 0 ... 2:
		fuzz_at(place, "rings");
		random_ring(machine);
		break;
	case 3 ... 5:
		fuzz_at(place, "shadow memory");
		random_shadow(machine);
		break;
	case 6 ... 8:
		fuzz_at(place, "servers");
		random_server(machine);
		break;
	case 9 ... 12:
		fuzz_at(place, "attachments");
		random_attach(machine);
		break;
	case 13 ... 15:
		fuzz_at(place, "accesses");
		random_accesses(prng, place, machine->fd, &machine->counts);
		break;
	case 16 ... 18:
		fuzz_at(place, "consuming");
		ring_consume(place,
			     &machine->rings[1 + below(prng, MAX_OBJECT)]);
		break;
	case 19:
		fuzz_at(place, "reading");
		random_reads(prng, place, machine->fd);
		break;
	case 21:
	case 22:
		fuzz_at(place, "claims");
		fuzz_vm_claims(&machine->vms[below(prng, FUZZ_VMS)], prng,
			       place, machine->fd, &machine->inject,
			       &machine->counts);
		break;
	case 23 ... 25:
		fuzz_at(place, "views");
		random_view(machine);
		break;
	case 20:
		if (!one_in(prng, 4))
			break;
		fuzz_at(place, "closing and opening");
		machine_close(machine);
		machine_open(machine);
		break;
	default:
		fuzz_at(place, "commit");
		random_commit(machine);
	}
}

static inline void *machine_thread(void *arg)
{
	struct machine *machine = arg;

	machine->inject = inject_open(machine->failures);
	for (machine->place.step = 1;
	     machine->place.step <= machine->steps && !fuzz_failed();
	     machine->place.step++)
		machine_step(machine);
	machine->counts.injected += machine->inject.failed;
	inject_close(&machine->inject);
	machine->inject = (struct inject){ .fd = -1 };
	fuzz_idle(&machine->place);
	return NULL;
}

#endif /* FUZZ_OBJECTS_H */
