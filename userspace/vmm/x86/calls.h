/* SPDX-License-Identifier: MIT */
/* System calls by which x86's C library does things; for confine.h */
#ifndef VMM_CALLS_H
#define VMM_CALLS_H

#define CALLS_ARCH		AUDIT_ARCH_X86_64
#define SYS_call_of_poll	SYS_poll
#define SYS_call_of_epoll_wait	SYS_epoll_wait

#endif /* VMM_CALLS_H */
