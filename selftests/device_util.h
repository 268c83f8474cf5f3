/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest with a device on each bus, for the tests of what becomes of its
 * accesses; and the operations and the shared memory that rules are made of.
 *
 * Functions that return int return 0 (or a count) or a negative errno.
 */
#ifndef DEVICE_UTIL_H
#define DEVICE_UTIL_H

#include "kvm_util.h"

#define DEV_MEMORY	1		/* spaces */
#define DEV_PIO		2
#define DEV_MMIO	3		/* regions */
#define DEV_PORTS	5
#define DEV_LEN		0x1000u
#define DEV_PORTS_LEN	0x100u
#define MMIO_BASE	0x10000000u
#define MMIO_AWAY	0x10010000u
#define PIO_BASE	0x400u
#define PIO_AWAY	0x800u

/* A machine attached to a virtual machine. */
struct rig {
	struct vm vm;
	int fd;
};

/* The devices take every access, in one piece. */
static inline struct mregion_op dev_create(uint32_t id, uint64_t len)
{
	struct mregion_op op = mr_mmio(id, len);

	op.create.constraints.valid_max = 8;
	op.create.constraints.impl_max = 8;
	return op;
}

/* The machine alone. */
static inline int rig_open_machine(struct rig *rig)
{
	rig->vm.fd = -1;
	rig->vm.kvm = -1;
	rig->fd = mr_open();
	if (rig->fd < 0)
		return rig->fd;
	return COMMIT(rig->fd, mr_container(1, 0),
		      dev_create(DEV_MMIO, DEV_LEN),
		      mr_map(DEV_MMIO, 1, MMIO_BASE, 0),
		      mr_container(4, 0x10000),
		      dev_create(DEV_PORTS, DEV_PORTS_LEN),
		      mr_map(DEV_PORTS, 4, PIO_BASE, 0),
		      mr_space(DEV_MEMORY, 1), mr_pio_space(DEV_PIO, 4));
}

static inline int rig_open(struct rig *rig, int nr_vcpus)
{
	int err = rig_open_machine(rig);

	if (!err)
		err = vm_create(&rig->vm, nr_vcpus);
	if (!err)
		err = mr_attach(rig->fd, rig->vm.fd, DEV_MEMORY, DEV_PIO,
				NULL);
	return err;
}

static inline void rig_close(struct rig *rig)
{
	if (rig->vm.kvm >= 0)
		vm_free(&rig->vm);
	if (rig->fd >= 0)
		close(rig->fd);
	rig->fd = -1;
}

/* ---- One access by a guest --------------------------------------------- */

/* Let a vCPU write the numbers from @first to before @end, at least one. */
static inline int vcpu_writes(struct vcpu *vcpu, bool pio, unsigned int len,
			      uint64_t offset, uint64_t first, uint64_t end)
{
	const struct guest_regs regs = {
		.addr = MMIO_BASE + offset,
		.port = PIO_BASE + offset,
		.number = first,
		.end = end,
	};
	const struct guest_code *code = guest_writes(pio, len);

	return code ? vcpu_start(vcpu, code, regs) : -EINVAL;
}

static inline int vcpu_reads(struct vcpu *vcpu, bool pio, unsigned int len,
			     uint64_t offset)
{
	const struct guest_regs regs = {
		.addr = MMIO_BASE + offset,
		.port = PIO_BASE + offset,
	};
	const struct guest_code *code = guest_reads(pio, len);

	return code ? vcpu_start(vcpu, code, regs) : -EINVAL;
}

/* An exit for an access: what the guest has written, or where to answer it. */
struct vcpu_exit {
	bool pio;
	bool write;
	unsigned int len;
	uint64_t addr;
	void *data;
};

/* Whether the vCPU's last exit was for an access. */
static inline bool vcpu_exit_access(struct vcpu *vcpu, struct vcpu_exit *exit)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_MMIO)
		*exit = (struct vcpu_exit){
			.write = run->mmio.is_write,
			.len = run->mmio.len,
			.addr = run->mmio.phys_addr,
			.data = run->mmio.data,
		};
	else if (run->exit_reason == KVM_EXIT_IO && run->io.count == 1)
		*exit = (struct vcpu_exit){
			.pio = true,
			.write = run->io.direction == KVM_EXIT_IO_OUT,
			.len = run->io.size,
			.addr = run->io.port,
			.data = (uint8_t *)run + run->io.data_offset,
		};
	else
		return false;
	return true;
}

static inline uint64_t vcpu_exit_value(const struct vcpu_exit *exit)
{
	uint64_t value = 0;

	memcpy(&value, exit->data, exit->len);
	return value;
}

/* Until the guest ends: 0. -EPROTO if it exits for anything but an access. */
static inline int vcpu_until_end(struct vcpu *vcpu, unsigned long *exits)
{
	struct vcpu_exit exit;
	int reason;

	for (;;) {
		reason = vcpu_run(vcpu);
		if (reason == VCPU_ENDED)
			return 0;
		if (reason == -EINTR)
			continue;
		if (reason < 0)
			return reason;
		if (!vcpu_exit_access(vcpu, &exit))
			return -EPROTO;
		++*exits;
	}
}

/* ---- Both ways of making an access ------------------------------------- */

/*
 * By MREGION_ACCESS or by the guest's vCPU 0, on one of the buses. Return:
 * whether the kernel has completed it.
 */
struct way {
	bool guest;
	bool pio;
};

#define FOR_EACH_WAY(fixture)						\
FIXTURE_VARIANT_ADD(fixture, ioctl_mmio) { };				\
FIXTURE_VARIANT_ADD(fixture, ioctl_pio) { .way.pio = true, };		\
FIXTURE_VARIANT_ADD(fixture, guest_mmio) { .way.guest = true, };	\
FIXTURE_VARIANT_ADD(fixture, guest_pio) {				\
	.way.guest = true, .way.pio = true,				\
}

static inline uint32_t way_region(struct way way)
{
	return way.pio ? DEV_PORTS : DEV_MMIO;
}

/* Guests have no instruction for other sizes. */
static inline bool way_has(struct way way, unsigned int len)
{
	return !way.guest || len == 1 || len == 2 || len == 4 ||
	       (len == 8 && !way.pio);
}

/* KVM has guests make such an access; else it is the ioctl's. */
static inline bool way_is_guest(struct way way, uint64_t offset,
				unsigned int len)
{
	return way.guest && (VM_HAS_UNALIGNED || offset % len == 0);
}

static inline int way_ioctl(struct rig *rig, struct way way, uint64_t offset,
			    unsigned int len, uint32_t flags, uint64_t data,
			    struct mregion_access *access)
{
	return mr_access(rig->fd, way.pio ? DEV_PIO : DEV_MEMORY,
			 (way.pio ? PIO_BASE : MMIO_BASE) + offset, len, flags,
			 data, access);
}

static inline int way_write(struct rig *rig, struct way way, uint64_t offset,
			    unsigned int len, uint64_t data)
{
	struct mregion_access access;
	unsigned long exits = 0;
	int err;

	if (!way_is_guest(way, offset, len)) {
		err = way_ioctl(rig, way, offset, len, MREGION_ACCESS_WRITE,
				data, &access);
		return err ? err : (int)access.handled;
	}
	err = vcpu_writes(&rig->vm.vcpus[0], way.pio, len, offset, data, 0);
	if (!err)
		err = vcpu_until_end(&rig->vm.vcpus[0], &exits);
	return err ? err : !exits;
}

/* Sets *value if it is completed. */
static inline int way_read(struct rig *rig, struct way way, uint64_t offset,
			   unsigned int len, uint64_t *value)
{
	struct mregion_access access;
	unsigned long exits = 0;
	int err;

	if (!way_is_guest(way, offset, len)) {
		err = way_ioctl(rig, way, offset, len, 0, 0, &access);
		*value = access.data;
		return err ? err : (int)access.handled;
	}
	err = vcpu_reads(&rig->vm.vcpus[0], way.pio, len, offset);
	if (!err)
		err = vcpu_until_end(&rig->vm.vcpus[0], &exits);
	*value = vcpu_value(&rig->vm.vcpus[0]);
	return err ? err : !exits;
}

/* ---- Shadow memory ------------------------------------------------------ */

struct mr_shadow {
	int fd;
	size_t len;
	uint8_t *memory;
};

static inline int mr_shadow_create(int fd, uint32_t id, uint64_t len,
				   struct mr_shadow *shadow)
{
	struct mregion_shadow_create create = {
		.size = sizeof(create),
		.id = id,
		.len = len,
		.fd = -1,
	};
	int err = mr_ioctl(fd, MREGION_SHADOW_CREATE, &create);

	shadow->memory = NULL;
	if (err)
		return err;
	shadow->fd = create.fd;
	shadow->len = (len + MR_PAGE - 1) & ~(MR_PAGE - 1);
	shadow->memory = mmap(NULL, shadow->len, PROT_READ | PROT_WRITE,
			      MAP_SHARED, shadow->fd, 0);
	if (shadow->memory == MAP_FAILED) {
		err = -errno;
		shadow->memory = NULL;
		close(shadow->fd);
	}
	return err;
}

static inline void mr_shadow_unmap(struct mr_shadow *shadow)
{
	munmap(shadow->memory, shadow->len);
	close(shadow->fd);
	shadow->memory = NULL;
}

static inline int mr_shadow_free(int fd, uint32_t id)
{
	struct mregion_shadow_free arg = { .size = sizeof(arg), .id = id };

	return mr_ioctl(fd, MREGION_SHADOW_FREE, &arg);
}

/* ---- Operations -------------------------------------------------------- */

static inline struct mregion_op mr_rule_op(uint32_t code, uint32_t id,
					   struct mregion_rule rule)
{
	struct mregion_op op = mr_op(code, id);

	op.rule = rule;
	return op;
}

#define RULE_ADD(id, rule)	mr_rule_op(MREGION_OP_RULE_ADD, id, rule)
#define RULE_DEL(id, rule)	mr_rule_op(MREGION_OP_RULE_DEL, id, rule)

/* A doorbell for any size and value. */
static inline struct mregion_rule bell(uint64_t offset, uint64_t len,
				       int eventfd)
{
	return (struct mregion_rule){
		.kind = MREGION_RULE_DOORBELL,
		.offset = offset,
		.len = len,
		.eventfd = eventfd,
	};
}

/* What shadow memory @id stands for, from @shadow_offset on. */
static inline struct mregion_rule shadow_rule(uint64_t offset, uint64_t len,
					      uint32_t flags, uint32_t id,
					      uint64_t shadow_offset)
{
	return (struct mregion_rule){
		.kind = MREGION_RULE_SHADOW,
		.flags = flags,
		.offset = offset,
		.len = len,
		.shadow = id,
		.shadow_offset = shadow_offset,
	};
}

/* A data register of 4 bytes, whose index is at an offset of memory @indices. */
static inline struct mregion_rule
indexed_rule(uint64_t offset, uint32_t flags, uint32_t id, uint64_t shadow_offset,
	     uint32_t indices, uint64_t index_offset)
{
	struct mregion_rule rule = shadow_rule(offset, 4, flags, id,
					       shadow_offset);

	rule.flags |= MREGION_RULE_INDEXED;
	rule.index.shadow = indices;
	rule.index.offset = index_offset;
	rule.index.len = 4;
	return rule;
}

static inline struct mregion_op mr_set_server(uint32_t id, uint32_t server)
{
	struct mregion_op op = mr_op(MREGION_OP_SET_SERVER, id);

	op.set_server.server = server;
	return op;
}

/* ---- Load -------------------------------------------------------------- */

/*
 * A vCPU that writes 4 bytes again and again, in rounds, until it is told to
 * stop; so what it does takes as long on a slow machine as on a fast one.
 */
#define ROUND	64

struct writer {
	pthread_t thread;
	struct vcpu *vcpu;
	bool pio;
	uint64_t offset;
	const bool *stop;
	unsigned long writes;
	unsigned long exits;
	int err;
};

static inline void *writer_thread(void *arg)
{
	struct writer *writer = arg;
	uint64_t next = 1;

	do {
		writer->err = vcpu_writes(writer->vcpu, writer->pio, 4,
					  writer->offset, next, next + ROUND);
		if (!writer->err)
			writer->err = vcpu_until_end(writer->vcpu,
						      &writer->exits);
		if (writer->err)
			break;
		next += ROUND;
		writer->writes += ROUND;
	} while (!__atomic_load_n(writer->stop, __ATOMIC_ACQUIRE));
	return NULL;
}

/* Whether some write has exited, or found nothing there. */
static inline bool rig_has_exited(struct rig *rig)
{
	struct mregion_stats stats;

	return !mr_stats(rig->fd, MREGION_OBJECT_MACHINE, 0, &stats) &&
	       (stats.outcomes[MREGION_OUTCOME_EXIT] ||
		stats.outcomes[MREGION_OUTCOME_UNASSIGNED_EXIT]);
}

/* Several of them, each with a register of its own, 8 bytes apart. */
struct load {
	struct writer writers[VM_MAX_VCPUS];
	unsigned int nr;
	unsigned long writes, exits;	/* of all, in the end */
	bool stop;
};

static inline int load_start(struct load *load, struct rig *rig, bool pio)
{
	int err = 0;

	while (load->nr < (unsigned int)rig->vm.nr_vcpus && !err) {
		struct writer *writer = &load->writers[load->nr];

		*writer = (struct writer){
			.vcpu = &rig->vm.vcpus[load->nr],
			.pio = pio,
			.offset = 8 * load->nr,
			.stop = &load->stop,
		};
		err = pthread_create(&writer->thread, NULL, writer_thread,
				     writer);
		load->nr += !err;
	}
	return -err;
}

static inline void load_stop(struct __test_metadata *_metadata,
			     struct load *load)
{
	unsigned int i;

	__atomic_store_n(&load->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < load->nr; i++) {
		pthread_join(load->writers[i].thread, NULL);
		EXPECT_EQ(0, load->writers[i].err);
		load->writes += load->writers[i].writes;
		load->exits += load->writers[i].exits;
	}
}

/*
 * A rule that signals @efd for each write comes and goes under load: each write
 * is either completed, with that outcome, or exits.
 */
static inline void come_and_go(struct __test_metadata *_metadata,
			       struct load *load, struct rig *rig, bool pio,
			       struct mregion_rule rule, int efd,
			       uint32_t outcome, unsigned int msecs)
{
	uint32_t region = pio ? DEV_PORTS : DEV_MMIO;
	struct mregion_stats stats;
	uint64_t signalled = 0;

	ASSERT_EQ(0, load_start(load, rig, pio));
	mr_for_a_while(msecs, signalled && rig_has_exited(rig)) {
		ASSERT_EQ(0, COMMIT(rig->fd, RULE_ADD(region, rule)));
		usleep(500);
		ASSERT_EQ(0, COMMIT(rig->fd, RULE_DEL(region, rule)));
		usleep(500);
		signalled += signals(efd);
	}
	load_stop(_metadata, load);
	signalled += signals(efd);
	EXPECT_LT(0, load->exits);
	EXPECT_EQ(load->writes, signalled + load->exits) {
		TH_LOG("%lu writes, %lu signals, %lu exits", load->writes,
		       (unsigned long)signalled, load->exits);
	}
	ASSERT_EQ(0, mr_stats(rig->fd, MREGION_OBJECT_REGION, region, &stats));
	EXPECT_EQ(signalled, stats.outcomes[outcome]);
	EXPECT_EQ(load->exits, stats.outcomes[MREGION_OUTCOME_EXIT]);
}

/*
 * Commits replace one of two rules by the other under load: there is always one,
 * and never are two. Each signals an eventfd of its own for each write.
 */
static inline void swap_rules(struct __test_metadata *_metadata,
			      struct load *load, struct rig *rig, bool pio,
			      const struct mregion_rule rules[2],
			      const int efds[2], unsigned int msecs)
{
	uint32_t region = pio ? DEV_PORTS : DEV_MMIO;
	uint64_t signalled[2] = {};
	unsigned int i = 0;

	ASSERT_EQ(0, COMMIT(rig->fd, RULE_ADD(region, rules[0])));
	ASSERT_EQ(0, load_start(load, rig, pio));
	mr_for_a_while(msecs, signalled[0] && signalled[1]) {
		ASSERT_EQ(0, COMMIT(rig->fd, RULE_DEL(region, rules[i]),
				    RULE_ADD(region, rules[!i])));
		usleep(300);
		/* a write that had begun before may still signal the old one */
		signalled[i] += signals(efds[i]);
		i = !i;
	}
	load_stop(_metadata, load);
	EXPECT_EQ(0, load->exits);
	for (i = 0; i < 2; i++) {
		signalled[i] += signals(efds[i]);
		EXPECT_LT(0, signalled[i]);
	}
	EXPECT_EQ(load->writes, signalled[0] + signalled[1]);
}

#endif /* DEVICE_UTIL_H */
