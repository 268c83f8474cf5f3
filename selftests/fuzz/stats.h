/* SPDX-License-Identifier: GPL-2.0 */
/* What a run has tried, to tell whether it tried everything. */
#ifndef FUZZ_STATS_H
#define FUZZ_STATS_H

#define FUZZ_STATS(X)					\
	X(topologies, "topologies")			\
	X(commits, "commits")				\
	X(changes, "changes")				\
	X(undone, "commits undone")			\
	X(views, "views compared")			\
	X(unverified, "views too large to compare whole") \
	X(again, "ranges shown by what they are in")	\
	X(lookups, "lookups")				\
	X(busy, "EBUSY")				\
	X(invalid, "EINVAL")				\
	X(cycles, "ELOOP")				\
	X(occupied, "EEXIST")				\
	X(too_deep, "EMLINK")				\
	X(deeper, "EMLINK where there was a view before") \
	X(no_work, "EDQUOT")				\
	X(no_memory, "ENOMEM")				\
	X(signals, "EINTR")				\
	X(unmarked, "commits that left a space alone")	\
	X(updates, "views made of the one before")	\
	X(moved, "of these, that differ to userspace")	\
	X(parts, "intervals that differ")		\
	X(parts_full, "sets of intervals at their limit") \
	X(coarse, "changes that were not looked for in detail") \
	X(windows, "windows")				\
	X(windows_both, "sets of windows for two views") \
	X(windows_kept, "changes that windows suit")	\
	X(windows_full, "sets of windows at their limit") \
	X(windows_cut, "sets of windows cut")		\
	X(fast, "fast doorbells")			\
	X(fast_smm, "fast doorbells of SMM alone")		\
	X(fast_full, "sets of fast doorbells at their limit") \
	X(fast_updates, "sets of fast doorbells made of the one before") \
	X(conflicts, "conflicts")			\
	X(unclaimed, "parts of ranges not claimed")

#define FUZZ_STATS_MEMBER(member, text)	unsigned long member;
struct fuzz_stats {
	FUZZ_STATS(FUZZ_STATS_MEMBER)
};

extern struct fuzz_stats fuzz_stats;

#endif /* FUZZ_STATS_H */
