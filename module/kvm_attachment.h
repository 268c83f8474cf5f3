/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attachments to KVM virtual machines. Only the files behind these functions
 * depend on KVM's structures.
 */
#ifndef MREGION_KVM_ATTACHMENT_H
#define MREGION_KVM_ATTACHMENT_H

#include <linux/mregion.h>

struct mregion_finding;
struct mregion_machine;
struct mregion_survey;
struct mregion_view;
struct pid;

/**
 * struct mregion_vm - an attachment, for netlink
 * @id: its number in the machine
 * @pid: the process that made it
 * @memory: ID of the space on the memory bus, or 0
 * @pio: ID of the space on the port bus, or 0
 * @smm: ID of the space that vCPUs in SMM see instead of @memory, or 0
 */
struct mregion_vm {
	u32 id;
	struct pid *pid;
	u32 memory;
	u32 pio;
	u32 smm;
};

typedef void mregion_vm_tell(void *to, const struct mregion_vm *vm);
typedef void mregion_claim_tell(void *to, u32 vm, u32 bus,
				const struct mregion_finding *finding);

u64 mregion_attach_features(void);
int mregion_attach(struct mregion_machine *machine,
		   struct mregion_attach *args);
int mregion_attachment_owner(struct mregion_machine *machine, int vm_fd,
			     const void **owner);
bool mregion_attachment_is_there(struct mregion_machine *machine,
				 const void *owner);
int mregion_detach(struct mregion_machine *machine, int vm_fd);
void mregion_detach_all(struct mregion_machine *machine);
void mregion_attachments_reap(struct mregion_machine *machine);
void mregion_attachments_walk(struct mregion_machine *machine,
			      mregion_vm_tell *tell, void *to);
int mregion_attachments_survey(struct mregion_machine *machine, u32 vm,
			       u32 buses, mregion_claim_tell *tell, void *to);
int mregion_attachments_stats(struct mregion_machine *machine,
			      struct mregion_stats *stats);
int mregion_attachment_survey(struct mregion_machine *machine, int vm_fd,
			      u32 bus, bool renew,
			      struct mregion_survey *survey);
int mregion_attachments_prepare(struct mregion_machine *machine);
void mregion_attachments_cancel(struct mregion_machine *machine);
void mregion_attachments_update(struct mregion_machine *machine);

#endif /* MREGION_KVM_ATTACHMENT_H */
