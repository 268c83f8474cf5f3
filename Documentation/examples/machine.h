/* SPDX-License-Identifier: MIT */
/* Addresses and registers shared by the guest, the VMM and the device's process. */
#ifndef MACHINE_H
#define MACHINE_H

/* Memory: 64 KiB, with the guest's code, and what it has found out. */
#define RAM_SIZE	0x10000
#define CODE		0x1000
#define SQUARE		0x8000
#define SUM		0x8004
#define SUM_LATER	0x8008

/* A serial port: its first port takes what is printed. */
#define UART		0x3f8
#define UART_STATUS	5
#define UART_SCRATCH	7
#define UART_READY	0x60

/* A device that squares a number, beside the guest. */
#define ENGINE		0xd0000
#define ENGINE_NUMBER	0x00	/* writing it is what begins */
#define ENGINE_DONE	0x08
#define ENGINE_SQUARE	0x0c

/* A device in a process of its own, which adds numbers up. */
#define ADDER		0xd1000
#define ADDER_ADD	0x00
#define ADDER_SUM	0x04
#define ADDER_CRASH	0x08	/* writing it is the process's end */

#define PAGE		0x1000

#endif
