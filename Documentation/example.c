// SPDX-License-Identifier: MIT
/* The example of library.rst; `make -C Documentation check` compiles it. */
#include <err.h>
#include <errno.h>
#include <linux/kvm.h>
#include <mregion.h>
#include <sys/ioctl.h>

/* device */
struct uart {
	struct mregion_region *regs;
	uint8_t scratch;
};

static uint64_t uart_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct uart *uart = opaque;

	(void)len;
	switch (offset) {
	case 5:			/* line status: the transmitter is empty */
		return 0x60;
	case 7:
		return uart->scratch;
	default:
		return 0;
	}
}

static void uart_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct uart *uart = opaque;

	(void)len;
	if (offset == 0)
		putchar((int)data);
	else if (offset == 7)
		uart->scratch = data;
}

static const struct mregion_ops uart_ops = {
	.read = uart_read,
	.write = uart_write,
	.constraints = { .valid_min = 1, .valid_max = 4, .impl_max = 1 },
};

/* machine */
struct vmm {
	struct mregion_machine *machine;
	struct mregion_vm *vm;
	struct uart uart;
};

static int vmm_build(struct vmm *vmm, int vm_fd)
{
	struct mregion_machine *machine = mregion_machine_open(NULL);
	struct mregion_region *memory, *ports, *ram;
	struct mregion_attach_params params = { .vm_fd = vm_fd, .nr_slots = 32 };
	struct mregion_ring *ring;

	if (!machine)
		errx(1, "%s", mregion_error());
	vmm->machine = machine;
	ring = mregion_new_ring(machine, 1024, 512, 20000);

	mregion_begin(machine);
	memory = mregion_new_container(machine, "memory", 0);
	ports = mregion_new_container(machine, "ports", 0x10000);
	ram = mregion_new_ram(machine, MREGION_RAM, "ram", 128 << 20);
	vmm->uart.regs = mregion_new_mmio(machine, "uart", 8, &uart_ops,
					  &vmm->uart);
	mregion_map(memory, ram, 0, 0);
	mregion_map(ports, vmm->uart.regs, 0x3f8, 0);
	mregion_coalesce(vmm->uart.regs, 0, 1, ring);
	params.memory = mregion_new_space(machine, MREGION_BUS_MEMORY, memory,
					  MREGION_POLICY_ONES);
	params.pio = mregion_new_space(machine, MREGION_BUS_PIO, ports,
				       MREGION_POLICY_ONES);
	if (mregion_commit(machine))
		errx(1, "%s", mregion_error());

	mregion_ring_start_thread(ring);
	vmm->vm = mregion_attach(machine, &params);
	return vmm->vm ? 0 : -errno;
}

/* vcpu */
static int vcpu_loop(struct vmm *vmm, int vcpu_fd, unsigned int index,
		     struct kvm_run *run)
{
	int ret;

	for (;;) {
		if (ioctl(vcpu_fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return -errno;
		}
		do	/* a signal, and its server is still at it */
			ret = mregion_vm_exit(vmm->vm, index, run);
		while (ret == -EINTR);
		if (ret == 1 && run->exit_reason == KVM_EXIT_SHUTDOWN)
			return 0;
	}
}

/* end */

int main(int argc, char **argv)
{
	struct vmm vmm = {};

	(void)argv;
	return vmm_build(&vmm, argc) || vcpu_loop(&vmm, argc, 0, NULL);
}
