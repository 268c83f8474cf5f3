// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <mregion.h>

#include "boot.h"
#include "cpuid.h"
#include "kvm.h"
#include "layout.h"
#include "report.h"
#include "vcpu.h"

#define MSR_MISC_ENABLE		0x1a0
#define MISC_ENABLE_FAST_STRING	(1u << 0)
#define MSR_MTRR_PHYS_BASE0	0x200
#define MSR_MTRR_PHYS_MASK0	0x201
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_TYPE_UNCACHED	0u
#define MTRR_TYPE_WRITE_BACK	6u
#define MTRR_MASK_VALID		(1u << 11)
#define MTRR_DEF_ENABLED	(1u << 11)

#define CR0_PE			(1u << 0)
#define CR0_ET			(1u << 4)
#define RFLAGS_ALWAYS_ONE	(1u << 1)

/* Wakes a thread from KVM_RUN; immediate_exit does what there is to do. */
#define SIGNAL_KICK		SIGUSR2

/* Between two kicks of a thread that has not ended yet */
#define KICK_NSEC		10000000

static void kicked(int signal)
{
	(void)signal;
}

static int failed(const struct vcpu *vcpu, const char *what)
{
	report("vCPU %u: %s: %s", vcpu->index, what, strerror(errno));
	return -errno;
}

/* Read or write a register, by @request. Returns whether KVM knows it. */
static bool msr_access(struct vcpu *vcpu, unsigned long request,
		       uint32_t index, uint64_t *data)
{
	struct kvm_msrs *msrs;
	bool done;

	msrs = calloc(1, sizeof(*msrs) + sizeof(msrs->entries[0]));
	if (!msrs)
		return false;
	msrs->nmsrs = 1;
	msrs->entries[0].index = index;
	msrs->entries[0].data = *data;
	errno = EINVAL;
	done = ioctl(vcpu->fd, request, msrs) == 1;
	*data = msrs->entries[0].data;
	free(msrs);
	return done;
}

static bool set_msr(struct vcpu *vcpu, uint32_t index, uint64_t data)
{
	return msr_access(vcpu, KVM_SET_MSRS, index, &data);
}

/*
 * What firmware leaves behind: memory is write-back, the upper half of the
 * first 4 GiB, where registers are, is not cached.
 */
static int set_msrs(struct vcpu *vcpu, unsigned int phys_bits)
{
	uint64_t all = phys_bits < 64 ? (1ULL << phys_bits) - 1 : ~0ULL;
	uint64_t misc = 0;

	if (!set_msr(vcpu, MSR_MTRR_PHYS_BASE0,
		     LOW_RAM_MAX | MTRR_TYPE_UNCACHED) ||
	    !set_msr(vcpu, MSR_MTRR_PHYS_MASK0,
		     (all & ~(HIGH_RAM_ADDR - LOW_RAM_MAX - 1)) |
		     MTRR_MASK_VALID) ||
	    !set_msr(vcpu, MSR_MTRR_DEF_TYPE,
		     MTRR_DEF_ENABLED | MTRR_TYPE_WRITE_BACK))
		return failed(vcpu, "cannot set its memory types");

	/* Only a hint that rep movs is fast: do without where it fails. */
	if (msr_access(vcpu, KVM_GET_MSRS, MSR_MISC_ENABLE, &misc))
		set_msr(vcpu, MSR_MISC_ENABLE, misc | MISC_ENABLE_FAST_STRING);
	return 0;
}

static int vcpu_create(struct vcpu *vcpu, unsigned int index)
{
	struct kvm *kvm = vcpu->all->kvm;
	void *run;
	int phys_bits;

	vcpu->index = index;
	vcpu->fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return failed(vcpu, "KVM_CREATE_VCPU");

	run = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu->fd, 0);
	if (run == MAP_FAILED)
		return failed(vcpu, "mmap");
	vcpu->run = run;

	phys_bits = cpuid_set(kvm, vcpu->fd, index, vcpu->all->nr);
	if (phys_bits < 0)
		return phys_bits;
	return set_msrs(vcpu, phys_bits);
}

int vcpus_create(struct vcpus *vcpus, struct kvm *kvm, unsigned int nr,
		 struct end_line end)
{
	struct sigaction action = { .sa_handler = kicked };
	unsigned int i;
	int error = 0;

	if (nr > kvm->max_vcpus) {
		report("%u vCPUs are too many: this host's KVM can do %u", nr,
		       kvm->max_vcpus);
		return -EINVAL;
	}

	/* No SA_RESTART: whatever a thread waits for shall end. */
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGNAL_KICK, &action, NULL) < 0) {
		report("cannot handle a signal: %s", strerror(errno));
		return -errno;
	}

	pthread_mutex_init(&vcpus->lock, NULL);
	pthread_cond_init(&vcpus->changed, NULL);
	vcpus->kvm = kvm;
	vcpus->end = end;
	vcpus->vcpu = calloc(nr, sizeof(*vcpus->vcpu));
	if (!vcpus->vcpu) {
		report("out of memory");
		return -ENOMEM;
	}
	vcpus->nr = nr;
	for (i = 0; i < nr; i++) {
		vcpus->vcpu[i].all = vcpus;
		vcpus->vcpu[i].fd = -1;
		/* until its thread runs, if it ever does */
		vcpus->vcpu[i].parked = true;
	}
	for (i = 0; i < nr && !error; i++)
		error = vcpu_create(&vcpus->vcpu[i], i);
	return error;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

int vcpus_set_entry(struct vcpus *vcpus, uint32_t entry, uint32_t boot_params,
		    uint32_t gdt)
{
	struct vcpu *vcpu = &vcpus->vcpu[0];
	struct kvm_segment data = flat_segment(BOOT_DS, 0x3);
	struct kvm_regs regs = {
		.rip = entry,
		.rsi = boot_params,
		.rflags = RFLAGS_ALWAYS_ONE,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return failed(vcpu, "KVM_GET_SREGS");
	sregs.cs = flat_segment(BOOT_CS, 0xb);
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.gdt.base = gdt;
	sregs.gdt.limit = BOOT_GDT_SIZE - 1;
	sregs.cr0 = CR0_PE | CR0_ET;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return failed(vcpu, "KVM_SET_SREGS");
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return failed(vcpu, "KVM_SET_REGS");
	return 0;
}

static void print_registers(const struct vcpu *vcpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
	    ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
		failed(vcpu, "cannot read its registers");
		return;
	}

	report("  rip %016llx rsp %016llx rflags %08llx", regs.rip, regs.rsp,
	       regs.rflags);
	report("  rax %016llx rbx %016llx rcx %016llx", regs.rax, regs.rbx,
	       regs.rcx);
	report("  rdx %016llx rsi %016llx rdi %016llx", regs.rdx, regs.rsi,
	       regs.rdi);
	report("  rbp %016llx r8  %016llx r9  %016llx", regs.rbp, regs.r8,
	       regs.r9);
	report("  r10 %016llx r11 %016llx r12 %016llx", regs.r10, regs.r11,
	       regs.r12);
	report("  r13 %016llx r14 %016llx r15 %016llx", regs.r13, regs.r14,
	       regs.r15);
	report("  cr0 %016llx cr2 %016llx cr3 %016llx", sregs.cr0, sregs.cr2,
	       sregs.cr3);
	report("  cr4 %016llx efer %016llx cs %04x base %016llx", sregs.cr4,
	       sregs.efer, sregs.cs.selector, sregs.cs.base);
}

static void internal_error(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	switch (run->internal.suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		report("vCPU %u: KVM cannot emulate an instruction",
		       vcpu->index);
		break;
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		report("vCPU %u: KVM met simultaneous exceptions",
		       vcpu->index);
		break;
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		report("vCPU %u: KVM failed to deliver an event",
		       vcpu->index);
		break;
	default:
		report("vCPU %u: KVM internal error %u", vcpu->index,
		       run->internal.suberror);
	}
}

static void count_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		vcpu->exits.pio++;
		break;
	case KVM_EXIT_MMIO:
		vcpu->exits.mmio++;
		break;
	case KVM_EXIT_HLT:
		vcpu->exits.halt++;
		break;
	default:
		vcpu->exits.other++;
	}
}

/* Why the machine has to end after this exit, if it has to. */
static enum machine_end vcpu_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int error;

	count_exit(vcpu);
	/* Exits of all kinds, for what the guest wrote before comes first. */
	do {
		error = mregion_vm_exit(vcpu->all->vm, vcpu->index, run);
	} while (error == -EINTR && !atomic_load(&vcpu->all->stop));
	/*
	 * Interrupted: the machine ends. An error of the guest: there are no
	 * machine checks here, and it has been answered.
	 */
	if (error == 0 || error == -EINTR || error == -EFAULT)
		return END_NONE;
	if (error < 0) {
		report("vCPU %u: cannot resolve an access: %s", vcpu->index,
		       mregion_error());
		return END_FAILED;
	}

	switch (run->exit_reason) {
	case KVM_EXIT_HLT:
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return END_NONE;
	case KVM_EXIT_SHUTDOWN:
		report("vCPU %u: triple fault", vcpu->index);
		print_registers(vcpu);
		return END_TRIPLE_FAULT;
	case KVM_EXIT_INTERNAL_ERROR:
		internal_error(vcpu);
		print_registers(vcpu);
		return END_FAILED;
	case KVM_EXIT_FAIL_ENTRY:
		report("vCPU %u: the processor refused to enter the guest, reason 0x%llx",
		       vcpu->index,
		       run->fail_entry.hardware_entry_failure_reason);
		print_registers(vcpu);
		return END_FAILED;
	default:
		report("vCPU %u: KVM exits for a reason unknown here, %u",
		       vcpu->index, run->exit_reason);
		print_registers(vcpu);
		return END_FAILED;
	}
}

/* KVM_RUN, while there is no pause. Sets errno, as ioctl() does: EINTR at the end. */
static int vcpu_run(struct vcpu *vcpu)
{
	struct vcpus *vcpus = vcpu->all;
	int ret, error;

	pthread_mutex_lock(&vcpus->lock);
	vcpu->parked = true;
	if (vcpus->pauses)
		pthread_cond_broadcast(&vcpus->changed);
	while (vcpus->pauses && !atomic_load(&vcpus->stop))
		pthread_cond_wait(&vcpus->changed, &vcpus->lock);
	vcpu->parked = false;
	vcpu->in_run = !atomic_load(&vcpus->stop);
	/* that of the last pause */
	vcpu->run->immediate_exit = 0;
	pthread_mutex_unlock(&vcpus->lock);
	if (!vcpu->in_run) {
		errno = EINTR;
		return -1;
	}

	ret = ioctl(vcpu->fd, KVM_RUN, 0);
	error = errno;
	pthread_mutex_lock(&vcpus->lock);
	vcpu->in_run = false;
	if (vcpus->pauses)
		pthread_cond_broadcast(&vcpus->changed);
	pthread_mutex_unlock(&vcpus->lock);
	errno = error;
	return ret;
}

static void *vcpu_thread(void *opaque)
{
	struct vcpu *vcpu = opaque;
	struct vcpus *vcpus = vcpu->all;
	enum machine_end why;

	while (!atomic_load(&vcpus->stop)) {
		if (vcpu_run(vcpu) < 0) {
			/* A kick; or the start of a vCPU that waited for it. */
			if (errno == EINTR || errno == EAGAIN)
				continue;
			failed(vcpu, "KVM_RUN");
			print_registers(vcpu);
			end_line_pull(&vcpus->end, END_FAILED);
			break;
		}

		why = vcpu_exit(vcpu);
		if (why != END_NONE) {
			end_line_pull(&vcpus->end, why);
			break;
		}
	}
	pthread_mutex_lock(&vcpus->lock);
	vcpu->parked = true;
	pthread_cond_broadcast(&vcpus->changed);
	pthread_mutex_unlock(&vcpus->lock);
	return NULL;
}

int vcpus_start(struct vcpus *vcpus)
{
	unsigned int i;
	int error;

	for (i = 0; i < vcpus->nr; i++) {
		struct vcpu *vcpu = &vcpus->vcpu[i];

		error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
		if (error) {
			errno = error;
			return failed(vcpu, "cannot start its thread");
		}
		vcpu->started = true;
	}
	return 0;
}

void vcpus_stop(struct vcpus *vcpus)
{
	pthread_mutex_lock(&vcpus->lock);
	atomic_store(&vcpus->stop, true);
	pthread_cond_broadcast(&vcpus->changed);
	pthread_mutex_unlock(&vcpus->lock);
}

/* For how long one may sleep until a thread is kicked once more. */
static void kick_time(clockid_t clock, struct timespec *until)
{
	clock_gettime(clock, until);
	until->tv_nsec += KICK_NSEC;
	if (until->tv_nsec >= 1000000000) {
		until->tv_nsec -= 1000000000;
		until->tv_sec++;
	}
}

/*
 * The flag is seen by a thread on its way to KVM_RUN, the signal by one in it,
 * and immediate_exit by one between the two.
 */
static void vcpu_kick(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vcpu->thread, SIGNAL_KICK);
}

/* Kick all that are in KVM_RUN. Return: whether any is. */
static bool kick_running(struct vcpus *vcpus)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < vcpus->nr; i++) {
		if (!vcpus->vcpu[i].in_run)
			continue;
		vcpu_kick(&vcpus->vcpu[i]);
		any = true;
	}
	return any;
}

static bool all_parked(const struct vcpus *vcpus)
{
	unsigned int i;

	for (i = 0; i < vcpus->nr; i++)
		if (!vcpus->vcpu[i].parked)
			return false;
	return true;
}

static void begin_pause(struct vcpus *vcpus, bool park)
{
	struct timespec until;

	pthread_mutex_lock(&vcpus->lock);
	vcpus->pauses++;
	while (kick_running(vcpus) || (park && !all_parked(vcpus))) {
		kick_time(CLOCK_REALTIME, &until);
		pthread_cond_timedwait(&vcpus->changed, &vcpus->lock, &until);
	}
	pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_pause(struct vcpus *vcpus)
{
	begin_pause(vcpus, false);
}

void vcpus_park(struct vcpus *vcpus)
{
	begin_pause(vcpus, true);
}

void vcpus_resume(struct vcpus *vcpus)
{
	pthread_mutex_lock(&vcpus->lock);
	vcpus->pauses--;
	pthread_cond_broadcast(&vcpus->changed);
	pthread_mutex_unlock(&vcpus->lock);
}

/* Whether it has ended, within a few milliseconds. */
static bool vcpu_joined(struct vcpu *vcpu)
{
	struct timespec until;

	kick_time(CLOCK_MONOTONIC, &until);
	return !pthread_clockjoin_np(vcpu->thread, NULL, CLOCK_MONOTONIC,
				      &until);
}

/*
 * A thread on its way from the flag to where it waits for a server takes the
 * signal in between, without effect: so it is kicked until it has ended.
 */
void vcpus_join(struct vcpus *vcpus)
{
	unsigned int i;

	for (i = 0; i < vcpus->nr; i++)
		if (vcpus->vcpu[i].started)
			vcpu_kick(&vcpus->vcpu[i]);
	for (i = 0; i < vcpus->nr; i++) {
		struct vcpu *vcpu = &vcpus->vcpu[i];

		while (vcpu->started && !vcpu_joined(vcpu))
			vcpu_kick(vcpu);
		vcpu->started = false;
	}
}

void vcpus_destroy(struct vcpus *vcpus)
{
	unsigned int i;

	for (i = 0; i < vcpus->nr; i++) {
		struct vcpu *vcpu = &vcpus->vcpu[i];

		if (vcpu->run)
			munmap(vcpu->run, vcpus->kvm->run_size);
		if (vcpu->fd >= 0)
			close(vcpu->fd);
	}
	free(vcpus->vcpu);
	vcpus->vcpu = NULL;
	vcpus->nr = 0;
}

struct vcpu_exits vcpus_count(const struct vcpus *vcpus)
{
	struct vcpu_exits sum = {};
	unsigned int i;

	for (i = 0; i < vcpus->nr; i++) {
		const struct vcpu_exits *exits = &vcpus->vcpu[i].exits;

		sum.mmio += exits->mmio;
		sum.pio += exits->pio;
		sum.halt += exits->halt;
		sum.other += exits->other;
	}
	return sum;
}
