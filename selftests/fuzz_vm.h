/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machines whose vCPUs make random accesses, each on a thread of its own,
 * while memory slots, ioeventfds and KVM's devices come and go.
 */
#ifndef FUZZ_VM_H
#define FUZZ_VM_H

#include "fuzz_machine.h"

#define FUZZ_VMS	2
#define FUZZ_VCPUS	2
#define FUZZ_TABLE	0x100000u	/* in a guest: of each vCPU, 64 KiB apart */
#define FUZZ_ENTRIES	48
#define FUZZ_SLOTS	4
#define FUZZ_SLOT_LEN	0x8000u
#define FUZZ_BELLS	8

/* An entry of what guest_fuzz does. */
struct guest_entry {
	uint64_t addr;
	uint32_t how;
	uint32_t data;
};

struct runner {
	struct worker worker;
	struct fuzz_vm *vm;
	struct vcpu *vcpu;
	uint64_t rounds, exits, signals, astray;
};

struct fuzz_vm {
	pthread_mutex_t lock;		/* of @fd */
	int fd;				/* for those who dup it */
	struct vm vm;
	struct machine *machines;	/* by which exits are completed */
	unsigned int nr_machines;
	bool irqchip;
	struct runner runners[FUZZ_VCPUS];
	unsigned int nr_runners;
	struct kvm_ioeventfd bells[FUZZ_BELLS];
	uint32_t nr_bells;
	int efd;
	uint8_t *memory;		/* of the slots */
};

static inline int fuzz_vm_dup(struct fuzz_vm *vm)
{
	int fd;

	pthread_mutex_lock(&vm->lock);
	fd = vm->fd < 0 ? -1 : fcntl(vm->fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&vm->lock);
	return fd;
}

/* Have a machine tell what it has claimed there, if there is anything. */
static inline void fuzz_vm_claims(struct fuzz_vm *vm, struct prng *prng,
				  struct place *place, int fd,
				  struct inject *inject,
				  struct fuzz_counts *counts)
{
	int vm_fd = fuzz_vm_dup(vm);

	if (vm_fd < 0)
		return;
	WITH_FAILURES(inject, prng, 4,
		      random_claims(prng, place, fd, vm_fd, counts));
	close(vm_fd);
}

/* ---- vCPUs ------------------------------------------------------------- */

static inline int runner_start(struct runner *runner)
{
	uint32_t table = FUZZ_TABLE + 0x10000 * runner->vcpu->index, i;
	struct guest_entry *entry = (void *)(runner->vm->vm.ram + table);
	struct prng *prng = &runner->worker.prng;
	struct hot hot[2] = { 0 };
	int fd;

	fd = machine_dup(&runner->vm->machines[below(prng,
						runner->vm->nr_machines)]);
	if (fd >= 0) {
		hot_read(&hot[0], fd, 1);
		hot_read(&hot[1], fd, 2);
		close(fd);
	}
	for (i = 0; i < FUZZ_ENTRIES; i++, entry++) {
		bool pio;

		entry->how = below(prng, GUEST_FUZZ_HOWS);
		pio = GUEST_FUZZ_IS_PIO(entry->how);
		entry->addr = hot_addr(&hot[pio], prng, pio);
		/* What the guest has mapped, and not its page tables. */
		if (!pio && (entry->addr < VM_RAM || entry->addr > LAST_ADDR))
			entry->addr = random_addr(prng, pio);
		entry->data = below(prng, 4);
	}
	runner->rounds++;
	return GUEST_RUN(runner->vcpu, fuzz, .number = FUZZ_ENTRIES,
			 .arg = { table, table + 0x8000 });
}

/* Sometimes as a VMM does it, sometimes with whatever is there. */
static inline void runner_complete(struct runner *runner)
{
	struct prng *prng = &runner->worker.prng;
	struct machine *machine;
	struct vcpu_exit exit;
	int fd;

	if (!vcpu_exit_access(runner->vcpu, &exit))
		return;
	runner->exits++;
	if (!exit.write)
		memset(exit.data, below(prng, 4), exit.len);
	if (one_in(prng, 2))
		return;
	machine = &runner->vm->machines[below(prng, runner->vm->nr_machines)];
	fd = machine_dup(machine);
	if (fd < 0)
		return;
	make_access(&runner->worker.place, fd, exit.pio ? 2 : 1, exit.addr, exit.len,
		    exit.write ? MREGION_ACCESS_WRITE : 0,
		    vcpu_exit_value(&exit), &runner->worker.counts);
	close(fd);
}

/* Return: whether it goes on from where it is. */
static inline bool runner_run(struct runner *runner)
{
	struct kvm_run *run = runner->vcpu->run;
	int err;

	/* Without signals, one that halts in KVM would never come back. */
	if (!runner->vm->irqchip)
		inject_begin(&runner->worker.inject, &runner->worker.prng, 10);
	err = ioctl(runner->vcpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;
	inject_end(&runner->worker.inject);
	if (err == -EINTR) {
		runner->signals++;
		return true;
	}
	if (err)
		return false;
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
	case KVM_EXIT_IO:
		runner_complete(runner);
		return !arch_vcpu_ended(run);
	case VCPU_ENDED:
		return false;
	default:
		/* Emulated processors do that (vm/README), and after failures. */
		runner->astray++;
		vcpu_init(runner->vcpu);
		return false;
	}
}

static inline void *runner_thread(void *arg)
{
	struct runner *runner = arg;

	worker_begin(&runner->worker);
	while (worker_goes_on(&runner->worker)) {
		if (runner_start(runner))
			break;
		do {
			fuzz_at(&runner->worker.place, "running a vCPU");
			runner->worker.place.step++;
		} while (runner_run(runner) && worker_goes_on(&runner->worker));
	}
	worker_end(&runner->worker);
	return NULL;
}

/* ---- Virtual machines -------------------------------------------------- */

static inline void fuzz_vm_show(struct fuzz_vm *vm, int fd)
{
	pthread_mutex_lock(&vm->lock);
	vm->fd = fd;
	pthread_mutex_unlock(&vm->lock);
}

/* Return: whether there is one, with its vCPUs running. */
static inline bool fuzz_vm_open(struct fuzz_vm *vm, struct prng *prng,
				bool failures, unsigned int number)
{
	unsigned int i, nr = 1 + below(prng, FUZZ_VCPUS);

	/* Interrupt controllers come before vCPUs. */
	vm->irqchip = one_in(prng, 3);
	if (vm_create(&vm->vm, vm->irqchip ? 0 : nr))
		return false;
	if (vm->irqchip)
		mr_ioctl(vm->vm.fd, KVM_CREATE_IRQCHIP, NULL);
	while (vm->vm.nr_vcpus < (int)nr && !vm_add_vcpu(&vm->vm))
		;
	fuzz_vm_show(vm, vm->vm.fd);
	vm->efd = new_eventfd();
	vm->nr_bells = 0;
	vm->nr_runners = 0;
	for (i = 0; i < nr && vm->vm.nr_vcpus == (int)nr; i++) {
		struct runner *runner = &vm->runners[i];

		*runner = (struct runner){
			.vm = vm,
			.vcpu = &vm->vm.vcpus[i],
			.worker.prng = prng_of(random64(prng), i),
			.worker.place = { "vCPU", 10 * number + i, 0, "", 0 },
			.worker.failures = failures,
		};
		if (pthread_create(&runner->worker.thread, NULL, runner_thread,
				   runner))
			break;
		vm->nr_runners++;
	}
	return true;
}

/* Its descriptor first or last; others may hold it for a moment. */
static inline void fuzz_vm_close(struct fuzz_vm *vm, struct prng *prng,
				 struct runner *totals)
{
	unsigned int i;

	if (vm->fd < 0)
		return;
	fuzz_vm_show(vm, -1);
	if (one_in(prng, 2)) {
		close(vm->vm.fd);
		vm->vm.fd = -1;
	}
	for (i = 0; i < vm->nr_runners; i++) {
		struct runner *runner = &vm->runners[i];

		worker_stop(&runner->worker, runner->vcpu->run);
		counts_add(&totals->worker.counts, &runner->worker.counts);
		totals->rounds += runner->rounds;
		totals->exits += runner->exits;
		totals->signals += runner->signals;
		totals->astray += runner->astray;
	}
	vm->nr_runners = 0;
	vm_free(&vm->vm);
	close(vm->efd);
}

static inline void random_memslot(struct fuzz_vm *vm, struct prng *prng)
{
	uint32_t slot = below(prng, FUZZ_SLOTS);
	struct kvm_userspace_memory_region region = {
		.slot = 1 + slot,
		.flags = one_in(prng, 4) ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = random_base(prng),
		.userspace_addr = (uintptr_t)vm->memory + slot * FUZZ_SLOT_LEN,
		.memory_size = one_in(prng, 2) ? 0 :
			       0x1000 * (1 + below(prng, 4)),
	};

	mr_ioctl(vm->vm.fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static inline void random_ioeventfd(struct fuzz_vm *vm, struct prng *prng)
{
	bool pio = one_in(prng, 3);
	struct kvm_ioeventfd bell = {
		.addr = random_addr(prng, pio),
		.len = PICK(prng, 0, 1, 2, 4, 4, 8),
		.fd = vm->efd,
		.flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};
	uint32_t i;

	if (vm->nr_bells == FUZZ_BELLS || (vm->nr_bells && one_in(prng, 2))) {
		i = below(prng, vm->nr_bells);
		bell = vm->bells[i];
		bell.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
		if (!mr_ioctl(vm->vm.fd, KVM_IOEVENTFD, &bell))
			vm->bells[i] = vm->bells[--vm->nr_bells];
		return;
	}
	if (bell.len && one_in(prng, 2)) {
		bell.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
		bell.datamatch = below(prng, 4);
	}
	if (!mr_ioctl(vm->vm.fd, KVM_IOEVENTFD, &bell))
		vm->bells[vm->nr_bells++] = bell;
}

/* KVM's own coalescing is a device on the bus, too. */
static inline void random_coalesced_zone(struct fuzz_vm *vm, struct prng *prng)
{
	struct kvm_coalesced_mmio_zone zone = {
		.pio = one_in(prng, 3),
		.size = PICK(prng, 1, 4, 8, 0x100, 0x1000),
	};

	zone.addr = random_addr(prng, zone.pio) & ~0xffull;
	mr_ioctl(vm->vm.fd, one_in(prng, 2) ? KVM_REGISTER_COALESCED_MMIO :
					     KVM_UNREGISTER_COALESCED_MMIO,
		 &zone);
}

/* What KVM returns is its business: it is only to be in our way. */
static inline void fuzz_vm_step(struct fuzz_vm *vm, struct prng *prng,
				struct inject *inject)
{
	/* These are no device on a bus, and KVM complains at length. */
	if (one_in(prng, 3)) {
		random_memslot(vm, prng);
		return;
	}
	inject_begin(inject, prng, 3);
	switch (below(prng, 5)) {
	case 0 ... 2:
		random_ioeventfd(vm, prng);
		break;
	case 3:
		random_coalesced_zone(vm, prng);
		break;
	default:
		if (vm->irqchip)
			arch_vm_add_device(vm->vm.fd);
	}
	inject_end(inject);
}

#endif /* FUZZ_VM_H */
