/* SPDX-License-Identifier: MIT */
/*
 * A window to a virtio device's BAR in its configuration space; virtio 1.0,
 * section 4.1.4.7
 *
 * For drivers that cannot get at the BAR, such as firmware that has not mapped
 * it: they write where in it they want to read or write, and how much, and find
 * it in the window.
 */
#ifndef VMM_VIRTIO_WINDOW_H
#define VMM_VIRTIO_WINDOW_H

struct mregion_region;
struct mregion_space;
struct pci_function;

struct virtio_window {
	struct pci_function *function;
	struct mregion_space *space;	/* what is in the BAR, wherever it is */
	unsigned int bar;
	unsigned int capability;	/* its offset in configuration space */
};

/**
 * virtio_window_init() - give a function the window
 * @window: zeroed
 * @function: the function
 * @bar: index of the BAR that it leads to
 * @registers: what is in that BAR
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int virtio_window_init(struct virtio_window *window,
		       struct pci_function *function, unsigned int bar,
		       struct mregion_region *registers);

#endif /* VMM_VIRTIO_WINDOW_H */
