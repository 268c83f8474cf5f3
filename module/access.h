/* SPDX-License-Identifier: GPL-2.0 */
/* The path of an access. */
#ifndef MREGION_ACCESS_H
#define MREGION_ACCESS_H

#include <linux/mregion.h>
#include <linux/types.h>

struct mregion_machine;
struct mregion_server;
struct mregion_view;
struct mregion_view_range;

/**
 * struct mregion_request - an access
 * @addr: first address
 * @data: little-endian; the value to write, or the value read
 * @offset: set for a server, and by mregion_access_part(): of the first byte in
 *	the region
 * @owner: stands for the virtual machine whose vCPU makes it; NULL without a vCPU
 * @machine: the machine it is made in
 * @server: set for a server: the server; a reference
 * @slot: set by mregion_server_take_up(): where @server has it
 * @region: set in the same way: ID of the region
 * @space: ID of the space it is made in
 * @vcpu: index of the vCPU that makes it, or MREGION_NO_VCPU
 * @len: 1 to 8 bytes, not beyond the view's last address
 * @write: whether it is a write
 * @effect: set when a rule has completed some of it
 */
struct mregion_request {
	u64 addr;
	u64 data;
	u64 offset;
	const void *owner;
	struct mregion_machine *machine;
	struct mregion_server *server;
	u32 slot;
	u32 region;
	u32 space;
	u16 vcpu;
	u8 len;
	bool write;
	bool effect;
};

/**
 * enum mregion_verdict - how an access continues
 * @MREGION_EXIT: it exits to the VMM, nothing of it done
 * @MREGION_DONE: it is complete
 * @MREGION_SERVE: a server is to answer it; not in an RCU read-side section
 */
enum mregion_verdict {
	MREGION_EXIT,
	MREGION_DONE,
	MREGION_SERVE,
};

enum mregion_verdict
mregion_access_long(const struct mregion_view *view,
		    const struct mregion_view_range *range,
		    struct mregion_request *request,
		    enum mregion_outcome *outcome);
enum mregion_verdict mregion_access(const struct mregion_view *view,
				    struct mregion_request *request,
				    enum mregion_outcome *outcome);
enum mregion_verdict
mregion_access_part(const struct mregion_view *view,
		    struct mregion_request *request, u32 *range_flags,
		    enum mregion_outcome *outcome);
void mregion_access_trace_fast(const struct mregion_view_range *range,
			       const struct mregion_request *request);
void mregion_access_left(const struct mregion_request *request);

#endif /* MREGION_ACCESS_H */
