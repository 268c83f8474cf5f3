/* SPDX-License-Identifier: MIT */
/*
 * Confining a process that the VMM has forked for a part of its work
 *
 * It keeps the descriptors that it works with, and no privileges. A filter then lets it
 * make the system calls of that work, and no others.
 */
#ifndef VMM_CONFINE_H
#define VMM_CONFINE_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "calls.h"

/* The descriptors that are kept have the numbers from here on. */
#define CONFINE_FIRST_FD	3
#define CONFINE_MAX_FDS		4

#define FILTER_LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define FILTER_RETURN(action) \
	BPF_STMT(BPF_RET | BPF_K, action)
/* Return @action at once if what was loaded is @value; or if it is not */
#define FILTER_IF(value, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), FILTER_RETURN(action)
#define FILTER_UNLESS(value, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), FILTER_RETURN(action)

#define FILTER_DENY		(SECCOMP_RET_ERRNO | EPERM)
#define FILTER_ALLOW(call)	FILTER_IF(SYS_##call, SECCOMP_RET_ALLOW)

/* Loads the number of the call. To other architectures it means another call. */
#define FILTER_BEGIN \
	FILTER_LOAD(arch), \
	FILTER_UNLESS(CALLS_ARCH, FILTER_DENY), \
	FILTER_LOAD(nr)

/**
 * confine_fds() - keep standard error and some descriptors, and close all others
 * @fds: those that are kept; they become CONFINE_FIRST_FD, and so on
 * @nr: how many
 *
 * Standard input and output become /dev/null. Return: 0 or a negative errno.
 */
int confine_fds(const int *fds, unsigned int nr);

/**
 * confine_privileges() - give up all privileges for good
 *
 * root becomes "nobody"; another user stays who it is. Return: 0 or a negative errno.
 */
int confine_privileges(void);

/**
 * confine_calls() - let system calls fail with EPERM from now on as a filter says
 * @filter: the filter
 * @nr: its instructions
 *
 * In all threads. Needs confine_privileges(). Return: 0 or a negative errno.
 */
int confine_calls(const struct sock_filter *filter, unsigned short nr);

#endif /* VMM_CONFINE_H */
