// SPDX-License-Identifier: GPL-2.0
/*
 * What an access does must not depend on how it got there. Random machines with
 * regions of all kinds, policies, constraints, rules and a server; random accesses,
 * each made in four ways from the same state:
 *
 *	kernel	as a vCPU makes it: the kernel completes it, or it exits
 *	exit	by mregion_vm_exit() alone, as where no window is claimed
 *	parts	by the ioctl for one part after the other, as a VMM without the library
 *	dma	by mregion_space_read() or mregion_space_write()
 *
 * They are to ring the same bells, store and read the same, call the same functions
 * of devices in the same order, and ask the same server.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <mregion.h>

#include "../random_util.h"

/* The half minute that the harness gives is little for an emulated processor. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

#define ROUNDS		30
#define ACCESSES	300
#define REGIONS		14
#define BELLS		6
#define SHADOW_LEN	4096
#define RAM_LEN		4096
#define LOG_SIZE	1024

static struct prng prng;

/* ---- What accesses do --------------------------------------------------- */

/* All that can be seen of an access. */
struct effect {
	char log[LOG_SIZE];	/* calls of devices' functions, in order */
	uint64_t bells[BELLS];
	uint8_t shadow[SHADOW_LEN];
	uint8_t data[8];
	int ret;		/* 0 or -EFAULT */
	bool later;		/* too early to say whether it is an error */
};

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[LOG_SIZE];

static void log_call(const char *format, unsigned int id, uint64_t offset,
		     unsigned int len, uint64_t data)
{
	size_t at;

	pthread_mutex_lock(&log_lock);
	at = strlen(log_text);
	snprintf(log_text + at, sizeof(log_text) - at, format, id,
		 (unsigned long long)offset, len, (unsigned long long)data);
	pthread_mutex_unlock(&log_lock);
}

/* A device, in the VMM or in the server: what it says depends on nothing else. */
struct device {
	struct mregion_ops ops;
	unsigned int id;
	uint64_t len;
	bool fails;
	bool beyond;
};

static uint64_t value_at(const struct device *device, uint64_t offset,
			 unsigned int len)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		value |= (uint64_t)(uint8_t)(16 * device->id + offset + i)
			 << 8 * i;
	return value;
}

static void check_end(const struct device *device, uint64_t offset,
		      unsigned int len)
{
	if (!device->beyond && offset + len > device->len)
		log_call("[%u: %llx/%u beyond the end %llx]", device->id,
			 offset, len, device->len);
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct device *device = opaque;

	check_end(device, offset, len);
	log_call("%ur%llx/%u=%llx ", device->id, offset, len,
		 value_at(device, offset, len));
	return value_at(device, offset, len);
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	check_end(device, offset, len);
	log_call("%uw%llx/%u=%llx ", device->id, offset, len, data);
}

static enum mregion_result device_try_read(void *opaque, uint64_t offset,
					   uint64_t *data, unsigned int len,
					   const struct mregion_current *current)
{
	struct device *device = opaque;

	*data = device_read(opaque, offset, len);
	if (current->offset != offset || mregion_current() != current)
		log_call("[%u: not the current access: %llx/%u %llx]",
			 device->id, offset, len, current->offset);
	return device->fails && offset & 4 ? MREGION_DECODE_ERROR : MREGION_OK;
}

static enum mregion_result device_try_write(void *opaque, uint64_t offset,
					    uint64_t data, unsigned int len,
					    const struct mregion_current *current)
{
	struct device *device = opaque;

	(void)current;
	device_write(opaque, offset, data, len);
	return device->fails && offset & 4 ? MREGION_ERROR : MREGION_OK;
}

/* ---- A random machine --------------------------------------------------- */

struct world {
	int kvm;
	int vm_fd;
	struct mregion_machine *machine;
	struct mregion_region *root;
	struct mregion_region *regions[REGIONS];
	struct device devices[REGIONS];
	struct mregion_space *space;
	struct mregion_vm *vm;
	struct mregion_ring *ring;
	struct mregion_shadow *shadow;
	struct mregion_server *server;
	struct mregion_serving *serving;
	pthread_t server_thread;
	int bells[BELLS];
	uint8_t fresh[SHADOW_LEN];
	uint8_t *memory[REGIONS];
	uint64_t end;
	uint32_t unassigned;
	const char *failed;
};

static void random_constraints(struct mregion_constraints *constraints)
{
	static const uint8_t sizes[] = { 0, 1, 2, 4, 8 };

	memset(constraints, 0, sizeof(*constraints));
	do {
		constraints->valid_min = sizes[below(&prng, 5)];
		constraints->valid_max = sizes[below(&prng, 5)];
	} while (constraints->valid_min >
		 (constraints->valid_max ? constraints->valid_max : 4));
	do {
		constraints->impl_min = sizes[below(&prng, 3)];
		constraints->impl_max = sizes[below(&prng, 5)];
	} while (constraints->impl_min >
		 (constraints->impl_max ? constraints->impl_max : 4));
	constraints->flags = below(&prng, 16);
	if (!(constraints->flags & MREGION_VALID_UNALIGNED))
		constraints->flags &= ~MREGION_IMPL_UNALIGNED;
	constraints->refused = below(&prng, 4);
}

static struct mregion_region *random_region(struct world *world, int i)
{
	struct device *device = &world->devices[i];
	uint64_t len = 1 + below(&prng, 24);
	struct mregion_region *region;
	int fd;

	device->id = i;
	random_constraints(&device->ops.constraints);
	device->ops.read = device_read;
	device->ops.write = device_write;
	if (one_in(&prng, 3)) {
		device->ops.try_read = device_try_read;
		device->ops.try_write = device_try_write;
		device->fails = one_in(&prng, 2);
	}
	device->beyond = device->ops.constraints.flags & MREGION_VALID_BEYOND;
	device->len = len;
	switch (below(&prng, 8)) {
	case 0:
		return mregion_new_ram(world->machine, one_in(&prng, 2) ? MREGION_ROM :
				       MREGION_RAM, "ram", RAM_LEN);
	case 1:
		device->len = RAM_LEN;
		region = mregion_new_romd(world->machine, "romd", RAM_LEN,
					  &device->ops, device);
		mregion_set_romd(region, one_in(&prng, 2));
		return region;
	case 2:
		fd = memfd_create("ramdev", 0);
		if (fd < 0 || ftruncate(fd, RAM_LEN))
			return NULL;
		region = mregion_new_ram_from_fd(world->machine, MREGION_RAMDEV,
						 "ramdev", RAM_LEN, fd, 0);
		close(fd);
		mregion_set_constraints(region, &device->ops.constraints);
		return region;
	case 3:
		return mregion_new_reservation(world->machine, "resv", len);
	default:
		return mregion_new_mmio(world->machine, "mmio", len,
					&device->ops, device);
	}
}

/* Indices that accesses to shadows change, too; a range has some of their values. */
static void random_indexed(struct world *world, struct mregion_region *region,
			   uint64_t offset)
{
	struct mregion_indexed indexed = {
		.offset = offset,
		.len = 1u << below(&prng, 4),
		.index = world->shadow,
		.index_len = 1u << below(&prng, 3),
		.bits = below(&prng, 8),
		.select = 8 * below(&prng, 32),
		.shift = (int)below(&prng, 4) - 1,
		.shadow = world->shadow,
		.shadow_offset = 64 * below(&prng, 16) + offset,
		.access_len = one_in(&prng, 3) ? 1u << below(&prng, 4) : 0,
		.flags = one_in(&prng, 3) ? MREGION_RULE_READ :
			 MREGION_RULE_READ | MREGION_RULE_WRITE,
		.eventfd = -1,
	};

	indexed.index_offset = indexed.index_len * below(&prng, 128);
	indexed.last = indexed.bits;
	if (indexed.bits && one_in(&prng, 2))
		indexed.last &= -indexed.bits;
	if (indexed.flags & MREGION_RULE_WRITE && one_in(&prng, 3))
		indexed.eventfd = world->bells[below(&prng, BELLS)];
	mregion_add_indexed(region, &indexed);
}

/* Rules that the kernel refuses are not missed: most of them clash. */
static void random_rules(struct world *world, struct mregion_region *region)
{
	struct mregion_doorbell bell;
	uint64_t offset, len;
	int refused;

	while (!one_in(&prng, 3)) {
		offset = below(&prng, 20);
		len = 1 + below(&prng, 8);
		mregion_may_fail(world->machine, &refused);
		switch (below(&prng, 5)) {
		case 0:
			mregion_coalesce(region, offset, len, world->ring);
			break;
		case 1:
			mregion_add_shadow(region, offset, len, world->shadow,
					   64 * below(&prng, 16) + offset,
					   one_in(&prng, 3) ?
					   MREGION_RULE_READ :
					   MREGION_RULE_READ |
					   MREGION_RULE_WRITE,
					   one_in(&prng, 3) ?
					   world->bells[below(&prng, BELLS)] : -1);
			break;
		case 2:
			random_indexed(world, region, offset);
			break;
		default:
			bell = (struct mregion_doorbell){
				.offset = offset,
				.len = len,
				.eventfd = world->bells[below(&prng, BELLS)],
				.any_len = one_in(&prng, 3),
			};
			if (bell.any_len) {
				bell.len = 0;
			} else {
				bell.access_len = one_in(&prng, 2) ? 1 << below(&prng, 4) : 0;
				bell.match = one_in(&prng, 3);
				bell.datamatch = bell.match ? below(&prng, 2) : 0;
			}
			if (!bell.any_len && one_in(&prng, 3)) {
				bell.shadow = world->shadow;
				bell.shadow_offset = 64 * below(&prng, 16) + offset;
			}
			mregion_add_doorbell(region, &bell);
		}
	}
}

static void *serve(void *arg)
{
	mregion_serve(arg, 0);
	return NULL;
}

/* One server that has the devices of some regions. */
static bool make_server(struct world *world)
{
	int fd;

	world->server = mregion_new_server(world->machine, 8, 0, 0, &fd);
	if (!world->server)
		return false;
	world->serving = mregion_serving_open(fd);
	close(fd);
	return world->serving;
}

static void make_regions(struct world *world)
{
	struct mregion_region *region, *shown;
	uint64_t at = 16;
	int i, refused;

	for (i = 0; i < REGIONS; i++) {
		region = random_region(world, i);
		world->regions[i] = region;
		shown = region;
		if (one_in(&prng, 3)) {
			shown = mregion_new_alias(world->machine, "alias",
						  region, below(&prng, 4),
						  1 + below(&prng, 20));
			mregion_set_readonly(shown, one_in(&prng, 2));
		} else if (one_in(&prng, 6)) {
			mregion_set_readonly(region, true);
		}
		mregion_map(world->root, shown, at, below(&prng, 2));
		at += one_in(&prng, 3) ? below(&prng, 40) : 1 + below(&prng, 24);
		if (one_in(&prng, 2))
			random_rules(world, region);
		if (world->serving && one_in(&prng, 4)) {
			mregion_may_fail(world->machine, &refused);
			mregion_set_server(region, world->server);
			mregion_serving_add(world->serving, mregion_id(region),
					    world->devices[i].len,
					    &world->devices[i].ops,
					    &world->devices[i]);
		}
	}
	world->end = at + 32;
}

static bool make_world(struct world *world)
{
	struct mregion_attach_params params = { .nr_slots = 16 };
	uint32_t i;

	memset(world, 0, sizeof(*world));
	world->failed = "open";
	world->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	world->vm_fd = ioctl(world->kvm, KVM_CREATE_VM, 0);
	world->machine = mregion_machine_open(NULL);
	if (world->vm_fd < 0 || !world->machine)
		return false;
	world->failed = "objects";
	for (i = 0; i < BELLS; i++)
		world->bells[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	world->ring = mregion_new_ring(world->machine, 64, 0, 0);
	world->shadow = mregion_new_shadow(world->machine, SHADOW_LEN);
	if (!world->ring || !world->shadow ||
	    (one_in(&prng, 2) && !make_server(world)))
		return false;
	for (i = 0; i < SHADOW_LEN; i++)
		world->fresh[i] = below(&prng, 256);

	mregion_begin(world->machine);
	world->root = mregion_new_container(world->machine, "root", 0x10000);
	make_regions(world);
	world->unassigned = below(&prng, 5);
	world->space = mregion_new_space(world->machine, MREGION_BUS_MEMORY,
					 world->root, world->unassigned);
	world->failed = "commit";
	if (mregion_commit(world->machine))
		return false;
	params.vm_fd = world->vm_fd;
	params.memory = world->space;
	world->failed = "attach";
	world->vm = mregion_attach(world->machine, &params);
	if (!world->vm)
		return false;
	for (i = 0; i < REGIONS; i++)
		world->memory[i] = mregion_ram_ptr(world->regions[i]);
	world->failed = "server";
	return !world->serving ||
	       !pthread_create(&world->server_thread, NULL, serve,
			       world->serving);
}

static void free_world(struct world *world)
{
	int i;

	if (world->serving) {
		mregion_serving_stop(world->serving);
		pthread_join(world->server_thread, NULL);
		mregion_serving_close(world->serving);
	}
	mregion_machine_close(world->machine);
	for (i = 0; i < BELLS; i++)
		close(world->bells[i]);
	close(world->vm_fd);
	close(world->kvm);
}

/* ---- An access, in each way --------------------------------------------- */

struct access {
	uint64_t addr;
	unsigned int len;
	bool write;
	uint8_t data[8];
};

static void begin(struct world *world, struct effect *effect,
		  const struct access *access)
{
	uint64_t count;
	int i, k;

	memset(effect, 0, sizeof(*effect));
	memcpy(effect->data, access->data, 8);
	memcpy(mregion_shadow_ptr(world->shadow), world->fresh, SHADOW_LEN);
	for (i = 0; i < BELLS; i++)
		while (read(world->bells[i], &count, sizeof(count)) > 0)
			;
	for (i = 0; i < REGIONS; i++)
		for (k = 0; world->memory[i] && k < 64; k++)
			world->memory[i][k] = 7 * i + k;
	log_text[0] = 0;
}

static void end(struct world *world, struct effect *effect)
{
	int i;

	mregion_ring_drain(world->ring);
	for (i = 0; i < BELLS; i++)
		if (read(world->bells[i], &effect->bells[i], 8) < 0)
			effect->bells[i] = 0;
	memcpy(effect->shadow, mregion_shadow_ptr(world->shadow), SHADOW_LEN);
	/* what is memory is as good as what a device is told */
	for (i = 0; i < REGIONS; i++)
		if (world->memory[i])
			log_call("{%u %llx/%u %llx}", i, 0, 0,
				 *(uint64_t *)(world->memory[i] + 16) ^
				 *(uint64_t *)world->memory[i] ^
				 *(uint64_t *)(world->memory[i] + 8));
	strcpy(effect->log, log_text);
}

static void by_exit(struct world *world, const struct access *access,
		    struct effect *effect)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_MMIO };

	run.mmio.phys_addr = access->addr;
	run.mmio.len = access->len;
	run.mmio.is_write = access->write;
	memcpy(run.mmio.data, effect->data, 8);
	effect->ret = mregion_vm_exit(world->vm, 0, &run);
	if (!access->write)
		memcpy(effect->data, run.mmio.data, access->len);
}

static int ask(struct world *world, const struct access *access,
	       unsigned int done, uint32_t flags, struct effect *effect,
	       struct mregion_access *arg)
{
	*arg = (struct mregion_access){
		.size = sizeof(*arg),
		.space = mregion_space_id(world->space),
		.addr = access->addr + done,
		.len = access->len - done,
		.flags = flags | (access->write ? MREGION_ACCESS_WRITE : 0),
		.vcpu = MREGION_NO_VCPU,
	};
	memcpy(&arg->data, effect->data + done, access->len - done);
	if (ioctl(mregion_machine_fd(world->machine), MREGION_ACCESS, arg))
		return -errno;
	if (arg->handled && !access->write)
		memcpy(effect->data + done, &arg->data, arg->part);
	return 0;
}

static void by_kernel(struct world *world, const struct access *access,
		      struct effect *effect)
{
	struct mregion_access arg;

	effect->ret = ask(world, access, 0, 0, effect, &arg);
	effect->later = arg.outcome == MREGION_OUTCOME_COALESCED;
	if (!effect->ret && !arg.handled)
		by_exit(world, access, effect);
}

/* What the kernel leaves to the VMM is taken from there by the library. */
static void by_parts(struct world *world, const struct access *access,
		     struct effect *effect)
{
	struct mregion_access arg;
	struct access left = *access;
	struct effect part;
	unsigned int done;

	for (done = 0; done < access->len; done += arg.part) {
		if (ask(world, access, done, MREGION_ACCESS_PART, effect, &arg)) {
			effect->ret = -EIO;
			return;
		}
		if (arg.handled)
			continue;
		left.addr = access->addr + done;
		left.len = arg.part;
		memcpy(part.data, effect->data + done, arg.part);
		by_exit(world, &left, &part);
		memcpy(effect->data + done, part.data, arg.part);
		if (part.ret)
			effect->ret = part.ret;
	}
}

static void by_dma(struct world *world, const struct access *access,
		   struct effect *effect)
{
	effect->ret = access->write ?
		      mregion_space_write(world->space, access->addr,
					  effect->data, access->len, NULL) :
		      mregion_space_read(world->space, access->addr,
					 effect->data, access->len, NULL);
}

static const struct way {
	const char *name;
	void (*make)(struct world *world, const struct access *access,
		     struct effect *effect);
} ways[] = {
	{ "exit", by_exit },
	{ "kernel", by_kernel },
	{ "parts", by_parts },
	{ "dma", by_dma },
};

#define NR_WAYS	(sizeof(ways) / sizeof(ways[0]))

static bool same(const struct effect *a, const struct effect *b,
		 const struct access *access)
{
	return !strcmp(a->log, b->log) && (a->ret == b->ret || b->later) &&
	       !memcmp(a->bells, b->bells, sizeof(a->bells)) &&
	       !memcmp(a->shadow, b->shadow, SHADOW_LEN) &&
	       (access->write || !memcmp(a->data, b->data, access->len));
}

static void tell(const char *name, const struct effect *effect,
		 const struct effect *other)
{
	unsigned int i;

	fprintf(stderr, "#   %-6s ret %d data %02x%02x%02x%02x%02x%02x%02x%02x bells",
		name, effect->ret, effect->data[0], effect->data[1],
		effect->data[2], effect->data[3], effect->data[4],
		effect->data[5], effect->data[6], effect->data[7]);
	for (i = 0; i < BELLS; i++)
		fprintf(stderr, " %llu", (unsigned long long)effect->bells[i]);
	fprintf(stderr, " calls %s", effect->log);
	for (i = 0; i < SHADOW_LEN; i++)
		if (effect->shadow[i] != other->shadow[i])
			fprintf(stderr, " shadow %x: %02x", i,
				effect->shadow[i]);
	fprintf(stderr, "\n");
}

static void tell_ranges(struct world *world, const struct access *access)
{
	struct mregion_view *view = mregion_space_view(world->space);
	struct mregion_constraints *c;
	struct mregion_region *region;
	size_t i;
	int k;

	for (i = 0; view && i < view->nr; i++) {
		struct mregion_range *range = &view->ranges[i];

		if (range->last < access->addr ||
		    range->start > access->addr + access->len - 1)
			continue;
		region = mregion_region_by_id(world->machine, range->region);
		for (k = 0; world->regions[k] != region; k++)
			;
		c = &world->devices[k].ops.constraints;
		fprintf(stderr, "#   [%llx,%llx] device %d+%llx kind %u flags %x len %llx valid %u..%u impl %u..%u flags %x refused %u\n",
			range->start, range->last, k, range->offset,
			range->kind, range->flags,
			(unsigned long long)world->devices[k].len,
			c->valid_min, c->valid_max, c->impl_min, c->impl_max,
			c->flags, c->refused);
	}
	free(view);
}

/*
 * DMA ends where something is an error or nothing is (EFAULT), and where what is there
 * is read-only (EROFS); a vCPU's access goes on.
 */
static bool comparable(const struct way *way, const struct effect *effect)
{
	return way->make != by_dma ||
	       (effect->ret != -EFAULT && effect->ret != -EROFS);
}

/* @compared: counts by way. */
static bool check_access(struct world *world, const struct access *access,
			 unsigned int compared[NR_WAYS])
{
	struct effect effects[NR_WAYS];
	unsigned int i;

	for (i = 0; i < NR_WAYS; i++) {
		begin(world, &effects[i], access);
		ways[i].make(world, access, &effects[i]);
		end(world, &effects[i]);
		if (strchr(effects[i].log, '[')) {
			tell(ways[i].name, &effects[i], &effects[0]);
			return false;
		}
		if (!comparable(&ways[i], &effects[i]))
			continue;
		compared[i]++;
		if (same(&effects[0], &effects[i], access))
			continue;
		fprintf(stderr, "# %s of %u at %llx:\n",
			access->write ? "write" : "read", access->len,
			(unsigned long long)access->addr);
		tell(ways[0].name, &effects[0], &effects[i]);
		tell(ways[i].name, &effects[i], &effects[0]);
		tell_ranges(world, access);
		return false;
	}
	return true;
}

static void random_access(struct world *world, struct access *access)
{
	unsigned int i;

	access->addr = below(&prng, world->end);
	access->len = one_in(&prng, 4) ? 1 + below(&prng, 8) : 1u << below(&prng, 4);
	access->write = one_in(&prng, 2);
	/* small numbers, for values to be matched */
	for (i = 0; i < 8; i++)
		access->data[i] = one_in(&prng, 2) ? 0 : below(&prng, 3);
}

/* The first outcome that was never met, but that of a full ring; -1: none. */
static int missing(const uint64_t *met)
{
	int k;

	for (k = 0; k <= MREGION_OUTCOME_SERVED; k++)
		if (!met[k] && k != MREGION_OUTCOME_RING_FULL)
			return k;
	return -1;
}

TEST(one_dispatcher)
{
	uint64_t seed = random_seed("MREGION_SEED");
	unsigned int compared[NR_WAYS] = { 0 };
	struct mregion_stats stats;
	uint64_t met[16] = { 0 };
	struct access access;
	struct world world;
	int round, i, k;

	TH_LOG("seed %#llx", (unsigned long long)seed);
	/* A test of what never happens would say nothing, and some is rare. */
	for (round = 0; round < ROUNDS ||
	     (missing(met) >= 0 && round < 10 * ROUNDS); round++) {
		prng = prng_of(seed, round);
		ASSERT_TRUE(make_world(&world))
			TH_LOG("round %d, %s: %s", round, world.failed,
			       mregion_error());
		for (i = 0; i < ACCESSES; i++) {
			random_access(&world, &access);
			ASSERT_TRUE(check_access(&world, &access, compared))
				TH_LOG("round %d, access %d", round, i);
		}
		ASSERT_EQ(0, mregion_stats(world.machine, MREGION_OBJECT_MACHINE,
					   0, &stats));
		for (k = 0; k < 16; k++)
			met[k] += stats.outcomes[k];
		free_world(&world);
	}
	for (k = 0; k < (int)NR_WAYS; k++) {
		EXPECT_LE(ROUNDS * ACCESSES / 3, compared[k])
			TH_LOG("%s: %u accesses", ways[k].name, compared[k]);
	}
	EXPECT_EQ(-1, missing(met))
		TH_LOG("an outcome was not met, of %d rounds", round);
}

TEST_HARNESS_MAIN
