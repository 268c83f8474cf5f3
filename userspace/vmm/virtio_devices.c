// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <mregion.h>

#include "framebuffer.h"
#include "report.h"
#include "virtio_devices.h"
#include "virtio_rng.h"

/*
 * How long a vCPU looks for a server's answer before it sleeps, in
 * microseconds; and how long one may take until the server is given up.
 */
#define SPIN_USECS		20
#define TIMEOUT_USECS		10000000

static void *space_ptr(void *opaque, uint64_t addr, size_t *len, bool write)
{
	const struct device_dma *dma = opaque;

	/*
	 * Good until that address is something else, which RAM becomes below 1 MiB alone
	 * (see pam.h): what a driver has there, a device goes on using as it was.
	 */
	return mregion_space_ptr(dma->space, addr, len, write);
}

static bool is_in(const struct mregion_region *region, uint64_t size,
		  const uint8_t *ptr)
{
	const uint8_t *first = mregion_ram_ptr(region);

	return ptr >= first && ptr < first + size;
}

/* Memory that @ptr can be in is RAM's, or the framebuffer's. */
static void space_mark(void *opaque, const void *ptr, size_t len)
{
	const struct device_dma *dma = opaque;
	struct mregion_region *region = dma->ram;
	const uint8_t *first;

	if (dma->framebuffer && is_in(dma->framebuffer, FRAMEBUFFER_SIZE, ptr))
		region = dma->framebuffer;
	first = mregion_ram_ptr(region);
	mregion_mark(region, (const uint8_t *)ptr - first, len);
}

int virtio_devices_open(struct virtio_devices *devices,
			const struct virtio_options *options)
{
	int error;

	devices->options = *options;
	devices->blk.fd = -1;
	devices->server_fd = -1;
	if (!options->blk)
		return 0;
	error = virtio_blk_open(&devices->blk, options->blk,
				options->blk_readonly);
	if (!error && options->blk_server)
		error = blk_server_fork(&devices->blk_server, &devices->blk);
	return error;
}

static int add_blk(struct virtio_devices *devices, struct pci_bus *bus,
		   struct irqfds *irqfds, unsigned int nr_vcpus)
{
	struct virtio_face face;
	struct virtio_pci_params params = {
		.type = &virtio_blk_type,
		.face = &face,
	};

	virtio_blk_face(&devices->blk, &face);
	virtio_init(&devices->blk_virtio, params.type, &face, &devices->blk);
	params.virtio = &devices->blk_virtio;
	if (devices->options.blk_server) {
		devices->server = mregion_new_server(bus->machine, nr_vcpus,
						     SPIN_USECS, TIMEOUT_USECS,
						     &devices->server_fd);
		if (!devices->server)
			return -errno;
		params.server = devices->server;
		params.master = &devices->blk_server.shared->master;
	}
	return virtio_pci_init(&devices->blk_pci, bus, irqfds, &params);
}

static int add_rng(struct virtio_devices *devices, struct pci_bus *bus,
		   struct irqfds *irqfds)
{
	const struct virtio_face face = {};
	const struct virtio_pci_params params = {
		.type = &virtio_rng_type,
		.face = &face,
		.virtio = &devices->rng_virtio,
	};

	virtio_init(&devices->rng_virtio, params.type, &face, NULL);
	return virtio_pci_init(&devices->rng_pci, bus, irqfds, &params);
}

int virtio_devices_add(struct virtio_devices *devices, struct pci_bus *bus,
		       struct irqfds *irqfds, unsigned int nr_vcpus)
{
	int error = 0;

	if (devices->options.blk)
		error = add_blk(devices, bus, irqfds, nr_vcpus);
	if (!error && devices->options.rng)
		error = add_rng(devices, bus, irqfds);
	return error;
}

static struct virtio_wires wires_here(struct virtio_devices *devices,
				      const struct virtio_pci *pci)
{
	struct device_dma *dma = pci == &devices->blk_pci ? &devices->blk_dma :
							    &devices->rng_dma;
	struct virtio_wires wires = {
		.dma = {
			.ptr = space_ptr,
			.mark = space_mark,
			.opaque = dma,
		},
		.master = &pci->master,
	};
	unsigned int i;

	*dma = (struct device_dma){
		.space = pci->dma.space,
		.ram = devices->ram,
		.framebuffer = devices->framebuffer,
	};
	memcpy(wires.kicks, pci->kicks, sizeof(wires.kicks));
	for (i = 0; i < VIRTIO_MAX_VECTORS; i++)
		wires.irqs[i] = msix_fd(&pci->msix, i);
	return wires;
}

static int start_here(struct virtio_devices *devices, struct virtio *virtio,
		      const struct virtio_pci *pci)
{
	const struct virtio_wires wires = wires_here(devices, pci);
	int error = virtio_start(virtio, &wires);

	if (error)
		report("cannot start the device %s: %s", virtio->type->name,
		       strerror(-error));
	return error;
}

static struct virtio_devices *devices_of(struct virtio *blk_virtio)
{
	return (struct virtio_devices *)((char *)blk_virtio -
		offsetof(struct virtio_devices, blk_virtio));
}

/* It writes nothing more; what it was at counts as written. */
static void end_process(struct virtio_devices *devices)
{
	blk_server_kill(&devices->blk_server);
	mregion_holder_free(devices->holder);
	devices->holder = NULL;
}

/*
 * The process has died, or has not answered in time and must not go on. What
 * made an end of it may have been the guest: it shall not get at the VMM so.
 */
static void lose_blk(struct virtio *virtio)
{
	struct virtio_devices *devices = devices_of(virtio);

	end_process(devices);
	report("the block device's process has ended: its disk is broken from now on");
	virtio_lose(virtio, &devices->blk_server.shared->virtio);
}

/* The same, if it is more important that the guest goes on. */
static void take_blk_over(struct virtio *virtio)
{
	struct virtio_devices *devices = devices_of(virtio);
	const struct virtio_wires wires = wires_here(devices,
						     &devices->blk_pci);
	int error;

	end_process(devices);
	report("the block device's process has ended: its disk is emulated here from now on");
	error = virtio_inherit(virtio, &wires, &devices->blk_server.shared->virtio);
	if (error)
		report("cannot start the device %s: %s", virtio->type->name,
		       strerror(-error));
}

static void blk_server_ended(void *opaque)
{
	struct virtio_devices *devices = opaque;

	virtio_lock(&devices->blk_virtio);
	pthread_mutex_unlock(&devices->blk_virtio.lock);
}

static int start_server(struct virtio_devices *devices, struct loop *loop)
{
	const struct virtio_pci *pci = &devices->blk_pci;
	struct blk_server_setup setup = {
		.server_fd = devices->server_fd,
		.kick = pci->kicks[0],
	};
	unsigned int i;
	int error;

	devices->holder = mregion_new_holder(pci->dma.space,
					     MREGION_VIEW_OPEN_READ |
					     MREGION_VIEW_OPEN_WRITE,
					     &setup.view_fd);
	if (!devices->holder) {
		report("cannot open the view of memory: %s", mregion_error());
		return -errno;
	}
	for (i = 0; i < VIRTIO_MAX_VECTORS; i++)
		setup.irqs[i] = msix_fd(&pci->msix, i);
	for (i = 0; i < VIRTIO_NR_PARTS; i++)
		setup.regions[i] = mregion_id(pci->parts[i]);
	/* A notification needs no more than these, even of a dead process. */
	devices->blk_virtio.wires = wires_here(devices, pci);
	devices->blk_virtio.take_over = devices->options.blk_takeover ?
					take_blk_over : lose_blk;
	error = blk_server_start(&devices->blk_server, &setup, loop,
				 blk_server_ended, devices);

	/* Were it open here, nobody would notice the process's death. */
	close(devices->server_fd);
	close(setup.view_fd);
	devices->server_fd = -1;
	return error;
}

int virtio_devices_start(struct virtio_devices *devices,
			 struct mregion_region *ram,
			 struct mregion_region *framebuffer, struct loop *loop)
{
	int error = 0;

	devices->ram = ram;
	devices->framebuffer = framebuffer;
	if (devices->options.blk_server)
		error = start_server(devices, loop);
	else if (devices->options.blk)
		error = start_here(devices, &devices->blk_virtio,
				   &devices->blk_pci);
	if (!error && devices->options.rng)
		error = start_here(devices, &devices->rng_virtio,
				   &devices->rng_pci);
	return error;
}

void virtio_devices_quiesce(struct virtio_devices *devices)
{
	virtio_quiesce(&devices->blk_virtio);
	virtio_quiesce(&devices->rng_virtio);
}

/* With its lock held nobody makes an end of the process. */
static void pause_blk(struct virtio_devices *devices)
{
	if (devices->blk_virtio.type)
		virtio_pause(&devices->blk_virtio);
	blk_server_pause(&devices->blk_server);
}

static void resume_blk(struct virtio_devices *devices)
{
	blk_server_resume(&devices->blk_server);
	if (devices->blk_virtio.type)
		virtio_resume(&devices->blk_virtio);
}

void virtio_devices_pause(struct virtio_devices *devices)
{
	pause_blk(devices);
	if (devices->rng_virtio.type)
		virtio_pause(&devices->rng_virtio);
}

void virtio_devices_resume(struct virtio_devices *devices)
{
	if (devices->rng_virtio.type)
		virtio_resume(&devices->rng_virtio);
	resume_blk(devices);
}

void virtio_devices_stop(struct virtio_devices *devices)
{
	virtio_stop(&devices->blk_virtio);
	virtio_stop(&devices->rng_virtio);
}

void virtio_devices_exit(struct virtio_devices *devices)
{
	if (devices->server_fd >= 0)
		close(devices->server_fd);
	blk_server_end(&devices->blk_server);
	virtio_pci_exit(&devices->blk_pci);
	virtio_pci_exit(&devices->rng_pci);
	virtio_blk_close(&devices->blk);
}
