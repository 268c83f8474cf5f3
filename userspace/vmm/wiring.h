/* SPDX-License-Identifier: MIT */
/*
 * What a device is handed: the wires that leave it
 *
 * Devices know neither the machine they are in nor KVM. A device's init
 * function takes the region to map itself into, and some of these.
 */
#ifndef VMM_WIRING_H
#define VMM_WIRING_H

#include <stdbool.h>

/** struct irq_line - an interrupt line; set() may be called in any thread */
struct irq_line {
	void (*set)(void *opaque, unsigned int gsi, bool level);
	void *opaque;
	unsigned int gsi;
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
	line->set(line->opaque, line->gsi, level);
}

/**
 * enum machine_end - why the virtual machine ends
 * @END_NONE: it does not
 * @END_POWER_OFF: the guest switched it off
 * @END_REBOOT: the guest asked for a reset
 * @END_USER: somebody asked the VMM to end, by a signal or by a key
 * @END_TRIPLE_FAULT: a vCPU shut down
 * @END_FAILED: KVM or the VMM cannot go on; reported already
 */
enum machine_end {
	END_NONE,
	END_POWER_OFF,
	END_REBOOT,
	END_USER,
	END_TRIPLE_FAULT,
	END_FAILED,
};

/** struct end_line - how a device ends the machine; any thread, any number */
struct end_line {
	void (*end)(void *opaque, enum machine_end why);
	void *opaque;
};

static inline void end_line_pull(const struct end_line *line,
				 enum machine_end why)
{
	line->end(line->opaque, why);
}

#endif /* VMM_WIRING_H */
