// SPDX-License-Identifier: MIT
/*
 * The rules that save a PC's VMM most of its exits: a serial port's transmit and line
 * status registers, and the ports of PCI's configuration. They are tried out without a
 * virtual machine.
 *
 *	make recipes && ./recipes
 */
#include <err.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
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
	uint8_t *memory;		/* shadow memory */
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

/* Begin of PCI's ports. */
/* In shadow memory: bus 0, 256 bytes a function; a function of all other buses; the index. */
#define PCI_NONE	0x10000
#define PCI_INDEX	(PCI_NONE + 0x100)
#define PCI_MEMORY	(PCI_INDEX + 4)
#define PCI_ENABLE	0x80000000

static _Atomic uint32_t *pci_index(const struct pci_host *host)
{
	return (_Atomic uint32_t *)(host->memory + PCI_INDEX);
}

/* What guests write to a function; this one's registers are all read-only. */
static void pci_configure(uint32_t index, uint64_t data, unsigned int len)
{
	printf("pci: %#llx, %u byte(s), to register %#x\n", (unsigned long long)data,
	       len, index);
}

/* The index comes here only where the kernel does not store it. */
static void pci_write(void *opaque, uint64_t offset, uint64_t data,
		      unsigned int len)
{
	struct pci_host *host = opaque;

	if (offset >= 4)
		pci_configure(*pci_index(host) + offset - 4, data, len);
	else if (!offset && len == 4)
		*pci_index(host) = data;
}

/* Called for disabled indices; and for all, where the module has no data registers. */
static uint64_t pci_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct pci_host *host = opaque;
	uint32_t index = *pci_index(host), data = UINT32_MAX;

	if (!offset && len == 4)
		return index;
	if (offset >= 4 && index & PCI_ENABLE)
		memcpy(&data, host->memory + (index & 0xfc) + offset - 4 +
		       (index & 0xff0000 ? PCI_NONE : index & 0xff00), len);
	return data;
}

static const struct mregion_ops pci_ops = {
	.read = pci_read,
	.write = pci_write,
	.constraints = { .valid_max = 4, .impl_max = 4 },
};

static void pci_rules(struct pci_host *host, struct mregion_region *region,
		      struct mregion_shadow *shadow)
{
	const struct mregion_pair pair = {
		.kind = MREGION_PAIR_PCI,
		.index = shadow,
		.index_offset = PCI_INDEX,
	};

	/* No function is there yet. */
	host->memory = mregion_shadow_ptr(shadow);
	memset(host->memory, 0xff, PCI_INDEX);

	mregion_add_pair(region, &pair);
	mregion_show_in_pair(region, &pair, mregion_pci_index(0, 0, 0),
			     mregion_pci_index(0, 31, 7) + 0xff, 0xffff,
			     shadow, 0);
	mregion_show_in_pair(region, &pair, mregion_pci_index(1, 0, 0),
			     mregion_pci_index(255, 31, 7) + 0xff, 0xff,
			     shadow, PCI_NONE);
}
/* End of PCI's ports. */

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
	struct mregion_shadow *config = mregion_new_shadow(machine, PCI_MEMORY);
	struct mregion_region *ports, *uart, *pci, *reset;
	struct mregion_space *space;

	if (!ring || !shadow || !config)
		errx(1, "%s", mregion_error());
	mregion_begin(machine);
	ports = mregion_new_container(machine, "ports", 0x10000);
	uart = mregion_new_mmio(machine, "serial", 8, &serial_ops, serial);
	pci = mregion_new_mmio(machine, "pci-config", 8, &pci_ops, host);
	reset = mregion_new_mmio(machine, "reset", 1, &reset_ops, NULL);
	mregion_map(ports, uart, SERIAL, 0);
	mregion_map(ports, pci, PCI_ADDRESS, 0);
	mregion_map(ports, reset, RESET_CONTROL, 1);
	serial_rules(serial, uart, ring, shadow);
	pci_rules(host, pci, config);
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
	static const uint8_t ids[] = { 0xf4, 0x1a, 0x00, 0x10 };
	uint32_t value = 0x00100007;

	if (!machine)
		errx(1, "%s", mregion_error());
	space = build(machine, &serial, &host);
	memcpy(host.memory + (1 << 11), ids, sizeof(ids));

	try(machine, space, "outb 'A' to 0x3f8", SERIAL, 1, true, 'A');
	try(machine, space, "inb from 0x3fd", SERIAL + SERIAL_STATUS, 1, false, 0);
	serial_set_status(&serial, true);
	try(machine, space, "inb from 0x3fd", SERIAL + SERIAL_STATUS, 1, false, 0);
	try(machine, space, "inb from 0x3f8", SERIAL, 1, false, 0);
	try(machine, space, "outl to 0xcf8", PCI_ADDRESS, 4, true, 0x80000800);
	try(machine, space, "inl from 0xcf8", PCI_ADDRESS, 4, false, 0);
	try(machine, space, "inl from 0xcfc", PCI_DATA, 4, false, 0);
	try(machine, space, "inw from 0xcfe", PCI_DATA + 2, 2, false, 0);
	try(machine, space, "outb to 0xcf9", RESET_CONTROL, 1, true, 6);
	try(machine, space, "outl to 0xcf8", PCI_ADDRESS, 4, true,
	    mregion_pci_index(0, 2, 0));
	try(machine, space, "inl from 0xcfc", PCI_DATA, 4, false, 0);
	try(machine, space, "outl to 0xcf8", PCI_ADDRESS, 4, true,
	    mregion_pci_index(0, 1, 0) + 4);
	try(machine, space, "outl to 0xcfc", PCI_DATA, 4, true, value);

	/* As the library resolves an access that exits: after what is in the ring. */
	if (mregion_space_write(space, PCI_DATA, &value, sizeof(value), NULL))
		errx(1, "%s", mregion_error());
	mregion_machine_close(machine);
	return 0;
}
