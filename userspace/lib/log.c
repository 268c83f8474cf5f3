// SPDX-License-Identifier: MIT
/* Logs of written pages: their begin, their end, and bringing them up to date. */
#include <errno.h>
#include <stdlib.h>

#include "error.h"
#include "machine.h"
#include "mregion.h"
#include "region.h"
#include "region_log.h"
#include "resolve.h"
#include "space.h"
#include "vm.h"
#include "written.h"

static int sync_slots(struct mregion_machine *machine)
{
	struct mregion_vm *vm;
	int ret = 0, err;

	for (vm = machine->vms; vm; vm = vm->next) {
		err = mregion_vm_sync(vm);
		ret = ret ? ret : err;
	}
	return ret;
}

static int sync_all(struct mregion_machine *machine)
{
	struct mregion_region *region;
	int ret = sync_slots(machine);

	for (region = machine->logged; region; region = region->logging.next)
		mregion_logging_collect(region);
	return ret;
}

/* All slots that show the memory log by now, or an error says why one does not. */
static int check_slots(const struct mregion_region *region)
{
	struct mregion_vm *vm;
	unsigned int i;
	int ret = 0;

	for (vm = region->machine->vms; vm && !ret; vm = vm->next)
		for (i = 0; i < MREGION_ADDRESS_SPACES && !ret; i++)
			ret = mregion_memslots_check_log(&vm->memslots[i],
							 region);
	return ret;
}

/* Have KVM log, too. No transaction is open, so it is committed. */
static int set_flag(struct mregion_region *region, bool on)
{
	int ret;

	if (atomic_load(&region->freed))
		return 0;
	ret = mregion_set_flags(region, MREGION_REGION_LOG_DIRTY,
				on ? MREGION_REGION_LOG_DIRTY : 0);
	if (ret)
		return ret;
	region->logging.on = on;
	return on ? check_slots(region) : 0;
}

/* Stop a log that is linked; the transaction is locked, and not open. */
static void stop(struct mregion_log *log)
{
	struct mregion_region *region = log->region;

	mregion_log_unlink(log);
	if (!region->logging.logs) {
		/* If that fails, KVM logs for nobody, which does no harm. */
		set_flag(region, false);
		mregion_logging_end(region);
	}
	mregion_log_free(log);
}

/*
 * Start a log. Other logs have been brought up to date, as what was written before is not
 * for this one. Return: the log, linked; NULL with errno set, and its text for
 * mregion_error().
 */
static struct mregion_log *start(struct mregion_region *region)
{
	struct mregion_log *log = mregion_log_alloc(region);
	int ret = log ? 0 : -errno;

	if (!ret && !region->logging.logs)
		ret = mregion_logging_begin(region);
	if (ret) {
		if (log)
			mregion_log_free(log);
		return mregion_fail_ptr(-ret, "log '%s'", region->name);
	}
	mregion_log_link(log);
	ret = region->logging.on ? 0 : set_flag(region, true);
	if (!ret)
		return log;
	stop(log);
	errno = -ret;
	return NULL;
}

/* The transaction is locked from here on; false with errno set. */
static bool enter(struct mregion_machine *machine, const char *what)
{
	pthread_mutex_lock(&machine->transaction.lock);
	if (!machine->transaction.depth)
		return true;
	pthread_mutex_unlock(&machine->transaction.lock);
	mregion_fail_why(EBUSY, "%s: a transaction is open", what);
	return false;
}

struct mregion_log *mregion_log_start(struct mregion_region *region)
{
	struct mregion_log *log;

	if (!region || !mregion_logging_possible(region)) {
		mregion_fail_why(EINVAL, "log '%s': it has no memory that begins with a page",
				 region ? region->name : "");
		return NULL;
	}
	if (!enter(region->machine, "log a region"))
		return NULL;
	log = sync_all(region->machine) ? NULL : start(region);
	pthread_mutex_unlock(&region->machine->transaction.lock);
	return log;
}

void mregion_log_stop(struct mregion_log *log)
{
	struct mregion_machine *machine;

	/* Those of all memory end together. */
	if (!log || log->logs)
		return;
	machine = log->region->machine;
	pthread_mutex_lock(&machine->transaction.lock);
	stop(log);
	pthread_mutex_unlock(&machine->transaction.lock);
}

int mregion_log_sync(struct mregion_machine *machine)
{
	struct mregion_logs *logs;
	int ret;

	pthread_mutex_lock(&machine->transaction.lock);
	ret = sync_all(machine);
	for (logs = machine->logs; logs && !ret; logs = logs->next)
		if (logs->error)
			ret = mregion_fail(-logs->error,
					   "log a region that was created later");
	pthread_mutex_unlock(&machine->transaction.lock);
	return ret;
}

/* ---- All memory -------------------------------------------------------- */

static void stop_all(struct mregion_logs *logs)
{
	struct mregion_logs **link = &logs->machine->logs;
	struct mregion_log *log;

	while (*link != logs)
		link = &(*link)->next;
	*link = logs->next;
	while ((log = logs->first)) {
		logs->first = log->next_in_logs;
		stop(log);
	}
	free(logs);
}

static int start_each(struct mregion_logs *logs,
		      struct mregion_region **regions, size_t nr)
{
	struct mregion_log *log;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!mregion_logging_possible(regions[i]) ||
		    atomic_load(&regions[i]->freed) ||
		    atomic_load(&regions[i]->dead))
			continue;
		log = start(regions[i]);
		if (!log)
			return -errno;
		mregion_logs_append(logs, log);
	}
	return 0;
}

/* Of all regions that there are. */
static int start_all(struct mregion_logs *logs)
{
	struct mregion_region **regions;
	size_t nr, i;
	int ret;

	regions = mregion_table_all(&logs->machine->regions, &nr);
	if (!regions)
		return mregion_fail(ENOMEM, "log all memory");
	ret = sync_all(logs->machine) ?: start_each(logs, regions, nr);
	for (i = 0; i < nr; i++)
		mregion_region_put(regions[i]);
	free(regions);
	return ret;
}

struct mregion_logs *mregion_logs_start(struct mregion_machine *machine)
{
	struct mregion_logs *logs = calloc(1, sizeof(*logs));
	char text[MREGION_ERROR_SIZE];
	int ret;

	if (!logs)
		return mregion_fail_ptr(ENOMEM, "log all memory");
	if (!enter(machine, "log all memory")) {
		free(logs);
		return NULL;
	}
	logs->machine = machine;
	logs->last = &logs->first;
	logs->next = machine->logs;
	machine->logs = logs;
	ret = start_all(logs);
	if (ret) {
		mregion_error_save(text);
		stop_all(logs);
		logs = NULL;
	}
	pthread_mutex_unlock(&machine->transaction.lock);
	if (ret)
		mregion_error_restore(-ret, text);
	return logs;
}

struct mregion_log *mregion_logs_next(struct mregion_logs *logs,
				      struct mregion_log *log)
{
	struct mregion_log *next;

	pthread_mutex_lock(&logs->machine->transaction.lock);
	next = log ? log->next_in_logs : logs->first;
	pthread_mutex_unlock(&logs->machine->transaction.lock);
	return next;
}

void mregion_logs_stop(struct mregion_logs *logs)
{
	pthread_mutex_t *lock;

	if (!logs)
		return;
	lock = &logs->machine->transaction.lock;
	pthread_mutex_lock(lock);
	stop_all(logs);
	pthread_mutex_unlock(lock);
}

void mregion_space_mark(struct mregion_space *space, uint64_t addr, uint64_t len)
{
	uint64_t last = addr + len - 1, at = addr, generation;
	struct mregion_region *region;
	struct mregion_range range;

	if (!len)
		return;
	if (last < addr || last > mregion_space_last(space))
		last = mregion_space_last(space);
	while (at <= last) {
		if (mregion_look_up(space, at, last, &range, &region,
				    &generation))
			return;
		if (region && atomic_load(&region->ram.ptr))
			mregion_mark(region, range.offset,
				     range.last - at + 1);
		if (region)
			mregion_region_put(region);
		if (range.last == UINT64_MAX)
			return;
		at = range.last + 1;
	}
}
