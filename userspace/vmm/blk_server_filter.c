// SPDX-License-Identifier: MIT
#include <linux/mregion.h>

#include "../array.h"
#include "blk_server_filter.h"
#include "confine.h"

static const struct sock_filter filter[] = {
	FILTER_BEGIN,

	/* The disk; eventfds and messages */
	FILTER_ALLOW(preadv),
	FILTER_ALLOW(pwritev),
	FILTER_ALLOW(fdatasync),
	FILTER_ALLOW(read),
	FILTER_ALLOW(write),
	FILTER_ALLOW(writev),

	/* Waiting, for a descriptor or another thread; again after SIGCONT */
	FILTER_ALLOW(call_of_poll),
	FILTER_ALLOW(epoll_create1),
	FILTER_ALLOW(epoll_ctl),
	FILTER_ALLOW(call_of_epoll_wait),
	FILTER_ALLOW(futex),
	FILTER_ALLOW(restart_syscall),
	FILTER_ALLOW(rt_sigreturn),
	FILTER_ALLOW(clock_gettime),
	FILTER_ALLOW(sched_getaffinity),

	/* The beginning of a thread that has just been created */
	FILTER_ALLOW(set_robust_list),
	FILTER_ALLOW(rseq),

	/* The C library's memory, and ending */
	FILTER_ALLOW(brk),
	FILTER_ALLOW(mmap),
	FILTER_ALLOW(munmap),
	FILTER_ALLOW(madvise),

	/* The guest's memory: how long a file is, and a descriptor more for it */
	FILTER_ALLOW(lseek),
	FILTER_ALLOW(fcntl),
	FILTER_ALLOW(rt_sigprocmask),
	FILTER_ALLOW(close),
	FILTER_ALLOW(exit),
	FILTER_ALLOW(exit_group),

	/*
	 * What has changed of the memory's view, and its files; waking a vCPU. Numbers
	 * of ioctls have 32 bits.
	 */
	FILTER_UNLESS(SYS_ioctl, FILTER_DENY),
	FILTER_LOAD(args[1]),
	FILTER_IF(MREGION_CHANGES, SECCOMP_RET_ALLOW),
	FILTER_IF(MREGION_VIEW_FILE, SECCOMP_RET_ALLOW),
	FILTER_UNLESS(MREGION_SERVER_WAKE, FILTER_DENY),
	FILTER_RETURN(SECCOMP_RET_ALLOW),
};

int blk_server_filter(void)
{
	return confine_calls(filter, ARRAY_SIZE(filter));
}
