// SPDX-License-Identifier: GPL-2.0
/*
 * A machine with something of each kind, to be looked at from outside; with an argument
 * "small" one of a few regions, and of no virtual machine, whose commits take little time.
 * Reads what to do from standard input, a line each, and answers each with a line:
 *
 *	commit N	make N commits: two regions go to and fro. "GENERATION"
 *	write S A L N	write N times L bytes to address A of space S. "ok"
 *	busy S A L	write all the time, until the next line. "ok"
 *	fast		make commits all the time, until the next line. "ok"
 *	die		close the server. "ok"
 *	end		close the machine, and end
 *
 * Begins with a line "ready", and "vm" if it is attached to a virtual machine.
 */
#include <poll.h>

#include <linux/kvm.h>

#include "mregion_util.h"

#define REGISTERS	5
#define SERVED		8
#define MOVING		15
#define LOOSE		17
#define RING		1
#define SHADOW		1
#define SERVER		1

static struct mregion_op named(struct mregion_op op, const char *name)
{
	memset(op.create.name, 0, sizeof(op.create.name));
	strncpy(op.create.name, name, sizeof(op.create.name) - 1);
	return op;
}

static struct mregion_op ruled(struct mregion_rule rule)
{
	struct mregion_op op = mr_op(MREGION_OP_RULE_ADD, REGISTERS);

	op.rule = rule;
	return op;
}

static int build(int fd, int *server_fd)
{
	struct mregion_server_create server = {
		.size = sizeof(server),
		.id = SERVER,
		.nr_slots = 2,
		.eventfd = -1,
	};
	struct mregion_shadow_create shadow = {
		.size = sizeof(shadow),
		.id = SHADOW,
		.len = MR_PAGE,
	};
	struct mregion_op memory = mr_create(2, MREGION_RAM, 0x1000000);
	struct mregion_op set_server = mr_op(MREGION_OP_SET_SERVER, SERVED);
	struct mr_ring ring;
	uint32_t failed;
	int err, memfd;

	memfd = memfd_create("memory", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, 0x1000000))
		return -errno;
	memory.create.backing = MREGION_BACKING_FD;
	memory.create.fd = memfd;
	set_server.set_server.server = SERVER;
	err = mr_ring_create(fd, RING, 4, -1, 0, 0, &ring);
	if (!err)
		err = mr_ioctl(fd, MREGION_SHADOW_CREATE, &shadow);
	if (!err)
		err = mr_ioctl(fd, MREGION_SERVER_CREATE, &server);
	if (err)
		return err;
	*server_fd = server.fd;
	const struct mregion_op ops[] = {
		named(mr_container(1, 0), "system"),
		named(memory, "memory"),
		named(mr_mmio(3, 0x20000), "vga"),
		named(mr_container(4, 0x10000000), "pci"),
		named(mr_mmio(REGISTERS, 0x100), "uart"),
		named(mr_create(6, MREGION_ROM, 0x10000), "bios"),
		named(mr_alias(7, 2, 0x800000, 0x100000), "memory-high"),
		named(mr_mmio(SERVED, 0x1000), "served"),
		named(mr_flags(mr_mmio(9, 0x1000), MREGION_REGION_DISABLED),
		      "hidden"),
		/* An a with an umlaut; a byte that is none; a quote. */
		named(mr_mmio(10, 0x10), "\xc3\xa4 \xff\"\\"),
		named(mr_container(11, 0x10000), "ports"),
		named(mr_mmio(12, 8), "port"),
		named(mr_flags(mr_alias(13, 2, 0, 0x1000),
			       MREGION_REGION_READONLY), "memory-ro"),
		named(mr_create(14, MREGION_RESERVATION, 0x1000), "apic"),
		named(mr_mmio(MOVING, 0x10), "moving"),
		named(mr_container(16, 0x1000), "loose"),
		named(mr_mmio(LOOSE, 0x10), "in loose"),
		mr_map(2, 1, 0, 0),
		mr_map(3, 1, 0xa0000, 1),
		mr_map(4, 1, 0xe0000000, 0),
		mr_map(REGISTERS, 4, 0x1000, 0),
		mr_map(6, 1, 0xffff0000, -1),
		mr_map(7, 1, 0x100000000, 0),
		mr_map(SERVED, 4, 0x2000, 0),
		mr_map(9, 4, 0x3000, 0),
		mr_map(10, 4, 0x4000, 0),
		mr_map(12, 11, 0x3f8, 0),
		mr_map(13, 1, 0x200000000, 0),
		mr_map(14, 1, 0xfee00000, 0),
		mr_map(MOVING, 4, 0x5000, 0),
		mr_map(LOOSE, 16, 0x500, 0),
		ruled((struct mregion_rule){
			.kind = MREGION_RULE_COALESCE, .ring = RING, .len = 8,
		}),
		ruled((struct mregion_rule){
			.kind = MREGION_RULE_DOORBELL, .offset = 0x10, .len = 4,
			.flags = MREGION_RULE_DATAMATCH, .datamatch = 0x1234,
			.access_len = 4, .eventfd = new_eventfd(),
		}),
		ruled((struct mregion_rule){
			.kind = MREGION_RULE_SHADOW, .offset = 0x40, .len = 8,
			.flags = MREGION_RULE_READ | MREGION_RULE_WRITE,
			.shadow = SHADOW, .shadow_offset = 0x80,
		}),
		ruled((struct mregion_rule){
			.kind = MREGION_RULE_SHADOW, .offset = 0x48, .len = 4,
			.flags = MREGION_RULE_READ | MREGION_RULE_INDEXED,
			.shadow = SHADOW, .shadow_offset = 0x100,
			.index = {
				.shadow = SHADOW, .offset = 0x80, .len = 4,
				.bits = 0x80fffffc, .first = 0x80000000,
				.last = 0x8000fffc, .select = 0xfc,
			},
		}),
		ruled((struct mregion_rule){
			.kind = MREGION_RULE_SHADOW, .offset = 0x50, .len = 4,
			.flags = MREGION_RULE_READ | MREGION_RULE_INDEXED,
			.shadow = SHADOW, .shadow_offset = 0x200,
			.access_len = 4,
			.index = {
				.shadow = SHADOW, .offset = 0x84, .len = 1,
				.bits = 0xff, .first = 0x10, .last = 0x3f,
				.select = 0x3f, .shift = 2,
			},
		}),
		set_server,
		mr_space(1, 1),
		mr_pio_space(2, 11),
		mr_space_op(MREGION_OP_SPACE_CREATE, 3, 4, MREGION_BUS_MEMORY,
			    MREGION_POLICY_ONES)
	};

	err = mr_commit_flags(fd, ops, sizeof(ops) / sizeof(ops[0]), 0, &failed);
	if (err)
		printf("operation %u: ", failed);
	return err;
}

static int build_small(int fd)
{
	return COMMIT(fd, mr_container(1, 0x10000), mr_mmio(MOVING, 0x10),
		      mr_mmio(LOOSE, 0x10), mr_map(MOVING, 1, 0x5000, 0),
		      mr_map(LOOSE, 1, 0x500, 0), mr_space(1, 1));
}

/* Without KVM there is no virtual machine, and one test less. Space 3 is seen in SMM. */
static bool attach(int fd)
{
	struct mregion_attach attach = { .size = sizeof(attach), .memory = 1,
					 .pio = 2 };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

#ifdef __x86_64__
	attach.smm = 3;
#endif
	attach.vm_fd = kvm < 0 ? -1 : mr_create_vm(kvm);
	return attach.vm_fd >= 0 && !mr_ioctl(fd, MREGION_ATTACH, &attach);
}

static int move(int fd, unsigned long nr)
{
	static uint64_t offset = 0x5000;

	while (nr--) {
		int err;

		offset ^= 0x3000;
		err = COMMIT(fd, mr_move(MOVING, offset),
			     mr_move(LOOSE, offset / 16));
		if (err)
			return err;
	}
	return 0;
}

static uint64_t generation(int fd)
{
	struct mregion_regions list = { .size = sizeof(list), .first = 1,
		.region_size = sizeof(struct mregion_region_info) };

	mr_ioctl(fd, MREGION_REGIONS, &list);
	return list.generation;
}

static bool input(void)
{
	struct pollfd pollfd = { .fd = 0, .events = POLLIN };

	return poll(&pollfd, 1, 0) > 0;
}

static int run(int fd, int server_fd, const char *line)
{
	struct mregion_access access;
	unsigned long nr, space, address, len;
	int err = 0;

	if (sscanf(line, "commit %lu", &nr) == 1) {
		err = move(fd, nr);
		if (!err)
			printf("%llu\n", (unsigned long long)generation(fd));
		return err;
	}
	if (sscanf(line, "write %lu %li %lu %lu", &space, &address, &len,
		   &nr) == 4) {
		while (nr-- && !err)
			err = mr_write(fd, space, address, len, 0x1234,
				       &access);
	} else if (sscanf(line, "busy %lu %li %lu", &space, &address,
			  &len) == 3) {
		puts("ok");
		while (!input() && !err)
			err = mr_write(fd, space, address, len, 0x1234,
				       &access);
		return err;
	} else if (!strcmp(line, "fast\n")) {
		puts("ok");
		while (!input() && !err)
			err = move(fd, 1);
		return err;
	} else if (!strcmp(line, "die\n")) {
		close(server_fd);
	} else {
		err = -EINVAL;
	}
	if (!err)
		puts("ok");
	return err;
}

int main(int argc, char **argv)
{
	bool small = argc > 1 && !strcmp(argv[1], "small");
	int fd = mr_open(), server_fd = -1, err = fd;
	char line[256];

	if (fd >= 0)
		err = small ? build_small(fd) : build(fd, &server_fd);
	if (err < 0) {
		printf("cannot be built: %s\n", strerror(-err));
		return 1;
	}
	/* No buffer: what has not been read is to be seen by poll(). */
	setvbuf(stdin, NULL, _IONBF, 0);
	puts(!small && attach(fd) ? "ready vm" : "ready");
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "end\n")) {
		err = run(fd, server_fd, line);
		if (err)
			printf("failed: %s: %s", strerror(-err), line);
	}
	return 0;
}
