/* SPDX-License-Identifier: MIT */
/* Changes, collected until they are committed together. */
#ifndef MREGION_LIB_TRANSACTION_H
#define MREGION_LIB_TRANSACTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

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

/** mregion_transaction_begin() - take the lock, and open it, or one within it */
void mregion_transaction_begin(struct mregion_transaction *transaction);

/** mregion_transaction_end() - undo one mregion_transaction_begin() */
void mregion_transaction_end(struct mregion_transaction *transaction);

/** mregion_transaction_resume() - take the lock; false: this thread has it not open */
bool mregion_transaction_resume(struct mregion_transaction *transaction);

/**
 * mregion_transaction_collect() - add an operation to what will be committed
 *
 * For @settle and @object see mregion_change(). Return: 0 or -ENOMEM.
 */
int mregion_transaction_collect(struct mregion_transaction *transaction,
				const struct mregion_op *op,
				mregion_settle_t *settle, void *object);

/** mregion_transaction_doomed() - what it is bound to end with, and why; or 0 */
int mregion_transaction_doomed(const struct mregion_transaction *transaction);

/** mregion_transaction_doom() - let it fail with @err, from mregion_fail() */
void mregion_transaction_doom(struct mregion_transaction *transaction, int err);

/**
 * mregion_transaction_refuse() - a change is not possible
 *
 * It fails alone if it may, or all with it.
 */
void mregion_transaction_refuse(struct mregion_transaction *transaction, int err);

/** mregion_transaction_no_change() - see mregion_no_change(); NULL: any that is open */
void mregion_transaction_no_change(const struct mregion_transaction *transaction);

/**
 * mregion_transaction_tell() - tell those who asked for it what becomes of their changes
 * @transaction: the transaction
 * @ret: what has become, or would, of all of it: 0 or a negative errno
 */
void mregion_transaction_tell(const struct mregion_transaction *transaction,
			      int ret);

/** mregion_transaction_settle() - it has ended with @ret: settle all, and forget it */
void mregion_transaction_settle(struct mregion_transaction *transaction, int ret);

/**
 * mregion_refuse_null() - a change is of a handle that is NULL
 * @what: the change
 *
 * Of which machine cannot be known, so every transaction fails that the thread
 * has open. Return: -EINVAL.
 */
int mregion_refuse_null(const char *what);

#endif
