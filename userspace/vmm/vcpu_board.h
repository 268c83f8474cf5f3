/* SPDX-License-Identifier: MIT */
/* What of a vCPU depends on the architecture; for vcpu.c */
#ifndef VMM_VCPU_BOARD_H
#define VMM_VCPU_BOARD_H

#include <stdbool.h>

#include "wiring.h"

struct vcpu;

/** vcpu_failed() - report that @what failed, by errno. Return: -errno */
int vcpu_failed(const struct vcpu *vcpu, const char *what);

/** vcpu_reset() - have a new vCPU be as firmware leaves it; reports what is wrong */
int vcpu_reset(struct vcpu *vcpu);

/** vcpu_print_registers() - for the person who wants to know what went wrong */
void vcpu_print_registers(const struct vcpu *vcpu);

/**
 * vcpu_exit_of_board() - handle an exit that other architectures do not have
 * @vcpu: at the exit
 * @why: set to why the machine has to end now, if it has to; that is reported
 *
 * Return: whether it is known.
 */
bool vcpu_exit_of_board(struct vcpu *vcpu, enum machine_end *why);

#endif /* VMM_VCPU_BOARD_H */
