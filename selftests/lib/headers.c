// SPDX-License-Identifier: GPL-2.0
/*
 * What headers.sh compiles by each standard, in C and in C++: uses what the
 * headers have that not every standard has, in the words common to all.
 */
#include <string.h>

#include <mregion.h>

struct registers {
	struct mregion_ops ops;
	uint64_t value;
};

static uint64_t registers_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct registers *registers = (struct registers *)opaque;

	return registers->value >> (offset + len);
}

static void registers_write(void *opaque, uint64_t offset, uint64_t data,
			    unsigned int len)
{
	struct registers *registers = (struct registers *)opaque;

	registers->value = data << (offset + len);
}

static const struct mregion_constraints any = MREGION_ANY_ACCESS;

/* An operation: its union has no name. */
static struct mregion_op create(void)
{
	struct mregion_op op;

	memset(&op, 0, sizeof(op));
	op.code = MREGION_OP_CREATE;
	op.create.kind = MREGION_MMIO;
	op.create.len = sizeof(struct registers);
	op.create.constraints = any;
	return op;
}

/* A view: its array has no length. */
static uint64_t sum(struct mregion_space *space)
{
	struct mregion_view *view = mregion_space_view(space);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; view && i < view->nr; i++)
		sum += view->ranges[i].last - view->ranges[i].start;
	return sum;
}

int main(void)
{
	struct mregion_machine *machine = mregion_machine_open(NULL);
	struct mregion_region *region;
	struct mregion_space *space;
	struct registers registers;

	memset(&registers, 0, sizeof(registers));
	registers.ops.read = registers_read;
	registers.ops.write = registers_write;
	registers.ops.constraints = any;
	region = mregion_new_mmio(machine, "registers", 8, &registers.ops,
				  &registers);
	space = mregion_new_space(machine, MREGION_BUS_MEMORY, region,
				  MREGION_POLICY_ONES);
	return (int)(sum(space) + create().code + MREGION_INFO + MREGION_COMMIT);
}
