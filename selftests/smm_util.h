/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guests with memory of their own in system management mode (SMM): SMRAM, which KVM's
 * address space 1 alone has a slot for, with a handler in it.
 *
 * A handler begins in real mode with segments of 4 GiB. It has the registers of the
 * code that it interrupts, which get them back by RSM; so what it finds out is left in
 * SMRAM.
 */
#ifndef SMM_UTIL_H
#define SMM_UTIL_H

#include "kvm_util.h"

#define SMRAM		0x30000u	/* where processors have it at first */
#define SMRAM_LEN	0x10000u
#define SMM_ENTRY	0x8000u		/* offsets in SMRAM */
#define SMM_RESULT	0x1000u
#define SMM_MARK	0x2000u
#define SMM_SLOT(slot)	(1u << 16 | (slot))

#define SMM_CODE(name, code)						\
	GUEST_CODE(smm_##name, ".code16\n" code "\n rsm\n .code64")

/* Read at rdi, and leave it with a mark. */
SMM_CODE(read, "movl (%edi), %eax\n"
	       "movl $0x31000, %ebx\n"
	       "movl %eax, (%ebx)\n"
	       "incl 0x1000(%ebx)");

/* Write ecx at rdi, and leave a mark. */
SMM_CODE(write, "movl %ecx, (%edi)\n"
		"movl $0x32000, %ebx\n"
		"incl (%ebx)");

struct smram {
	uint8_t *memory;
};

#define SMM_HANDLER(smram, name)					\
	memcpy((smram)->memory + SMM_ENTRY, guest_smm_##name.code,	\
	       guest_smm_##name.len)

static inline int smram_create(struct smram *smram, struct vm *vm)
{
	smram->memory = mmap(NULL, SMRAM_LEN, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (smram->memory == MAP_FAILED) {
		smram->memory = NULL;
		return -errno;
	}
	return vm_memslot(vm, SMM_SLOT(1), SMRAM, SMRAM_LEN, smram->memory);
}

static inline void smram_free(struct smram *smram)
{
	if (smram->memory)
		munmap(smram->memory, SMRAM_LEN);
}

static inline uint32_t smram_at(const struct smram *smram, uint32_t offset)
{
	return *(volatile uint32_t *)(smram->memory + offset);
}

/* Whether KVM has an address space for SMM here. */
static inline bool vm_has_smm(const struct vm *vm)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION,
		     KVM_CAP_MULTI_ADDRESS_SPACE) >= 2 &&
	       ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_SMM) > 0;
}

/* The vCPU's last exit was in SMM. */
static inline bool vcpu_is_in_smm(const struct vcpu *vcpu)
{
	return vcpu->run->flags & KVM_RUN_X86_SMM;
}

#endif /* SMM_UTIL_H */
