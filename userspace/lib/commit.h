/* SPDX-License-Identifier: MIT */
/* Changes of a machine: they are collected in its transaction, and committed. */
#ifndef MREGION_LIB_COMMIT_H
#define MREGION_LIB_COMMIT_H

#include "transaction.h"

struct mregion_machine;
struct mregion_op;

/**
 * struct mregion_followers - what is called upon a commit that has succeeded
 * @views: has the copies of views follow, which are resolved by the kernel until then
 * @slots: has memory slots follow the copies; keeps its errors, and returns the first
 *
 * The transaction is locked, and all changes are settled.
 */
struct mregion_followers {
	void (*views)(struct mregion_machine *machine);
	int (*slots)(struct mregion_machine *machine);
};

/**
 * mregion_change() - make a change, as part of the transaction if one is open
 * @machine: the machine
 * @op: the operation; copied
 * @settle: called when its fate is known, or NULL
 * @object: passed to @settle
 *
 * @settle is called once, after those of earlier changes if the commit succeeds,
 * and before them if it fails; also when the change cannot even be collected
 * (ENOMEM). In a commit that succeeds, some may not be done: those that have failed
 * alone (mregion_may_fail()).
 */
int mregion_change(struct mregion_machine *machine,
		   const struct mregion_op *op, mregion_settle_t *settle,
		   void *object);

/**
 * mregion_commit_inner() - end what mregion_transaction_begin() has begun
 * @machine: the machine
 *
 * For changes that belong together. Commits them unless a transaction is open besides. What
 * was deferred is not done here, since the caller may have locks.
 *
 * Return: 0, or the commit's error.
 */
int mregion_commit_inner(struct mregion_machine *machine);

/**
 * mregion_refuse() - a change is not possible: let the open transaction fail
 * @machine: the machine
 * @err: negative errno, from mregion_fail()
 *
 * So that a transaction with a change that never reached the kernel does not
 * succeed without it, unless that may fail alone; it ends with the first of such
 * errors. Return: @err.
 */
int mregion_refuse(struct mregion_machine *machine, int err);

/**
 * mregion_no_change() - a call has turned out to change nothing
 * @machine: the machine; NULL: it cannot be known, so all that the thread has a
 *	transaction of
 *
 * If it may have failed alone, it has not: it is not the next that may.
 */
void mregion_no_change(const struct mregion_machine *machine);

#endif
