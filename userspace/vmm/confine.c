// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine.h"

/* "nobody" and "nogroup", wherever there is Linux */
#define NOBODY			65534

int confine_fds(const int *fds, unsigned int nr)
{
	int first_closed = CONFINE_FIRST_FD + nr;
	int moved[CONFINE_MAX_FDS];
	unsigned int i;
	int null;

	if (nr > CONFINE_MAX_FDS)
		return -EINVAL;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Out of the way of the numbers they are to have. */
	for (i = 0; i < nr; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, first_closed);
		if (moved[i] < 0)
			return -errno;
	}
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	for (i = 0; i < nr; i++)
		if (dup2(moved[i], CONFINE_FIRST_FD + i) < 0)
			return -errno;
	return syscall(SYS_close_range, first_closed, ~0U, 0) < 0 ? -errno : 0;
}

int confine_privileges(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 ||
	     setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	/* There can be some without being root. */
	if (syscall(SYS_capset, &header, none) < 0)
		return -errno;
	/* None to be regained, and nobody else of that user is to look in. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

int confine_calls(const struct sock_filter *filter, unsigned short nr)
{
	const struct sock_fprog program = {
		.len = nr,
		.filter = (struct sock_filter *)filter,
	};
	long ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			   SECCOMP_FILTER_FLAG_TSYNC, &program);

	/* A positive number is that of a thread that cannot have it. */
	if (ret > 0)
		return -ESRCH;
	return ret ? -errno : 0;
}
