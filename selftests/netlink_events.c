// SPDX-License-Identifier: GPL-2.0
/* Events of the generic netlink family: what those who listen learn, and when. */
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "device_util.h"
#include "netlink_util.h"
#include "server_util.h"
#include "kvm_util.h"

#define WAIT_MS		MR_PATIENCE_MS

FIXTURE(events) {
	struct nl nl;
	uint32_t machine;
	unsigned int lost;
	int fd;
};

/* The next event of the machine, to be freed. */
static struct nlmsghdr *next_event(FIXTURE_DATA(events) *self, int timeout_ms)
{
	for (;;) {
		struct nlmsghdr *event = nl_event(&self->nl, timeout_ms,
						  &self->lost);

		if (!event || !self->machine ||
		    nl_number(event, MREGION_A_EVENT_MACHINE) == self->machine)
			return event;
		free(event);
	}
}

FIXTURE_SETUP(events)
{
	struct nlmsghdr *event;

	ASSERT_EQ(0, mr_nl_open(&self->nl));
	ASSERT_EQ(0, nl_join(&self->nl));
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	event = next_event(self, WAIT_MS);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(MREGION_CMD_MACHINE_OPENED, nl_cmd(event));
	EXPECT_EQ(getpid(), nl_number(event, MREGION_A_EVENT_PID));
	EXPECT_STREQ("netlink_events",
		     nla_get_string(nl_attr(event, MREGION_A_EVENT_COMM)));
	self->machine = nl_number(event, MREGION_A_EVENT_MACHINE);
	free(event);
}

FIXTURE_TEARDOWN(events)
{
	struct nlmsghdr *event;

	if (self->fd >= 0) {
		close(self->fd);
		do {
			event = next_event(self, WAIT_MS);
			ASSERT_NE(NULL, event);
			if (nl_cmd(event) == MREGION_CMD_MACHINE_CLOSED)
				self->machine = 0;
			free(event);
		} while (self->machine);
	}
	mr_nl_close(&self->nl);
}

#define EXPECT_EVENT(_cmd) ({						\
	struct nlmsghdr *__event = next_event(self, WAIT_MS);		\
									\
	ASSERT_NE(NULL, __event);					\
	EXPECT_EQ(_cmd, nl_cmd(__event));				\
	__event;							\
})

/* ---- Commits: a view that follows them --------------------------------- */

#define SPACE		1
#define MAX_RANGES	256

struct follower {
	struct mregion_range ranges[MAX_RANGES];
	unsigned int nr;
};

static void follower_add(struct follower *follower,
			 const struct mregion_range *range)
{
	if (range->start <= range->last && follower->nr < MAX_RANGES)
		follower->ranges[follower->nr++] = *range;
}

/* Take out of a view what is from @start to @last. */
static void follower_cut(struct follower *follower, uint64_t start,
			 uint64_t last)
{
	struct follower old = *follower;
	unsigned int i;

	follower->nr = 0;
	for (i = 0; i < old.nr; i++) {
		struct mregion_range left = old.ranges[i], right = left;

		if (left.last < start || left.start > last) {
			follower_add(follower, &left);
			continue;
		}
		if (left.start < start) {
			left.last = start - 1;
			follower_add(follower, &left);
		}
		if (right.last > last) {
			right.offset += last + 1 - right.start;
			right.start = last + 1;
			follower_add(follower, &right);
		}
	}
}

static int compare_ranges(const void *a, const void *b)
{
	const struct mregion_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* What is cut where an interval ends goes on behind it. */
static void follower_merge(struct follower *follower)
{
	unsigned int i, to = 0;

	qsort(follower->ranges, follower->nr, sizeof(follower->ranges[0]),
	      compare_ranges);
	for (i = 1; i < follower->nr; i++) {
		struct mregion_range *last = &follower->ranges[to];
		const struct mregion_range *next = &follower->ranges[i];

		if (last->last + 1 == next->start &&
		    last->region == next->region &&
		    last->flags == next->flags &&
		    !(last->flags & MREGION_RANGE_UNMERGEABLE) &&
		    last->offset + (next->start - last->start) == next->offset)
			last->last = next->last;
		else
			follower->ranges[++to] = *next;
	}
	if (follower->nr)
		follower->nr = to + 1;
}

static void follow_change(struct follower *follower, struct nlattr *change)
{
	struct nlattr *attr;
	int left;

	if (nla_number(change, MREGION_A_CHANGE_SPACE) != SPACE)
		return;
	follower_cut(follower, nla_number(change, MREGION_A_CHANGE_START),
		     nla_number(change, MREGION_A_CHANGE_LAST));
	nla_for_each_nested(attr, change, left) {
		struct mregion_range range = { };

		if (nla_type(attr) != MREGION_A_CHANGE_RANGE)
			continue;
		range.start = nla_number(attr, MREGION_A_RANGE_START);
		range.last = nla_number(attr, MREGION_A_RANGE_LAST);
		range.offset = nla_number(attr, MREGION_A_RANGE_OFFSET);
		range.region = nla_number(attr, MREGION_A_RANGE_REGION);
		range.kind = nla_number(attr, MREGION_A_RANGE_KIND);
		range.flags = nla_number(attr, MREGION_A_RANGE_FLAGS);
		follower_add(follower, &range);
	}
}

static unsigned int follow(struct follower *follower, struct nlmsghdr *event)
{
	struct genlmsghdr *head = nlmsg_data(event);
	unsigned int changes = 0;
	struct nlattr *attr;
	int left;

	nla_for_each_attr(attr, genlmsg_attrdata(head, 0),
			  genlmsg_attrlen(head, 0), left) {
		if (nla_type(attr) != MREGION_A_EVENT_CHANGE)
			continue;
		follow_change(follower, attr);
		changes++;
	}
	follower_merge(follower);
	return changes;
}

static uint64_t random_state;

static uint32_t below(uint32_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % end;
}

#define REGIONS	24u

static struct mregion_op random_op(void)
{
	uint32_t id = 2 + below(REGIONS);

	switch (below(6)) {
	case 0:
		return mr_set_flags(id, MREGION_REGION_DISABLED,
				    below(2) ? MREGION_REGION_DISABLED : 0);
	case 1:
		return mr_set_flags(id, MREGION_REGION_READONLY,
				    below(2) ? MREGION_REGION_READONLY : 0);
	case 2:
		return mr_resize(id, 0x1000 * (1 + below(8)));
	case 3:
		return mr_map(id, 1, 0x1000 * below(64), below(4));
	case 4:
		return mr_unmap(id);
	default:
		return mr_move(id, 0x1000 * below(64));
	}
}

TEST_F_TIMEOUT(events, commits_are_followed, 240)
{
	struct mregion_range ranges[MAX_RANGES];
	unsigned int i, rounds = mr_checking_kernel() ? 200 : 2000, cut = 0;
	struct follower follower = { };
	const char *seed = getenv("MREGION_SEED");
	struct nlmsghdr *event;
	uint64_t generation;
	int nr, err;

	random_state = seed ? strtoull(seed, NULL, 0) :
			      (uint64_t)time(NULL) * 2654435761u | 1;
	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)random_state);
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0)));
	for (i = 0; i < REGIONS; i++)
		ASSERT_EQ(0, COMMIT(self->fd,
				    i % 3 ? mr_mmio(2 + i, 0x3000) :
				    i % 2 ? mr_ram(2 + i, 0x2000) :
				    i < 6 ? mr_container(2 + i, 0x4000) :
					    mr_alias(2 + i, 2 + i / 2, 0x1000,
						     0x2000)));
	ASSERT_EQ(0, COMMIT(self->fd, mr_space(SPACE, 1)));
	for (i = 0; i < REGIONS + 2; i++)
		free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	for (i = 0; i < rounds; i++) {
		err = COMMIT(self->fd, random_op(), mr_may_fail(random_op()));
		if (err)
			continue;
		event = EXPECT_EVENT(MREGION_CMD_COMMITTED);
		nr = mr_view(self->fd, SPACE, ranges, MAX_RANGES, NULL);
		ASSERT_LE(0, nr);
		ASSERT_EQ(0, mr_regions(self->fd, 1000, NULL, 0));
		follow(&follower, event);
		cut += !!nl_attr(event, MREGION_A_EVENT_CUT);
		generation = nl_number(event, MREGION_A_EVENT_GENERATION);
		free(event);
		ASSERT_EQ(nr, follower.nr) {
			TH_LOG("round %u, generation %llu", i,
			       (unsigned long long)generation);
		}
		ASSERT_EQ(0, memcmp(ranges, follower.ranges,
				    nr * sizeof(ranges[0]))) {
			TH_LOG("round %u, generation %llu", i,
			       (unsigned long long)generation);
		}
	}
	EXPECT_EQ(0, cut);
	EXPECT_EQ(0, self->lost);
	/* a space that goes shows nothing */
	ASSERT_EQ(0, COMMIT(self->fd, mr_space_free(SPACE)));
	event = EXPECT_EVENT(MREGION_CMD_COMMITTED);
	EXPECT_LE(1, follow(&follower, event));
	EXPECT_EQ(0, follower.nr);
	free(event);
}

/* A rule changes what becomes of accesses, and no range. */
TEST_F(events, rules_change_ranges)
{
	struct follower follower = { };
	struct nlmsghdr *event;
	int efd = new_eventfd();

	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_mmio(2, 0x1000),
			    mr_mmio(3, 0x1000), mr_map(2, 1, 0x1000, 0),
			    mr_map(3, 1, 0x8000, 0), mr_space(SPACE, 1)));
	free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	ASSERT_EQ(0, COMMIT(self->fd, RULE_ADD(3, bell(0, 4, efd))));
	event = EXPECT_EVENT(MREGION_CMD_COMMITTED);
	EXPECT_EQ(2, nl_number(event, MREGION_A_EVENT_GENERATION));
	EXPECT_EQ(1, follow(&follower, event));
	ASSERT_EQ(1, follower.nr);
	EXPECT_EQ(0x8000, follower.ranges[0].start);
	EXPECT_EQ(3, follower.ranges[0].region);
	free(event);
	/* and one that changes nothing anybody sees is a commit, too */
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(4, 0x1000)));
	event = EXPECT_EVENT(MREGION_CMD_COMMITTED);
	EXPECT_EQ(0, follow(&follower, event));
	free(event);
	close(efd);
}

/* How much of an event there is room for depends on what it has: try many. */
TEST_F(events, cut_anywhere)
{
	struct mregion_op ops[2 * 700];
	struct nlmsghdr *event;
	unsigned int i, nr, cut = 0;

	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(SPACE, 1)));
	free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	for (nr = 150; nr < 700; nr += 7) {
		/* beside each other, so that intervals have several ranges */
		for (i = 0; i < nr; i++) {
			ops[2 * i] = mr_mmio(2 + i, 0x1000);
			ops[2 * i + 1] = mr_map(2 + i, 1, 0x1000ull *
						(i + i / (1 + nr % 7)), 0);
		}
		ASSERT_EQ(0, mr_commit(self->fd, ops, 2 * nr));
		event = EXPECT_EVENT(MREGION_CMD_COMMITTED);
		cut += !!nl_attr(event, MREGION_A_EVENT_CUT);
		free(event);
		for (i = 0; i < nr; i++) {
			ops[2 * i] = mr_unmap(2 + i);
			ops[2 * i + 1] = mr_free(2 + i);
		}
		ASSERT_EQ(0, mr_commit(self->fd, ops, 2 * nr));
		free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	}
	EXPECT_LT(0, cut);
	EXPECT_GT(70, cut);
	EXPECT_EQ(0, self->lost);
}

/* More than there is room for. */
TEST_F(events, cut)
{
	struct mregion_op ops[2 * 1000 + 2] = { mr_container(1, 0) };
	struct nlmsghdr *event;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		ops[1 + 2 * i] = mr_mmio(2 + i, 0x1000);
		ops[2 + 2 * i] = mr_map(2 + i, 1, 0x2000 * i, 0);
	}
	ops[2 * 1000 + 1] = mr_space(SPACE, 1);
	ASSERT_EQ(0, mr_commit(self->fd, ops, 2 * 1000 + 2));
	event = EXPECT_EVENT(MREGION_CMD_COMMITTED);
	EXPECT_NE(NULL, nl_attr(event, MREGION_A_EVENT_CHANGE));
	EXPECT_NE(NULL, nl_attr(event, MREGION_A_EVENT_CUT));
	free(event);
}

/* ---- Nothing is lost without its being told ---------------------------- */

#define COMMITS	(mr_checking_kernel() ? 2000u : 10000u)

static void *commit_many(void *data)
{
	int fd = *(int *)data;
	unsigned int i;

	for (i = 0; i < COMMITS; i++)
		if (COMMIT(fd, mr_move(2, 0x1000 * (1 + i % 64))))
			break;
	return NULL;
}

TEST_F_TIMEOUT(events, each_is_seen_or_missed, 240)
{
	unsigned int seen = 0, missed = 0;
	uint64_t generation = 1, at;
	struct nlmsghdr *event;
	pthread_t thread;

	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_mmio(2, 0x1000),
			    mr_map(2, 1, 0, 0), mr_space(SPACE, 1)));
	free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	ASSERT_EQ(0, pthread_create(&thread, NULL, commit_many, &self->fd));
	while (generation < 1 + COMMITS) {
		/* the last ones may be among what is lost: make one more */
		event = next_event(self, 1000);
		if (!event) {
			ASSERT_EQ(0, COMMIT(self->fd, mr_move(2, 0)));
			continue;
		}
		ASSERT_EQ(MREGION_CMD_COMMITTED, nl_cmd(event));
		at = nl_number(event, MREGION_A_EVENT_GENERATION);
		ASSERT_LT(generation, at);
		missed += at - generation - 1;
		generation = at;
		seen++;
		free(event);
		/* slower than they come */
		if (seen < 50)
			usleep(20000);
	}
	pthread_join(thread, NULL);
	TH_LOG("%u seen, %u missed, told of %u times", seen, missed,
	       self->lost);
	EXPECT_EQ(!!missed, !!self->lost);
	EXPECT_EQ(generation - 1, seen + missed);
}

/* ---- The rest ---------------------------------------------------------- */

TEST_F(events, attachments)
{
	struct nlmsghdr *event;
	uint32_t vm_id;
	struct vm vm;

	ASSERT_EQ(0, vm_create(&vm, 1));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_space(SPACE, 1)));
	free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	ASSERT_EQ(0, mr_attach(self->fd, vm.fd, SPACE, 0, NULL));
	event = EXPECT_EVENT(MREGION_CMD_ATTACHED);
	vm_id = nl_number(event, MREGION_A_EVENT_VM);
	EXPECT_NE(0, vm_id);
	EXPECT_EQ(getpid(), nl_number(event, MREGION_A_EVENT_VM_PID));
	EXPECT_EQ(SPACE, nl_number(event, MREGION_A_EVENT_MEMORY));
	EXPECT_EQ(NULL, nl_attr(event, MREGION_A_EVENT_PIO));
	EXPECT_EQ(NULL, nl_attr(event, MREGION_A_EVENT_SMM));
	free(event);
	ASSERT_EQ(0, mr_detach(self->fd, vm.fd));
	event = EXPECT_EVENT(MREGION_CMD_DETACHED);
	EXPECT_EQ(vm_id, nl_number(event, MREGION_A_EVENT_VM));
	free(event);
	/* one that is gone is noticed by the next commit */
	ASSERT_EQ(0, mr_attach_smm(self->fd, vm.fd, SPACE, 0,
				   VM_HAS_SMM ? SPACE : 0, NULL));
	event = EXPECT_EVENT(MREGION_CMD_ATTACHED);
	EXPECT_LT(vm_id, nl_number(event, MREGION_A_EVENT_VM));
	if (VM_HAS_SMM)
		EXPECT_EQ(SPACE, nl_number(event, MREGION_A_EVENT_SMM));
	free(event);
	vm_free(&vm);
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(2, 0x1000)));
	free(EXPECT_EVENT(MREGION_CMD_DETACHED));
	free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
}

TEST_F(events, rings_and_servers)
{
	struct mregion_access access;
	struct mr_server server;
	struct nlmsghdr *event;
	struct mr_ring ring;
	unsigned int i;

	ASSERT_EQ(0, mr_ring_create(self->fd, 7, 2, -1, 0, 0, &ring));
	ASSERT_EQ(0, mr_server_create(self->fd, 9, 1, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0), mr_mmio(2, 0x1000),
			    mr_map(2, 1, 0, 0), mr_rule_add(2, 7, 0, 0),
			    mr_space(SPACE, 1)));
	free(EXPECT_EVENT(MREGION_CMD_COMMITTED));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, mr_write(self->fd, SPACE, 0, 4, i, &access));
	EXPECT_EQ(MREGION_OUTCOME_RING_FULL, access.outcome);
	event = EXPECT_EVENT(MREGION_CMD_RING_FULL);
	EXPECT_EQ(7, nl_number(event, MREGION_A_EVENT_RING));
	EXPECT_EQ(1, nl_number(event, MREGION_A_EVENT_FULL));
	free(event);
	mr_server_close(&server);
	event = EXPECT_EVENT(MREGION_CMD_SERVER_DEAD);
	EXPECT_EQ(9, nl_number(event, MREGION_A_EVENT_SERVER));
	free(event);
	mr_ring_unmap(&ring);
}

/* Who dies is closed. */
TEST_F(events, killed)
{
	struct nlmsghdr *event;
	uint32_t machine = self->machine;
	pid_t child;

	child = fork();
	if (!child) {
		int fd = mr_open();

		if (fd >= 0)
			pause();
		_exit(1);
	}
	self->machine = 0;
	event = EXPECT_EVENT(MREGION_CMD_MACHINE_OPENED);
	EXPECT_EQ(child, nl_number(event, MREGION_A_EVENT_PID));
	self->machine = nl_number(event, MREGION_A_EVENT_MACHINE);
	EXPECT_NE(machine, self->machine);
	free(event);
	kill(child, SIGKILL);
	free(EXPECT_EVENT(MREGION_CMD_MACHINE_CLOSED));
	waitpid(child, NULL, 0);
	self->machine = machine;
}

TEST_HARNESS_MAIN
