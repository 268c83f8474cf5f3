// SPDX-License-Identifier: MIT
/* What time it is. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tool.h"
#include "wall_clock.h"

#define DATE	"%Y-%m-%dT"
#define TIME	"%H:%M:%S"

const char *wall_clock(char text[WALL_CLOCK_SIZE], bool date)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	if (tool_json)
		gmtime_r(&now.tv_sec, &tm);
	else
		localtime_r(&now.tv_sec, &tm);
	len = strftime(text, WALL_CLOCK_SIZE,
		       tool_json || date ? DATE TIME : TIME, &tm);
	snprintf(text + len, WALL_CLOCK_SIZE - len, ".%06ld%s",
		 now.tv_nsec / 1000, tool_json ? "Z" : "");
	return text;
}

double wall_clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}
