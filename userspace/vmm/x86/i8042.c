// SPDX-License-Identifier: MIT
#include <errno.h>

#include <mregion.h>

#include "i8042.h"

#define STATUS_OUTPUT_FULL	0x01
#define STATUS_SYSTEM		0x04	/* the self-test has passed */
#define STATUS_COMMAND		0x08	/* the last write was a command */
#define STATUS_UNLOCKED		0x10
#define STATUS_AUX_DATA		0x20
#define STATUS_TIMEOUT		0x40

#define MODE_SYSTEM		0x04
#define MODE_KBD_DISABLED	0x10
#define MODE_AUX_DISABLED	0x20

#define CMD_READ_MODE		0x20
#define CMD_WRITE_MODE		0x60
#define CMD_AUX_DISABLE		0xa7
#define CMD_AUX_ENABLE		0xa8
#define CMD_AUX_TEST		0xa9
#define CMD_SELF_TEST		0xaa
#define CMD_KBD_TEST		0xab
#define CMD_KBD_DISABLE		0xad
#define CMD_KBD_ENABLE		0xae
#define CMD_READ_OUTPUTS	0xd0
#define CMD_WRITE_OUTPUTS	0xd1
#define CMD_KBD_LOOP		0xd2
#define CMD_AUX_LOOP		0xd3
#define CMD_AUX_SEND		0xd4
#define CMD_PULSE_RESET		0xfe

#define SELF_TEST_PASSED	0x55
#define TEST_NO_CLOCK		0x01	/* the line to the device is dead */
#define ANSWER_RESEND		0xfe

#define OUTPUT_NO_RESET		0x01
#define OUTPUT_A20		0x02

static void answer(struct i8042 *i8042, uint8_t value, uint8_t status)
{
	i8042->output = value;
	i8042->status &= ~(STATUS_AUX_DATA | STATUS_TIMEOUT);
	i8042->status |= STATUS_OUTPUT_FULL | status;
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct i8042 *i8042 = opaque;
	uint8_t value;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&i8042->lock);
	value = i8042->output;
	i8042->status &= ~(STATUS_OUTPUT_FULL | STATUS_AUX_DATA |
			   STATUS_TIMEOUT);
	pthread_mutex_unlock(&i8042->lock);
	return value;
}

static void data_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct i8042 *i8042 = opaque;
	enum machine_end why = END_NONE;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&i8042->lock);
	i8042->status &= ~STATUS_COMMAND;
	switch (i8042->pending) {
	case CMD_WRITE_MODE:
		i8042->mode = data;
		break;
	case CMD_WRITE_OUTPUTS:
		if (!(data & OUTPUT_NO_RESET))
			why = END_REBOOT;
		break;
	case CMD_KBD_LOOP:
		answer(i8042, data, 0);
		break;
	case CMD_AUX_LOOP:
		answer(i8042, data, STATUS_AUX_DATA);
		break;
	case CMD_AUX_SEND:
		answer(i8042, ANSWER_RESEND, STATUS_AUX_DATA | STATUS_TIMEOUT);
		break;
	default:
		/* For the keyboard, which is not there to take it. */
		answer(i8042, ANSWER_RESEND, STATUS_TIMEOUT);
	}
	i8042->pending = 0;
	pthread_mutex_unlock(&i8042->lock);

	if (why != END_NONE)
		end_line_pull(&i8042->end, why);
}

static uint64_t status_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct i8042 *i8042 = opaque;
	uint8_t value;

	(void)offset;
	(void)len;
	pthread_mutex_lock(&i8042->lock);
	value = i8042->status;
	pthread_mutex_unlock(&i8042->lock);
	return value;
}

static void command(struct i8042 *i8042, uint8_t code)
{
	i8042->pending = 0;
	switch (code) {
	case CMD_READ_MODE:
		answer(i8042, i8042->mode, 0);
		break;
	case CMD_SELF_TEST:
		i8042->status |= STATUS_SYSTEM;
		answer(i8042, SELF_TEST_PASSED, 0);
		break;
	case CMD_KBD_TEST:
	case CMD_AUX_TEST:
		answer(i8042, TEST_NO_CLOCK, 0);
		break;
	case CMD_KBD_DISABLE:
		i8042->mode |= MODE_KBD_DISABLED;
		break;
	case CMD_KBD_ENABLE:
		i8042->mode &= ~MODE_KBD_DISABLED;
		break;
	case CMD_AUX_DISABLE:
		i8042->mode |= MODE_AUX_DISABLED;
		break;
	case CMD_AUX_ENABLE:
		i8042->mode &= ~MODE_AUX_DISABLED;
		break;
	case CMD_READ_OUTPUTS:
		answer(i8042, OUTPUT_NO_RESET | OUTPUT_A20, 0);
		break;
	case CMD_WRITE_MODE:
	case CMD_WRITE_OUTPUTS:
	case CMD_KBD_LOOP:
	case CMD_AUX_LOOP:
	case CMD_AUX_SEND:
		i8042->pending = code;
		break;
	}
}

static void command_write(void *opaque, uint64_t offset, uint64_t data,
			  unsigned int len)
{
	struct i8042 *i8042 = opaque;

	(void)offset;
	(void)len;
	if (data == CMD_PULSE_RESET) {
		end_line_pull(&i8042->end, END_REBOOT);
		return;
	}
	pthread_mutex_lock(&i8042->lock);
	i8042->status |= STATUS_COMMAND;
	command(i8042, data);
	pthread_mutex_unlock(&i8042->lock);
}

static const struct mregion_ops data_ops = {
	.read = data_read,
	.write = data_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

static const struct mregion_ops command_ops = {
	.read = status_read,
	.write = command_write,
	.constraints = { .valid_max = 1, .impl_max = 1 },
};

int i8042_init(struct i8042 *i8042, struct mregion_machine *machine,
	       struct mregion_region *parent, uint16_t data, uint16_t command,
	       struct end_line end)
{
	int error;

	pthread_mutex_init(&i8042->lock, NULL);
	i8042->end = end;
	i8042->status = STATUS_UNLOCKED | STATUS_SYSTEM;
	i8042->mode = MODE_SYSTEM | MODE_KBD_DISABLED | MODE_AUX_DISABLED;

	i8042->data_region = mregion_new_mmio(machine, "i8042-data", 1,
					      &data_ops, i8042);
	if (!i8042->data_region)
		return -errno;
	error = mregion_map(parent, i8042->data_region, data, 0);
	if (error)
		return error;

	i8042->command_region = mregion_new_mmio(machine, "i8042-command", 1,
						 &command_ops, i8042);
	if (!i8042->command_region)
		return -errno;
	return mregion_map(parent, i8042->command_region, command, 0);
}

void i8042_exit(struct i8042 *i8042)
{
	pthread_mutex_destroy(&i8042->lock);
}
