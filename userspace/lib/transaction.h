/* SPDX-License-Identifier: MIT */
/* Changes of a machine, collected until they are committed together. */
#ifndef MREGION_LIB_TRANSACTION_H
#define MREGION_LIB_TRANSACTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct mregion_machine;
struct mregion_op;

/**
 * typedef mregion_settle_t - what the library does once a change's fate is known
 * @object: what was passed to mregion_change()
 * @op: the operation
 * @done: the kernel has carried it out; else nothing has happened
 *
 * Called with the transaction's lock held.
 */
typedef void mregion_settle_t(void *object, const struct mregion_op *op,
			      bool done);

/**
 * struct mregion_pending - what is to follow an operation
 * @settle: what to call afterwards, or NULL
 * @object: what to call it with
 * @result: where its errno goes, if it may fail alone; or NULL
 */
struct mregion_pending {
	mregion_settle_t *settle;
	void *object;
	int *result;
};

/**
 * struct mregion_transaction - a machine's transaction
 * @lock: recursive; held from mregion_begin() to mregion_commit(), and for all
 *	that must not happen during a commit
 * @depth: how many transactions are nested; 0: none is open
 * @error: negative errno that the commit is bound to end with, or 0
 * @error_text: it in words
 * @ops: the operations
 * @pending: for each of them: what is to follow
 * @errnos: for each of them: the negative errno that it has failed with alone, or 0
 * @nr_may_fail: how many of them may
 * @may_fail: the next change may
 * @result: where its errno goes then, or NULL
 * @outer: another one that the thread has open, or NULL
 * @nr: how many operations there are
 * @room: for how many there is room
 */
struct mregion_transaction {
	pthread_mutex_t lock;
	unsigned int depth;
	int error;
	char error_text[MREGION_ERROR_SIZE];
	struct mregion_op *ops;
	struct mregion_pending *pending;
	int32_t *errnos;
	size_t nr_may_fail;
	bool may_fail;
	int *result;
	size_t nr;
	size_t room;
	struct mregion_transaction *outer;
};

void mregion_transaction_init(struct mregion_transaction *transaction);
/** mregion_transaction_drop() - forget what was collected, as the machine closes */
void mregion_transaction_drop(struct mregion_transaction *transaction);
void mregion_transaction_destroy(struct mregion_transaction *transaction);

/** mregion_transaction_inside() - has this thread the transaction open */
bool mregion_transaction_inside(const struct mregion_transaction *transaction);

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

/**
 * mregion_refuse_null() - a change is of a handle that is NULL
 * @what: the change
 *
 * Of which machine cannot be known, so every transaction fails that the thread
 * has open. Return: -EINVAL.
 */
int mregion_refuse_null(const char *what);

#endif
