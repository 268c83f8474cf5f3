// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <mregion.h>

#include "kvm.h"
#include "report.h"
#include "vcpu.h"
#include "vcpu_board.h"

/* Wakes a thread from KVM_RUN; immediate_exit does what there is to do. */
#define SIGNAL_KICK		SIGUSR2

/* Between two kicks of a thread that has not ended yet */
#define KICK_NSEC		10000000

static void kicked(int signal)
{
	(void)signal;
}

int vcpu_failed(const struct vcpu *vcpu, const char *what)
{
	report("vCPU %u: %s: %s", vcpu->index, what, strerror(errno));
	return -errno;
}

static int vcpu_create(struct vcpu *vcpu, unsigned int index)
{
	struct kvm *kvm = vcpu->all->kvm;
	void *run;

	vcpu->index = index;
	vcpu->fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return vcpu_failed(vcpu, "KVM_CREATE_VCPU");

	run = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu->fd, 0);
	if (run == MAP_FAILED)
		return vcpu_failed(vcpu, "mmap");
	vcpu->run = run;

	return vcpu_reset(vcpu);
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
	enum machine_end why;
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
		vcpu_print_registers(vcpu);
		return END_TRIPLE_FAULT;
	case KVM_EXIT_INTERNAL_ERROR:
		internal_error(vcpu);
		vcpu_print_registers(vcpu);
		return END_FAILED;
	case KVM_EXIT_FAIL_ENTRY:
		report("vCPU %u: the processor refused to enter the guest, reason 0x%llx",
		       vcpu->index,
		       run->fail_entry.hardware_entry_failure_reason);
		vcpu_print_registers(vcpu);
		return END_FAILED;
	default:
		if (vcpu_exit_of_board(vcpu, &why))
			return why;
		report("vCPU %u: KVM exits for a reason unknown here, %u",
		       vcpu->index, run->exit_reason);
		vcpu_print_registers(vcpu);
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
			vcpu_failed(vcpu, "KVM_RUN");
			vcpu_print_registers(vcpu);
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
			return vcpu_failed(vcpu, "cannot start its thread");
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
