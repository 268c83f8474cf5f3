// SPDX-License-Identifier: GPL-2.0
#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_STATIC_KEY_FALSE(mregion_traced);
DEFINE_STATIC_KEY_FALSE(mregion_traced_short);

/** mregion_traced_start() - a tracepoint of an outcome gets a probe */
int mregion_traced_start(void)
{
	static_branch_inc(&mregion_traced);
	return 0;
}

/** mregion_traced_stop() - a tracepoint of an outcome has lost its probes */
void mregion_traced_stop(void)
{
	static_branch_dec(&mregion_traced);
}

/** mregion_traced_short_start() - the same, of one that the short way can have */
int mregion_traced_short_start(void)
{
	static_branch_inc(&mregion_traced_short);
	return mregion_traced_start();
}

/** mregion_traced_short_stop() - the same, of one that the short way can have */
void mregion_traced_short_stop(void)
{
	mregion_traced_stop();
	static_branch_dec(&mregion_traced_short);
}

/**
 * mregion_trace_outcome() - hit the tracepoint of an outcome
 * @request: the access
 * @outcome: of the part
 * @part: of the access
 *
 * In an RCU read-side section, as regions are read.
 */
void mregion_trace_outcome(const struct mregion_request *request,
			   enum mregion_outcome outcome,
			   const struct mregion_traced_part *part)
{
	switch (outcome) {
	case MREGION_OUTCOME_UNASSIGNED:
		return trace_mregion_unassigned(request, part);
	case MREGION_OUTCOME_UNASSIGNED_EXIT:
		return trace_mregion_unassigned_exit(request, part);
	case MREGION_OUTCOME_REFUSED:
		return trace_mregion_refused(request, part);
	case MREGION_OUTCOME_REFUSED_EXIT:
		return trace_mregion_refused_exit(request, part);
	case MREGION_OUTCOME_COALESCED:
		return trace_mregion_coalesced(request, part);
	case MREGION_OUTCOME_RING_FULL:
		return trace_mregion_ring_full(request, part);
	case MREGION_OUTCOME_EXIT:
		return trace_mregion_exit(request, part);
	case MREGION_OUTCOME_DOORBELL:
		return trace_mregion_doorbell(request, part);
	case MREGION_OUTCOME_SHADOW:
		return trace_mregion_shadow(request, part);
	case MREGION_OUTCOME_SERVED:
		return trace_mregion_served(request, part);
	case MREGION_OUTCOME_SERVER_EXIT:
		return trace_mregion_server_exit(request, part);
	}
}
