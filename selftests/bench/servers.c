// SPDX-License-Identifier: GPL-2.0
/*
 * Round trips: a guest reads a register of a device that is in another process.
 *
 * Rounds of the ways alternate, so that whatever else the machine does hits all
 * alike. On two processors the vCPU has one and the device the other.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kvm_util.h"

#include "bench.h"
#include "output.h"
#include "peer.h"

#define ROUNDS		21
#define READS		50		/* a round */
#define ADDR		0x40000000ull
#define STEP		0x1000ull
#define SPIN_USECS	200

#define ID_SPACE	1
#define ID_ROOT		1
#define ID_SERVER	1

enum trip { TRIP_EXIT, TRIP_SOCKET, TRIP_SERVER, NR_TRIPS };

static const char *const names[] = {
	[TRIP_EXIT] = "exit to a VMM that answers itself",
	[TRIP_SOCKET] = "exit to a VMM that asks over a socket",
	[TRIP_SERVER] = "server",
};

static const char *const columns[] = {
	"way", "ns", "least", "most", "VMM calls", "peer calls", "switches",
	NULL
};

/**
 * struct trips - a way, and what became of its rounds
 * @counts: of the other process
 * @peer: its process ID, or 0
 * @ns: of an access, by round
 * @calls: system calls of the VMM
 * @switches: context switches of both
 */
struct trips {
	struct peer_counts *counts;
	pid_t peer;
	double ns[ROUNDS];
	uint64_t calls;
	uint64_t switches;
};

static struct trips trips[NR_TRIPS];
static struct vm vm;
static int machine, server, sockets[2];

static void must(int err, const char *what)
{
	if (err < 0)
		die("%s: %s", what, strerror(-err));
}

static void setup(void)
{
	struct mregion_server_create create = {
		.size = sizeof(create),
		.id = ID_SERVER,
		.nr_slots = 4,
		.spin_usecs = SPIN_USECS,
		.eventfd = -1,
	};
	struct mregion_op set = mr_op(MREGION_OP_SET_SERVER,
				      2 + TRIP_SERVER);
	int i;

	set.set_server.server = ID_SERVER;
	bench_keep_vm();
	must(vm_create(&vm, 1), "creating a virtual machine");
	machine = mr_open();
	must(machine, MR_DEVICE);
	must(mr_ioctl(machine, MREGION_SERVER_CREATE, &create),
	     "MREGION_SERVER_CREATE");
	server = create.fd;
	must(COMMIT(machine, mr_container(ID_ROOT, 0)), "MREGION_COMMIT");
	for (i = 0; i < NR_TRIPS; i++)
		must(COMMIT(machine, mr_mmio(2 + i, STEP),
			    mr_map(2 + i, ID_ROOT, ADDR + STEP * i, 0)),
		     "MREGION_COMMIT");
	must(COMMIT(machine, set, mr_space(ID_SPACE, ID_ROOT)),
	     "MREGION_COMMIT");
	must(mr_attach(machine, vm.fd, ID_SPACE, 0, NULL), "MREGION_ATTACH");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		die("socketpair: %s", strerror(errno));
}

static void start_peer(struct trips *trip, enum trip which)
{
	trip->counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trip->counts == MAP_FAILED)
		die("out of memory");
	if (which == TRIP_EXIT)
		return;
	trip->peer = fork();
	if (trip->peer < 0)
		die("fork: %s", strerror(errno));
	if (trip->peer)
		return;
	bench_pin(1);
	/* else the machine and the socket would live on with this process */
	close(machine);
	close(sockets[0]);
	if (which == TRIP_SERVER)
		peer_server(server, trip->counts);
	else
		peer_socket(sockets[1], trip->counts);
	_exit(0);
}

/* Context switches of a process so far. */
static uint64_t switches(pid_t pid)
{
	unsigned long long value, sum = 0;
	char line[128];
	FILE *file;

	if (!pid)
		return 0;
	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	file = fopen(line, "r");
	if (!file)
		die("%s: %s", line, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &value) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %llu",
			   &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

/* The value of a read that has exited. */
static uint32_t complete(struct trips *trip, enum trip which)
{
	struct kvm_run *run = vm.vcpus[0].run;
	struct peer_message message = {
		.head = { 0, 9, PEER_REQUEST_SIZE, 0 },
		.offset = run->mmio.phys_addr % STEP,
		.count = run->mmio.len,
	};
	struct mregion_access access = {
		.size = sizeof(access),
		.space = ID_SPACE,
		.addr = run->mmio.phys_addr,
		.len = run->mmio.len,
		.vcpu = 0,
		.vm_fd = vm.fd,
	};
	int err;

	switch (which) {
	case TRIP_EXIT:
		return peer_value(trip->counts->served++);
	case TRIP_SOCKET:
		trip->calls += 2;
		if (write(sockets[0], &message, PEER_REQUEST_SIZE) !=
		    PEER_REQUEST_SIZE ||
		    read(sockets[0], &message, sizeof(message)) !=
		    sizeof(message))
			die("socket: %s", strerror(errno));
		return message.data;
	default:
		/* the vCPU has spun for long enough: wait in its place */
		do {
			trip->calls++;
			err = mr_ioctl(machine, MREGION_ACCESS, &access);
		} while (err == -EINTR);
		must(err, "MREGION_ACCESS");
		if (!access.handled)
			die("the server is dead");
		return access.data;
	}
}

static double do_round(struct trips *trip, enum trip which)
{
	uint64_t before = switches(getpid()) + switches(trip->peer);
	uint64_t served = trip->counts->served, begin, end;
	struct vcpu *vcpu = &vm.vcpus[0];
	struct guest_regs regs;
	uint32_t sum = 0, value;
	int reason, i;

	GUEST_RUN(vcpu, sum_reads, .addr = ADDR + STEP * which, .end = READS);
	begin = bench_now();
	for (;;) {
		trip->calls++;
		reason = vcpu_run(vcpu);
		if (reason == VCPU_ENDED)
			break;
		if (reason != KVM_EXIT_MMIO || vcpu->run->mmio.is_write)
			die("a vCPU exits for reason %d", reason);
		value = complete(trip, which);
		memcpy(vcpu->run->mmio.data, &value, sizeof(value));
	}
	end = bench_now();
	trip->switches += switches(getpid()) + switches(trip->peer) - before;

	/* the device was asked once for each read, and heard */
	must(vcpu_regs(vcpu, &regs), "a vCPU's registers");
	for (i = 0; i < READS; i++)
		sum += peer_value(served + i);
	if (trip->counts->served != served + READS || regs.count != sum)
		die("%s: reads were lost or repeated", names[which]);
	return (double)(end - begin) / READS;
}

static void report(struct trips *trip, enum trip which)
{
	double all = (double)ROUNDS * READS;
	struct bench_sample sample;

	bench_sort(trip->ns, ROUNDS, &sample);
	output_text(names[which]);
	output_number(sample.median, 0);
	output_number(sample.least, 0);
	output_number(sample.most, 0);
	output_number(trip->calls / all, 2);
	output_number(trip->counts->calls / all, 2);
	output_number(trip->switches / all, 2);
}

void bench_servers(void)
{
	int i, which, status;

	output_part("servers", bench_two_cpus() ?
		    "Round trips to another process on another processor" :
		    "Round trips to another process on the same processor",
		    columns);
	setup();
	for (which = 0; which < NR_TRIPS; which++)
		start_peer(&trips[which], which);
	close(server);
	close(sockets[1]);
	bench_pin(0);
	for (which = 0; which < NR_TRIPS; which++) {
		do_round(&trips[which], which);
		trips[which].calls = trips[which].switches = 0;
		trips[which].counts->calls = 0;
	}
	for (i = 0; i < ROUNDS; i++)
		for (which = 0; which < NR_TRIPS; which++)
			trips[which].ns[i] = do_round(&trips[which], which);
	for (which = 0; which < NR_TRIPS; which++)
		report(&trips[which], which);
	vm_free(&vm);
	close(machine);
	close(sockets[0]);
	for (which = 0; which < NR_TRIPS; which++)
		if (trips[which].peer &&
		    (waitpid(trips[which].peer, &status, 0) < 0 || status))
			die("%s: the other process failed", names[which]);
}
