/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracing of the outcomes of accesses.
 *
 * While an outcome that the short way can have is traced, no access takes the
 * short way. So a trace event that is off costs one instruction there.
 */
#ifndef MREGION_TRACED_H
#define MREGION_TRACED_H

#include <linux/jump_label.h>
#include <linux/mregion.h>
#include <linux/types.h>

struct mregion_region;
struct mregion_request;

DECLARE_STATIC_KEY_FALSE(mregion_traced);
DECLARE_STATIC_KEY_FALSE(mregion_traced_short);

/**
 * struct mregion_traced_part - the part of an access that has an outcome
 * @region: the region it was made to, or NULL
 * @offset: in the region
 * @data: the value that is, or has been, transferred
 * @pos: offset in the access
 * @len: its length
 */
struct mregion_traced_part {
	const struct mregion_region *region;
	u64 offset;
	u64 data;
	u8 pos;
	u8 len;
};

/** mregion_trace_vcpu() - a vCPU as events have it */
static inline int mregion_trace_vcpu(u16 vcpu)
{
	return vcpu == MREGION_NO_VCPU ? -1 : vcpu;
}

int mregion_traced_start(void);
void mregion_traced_stop(void);
int mregion_traced_short_start(void);
void mregion_traced_short_stop(void);
void mregion_trace_outcome(const struct mregion_request *request,
			   enum mregion_outcome outcome,
			   const struct mregion_traced_part *part);

#endif /* MREGION_TRACED_H */
