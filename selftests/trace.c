// SPDX-License-Identifier: GPL-2.0
/*
 * What can be seen of machines from outside: an event for each outcome of an
 * access and for each change, and fdinfo.
 */
#include "kselftest_harness.h"
#include "ask_util.h"
#include "trace_util.h"

#define RING	1
#define SHADOW	1
#define SERVER	1
#define REFUSED	6
#define ERROR	7

/* A descriptor's number in a line of its fdinfo, or -1. */
static long long fdinfo_of(int fd, const char *key)
{
	char path[64], line[128];
	long long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			sscanf(line + strlen(key) + 1, "%lld", &value);
	fclose(file);
	return value;
}

TEST(fdinfo)
{
	int a = mr_open(), b = mr_open();
	struct mr_server server;
	struct mr_ring ring;

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	EXPECT_LT(0, fdinfo_of(a, "mregion-machine"));
	EXPECT_LT(0, fdinfo_of(b, "mregion-machine"));
	EXPECT_NE(fdinfo_of(a, "mregion-machine"), fdinfo_of(b, "mregion-machine"));
	ASSERT_EQ(0, mr_ring_create(a, RING, 16, -1, 0, 0, &ring));
	ASSERT_EQ(0, mr_server_create(a, SERVER, 1, 0, 0, &server));
	ASSERT_EQ(0, COMMIT(a, mr_container(1, 0), dev_create(2, 0x1000),
			    dev_create(3, 0x1000), mr_space(DEV_MEMORY, 1)));
	ASSERT_EQ(0, COMMIT(a, mr_rule_add(2, RING, 0, 8)));
	EXPECT_EQ(2, fdinfo_of(a, "mregion-generation"));
	EXPECT_EQ(3, fdinfo_of(a, "mregion-regions"));
	EXPECT_EQ(1, fdinfo_of(a, "mregion-rules"));
	EXPECT_EQ(1, fdinfo_of(a, "mregion-spaces"));
	EXPECT_EQ(1, fdinfo_of(a, "mregion-rings"));
	EXPECT_EQ(0, fdinfo_of(a, "mregion-shadows"));
	EXPECT_EQ(1, fdinfo_of(a, "mregion-servers"));
	EXPECT_EQ(0, fdinfo_of(a, "mregion-vms"));
	EXPECT_EQ(0, fdinfo_of(b, "mregion-regions"));
	EXPECT_LT(4096, fdinfo_of(a, "mregion-memory"));
	EXPECT_EQ(0, fdinfo_of(b, "mregion-memory"));
	mr_ring_unmap(&ring);
	mr_server_close(&server);
	close(a);
	close(b);
}

/* ---- Events ------------------------------------------------------------- */

FIXTURE(trace) {
	struct rig rig;
	struct mr_ring ring;
	struct mr_shadow shadow;
	struct mr_server server;
	int eventfd;
	unsigned int machine;
};

/*
 * The device on the memory bus has a rule of each kind, and regions beside it
 * refuse everything but 4 bytes, each in its way.
 */
FIXTURE_SETUP(trace)
{
	struct mregion_op refused = mr_mmio(REFUSED, 0x100);
	struct mregion_op error = mr_mmio(ERROR, 0x100);
	int err = trace_mount();

	self->rig.fd = -1;
	self->rig.vm.kvm = -1;
	self->server.fd = -1;
	if (err)
		SKIP(return, "no events: %s", strerror(-err));
	refused.create.constraints.valid_min = 4;
	refused.create.constraints.valid_max = 4;
	error.create.constraints = refused.create.constraints;
	error.create.constraints.refused = MREGION_POLICY_ERROR;
	self->eventfd = new_eventfd();
	ASSERT_EQ(0, rig_open(&self->rig, 1));
	ASSERT_EQ(0, mr_ring_create(self->rig.fd, RING, 16, -1, 0, 0,
				    &self->ring));
	ASSERT_EQ(0, mr_shadow_create(self->rig.fd, SHADOW, MR_PAGE,
				      &self->shadow));
	ASSERT_EQ(0, COMMIT(self->rig.fd, mr_rule_add(DEV_MMIO, RING, 0, 8),
			    RULE_ADD(DEV_MMIO, bell(8, 8, self->eventfd)),
			    RULE_ADD(DEV_MMIO,
				     shadow_rule(16, 8, MREGION_RULE_READ |
						 MREGION_RULE_WRITE, SHADOW,
						 0)),
			    refused, error,
			    mr_map(REFUSED, 1, MMIO_BASE + 0x2000, 0),
			    mr_map(ERROR, 1, MMIO_BASE + 0x3000, 0)));
	self->machine = fdinfo_of(self->rig.fd, "mregion-machine");
	ASSERT_EQ(0, trace_write("tracing_on", "1"));
	ASSERT_EQ(0, trace_enable(NULL, false));
	ASSERT_EQ(0, trace_clear());
}

FIXTURE_TEARDOWN(trace)
{
	trace_enable(NULL, false);
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	if (self->shadow.memory)
		mr_shadow_unmap(&self->shadow);
	mr_server_close(&self->server);
	rig_close(&self->rig);
}

/* What has been traced is this, event by event, after "machine=N ". */
#define EXPECT_EVENTS(...) do {						\
	const char *__events[] = { __VA_ARGS__, NULL };			\
	char *__text = trace_read("trace"), *__rest = __text;		\
	char __want[256], *__event;					\
	int __i, __skip;						\
									\
	ASSERT_NE(NULL, __text);					\
	for (__i = 0; __events[__i]; __i++) {				\
		__skip = strcspn(__events[__i], " ");			\
		snprintf(__want, sizeof(__want), "%.*s: machine=%u%s",	\
			 __skip, __events[__i], self->machine,		\
			 __events[__i] + __skip);			\
		__event = trace_next(&__rest);				\
		EXPECT_STREQ(__want, __event ? __event : "no event");	\
	}								\
	__event = trace_next(&__rest);					\
	EXPECT_STREQ("no event", __event ? __event : "no event");	\
	free(__text);							\
	EXPECT_EQ(0, trace_clear());					\
} while (0)

/* Of the memory bus, by MREGION_ACCESS. */
#define WRITE(offset, len, data) do {					\
	struct mregion_access __access;					\
									\
	EXPECT_EQ(0, mr_write(self->rig.fd, DEV_MEMORY,			\
			      MMIO_BASE + (offset), len, data,		\
			      &__access));				\
} while (0)

#define READ(offset, len) ({						\
	struct mregion_access __access;					\
									\
	EXPECT_EQ(0, mr_read(self->rig.fd, DEV_MEMORY,			\
			     MMIO_BASE + (offset), len, &__access));	\
	__access.data;							\
})

TEST_F(trace, outcomes)
{
	unsigned int i;

	ASSERT_EQ(0, trace_enable(NULL, true));
	WRITE(4, 4, 0x11223344);
	EXPECT_EVENTS("mregion_coalesced space=1 vcpu=-1 write len=4 addr=0x10000004 data=0x11223344 region=3 name=region-3 offset=0x4");
	WRITE(8, 2, 0x5566);
	EXPECT_EVENTS("mregion_doorbell space=1 vcpu=-1 write len=2 addr=0x10000008 data=0x5566 region=3 name=region-3 offset=0x8");
	EXPECT_EQ(1, signals(self->eventfd));
	WRITE(16, 8, 0x8877665544332211);
	EXPECT_EVENTS("mregion_shadow space=1 vcpu=-1 write len=8 addr=0x10000010 data=0x8877665544332211 region=3 name=region-3 offset=0x10");
	EXPECT_EQ(0x44, READ(19, 1));
	EXPECT_EVENTS("mregion_shadow space=1 vcpu=-1 read len=1 addr=0x10000013 data=0x44 region=3 name=region-3 offset=0x13");
	READ(0x20, 4);
	EXPECT_EVENTS("mregion_exit space=1 vcpu=-1 read len=4 addr=0x10000020 data=0x0 region=3 name=region-3 offset=0x20");
	EXPECT_EQ(0xff, READ(0x2001, 1));
	EXPECT_EVENTS("mregion_refused space=1 vcpu=-1 read len=1 addr=0x10002001 data=0xff region=6 name=region-6 offset=0x1");
	WRITE(0x2001, 1, 0x77);
	EXPECT_EVENTS("mregion_refused space=1 vcpu=-1 write len=1 addr=0x10002001 data=0x77 region=6 name=region-6 offset=0x1");
	WRITE(0x3002, 2, 0x7788);
	EXPECT_EVENTS("mregion_refused_exit space=1 vcpu=-1 write len=2 addr=0x10003002 data=0x7788 region=7 name=region-7 offset=0x2");
	READ(0x4000, 4);
	EXPECT_EVENTS("mregion_unassigned_exit space=1 vcpu=-1 read len=4 addr=0x10004000 data=0x0 region=0 name= offset=0x0");
	ASSERT_EQ(0, trace_enable("mregion_commit", false));
	ASSERT_EQ(0, COMMIT(self->rig.fd, mr_space_set(DEV_MEMORY, 1, 0,
						       MREGION_POLICY_ZEROES)));
	READ(0x4000, 4);
	EXPECT_EVENTS("mregion_unassigned space=1 vcpu=-1 read len=4 addr=0x10004000 data=0x0 region=0 name= offset=0x0");
	for (i = 1; i < 16; i++)
		WRITE(0, 4, i);
	ASSERT_EQ(0, trace_clear());
	WRITE(0, 4, 0x99);
	EXPECT_EVENTS("mregion_ring_full space=1 vcpu=-1 write len=4 addr=0x10000000 data=0x99 region=3 name=region-3 offset=0x0");
	EXPECT_EQ(16, mr_ring_waiting(&self->ring));
}

/* Part by part, if it is made so. */
TEST_F(trace, parts)
{
	ASSERT_EQ(0, trace_enable(NULL, true));
	WRITE(6, 4, 0x11223344);
	EXPECT_EVENTS("mregion_exit space=1 vcpu=-1 write len=4 addr=0x10000006 data=0x11223344 region=3 name=region-3 offset=0x6");
	ASSERT_EQ(0, COMMIT(self->rig.fd,
			    mr_space_set(DEV_MEMORY, 1, 0, MREGION_POLICY_ONES)));
	ASSERT_EQ(0, trace_clear());
	EXPECT_EQ(0xffffffffffffffff, READ(0x4ffe, 8));
	EXPECT_EVENTS("mregion_unassigned space=1 vcpu=-1 read len=2 addr=0x10004ffe data=0xffff region=0 name= offset=0x0",
		      "mregion_unassigned space=1 vcpu=-1 read len=4 addr=0x10005000 data=0xffffffff region=0 name= offset=0x0",
		      "mregion_unassigned space=1 vcpu=-1 read len=2 addr=0x10005004 data=0xffff region=0 name= offset=0x0");
}

/* What is not traced leaves no trace. */
TEST_F(trace, one_event_of_many)
{
	ASSERT_EQ(0, trace_enable("mregion_doorbell", true));
	WRITE(0, 4, 1);
	WRITE(8, 4, 2);
	READ(16, 4);
	READ(32, 4);
	EXPECT_EVENTS("mregion_doorbell space=1 vcpu=-1 write len=4 addr=0x10000008 data=0x2 region=3 name=region-3 offset=0x8");
	ASSERT_EQ(0, trace_enable("mregion_doorbell", false));
	WRITE(8, 4, 3);
	EXPECT_EVENTS(NULL);
	EXPECT_EQ(2, signals(self->eventfd));
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
}

/* A vCPU's accesses, which take the short way before and after. */
TEST_F(trace, guest)
{
	const struct way way = { .guest = true };
	struct mregion_ring_entry entry;
	struct mregion_stats stats;
	uint64_t value, i;

	EXPECT_EQ(1, way_write(&self->rig, way, 0, 4, 1));
	EXPECT_EVENTS(NULL);
	ASSERT_EQ(0, trace_enable(NULL, true));
	EXPECT_EQ(1, way_write(&self->rig, way, 0, 4, 2));
	EXPECT_EQ(1, way_write(&self->rig, way, 8, 4, 3));
	EXPECT_EQ(1, way_write(&self->rig, way, 16, 4, 4));
	EXPECT_EQ(1, way_read(&self->rig, way, 16, 4, &value));
	EXPECT_EQ(0, way_write(&self->rig, way, 32, 4, 5));
	EXPECT_EVENTS("mregion_coalesced space=1 vcpu=0 write len=4 addr=0x10000000 data=0x2 region=3 name=region-3 offset=0x0",
		      "mregion_doorbell space=1 vcpu=0 write len=4 addr=0x10000008 data=0x3 region=3 name=region-3 offset=0x8",
		      "mregion_shadow space=1 vcpu=0 write len=4 addr=0x10000010 data=0x4 region=3 name=region-3 offset=0x10",
		      "mregion_shadow space=1 vcpu=0 read len=4 addr=0x10000010 data=0x4 region=3 name=region-3 offset=0x10",
		      "mregion_exit space=1 vcpu=0 write len=4 addr=0x10000020 data=0x5 region=3 name=region-3 offset=0x20");
	EXPECT_EQ(4, value);
	ASSERT_EQ(0, trace_enable(NULL, false));
	EXPECT_EQ(1, way_write(&self->rig, way, 0, 4, 3));
	EXPECT_EVENTS(NULL);
	for (i = 1; i <= 3; i++) {
		ASSERT_TRUE(mr_ring_take(&self->ring, &entry));
		EXPECT_EQ(i, entry.data);
	}
	EXPECT_FALSE(mr_ring_take(&self->ring, &entry));
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_REGION, DEV_MMIO,
			      &stats));
	EXPECT_EQ(3, stats.outcomes[MREGION_OUTCOME_COALESCED]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_DOORBELL]);
	EXPECT_EQ(2, stats.outcomes[MREGION_OUTCOME_SHADOW]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_EXIT]);
}

/* Events go on and off while a vCPU writes: no write is lost, none comes twice. */
TEST_F(trace, on_and_off_under_load)
{
	struct mregion_ring_entry entry;
	struct mregion_stats stats;
	struct load load = { };
	uint64_t next = 1;
	unsigned int i;

	/* they exit where the ring is full, so it is drained all the time */
	ASSERT_EQ(0, load_start(&load, &self->rig, false));
	for (i = 0; i < 20; i++) {
		uint64_t end = next + 4 * ROUND;

		ASSERT_EQ(0, trace_enable("mregion_coalesced", i & 1));
		while (next < end) {
			if (!mr_until(mr_ring_waiting(&self->ring)))
				break;
			/* a write that has exited is not in the ring */
			while (mr_ring_take(&self->ring, &entry)) {
				EXPECT_LE(next, entry.data);
				next = entry.data + 1;
			}
		}
		EXPECT_LE(end, next);
	}
	ASSERT_EQ(0, trace_enable("mregion_coalesced", false));
	load_stop(_metadata, &load);
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_REGION, DEV_MMIO,
			      &stats));
	EXPECT_EQ(load.writes, stats.outcomes[MREGION_OUTCOME_COALESCED] +
			       stats.outcomes[MREGION_OUTCOME_RING_FULL]);
	EXPECT_EQ(load.exits, stats.outcomes[MREGION_OUTCOME_RING_FULL]);
}

TEST_F(trace, commits)
{
	struct mregion_op ops[] = { mr_mmio(20, 0x1000), mr_map(20, 99, 0, 0) };

	ASSERT_EQ(0, trace_enable("mregion_commit", true));
	EXPECT_EQ(0, mr_commit(self->rig.fd, ops, 1));
	EXPECT_EQ(-ENOENT, mr_commit(self->rig.fd, ops + 1, 1));
	ops[0].id = 21;
	EXPECT_EQ(-ENOENT, mr_commit(self->rig.fd, ops, 2));
	EXPECT_EQ(0, mr_commit_flags(self->rig.fd, ops, 1,
				     MREGION_COMMIT_DRY_RUN, NULL));
	EXPECT_EQ(-EOPNOTSUPP, mr_commit_flags(self->rig.fd, ops, 1, 1u << 31,
					       NULL));
	ops[1].code |= MREGION_OP_MAY_FAIL;
	EXPECT_EQ(0, mr_commit_flags(self->rig.fd, ops, 2,
				     MREGION_COMMIT_DRY_RUN, NULL));
	EXPECT_EVENTS("mregion_commit nr_ops=1 dry_run=0 generation=3 failed=1 nr_failed=0 ret=0",
		      "mregion_commit nr_ops=1 dry_run=0 generation=3 failed=0 nr_failed=0 ret=-2",
		      "mregion_commit nr_ops=2 dry_run=0 generation=3 failed=1 nr_failed=0 ret=-2",
		      "mregion_commit nr_ops=1 dry_run=1 generation=3 failed=1 nr_failed=0 ret=0",
		      "mregion_commit nr_ops=1 dry_run=0 generation=0 failed=1 nr_failed=0 ret=-95",
		      "mregion_commit nr_ops=2 dry_run=1 generation=3 failed=2 nr_failed=1 ret=0");
}

TEST_F(trace, attachments)
{
	EXPECT_EQ(1, fdinfo_of(self->rig.fd, "mregion-vms"));
	ASSERT_EQ(0, trace_enable("mregion_attach", true));
	ASSERT_EQ(0, trace_enable("mregion_detach", true));
	EXPECT_EQ(-EEXIST, mr_attach(self->rig.fd, self->rig.vm.fd, DEV_MEMORY,
				     DEV_PIO, NULL));
	EXPECT_EQ(0, mr_detach(self->rig.fd, self->rig.vm.fd));
	EXPECT_EQ(0, fdinfo_of(self->rig.fd, "mregion-vms"));
	EXPECT_EQ(0, mr_attach(self->rig.fd, self->rig.vm.fd, 0, DEV_PIO,
			       NULL));
	EXPECT_EVENTS("mregion_attach memory=1 pio=2 smm=0 nr_windows=0 nr_conflicts=0 ret=-17",
		      "mregion_detach gone=0",
		      "mregion_attach memory=0 pio=2 smm=0 nr_windows=1 nr_conflicts=0 ret=0");
	vm_free(&self->rig.vm);
	self->rig.vm.kvm = -1;
	EXPECT_EQ(0, fdinfo_of(self->rig.fd, "mregion-vms"));
	EXPECT_EVENTS("mregion_detach gone=1");
}

struct reader {
	pthread_t thread;
	int fd;
	struct mregion_access access;
	int err;
};

static void *reader_thread(void *arg)
{
	struct reader *reader = arg;

	reader->err = mr_read(reader->fd, DEV_MEMORY, MMIO_BASE + 0x40, 4,
			      &reader->access);
	return NULL;
}

TEST_F(trace, servers)
{
	struct reader reader = { .fd = self->rig.fd };
	char *text, *rest, *event;
	unsigned int answered;
	unsigned long long ns;
	struct mregion_stats stats;
	uint32_t number;
	int slot;

	ASSERT_EQ(0, mr_server_create(self->rig.fd, SERVER, 4, 0, 0,
				      &self->server));
	ASSERT_EQ(0, COMMIT(self->rig.fd, mr_set_server(DEV_MMIO, SERVER)));
	ASSERT_EQ(0, trace_enable(NULL, true));
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, reader_thread,
				    &reader));
	ASSERT_TRUE(mr_until(mr_server_events(&self->server)));
	slot = mr_server_take(&self->server, &number);
	ASSERT_LE(0, slot);
	EXPECT_EVENTS("mregion_served space=1 vcpu=-1 read len=4 addr=0x10000040 data=0x0 region=3 name=region-3 offset=0x40");
	usleep(20000);
	mr_server_answer(&self->server, slot, number, 0x12345678);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(0, reader.err);
	text = trace_read("trace");
	rest = text;
	event = trace_next(&rest);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(2, sscanf(event, "mregion_server_wait: machine=%*u server=1 region=3 vcpu=-1 read len=4 offset=0x40 data=0x12345678 answered=%u ns=%llu",
			    &answered, &ns));
	EXPECT_EQ(1, answered);
	EXPECT_LE(20000000, ns);
	EXPECT_EQ(NULL, trace_next(&rest));
	free(text);

	/* Dead, and so the VMM's: counted for the region, and for the machine. */
	mr_server_close(&self->server);
	ASSERT_EQ(0, trace_clear());
	READ(0x44, 2);
	EXPECT_EVENTS("mregion_served space=1 vcpu=-1 read len=2 addr=0x10000044 data=0x0 region=3 name=region-3 offset=0x44",
		      "mregion_server_exit space=1 vcpu=-1 read len=2 addr=0x10000044 data=0x0 region=3 name=region-3 offset=0x44");
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_REGION, DEV_MMIO,
			      &stats));
	EXPECT_EQ(2, stats.outcomes[MREGION_OUTCOME_SERVED]);
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
	ASSERT_EQ(0, mr_stats(self->rig.fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(1, stats.outcomes[MREGION_OUTCOME_SERVER_EXIT]);
}

/* As in Documentation/tracing.rst: which registers make the guest exit. */
TEST_F(trace, histogram)
{
	const char *trigger = "events/mregion/mregion_exit/trigger";
	const char *hist = "events/mregion/mregion_exit/hist";
	char *text;

	if (trace_write(trigger, "hist:keys=name,offset,write"))
		SKIP(return, "no hist triggers");
	READ(0x24, 4);
	READ(0x28, 4);
	READ(0x28, 4);
	READ(0, 4);
	text = trace_read(hist);
	EXPECT_EQ(0, trace_write(trigger, "!hist:keys=name,offset,write"));
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "Hits: 4"));
	EXPECT_NE(NULL, strstr(text, "Entries: 3"));
	free(text);
}

TEST_HARNESS_MAIN
