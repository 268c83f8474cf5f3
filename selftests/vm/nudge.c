// SPDX-License-Identifier: GPL-2.0
/*
 * Has each processor wake the next one, twice a second, for as long as it runs.
 *
 * QEMU's emulation of several processors sometimes forgets that an interrupt is
 * pending, and delivers it with the next one. A processor that is idle, and whose
 * timer's interrupt that was, then stands still, and all that waits for its
 * timers with it, until another one happens to send it something: for minutes, on
 * a kernel that has little to do.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int pin(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* On one processor, by its timer: wakes who reads on the next one. */
static void send(int out)
{
	do {
		usleep(500000);
	} while (write(out, "", 1) == 1);
	_exit(1);
}

static void receive(int in)
{
	char byte;

	while (read(in, &byte, 1) == 1)
		;
	_exit(1);
}

int main(void)
{
	long i, nr = sysconf(_SC_NPROCESSORS_ONLN);
	int ends[2];

	for (i = 0; i < nr && nr > 1; i++) {
		if (pipe(ends)) {
			perror("nudge: pipe");
			return 1;
		}
		if (!fork()) {
			if (!pin(i))
				send(ends[1]);
			_exit(1);
		}
		if (!fork()) {
			if (!pin((i + 1) % nr))
				receive(ends[0]);
			_exit(1);
		}
	}
	return 0;
}
