/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: one for each outcome of an access, for commits, attachments, and
 * the time that servers take.
 *
 * A machine has the number that is in its descriptor's fdinfo. Fields are plain
 * numbers, so that triggers and filters can work with them: see
 * Documentation/tracing.rst.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mregion

#if !defined(MREGION_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MREGION_TRACE_H

#include <linux/mregion.h>
#include <linux/tracepoint.h>

#include "access.h"
#include "compat.h"
#include "machine.h"
#include "region.h"
#include "traced.h"

/*
 * An access, or one of the parts that it is made in. Where an access exits, it
 * does so as a whole, because of the region that is named.
 */
DECLARE_EVENT_CLASS(mregion_outcome,
	TP_PROTO(const struct mregion_request *request,
		 const struct mregion_traced_part *part),

	TP_ARGS(request, part),

	TP_STRUCT__entry(
		__field(u32, machine)
		__field(u32, space)
		__field(int, vcpu)
		__field(u8, write)
		__field(u8, len)
		__field(u64, addr)
		__field(u64, data)
		__field(u32, region)
		__field(u64, offset)
		__string(name, part->region ? part->region->name : "")
	),

	TP_fast_assign(
		__entry->machine = request->machine->id;
		__entry->space = request->space;
		__entry->vcpu = mregion_trace_vcpu(request->vcpu);
		__entry->write = request->write;
		__entry->len = part->len;
		__entry->addr = request->addr + part->pos;
		__entry->data = part->data;
		__entry->region = part->region ? part->region->id : 0;
		__entry->offset = part->offset;
		mregion_assign_str(name, part->region ? part->region->name : "");
	),

	TP_printk("machine=%u space=%u vcpu=%d %s len=%u addr=0x%llx data=0x%llx region=%u name=%s offset=0x%llx",
		  __entry->machine, __entry->space, __entry->vcpu,
		  __entry->write ? "write" : "read", __entry->len,
		  __entry->addr, __entry->data, __entry->region,
		  __get_str(name), __entry->offset)
);

/* Outcomes of which the short way has some, and those that it has none of. */
#define MREGION_SHORT_EVENT(name)					\
	DEFINE_EVENT_FN(mregion_outcome, name,				\
		TP_PROTO(const struct mregion_request *request,		\
			 const struct mregion_traced_part *part),	\
		TP_ARGS(request, part),					\
		mregion_traced_short_start, mregion_traced_short_stop)

#define MREGION_LONG_EVENT(name)					\
	DEFINE_EVENT_FN(mregion_outcome, name,				\
		TP_PROTO(const struct mregion_request *request,		\
			 const struct mregion_traced_part *part),	\
		TP_ARGS(request, part),					\
		mregion_traced_start, mregion_traced_stop)

MREGION_SHORT_EVENT(mregion_coalesced);
MREGION_SHORT_EVENT(mregion_doorbell);
MREGION_SHORT_EVENT(mregion_shadow);
MREGION_LONG_EVENT(mregion_unassigned);
MREGION_LONG_EVENT(mregion_unassigned_exit);
MREGION_LONG_EVENT(mregion_refused);
MREGION_LONG_EVENT(mregion_refused_exit);
MREGION_LONG_EVENT(mregion_ring_full);
MREGION_LONG_EVENT(mregion_exit);
MREGION_LONG_EVENT(mregion_served);
MREGION_LONG_EVENT(mregion_server_exit);

#undef MREGION_SHORT_EVENT
#undef MREGION_LONG_EVENT

/* A server has answered, or never will; @ns is the time since the request. */
TRACE_EVENT(mregion_server_wait,
	TP_PROTO(const struct mregion_request *request, u32 server, u64 ns,
		 bool answered),

	TP_ARGS(request, server, ns, answered),

	TP_STRUCT__entry(
		__field(u32, machine)
		__field(u32, server)
		__field(u32, region)
		__field(int, vcpu)
		__field(u8, write)
		__field(u8, len)
		__field(u8, answered)
		__field(u64, offset)
		__field(u64, data)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->machine = request->machine->id;
		__entry->server = server;
		__entry->region = request->region;
		__entry->vcpu = mregion_trace_vcpu(request->vcpu);
		__entry->write = request->write;
		__entry->len = request->len;
		__entry->answered = answered;
		__entry->offset = request->offset;
		__entry->data = request->data;
		__entry->ns = ns;
	),

	TP_printk("machine=%u server=%u region=%u vcpu=%d %s len=%u offset=0x%llx data=0x%llx answered=%u ns=%llu",
		  __entry->machine, __entry->server, __entry->region,
		  __entry->vcpu, __entry->write ? "write" : "read",
		  __entry->len, __entry->offset, __entry->data,
		  __entry->answered, __entry->ns)
);

/* A commit, or a dry run; @failed is the index of the operation that failed. */
TRACE_EVENT(mregion_commit,
	TP_PROTO(const struct mregion_machine *machine,
		 const struct mregion_commit *args, int ret),

	TP_ARGS(machine, args, ret),

	TP_STRUCT__entry(
		__field(u32, machine)
		__field(u32, nr_ops)
		__field(u32, failed)
		__field(u32, nr_failed)
		__field(u8, dry_run)
		__field(u64, generation)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->machine = machine->id;
		__entry->nr_ops = args->nr_ops;
		__entry->failed = args->failed;
		__entry->nr_failed = args->nr_failed;
		__entry->dry_run = !!(args->flags & MREGION_COMMIT_DRY_RUN);
		__entry->generation = args->generation;
		__entry->ret = ret;
	),

	TP_printk("machine=%u nr_ops=%u dry_run=%u generation=%llu failed=%u nr_failed=%u ret=%d",
		  __entry->machine, __entry->nr_ops, __entry->dry_run,
		  __entry->generation, __entry->failed, __entry->nr_failed,
		  __entry->ret)
);

TRACE_EVENT(mregion_attach,
	TP_PROTO(const struct mregion_machine *machine,
		 const struct mregion_attach *args, int ret),

	TP_ARGS(machine, args, ret),

	TP_STRUCT__entry(
		__field(u32, machine)
		__field(u32, memory)
		__field(u32, pio)
		__field(u32, smm)
		__field(u32, nr_windows)
		__field(u32, nr_conflicts)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->machine = machine->id;
		__entry->memory = args->memory;
		__entry->pio = args->pio;
		__entry->smm = args->smm;
		__entry->nr_windows = args->nr_windows;
		__entry->nr_conflicts = args->nr_conflicts;
		__entry->ret = ret;
	),

	TP_printk("machine=%u memory=%u pio=%u smm=%u nr_windows=%u nr_conflicts=%u ret=%d",
		  __entry->machine, __entry->memory, __entry->pio, __entry->smm,
		  __entry->nr_windows, __entry->nr_conflicts, __entry->ret)
);

/* An attachment has ended; @gone: since the virtual machine has. */
TRACE_EVENT(mregion_detach,
	TP_PROTO(const struct mregion_machine *machine, bool gone),

	TP_ARGS(machine, gone),

	TP_STRUCT__entry(
		__field(u32, machine)
		__field(u8, gone)
	),

	TP_fast_assign(
		__entry->machine = machine->id;
		__entry->gone = gone;
	),

	TP_printk("machine=%u gone=%u", __entry->machine, __entry->gone)
);

#endif /* MREGION_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
