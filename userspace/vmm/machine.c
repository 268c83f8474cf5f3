// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <mregion.h>

#include "host_memory.h"
#include "machine.h"
#include "machine_board.h"
#include "memory_map.h"
#include "report.h"

/* Of KVM's memory slots; QEMU's limit, too, and far more than are needed. */
#define MAX_SLOTS		509

/*
 * How long a coalesced write may wait: as long as some ten characters take at
 * the usual 115200 baud, so that a terminal's user notices nothing.
 */
#define RING_USECS		1000

/* How long to wait at the end for a reader of the guest's output, in s. */
#define PATIENCE_WHEN_ASKED	2

static void end_line(void *opaque, enum machine_end why)
{
	machine_end(opaque, why);
}

static void irq_set(void *opaque, unsigned int gsi, bool level)
{
	struct machine *machine = opaque;

	kvm_set_irq(&machine->kvm, gsi, level);
}

struct irq_line machine_irq_line(struct machine *machine, unsigned int gsi)
{
	return (struct irq_line){ irq_set, machine, gsi };
}

struct end_line machine_end_line(struct machine *machine)
{
	return (struct end_line){ end_line, machine };
}

static void serial_sent(void *opaque, uint8_t byte)
{
	struct machine *machine = opaque;

	terminal_put(&machine->terminal, byte);
}

static void serial_ready(void *opaque)
{
	struct machine *machine = opaque;

	loop_wake(&machine->loop);
}

static size_t input_room(void *opaque)
{
	struct machine *machine = opaque;

	return serial_room(&machine->serial);
}

static void input_receive(void *opaque, const uint8_t *bytes, size_t len)
{
	struct machine *machine = opaque;

	serial_receive(&machine->serial, bytes, len);
}

static int open_mregion(struct machine *machine)
{
	machine->mregion = mregion_machine_open(NULL);
	if (machine->mregion)
		return 0;
	report("%s", mregion_error());
	return -errno;
}

static int add_ring(struct machine *machine, uint32_t entries)
{
	uint32_t max = mregion_machine_info(machine->mregion)->max_ring_entries;

	if (entries > max) {
		report("--ring-entries %u is too large: the mregion module allows %u",
		       entries, max);
		return -EINVAL;
	}
	machine->ring = mregion_new_ring(machine->mregion, entries,
					 entries / 2, RING_USECS);
	if (!machine->ring || mregion_ring_start_thread(machine->ring)) {
		report("cannot create a ring: %s", mregion_error());
		return -EIO;
	}
	return 0;
}

static int add_devices(struct machine *machine, unsigned int nr_vcpus)
{
	const struct serial_cable cable = {
		.sent = serial_sent,
		.ready = serial_ready,
		.opaque = machine,
	};
	int error;

	error = board_add_devices(machine, &cable);
	if (!error)
		error = virtio_devices_add(&machine->virtio,
					   &machine->pci_host.bus,
					   &machine->irqfds, nr_vcpus);
	/* Both show all functions that there are. */
	if (!error)
		error = pci_host_add_ecam(&machine->pci_host,
					  machine->ring != NULL);
	return error ? error : board_add_pci_ports(machine);
}

/* The map is one commit: there is nothing to be seen of it before it is whole */
static int build_map(struct machine *machine,
		     const struct machine_config *config)
{
	int error;

	mregion_begin(machine->mregion);
	error = memory_map_build(machine, config);
	if (!error)
		error = add_devices(machine, config->nr_vcpus);
	if (error) {
		if (error != -REPORTED)
			report("cannot build the memory map: %s",
			       mregion_error());
		mregion_abort(machine->mregion);
		return error;
	}
	error = mregion_commit(machine->mregion);
	if (error)
		report("cannot build the memory map: %s", mregion_error());
	return error;
}

static void pause_vcpus(void *opaque)
{
	vcpus_pause(opaque);
}

static void resume_vcpus(void *opaque)
{
	vcpus_resume(opaque);
}

static int attach(struct machine *machine)
{
	struct mregion_attach_params params = {
		.vm_fd = machine->kvm.vm_fd,
		.memory = machine->memory,
		.pio = machine->pio,
		.nr_slots = machine->kvm.max_slots < MAX_SLOTS ?
			    machine->kvm.max_slots : MAX_SLOTS,
		.pause = pause_vcpus,
		.resume = resume_vcpus,
		.opaque = &machine->vcpus,
	};

	machine->vm = mregion_attach(machine->mregion, &params);
	if (!machine->vm) {
		report("cannot attach to the virtual machine: %s",
		       mregion_error());
		return -errno;
	}
	machine->vcpus.vm = machine->vm;
	return 0;
}

int machine_init(struct machine *machine, const struct machine_config *config)
{
	int error;

	*machine = (struct machine){
		.kvm = { .kvm_fd = -1, .vm_fd = -1 },
		.loop = { .wake_fd = -1 },
		.serial = SERIAL_INITIAL,
		.board = BOARD_INITIAL,
	};
	error = host_memory_check(config->memory);
	/* Now, since a process is forked while there is one thread. */
	if (!error)
		error = virtio_devices_open(&machine->virtio, &config->virtio);
	if (!error)
		error = terminal_init(&machine->terminal);
	if (error)
		return error;
	error = loop_init(&machine->loop);
	if (error) {
		report("cannot create an eventfd: %s", strerror(-error));
		return error;
	}

	error = kvm_open(&machine->kvm);
	if (!error)
		irqfds_init(&machine->irqfds, &machine->kvm);
	if (!error)
		error = open_mregion(machine);
	if (!error && config->coalesce)
		error = add_ring(machine, config->ring_entries);
	if (!error)
		error = build_map(machine, config);
	if (!error)
		error = vcpus_create(&machine->vcpus, &machine->kvm,
				     config->nr_vcpus,
				     machine_end_line(machine));
	if (!error)
		error = attach(machine);
	if (!error)
		error = virtio_devices_start(&machine->virtio, machine->ram,
					     machine->framebuffer,
					     &machine->loop);
	if (!error)
		error = board_load(machine, config);
	return error;
}

void machine_end(struct machine *machine, enum machine_end why)
{
	int none = END_NONE;

	atomic_compare_exchange_strong(&machine->end, &none, why);
	vcpus_stop(&machine->vcpus);
	virtio_devices_quiesce(&machine->virtio);
	loop_stop(&machine->loop);
}

void machine_run(struct machine *machine)
{
	const struct terminal_input input = {
		.room = input_room,
		.receive = input_receive,
		.opaque = machine,
	};
	int error;

	error = terminal_listen(&machine->terminal, &machine->loop, &input,
				machine_end_line(machine));
	if (error)
		report("cannot wait for input: %s", strerror(-error));
	if (!error)
		error = vcpus_start(&machine->vcpus);
	if (!error) {
		error = loop_run(&machine->loop);
		if (error)
			report("poll: %s", strerror(-error));
	}
	machine_end(machine, error ? END_FAILED : END_USER);
	/* Before anything is waited for: whoever kills this gets a sane one. */
	terminal_restore(&machine->terminal);
}

enum machine_end machine_join(struct machine *machine)
{
	/* A vCPU may be waiting for a reader of its output. */
	terminal_no_wait(&machine->terminal);
	vcpus_join(&machine->vcpus);
	/* Its last words, before anything is said about them. */
	if (machine->mregion)
		mregion_drain(machine->mregion);
	return atomic_load(&machine->end);
}

void machine_exit(struct machine *machine)
{
	enum machine_end why = atomic_load(&machine->end);

	vcpus_destroy(&machine->vcpus);
	virtio_devices_stop(&machine->virtio);
	/* Ends the ring's thread, so that no device is in use any more. */
	mregion_machine_close(machine->mregion);
	virtio_devices_exit(&machine->virtio);
	irqfds_exit(&machine->irqfds);
	pci_host_exit(&machine->pci_host);
	kvm_close(&machine->kvm);
	board_exit(&machine->board);
	serial_exit(&machine->serial);
	terminal_close(&machine->terminal,
		       why == END_USER ? PATIENCE_WHEN_ASKED : -1);
	loop_exit(&machine->loop);
}
