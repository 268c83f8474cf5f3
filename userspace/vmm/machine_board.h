/* SPDX-License-Identifier: MIT */
/*
 * What of a machine depends on the architecture
 *
 * struct board, in the architecture's board.h, has the devices; these are its functions.
 */
#ifndef VMM_MACHINE_BOARD_H
#define VMM_MACHINE_BOARD_H

struct board;
struct machine;
struct machine_config;
struct serial_cable;

/**
 * board_add_devices() - create and map the devices, but for those on the PCI bus
 * @machine: with a memory map
 * @cable: the other end of the serial line
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int board_add_devices(struct machine *machine, const struct serial_cable *cable);

/**
 * board_add_pci_ports() - another way to PCI's configuration, where there are I/O ports
 * @machine: with all its devices, and the ECAM
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int board_add_pci_ports(struct machine *machine);

/**
 * board_load() - load the kernel, and have the first vCPU begin there
 * @machine: with all that is in it
 * @config: what it is to boot
 *
 * Reports what is wrong. Return: 0 or a negative errno.
 */
int board_load(struct machine *machine, const struct machine_config *config);

/** board_exit() - after the machine is closed */
void board_exit(struct board *board);

#endif /* VMM_MACHINE_BOARD_H */
