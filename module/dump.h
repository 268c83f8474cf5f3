/* SPDX-License-Identifier: GPL-2.0 */
/* Reading a machine back: lists of regions, spaces and ranges. */
#ifndef MREGION_DUMP_H
#define MREGION_DUMP_H

#include <linux/mregion.h>

struct mregion_finding;
struct mregion_list;
struct mregion_machine;
struct mregion_space;
struct mregion_view;

int mregion_view_check(const struct mregion_view_read *args);
int mregion_view_list(const struct mregion_space *space,
		      struct mregion_view_read *args,
		      struct mregion_list *list);
int mregion_dump_view(struct mregion_machine *machine,
		      struct mregion_view_read *args);
int mregion_dump_regions(struct mregion_machine *machine,
			 struct mregion_regions *args);
int mregion_dump_spaces(struct mregion_machine *machine,
			struct mregion_spaces *args);
int mregion_dump_claims(struct mregion_machine *machine,
			struct mregion_claims_read *args);
void mregion_finding_describe(const struct mregion_finding *finding,
			      struct mregion_claim_info *info);
int mregion_dump_translate(const struct mregion_view *view,
			   struct mregion_translate *args);

#endif /* MREGION_DUMP_H */
