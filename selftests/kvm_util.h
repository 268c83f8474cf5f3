/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tiny guests for the tests of mregion: 64-bit vCPUs without an operating system or
 * interrupts, each running one of the pieces of code in arch/.
 *
 * A guest has VM_RAM bytes of memory at address 0: page tables, some room for
 * what a test puts there, and code. The rest of its first 4 GiB is there to be
 * accessed and not mapped to anything.
 */
#ifndef KVM_UTIL_H
#define KVM_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "mregion_util.h"

/*
 * An architecture has guests' code, and
 *
 *	VCPU_ENDED		reason of the exit at the end of that code
 *	VM_HAS_PORTS		0 or 1: whether there are ports
 *	VM_HAS_IOAPIC		KVM's own irqchip has an I/O APIC
 *	VM_HAS_SMM		vCPUs have a mode with memory of its own
 *	VM_HAS_UNALIGNED	accesses that are not aligned reach KVM's buses
 *	VM_SPLITS_PAGES		KVM makes two of an access across pages
 *	arch_tables()		page tables, or what else is there before code is
 *	arch_vm_init()		before there is memory
 *	arch_vm_add_device()	some device of KVM's that may come late
 *	arch_vcpu_init()	so that code is executed where it is, and all can run
 *	arch_vcpu_set_regs()	begin at a piece of code
 *	arch_vcpu_get_regs()	what it has left
 *	arch_vcpu_ended()	whether an exit is the end of code, not of an exception
 *	arch_code_written()	code is to be seen by processors
 */
#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#elif defined(__riscv) && __riscv_xlen == 64
#include "arch/riscv64.h"
#else
#error "no guests for this architecture"
#endif

#define VM_MAX_VCPUS	8
#define VM_RAM		0x200000u	/* as large as a large page */
#define VM_PAGE_TABLES	0x1000u		/* six pages at most, and vectors */
#define VM_CODE		0x10000u
#define VM_MAX_CODE	64		/* pieces, a page each */

#define GUEST_RUN(vcpu, name, ...)					\
	vcpu_start(vcpu, &guest_##name, (struct guest_regs){ __VA_ARGS__ })

/* The code that writes numbers of that size, or reads one; NULL if there is none. */
static inline const struct guest_code *guest_writes(bool pio, unsigned int len)
{
#if VM_HAS_PORTS
	if (pio)
		return len == 1 ? &guest_pio_write1 : len == 2 ? &guest_pio_write2 :
			len == 4 ? &guest_pio_write4 : NULL;
#endif
	return pio ? NULL : len == 1 ? &guest_mmio_write1 :
		len == 2 ? &guest_mmio_write2 : len == 4 ? &guest_mmio_write4 :
		len == 8 ? &guest_mmio_write8 : NULL;
}

static inline const struct guest_code *guest_reads(bool pio, unsigned int len)
{
#if VM_HAS_PORTS
	if (pio)
		return len == 1 ? &guest_pio_read1 : len == 2 ? &guest_pio_read2 :
			len == 4 ? &guest_pio_read4 : NULL;
#endif
	return pio ? NULL : len == 1 ? &guest_mmio_read1 :
		len == 2 ? &guest_mmio_read2 : len == 4 ? &guest_mmio_read4 :
		len == 8 ? &guest_mmio_read8 : NULL;
}

#define NO_PORTS	"no I/O ports on this architecture"
#define NO_IOAPIC	"KVM has no I/O APIC on this architecture"
#define NO_SPLITS	"KVM makes one access of it on this architecture"

/*
 * SKIP() in the setup of a fixture, where with some kernels' harness the case would run
 * all the same.
 */
#define SKIP_CASE(...)	SKIP(longjmp(_metadata->env, 1), __VA_ARGS__)

/* In a case, before it has anything to give back. */
#define SKIP_WITHOUT_PORTS() do {					\
	if (!VM_HAS_PORTS)						\
		SKIP(return, NO_PORTS);					\
} while (0)

struct vm;

struct vcpu {
	struct vm *vm;
	struct kvm_run *run;
	uint64_t entry;			/* where its code begins */
	int fd;
	int index;
};

struct vm {
	uint8_t *ram;
	void *mapping;			/* what the memory was taken from */
	pthread_mutex_t lock;		/* of what follows */
	const struct guest_code *code[VM_MAX_CODE];
	unsigned int nr_code;
	int kvm;
	int fd;
	int run_size;
	int nr_vcpus;
	struct vcpu vcpus[VM_MAX_VCPUS];
};

static inline int vm_memslot(struct vm *vm, uint32_t slot, uint64_t addr,
			     uint64_t len, void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = addr,
		.memory_size = len,
		.userspace_addr = (uintptr_t)memory,
	};

	return mr_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static inline int vcpu_init(struct vcpu *vcpu)
{
	return arch_vcpu_init(vcpu->vm->kvm, vcpu->vm->fd, vcpu->fd,
			      VM_PAGE_TABLES);
}

static inline void vm_free(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].run)
			munmap(vm->vcpus[i].run, vm->run_size);
		close(vm->vcpus[i].fd);
	}
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm >= 0)
		close(vm->kvm);
	if (vm->mapping)
		munmap(vm->mapping, 2 * VM_RAM);
	memset(vm, 0, sizeof(*vm));
	vm->kvm = -1;
	vm->fd = -1;
}

static inline int vm_add_vcpu(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];

	vcpu->vm = vm;
	vcpu->index = vm->nr_vcpus;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, vcpu->index);
	if (vcpu->fd < 0)
		return -errno;
	vm->nr_vcpus++;
	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return -errno;
	}
	return vcpu_init(vcpu);
}

/*
 * One large page, where the kernel has them. When memory slots change, KVM
 * forgets what it has mapped; a vCPU then has to fault in one page again, and
 * not one for each level of its page tables before each instruction.
 */
static inline int vm_memory(struct vm *vm)
{
	vm->mapping = mmap(NULL, 2 * VM_RAM, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->mapping == MAP_FAILED) {
		vm->mapping = NULL;
		return -errno;
	}
	vm->ram = (uint8_t *)(((uintptr_t)vm->mapping + VM_RAM - 1) &
			      ~(uintptr_t)(VM_RAM - 1));
	madvise(vm->ram, VM_RAM, MADV_HUGEPAGE);
	arch_tables(vm->ram, VM_PAGE_TABLES);
	return 0;
}

/* A virtual machine with @nr_vcpus vCPUs, at least 0. */
static inline int vm_create(struct vm *vm, int nr_vcpus)
{
	int err = 0;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return -errno;
	vm->fd = mr_create_vm(vm->kvm);
	vm->run_size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm->fd < 0 || vm->run_size < 0)
		goto failed;
	arch_vm_init(vm->fd);
	err = vm_memory(vm);
	if (!err)
		err = vm_memslot(vm, 0, 0, VM_RAM, vm->ram);
	while (!err && vm->nr_vcpus != nr_vcpus)
		err = vm_add_vcpu(vm);
	if (!err)
		return 0;
	errno = -err;
failed:
	err = -errno;
	vm_free(vm);
	return err;
}

/*
 * The address of a piece of code, which is copied there when it is first asked
 * for. What has run is never written again: an emulator, which the tests'
 * processors often are, may have translated it, and would have to notice.
 */
static inline uint64_t vm_code(struct vm *vm, const struct guest_code *code)
{
	uint64_t addr = 0;
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < vm->nr_code && vm->code[i] != code; i++)
		;
	if (i < VM_MAX_CODE && code->len <= MR_PAGE) {
		addr = VM_CODE + MR_PAGE * i;
		if (i == vm->nr_code) {
			memcpy(vm->ram + addr, code->code, code->len);
			arch_code_written(vm->ram + addr, code->len);
			vm->code[vm->nr_code++] = code;
		}
	}
	pthread_mutex_unlock(&vm->lock);
	return addr;
}

/* Let the vCPU begin with some code when it runs next. */
static inline int vcpu_start(struct vcpu *vcpu, const struct guest_code *code,
			     struct guest_regs regs)
{
	vcpu->entry = vm_code(vcpu->vm, code);
	if (!vcpu->entry)
		return -ENOSPC;
	regs.pc = vcpu->entry;
	vcpu->run->immediate_exit = 0;
	return arch_vcpu_set_regs(vcpu->fd, &regs);
}

static inline int vcpu_regs(struct vcpu *vcpu, struct guest_regs *regs)
{
	return arch_vcpu_get_regs(vcpu->fd, regs);
}

/* What the guest has read last. */
static inline uint64_t vcpu_value(struct vcpu *vcpu)
{
	struct guest_regs regs;

	return vcpu_regs(vcpu, &regs) ? 0xdeadbeefdeadbeef : regs.value;
}

/* A vCPU has stopped for a reason that its code does not give: tell all. */
static inline void vcpu_astray(struct vcpu *vcpu, int reason)
{
	const struct kvm_run *run = vcpu->run;
	struct guest_regs regs;
	unsigned int i;

	vcpu_regs(vcpu, &regs);
	fprintf(stderr, "# vCPU %d: exit %d at %#llx, where %#llx begins; addr %#llx port %#llx number %#llx end %#llx value %#llx count %#llx\n",
		vcpu->index, reason, (unsigned long long)regs.pc,
		(unsigned long long)vcpu->entry,
		(unsigned long long)regs.addr, (unsigned long long)regs.port,
		(unsigned long long)regs.number, (unsigned long long)regs.end,
		(unsigned long long)regs.value, (unsigned long long)regs.count);
	if (regs.pc <= VM_RAM - 16) {
		fprintf(stderr, "# code there:");
		for (i = 0; i < 16; i++)
			fprintf(stderr, " %02x", vcpu->vm->ram[regs.pc + i]);
		fprintf(stderr, "\n");
	}
	switch (reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		fprintf(stderr, "# internal error %u:", run->internal.suberror);
		for (i = 0; i < run->internal.ndata && i < 16; i++)
			fprintf(stderr, " %#llx", run->internal.data[i]);
		fprintf(stderr, "\n");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		fprintf(stderr, "# no entry: %#llx\n",
			run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_UNKNOWN:
		fprintf(stderr, "# hardware says %#llx\n",
			run->hw.hardware_exit_reason);
		break;
	case KVM_EXIT_MMIO:
		fprintf(stderr, "# %s of %u@%#llx\n",
			run->mmio.is_write ? "write" : "read", run->mmio.len,
			run->mmio.phys_addr);
		break;
	case KVM_EXIT_IO:
		fprintf(stderr, "# %s of %u * %u@%#x\n",
			run->io.direction == KVM_EXIT_IO_OUT ? "write" : "read",
			run->io.count, run->io.size, run->io.port);
		break;
	}
}

/*
 * Run until the next exit; its reason, VCPU_ENDED at the end of the code, or a negative
 * errno (-EINTR, too). One that no guest here can mean is told.
 */
static inline int vcpu_run(struct vcpu *vcpu)
{
	int reason = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ?
		     -errno : (int)vcpu->run->exit_reason;

	if (reason >= 0 && arch_vcpu_ended(vcpu->run))
		return VCPU_ENDED;
	if (reason != -EINTR && reason != KVM_EXIT_MMIO &&
	    reason != KVM_EXIT_IO)
		vcpu_astray(vcpu, reason);
	return reason;
}

/* The same, where one reason is the right one, and all others are told. */
static inline int vcpu_run_until(struct vcpu *vcpu, int wanted)
{
	int reason = vcpu_run(vcpu);

	if (reason != wanted && (reason == VCPU_ENDED ||
				 reason == KVM_EXIT_MMIO ||
				 reason == KVM_EXIT_IO))
		vcpu_astray(vcpu, reason);
	return reason;
}

static inline uint64_t mmio_data(const struct kvm_run *run)
{
	uint64_t data = 0;

	memcpy(&data, run->mmio.data, run->mmio.len);
	return data;
}

static inline uint64_t pio_data(const struct kvm_run *run)
{
	uint64_t data = 0;

	memcpy(&data, (const uint8_t *)run + run->io.data_offset,
	       run->io.size);
	return data;
}

static inline int mr_attach_smm(int fd, int vm_fd, uint32_t memory,
				uint32_t pio, uint32_t smm,
				struct mregion_attach *result)
{
	struct mregion_attach attach = {
		.size = sizeof(attach),
		.vm_fd = vm_fd,
		.memory = memory,
		.pio = pio,
		.smm = smm,
	};
	int err = mr_ioctl(fd, MREGION_ATTACH, &attach);

	if (result)
		*result = attach;
	return err;
}

static inline int mr_attach(int fd, int vm_fd, uint32_t memory, uint32_t pio,
			    struct mregion_attach *result)
{
	return mr_attach_smm(fd, vm_fd, memory, pio, 0, result);
}

static inline int mr_detach(int fd, int vm_fd)
{
	struct mregion_detach detach = {
		.size = sizeof(detach),
		.vm_fd = vm_fd,
	};

	return mr_ioctl(fd, MREGION_DETACH, &detach);
}

#endif /* KVM_UTIL_H */
