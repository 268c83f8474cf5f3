// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with memory and registers that are there in system management mode (SMM) only:
 * the slots of KVM's address space 1, their log, and exits, by the library.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <mregion.h>

#define PAGE		4096u
#define LOW_LEN		0x10000u
#define CODE		0x1000u
#define SMRAM		0x30000u	/* both spaces have other memory there */
#define SMRAM_LEN	0x10000u
#define SECRET		0x60000u	/* registers in SMM alone */
#define SECRET_AWAY	0x70000u
#define EXTRA		0x80000u	/* memory in SMM alone */
#define EXTRA_AWAY	0x98000u
#define EXTRA_LEN	0x8000u
#define SLOTS		8u
#define FIRST_SLOT	3u
#define RING_BYTES	(4096u * 16)

/* What handler and code leave behind. */
#define MARK		0x2000u		/* in SMRAM */
#define RESULTS		0x3000u
#define STATE_PAGE	(0xfe00u / PAGE)
#define LOW_WORD	0x4000u

/* edi: SECRET's address; esi: EXTRA's. */
asm(".pushsection .rodata\n"
	"smm_handler: .code16\n"
	"	movl $0x30000, %ebx\n"
	"	movl (%ebx), %eax\n"		/* what SMM has there */
	"	movl %eax, 0x3000(%ebx)\n"
	"	movl (%edi), %eax\n"		/* answered in the kernel */
	"	movl %eax, 0x3004(%ebx)\n"
	"	movl 0x10(%edi), %eax\n"	/* exits */
	"	movl %eax, 0x3008(%ebx)\n"
	"	movl %eax, 0x20(%edi)\n"	/* rings */
	"	movl $0x5a5a, 0x5004(%esi)\n"
	"	movl $0x4000, %edx\n"
	"	incl (%edx)\n"			/* the same memory in both modes */
	"	incl 0x2000(%ebx)\n"
	"	rsm\n"
	"smm_handler_end:\n"
	"smm_code:\n"
	"	movl $0x30000, %ebx\n"
	"	movl $0x1111, (%ebx)\n"
	"	movl 0x2000(%ebx), %ecx\n"	/* no mark is seen */
	"	movl (%edi), %edx\n"		/* nothing is there */
	"	movl 0x5004(%esi), %esi\n"
	"	hlt\n"
	"smm_code_end: .code64\n"
	".popsection\n");

extern const uint8_t smm_handler[], smm_handler_end[], smm_code[], smm_code_end[];

struct device {
	unsigned int reads;
	unsigned int others;		/* not by a vCPU in SMM */
	struct mregion_space *smm;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	const struct mregion_current *current = mregion_current();
	struct device *device = opaque;

	(void)len;
	device->reads++;
	if (current->space != device->smm || current->vcpu ||
	    current->source != MREGION_FROM_VCPU)
		device->others++;
	return 0xabc00 + offset;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;

	(void)offset;
	(void)data;
	(void)len;
	device->others++;
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 4 },
};

FIXTURE(smm)
{
	struct mregion_machine *machine;
	struct mregion_region *root, *smm_root, *ports, *low, *video, *smram,
			      *secret, *extra;
	struct mregion_space *memory, *smm, *pio;
	struct mregion_attach_params params;
	struct mregion_vm *vm;
	struct device device;
	unsigned int pauses;

	int kvm, vm_fd, vcpu_fd, bell;
	struct kvm_run *run;
	size_t run_size;
};

FIXTURE_VARIANT(smm)
{
	uint32_t ring_bytes;
};

FIXTURE_VARIANT_ADD(smm, bitmap) { };
FIXTURE_VARIANT_ADD(smm, ring) { .ring_bytes = RING_BYTES };

static void pause_vcpus(void *opaque)
{
	FIXTURE_DATA(smm) *self = opaque;

	self->pauses++;
}

static void resume_vcpus(void *opaque)
{
	(void)opaque;
}

/* SMM sees all that others do, with SMRAM and registers of its own over it. */
static void make_map(struct __test_metadata *_metadata, FIXTURE_DATA(smm) *self)
{
	struct mregion_machine *machine = self->machine;
	struct mregion_doorbell bell = {
		.offset = 0x20, .len = 4, .eventfd = self->bell,
	};
	struct mregion_shadow *shadow = mregion_new_shadow(machine, PAGE);
	struct mregion_region *all;

	ASSERT_NE(NULL, shadow);
	*(uint32_t *)mregion_shadow_ptr(shadow) = 0x7777;
	mregion_begin(machine);
	self->root = mregion_new_container(machine, "memory", 0);
	self->smm_root = mregion_new_container(machine, "smm", 0);
	self->ports = mregion_new_container(machine, "ports", 0x10000);
	self->low = mregion_new_ram(machine, MREGION_RAM, "low", LOW_LEN);
	self->video = mregion_new_ram(machine, MREGION_RAM, "video", SMRAM_LEN);
	self->smram = mregion_new_ram(machine, MREGION_RAM, "smram", SMRAM_LEN);
	self->extra = mregion_new_ram(machine, MREGION_RAM, "extra", EXTRA_LEN);
	self->secret = mregion_new_mmio(machine, "secret", 0x1000, &device_ops,
					&self->device);
	all = mregion_new_alias(machine, "all", self->root, 0, MREGION_WHOLE);
	mregion_map(self->root, self->low, 0, 0);
	mregion_map(self->root, self->video, SMRAM, 0);
	mregion_map(self->smm_root, all, 0, 0);
	mregion_map(self->smm_root, self->smram, SMRAM, 1);
	mregion_map(self->smm_root, self->secret, SECRET, 1);
	mregion_map(self->smm_root, self->extra, EXTRA, 1);
	mregion_add_shadow(self->secret, 0, 4, shadow, 0, MREGION_RULE_READ, -1);
	mregion_add_doorbell(self->secret, &bell);
	self->memory = mregion_new_space(machine, MREGION_BUS_MEMORY, self->root,
					 MREGION_POLICY_DEFAULT);
	self->smm = mregion_new_space(machine, MREGION_BUS_MEMORY,
				      self->smm_root, MREGION_POLICY_DEFAULT);
	self->pio = mregion_new_space(machine, MREGION_BUS_PIO, self->ports,
				      MREGION_POLICY_DEFAULT);
	ASSERT_EQ(0, mregion_commit(machine))
		TH_LOG("%s", mregion_error());
	self->device.smm = self->smm;
}

FIXTURE_SETUP(smm)
{
	memset(self, 0, sizeof(*self));
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->kvm);
	self->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->bell);
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	self->vm_fd = ioctl(self->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, self->vm_fd);
	make_map(_metadata, self);
	self->params = (struct mregion_attach_params){
		.vm_fd = self->vm_fd,
		.memory = self->memory,
		.pio = self->pio,
		.smm = self->smm,
		.first_slot = FIRST_SLOT,
		.nr_slots = SLOTS,
		.pause = pause_vcpus,
		.resume = resume_vcpus,
		.opaque = self,
		.dirty_ring_bytes = variant->ring_bytes,
	};
	memcpy((uint8_t *)mregion_ram_ptr(self->low) + CODE, smm_code,
	       smm_code_end - smm_code);
	memcpy((uint8_t *)mregion_ram_ptr(self->smram) + 0x8000, smm_handler,
	       smm_handler_end - smm_handler);
	*(uint32_t *)mregion_ram_ptr(self->smram) = 0x2222;
}

FIXTURE_TEARDOWN(smm)
{
	mregion_machine_close(self->machine);
	if (self->run)
		munmap(self->run, self->run_size);
	close(self->vcpu_fd);
	close(self->vm_fd);
	close(self->bell);
	close(self->kvm);
}

/* Attached, with a vCPU whose data segment has 4 GiB, as SMM's has. */
static void attach(struct __test_metadata *_metadata, FIXTURE_DATA(smm) *self)
{
	struct kvm_sregs sregs;

	self->vm = mregion_attach(self->machine, &self->params);
	ASSERT_NE(NULL, self->vm)
		TH_LOG("%s", mregion_error());
	self->vcpu_fd = ioctl(self->vm_fd, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, self->vcpu_fd);
	ASSERT_EQ(0, mregion_vm_add_vcpu(self->vm, 0, self->vcpu_fd));
	self->run_size = ioctl(self->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	self->run = mmap(NULL, self->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, self->vcpu_fd, 0);
	ASSERT_NE(MAP_FAILED, self->run);
	ASSERT_EQ(0, ioctl(self->vcpu_fd, KVM_GET_SREGS, &sregs));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = 0;
	sregs.ds.selector = 0;
	sregs.ds.limit = ~0u;
	sregs.ds.g = 1;
	ASSERT_EQ(0, ioctl(self->vcpu_fd, KVM_SET_SREGS, &sregs));
}

/* The handler, if @smi, and then the code. Return: 0, or where it went astray. */
static int run(FIXTURE_DATA(smm) *self, bool smi, uint32_t secret, uint32_t extra,
	       struct kvm_regs *regs)
{
	unsigned int exits = 0;
	int ret;

	*regs = (struct kvm_regs){
		.rip = CODE, .rflags = 2, .rdi = secret, .rsi = extra,
	};
	if (ioctl(self->vcpu_fd, KVM_SET_REGS, regs) ||
	    (smi && ioctl(self->vcpu_fd, KVM_SMI, 0)))
		return -errno;
	while (exits++ < 100) {
		if (ioctl(self->vcpu_fd, KVM_RUN, 0))
			return -errno;
		if (self->run->exit_reason == KVM_EXIT_HLT)
			return ioctl(self->vcpu_fd, KVM_GET_REGS, regs) ?
			       -errno : 0;
		ret = mregion_vm_exit(self->vm, 0, self->run);
		if (ret)
			return ret < 0 ? ret : (int)self->run->exit_reason;
	}
	return -ELOOP;
}

static uint32_t word_of(struct mregion_region *region, uint32_t offset)
{
	return *(volatile uint32_t *)((uint8_t *)mregion_ram_ptr(region) + offset);
}

static uint64_t rung(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

/* What the handler has found out, @times, and that the code has seen nothing of it. */
static void check_run(struct __test_metadata *_metadata, FIXTURE_DATA(smm) *self,
		      const struct kvm_regs *regs, unsigned int times)
{
	EXPECT_EQ(0x2222, word_of(self->smram, RESULTS));
	EXPECT_EQ(0x7777, word_of(self->smram, RESULTS + 4));
	EXPECT_EQ(0xabc10, word_of(self->smram, RESULTS + 8));
	EXPECT_EQ(times, word_of(self->smram, MARK));
	EXPECT_EQ(times, word_of(self->low, LOW_WORD));
	EXPECT_EQ(times, self->device.reads);
	EXPECT_EQ(0, self->device.others);
	EXPECT_EQ(1, rung(self->bell));
	EXPECT_EQ(0x5a5a, word_of(self->extra, 0x5004));

	EXPECT_EQ(0x1111, word_of(self->video, 0));
	EXPECT_EQ(0x2222, word_of(self->smram, 0));
	EXPECT_EQ(0, word_of(self->video, MARK));
	EXPECT_EQ(0, regs->rcx);
	EXPECT_EQ(0xffffffff, regs->rdx);
	EXPECT_EQ(0xffffffff, regs->rsi);
}

TEST_F(smm, modes)
{
	struct kvm_regs regs;
	unsigned int i;

	attach(_metadata, self);
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, run(self, true, SECRET, EXTRA, &regs));
		check_run(_metadata, self, &regs, i);
	}
}

/* Registers and memory that a commit moves in the space for SMM alone. */
TEST_F(smm, moves)
{
	struct mregion_slot before[2 * SLOTS], after[2 * SLOTS];
	struct kvm_regs regs;
	size_t i, nr, same = 0;

	attach(_metadata, self);
	ASSERT_EQ(0, run(self, true, SECRET, EXTRA, &regs));
	check_run(_metadata, self, &regs, 1);
	nr = mregion_vm_slots(self->vm, before, 2 * SLOTS);
	ASSERT_EQ(5, nr);
	memset((uint8_t *)mregion_ram_ptr(self->extra) + 0x5004, 0, 4);
	mregion_begin(self->machine);
	mregion_move(self->secret, SECRET_AWAY);
	mregion_move(self->extra, EXTRA_AWAY);
	ASSERT_EQ(0, mregion_commit(self->machine));
	ASSERT_EQ(0, mregion_vm_slots_error(self->vm));
	ASSERT_EQ(0, run(self, true, SECRET_AWAY, EXTRA_AWAY, &regs));
	check_run(_metadata, self, &regs, 2);

	/* Slots of SMM come last, with KVM's address space in their number. */
	ASSERT_EQ(nr, mregion_vm_slots(self->vm, after, 2 * SLOTS));
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(i >= 2, after[i].slot >> 16);
		EXPECT_LE(FIRST_SLOT, after[i].slot & 0xffff);
		EXPECT_GT(FIRST_SLOT + SLOTS, after[i].slot & 0xffff);
		same += !memcmp(&before[i], &after[i], sizeof(before[i]));
	}
	EXPECT_EQ(4, same);
	EXPECT_EQ(self->low, after[0].region);
	EXPECT_EQ(self->video, after[1].region);
	EXPECT_EQ(self->low, after[2].region);
	EXPECT_EQ(self->smram, after[3].region);
	EXPECT_EQ(self->extra, after[4].region);
	EXPECT_EQ(EXTRA_AWAY, after[4].gpa);
	/* One that there is no room for is not told. */
	after[1].slot = 99;
	EXPECT_EQ(nr, mregion_vm_slots(self->vm, after, 1));
	EXPECT_EQ(99, after[1].slot);
}

#define BIT(page)	(1ull << (page))

/* KVM may tell of pages that were read or executed, and of no others. */
#define EXPECT_PAGES(_log, _written, _read) do {			\
	uint64_t _bits = 0;						\
									\
	mregion_log_take(_log, 0, 16, &_bits);				\
	EXPECT_EQ(_written, _bits & (_written)) {			\
		TH_LOG("%s: %#llx", #_log, (unsigned long long)_bits);	\
	}								\
	EXPECT_EQ(0, _bits & ~((_written) | (_read))) {			\
		TH_LOG("%s: %#llx", #_log, (unsigned long long)_bits);	\
	}								\
} while (0)

/* What was written in SMM is in the logs of its regions, whichever way KVM logs. */
TEST_F(smm, logs)
{
	struct mregion_log *low, *video, *smram, *extra;
	struct kvm_regs regs;
	unsigned int i;

	attach(_metadata, self);
	low = mregion_log_start(self->low);
	video = mregion_log_start(self->video);
	smram = mregion_log_start(self->smram);
	extra = mregion_log_start(self->extra);
	ASSERT_TRUE(low && video && smram && extra)
		TH_LOG("%s", mregion_error());
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, run(self, true, SECRET, EXTRA, &regs));
		check_run(_metadata, self, &regs, i);
		ASSERT_EQ(0, mregion_log_sync(self->machine))
			TH_LOG("%s", mregion_error());
		EXPECT_PAGES(low, BIT(LOW_WORD / PAGE), BIT(CODE / PAGE));
		EXPECT_PAGES(video, BIT(0), BIT(MARK / PAGE));
		EXPECT_PAGES(smram, BIT(MARK / PAGE) | BIT(RESULTS / PAGE) |
			     BIT(STATE_PAGE), BIT(0) | BIT(8));
		EXPECT_PAGES(extra, BIT(5), 0);
		/* Nobody has written since. */
		ASSERT_EQ(0, mregion_log_sync(self->machine));
		EXPECT_PAGES(low, 0, 0);
		EXPECT_PAGES(smram, 0, 0);
	}
	/* Out of SMM nothing of SMM's memory is written. */
	ASSERT_EQ(0, run(self, false, SECRET, EXTRA, &regs));
	ASSERT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_PAGES(low, 0, BIT(CODE / PAGE));
	EXPECT_PAGES(video, BIT(0), BIT(MARK / PAGE));
	EXPECT_PAGES(smram, 0, 0);
	EXPECT_PAGES(extra, 0, 0);

	/* The log of a slot that goes is taken before, with vCPUs paused. */
	ASSERT_EQ(0, run(self, true, SECRET, EXTRA, &regs));
	i = self->pauses;
	ASSERT_EQ(0, mregion_move(self->extra, EXTRA_AWAY));
	EXPECT_EQ(i + 1, self->pauses);
	EXPECT_PAGES(extra, BIT(5), 0);
	ASSERT_EQ(0, run(self, true, SECRET, EXTRA_AWAY, &regs));
	ASSERT_EQ(0, mregion_log_sync(self->machine));
	EXPECT_PAGES(extra, BIT(5), 0);
}

/* The same map in both modes: SMRAM is whatever is there. */
TEST_F(smm, one_space)
{
	struct kvm_regs regs;

	memcpy((uint8_t *)mregion_ram_ptr(self->video) + 0x8000, smm_handler,
	       smm_handler_end - smm_handler);
	self->params.smm = self->memory;
	attach(_metadata, self);
	EXPECT_EQ(4, mregion_vm_slots(self->vm, NULL, 0));
	ASSERT_EQ(0, run(self, true, SECRET, EXTRA, &regs));
	EXPECT_EQ(1, word_of(self->video, MARK));
	EXPECT_EQ(0xffffffff, word_of(self->video, RESULTS + 8));
	EXPECT_EQ(0, self->device.reads);
	EXPECT_EQ(1, regs.rcx);
}

/* Without a space for SMM it has no slots of the library's, and the VMM's stay. */
TEST_F(smm, slots_of_the_vmm)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 1 << 16 | FIRST_SLOT,
		.guest_phys_addr = SMRAM,
		.memory_size = SMRAM_LEN,
		.userspace_addr = (uintptr_t)mregion_ram_ptr(self->smram),
	};

	self->params.smm = NULL;
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot));
	attach(_metadata, self);
	EXPECT_EQ(2, mregion_vm_slots(self->vm, NULL, 0));
	mregion_detach(self->vm);
	slot.memory_size = 0;
	EXPECT_EQ(0, ioctl(self->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot));
}

#define EXPECT_REFUSED(_errno, _text) do {				\
	EXPECT_EQ(NULL, mregion_attach(self->machine, &self->params));	\
	EXPECT_EQ(_errno, errno);					\
	EXPECT_NE(NULL, strstr(mregion_error(), _text)) {		\
		TH_LOG("%s", mregion_error());				\
	}								\
} while (0)

TEST_F(smm, refused)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 1 << 16 | 100,
		.guest_phys_addr = EXTRA,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)mregion_ram_ptr(self->extra),
	};

	self->params.dirty_ring_bytes = 0;
	self->params.smm = self->pio;
	EXPECT_REFUSED(EINVAL, "the space for its memory in SMM is one of ports");
	self->params.smm = self->smm;
	self->params.memory = NULL;
	EXPECT_REFUSED(EINVAL, "there is a space for its memory in SMM, and none");
	self->params.memory = self->memory;
	/* The first space has two ranges of memory, the other one three. */
	self->params.nr_slots = 2;
	EXPECT_REFUSED(ENOSPC, "the view needs 3, and there are 2");
	self->params.nr_slots = SLOTS;
	/* KVM has another slot there, of the VMM's. */
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot));
	EXPECT_REFUSED(EEXIST, "'extra' at 0x80000");
	slot.memory_size = 0;
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot));
	/* None of it has left anything. */
	attach(_metadata, self);
	EXPECT_EQ(-EBUSY, mregion_space_free(self->smm));
	/* A commit is told of slots of SMM, too. */
	slot.memory_size = PAGE;
	slot.guest_phys_addr = EXTRA_AWAY;
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot));
	mregion_machine_set_strict_slots(self->machine, true);
	EXPECT_EQ(-EEXIST, mregion_move(self->extra, EXTRA_AWAY));
	EXPECT_EQ(-EEXIST, mregion_vm_slots_error(self->vm));
	slot.memory_size = 0;
	ASSERT_EQ(0, ioctl(self->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot));
	EXPECT_EQ(0, mregion_move(self->extra, EXTRA));
	EXPECT_EQ(0, mregion_vm_slots_error(self->vm));
}

TEST_HARNESS_MAIN
