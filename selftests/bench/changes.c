// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to change one region of a machine, by how many others there are: as an
 * ioctl alone, with the machine attached to a virtual machine, and with the library, whose
 * copy of the view and whose memory slots follow.
 *
 * The machine is like a guest's: some memory, and a page of registers each with a doorbell,
 * with as much room behind each. No vCPU runs meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "../kvm_util.h"

#include <mregion.h>

#include "bench.h"
#include "output.h"

#define MEMORY		0x10000000ull
#define MEMORY_LEN	0x200000ull
#define DEVICES		0x40000000ull
#define DEVICE_STEP	0x2000ull
#define DEVICE_LEN	0x1000ull
#define BANKS_LEN	0x10000ull	/* the alias shows a device's length of it */
#define NR_NOT_DEVICES	3		/* memory, banks, alias */
#define BATCH		10000u		/* regions that are created together */

/* Enough for the medians to be the same each time, unless it takes too long. */
#define ROUNDS		16
#define MAX_TIME	100000000ull
/* Let what earlier changes have left to be freed not be freed in the midst of others. */
#define PAUSE_US	100000

enum way {
	WAY_ALONE,
	WAY_ATTACHED,
	WAY_LIBRARY,
	NR_WAYS,
};

static const char *const way_names[NR_WAYS] = {
	[WAY_ALONE] = "ioctl",
	[WAY_ATTACHED] = "ioctl, attached",
	[WAY_LIBRARY] = "library, attached",
};

static const uint32_t numbers[] = { 8, 200, 2000, 100000 };

#define NR_NUMBERS	(sizeof(numbers) / sizeof(numbers[0]))

static const char *const columns[] = {
	"what", "regions", "instructions", NULL
};

/**
 * struct board - a machine that is changed
 * @machine: the machine
 * @root: what has all of its regions
 * @device: the region that is changed
 * @addr: where it is
 * @alias: what shows a part of an unmapped region
 * @eventfd: of all doorbells
 * @vm: what it is attached to
 */
struct board {
	struct mregion_machine *machine;
	struct mregion_region *root;
	struct mregion_region *device;
	uint64_t addr;
	struct mregion_region *alias;
	int eventfd;
	struct vm vm;
};

static void must(bool ok, const char *what)
{
	if (!ok)
		die("%s: %s", what, strerror(errno));
}

static void must_lib(bool ok)
{
	if (!ok)
		die("%s", mregion_error());
}

/* ---- Changes ----------------------------------------------------------- */

/* Each is done and undone in turn, by an operation or by the library. */

static struct mregion_op move_op(const struct board *board, bool undo)
{
	return mr_move(mregion_id(board->device),
		       board->addr + (undo ? 0 : DEVICE_LEN / 2));
}

static int move_lib(const struct board *board, bool undo)
{
	return mregion_move(board->device,
			    board->addr + (undo ? 0 : DEVICE_LEN / 2));
}

static struct mregion_op disable_op(const struct board *board, bool undo)
{
	return mr_set_flags(mregion_id(board->device), MREGION_REGION_DISABLED,
			    undo ? 0 : MREGION_REGION_DISABLED);
}

static int disable_lib(const struct board *board, bool undo)
{
	return mregion_set_enabled(board->device, undo);
}

static struct mregion_op alias_op(const struct board *board, bool undo)
{
	return mr_set_alias(mregion_id(board->alias), undo ? 0 : DEVICE_LEN);
}

static int alias_lib(const struct board *board, bool undo)
{
	return mregion_set_alias_offset(board->alias, undo ? 0 : DEVICE_LEN);
}

#define DOORBELL_OFFSET	0x100
#define DOORBELL_LEN	4

static struct mregion_op doorbell_op(const struct board *board, bool undo)
{
	struct mregion_op op = mr_op(undo ? MREGION_OP_RULE_DEL :
					    MREGION_OP_RULE_ADD,
				     mregion_id(board->device));

	op.rule.kind = MREGION_RULE_DOORBELL;
	op.rule.offset = DOORBELL_OFFSET;
	op.rule.len = DOORBELL_LEN;
	op.rule.access_len = DOORBELL_LEN;
	op.rule.eventfd = board->eventfd;
	return op;
}

static int doorbell_lib(const struct board *board, bool undo)
{
	struct mregion_doorbell doorbell = {
		.offset = DOORBELL_OFFSET,
		.len = DOORBELL_LEN,
		.access_len = DOORBELL_LEN,
		.eventfd = board->eventfd,
	};

	return undo ? mregion_del_doorbell(board->device, &doorbell) :
		      mregion_add_doorbell(board->device, &doorbell);
}

static struct mregion_op nothing_op(const struct board *board, bool undo)
{
	(void)undo;
	return mr_move(mregion_id(board->device), board->addr);
}

static int nothing_lib(const struct board *board, bool undo)
{
	(void)undo;
	return mregion_move(board->device, board->addr);
}

static const struct change {
	const char *name;
	struct mregion_op (*op)(const struct board *board, bool undo);
	int (*lib)(const struct board *board, bool undo);
} changes[] = {
	{ "move a region to where it is", nothing_op, nothing_lib },
	{ "move a region", move_op, move_lib },
	{ "disable or enable a region", disable_op, disable_lib },
	{ "let an alias show something else", alias_op, alias_lib },
	{ "add or delete a doorbell", doorbell_op, doorbell_lib },
};

#define NR_CHANGES	(sizeof(changes) / sizeof(changes[0]))

/* Instructions that it takes to do something, or to undo it. */
static uint64_t measure_once(const struct board *board,
			     const struct change *change, enum way way,
			     bool undo)
{
	struct mregion_op op = change->op(board, undo);
	uint64_t begin = bench_now();
	int ret;

	if (way == WAY_LIBRARY)
		ret = change->lib(board, undo);
	else
		ret = mr_commit(mregion_machine_fd(board->machine), &op, 1);
	begin = bench_now() - begin;
	if (ret)
		die("%s: %s", change->name, strerror(-ret));
	return begin;
}

/* The mean of doing and undoing it, of each the median. */
static double measure(const struct board *board, const struct change *change,
		      enum way way)
{
	struct bench_sample samples[2];
	double values[2][ROUNDS];
	uint64_t time = 0;
	unsigned int nr, undo;

	for (undo = 0; undo < 2; undo++)
		measure_once(board, change, way, undo);
	usleep(PAUSE_US);
	for (nr = 0; nr < ROUNDS && time < MAX_TIME; nr++) {
		for (undo = 0; undo < 2; undo++) {
			values[undo][nr] = measure_once(board, change, way,
							undo);
			time += values[undo][nr];
		}
	}
	usleep(PAUSE_US);
	for (undo = 0; undo < 2; undo++)
		bench_sort(values[undo], nr, &samples[undo]);
	return (samples[0].median + samples[1].median) / 2;
}

/* ---- Machines ---------------------------------------------------------- */

static uint64_t exits_only(void *opaque, uint64_t offset, unsigned int size)
{
	(void)opaque;
	(void)offset;
	(void)size;
	return 0;
}

static const struct mregion_ops device_ops = { .read = exits_only };

static struct mregion_region *create_device(struct board *board,
					    const char *name, uint64_t len)
{
	struct mregion_doorbell doorbell = {
		.len = DOORBELL_LEN,
		.eventfd = board->eventfd,
	};
	struct mregion_region *device;

	device = mregion_new_mmio(board->machine, name, len, &device_ops, NULL);
	must_lib(device && !mregion_add_doorbell(device, &doorbell));
	return device;
}

static void create_memory(struct board *board)
{
	struct mregion_region *memory;

	memory = mregion_new_ram(board->machine, MREGION_RAM, "memory",
				 MEMORY_LEN);
	must_lib(memory && !mregion_map(board->root, memory, MEMORY, 0));
}

static void create_alias(struct board *board)
{
	struct mregion_region *banks = create_device(board, "banks", BANKS_LEN);

	board->alias = mregion_new_alias(board->machine, "bank", banks, 0,
					 DEVICE_LEN);
	must_lib(board->alias &&
		 !mregion_map(board->root, board->alias,
			      DEVICES - DEVICE_STEP, 0));
}

static void create_devices(struct board *board, uint32_t nr)
{
	struct mregion_region *device;
	uint64_t addr;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (!(i % BATCH))
			mregion_begin(board->machine);
		addr = DEVICES + i * DEVICE_STEP;
		device = create_device(board, "device", DEVICE_LEN);
		must_lib(!mregion_map(board->root, device, addr, 0));
		if (i == nr / 2) {
			board->device = device;
			board->addr = addr;
		}
		if (!((i + 1) % BATCH) || i + 1 == nr)
			must_lib(!mregion_commit(board->machine));
	}
}

static void report(const struct board *board, enum way way, uint32_t nr)
{
	char what[64];
	unsigned int i;

	for (i = 0; i < NR_CHANGES; i++) {
		snprintf(what, sizeof(what), "%s: %s", way_names[way],
			 changes[i].name);
		output_text(what);
		output_number(nr, 0);
		output_number(measure(board, &changes[i], way), 0);
	}
}

/* Make a machine with @nr regions, and measure all changes of it. */
static void measure_board(uint32_t nr)
{
	struct mregion_attach_params params = {
		.first_slot = 1,
		.nr_slots = MREGION_ALL_SLOTS,
	};
	struct board board;
	enum way way;

	board.machine = mregion_machine_open(NULL);
	must_lib(board.machine);
	board.eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(board.eventfd >= 0, "eventfd");
	board.root = mregion_new_container(board.machine, "root", 0);
	must_lib(board.root);
	create_memory(&board);
	create_alias(&board);
	create_devices(&board, nr - NR_NOT_DEVICES);
	params.memory = mregion_new_space(board.machine, MREGION_BUS_MEMORY,
					  board.root, MREGION_POLICY_DEFAULT);
	must_lib(params.memory);
	must(!vm_create(&board.vm, 1), "creating a virtual machine");
	params.vm_fd = board.vm.fd;

	for (way = 0; way < NR_WAYS; way++) {
		if (way == WAY_ATTACHED)
			must_lib(mregion_attach(board.machine, &params));
		report(&board, way, nr);
	}

	mregion_machine_close(board.machine);
	close(board.eventfd);
	vm_free(&board.vm);
}

void bench_changes(void)
{
	unsigned int i;

	bench_keep_vm();
	output_part("changes", "Instructions for a change", columns);
	for (i = 0; i < NR_NUMBERS; i++)
		measure_board(numbers[i]);
}
