// SPDX-License-Identifier: MIT
/* Which machines a command is about. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "machines.h"
#include "tool.h"

bool machines_take(const char *command, int *argc, char ***argv,
		   struct machines *machines)
{
	uint32_t *number = &machines->id;
	const char *word;

	memset(machines, 0, sizeof(*machines));
	if (!*argc)
		return true;
	if (!strcmp(**argv, "pid")) {
		number = &machines->pid;
		--*argc;
		++*argv;
		if (!*argc) {
			tool_error("%s: pid: which process?", command);
			return false;
		}
	} else if (!isdigit((unsigned char)***argv)) {
		return true;
	}
	word = **argv;
	if (!args_id(word, number)) {
		tool_error("%s: no such number of a %s: '%s'", command,
			   number == &machines->pid ? "process" : "machine",
			   word);
		return false;
	}
	--*argc;
	++*argv;
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct live_machine *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

bool machines_read(struct netlink *nl, const struct machines *machines,
		   struct live_list *list)
{
	struct live_machine *items;
	size_t i, nr = 0;
	int ret;

	if (machines->id) {
		ret = live_machine(nl, machines->id, list);
		if (ret)
			netlink_complain(nl, -ret, "machine %u", machines->id);
		return !ret;
	}
	ret = live_dump(nl, &live_machine_type, 0, list);
	if (ret) {
		netlink_complain(nl, -ret, "machines");
		return false;
	}
	items = list->items;
	for (i = 0; machines->pid && i < list->nr; i++) {
		if (items[i].pid == machines->pid)
			items[nr++] = items[i];
		else
			live_clear(list->type, &items[i]);
	}
	if (machines->pid) {
		list->nr = nr;
		if (!nr) {
			tool_error("process %u: it has no machine in this network namespace",
				   machines->pid);
			return false;
		}
	}
	if (list->nr)
		qsort(items, list->nr, sizeof(*items), by_id);
	return true;
}

bool machines_one(struct netlink *nl, const struct machines *machines,
		  uint32_t *id)
{
	struct live_list list = {};
	bool ok;

	*id = machines->id;
	if (*id)
		return true;
	ok = machines_read(nl, machines, &list);
	if (ok)
		*id = ((const struct live_machine *)list.items)->id;
	if (ok && list.nr > 1) {
		tool_error("process %u: it has %zu machines; say which one, such as %u",
			   machines->pid, list.nr, *id);
		ok = false;
	}
	live_free(&list);
	return ok;
}
