// SPDX-License-Identifier: GPL-2.0
/*
 * MREGION_CLAIMS, and what it tells of: what is claimed on KVM's buses where not
 * everything can be, and beside devices of KVM's that come before and after.
 */
#include "kselftest_harness.h"
#include "kvm_util.h"

#define SPACE		1
#define PIO		2
#define RING		1
#define DEVICE		3
#define PORTS		4
#define BASE		0x10000000ull
#define UNIT		(1ull << 30)
#define MAX_CLAIMS	4096

FIXTURE(claims) {
	struct vm vm;
	struct mr_ring ring;
	struct mregion_claim_info *claims;
	int fd;
};

/* A device at BASE, and one at the ports from 0x3f8 on; no vCPU yet. */
FIXTURE_SETUP(claims)
{
	self->fd = mr_open();
	ASSERT_LE(0, self->fd);
	self->claims = calloc(MAX_CLAIMS, sizeof(*self->claims));
	ASSERT_NE(NULL, self->claims);
	ASSERT_EQ(0, vm_create(&self->vm, 0));
	ASSERT_EQ(0, mr_ring_create(self->fd, RING, 64, -1, 0, 0, &self->ring));
	ASSERT_EQ(0, COMMIT(self->fd, mr_container(1, 0),
			    mr_container(2, 0x10000), mr_mmio(DEVICE, 0x1000),
			    mr_map(DEVICE, 1, BASE, 0), mr_mmio(PORTS, 8),
			    mr_map(PORTS, 2, 0x3f8, 0),
			    mr_rule_add(DEVICE, RING, 0, 0),
			    mr_rule_add(PORTS, RING, 0, 0), mr_space(SPACE, 1),
			    mr_pio_space(PIO, 2)));
}

FIXTURE_TEARDOWN(claims)
{
	if (self->ring.header)
		mr_ring_unmap(&self->ring);
	free(self->claims);
	vm_free(&self->vm);
	close(self->fd);
}

/* How many of a kind there are at present; *@first is the first one. */
static int claims_of(FIXTURE_DATA(claims) *self, uint32_t bus, uint32_t kind,
		     struct mregion_claim_info *first)
{
	int i, found = 0, nr = mr_claims(self->fd, self->vm.fd, bus, 0,
					 self->claims, MAX_CLAIMS);

	if (nr > MAX_CLAIMS)
		return -E2BIG;
	for (i = 0; i < nr; i++) {
		if (self->claims[i].kind != kind)
			continue;
		if (!found++)
			*first = self->claims[i];
	}
	return nr < 0 ? nr : found;
}

static uint64_t windows_changed(int fd)
{
	struct mregion_stats stats;

	return mr_stats(fd, MREGION_OBJECT_MACHINE, 0, &stats) ?
	       ~0ull : stats.windows;
}

#define EXPECT_CLAIM(_claim, _start, _last, _region, _flags) do {	\
	EXPECT_EQ(_start, (_claim).start);				\
	EXPECT_EQ(_last, (_claim).last);				\
	EXPECT_EQ(_region, (_claim).region);				\
	EXPECT_EQ(_flags, (_claim).flags);				\
	EXPECT_EQ(0, (_claim).reserved);				\
} while (0)

/* How the guest's write ends: 0 at the end of its code, or by an exit before that. */
static int run_to_end(struct vcpu *vcpu)
{
	int reason = vcpu_run(vcpu);

	if (reason == VCPU_ENDED)
		return 0;
	return vcpu_run(vcpu) == VCPU_ENDED ? reason : -1;
}

static int guest_write(struct vm *vm, uint64_t addr)
{
	struct vcpu *vcpu = &vm->vcpus[0];

	if (GUEST_RUN(vcpu, mmio_write4_leave, .addr = addr, .number = 0x77))
		return -1;
	return run_to_end(vcpu);
}

#if VM_HAS_PORTS
static int guest_out(struct vm *vm, uint16_t port)
{
	struct vcpu *vcpu = &vm->vcpus[0];

	if (GUEST_RUN(vcpu, pio_write4_leave, .port = port, .number = 0x77))
		return -1;
	return run_to_end(vcpu);
}
#endif

static int guest_access(struct vm *vm, bool pio, uint64_t addr)
{
#if VM_HAS_PORTS
	if (pio)
		return guest_out(vm, addr);
#endif
	return pio ? -1 : guest_write(vm, addr);
}

TEST_F(claims, arguments)
{
	struct mregion_claim_info claim;
	struct mregion_claims_read read = {
		.size = sizeof(read), .vm_fd = self->vm.fd,
		.claims = (uintptr_t)&claim, .nr = 1,
		.claim_size = sizeof(claim),
	};

	EXPECT_EQ(-ENOENT, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, 0, NULL));
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	EXPECT_EQ(1, read.nr);
	EXPECT_EQ(1, read.generation);
	EXPECT_EQ(MREGION_CLAIM_WINDOW, claim.kind);
	EXPECT_CLAIM(claim, 0, UNIT - 1, 0, 0);
	/* Only counted. */
	read.nr = 0;
	read.claims = 0;
	EXPECT_EQ(0, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	EXPECT_EQ(1, read.nr);
	EXPECT_EQ(-EFAULT, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.claims = (uintptr_t)&claim;
	read.bus = MREGION_BUS_PIO;
	EXPECT_EQ(-ENOENT, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.bus = 2;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.bus = MREGION_BUS_MEMORY;
	read.vm_fd = -1;
	EXPECT_EQ(-EBADF, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.vm_fd = self->fd;
	EXPECT_EQ(-ENOENT, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.vm_fd = self->vm.fd;
	read.flags = 2;
	EXPECT_EQ(-EOPNOTSUPP, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.flags = 0;
	read.claim_size = sizeof(claim) - 8;
	EXPECT_EQ(-EINVAL, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
	read.claim_size = MR_PAGE + 8;
	EXPECT_EQ(-E2BIG, mr_ioctl(self->fd, MREGION_CLAIMS, &read));
}

/* A device comes over one of KVM's long after attaching, and goes again. */
TEST_F(claims, conflicts_as_they_are_now)
{
	struct mregion_claim_info claim;
	struct mregion_stats stats;

	if (!VM_HAS_IOAPIC)
		SKIP(return, NO_IOAPIC);
	ASSERT_EQ(0, mr_ioctl(self->vm.fd, KVM_CREATE_IRQCHIP, NULL));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(0, claims_of(self, MREGION_BUS_PIO, MREGION_CLAIM_CONFLICT,
			       &claim));
	/* KVM's has 0x20 and 0x21. Nothing changes on the bus. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 8), mr_map(5, 2, 0x1c, 0)));
	EXPECT_EQ(0, windows_changed(self->fd));
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_PIO, MREGION_CLAIM_CONFLICT,
			       &claim));
	EXPECT_CLAIM(claim, 0x20, 0x21, 5, MREGION_CLAIM_POLICY);
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(1, stats.conflicts);
	EXPECT_EQ(0, stats.unclaimed);
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(5, 0x22)));
	EXPECT_EQ(0, claims_of(self, MREGION_BUS_PIO, MREGION_CLAIM_CONFLICT,
			       &claim));
	/* And memory: KVM's I/O APIC. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(6, 0x100),
			    mr_rule_add(6, RING, 0, 0),
			    mr_map(6, 1, 0xfec00000, 0)));
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_CONFLICT, &claim));
	EXPECT_CLAIM(claim, 0xfec00000, 0xfec000ff, 6, MREGION_CLAIM_RULES);
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(6)));
	ASSERT_EQ(0, mr_stats(self->fd, MREGION_OBJECT_MACHINE, 0, &stats));
	EXPECT_EQ(0, stats.conflicts);
}

/* The doorbell of a small device goes before a huge region without rules. */
TEST_F(claims, what_is_needed_first)
{
	struct mregion_claim_info claim;
	uint64_t huge = 1ull << 40, beyond = 1ull << 45;
	struct mregion_info info;
	uint64_t changed;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm));
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 1ull << 42),
			    mr_map(5, 1, huge, 0), mr_mmio(6, 0x1000),
			    mr_map(6, 1, beyond, 0),
			    mr_rule_add(6, RING, 0, 4),
			    mr_mmio(7, 0x1000), mr_map(7, 1, 2 * beyond, 0)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(info.max_windows,
		  claims_of(self, MREGION_BUS_MEMORY, MREGION_CLAIM_WINDOW,
			    &claim));
	/* One window each for DEVICE, 6 and 7, and the rest for 5. */
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_UNCLAIMED, &claim));
	EXPECT_CLAIM(claim, huge + (info.max_windows - 3) * UNIT,
		     huge + (1ull << 42) - 1, 5, MREGION_CLAIM_POLICY);

	/* Something for which the kernel does nothing waits for a rule. */
	struct mregion_op none = mr_mmio(8, 0x1000);

	none.create.constraints.refused = MREGION_POLICY_ERROR;
	ASSERT_EQ(0, COMMIT(self->fd, none, mr_map(8, 1, UNIT, 0)));
	EXPECT_EQ(0, windows_changed(self->fd));
	EXPECT_EQ(2, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_UNCLAIMED, &claim));
	EXPECT_CLAIM(claim, UNIT, UNIT + 0xfff, 8, 0);
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(&self->vm, UNIT));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(8, RING, 0, 0)));
	changed = windows_changed(self->fd);
	EXPECT_EQ(1, changed);
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_UNCLAIMED, &claim));
	EXPECT_EQ(5, claim.region);
	EXPECT_EQ(0, guest_write(&self->vm, UNIT));
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
	/* More rules, and moving within what is claimed, change nothing. */
	ASSERT_EQ(0, COMMIT(self->fd, mr_move(8, UNIT + 0x10000000),
			    mr_rule_add(7, RING, 0, 0)));
	EXPECT_EQ(changed, windows_changed(self->fd));
	EXPECT_EQ(0, guest_write(&self->vm, UNIT + 0x10000000));
	EXPECT_EQ(2, mr_ring_waiting(&self->ring));
}

/* Unassigned ports, and what is beside memory, are answered by policy. */
TEST_F(claims, unassigned)
{
	struct mregion_claim_info claim;
	struct mregion_op ports = mr_pio_space(PIO, 2);
	struct mregion_op memory = mr_space(SPACE, 1);

	ports.code = MREGION_OP_SPACE_SET;
	ports.space.unassigned = MREGION_POLICY_ONES;
	memory.code = MREGION_OP_SPACE_SET;
	memory.space.unassigned = MREGION_POLICY_ONES;
	ASSERT_EQ(0, COMMIT(self->fd, ports, memory, mr_unmap(PORTS),
			    mr_unmap(DEVICE), mr_ram(5, UNIT / 2),
			    mr_map(5, 1, 2 * UNIT, 0)));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_PIO, MREGION_CLAIM_WINDOW,
			       &claim));
	EXPECT_CLAIM(claim, 0, 0xffff, 0, 0);
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_MEMORY, MREGION_CLAIM_WINDOW,
			       &claim));
	EXPECT_CLAIM(claim, 2 * UNIT + UNIT / 2, 3 * UNIT - 1, 0, 0);
	/* The guest ends by a port where nothing is. */
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, 0, NULL));
	EXPECT_EQ(0, guest_write(&self->vm, 3 * UNIT - 4));
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(&self->vm, UNIT));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	EXPECT_EQ(KVM_EXIT_MMIO, guest_write(&self->vm, 3 * UNIT - 4));
}

static int ioeventfd(int vm, uint64_t addr, uint32_t len, int fd,
		     uint32_t flags)
{
	struct kvm_ioeventfd arg = {
		.addr = addr, .len = len, .fd = fd, .flags = flags,
		.datamatch = flags & KVM_IOEVENTFD_FLAG_DATAMATCH ? 0x77 : 0,
	};

	return mr_ioctl(vm, KVM_IOEVENTFD, &arg);
}

static int kvm_zone(int vm, uint64_t addr, uint32_t len, bool pio)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = addr, .size = len, .pio = pio,
	};

	return mr_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone);
}

/* As many ioeventfds as one likes do not cut off what is above them. */
TEST_F_TIMEOUT(claims, many_ioeventfds, 300)
{
	struct mregion_claim_info claim;
	int i, efd = new_eventfd();

	ASSERT_EQ(0, vm_add_vcpu(&self->vm));
	for (i = 0; i < 1500; i++)
		ASSERT_EQ(0, ioeventfd(self->vm.fd, BASE - 0x10000 + 8 * i, 4,
				       efd, 0));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(1501, claims_of(self, MREGION_BUS_MEMORY,
				  MREGION_CLAIM_WINDOW, &claim));
	EXPECT_EQ(0, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_UNCLAIMED, &claim));
	EXPECT_EQ(0, guest_write(&self->vm, BASE));
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
	EXPECT_EQ(0, guest_write(&self->vm, BASE - 0x10000 + 8 * 1499));
	EXPECT_EQ(1, signals(efd));
	close(efd);
}

/* KVM can have as many devices of its own as without us. */
TEST_F_TIMEOUT(claims, room_for_kvm, 300)
{
	struct mregion_info info;
	int i, nr = 0;

	ASSERT_EQ(0, mr_info(self->fd, &info));
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 1ull << 42),
			    mr_map(5, 1, 1ull << 45, 0)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	for (i = 0; i < 2000 && !kvm_zone(self->vm.fd, 0x1000 * i, 8, false); i++)
		nr++;
	EXPECT_EQ(1000, nr);
	EXPECT_EQ(-ENOSPC, kvm_zone(self->vm.fd, 0x1000 * i, 8, false));
	/* With all of them there, too, and when it is gone. */
	EXPECT_LE(0, mr_claims(self->fd, self->vm.fd, MREGION_BUS_MEMORY,
			       MREGION_CLAIMS_RENEW, self->claims,
			       MAX_CLAIMS));
	EXPECT_EQ(-ENOSPC, kvm_zone(self->vm.fd, 0x1000 * i, 8, false));
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	EXPECT_EQ(-ENOSPC, kvm_zone(self->vm.fd, 0x1000 * i, 8, false));
}

/*
 * A 64-bit BAR that is being sized is at the top of all addresses for a moment:
 * all that KVM gets then, and later, is found.
 */
FIXTURE(top) {
	FIXTURE_DATA(claims) claims;
};

FIXTURE_VARIANT(top) {
	uint64_t addr;
	bool back;
};

FIXTURE_VARIANT_ADD(top, sized) { .addr = 0xfffffffffe000000, .back = true, };
FIXTURE_VARIANT_ADD(top, stays) { .addr = 0xfffffffffe000000, };
FIXTURE_VARIANT_ADD(top, last_bytes) { .addr = 0xfffffffffffff000, };
FIXTURE_VARIANT_ADD(top, over_the_sentinel) { .addr = 0xffffffffffff0ff8, };
FIXTURE_VARIANT_ADD(top, of_the_windows) { .addr = 0x7ffffffffffff800, };

FIXTURE_SETUP(top)
{
	claims_setup(_metadata, &self->claims, NULL);
}

FIXTURE_TEARDOWN(top)
{
	claims_teardown(_metadata, &self->claims, NULL);
}

TEST_F(top, devices_are_found)
{
	static const uint64_t later[] = { 0x50000000, BASE + 0x10000,
					  0xc0000000 };
	struct vm *vm = &self->claims.vm;
	int fd = self->claims.fd, efd = new_eventfd();
	struct mregion_claim_info claim;
	unsigned int i;

	ASSERT_EQ(0, vm_add_vcpu(vm));
	ASSERT_EQ(0, COMMIT(fd, mr_mmio(5, 0x1000),
			    mr_map(5, 1, BASE + 0x2000, 0)));
	ASSERT_EQ(0, mr_attach(fd, vm->fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, COMMIT(fd, mr_move(5, variant->addr)));
	if (variant->addr > INT64_MAX) {
		EXPECT_EQ(0, windows_changed(fd));
	}
	EXPECT_EQ(0, claims_of(&self->claims, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_UNCLAIMED, &claim));
	if (variant->back) {
		ASSERT_EQ(0, COMMIT(fd, mr_move(5, BASE + 0x2000)));
	}
	for (i = 0; i < ARRAY_SIZE(later); i++) {
		ASSERT_EQ(0, ioeventfd(vm->fd, later[i], 4, efd, 0));
		EXPECT_EQ(0, guest_write(vm, later[i]));
		EXPECT_EQ(1, signals(efd));
	}
	ASSERT_EQ(0, mr_detach(fd, vm->fd));
	for (i = 0; i < ARRAY_SIZE(later); i++) {
		EXPECT_EQ(0, guest_write(vm, later[i]));
		EXPECT_EQ(1, signals(efd));
	}
	close(efd);
}

/* What others have at the top, and what no range should be. */
TEST_F(claims, ranges_of_nonsense)
{
	struct mregion_claim_info claim;
	int efd = new_eventfd();

	ASSERT_EQ(0, vm_add_vcpu(&self->vm));
	ASSERT_EQ(0, ioeventfd(self->vm.fd, -8ull, 4, efd, 0));
	ASSERT_EQ(0, ioeventfd(self->vm.fd, -1ull, 0, efd, 0));
	ASSERT_EQ(0, kvm_zone(self->vm.fd, -0x1000ull, 0x2000, false));
	ASSERT_EQ(0, kvm_zone(self->vm.fd, BASE + 0x800, ~0u, false));
	ASSERT_EQ(0, kvm_zone(self->vm.fd, BASE + 0x900, 0, false));
	ASSERT_EQ(0, COMMIT(self->fd, mr_create(5, MREGION_RESERVATION, 0x1000),
			    mr_map(5, 1, -0x1000ull, 0)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(2, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_CONFLICT, &claim));
	EXPECT_CLAIM(claim, BASE + 0x800, BASE + 0x800, DEVICE,
		     MREGION_CLAIM_RULES);
	EXPECT_EQ(0, guest_write(&self->vm, BASE));
	EXPECT_EQ(1, mr_ring_waiting(&self->ring));
	/* Without any window there is only the sentinel, among all that. */
	ASSERT_EQ(0, mr_detach(self->fd, self->vm.fd));
	ASSERT_EQ(0, COMMIT(self->fd, mr_unmap(DEVICE)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	EXPECT_EQ(0, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_WINDOW, &claim));
	close(efd);
}

/* Devices of KVM's that come after attaching, of each kind. */
enum later {
	LATER_IOEVENTFD,
	LATER_ANY_LEN,
	LATER_DATAMATCH,
	LATER_ZONE,
};

FIXTURE(later) {
	FIXTURE_DATA(claims) claims;
};

FIXTURE_VARIANT(later) {
	enum later kind;
	bool pio;
};

FIXTURE_VARIANT_ADD(later, ioeventfd) { .kind = LATER_IOEVENTFD, };
FIXTURE_VARIANT_ADD(later, any_length) { .kind = LATER_ANY_LEN, };
FIXTURE_VARIANT_ADD(later, datamatch) { .kind = LATER_DATAMATCH, };
FIXTURE_VARIANT_ADD(later, zone) { .kind = LATER_ZONE, };
FIXTURE_VARIANT_ADD(later, port) { .kind = LATER_IOEVENTFD, .pio = true, };
FIXTURE_VARIANT_ADD(later, port_any_length) {
	.kind = LATER_ANY_LEN, .pio = true,
};
FIXTURE_VARIANT_ADD(later, port_datamatch) {
	.kind = LATER_DATAMATCH, .pio = true,
};
FIXTURE_VARIANT_ADD(later, port_zone) { .kind = LATER_ZONE, .pio = true, };

FIXTURE_SETUP(later)
{
	if (variant->pio && !VM_HAS_PORTS)
		SKIP_CASE(NO_PORTS);
	claims_setup(_metadata, &self->claims, NULL);
}

FIXTURE_TEARDOWN(later)
{
	claims_teardown(_metadata, &self->claims, NULL);
}

static int later_add(struct vm *vm, const FIXTURE_VARIANT(later) *variant,
		     uint64_t addr, int efd)
{
	uint32_t flags = variant->pio ? KVM_IOEVENTFD_FLAG_PIO : 0;

	switch (variant->kind) {
	case LATER_IOEVENTFD:
		return ioeventfd(vm->fd, addr, 4, efd, flags);
	case LATER_ANY_LEN:
		return ioeventfd(vm->fd, addr, 0, efd, flags);
	case LATER_DATAMATCH:
		return ioeventfd(vm->fd, addr, 4, efd,
				 flags | KVM_IOEVENTFD_FLAG_DATAMATCH);
	default:
		return kvm_zone(vm->fd, addr, 4, variant->pio);
	}
}

/* Whether a write got to KVM's device, since the last call. */
static bool later_seen(struct vm *vm, const FIXTURE_VARIANT(later) *variant,
		       int efd)
{
	struct kvm_coalesced_mmio_ring *ring;
	bool seen;

	if (variant->kind != LATER_ZONE)
		return signals(efd);
	ring = (void *)((char *)vm->vcpus[0].run + MR_PAGE *
			ioctl(vm->kvm, KVM_CHECK_EXTENSION,
			      KVM_CAP_COALESCED_MMIO));
	seen = ring->first != ring->last;
	ring->first = ring->last;
	return seen;
}

/* A guest gets to each of the @nr that there are by now, the last one of them new. */
static void later_all_found(struct __test_metadata *_metadata, struct vm *vm,
			    const FIXTURE_VARIANT(later) *variant,
			    const uint64_t *addrs, unsigned int nr, int efd)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		EXPECT_EQ(0, guest_access(vm, variant->pio, addrs[i]));
		EXPECT_TRUE(later_seen(vm, variant, efd)) {
			TH_LOG("%#llx is not found after %#llx",
			       (unsigned long long)addrs[i],
			       (unsigned long long)addrs[nr - 1]);
		}
	}
}

/* All are found outside of windows, and inside once these are renewed. */
TEST_F(later, is_found)
{
	static const uint64_t memory[] = {
		/* below, in the middle, above; beside the device, and not */
		0x40000000 - 0x1000, BASE - 0x10, BASE + 0x2000, BASE + 0x1000,
		0x40000000, 0x40000010, 0x80000000 - 4, 0xc0000000, 0xc0000008,
		0xfe000000,
	};
	static const uint64_t ports[] = {
		0x40, 0x3f0, 0x400, 0x404, 0x500, 0xcf8, 0xff00, 0xfffc,
	};
	const uint64_t *addrs = variant->pio ? ports : memory;
	unsigned int nr = variant->pio ? ARRAY_SIZE(ports) :
					 ARRAY_SIZE(memory);
	uint32_t bus = variant->pio ? MREGION_BUS_PIO : MREGION_BUS_MEMORY;
	uint64_t device = variant->pio ? 0x3f8 : BASE;
	struct vm *vm = &self->claims.vm;
	int fd = self->claims.fd, efd = new_eventfd();
	unsigned int i, outside = 0;

	ASSERT_EQ(0, vm_add_vcpu(vm));
	/* Windows in the first and third GiB of memory, and on all ports. */
	ASSERT_EQ(0, COMMIT(fd, mr_mmio(5, 0x1000),
			    mr_map(5, 1, 2 * UNIT + 0x1000, 0)));
	ASSERT_EQ(0, mr_attach(fd, vm->fd, SPACE, PIO, NULL));
	for (i = 0; i < nr; i++) {
		bool inside = variant->pio || addrs[i] < UNIT ||
			      addrs[i] / UNIT == 2;

		ASSERT_EQ(0, later_add(vm, variant, addrs[i], efd));
		if (inside) {
			ASSERT_LE(0, mr_claims(fd, vm->fd, bus,
					       MREGION_CLAIMS_RENEW, NULL,
					       0));
		} else {
			outside++;
		}
		later_all_found(_metadata, vm, variant, addrs, i + 1, efd);
		/* And so is ours. */
		EXPECT_EQ(0, mr_ring_waiting(&self->claims.ring));
		EXPECT_EQ(0, guest_access(vm, variant->pio, device));
		EXPECT_EQ(1, mr_ring_waiting(&self->claims.ring));
		self->claims.ring.header->consumer =
				self->claims.ring.header->producer;
	}
	EXPECT_EQ(nr - outside, windows_changed(fd));
	close(efd);
}

/* Those inside are found even before, where no rule of ours is for the access. */
TEST_F(later, is_found_in_windows)
{
	static const uint64_t memory[] = {
		BASE - 0x10, BASE + 0x10, BASE + 0x2000, BASE + 0x14,
		0x1000000, 0x1000008, 0x40000000 - 4, BASE + 0x20,
	};
	static const uint64_t ports[] = {
		0x3fc, 0x3f0, 0x400, 0x404, 0x500, 0xcf8, 0xfffc, 0x10,
	};
	const uint64_t *addrs = variant->pio ? ports : memory;
	uint32_t region = variant->pio ? PORTS : DEVICE;
	struct mregion_op space = mr_space(SPACE, 1);
	struct vm *vm = &self->claims.vm;
	int fd = self->claims.fd, efd = new_eventfd();
	unsigned int i;

	/* Also where a policy of ours would answer. The guest ends by a port. */
	space.code = MREGION_OP_SPACE_SET;
	space.space.unassigned = MREGION_POLICY_ONES;
	ASSERT_EQ(0, vm_add_vcpu(vm));
	ASSERT_EQ(0, COMMIT(fd, space, mr_rule_del(region, RING, 0, 0)));
	ASSERT_EQ(0, mr_attach(fd, vm->fd, SPACE, PIO, NULL));
	for (i = 0; i < ARRAY_SIZE(memory); i++) {
		ASSERT_EQ(0, later_add(vm, variant, addrs[i], efd));
		later_all_found(_metadata, vm, variant, addrs, i + 1, efd);
	}
	close(efd);
}

/* One in a window, before that is renewed: it works, and is told. */
TEST_F(later, is_told)
{
	uint64_t addr = variant->pio ? 0x3fc : BASE + 0x80;
	uint32_t bus = variant->pio ? MREGION_BUS_PIO : MREGION_BUS_MEMORY;
	uint32_t region = variant->pio ? PORTS : DEVICE;
	uint64_t last = variant->kind == LATER_ANY_LEN ? addr : addr + 3;
	struct vm *vm = &self->claims.vm;
	int fd = self->claims.fd, efd = new_eventfd();
	struct mregion_claim_info claim;

	ASSERT_EQ(0, vm_add_vcpu(vm));
	/* Where it is, no rule is in its way. */
	ASSERT_EQ(0, COMMIT(fd, mr_rule_del(region, RING, 0, 0),
			    mr_rule_add(region, RING, 0, variant->pio ? 4 :
								0x80)));
	ASSERT_EQ(0, mr_attach(fd, vm->fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, later_add(vm, variant, addr, efd));
	EXPECT_EQ(0, guest_access(vm, variant->pio, addr));
	EXPECT_TRUE(later_seen(vm, variant, efd));
	EXPECT_EQ(1, claims_of(&self->claims, bus, MREGION_CLAIM_CONFLICT,
			       &claim));
	EXPECT_CLAIM(claim, addr, last, region,
		     MREGION_CLAIM_RULES | MREGION_CLAIM_INSIDE);
	ASSERT_LE(0, mr_claims(fd, vm->fd, bus, MREGION_CLAIMS_RENEW, NULL,
			       0));
	EXPECT_EQ(1, claims_of(&self->claims, bus, MREGION_CLAIM_CONFLICT,
			       &claim));
	EXPECT_CLAIM(claim, addr, last, region, MREGION_CLAIM_RULES);
	EXPECT_EQ(0, guest_access(vm, variant->pio, addr));
	EXPECT_TRUE(later_seen(vm, variant, efd));
	close(efd);
}

/* KVM's interrupt controllers and timer, as the last ones to come. */
TEST_F(claims, irqchip_later)
{
#if !VM_HAS_IOAPIC
	SKIP(return, NO_IOAPIC);
#else
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct mregion_claim_info claim;

	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, 0x3000),
			    mr_map(5, 1, 0xfec00000 - 0x1000, 0),
			    mr_rule_add(5, RING, 0, 0), mr_mmio(6, 0x80),
			    mr_map(6, 2, 0, 0), mr_rule_add(6, RING, 0, 0)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	ASSERT_EQ(0, mr_ioctl(self->vm.fd, KVM_CREATE_IRQCHIP, NULL));
	ASSERT_EQ(0, mr_ioctl(self->vm.fd, KVM_CREATE_PIT2, &pit));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm));
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_CONFLICT, &claim));
	EXPECT_CLAIM(claim, 0xfec00000, 0xfec000ff, 5,
		     MREGION_CLAIM_RULES | MREGION_CLAIM_INSIDE);
	/* A controller, the timer, and the speaker's port. */
	EXPECT_EQ(3, claims_of(self, MREGION_BUS_PIO, MREGION_CLAIM_CONFLICT,
			       &claim));
	EXPECT_CLAIM(claim, 0x20, 0x21, 6,
		     MREGION_CLAIM_RULES | MREGION_CLAIM_INSIDE);
	ASSERT_LE(0, mr_claims(self->fd, self->vm.fd, MREGION_BUS_MEMORY,
			       MREGION_CLAIMS_RENEW, NULL, 0));
	ASSERT_LE(0, mr_claims(self->fd, self->vm.fd, MREGION_BUS_PIO,
			       MREGION_CLAIMS_RENEW, NULL, 0));
	/* KVM's have their addresses, and ours the rest. */
	EXPECT_EQ(0, guest_write(&self->vm, 0xfec00000));
	EXPECT_EQ(0, guest_out(&self->vm, 0x40));
	EXPECT_EQ(0, mr_ring_waiting(&self->ring));
	EXPECT_EQ(0, guest_write(&self->vm, 0xfec00000 - 4));
	EXPECT_EQ(0, guest_write(&self->vm, 0xfec00100));
	EXPECT_EQ(0, guest_out(&self->vm, 0x30));
	EXPECT_EQ(3, mr_ring_waiting(&self->ring));
#endif
}

/* The least time that attaching takes, on a machine with other things to do. */
static uint64_t attach_ms(FIXTURE_DATA(claims) *self)
{
	uint64_t least = ~0ull, ms;
	int i;

	for (i = 0; i < 4; i++) {
		ms = mr_cpu_ms();
		if (mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL))
			return ~0ull;
		ms = mr_cpu_ms() - ms;
		least = ms < least ? ms : least;
		mr_detach(self->fd, self->vm.fd);
	}
	return least;
}

/* Many ranges beside many devices of others: each is looked at once. */
TEST_F_TIMEOUT(claims, no_product, 600)
{
	enum { NR = 16000, ZONES = 900 };
	int i, aliases = mr_checking_kernel() ? 1 : 16;
	struct mregion_op *ops = calloc(65536, sizeof(*ops));
	uint32_t nr = 0;
	uint64_t few, many;

	ASSERT_NE(NULL, ops);
	ops[nr++] = mr_container(10, 2 * NR);
	for (i = 0; i < NR; i++) {
		ops[nr++] = mr_flags(mr_ram(100 + i, 1),
				     MREGION_REGION_UNMERGEABLE);
		ops[nr++] = mr_map(100 + i, 10, 2 * i, 0);
	}
	for (i = 0; i < aliases; i++) {
		ops[nr++] = mr_alias(20 + i, 10, 0, 2 * NR);
		ops[nr++] = mr_map(20 + i, 1, 0x60000000 + i * 2 * NR, 0);
	}
	ops[nr++] = mr_mmio(11, 0x1000);
	ops[nr++] = mr_map(11, 1, 0x70000000, 0);
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr));
	few = attach_ms(self);
	ASSERT_NE(~0ull, few);
	for (i = 0; i < ZONES; i++)
		ASSERT_EQ(0, kvm_zone(self->vm.fd, 0x60000000 + i,
				      aliases * 2 * NR + 16, false));
	many = attach_ms(self);
	ASSERT_NE(~0ull, many);
	EXPECT_GT(8 * (few + 10), many);
	free(ops);
}

/* How much of a region nobody has claimed. */
static int unclaimed_of(FIXTURE_DATA(claims) *self, uint32_t region)
{
	int i, found = 0, nr = mr_claims(self->fd, self->vm.fd,
					 MREGION_BUS_MEMORY, 0, self->claims,
					 MAX_CLAIMS);

	for (i = 0; i < nr && i < MAX_CLAIMS; i++)
		found += self->claims[i].kind == MREGION_CLAIM_UNCLAIMED &&
			 self->claims[i].region == region;
	return nr < 0 || nr > MAX_CLAIMS ? -E2BIG : found;
}

/*
 * More windows are wanted than there can be, and all that are to be had lie within
 * those that are there. The bus is left as it is; and a rule for what is left out
 * finds that.
 */
TEST_F(claims, no_room_where_nothing_changes)
{
	enum { UNITS = 600 };
	struct mregion_op *ops = calloc(2 * UNITS, sizeof(*ops));
	uint64_t huge = 1ull << 40, above = 1ull << 45;
	struct mregion_claim_info claim;
	struct mregion_info info;
	uint32_t nr = 0;
	int i;

	ASSERT_NE(NULL, ops);
	ASSERT_EQ(0, mr_info(self->fd, &info));
	ASSERT_LT(UNITS, info.max_windows);
	ASSERT_GT(2 * UNITS, info.max_windows);
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(5, UNITS * UNIT),
			    mr_map(5, 1, huge, 0)));
	ASSERT_EQ(0, mr_attach(self->fd, self->vm.fd, SPACE, PIO, NULL));
	/* Memory in the middle of each. */
	for (i = 0; i < UNITS; i++) {
		ops[nr++] = mr_ram(100 + i, 0x1000);
		ops[nr++] = mr_map(100 + i, 1, huge + UNIT * i + UNIT / 2, 1);
	}
	ASSERT_EQ(0, mr_commit(self->fd, ops, nr));
	ASSERT_EQ(0, COMMIT(self->fd, mr_mmio(6, 0x1000),
			    mr_map(6, 1, above, 0)));
	EXPECT_EQ(0, windows_changed(self->fd));
	EXPECT_EQ(1, claims_of(self, MREGION_BUS_MEMORY,
			       MREGION_CLAIM_UNCLAIMED, &claim));
	EXPECT_CLAIM(claim, above, above + 0xfff, 6, MREGION_CLAIM_POLICY);
	/* What is not done leaves no trace. */
	ASSERT_EQ(0, mr_commit_flags(self->fd,
				     (struct mregion_op[]){ mr_unmap(5) }, 1,
				     MREGION_COMMIT_DRY_RUN, NULL));
	ASSERT_EQ(0, COMMIT(self->fd, mr_rule_add(6, RING, 0, 0)));
	EXPECT_EQ(1, windows_changed(self->fd));
	EXPECT_EQ(0, unclaimed_of(self, 6));
	EXPECT_LT(0, unclaimed_of(self, 5));
	free(ops);
}

TEST_HARNESS_MAIN
