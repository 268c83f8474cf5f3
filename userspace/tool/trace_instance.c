// SPDX-License-Identifier: MIT
/* An instance of tracefs: a buffer, and settings of events, for one command alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "args.h"
#include "tool.h"
#include "trace_instance.h"

#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCES	TRACEFS "/instances"
#define PREFIX		"mregion-"

#define PATH_SIZE	256

static void complain(const char *path, int err)
{
	const char *hint = "";

	if (err == EPERM || err == EACCES)
		hint = ": tracing is for root, unless tracefs is mounted for others, too";
	tool_error("%s: %s%s", path, strerror(err), hint);
}

/* Nothing is mounted here: where, and for whom, is the administrator's choice. */
static bool is_there(void)
{
	static const char events[] = TRACEFS "/events/mregion";
	struct statfs fs;
	struct stat st;

	if (statfs(TRACEFS, &fs)) {
		if (errno == ENOENT)
			tool_error("no %s: this kernel has no tracing (CONFIG_FTRACE)",
				   TRACEFS);
		else
			complain(TRACEFS, errno);
		return false;
	}
	if (fs.f_type != TRACEFS_MAGIC) {
		tool_error("no tracefs in %s: it can be mounted (mount -t tracefs tracefs %s)",
			   TRACEFS, TRACEFS);
		return false;
	}
	if (!stat(events, &st))
		return true;
	if (errno == ENOENT)
		tool_error("no %s: is the module loaded? (modprobe mregion)",
			   events);
	else
		complain(events, errno);
	return false;
}

/* A process that was killed has left its instance. */
static void remove_left(void)
{
	DIR *dir = opendir(INSTANCES);
	char path[PATH_SIZE + sizeof(INSTANCES)];
	struct dirent *entry;
	uint32_t pid;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) ||
		    !args_id(entry->d_name + strlen(PREFIX), &pid) ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/%s", INSTANCES, entry->d_name);
		/* It fails where the process is in another namespace, and reads. */
		rmdir(path);
	}
	if (dir)
		closedir(dir);
}

/* One that another process with this number has left has settings of its own. */
static bool make(const char *path)
{
	if (!mkdir(path, 0700))
		return true;
	if (errno == EEXIST && !rmdir(path) && !mkdir(path, 0700))
		return true;
	complain(path, errno);
	return false;
}

bool trace_instance_open(struct trace_instance *instance)
{
	char path[PATH_SIZE];

	if (!is_there())
		return false;
	remove_left();
	snprintf(instance->path, sizeof(instance->path), "%s/%s%d", INSTANCES,
		 PREFIX, getpid());
	if (!make(instance->path))
		return false;
	snprintf(path, sizeof(path), "%s/trace_pipe", instance->path);
	instance->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (instance->pipe < 0) {
		complain(path, errno);
		rmdir(instance->path);
		return false;
	}
	return true;
}

static int write_file(const char *path, const char *text)
{
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

bool trace_instance_write(const struct trace_instance *instance,
			  const char *text, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list args;
	int len, err;

	len = snprintf(path, sizeof(path), "%s/", instance->path);
	va_start(args, fmt);
	vsnprintf(path + len, sizeof(path) - len, fmt, args);
	va_end(args);
	err = write_file(path, text);
	if (err)
		complain(path, err);
	return !err;
}

void trace_instance_stop(const struct trace_instance *instance)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/events/mregion/enable",
		 instance->path);
	/* Where the module is gone, so are its events. */
	write_file(path, "0");
}

static uint64_t overrun_of(const char *path)
{
	FILE *file = fopen(path, "re");
	uint64_t nr = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "overrun: %" SCNu64, &nr) == 1)
			break;
	if (file)
		fclose(file);
	return nr;
}

uint64_t trace_instance_overrun(const struct trace_instance *instance)
{
	char path[PATH_SIZE], stats[2 * PATH_SIZE + 8];
	struct dirent *entry;
	uint64_t sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/per_cpu", instance->path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(stats, sizeof(stats), "%s/%s/stats", path,
			 entry->d_name);
		sum += overrun_of(stats);
	}
	if (dir)
		closedir(dir);
	return sum;
}

void trace_instance_close(struct trace_instance *instance)
{
	close(instance->pipe);
	if (rmdir(instance->path))
		tool_note("%s: cannot be removed: %s", instance->path,
			  strerror(errno));
}
