/* SPDX-License-Identifier: MIT */
/* How many bits a guest's addresses have: processors differ in that */
#ifndef VMM_IPA_H
#define VMM_IPA_H

struct kvm;

/** ipa_bits() - of a virtual machine's addresses; @kvm has /dev/kvm opened */
unsigned int ipa_bits(const struct kvm *kvm);

#endif /* VMM_IPA_H */
