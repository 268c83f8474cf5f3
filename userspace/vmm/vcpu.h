/* SPDX-License-Identifier: MIT */
/* The vCPUs, a thread each */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "wiring.h"

struct kvm;
struct kvm_run;
struct mregion_vm;

/** struct vcpu_exits - how often KVM_RUN returned, by its reason */
struct vcpu_exits {
	uint64_t mmio;
	uint64_t pio;
	uint64_t halt;
	uint64_t other;
};

struct vcpu {
	struct vcpus *all;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
	bool in_run;			/* in KVM_RUN, or about to be */
	bool parked;			/* waits for a pause to end, or has ended */
	struct vcpu_exits exits;	/* written by its thread alone */
};

struct vcpus {
	struct kvm *kvm;
	struct mregion_vm *vm;		/* set before vcpus_start() */
	struct end_line end;
	atomic_bool stop;
	pthread_mutex_t lock;		/* of @pauses, and of .in_run */
	pthread_cond_t changed;		/* one of these has */
	unsigned int pauses;		/* none enters KVM_RUN while there are any */
	unsigned int nr;
	struct vcpu *vcpu;
};

/** vcpus_create() - create @nr vCPUs; reports what is wrong */
int vcpus_create(struct vcpus *vcpus, struct kvm *kvm, unsigned int nr,
		 struct end_line end);

/** vcpus_start() - let them run; reports what is wrong */
int vcpus_start(struct vcpus *vcpus);

/** vcpus_stop() - ask them to end soon; any thread, also a vCPU's */
void vcpus_stop(struct vcpus *vcpus);

/**
 * vcpus_pause() - have all leave KVM_RUN, until vcpus_resume(); any thread
 *
 * Exits that their threads are at go on. Pauses add up.
 */
void vcpus_pause(struct vcpus *vcpus);

/** vcpus_park() - the same, and wait until no exit is gone on with; no vCPU's thread */
void vcpus_park(struct vcpus *vcpus);
void vcpus_resume(struct vcpus *vcpus);

/** vcpus_join() - after vcpus_stop(): wait until all have ended */
void vcpus_join(struct vcpus *vcpus);

/** vcpus_destroy() - close them; none runs any more */
void vcpus_destroy(struct vcpus *vcpus);

/** vcpus_count() - the exits of all; after vcpus_join() */
struct vcpu_exits vcpus_count(const struct vcpus *vcpus);

#endif /* VMM_VCPU_H */
