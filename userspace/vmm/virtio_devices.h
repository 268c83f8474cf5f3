/* SPDX-License-Identifier: MIT */
/* The virtio devices that were asked for, and in which process each one is */
#ifndef VMM_VIRTIO_DEVICES_H
#define VMM_VIRTIO_DEVICES_H

#include <stdbool.h>

#include "blk_server.h"
#include "virtio.h"
#include "virtio_blk.h"
#include "virtio_pci.h"

struct irqfds;
struct loop;
struct mregion_machine;
struct mregion_region;
struct mregion_space;

/**
 * struct virtio_options - which devices there are to be
 * @blk: path of the block device's file, or NULL for none
 * @blk_readonly: the guest must not write it
 * @blk_server: it is a process of its own
 * @blk_takeover: if that dies, go on with the disk here
 * @rng: there is an entropy device
 */
struct virtio_options {
	const char *blk;
	bool blk_readonly;
	bool blk_server;
	bool blk_takeover;
	bool rng;
};

/**
 * struct device_dma - how a device gets at memory here
 * @space: what it sees
 * @ram: the memory in there
 * @framebuffer: more of it, or NULL
 */
struct device_dma {
	struct mregion_space *space;
	struct mregion_region *ram;
	struct mregion_region *framebuffer;
};

struct virtio_devices {
	struct virtio_options options;
	struct mregion_region *ram;	/* the memory that they access */
	struct mregion_region *framebuffer;	/* and more, or NULL */

	struct virtio_blk blk;
	struct virtio blk_virtio;	/* not in use while a process has it */
	struct virtio_pci blk_pci;
	struct blk_server blk_server;
	struct mregion_server *server;
	struct mregion_holder *holder;	/* of what @blk_pci sees: the process */
	struct device_dma blk_dma;
	int server_fd;

	struct device_dma rng_dma;
	struct virtio rng_virtio;
	struct virtio_pci rng_pci;
};

/**
 * virtio_devices_open() - open files and make processes; reports what is wrong
 *
 * Before there is any thread. Call virtio_devices_exit() also after an error.
 */
int virtio_devices_open(struct virtio_devices *devices,
			const struct virtio_options *options);

/**
 * virtio_devices_add() - put them on a PCI bus
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int virtio_devices_add(struct virtio_devices *devices, struct pci_bus *bus,
		       struct irqfds *irqfds, unsigned int nr_vcpus);

/**
 * virtio_devices_start() - let them run; reports what is wrong
 * @devices: the devices, on a bus
 * @ram: the region of its RAM
 * @framebuffer: other memory that devices get at, or NULL
 * @loop: the main loop
 */
int virtio_devices_start(struct virtio_devices *devices,
			 struct mregion_region *ram,
			 struct mregion_region *framebuffer, struct loop *loop);

/** virtio_devices_quiesce() - let them begin nothing more; any thread */
void virtio_devices_quiesce(struct virtio_devices *devices);

/**
 * virtio_devices_pause() - have them leave memory alone, until
 * virtio_devices_resume(); any thread but theirs
 */
void virtio_devices_pause(struct virtio_devices *devices);
void virtio_devices_resume(struct virtio_devices *devices);

/** virtio_devices_stop() - no vCPU runs; before the machine is closed */
void virtio_devices_stop(struct virtio_devices *devices);

/** virtio_devices_exit() - after the machine is closed */
void virtio_devices_exit(struct virtio_devices *devices);

#endif /* VMM_VIRTIO_DEVICES_H */
