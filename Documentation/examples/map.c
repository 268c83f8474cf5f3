// SPDX-License-Identifier: MIT
/*
 * A memory map, without a virtual machine: memory, a bus with a lamp on it, and the
 * lamp a second time by an alias.
 *
 *	make map && ./map
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>

#include <mregion.h>

#define LAMP_SWITCH	0x00	/* 1: on */
#define LAMP_COUNT	0x04	/* how often it was switched */

#define BUS		0x80000
#define LAMP		0x2000	/* on the bus */
#define LAMP_AGAIN	0x200000

struct lamp {
	bool lit;
	uint32_t count;
};

static uint64_t lamp_read(void *opaque, uint64_t offset, unsigned int len)
{
	const struct lamp *lamp = opaque;

	(void)len;
	switch (offset) {
	case LAMP_SWITCH:
		return lamp->lit;
	case LAMP_COUNT:
		return lamp->count;
	default:
		return 0;
	}
}

static void lamp_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct lamp *lamp = opaque;

	(void)len;
	if (offset != LAMP_SWITCH)
		return;
	lamp->lit = data & 1;
	lamp->count++;
	printf("the lamp is %s\n", lamp->lit ? "on" : "off");
}

static const struct mregion_ops lamp_ops = {
	.read = lamp_read,
	.write = lamp_write,
	.constraints = { .valid_min = 4, .valid_max = 4 },
};

/* The machine, in one commit. */
static struct mregion_space *build(struct mregion_machine *machine,
				   struct lamp *state,
				   struct mregion_region **lamp)
{
	struct mregion_region *memory, *ram, *bus, *again;
	struct mregion_space *space;

	mregion_begin(machine);
	memory = mregion_new_container(machine, "memory", 0);
	ram = mregion_new_ram(machine, MREGION_RAM, "ram", 0x100000);
	bus = mregion_new_container(machine, "bus", 0x10000);
	*lamp = mregion_new_mmio(machine, "lamp", 0x1000, &lamp_ops, state);
	again = mregion_new_alias(machine, "lamp-again", *lamp, 0, 0x1000);

	mregion_map(memory, ram, 0, 0);
	mregion_map(memory, bus, BUS, 1);	/* on top of the memory */
	mregion_map(bus, *lamp, LAMP, 0);
	mregion_map(memory, again, LAMP_AGAIN, 0);
	space = mregion_new_space(machine, MREGION_BUS_MEMORY, memory,
				  MREGION_POLICY_ONES);
	if (mregion_commit(machine))
		errx(1, "%s", mregion_error());
	return space;
}

int main(void)
{
	struct mregion_machine *machine = mregion_machine_open(NULL);
	struct mregion_region *lamp;
	struct mregion_space *space;
	const uint32_t on = 1;
	struct lamp state = {};
	uint32_t count;

	if (!machine)
		errx(1, "%s", mregion_error());
	space = build(machine, &state, &lamp);
	mregion_print_tree(space, stdout);
	mregion_print_view(space, stdout);

	/* As a device does it by DMA: one access on the bus, one by the alias. */
	if (mregion_space_write(space, BUS + LAMP + LAMP_SWITCH, &on, sizeof(on),
				NULL) ||
	    mregion_space_read(space, LAMP_AGAIN + LAMP_COUNT, &count,
			       sizeof(count), NULL))
		errx(1, "%s", mregion_error());
	printf("it was switched %u time(s)\n", count);

	/* The bus moves the lamp; the lamp does not know. */
	if (mregion_move(lamp, 2 * LAMP))
		errx(1, "%s", mregion_error());
	mregion_print_view(space, stdout);

	mregion_machine_close(machine);
	return 0;
}
