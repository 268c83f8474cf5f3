/* SPDX-License-Identifier: MIT */
/* What mregion_error() says. */
#ifndef MREGION_LIB_ERROR_H
#define MREGION_LIB_ERROR_H

#include <stddef.h>

/** MREGION_ERROR_SIZE - room for what mregion_error() says */
#define MREGION_ERROR_SIZE	512

/** MREGION_NO_MEMORY - what ENOBUFS means: its own text is of sockets */
#define MREGION_NO_MEMORY \
	"the machine would hold more memory than max_memory"

/** MREGION_NOT_KNOWN - what EOPNOTSUPP of an ioctl means */
#define MREGION_NOT_KNOWN \
	"the mregion module that is loaded does not know a flag, kind or operation of it"

/**
 * mregion_fail() - remember an error of this thread
 * @err: positive errno
 * @fmt: what could not be done, as for printf(); the errno's text is added
 *
 * Sets errno, too. Return: -@err.
 */
__attribute__((format(printf, 2, 3)))
int mregion_fail(int err, const char *fmt, ...);

/**
 * mregion_fail_why() - remember an error whose reason is known
 * @err: positive errno
 * @fmt: what could not be done, and why, as for printf(); the errno's name is
 *	added, for those who look it up
 *
 * Sets errno, too. Return: -@err.
 */
__attribute__((format(printf, 2, 3)))
int mregion_fail_why(int err, const char *fmt, ...);

/**
 * mregion_fail_reason() - remember an error of the module's whose reason may be known
 * @err: positive errno
 * @what: what could not be done
 * @reason: why, or NULL
 *
 * Sets errno, too. Return: -@err.
 */
int mregion_fail_reason(int err, const char *what, const char *reason);

/** mregion_fail_ptr() - mregion_fail() for functions that return a pointer */
#define mregion_fail_ptr(err, ...) \
	((void)mregion_fail((err), __VA_ARGS__), NULL)

/** mregion_error_save() - copy what mregion_error() says, for later */
void mregion_error_save(char text[MREGION_ERROR_SIZE]);

/**
 * mregion_error_restore() - make a saved error this thread's last one
 * @err: positive errno
 * @text: from mregion_error_save()
 *
 * Return: -@err.
 */
int mregion_error_restore(int err, const char text[MREGION_ERROR_SIZE]);

#endif
