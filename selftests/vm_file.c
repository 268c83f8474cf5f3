// SPDX-License-Identifier: GPL-2.0
/*
 * What MREGION_ATTACH takes for a virtual machine: the file of one, wherever KVM's code
 * is, and no other file that a process can make. Runs no guest.
 */
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "kselftest_harness.h"
#include "mregion_util.h"

#define SPACE	1

FIXTURE(vm_file) {
	int kvm;
	int vm;
	int fd;
};

FIXTURE_SETUP(vm_file)
{
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->kvm);
	self->vm = mr_create_vm(self->kvm);
	ASSERT_LE(0, self->vm);
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(SPACE, 1)));
}

FIXTURE_TEARDOWN(vm_file)
{
	close(self->fd);
	close(self->vm);
	close(self->kvm);
}

static int attach(int fd, int vm)
{
	struct mregion_attach attach = {
		.size = sizeof(attach),
		.vm_fd = vm,
		.memory = SPACE,
	};

	return mr_ioctl(fd, MREGION_ATTACH, &attach);
}

static int detach(int fd, int vm)
{
	struct mregion_detach detach = { .size = sizeof(detach), .vm_fd = vm };

	return mr_ioctl(fd, MREGION_DETACH, &detach);
}

TEST_F(vm_file, is_taken)
{
	int copy = dup(self->vm);

	EXPECT_EQ(0, attach(self->fd, self->vm));
	EXPECT_EQ(-EEXIST, attach(self->fd, copy));
	EXPECT_EQ(0, detach(self->fd, copy));
	EXPECT_EQ(0, attach(self->fd, copy));
	close(copy);
}

/* What userspace cannot make here is no concern of the test. */
static int expect_refused(int fd, int file, const char *what)
{
	int err;

	if (file < 0) {
		printf("# %s: %s, not tried\n", what, strerror(errno));
		return 0;
	}
	err = attach(fd, file);
	close(file);
	if (err != -EINVAL)
		printf("# %s: %d\n", what, err);
	return err != -EINVAL;
}

#define REFUSE(_make)	EXPECT_EQ(0, expect_refused(self->fd, _make, #_make))

TEST_F(vm_file, not_other_files_of_kvm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int made;

	REFUSE(dup(self->kvm));
	REFUSE(ioctl(self->vm, KVM_CREATE_VCPU, 0));
	REFUSE(ioctl(self->vm, KVM_GET_STATS_FD, NULL));
	made = ioctl(self->vm, KVM_CREATE_DEVICE, &device);
	REFUSE(made ? -1 : (int)device.fd);
	EXPECT_EQ(0, attach(self->fd, self->vm));
}

static int make_perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* A name as long as KVM's, which BPF keeps for itself. */
static int make_bpf_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
		.map_name = "kvm_vm",
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int make_io_uring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 1, &params);
}

static int make_signalfd(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	return signalfd(-1, &mask, 0);
}

TEST_F(vm_file, not_other_anonymous_files)
{
	REFUSE(eventfd(0, 0));
	REFUSE(epoll_create1(0));
	REFUSE(timerfd_create(CLOCK_MONOTONIC, 0));
	REFUSE(make_signalfd());
	REFUSE(inotify_init1(0));
	REFUSE(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
	REFUSE(syscall(SYS_userfaultfd, 0));
	REFUSE(make_io_uring());
	REFUSE(make_perf_event());
	REFUSE(make_bpf_map());
	REFUSE(syscall(SYS_pidfd_open, getpid(), 0));
	REFUSE(dup(self->fd));
	EXPECT_EQ(0, attach(self->fd, self->vm));
}

/* Names that a process has the choice of. */
TEST_F(vm_file, not_files_of_its_name)
{
	char path[] = "/tmp/vm-fileXXXXXX";
	int dir, pair[2];

	REFUSE(memfd_create("kvm-vm", MFD_CLOEXEC));
	ASSERT_NE(NULL, mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, dir);
	REFUSE(openat(dir, "kvm-vm", O_CREAT | O_RDWR, 0600));
	unlinkat(dir, "kvm-vm", 0);
	ASSERT_EQ(0, mkfifoat(dir, "kvm-vm", 0600));
	REFUSE(openat(dir, "kvm-vm", O_RDWR));
	unlinkat(dir, "kvm-vm", 0);
	ASSERT_EQ(0, mkdirat(dir, "kvm-vm", 0700));
	REFUSE(openat(dir, "kvm-vm", O_RDONLY | O_DIRECTORY));
	unlinkat(dir, "kvm-vm", AT_REMOVEDIR);
	close(dir);
	rmdir(path);
	ASSERT_EQ(0, pipe(pair));
	REFUSE(pair[0]);
	REFUSE(pair[1]);
	EXPECT_EQ(0, attach(self->fd, self->vm));
}

TEST_HARNESS_MAIN
