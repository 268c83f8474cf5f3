// SPDX-License-Identifier: MIT
#include <sys/ioctl.h>

#include "ipa.h"
#include "kvm.h"

/* Those of a machine for which none were asked; more may take more levels of tables. */
#define USUAL_BITS		40

unsigned int ipa_bits(const struct kvm *kvm)
{
	int most = ioctl(kvm->kvm_fd, KVM_CHECK_EXTENSION,
			 KVM_CAP_ARM_VM_IPA_SIZE);

	return most < USUAL_BITS ? most : USUAL_BITS;
}
