/* SPDX-License-Identifier: MIT */
/* Messages for the person who started the VMM, one line each, on stderr. */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

/*
 * What devices are made by leaves it to its caller to print mregion_error(). If
 * the library is not to blame, it reports itself, and returns this as its errno.
 */
#define REPORTED	EALREADY

/** report() - print "mregion-vmm: MESSAGE"; a newline is added */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* VMM_REPORT_H */
