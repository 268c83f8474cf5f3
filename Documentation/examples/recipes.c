// SPDX-License-Identifier: MIT
/*
 * The rules that save a PC's VMM most of its exits: a serial port's transmit and line
 * status registers, and the address port of PCI's configuration. They are tried out
 * without a virtual machine.
 *
 *	make recipes && ./recipes
 */
#include <err.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <mregion.h>

#define SERIAL		0x3f8
#define SERIAL_TRANSMIT	0
#define SERIAL_STATUS	5
#define STATUS_DATA	0x01
#define STATUS_EMPTY	0x60	/* the transmitter */

#define PCI_ADDRESS	0xcf8
#define RESET_CONTROL	0xcf9
#define PCI_DATA	0xcfc

struct serial {
	_Atomic uint8_t *status;	/* in shadow memory */
};

struct pci_host {
	_Atomic uint32_t *address;	/* in shadow memory */
};

static uint64_t serial_read(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return 0;
}

static void serial_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	(void)opaque;
	(void)len;
	if (offset == SERIAL_TRANSMIT)
		printf("serial: '%c'\n", (char)data);
}

static const struct mregion_ops serial_ops = {
	.read = serial_read,
	.write = serial_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

/* The device calls this whenever its FIFO gets its first byte, or gives its last. */
static void serial_set_status(struct serial *serial, bool has_data)
{
	*serial->status = STATUS_EMPTY | (has_data ? STATUS_DATA : 0);
}

/* Begin of the serial port's rules. */
static void serial_rules(struct serial *serial, struct mregion_region *region,
			 struct mregion_ring *ring, struct mregion_shadow *shadow)
{
	uint8_t *memory = mregion_shadow_ptr(shadow);

	/* Sent characters are coalesced. Accesses that exit are handled after them. */
	mregion_coalesce(region, SERIAL_TRANSMIT, 1, ring);

	/* Reading the status has no effect on the device. */
	serial->status = (_Atomic uint8_t *)(memory + SERIAL_STATUS);
	serial_set_status(serial, false);
	mregion_add_shadow(region, SERIAL_STATUS, 1, shadow, SERIAL_STATUS,
			   MREGION_RULE_READ, -1);
}

/* Begin of PCI's address port. */
static uint64_t data_read(void *opaque, uint64_t offset, unsigned int len)
{
	const struct pci_host *host = opaque;
	uint32_t address = *host->address;

	(void)len;
	printf("pci: configuration of %#x, byte %u\n", address, (unsigned int)offset);
	return UINT32_MAX;
}

static const struct mregion_ops data_ops = {
	.read = data_read,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

/* The address is a register of 4 bytes, and nothing but a shadow. */
static const struct mregion_ops address_ops = {
	.constraints = { .valid_min = 4, .valid_max = 4 },
};

static void pci_rules(struct pci_host *host, struct mregion_region *region,
		      struct mregion_shadow *shadow, uint64_t shadow_offset)
{
	uint8_t *memory = mregion_shadow_ptr(shadow);

	host->address = (_Atomic uint32_t *)(memory + shadow_offset);
	mregion_add_shadow(region, 0, 4, shadow, shadow_offset,
			   MREGION_RULE_READ | MREGION_RULE_WRITE, -1);
}
/* End of PCI's address port. */

/* One byte, on top of the second byte of the address port. */
static void reset_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	printf("reset control: %#x\n", (unsigned int)data);
}

static const struct mregion_ops reset_ops = {
	.write = reset_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

static struct mregion_space *build(struct mregion_machine *machine,
				   struct serial *serial, struct pci_host *host)
{
	struct mregion_ring *ring = mregion_new_ring(machine, 1024, 512, 20000);
	struct mregion_shadow *shadow = mregion_new_shadow(machine, 4096);
	struct mregion_region *ports, *uart, *address, *data, *reset;
	struct mregion_space *space;

	if (!ring || !shadow)
		errx(1, "%s", mregion_error());
	mregion_begin(machine);
	ports = mregion_new_container(machine, "ports", 0x10000);
	uart = mregion_new_mmio(machine, "serial", 8, &serial_ops, serial);
	address = mregion_new_mmio(machine, "pci-address", 4, &address_ops, NULL);
	data = mregion_new_mmio(machine, "pci-data", 4, &data_ops, host);
	reset = mregion_new_mmio(machine, "reset", 1, &reset_ops, NULL);
	mregion_map(ports, uart, SERIAL, 0);
	mregion_map(ports, address, PCI_ADDRESS, 0);
	mregion_map(ports, data, PCI_DATA, 0);
	mregion_map(ports, reset, RESET_CONTROL, 1);
	serial_rules(serial, uart, ring, shadow);
	pci_rules(host, address, shadow, 8);
	space = mregion_new_space(machine, MREGION_BUS_PIO, ports,
				  MREGION_POLICY_ONES);
	if (mregion_commit(machine))
		errx(1, "%s", mregion_error());
	return space;
}

static const char *const outcomes[] = {
	[MREGION_OUTCOME_UNASSIGNED] = "unassigned",
	[MREGION_OUTCOME_REFUSED] = "refused",
	[MREGION_OUTCOME_COALESCED] = "coalesced",
	[MREGION_OUTCOME_EXIT] = "exit",
	[MREGION_OUTCOME_SHADOW] = "shadow",
};

/* An access on the path that a guest's takes; what becomes of it is printed. */
static void try(struct mregion_machine *machine, struct mregion_space *space,
		const char *what, uint64_t port, unsigned int len, bool write,
		uint64_t data)
{
	struct mregion_access access = {
		.size = sizeof(access),
		.space = mregion_space_id(space),
		.addr = port,
		.len = len,
		.flags = write ? MREGION_ACCESS_WRITE : 0,
		.data = data,
		.vcpu = MREGION_NO_VCPU,
	};

	if (ioctl(mregion_machine_fd(machine), MREGION_ACCESS, &access))
		err(1, "%s", what);
	printf("%-20s %s", what,
	       access.outcome < sizeof(outcomes) / sizeof(outcomes[0]) ?
	       outcomes[access.outcome] : "other");
	if (!write && access.handled)
		printf(", %#llx", (unsigned long long)access.data);
	putchar('\n');
}

int main(void)
{
	struct mregion_machine *machine = mregion_machine_open(NULL);
	struct mregion_space *space;
	struct pci_host host;
	struct serial serial;
	uint32_t value;

	if (!machine)
		errx(1, "%s", mregion_error());
	space = build(machine, &serial, &host);

	try(machine, space, "outb 'A' to 0x3f8", SERIAL, 1, true, 'A');
	try(machine, space, "inb from 0x3fd", SERIAL + SERIAL_STATUS, 1, false, 0);
	serial_set_status(&serial, true);
	try(machine, space, "inb from 0x3fd", SERIAL + SERIAL_STATUS, 1, false, 0);
	try(machine, space, "inb from 0x3f8", SERIAL, 1, false, 0);
	try(machine, space, "outl to 0xcf8", PCI_ADDRESS, 4, true, 0x80000800);
	try(machine, space, "inl from 0xcf8", PCI_ADDRESS, 4, false, 0);
	try(machine, space, "outb to 0xcf8", PCI_ADDRESS, 1, true, 0);
	try(machine, space, "outb to 0xcf9", RESET_CONTROL, 1, true, 6);
	try(machine, space, "inl from 0xcfc", PCI_DATA, 4, false, 0);

	/* As the library resolves an access that exits: after what is in the ring. */
	if (mregion_space_read(space, PCI_DATA, &value, sizeof(value), NULL))
		errx(1, "%s", mregion_error());
	mregion_machine_close(machine);
	return 0;
}
