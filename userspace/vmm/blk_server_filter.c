// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/mregion.h>

#include "../array.h"
#include "blk_server_filter.h"

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) \
	BPF_STMT(BPF_RET | BPF_K, action)
/* Return @action at once if what was loaded is @value; or if it is not */
#define IF(value, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), RETURN(action)
#define UNLESS(value, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), RETURN(action)

#define ALLOW		SECCOMP_RET_ALLOW
#define DENY		(SECCOMP_RET_ERRNO | EPERM)

static const struct sock_filter filter[] = {
	/* To other architectures the numbers below mean other calls. */
	LOAD(arch),
	UNLESS(AUDIT_ARCH_X86_64, DENY),
	LOAD(nr),

	/* The disk; eventfds and messages */
	IF(SYS_preadv, ALLOW),
	IF(SYS_pwritev, ALLOW),
	IF(SYS_fdatasync, ALLOW),
	IF(SYS_read, ALLOW),
	IF(SYS_write, ALLOW),
	IF(SYS_writev, ALLOW),

	/* Waiting, for a descriptor or another thread; again after SIGCONT */
	IF(SYS_poll, ALLOW),
	IF(SYS_epoll_create1, ALLOW),
	IF(SYS_epoll_ctl, ALLOW),
	IF(SYS_epoll_wait, ALLOW),
	IF(SYS_futex, ALLOW),
	IF(SYS_restart_syscall, ALLOW),
	IF(SYS_rt_sigreturn, ALLOW),
	IF(SYS_clock_gettime, ALLOW),
	IF(SYS_sched_getaffinity, ALLOW),

	/* The beginning of a thread that has just been created */
	IF(SYS_set_robust_list, ALLOW),
	IF(SYS_rseq, ALLOW),

	/* The C library's memory, and ending */
	IF(SYS_brk, ALLOW),
	IF(SYS_mmap, ALLOW),
	IF(SYS_munmap, ALLOW),
	IF(SYS_madvise, ALLOW),

	/* The guest's memory: how long a file is, and a descriptor more for it */
	IF(SYS_lseek, ALLOW),
	IF(SYS_fcntl, ALLOW),
	IF(SYS_rt_sigprocmask, ALLOW),
	IF(SYS_close, ALLOW),
	IF(SYS_exit, ALLOW),
	IF(SYS_exit_group, ALLOW),

	/*
	 * What has changed of the memory's view, and its files; waking a vCPU. Numbers
	 * of ioctls have 32 bits.
	 */
	UNLESS(SYS_ioctl, DENY),
	LOAD(args[1]),
	IF(MREGION_CHANGES, ALLOW),
	IF(MREGION_VIEW_FILE, ALLOW),
	UNLESS(MREGION_SERVER_WAKE, DENY),
	RETURN(ALLOW),
};

int blk_server_filter(void)
{
	const struct sock_fprog program = {
		.len = ARRAY_SIZE(filter),
		.filter = (struct sock_filter *)filter,
	};
	long ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			   SECCOMP_FILTER_FLAG_TSYNC, &program);

	/* A positive number is that of a thread that cannot have it. */
	if (ret > 0)
		return -ESRCH;
	return ret ? -errno : 0;
}
