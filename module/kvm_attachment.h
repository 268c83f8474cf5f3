/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attachments to KVM virtual machines. What is behind these functions is all
 * that knows KVM's structures.
 */
#ifndef MREGION_KVM_ATTACHMENT_H
#define MREGION_KVM_ATTACHMENT_H

#include <linux/mregion.h>

struct mregion_machine;
struct mregion_survey;
struct mregion_view;

int mregion_attach(struct mregion_machine *machine,
		   struct mregion_attach *args);
int mregion_attachment_owner(struct mregion_machine *machine, int vm_fd,
			     const void **owner);
bool mregion_attachment_is_there(struct mregion_machine *machine,
				 const void *owner);
int mregion_detach(struct mregion_machine *machine, int vm_fd);
void mregion_detach_all(struct mregion_machine *machine);
void mregion_attachments_reap(struct mregion_machine *machine);
int mregion_attachments_stats(struct mregion_machine *machine,
			      struct mregion_stats *stats);
int mregion_attachment_survey(struct mregion_machine *machine, int vm_fd,
			      u32 bus, bool renew,
			      struct mregion_survey *survey,
			      const struct mregion_view **view);
int mregion_attachments_prepare(struct mregion_machine *machine);
void mregion_attachments_cancel(struct mregion_machine *machine);
void mregion_attachments_update(struct mregion_machine *machine);

#endif /* MREGION_KVM_ATTACHMENT_H */
