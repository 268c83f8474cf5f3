/* SPDX-License-Identifier: MIT */
/*
 * A keyboard controller that nothing is plugged into
 *
 * It is here because operating systems look for it, and because one of its
 * commands resets a PC. It raises no interrupts.
 */
#ifndef VMM_I8042_H
#define VMM_I8042_H

#include <pthread.h>
#include <stdint.h>

#include "wiring.h"

struct mregion_machine;
struct mregion_region;

struct i8042 {
	struct mregion_region *data_region;
	struct mregion_region *command_region;
	struct end_line end;
	pthread_mutex_t lock;		/* of all below */
	uint8_t status;
	uint8_t output;			/* what port 0x60 reads */
	uint8_t mode;			/* the "command byte" */
	uint8_t pending;		/* command that waits for its data */
};

/**
 * i8042_init() - create the ports and map them
 * @i8042: the device
 * @machine: where its regions are created
 * @parent: region of the I/O ports
 * @data: the data port
 * @command: the status and command port
 * @end: pulled when the guest resets
 *
 * Return: 0 or a negative errno; mregion_error() says more.
 */
int i8042_init(struct i8042 *i8042, struct mregion_machine *machine,
	       struct mregion_region *parent, uint16_t data, uint16_t command,
	       struct end_line end);

void i8042_exit(struct i8042 *i8042);

#endif /* VMM_I8042_H */
