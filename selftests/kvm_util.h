/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tiny guests for the tests of mregion: vCPUs in 64-bit mode without an
 * operating system or interrupts, each running one of the loops below.
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
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "mregion_util.h"

#define VM_MAX_VCPUS	8
#define VM_RAM		0x200000u	/* as large as a large page */
#define VM_PAGE_TABLES	0x1000u		/* six pages */
#define VM_CODE		0x10000u
#define VM_MAX_CODE	64		/* pieces, a page each */

/*
 * What a vCPU runs, on its arguments: rdi, an address, rdx, a port, rcx, the
 * first number, and rsi, the one behind the last. The code does not care where
 * it is.
 */
#define GUEST_CODE(name, code)						\
	asm(".pushsection .rodata\n"					\
	    "guest_" #name ":\n" code "\n"				\
	    "guest_" #name "_end:\n"					\
	    ".popsection\n");						\
	extern const uint8_t guest_##name[], guest_##name##_end[]

#define GUEST_LOOP(name, body)						\
	GUEST_CODE(name, "1:\n" body "\n"				\
			 "inc %rcx\n"					\
			 "cmp %rsi, %rcx\n"				\
			 "jb 1b\n"					\
			 "hlt")

/* Write the numbers to an address or a port. */
GUEST_LOOP(mmio_write1, "mov %cl, (%rdi)");
GUEST_LOOP(mmio_write2, "mov %cx, (%rdi)");
GUEST_LOOP(mmio_write4, "mov %ecx, (%rdi)");
GUEST_LOOP(mmio_write8, "mov %rcx, (%rdi)");
GUEST_LOOP(pio_write1, "mov %ecx, %eax\n out %al, %dx");
GUEST_LOOP(pio_write2, "mov %ecx, %eax\n out %ax, %dx");
GUEST_LOOP(pio_write4, "mov %ecx, %eax\n out %eax, %dx");

/* Read once, to rax. */
GUEST_CODE(mmio_read1, "xor %eax, %eax\n mov (%rdi), %al\n hlt");
GUEST_CODE(mmio_read2, "xor %eax, %eax\n mov (%rdi), %ax\n hlt");
GUEST_CODE(mmio_read4, "xor %eax, %eax\n mov (%rdi), %eax\n hlt");
GUEST_CODE(mmio_read8, "mov (%rdi), %rax\n hlt");
GUEST_CODE(pio_read1, "xor %eax, %eax\n in %dx, %al\n hlt");
GUEST_CODE(pio_read4, "in %dx, %eax\n hlt");

/* Write rcx to the port as a string of four bytes, by one instruction. */
GUEST_CODE(pio_string, "mov $0x8000, %esi\n mov $4, %ecx\n cld\n"
		       "rep outsb\n hlt");

/* The same where a vCPU does not exit by halting: with KVM's own irqchip. */
#define END_PORT	0xf4
GUEST_CODE(mmio_read4_out, "mov (%rdi), %eax\n out %al, $0xf4");
GUEST_CODE(mmio_write4_out, "mov %ecx, (%rdi)\n out %al, $0xf4");

/* Never ends. */
GUEST_CODE(mmio_forever, "1: mov %ecx, (%rdi)\n inc %rcx\n jmp 1b");
GUEST_CODE(pio_forever, "1: mov %ecx, %eax\n out %al, %dx\n inc %rcx\n jmp 1b");

#define GUEST_RUN(vcpu, name, ...)					\
	vcpu_start(vcpu, guest_##name, guest_##name##_end - guest_##name, \
		   (struct kvm_regs){ __VA_ARGS__ })

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
	const uint8_t *code[VM_MAX_CODE];
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

/* Pages of 2 MiB that map the first 4 GiB to themselves. */
static inline void vm_page_tables(struct vm *vm)
{
	uint64_t *pml4 = (void *)(vm->ram + VM_PAGE_TABLES);
	uint64_t *pdpt = pml4 + 512, *pd = pdpt + 512;
	unsigned int i;

	pml4[0] = (VM_PAGE_TABLES + 0x1000) | 3;
	for (i = 0; i < 4; i++)
		pdpt[i] = (VM_PAGE_TABLES + 0x2000 + 0x1000 * i) | 3;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = 0x200000ull * i | 0x83;
}

static inline int vcpu_init(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 *
					  sizeof(cpuid->entries[0]));
	struct kvm_segment code = {
		.limit = ~0u, .selector = 8, .type = 11, .present = 1,
		.s = 1, .l = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = ~0u, .selector = 16, .type = 3, .present = 1,
		.s = 1, .db = 1, .g = 1,
	};
	struct kvm_sregs sregs;
	int err;

	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = 256;
	err = mr_ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (!err)
		err = mr_ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	if (!err)
		err = mr_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (err)
		return err;
	sregs.cr3 = VM_PAGE_TABLES;
	sregs.cr4 = 1 << 5;			/* PAE */
	sregs.cr0 = 1u << 31 | 1 << 5 | 1;	/* PG, NE, PE */
	sregs.efer = 1 << 10 | 1 << 8;		/* LMA, LME */
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	return mr_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
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
	vm_page_tables(vm);
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
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	vm->run_size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm->fd < 0 || vm->run_size < 0)
		goto failed;
	/* Intel processors want three pages for themselves. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
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
static inline uint64_t vm_code(struct vm *vm, const uint8_t *code, size_t len)
{
	uint64_t addr = 0;
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < vm->nr_code && vm->code[i] != code; i++)
		;
	if (i < VM_MAX_CODE && len <= MR_PAGE) {
		addr = VM_CODE + MR_PAGE * i;
		if (i == vm->nr_code) {
			memcpy(vm->ram + addr, code, len);
			vm->code[vm->nr_code++] = code;
		}
	}
	pthread_mutex_unlock(&vm->lock);
	return addr;
}

/* Let the vCPU begin with some code when it runs next. */
static inline int vcpu_start(struct vcpu *vcpu, const uint8_t *code, size_t len,
			     struct kvm_regs regs)
{
	vcpu->entry = vm_code(vcpu->vm, code, len);
	if (!vcpu->entry)
		return -ENOSPC;
	regs.rip = vcpu->entry;
	regs.rflags = 2;
	vcpu->run->immediate_exit = 0;
	return mr_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/* A vCPU has stopped for a reason that its code does not give: tell all. */
static inline void vcpu_astray(struct vcpu *vcpu, int reason)
{
	const struct kvm_run *run = vcpu->run;
	struct kvm_regs regs = { 0 };
	unsigned int i;

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	fprintf(stderr, "# vCPU %d: exit %d at %#llx, where %#llx begins; rcx %#llx rdi %#llx rdx %#llx rsi %#llx rflags %#llx\n",
		vcpu->index, reason, regs.rip, (unsigned long long)vcpu->entry,
		regs.rcx, regs.rdi, regs.rdx, regs.rsi, regs.rflags);
	if (regs.rip <= VM_RAM - 16) {
		fprintf(stderr, "# code there:");
		for (i = 0; i < 16; i++)
			fprintf(stderr, " %02x", vcpu->vm->ram[regs.rip + i]);
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
 * Run until the next exit; its reason, or a negative errno (-EINTR, too). One
 * that no guest here can mean is told.
 */
static inline int vcpu_run(struct vcpu *vcpu)
{
	int reason = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ?
		     -errno : (int)vcpu->run->exit_reason;

	if (reason != -EINTR && reason != KVM_EXIT_HLT &&
	    reason != KVM_EXIT_MMIO && reason != KVM_EXIT_IO)
		vcpu_astray(vcpu, reason);
	return reason;
}

/* The same, where one reason is the right one, and all others are told. */
static inline int vcpu_run_until(struct vcpu *vcpu, int wanted)
{
	int reason = vcpu_run(vcpu);

	if (reason != wanted && (reason == KVM_EXIT_HLT ||
				 reason == KVM_EXIT_MMIO ||
				 reason == KVM_EXIT_IO))
		vcpu_astray(vcpu, reason);
	return reason;
}

static inline uint64_t vcpu_rax(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0)
		return 0xdeadbeefdeadbeef;
	return regs.rax;
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
