// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "dump.h"
#include "kvm_attachment.h"
#include "list.h"
#include "machine.h"
#include "region.h"
#include "survey.h"

/**
 * mregion_view_check() - whether a view can be told
 * @args: from userspace
 *
 * Return: 0, -E2BIG, -EINVAL.
 */
int mregion_view_check(const struct mregion_view_read *args)
{
	return mregion_stride_check(args->range_size,
				    offsetofend(struct mregion_range,
						reserved));
}

/**
 * mregion_view_list() - take a space's flat view
 * @space: the space; its machine is locked
 * @args: from userspace; results are set
 * @list: to be filled in, with @budget and @entry_size set
 *
 * Return: 0, -ENOBUFS, -ENOMEM.
 */
int mregion_view_list(const struct mregion_space *space,
		      struct mregion_view_read *args, struct mregion_list *list)
{
	const struct mregion_view *view = space->view;
	const struct mregion_view_range *range;
	struct mregion_btree_cursor cursor;
	int ret = mregion_list_alloc(list, min(args->nr, view->tree.nr));

	if (ret)
		return ret;
	mregion_view_for_each(range, &cursor, view, 0) {
		struct mregion_range *entry = mregion_list_next(list);

		if (!entry)
			break;
		mregion_view_describe(range, mregion_region_of(range->node)->id,
				      entry);
	}
	args->nr = view->tree.nr;
	args->generation = view->generation;
	args->bus = space->bus;
	args->unassigned = view->unassigned;
	return 0;
}

/**
 * mregion_dump_view() - read a space's flat view
 * @machine: the machine
 * @args: from userspace; results are set
 *
 * Return: 0 or a negative errno, see MREGION_VIEW_READ.
 */
int mregion_dump_view(struct mregion_machine *machine,
		      struct mregion_view_read *args)
{
	struct mregion_list list = {
		.budget = machine->budget,
		.entry_size = sizeof(struct mregion_range),
	};
	struct mregion_space *space;
	int ret = mregion_view_check(args);

	if (ret)
		return ret;
	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	space = xa_load(&machine->spaces, args->space);
	ret = space ? mregion_view_list(space, args, &list) : -ENOENT;
	mutex_unlock(&machine->lock);
	return ret ?: mregion_list_copy(&list, args->ranges, args->range_size);
}

/**
 * mregion_dump_regions() - list regions
 * @machine: the machine
 * @args: from userspace; results are set
 *
 * Return: 0 or a negative errno, see MREGION_REGIONS.
 */
int mregion_dump_regions(struct mregion_machine *machine,
			 struct mregion_regions *args)
{
	struct mregion_list list = {
		.budget = machine->budget,
		.entry_size = sizeof(struct mregion_region_info),
	};
	struct mregion_region *region;
	unsigned long id;
	int ret = mregion_stride_check(args->region_size,
				       offsetofend(struct mregion_region_info,
						   name));

	if (ret)
		return ret;
	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	ret = mregion_list_alloc(&list, min(args->nr, machine->nr_regions));
	if (ret) {
		mutex_unlock(&machine->lock);
		return ret;
	}
	xa_for_each_start(&machine->regions, id, region, args->first) {
		struct mregion_region_info *entry = mregion_list_next(&list);

		if (entry)
			mregion_region_describe(region, entry);
		cond_resched();
	}
	args->nr = list.nr;
	args->generation = machine->generation;
	mutex_unlock(&machine->lock);
	return mregion_list_copy(&list, args->regions, args->region_size);
}

/**
 * mregion_dump_spaces() - list spaces
 * @machine: the machine
 * @args: from userspace; results are set
 *
 * Return: 0 or a negative errno, see MREGION_SPACES.
 */
int mregion_dump_spaces(struct mregion_machine *machine,
			struct mregion_spaces *args)
{
	struct mregion_list list = {
		.budget = machine->budget,
		.entry_size = sizeof(struct mregion_space_info),
	};
	struct mregion_space *space;
	unsigned long id;
	int ret = mregion_stride_check(args->space_size,
				       offsetofend(struct mregion_space_info,
						   nr_vms));

	if (ret)
		return ret;
	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	/* of virtual machines that are still there */
	mregion_attachments_reap(machine);
	ret = mregion_list_alloc(&list, min(args->nr, machine->nr_spaces));
	if (ret) {
		mutex_unlock(&machine->lock);
		return ret;
	}
	xa_for_each_start(&machine->spaces, id, space, args->first) {
		struct mregion_space_info *entry = mregion_list_next(&list);

		if (entry)
			mregion_space_describe(space, entry);
	}
	args->nr = list.nr;
	args->generation = machine->generation;
	mutex_unlock(&machine->lock);
	return mregion_list_copy(&list, args->spaces, args->space_size);
}

/**
 * mregion_finding_describe() - something of a survey as userspace gets to see it
 * @finding: what it tells
 * @info: to be filled in
 */
void mregion_finding_describe(const struct mregion_finding *finding,
			      struct mregion_claim_info *info)
{
	*info = (struct mregion_claim_info) {
		.start = finding->start,
		.last = finding->last,
		.kind = finding->kind,
		.region = finding->range ?
			mregion_region_of(finding->range->node)->id : 0,
		.flags = finding->flags,
	};
}

static void mregion_list_count(void *to, const struct mregion_finding *finding)
{
	u32 *nr = to;

	++*nr;
}

static void mregion_list_finding(void *to,
				 const struct mregion_finding *finding)
{
	struct mregion_claim_info *entry = mregion_list_next(to);

	if (entry)
		mregion_finding_describe(finding, entry);
}

/* What a survey says; the machine is locked. */
static int mregion_list_survey(struct mregion_list *list, u32 room,
			       const struct mregion_survey *survey)
{
	u32 nr = 0;
	int ret;

	ret = mregion_survey_walk(survey, mregion_list_count, &nr) ?:
	      mregion_list_alloc(list, min(room, nr));
	if (ret)
		return ret;
	ret = mregion_survey_walk(survey, mregion_list_finding, list);
	if (ret)
		mregion_list_free(list);
	return ret;
}

/**
 * mregion_dump_claims() - list what is claimed on a virtual machine's bus
 * @machine: the machine
 * @args: from userspace; results are set
 *
 * Return: 0 or a negative errno, see MREGION_CLAIMS.
 */
int mregion_dump_claims(struct mregion_machine *machine,
			struct mregion_claims_read *args)
{
	struct mregion_list list = {
		.budget = machine->budget,
		.entry_size = sizeof(struct mregion_claim_info),
	};
	struct mregion_survey survey = {};
	int ret = mregion_stride_check(args->claim_size,
				       offsetofend(struct mregion_claim_info,
						   reserved));

	if (ret)
		return ret;
	if (args->flags & ~MREGION_CLAIMS_RENEW)
		return -EOPNOTSUPP;
	if (args->bus > MREGION_BUS_PIO)
		return -EINVAL;
	if (mutex_lock_killable(&machine->lock))
		return -EINTR;
	ret = mregion_attachment_survey(machine, args->vm_fd, args->bus,
					args->flags & MREGION_CLAIMS_RENEW,
					&survey);
	if (!ret)
		ret = mregion_list_survey(&list, args->nr, &survey);
	args->generation = machine->generation;
	mutex_unlock(&machine->lock);
	mregion_survey_free(&survey);
	if (ret)
		return ret;
	args->nr = list.nr;
	return mregion_list_copy(&list, args->claims, args->claim_size);
}

/**
 * mregion_dump_translate() - look an address up
 * @view: the view; the caller is in an RCU read-side section, or has its machine
 *	locked
 * @args: from userspace; results are set
 *
 * Return: 0 or -EINVAL, see MREGION_TRANSLATE.
 */
int mregion_dump_translate(const struct mregion_view *view,
			   struct mregion_translate *args)
{
	u64 addr = args->addr, last = addr + (args->len - 1);
	const struct mregion_view_range *range;

	/* with a length of 0 this is all right for address 0 alone */
	if (addr > view->last || last < addr)
		return -EINVAL;
	last = min(last, view->last);
	range = mregion_view_from(view, addr);
	if (range && range->start <= addr) {
		mregion_view_describe(range,
				      mregion_region_of(range->node)->id,
				      &args->range);
		args->range.offset += addr - range->start;
		last = min(last, range->last);
	} else {
		args->range = (struct mregion_range) {};
		if (range)
			last = min(last, range->start - 1);
	}
	args->range.start = addr;
	args->range.last = last;
	args->generation = view->generation;
	return 0;
}
