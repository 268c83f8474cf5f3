// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: who may ask for what, and what is answered. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "device_util.h"
#include "netlink_util.h"
#include "server_util.h"

#define RING	1
#define SHADOW	1
#define SERVER	1
#define ALIAS	10
#define BUS	11
#define OBJECT_RAM	12

FIXTURE(netlink) {
	struct rig rig;
	struct nl nl;
	struct mr_ring ring;
	struct mr_shadow shadow;
	struct mr_server server;
	uint32_t machine;
	int efd;
};

/* Its number, as fdinfo tells it. */
static uint32_t machine_number(int fd)
{
	char path[64], line[128];
	uint32_t number = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "mregion-machine: %u", &number) == 1)
			break;
	if (file)
		fclose(file);
	return number;
}

FIXTURE_SETUP(netlink)
{
	struct mregion_op alias = mr_alias(ALIAS, DEV_MMIO, 0x10, 0x100);

	ASSERT_EQ(0, rig_open(&self->rig, 1));
	ASSERT_EQ(0, mr_nl_open(&self->nl));
	self->machine = machine_number(self->rig.fd);
	ASSERT_NE(0, self->machine);
	self->efd = new_eventfd();
	ASSERT_EQ(0, mr_ring_create(self->rig.fd, RING, 16, -1, 0, 0,
				    &self->ring));
	ASSERT_EQ(0, mr_shadow_create(self->rig.fd, SHADOW, 0x1000,
				      &self->shadow));
	ASSERT_EQ(0, mr_server_create(self->rig.fd, SERVER, 4, 0, 0,
				      &self->server));
	strcpy(alias.create.name, "alias \xff of \"it\"");
	ASSERT_EQ(0, COMMIT(self->rig.fd, alias, mr_mmio(BUS, 0x2000),
			    mr_map(ALIAS, 1, 0x40000000, -7),
			    mr_map(BUS, 1, MMIO_BASE, 3),
			    mr_ram(OBJECT_RAM, 0x4000),
			    mr_map(OBJECT_RAM, 1, 0, 0),
			    mr_rule_add(DEV_MMIO, RING, 0, 8),
			    RULE_ADD(DEV_MMIO, bell(8, 4, self->efd)),
			    RULE_ADD(DEV_MMIO, shadow_rule(0x20, 8,
							   MREGION_RULE_READ,
							   SHADOW, 0)),
			    mr_set_server(DEV_PORTS, SERVER)));
}

FIXTURE_TEARDOWN(netlink)
{
	mr_server_close(&self->server);
	mr_shadow_unmap(&self->shadow);
	mr_ring_unmap(&self->ring);
	close(self->efd);
	mr_nl_close(&self->nl);
	rig_close(&self->rig);
}

#define MACHINE(SET) ARG(MREGION_A_##SET##_MACHINE, self->machine)

/* ---- What is answered -------------------------------------------------- */

TEST_F(netlink, machine)
{
	int second = mr_open(), i, found = 0;
	struct replies replies;
	struct nlmsghdr *msg;

	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_MACHINE_GET, &replies,
			   ARG(MREGION_A_MACHINE_ID, self->machine)));
	ASSERT_EQ(1, replies.nr);
	msg = replies.msgs[0];
	EXPECT_EQ(self->machine, nl_number(msg, MREGION_A_MACHINE_ID));
	EXPECT_EQ(getpid(), nl_number(msg, MREGION_A_MACHINE_PID));
	ASSERT_NE(NULL, nl_attr(msg, MREGION_A_MACHINE_COMM));
	EXPECT_STREQ("netlink",
		     nla_get_string(nl_attr(msg, MREGION_A_MACHINE_COMM)));
	EXPECT_EQ(2, nl_number(msg, MREGION_A_MACHINE_GENERATION));
	EXPECT_EQ(7, nl_number(msg, MREGION_A_MACHINE_NR_REGIONS));
	EXPECT_EQ(3, nl_number(msg, MREGION_A_MACHINE_NR_RULES));
	EXPECT_EQ(2, nl_number(msg, MREGION_A_MACHINE_NR_SPACES));
	EXPECT_EQ(1, nl_number(msg, MREGION_A_MACHINE_NR_VMS));
	EXPECT_LT(4096, nl_number(msg, MREGION_A_MACHINE_MEMORY));
	replies_free(&replies);

	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_MACHINE_GET, &replies));
	for (i = 0; i < (int)replies.nr; i++) {
		uint32_t id = nl_number(replies.msgs[i], MREGION_A_MACHINE_ID);

		found += id == self->machine || id == machine_number(second);
	}
	EXPECT_EQ(2, found);
	replies_free(&replies);
	close(second);
}

TEST_F(netlink, regions_as_the_ioctl_has_them)
{
	struct mregion_region_info infos[16];
	int i, nr = mr_regions(self->rig.fd, 0, infos, 16);
	struct replies replies, one;

	ASSERT_LT(0, nr);
	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_REGION_GET, &replies,
			     MACHINE(REGION)));
	ASSERT_EQ(nr, replies.nr);
	for (i = 0; i < nr; i++) {
		struct nlmsghdr *msg = replies.msgs[i];

		EXPECT_EQ(2, nl_number(msg, MREGION_A_REGION_GENERATION));
		EXPECT_EQ(infos[i].id, nl_number(msg, MREGION_A_REGION_ID));
		EXPECT_STREQ(infos[i].name,
			     nla_get_string(nl_attr(msg,
						    MREGION_A_REGION_NAME)));
		EXPECT_EQ(infos[i].kind, nl_number(msg, MREGION_A_REGION_KIND));
		EXPECT_EQ(infos[i].flags,
			  nl_number(msg, MREGION_A_REGION_FLAGS));
		EXPECT_EQ(infos[i].len, nl_number(msg, MREGION_A_REGION_LEN));
		EXPECT_EQ(infos[i].parent,
			  nl_number(msg, MREGION_A_REGION_PARENT));
		EXPECT_EQ(infos[i].offset,
			  nl_number(msg, MREGION_A_REGION_OFFSET));
		EXPECT_EQ(infos[i].order,
			  nl_number(msg, MREGION_A_REGION_ORDER));
		EXPECT_EQ(infos[i].priority,
			  (int32_t)nl_number(msg, MREGION_A_REGION_PRIORITY));
		EXPECT_EQ(infos[i].target,
			  nl_number(msg, MREGION_A_REGION_TARGET));
		EXPECT_EQ(infos[i].target_offset,
			  nl_number(msg, MREGION_A_REGION_TARGET_OFFSET));
		EXPECT_EQ(infos[i].server,
			  nl_number(msg, MREGION_A_REGION_SERVER));
		EXPECT_EQ(infos[i].nr_rules,
			  nl_number(msg, MREGION_A_REGION_NR_RULES));
		EXPECT_EQ(infos[i].constraints.valid_max,
			  nl_number(msg, MREGION_A_REGION_VALID_MAX));
		ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_REGION_GET, &one,
				   MACHINE(REGION),
				   ARG(MREGION_A_REGION_ID, infos[i].id)));
		ASSERT_EQ(1, one.nr);
		EXPECT_EQ(infos[i].id,
			  nl_number(one.msgs[0], MREGION_A_REGION_ID));
		replies_free(&one);
	}
	replies_free(&replies);
}

TEST_F(netlink, view_as_the_ioctl_has_it)
{
	struct mregion_range ranges[16];
	int i, nr = mr_view(self->rig.fd, DEV_MEMORY, ranges, 16, NULL);
	struct replies replies;

	ASSERT_LT(2, nr);
	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_RANGE_GET, &replies,
			     MACHINE(RANGE),
			     ARG(MREGION_A_RANGE_SPACE, DEV_MEMORY)));
	ASSERT_EQ(nr, replies.nr);
	for (i = 0; i < nr; i++) {
		struct nlmsghdr *msg = replies.msgs[i];

		EXPECT_EQ(ranges[i].start,
			  nl_number(msg, MREGION_A_RANGE_START));
		EXPECT_EQ(ranges[i].last, nl_number(msg, MREGION_A_RANGE_LAST));
		EXPECT_EQ(ranges[i].offset,
			  nl_number(msg, MREGION_A_RANGE_OFFSET));
		EXPECT_EQ(ranges[i].region,
			  nl_number(msg, MREGION_A_RANGE_REGION));
		EXPECT_EQ(ranges[i].kind, nl_number(msg, MREGION_A_RANGE_KIND));
		EXPECT_EQ(ranges[i].flags,
			  nl_number(msg, MREGION_A_RANGE_FLAGS));
	}
	replies_free(&replies);

	/* those that have one of two addresses */
	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_RANGE_GET, &replies,
			     MACHINE(RANGE),
			     ARG(MREGION_A_RANGE_SPACE, DEV_MEMORY),
			     WIDE(MREGION_A_RANGE_START, ranges[0].last),
			     WIDE(MREGION_A_RANGE_LAST, ranges[1].start)));
	EXPECT_EQ(2, replies.nr);
	replies_free(&replies);

	/* one address, where something is, and where nothing is */
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_RANGE_GET, &replies,
			   MACHINE(RANGE),
			   ARG(MREGION_A_RANGE_SPACE, DEV_MEMORY),
			   WIDE(MREGION_A_RANGE_START, 0x40000008)));
	ASSERT_EQ(1, replies.nr);
	EXPECT_EQ(DEV_MMIO,
		  nl_number(replies.msgs[0], MREGION_A_RANGE_REGION));
	EXPECT_EQ(0x18, nl_number(replies.msgs[0], MREGION_A_RANGE_OFFSET));
	EXPECT_EQ(0x400000ff, nl_number(replies.msgs[0], MREGION_A_RANGE_LAST));
	replies_free(&replies);
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_RANGE_GET, &replies,
			   MACHINE(RANGE),
			   ARG(MREGION_A_RANGE_SPACE, DEV_MEMORY),
			   WIDE(MREGION_A_RANGE_START, 0x4000)));
	ASSERT_EQ(1, replies.nr);
	EXPECT_EQ(NULL, nl_attr(replies.msgs[0], MREGION_A_RANGE_REGION));
	EXPECT_EQ(MMIO_BASE - 1,
		  nl_number(replies.msgs[0], MREGION_A_RANGE_LAST));
	replies_free(&replies);
}

TEST_F(netlink, objects)
{
	struct replies replies;
	struct nlmsghdr *msg;
	unsigned int i, kinds = 0;

	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_SPACE_GET, &replies,
			     MACHINE(SPACE)));
	ASSERT_EQ(2, replies.nr);
	EXPECT_EQ(DEV_PIO, nl_number(replies.msgs[1], MREGION_A_SPACE_ID));
	EXPECT_EQ(4, nl_number(replies.msgs[1], MREGION_A_SPACE_ROOT));
	EXPECT_EQ(MREGION_BUS_PIO,
		  nl_number(replies.msgs[1], MREGION_A_SPACE_BUS));
	EXPECT_EQ(1, nl_number(replies.msgs[1], MREGION_A_SPACE_NR_VMS));
	replies_free(&replies);

	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_VM_GET, &replies,
			     MACHINE(VM)));
	ASSERT_EQ(1, replies.nr);
	EXPECT_EQ(getpid(), nl_number(replies.msgs[0], MREGION_A_VM_PID));
	EXPECT_EQ(DEV_MEMORY, nl_number(replies.msgs[0], MREGION_A_VM_MEMORY));
	EXPECT_EQ(DEV_PIO, nl_number(replies.msgs[0], MREGION_A_VM_PIO));
	replies_free(&replies);

	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_RULE_GET, &replies,
			     MACHINE(RULE),
			     ARG(MREGION_A_RULE_REGION, DEV_MMIO)));
	ASSERT_EQ(3, replies.nr);
	for (i = 0; i < replies.nr; i++) {
		msg = replies.msgs[i];
		EXPECT_EQ(DEV_MMIO, nl_number(msg, MREGION_A_RULE_REGION));
		switch (nl_number(msg, MREGION_A_RULE_KIND)) {
		case MREGION_RULE_COALESCE:
			EXPECT_EQ(RING, nl_number(msg, MREGION_A_RULE_RING));
			EXPECT_EQ(8, nl_number(msg, MREGION_A_RULE_LEN));
			kinds |= 1;
			break;
		case MREGION_RULE_DOORBELL:
			EXPECT_EQ(8, nl_number(msg, MREGION_A_RULE_OFFSET));
			kinds |= 2;
			break;
		case MREGION_RULE_SHADOW:
			EXPECT_EQ(SHADOW,
				  nl_number(msg, MREGION_A_RULE_SHADOW));
			kinds |= 4;
			break;
		}
	}
	EXPECT_EQ(7, kinds);
	replies_free(&replies);

	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_RING_GET, &replies,
			     MACHINE(RING)));
	ASSERT_EQ(1, replies.nr);
	EXPECT_EQ(16, nl_number(replies.msgs[0], MREGION_A_RING_NR_ENTRIES));
	replies_free(&replies);
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_SHADOW_GET, &replies,
			   MACHINE(SHADOW), ARG(MREGION_A_SHADOW_ID, SHADOW)));
	EXPECT_EQ(0x1000, nl_number(replies.msgs[0], MREGION_A_SHADOW_LEN));
	replies_free(&replies);
	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_SERVER_GET, &replies,
			     MACHINE(SERVER)));
	ASSERT_EQ(1, replies.nr);
	EXPECT_EQ(4, nl_number(replies.msgs[0], MREGION_A_SERVER_NR_SLOTS));
	EXPECT_EQ(NULL, nl_attr(replies.msgs[0], MREGION_A_SERVER_DEAD));
	replies_free(&replies);
	ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_CLAIM_GET, &replies,
			     MACHINE(CLAIM),
			     ARG(MREGION_A_CLAIM_BUS, MREGION_BUS_PIO)));
	ASSERT_LE(1, replies.nr);
	EXPECT_EQ(MREGION_CLAIM_WINDOW,
		  nl_number(replies.msgs[0], MREGION_A_CLAIM_KIND));
	EXPECT_GE(PIO_BASE, nl_number(replies.msgs[0], MREGION_A_CLAIM_START));
	EXPECT_LE(PIO_BASE, nl_number(replies.msgs[0], MREGION_A_CLAIM_LAST));
	replies_free(&replies);
}

/* Parts of accesses are counted by what became of them. */
TEST_F(netlink, counters)
{
	struct mregion_access access;
	struct replies replies;
	struct nlattr *nest;

	EXPECT_EQ(0, mr_write(self->rig.fd, DEV_MEMORY, 0x40000000, 1, 0,
			      &access));
	EXPECT_EQ(0, mr_read(self->rig.fd, DEV_MEMORY, 0x50000000, 1, &access));
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_REGION_GET, &replies,
			   MACHINE(REGION), ARG(MREGION_A_REGION_ID, DEV_MMIO)));
	nest = nl_attr(replies.msgs[0], MREGION_A_REGION_COUNTERS);
	ASSERT_NE(NULL, nest);
	EXPECT_EQ(1, nla_number(nest, MREGION_A_COUNTERS_EXIT));
	EXPECT_EQ(0, nla_number(nest, MREGION_A_COUNTERS_UNASSIGNED_EXIT));
	replies_free(&replies);
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_SPACE_GET, &replies,
			   MACHINE(SPACE), ARG(MREGION_A_SPACE_ID, DEV_MEMORY)));
	nest = nl_attr(replies.msgs[0], MREGION_A_SPACE_COUNTERS);
	EXPECT_EQ(1, nla_number(nest, MREGION_A_COUNTERS_UNASSIGNED_EXIT));
	replies_free(&replies);
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_MACHINE_GET, &replies,
			   ARG(MREGION_A_MACHINE_ID, self->machine)));
	nest = nl_attr(replies.msgs[0], MREGION_A_MACHINE_COUNTERS);
	EXPECT_EQ(1, nla_number(nest, MREGION_A_COUNTERS_EXIT));
	EXPECT_EQ(1, nla_number(nest, MREGION_A_COUNTERS_UNASSIGNED_EXIT));
	replies_free(&replies);
}

/* ---- What is refused --------------------------------------------------- */

#define EXPECT_REFUSED(_err, _attr, _ask) do {				\
	struct replies replies;						\
									\
	EXPECT_EQ(-(_err), _ask);					\
	/* where a dump is refused while it goes on, the kernel tells none */ \
	EXPECT_TRUE(!replies.attr || replies.attr == (_attr));		\
	EXPECT_NE('\0', replies.why[0]);				\
	EXPECT_EQ(0, replies.nr);					\
	replies_free(&replies);						\
} while (0)

TEST_F(netlink, refused)
{
	struct nl *nl = &self->nl;

	EXPECT_REFUSED(ENOENT, MREGION_A_MACHINE_ID,
		       NL_DO(nl, MREGION_CMD_MACHINE_GET, &replies,
			     ARG(MREGION_A_MACHINE_ID, 0x7fffffff)));
	EXPECT_REFUSED(EINVAL, MREGION_A_MACHINE_ID,
		       NL_DO(nl, MREGION_CMD_MACHINE_GET, &replies));
	EXPECT_REFUSED(ERANGE, MREGION_A_MACHINE_ID,
		       NL_DO(nl, MREGION_CMD_MACHINE_GET, &replies,
			     ARG(MREGION_A_MACHINE_ID, 0)));
	EXPECT_REFUSED(EINVAL, MREGION_A_MACHINE_ID,
		       NL_DUMP(nl, MREGION_CMD_MACHINE_GET, &replies,
			       ARG(MREGION_A_MACHINE_ID, self->machine)));
	EXPECT_REFUSED(EINVAL, MREGION_A_REGION_MACHINE,
		       NL_DUMP(nl, MREGION_CMD_REGION_GET, &replies));
	EXPECT_REFUSED(ENOENT, MREGION_A_REGION_ID,
		       NL_DO(nl, MREGION_CMD_REGION_GET, &replies,
			     MACHINE(REGION), ARG(MREGION_A_REGION_ID, 4711)));
	EXPECT_REFUSED(EINVAL, MREGION_A_REGION_ID,
		       NL_DUMP(nl, MREGION_CMD_REGION_GET, &replies,
			       MACHINE(REGION), ARG(MREGION_A_REGION_ID, 1)));
	/* an attribute that requests do not have, and one that nobody knows */
	EXPECT_REFUSED(EINVAL, MREGION_A_REGION_KIND,
		       NL_DUMP(nl, MREGION_CMD_REGION_GET, &replies,
			       MACHINE(REGION), ARG(MREGION_A_REGION_KIND, 1)));
	EXPECT_REFUSED(EINVAL, 200,
		       NL_DUMP(nl, MREGION_CMD_REGION_GET, &replies,
			       MACHINE(REGION), ARG(200, 1)));
	/* of a wrong size */
	EXPECT_REFUSED(EINVAL, MREGION_A_REGION_MACHINE,
		       NL_DUMP(nl, MREGION_CMD_REGION_GET, &replies,
			       WIDE(MREGION_A_REGION_MACHINE, self->machine)));
	EXPECT_REFUSED(EINVAL, MREGION_A_RANGE_SPACE,
		       NL_DUMP(nl, MREGION_CMD_RANGE_GET, &replies,
			       MACHINE(RANGE)));
	EXPECT_REFUSED(ENOENT, MREGION_A_RANGE_SPACE,
		       NL_DUMP(nl, MREGION_CMD_RANGE_GET, &replies,
			       MACHINE(RANGE), ARG(MREGION_A_RANGE_SPACE, 99)));
	EXPECT_REFUSED(EINVAL, MREGION_A_RANGE_LAST,
		       NL_DUMP(nl, MREGION_CMD_RANGE_GET, &replies,
			       MACHINE(RANGE), ARG(MREGION_A_RANGE_SPACE, 1),
			       WIDE(MREGION_A_RANGE_START, 8),
			       WIDE(MREGION_A_RANGE_LAST, 7)));
	EXPECT_REFUSED(ENOENT, MREGION_A_CLAIM_VM,
		       NL_DUMP(nl, MREGION_CMD_CLAIM_GET, &replies,
			       MACHINE(CLAIM), ARG(MREGION_A_CLAIM_VM, 99)));
	EXPECT_REFUSED(ERANGE, MREGION_A_CLAIM_BUS,
		       NL_DUMP(nl, MREGION_CMD_CLAIM_GET, &replies,
			       MACHINE(CLAIM), ARG(MREGION_A_CLAIM_BUS, 2)));
}

/* Run a function in a child, which returns 0 or a number that tells where. */
static int in_child(int (*fn)(void *), void *data)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(fn(data));
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int ask_unprivileged(void *data)
{
	struct replies replies;
	struct nl nl = { };

	if (setgid(65534) || setuid(65534) || mr_nl_open(&nl))
		return 1;
	if (NL_DUMP(&nl, MREGION_CMD_MACHINE_GET, &replies) != -EPERM)
		return 2;
	if (NL_DO(&nl, MREGION_CMD_MACHINE_GET, &replies,
		  ARG(MREGION_A_MACHINE_ID, *(uint32_t *)data)) != -EPERM)
		return 3;
	return nl_join(&nl) == -EPERM ? 0 : 4;
}

TEST_F(netlink, unprivileged)
{
	EXPECT_EQ(0, in_child(ask_unprivileged, &self->machine));
}

/* In another network namespace, also with all rights there. */
static int ask_elsewhere(void *data)
{
	struct replies replies;
	struct nl nl = { };
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || mr_nl_open(&nl))
		return 1;
	if (NL_DUMP(&nl, MREGION_CMD_MACHINE_GET, &replies) || replies.nr)
		return 2;
	if (NL_DO(&nl, MREGION_CMD_MACHINE_GET, &replies,
		  ARG(MREGION_A_MACHINE_ID, *(uint32_t *)data)) != -ENOENT)
		return 3;
	if (nl_join(&nl))
		return 4;
	/* but one's own */
	fd = mr_open();
	if (fd < 0)
		return 5;
	if (NL_DUMP(&nl, MREGION_CMD_MACHINE_GET, &replies) || replies.nr != 1)
		return 6;
	return 0;
}

TEST_F(netlink, namespaces)
{
	unsigned int lost = 0;
	struct nlmsghdr *event;

	ASSERT_EQ(0, nl_join(&self->nl));
	EXPECT_EQ(0, in_child(ask_elsewhere, &self->machine));
	/* nor is what happens there heard here */
	event = nl_event(&self->nl, 100, &lost);
	EXPECT_EQ(NULL, event);
}

/* ---- Dumps while all changes ------------------------------------------- */

struct mover {
	pthread_t thread;
	int fd;
	unsigned int commits;
	bool stop;
	int err;
};

/* Both regions are moved by each commit, or none. */
static void *move_both(void *data)
{
	struct mover *mover = data;
	unsigned int i;

	for (i = 1; !__atomic_load_n(&mover->stop, __ATOMIC_RELAXED); i++) {
		mover->err = COMMIT(mover->fd,
				    mr_move(BUS, MMIO_BASE + i % 64 * 0x10000),
				    mr_move(ALIAS, 0x40000000 + i % 64 * 0x10000));
		if (mover->err)
			break;
		__atomic_store_n(&mover->commits, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

#define MANY	3000u		/* what takes many messages */

TEST_F_TIMEOUT(netlink, dumps_of_one_generation, 240)
{
	struct mover mover = { .fd = self->rig.fd };
	unsigned int round, i, seen = 0, rounds = mr_checking_kernel() ? 10 : 60;
	struct mregion_op *ops = calloc(2 * MANY, sizeof(*ops));
	uint64_t before = 0;

	ASSERT_NE(NULL, ops);
	for (i = 0; i < MANY; i++) {
		ops[2 * i] = mr_mmio(1000 + i, 0x1000);
		ops[2 * i + 1] = mr_map(1000 + i, 1, 0x80000000 + i * 0x2000, 0);
	}
	ASSERT_EQ(0, mr_commit(self->rig.fd, ops, 2 * MANY));
	free(ops);
	ASSERT_EQ(0, pthread_create(&mover.thread, NULL, move_both, &mover));
	for (round = 0; round < rounds; round++) {
		struct replies replies;
		uint64_t generation, at[2] = { };

		ASSERT_EQ(0, NL_DUMP(&self->nl, MREGION_CMD_RANGE_GET, &replies,
				     MACHINE(RANGE),
				     ARG(MREGION_A_RANGE_SPACE, DEV_MEMORY)));
		ASSERT_LT(MANY, replies.nr);
		EXPECT_FALSE(replies.interrupted);
		generation = nl_number(replies.msgs[0],
				       MREGION_A_RANGE_GENERATION);
		for (i = 0; i < replies.nr; i++) {
			struct nlmsghdr *msg = replies.msgs[i];

			ASSERT_EQ(generation,
				  nl_number(msg, MREGION_A_RANGE_GENERATION));
			if (nl_number(msg, MREGION_A_RANGE_REGION) == BUS)
				at[0] = nl_number(msg, MREGION_A_RANGE_START);
			/* what the alias shows, not the device itself */
			if (nl_number(msg, MREGION_A_RANGE_OFFSET) == 0x10)
				at[1] = nl_number(msg, MREGION_A_RANGE_START);
		}
		EXPECT_EQ(at[0] - MMIO_BASE, at[1] - 0x40000000);
		seen += generation != before;
		before = generation;
		replies_free(&replies);
	}
	__atomic_store_n(&mover.stop, true, __ATOMIC_RELAXED);
	pthread_join(mover.thread, NULL);
	EXPECT_EQ(0, mover.err);
	EXPECT_LT(rounds / 2, seen);
	EXPECT_LT(rounds, mover.commits);
}

/* ---- Messages of random bytes ------------------------------------------ */

static uint32_t fuzz_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 16;
}

static void fuzz_attrs(struct nl_msg *msg, uint64_t *state, uint32_t machine)
{
	unsigned int nr = fuzz_random(state) % 5, i;
	unsigned char bytes[64];
	size_t len;

	for (; nr; nr--) {
		int attr = fuzz_random(state) % 24;

		switch (fuzz_random(state) % 4) {
		case 0:
			nla_put_u32(msg, attr, fuzz_random(state) % 8);
			break;
		case 1:
			nla_put_u32(msg, attr, machine);
			break;
		case 2:
			nla_put_u64(msg, attr, fuzz_random(state) * 0x10001ull);
			break;
		default:
			len = fuzz_random(state) % sizeof(bytes);
			for (i = 0; i < len; i++)
				bytes[i] = fuzz_random(state);
			nla_put(msg, attr, len, bytes);
		}
	}
}

TEST_F_TIMEOUT(netlink, random_messages, 240)
{
	unsigned int i, done = 0, refused = 0;
	uint64_t state = time(NULL) * 2654435761u | 1;
	const char *seed = getenv("MREGION_SEED");
	struct replies replies;

	if (seed)
		state = strtoull(seed, NULL, 0);
	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)state);
	for (i = 0; i < (mr_checking_kernel() ? 3000 : 20000); i++) {
		struct nl_msg *msg;

		msg = nl_request(&self->nl, fuzz_random(&state) % 20,
				 fuzz_random(&state) % 2 ? NLM_F_DUMP :
							   NLM_F_ACK);
		fuzz_attrs(msg, &state, self->machine);
		if (!(fuzz_random(&state) % 8))
			nlmsg_hdr(msg)->nlmsg_len -= fuzz_random(&state) % 4;
		nl_talk(&self->nl, msg, &replies);
		ASSERT_NE(-EIO, replies.err);
		*(replies.err ? &refused : &done) += 1;
		/* acknowledged, too: what is not taken is of the next one */
		if (replies.nr && !replies.err)
			while (recv(nl_socket_get_fd(self->nl.sock), &replies.why,
				    sizeof(replies.why), MSG_DONTWAIT) > 0)
				;
		replies_free(&replies);
	}
	EXPECT_LT(0, done);
	EXPECT_LT(100, refused);
	/* and all is as it was */
	ASSERT_EQ(0, NL_DO(&self->nl, MREGION_CMD_MACHINE_GET, &replies,
			   ARG(MREGION_A_MACHINE_ID, self->machine)));
	EXPECT_EQ(2, nl_number(replies.msgs[0], MREGION_A_MACHINE_GENERATION));
	replies_free(&replies);
}

TEST_HARNESS_MAIN
