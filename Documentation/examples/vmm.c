// SPDX-License-Identifier: MIT
/*
 * A VMM whose guest accesses registers of each kind: what it prints is
 * coalesced, status is read from shadow memory, a doorbell wakes a thread, and
 * one device is in a process of its own, which dies in the end.
 *
 *	make && ./vmm ./device
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <mregion.h>

#include "machine.h"

/* Time limit of the guest, in seconds. */
#define PATIENCE	20

/* guest.S */
extern const char guest[], guest_end[];

struct uart {
	uint8_t scratch;
};

struct engine {
	_Atomic uint32_t *number, *square, *done;	/* registers */
	int doorbell;
	atomic_bool stop;
	pthread_t thread;
};

struct adder {
	struct mregion_region *region;
	struct mregion_server *server;
	struct mregion_ring *ring;
	pid_t process;
};

struct vmm {
	struct mregion_machine *machine;
	struct mregion_region *ram;
	struct mregion_vm *vm;
	struct uart uart;
	struct engine engine;
	struct adder adder;
};

/*
 * The serial port. What it prints is coalesced, and comes here later. Its status is in
 * shadow memory, and never comes here, whatever is read together with it.
 */
static uint64_t uart_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct uart *uart = opaque;

	(void)len;
	return offset == UART_SCRATCH ? uart->scratch : 0;
}

static void uart_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	struct uart *uart = opaque;

	(void)len;
	if (offset == 0)
		putchar((int)data);
	else if (offset == UART_SCRATCH)
		uart->scratch = data;
}

static const struct mregion_ops uart_ops = {
	.read = uart_read,
	.write = uart_write,
	.constraints = { .valid_min = 1, .valid_max = 4, .impl_max = 1 },
};

/* The engine works in a thread, which its doorbell wakes. */
static void *engine_work(void *opaque)
{
	struct engine *engine = opaque;
	uint64_t count;
	uint32_t number;

	while (read(engine->doorbell, &count, sizeof(count)) == sizeof(count) &&
	       !engine->stop) {
		number = *engine->number;
		*engine->square = number * number;
		*engine->done = 1;
	}
	return NULL;
}

/* All of its registers are rules': nothing comes to functions. */
static const struct mregion_ops engine_ops = {
	.constraints = { .valid_min = 4, .valid_max = 4 },
};

static int engine_init(struct engine *engine, struct mregion_shadow *shadow)
{
	char *memory = mregion_shadow_ptr(shadow);

	engine->number = (void *)(memory + ENGINE_NUMBER);
	engine->square = (void *)(memory + ENGINE_SQUARE);
	engine->done = (void *)(memory + ENGINE_DONE);
	engine->doorbell = eventfd(0, EFD_CLOEXEC);
	if (engine->doorbell < 0)
		return -errno;
	return -pthread_create(&engine->thread, NULL, engine_work, engine);
}

static void engine_end(struct engine *engine)
{
	engine->stop = true;
	eventfd_write(engine->doorbell, 1);
	pthread_join(engine->thread, NULL);
	close(engine->doorbell);
}

/* The adder, when its process is dead: as if it had been pulled out. */
static uint64_t adder_read(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return UINT64_MAX;
}

static void adder_write(void *opaque, uint64_t offset, uint64_t data,
			unsigned int len)
{
	struct adder *adder = opaque;

	(void)data;
	(void)len;
	if (offset == ADDER_CRASH && mregion_server_dead(adder->server))
		printf("the adder's process has died\n");
}

static const struct mregion_ops adder_ops = {
	.read = adder_read,
	.write = adder_write,
	.constraints = { .valid_min = 4, .valid_max = 4 },
};

/* The adder's process: it gets two descriptors, and nothing else of the VMM. */
static pid_t start_process(const char *path, int server, int ring,
			   uint32_t region)
{
	char args[3][16];
	pid_t pid;

	snprintf(args[0], sizeof(args[0]), "%d", server);
	snprintf(args[1], sizeof(args[1]), "%d", ring);
	snprintf(args[2], sizeof(args[2]), "%u", region);
	pid = fork();
	if (pid)
		return pid;
	/* All that the library opens is close-on-exec; so is the machine. */
	fcntl(server, F_SETFD, 0);
	fcntl(ring, F_SETFD, 0);
	execl(path, path, args[0], args[1], args[2], NULL);
	_exit(127);
}

static void adder_init(struct adder *adder, struct mregion_machine *machine,
		       const char *path)
{
	int fd;

	/* One slot a vCPU; 50 us to spin; dead after 10 s without an answer. */
	adder->server = mregion_new_server(machine, 1, 50, 10000000, &fd);
	if (!adder->server)
		errx(1, "%s", mregion_error());
	adder->ring = mregion_new_ring(machine, 64, 0, 0);

	mregion_begin(machine);
	mregion_set_server(adder->region, adder->server);
	mregion_post(adder->region, ADDER_ADD, 4, adder->ring);
	if (mregion_commit(machine))
		errx(1, "%s", mregion_error());

	adder->process = start_process(path, fd, mregion_ring_fd(adder->ring),
				       mregion_id(adder->region));
	if (adder->process < 0)
		err(1, "fork");
	/* Or the server would live as long as the VMM. */
	close(fd);
}

/* The adder's process has ended: the VMM does the writes posted to it. */
static void adder_take(struct adder *adder, struct mregion_machine *machine)
{
	/* End it first: waitpid() would wait for ever otherwise. */
	kill(adder->process, SIGKILL);
	waitpid(adder->process, NULL, 0);
	mregion_begin(machine);
	mregion_unpost(adder->region, ADDER_ADD, 4, adder->ring);
	mregion_set_server(adder->region, NULL);	/* or another one */
	if (mregion_commit(machine) || mregion_server_free(adder->server))
		errx(1, "%s", mregion_error());
	mregion_ring_drain(adder->ring);
	mregion_ring_free(adder->ring);
}

/* The machine, in one commit. */
static void vmm_build(struct vmm *vmm, int vm_fd, const char *device)
{
	struct mregion_machine *machine = mregion_machine_open(NULL);
	struct mregion_region *memory, *ports, *uart, *engine;
	struct mregion_attach_params params = { .vm_fd = vm_fd, .nr_slots = 32 };
	struct mregion_doorbell doorbell = { .offset = ENGINE_NUMBER, .len = 4 };
	struct mregion_shadow *shadow;
	struct mregion_ring *ring;

	if (!machine)
		errx(1, "%s", mregion_error());
	vmm->machine = machine;
	ring = mregion_new_ring(machine, 1024, 512, 20000);
	shadow = mregion_new_shadow(machine, 2 * PAGE);
	if (!ring || !shadow)
		errx(1, "%s", mregion_error());
	if (engine_init(&vmm->engine, shadow))
		errx(1, "cannot start the engine");

	mregion_begin(machine);
	memory = mregion_new_container(machine, "memory", 0);
	ports = mregion_new_container(machine, "ports", 0x10000);
	vmm->ram = mregion_new_ram(machine, MREGION_RAM, "ram", RAM_SIZE);
	uart = mregion_new_mmio(machine, "uart", 8, &uart_ops, &vmm->uart);
	engine = mregion_new_mmio(machine, "engine", PAGE, &engine_ops, NULL);
	vmm->adder.region = mregion_new_mmio(machine, "adder", PAGE, &adder_ops,
					     &vmm->adder);
	mregion_map(memory, vmm->ram, 0, 0);
	mregion_map(memory, engine, ENGINE, 0);
	mregion_map(memory, vmm->adder.region, ADDER, 0);
	mregion_map(ports, uart, UART, 0);
	params.memory = mregion_new_space(machine, MREGION_BUS_MEMORY, memory,
					  MREGION_POLICY_ONES);
	params.pio = mregion_new_space(machine, MREGION_BUS_PIO, ports,
				       MREGION_POLICY_ONES);

	/* Printed characters are coalesced. */
	mregion_coalesce(uart, 0, 1, ring);
	/* The port is always ready: the second page's first registers. */
	((uint8_t *)mregion_shadow_ptr(shadow))[PAGE + UART_STATUS] = UART_READY;
	mregion_add_shadow(uart, UART_STATUS, 1, shadow, PAGE + UART_STATUS,
			   MREGION_RULE_READ, -1);
	/* The number is stored, then the thread woken; the rest is read. */
	doorbell.eventfd = vmm->engine.doorbell;
	doorbell.shadow = shadow;
	mregion_add_doorbell(engine, &doorbell);
	mregion_add_shadow(engine, ENGINE_DONE, 8, shadow, ENGINE_DONE,
			   MREGION_RULE_READ, -1);
	if (mregion_commit(machine) || mregion_ring_start_thread(ring))
		errx(1, "%s", mregion_error());

	adder_init(&vmm->adder, machine, device);
	vmm->vm = mregion_attach(machine, &params);
	if (!vmm->vm)
		errx(1, "%s", mregion_error());
}

/* A vCPU's thread: 0 when the guest has halted, or a negative errno. */
static int vcpu_loop(struct vmm *vmm, int vcpu_fd, unsigned int index,
		     struct kvm_run *run)
{
	int ret;

	for (;;) {
		if (ioctl(vcpu_fd, KVM_RUN, 0) < 0) {
			if (errno != EINTR && errno != EAGAIN)
				return -errno;
			if (run->immediate_exit)
				return -ETIME;
			continue;
		}
		/* A signal came, and a server is still at it: look whether to end. */
		do
			ret = mregion_vm_exit(vmm->vm, index, run);
		while (ret == -EINTR && !run->immediate_exit);

		if (ret == 0)
			continue;
		if (ret == -EINTR)
			return -ETIME;
		/* The guest has made an error, and got an answer nevertheless. */
		if (ret == -EFAULT)
			continue;
		if (ret < 0)
			return ret;
		switch (run->exit_reason) {
		case KVM_EXIT_HLT:
			return 0;
		case KVM_EXIT_INTR:
			break;
		default:
			warnx("vCPU %u: exit for reason %u", index,
			      run->exit_reason);
			return -EIO;
		}
	}
}

/* A guest that takes too long ends, and so does a VMM that waits for it. */
static struct kvm_run *limited;

static void time_is_up(int signal)
{
	(void)signal;
	limited->immediate_exit = 1;
}

static void mask_alarm(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(how, &set, NULL);
}

static int vcpu_loop_limited(struct vmm *vmm, int vcpu_fd, struct kvm_run *run)
{
	/* Without SA_RESTART. */
	struct sigaction action = { .sa_handler = time_is_up };
	int ret;

	limited = run;
	sigaction(SIGALRM, &action, NULL);
	alarm(PATIENCE);
	mask_alarm(SIG_UNBLOCK);
	ret = vcpu_loop(vmm, vcpu_fd, 0, run);
	alarm(0);
	return ret;
}

/* The rest is KVM's own. */
static struct kvm_run *new_vcpu(int kvm, int vm_fd, int *vcpu_fd)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_run *run;

	*vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	if (*vcpu_fd < 0)
		err(1, "KVM_CREATE_VCPU");
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		   PROT_READ | PROT_WRITE, MAP_SHARED, *vcpu_fd, 0);
	if (run == MAP_FAILED)
		err(1, "mmap");
	if (ioctl(*vcpu_fd, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(*vcpu_fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(*vcpu_fd, KVM_SET_REGS, &regs))
		err(1, "cannot set registers");
	return run;
}

static void print_results(const char *ram)
{
	printf("the square is %u\n", *(const uint32_t *)(ram + SQUARE));
	printf("the sum is %u\n", *(const uint32_t *)(ram + SUM));
	printf("the sum without the process is %#x\n",
	       *(const uint32_t *)(ram + SUM_LATER));
}

int main(int argc, char **argv)
{
	int kvm, vm_fd, vcpu_fd, ret;
	struct vmm vmm = {};
	struct kvm_run *run;

	if (argc != 2)
		errx(2, "usage: vmm DEVICE");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		err(1, "/dev/kvm");
	vm_fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm_fd < 0)
		err(1, "KVM_CREATE_VM");
	/* In all threads but the vCPU's, which it is for. */
	mask_alarm(SIG_BLOCK);
	vmm_build(&vmm, vm_fd, argv[1]);
	memcpy((char *)mregion_ram_ptr(vmm.ram) + CODE, guest,
	       guest_end - guest);

	run = new_vcpu(kvm, vm_fd, &vcpu_fd);
	ret = vcpu_loop_limited(&vmm, vcpu_fd, run);
	if (ret)
		warnx("the guest ended: %s", strerror(-ret));
	else
		print_results(mregion_ram_ptr(vmm.ram));

	engine_end(&vmm.engine);
	adder_take(&vmm.adder, vmm.machine);
	mregion_machine_close(vmm.machine);
	return ret ? 1 : 0;
}
