/* SPDX-License-Identifier: MIT */
/* System calls by which arm64's C library does things; for confine.h */
#ifndef VMM_CALLS_H
#define VMM_CALLS_H

#define CALLS_ARCH		AUDIT_ARCH_AARCH64
#define SYS_call_of_poll	SYS_ppoll
#define SYS_call_of_epoll_wait	SYS_epoll_pwait

#endif /* VMM_CALLS_H */
