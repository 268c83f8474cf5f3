/* SPDX-License-Identifier: MIT */
/*
 * A PCI bus: its functions, their configuration space and base addresses
 *
 * A function is a device's face to the guest. It owns a region for each of its
 * memory BARs; the bus maps that region into the container of PCI's addresses
 * where the guest has put it, while the guest lets the function decode memory.
 */
#ifndef VMM_PCI_H
#define VMM_PCI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct mregion_machine;
struct mregion_region;

#define PCI_MAX_DEVICES		32	/* on a bus; each has one function */
#define PCI_CONFIG_SIZE		256
#define PCI_NR_BARS		6

struct pci_bus;

/** struct pci_bar - a 64-bit memory BAR; takes two of the header's six */
struct pci_bar {
	struct mregion_region *region;	/* NULL: not there */
	uint64_t size;			/* in bytes, a power of two */
	uint64_t addr;			/* where it is mapped now */
	bool enabled;
};

/**
 * struct pci_window - four bytes of configuration that show something else
 * @offset: of them, or 0 if there is none; a multiple of 4
 * @read: called before they are read, to put there what they show
 * @write: called after they were written
 * @opaque: for both, which are called without the bus's lock
 */
struct pci_window {
	unsigned int offset;
	void (*read)(void *opaque);
	void (*write)(void *opaque);
	void *opaque;
};

#define PCI_WINDOW_SIZE		4

/** struct pci_part - configuration from byte @from on, up to byte @end */
struct pci_part {
	unsigned int from, end;
};

/**
 * struct pci_function - a PCI function, number 0 of its device
 * @config: what the guest reads
 * @writable: the bits of it that the guest can change
 * @bars: by the index of their lower half
 * @mirror: if not NULL, where @config is read from without a call of ours; see
 *	pci_mirror()
 * @window: what cannot be read so
 * @written: if not NULL, called after the guest has written @len bytes from
 *	@offset on, with the bus's lock held
 */
struct pci_function {
	struct pci_bus *bus;
	unsigned int device;		/* its number on the bus */
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	struct pci_bar bars[PCI_NR_BARS];
	uint8_t *mirror;
	struct pci_window window;
	unsigned int used;		/* bytes of @config that are taken */
	unsigned int last_capability;	/* offset of it, or 0 */
	void (*written)(struct pci_function *function, unsigned int offset,
			unsigned int len);
};

struct pci_bus {
	struct mregion_machine *machine;
	struct mregion_region *memory;	/* container of PCI's addresses */
	struct mregion_region *system;	/* all that processors see */
	pthread_mutex_t lock;		/* of all configuration */
	struct pci_function *functions[PCI_MAX_DEVICES];
	unsigned int nr;
};

/** struct pci_identity - what a function says it is; see the PCI ID list */
struct pci_identity {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class;			/* class, subclass and interface */
	uint8_t revision;
};

void pci_bus_init(struct pci_bus *bus, struct mregion_machine *machine,
		  struct mregion_region *memory,
		  struct mregion_region *system);
void pci_bus_exit(struct pci_bus *bus);

/**
 * pci_function_add() - put a function on the bus, as its next device
 * @bus: the bus
 * @function: zeroed but for @written; must stay as long as the bus
 * @identity: what it is
 *
 * Before the guest runs. Reports what is wrong. Return: 0 or -REPORTED.
 */
int pci_function_add(struct pci_bus *bus, struct pci_function *function,
		     const struct pci_identity *identity);

/**
 * pci_add_bar() - give a function a 64-bit memory BAR
 * @function: the function
 * @index: of its lower half, 0, 2 or 4
 * @region: what is behind it; mapped nowhere yet
 * @size: its length in bytes, a power of two, 16 at least
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int pci_add_bar(struct pci_function *function, unsigned int index,
		struct mregion_region *region, uint64_t size);

/**
 * pci_add_capability() - append to a function's list of capabilities
 * @function: the function
 * @body: the capability; the link to the next one is filled in
 * @len: its length in bytes
 *
 * Reports what is wrong. Return: its offset in the configuration space, or
 * -REPORTED.
 */
int pci_add_capability(struct pci_function *function, const void *body,
		       unsigned int len);

/**
 * pci_mirror() - keep a copy of a function's configuration
 * @function: the function, with all it has added to it
 * @mirror: where to; PCI_CONFIG_SIZE bytes
 *
 * Reading configuration has no side effect, but for the function's window; so
 * the guest can be served from the copy anywhere else.
 */
void pci_mirror(struct pci_function *function, uint8_t *mirror);

/**
 * pci_mirrored() - the parts of configuration space that can be read from the copy
 * @function: the function, with all it has added to it
 * @end: of the space that the guest sees, in bytes
 * @parts: set to them
 *
 * Return: how many parts there are, 1 or 2: the function's window is in none.
 */
unsigned int pci_mirrored(const struct pci_function *function, unsigned int end,
			  struct pci_part parts[2]);

/**
 * pci_set_byte() - change a byte of configuration, and what shows it
 * @function: the function; the bus is locked
 */
void pci_set_byte(struct pci_function *function, unsigned int offset,
		  uint8_t value);

/** pci_config_read() - all-ones where no function is; any thread */
uint32_t pci_config_read(struct pci_bus *bus, unsigned int device,
			 unsigned int offset, unsigned int len);
void pci_config_write(struct pci_bus *bus, unsigned int device,
		      unsigned int offset, uint32_t data, unsigned int len);

/* Numbers in configuration space are little-endian, as is the host. */
uint16_t pci_get16(const struct pci_function *function, unsigned int offset);
uint32_t pci_get32(const struct pci_function *function, unsigned int offset);
void pci_set16(struct pci_function *function, unsigned int offset,
	       uint16_t value);
void pci_set32(struct pci_function *function, unsigned int offset,
	       uint32_t value);

#endif /* VMM_PCI_H */
