// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps two virtual machines with a vCPU each, for as long as it runs.
 *
 * KVM patches the kernel's code when the first virtual machine, the first vCPU
 * without a local APIC and the first whose APIC is switched off by software
 * appear, and again when the last one goes. QEMU's emulation of several
 * processors sometimes goes on executing the breakpoint that stands in that code
 * meanwhile, and so hangs for ever. Here all of it is patched while there is one
 * processor only (see init), and then no more.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

/* Both with a local APIC, which is off until a guest switches it on, and without. */
static int hold(int kvm, int irqchip)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || (irqchip && ioctl(vm, KVM_CREATE_IRQCHIP, 0)))
		return -1;
	return ioctl(vm, KVM_CREATE_VCPU, 0);
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 || hold(kvm, 0) < 0 || hold(kvm, 1) < 0) {
		perror("hold: KVM");
		return 1;
	}
	/* what waits for this line knows that all is patched */
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
