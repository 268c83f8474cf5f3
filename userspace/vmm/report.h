/* SPDX-License-Identifier: MIT */
/* Messages for the person who started the VMM, one line each, on stderr. */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

/** report() - print "mregion-vmm: MESSAGE"; a newline is added */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* VMM_REPORT_H */
