/* SPDX-License-Identifier: MIT */
/* The device tree that tells the guest's kernel what there is */
#ifndef VMM_DEVICE_TREE_H
#define VMM_DEVICE_TREE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct device_tree - what differs between machines
 * @cmdline: kernel command line
 * @memory: RAM in bytes
 * @initrd: address of the initial RAM disk
 * @initrd_size: its size in bytes; 0: there is none
 * @nr_cpus: number of processors
 * @affinities: of each of them, as MPIDR_EL1 has it
 */
struct device_tree {
	const char *cmdline;
	uint64_t memory;
	uint64_t initrd;
	uint64_t initrd_size;
	unsigned int nr_cpus;
	const uint64_t *affinities;
};

/**
 * device_tree_write() - write it
 * @tree: what it says
 * @to: where to, at a multiple of 8
 * @size: of that, in bytes
 *
 * Reports what is wrong. Return: 0 or a negative errno.
 */
int device_tree_write(const struct device_tree *tree, void *to, size_t size);

#endif /* VMM_DEVICE_TREE_H */
