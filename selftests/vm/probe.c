// SPDX-License-Identifier: GPL-2.0
/*
 * Runs three instructions in a virtual machine: the way to know that KVM works,
 * which the existence of /dev/kvm does not tell.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static const unsigned char code[] = {
	0xb0, 0x2a,	/* mov al, 42 */
	0xe6, 0x10,	/* out 16, al */
	0xf4,		/* hlt */
};

static int check(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

int main(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = 4096 };
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_run *run;
	int kvm, vm, vcpu, size;
	void *ram;

	kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
	vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	ram = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		err(1, "mmap");
	memcpy(ram, code, sizeof(code));
	slot.userspace_addr = (unsigned long)ram;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "memory slot");

	vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "kvm_run");
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		err(1, "mmap of kvm_run");
	check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

	check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != 16 ||
	    *((unsigned char *)run + run->io.data_offset) != 42)
		errx(1, "exit %u where port 16 was written", run->exit_reason);
	puts("works");
	return 0;
}
