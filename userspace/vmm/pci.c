// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include <mregion.h>

#include "pci.h"
#include "report.h"

#define BAR_OFFSET(index)	(PCI_BASE_ADDRESS_0 + 4 * (index))
#define BAR_FLAG_BITS		0xfULL

uint16_t pci_get16(const struct pci_function *function, unsigned int offset)
{
	uint16_t value;

	memcpy(&value, function->config + offset, sizeof(value));
	return value;
}

uint32_t pci_get32(const struct pci_function *function, unsigned int offset)
{
	uint32_t value;

	memcpy(&value, function->config + offset, sizeof(value));
	return value;
}

void pci_set16(struct pci_function *function, unsigned int offset,
	       uint16_t value)
{
	memcpy(function->config + offset, &value, sizeof(value));
}

void pci_set32(struct pci_function *function, unsigned int offset,
	       uint32_t value)
{
	memcpy(function->config + offset, &value, sizeof(value));
}

void pci_bus_init(struct pci_bus *bus, struct mregion_machine *machine,
		  struct mregion_region *memory,
		  struct mregion_region *system)
{
	pthread_mutex_init(&bus->lock, NULL);
	bus->machine = machine;
	bus->memory = memory;
	bus->system = system;
}

void pci_bus_exit(struct pci_bus *bus)
{
	/* Not initialised unless the machine got that far. */
	if (bus->machine)
		pthread_mutex_destroy(&bus->lock);
	bus->machine = NULL;
}

int pci_function_add(struct pci_bus *bus, struct pci_function *function,
		     const struct pci_identity *identity)
{
	uint8_t *writable = function->writable;

	if (bus->nr == PCI_MAX_DEVICES) {
		report("too many PCI devices: %u are possible",
		       PCI_MAX_DEVICES);
		return -REPORTED;
	}

	function->bus = bus;
	function->device = bus->nr;
	function->used = PCI_STD_HEADER_SIZEOF;
	pci_set16(function, PCI_VENDOR_ID, identity->vendor);
	pci_set16(function, PCI_DEVICE_ID, identity->device);
	pci_set32(function, PCI_CLASS_REVISION,
		  identity->class << 8 | identity->revision);
	pci_set16(function, PCI_SUBSYSTEM_VENDOR_ID,
		  identity->subsystem_vendor);
	pci_set16(function, PCI_SUBSYSTEM_ID, identity->subsystem);

	writable[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	writable[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
	/* A note that the guest makes to itself. */
	writable[PCI_INTERRUPT_LINE] = 0xff;

	bus->functions[bus->nr++] = function;
	return 0;
}

int pci_add_bar(struct pci_function *function, unsigned int index,
		struct mregion_region *region, uint64_t size)
{
	struct pci_bar *bar = &function->bars[index];
	uint64_t mask = ~(size - 1);
	int error;

	error = mregion_set_enabled(region, false);
	if (!error)
		error = mregion_map(function->bus->memory, region, 0, 0);
	if (error)
		return error;

	bar->region = region;
	bar->size = size;
	/* The guest finds the size by which bits it cannot set. */
	memcpy(function->writable + BAR_OFFSET(index), &mask, sizeof(mask));
	pci_set32(function, BAR_OFFSET(index), PCI_BASE_ADDRESS_MEM_TYPE_64);
	return 0;
}

int pci_add_capability(struct pci_function *function, const void *body,
		       unsigned int len)
{
	unsigned int offset = function->used;

	/* Capabilities begin at multiples of 4. */
	if (offset + len > PCI_CONFIG_SIZE) {
		report("a PCI device has too many capabilities");
		return -REPORTED;
	}
	memcpy(function->config + offset, body, len);
	function->config[offset + PCI_CAP_LIST_NEXT] = 0;
	if (function->last_capability)
		function->config[function->last_capability +
				 PCI_CAP_LIST_NEXT] = offset;
	else
		function->config[PCI_CAPABILITY_LIST] = offset;
	function->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	function->last_capability = offset;
	function->used = (offset + len + 3) & ~3u;
	return offset;
}

void pci_mirror(struct pci_function *function, uint8_t *mirror)
{
	memcpy(mirror, function->config, PCI_CONFIG_SIZE);
	function->mirror = mirror;
}

unsigned int pci_mirrored(const struct pci_function *function, unsigned int end,
			  struct pci_part parts[2])
{
	const unsigned int window = function->window.offset;

	parts[0] = (struct pci_part){ 0, end };
	if (!window)
		return 1;
	parts[0].end = window;
	parts[1] = (struct pci_part){ window + PCI_WINDOW_SIZE, end };
	return 1 + (parts[1].from < end);
}

/* A store of the access's own size: the guest is never shown half of one. */
static void update_mirror(struct pci_function *function, unsigned int offset,
			  unsigned int len)
{
	uint8_t *to = function->mirror + offset;

	if (len == 4)
		__atomic_store_n((uint32_t *)to,
				 pci_get32(function, offset),
				 __ATOMIC_RELEASE);
	else if (len == 2)
		__atomic_store_n((uint16_t *)to,
				 pci_get16(function, offset),
				 __ATOMIC_RELEASE);
	else
		__atomic_store_n(to, function->config[offset],
				 __ATOMIC_RELEASE);
}

void pci_set_byte(struct pci_function *function, unsigned int offset,
		  uint8_t value)
{
	function->config[offset] = value;
	if (function->mirror)
		update_mirror(function, offset, 1);
}

/* Where the guest has put a BAR; false where it cannot be meant to be seen. */
static bool bar_addr(const struct pci_function *function, unsigned int index,
		     uint64_t *addr)
{
	const struct pci_bar *bar = &function->bars[index];

	if (!(function->config[PCI_COMMAND] & PCI_COMMAND_MEMORY))
		return false;
	*addr = pci_get32(function, BAR_OFFSET(index)) |
		(uint64_t)pci_get32(function, BAR_OFFSET(index + 1)) << 32;
	*addr &= ~BAR_FLAG_BITS;
	/* 0 is what nobody has set; the other end is what sizing leaves. */
	return *addr && *addr <= -bar->size - 1;
}

static void update_bar(struct pci_function *function, unsigned int index)
{
	struct mregion_machine *machine = function->bus->machine;
	struct pci_bar *bar = &function->bars[index];
	uint64_t addr = bar->addr;
	bool enabled = bar_addr(function, index, &addr);

	if (!enabled)
		addr = bar->addr;
	if (enabled == bar->enabled && addr == bar->addr)
		return;

	/* Never seen at the old place after it is enabled for the new one. */
	mregion_begin(machine);
	if (addr != bar->addr)
		mregion_move(bar->region, addr);
	if (enabled != bar->enabled)
		mregion_set_enabled(bar->region, enabled);
	if (mregion_commit(machine)) {
		report("cannot move a PCI device's registers: %s",
		       mregion_error());
		return;
	}
	bar->addr = addr;
	bar->enabled = enabled;
}

/* Whether @len bytes from @offset on touch @size bytes from @what on. */
static bool touches(unsigned int offset, unsigned int len, unsigned int what,
		    unsigned int size)
{
	return offset < what + size && what < offset + len;
}

static void function_write(struct pci_function *function, unsigned int offset,
			   uint32_t data, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++, data >>= 8) {
		uint8_t mask = function->writable[offset + i];
		uint8_t *byte = &function->config[offset + i];

		*byte = (*byte & ~mask) | (data & mask);
	}

	if (function->mirror)
		update_mirror(function, offset, len);

	if (touches(offset, len, PCI_COMMAND, 2) ||
	    touches(offset, len, PCI_BASE_ADDRESS_0, 4 * PCI_NR_BARS))
		for (i = 0; i < PCI_NR_BARS; i++)
			if (function->bars[i].region)
				update_bar(function, i);
	if (function->written)
		function->written(function, offset, len);
}

static struct pci_function *find(struct pci_bus *bus, unsigned int device,
				 unsigned int offset, unsigned int len)
{
	if (device >= PCI_MAX_DEVICES || offset + len > PCI_CONFIG_SIZE)
		return NULL;
	return bus->functions[device];
}

static bool touches_window(const struct pci_function *function,
			   unsigned int offset, unsigned int len)
{
	const struct pci_window *window = &function->window;

	return window->offset &&
	       touches(offset, len, window->offset, PCI_WINDOW_SIZE);
}

uint32_t pci_config_read(struct pci_bus *bus, unsigned int device,
			 unsigned int offset, unsigned int len)
{
	struct pci_function *function = find(bus, device, offset, len);
	uint32_t value = 0;

	if (!function)
		return ~0u;
	if (touches_window(function, offset, len))
		function->window.read(function->window.opaque);
	pthread_mutex_lock(&bus->lock);
	memcpy(&value, function->config + offset, len);
	pthread_mutex_unlock(&bus->lock);
	return value;
}

void pci_config_write(struct pci_bus *bus, unsigned int device,
		      unsigned int offset, uint32_t data, unsigned int len)
{
	struct pci_function *function = find(bus, device, offset, len);

	if (!function)
		return;
	pthread_mutex_lock(&bus->lock);
	function_write(function, offset, data, len);
	pthread_mutex_unlock(&bus->lock);
	if (touches_window(function, offset, len))
		function->window.write(function->window.opaque);
}
