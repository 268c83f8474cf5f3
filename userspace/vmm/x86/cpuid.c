// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../array.h"
#include "cpuid.h"
#include "kvm.h"
#include "report.h"

#define CPUID_MAX_ENTRIES	256
/* Two levels and the end, for each of two leaves. */
#define CPUID_ADDED_ENTRIES	6

#define LEAF1_ECX_TSC_DEADLINE	(1u << 24)
#define LEAF1_ECX_HYPERVISOR	(1u << 31)
#define LEAF1_EDX_HTT		(1u << 28)
#define AMD_ECX_CMP_LEGACY	(1u << 1)

#define LEVEL_SMT		1u
#define LEVEL_CORE		2u

/* How many bits the numbers below @nr take. */
static unsigned int bits_for(unsigned int nr)
{
	unsigned int bits = 0;

	while ((1u << bits) < nr)
		bits++;
	return bits;
}

static struct kvm_cpuid2 *cpuid_supported(const struct kvm *kvm)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) +
		       (CPUID_MAX_ENTRIES + CPUID_ADDED_ENTRIES) *
		       sizeof(cpuid->entries[0]));
	if (!cpuid)
		return NULL;
	cpuid->nent = CPUID_MAX_ENTRIES;
	if (ioctl(kvm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
		return cpuid;
	free(cpuid);
	return NULL;
}

/* The host's topology leaves speak of the host: take them out. */
static void remove_leaf(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	unsigned int from, to = 0;

	for (from = 0; from < cpuid->nent; from++)
		if (cpuid->entries[from].function != function)
			cpuid->entries[to++] = cpuid->entries[from];
	cpuid->nent = to;
}

static void add_topology_leaf(struct kvm_cpuid2 *cpuid, uint32_t function,
			      unsigned int index, unsigned int nr)
{
	const struct kvm_cpuid_entry2 levels[] = {
		{ .eax = 0, .ebx = 1, .ecx = LEVEL_SMT << 8 },
		{ .eax = bits_for(nr), .ebx = nr, .ecx = 1 | LEVEL_CORE << 8 },
		{ .ecx = 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent++];

		*entry = levels[i];
		entry->function = function;
		entry->index = i;
		entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		entry->edx = index;
	}
}

/* Caches of the third level and on are the package's, others a core's. */
static void set_cache_sharing(struct kvm_cpuid_entry2 *entry, unsigned int nr)
{
	unsigned int level = entry->eax >> 5 & 7;
	unsigned int sharing = level >= 3 ? (1u << bits_for(nr)) - 1 : 0;

	entry->eax &= ~(0xfffu << 14);
	entry->eax |= (sharing & 0xfff) << 14;
}

static void adjust_entry(const struct kvm *kvm, struct kvm_cpuid_entry2 *entry,
			 unsigned int index, unsigned int nr)
{
	unsigned int rounded = 1u << bits_for(nr);

	switch (entry->function) {
	case 1:
		entry->ebx &= 0x0000ffff;
		entry->ebx |= index << 24 | (rounded & 0xff) << 16;
		if (nr > 1)
			entry->edx |= LEAF1_EDX_HTT;
		else
			entry->edx &= ~LEAF1_EDX_HTT;
		/* That there is one is for the VMM to say, not for KVM. */
		entry->ecx |= LEAF1_ECX_HYPERVISOR;
		if (ioctl(kvm->kvm_fd, KVM_CHECK_EXTENSION,
			  KVM_CAP_TSC_DEADLINE_TIMER) > 0)
			entry->ecx |= LEAF1_ECX_TSC_DEADLINE;
		break;
	case 4:
		if (!(entry->eax & 0x1f))
			break;
		set_cache_sharing(entry, nr);
		entry->eax &= 0x03ffffff;
		entry->eax |= ((rounded - 1) & 0x3f) << 26;
		break;
	case 0x80000001:
		if (nr > 1)
			entry->ecx |= AMD_ECX_CMP_LEGACY;
		else
			entry->ecx &= ~AMD_ECX_CMP_LEGACY;
		break;
	case 0x80000008:
		entry->ecx &= ~0xf0ffu;
		entry->ecx |= (nr - 1) | bits_for(nr) << 12;
		break;
	case 0x8000001d:
		if (entry->eax & 0x1f)
			set_cache_sharing(entry, nr);
		break;
	case 0x8000001e:
		/* One thread a core, one node. */
		entry->eax = index;
		entry->ebx = index & 0xff;
		entry->ecx = 0;
		break;
	}
}

int cpuid_set(const struct kvm *kvm, int vcpu_fd, unsigned int index,
	      unsigned int nr)
{
	struct kvm_cpuid2 *cpuid = cpuid_supported(kvm);
	unsigned int i, max_leaf = 0;
	int phys_bits = 36;

	if (!cpuid) {
		report("KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
		return -errno;
	}

	remove_leaf(cpuid, 0x0b);
	remove_leaf(cpuid, 0x1f);
	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		adjust_entry(kvm, entry, index, nr);
		if (entry->function == 0)
			max_leaf = entry->eax;
		if (entry->function == 0x80000008)
			phys_bits = entry->eax & 0xff;
	}
	if (max_leaf >= 0x0b)
		add_topology_leaf(cpuid, 0x0b, index, nr);
	if (max_leaf >= 0x1f)
		add_topology_leaf(cpuid, 0x1f, index, nr);

	if (ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0) {
		report("KVM_SET_CPUID2: %s", strerror(errno));
		phys_bits = -errno;
	}
	free(cpuid);
	return phys_bits;
}
