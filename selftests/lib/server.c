// SPDX-License-Identifier: GPL-2.0
/*
 * A real guest, of several vCPUs, whose device is served by another process:
 * what it writes and reads gets there once and in order, whatever happens to
 * the server and whatever signals come.
 *
 * The device's state is in memory that the processes share, so that it is the
 * same device wherever its functions are called.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <mregion.h>

#define CODE		0x1000
#define DEVICE		0x20000
#define PORT		0x400
#define NR_VCPUS	3
#define REGISTERS	16
#define SPIN_USECS	50
/* For a test, where the kernel checks everything it does. */
#define SECONDS		120

/* One set of registers for each vCPU: a number to write, and to read back. */
struct counter {
	atomic_uint last;
	atomic_uint reads;
	atomic_uint repeated;
	atomic_uint wrong;
};

struct device {
	struct counter counters[NR_VCPUS];
	/* Calls of the functions, in the VMM and elsewhere. */
	atomic_uint here;
	atomic_uint served;
	/* Who is the VMM, and how slow the device is. */
	pid_t vmm;
	useconds_t delay;
	/* After so many calls elsewhere it hangs there; 0 for never. */
	unsigned int hangs_after;
};

/*
 * Where a server is to be killed in the middle of accesses, it waits for that,
 * so that they are not over before: some are done by then, and some are not.
 */
static void hang(struct device *device, bool done)
{
	if (getpid() == device->vmm || !device->hangs_after ||
	    device->served < device->hangs_after ||
	    (!done && device->served % 2))
		return;
	for (;;)
		pause();
}

static struct counter *called(struct device *device, uint64_t offset)
{
	if (getpid() == device->vmm)
		device->here++;
	else
		device->served++;
	if (device->delay)
		usleep(device->delay);
	hang(device, false);
	return &device->counters[offset / REGISTERS % NR_VCPUS];
}

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int len)
{
	struct counter *counter = called(opaque, offset);

	(void)len;
	counter->reads++;
	return counter->last;
}

static void device_write(void *opaque, uint64_t offset, uint64_t data,
			 unsigned int len)
{
	struct device *device = opaque;
	struct counter *counter = called(device, offset);
	unsigned int last = atomic_exchange(&counter->last, data);

	(void)len;
	if (data == last)
		counter->repeated++;
	else if (data != last + 1)
		counter->wrong++;
	hang(device, true);
}

static const struct mregion_ops device_ops = {
	.read = device_read,
	.write = device_write,
	.constraints = { .valid_max = 4 },
};

FIXTURE(server)
{
	struct mregion_machine *machine;
	struct mregion_region *ram, *mmio, *port;
	struct mregion_space *memory, *pio;
	struct mregion_server *server;
	struct mregion_vm *vm;
	struct device *device;
	int kvm, vm_fd, server_fd;
	pid_t child;
	struct vcpu {
		FIXTURE_DATA(server) *self;
		unsigned int index;
		int fd;
		struct kvm_run *run;
		size_t run_size;
		pthread_t thread;
		unsigned int interrupts;
		atomic_bool done;
		int ret;
	} vcpus[NR_VCPUS];
};

static int new_vcpu(FIXTURE_DATA(server) *self, unsigned int index)
{
	struct vcpu *vcpu = &self->vcpus[index];

	vcpu->self = self;
	vcpu->index = index;
	vcpu->fd = ioctl(self->vm_fd, KVM_CREATE_VCPU, index);
	if (vcpu->fd < 0)
		return -errno;
	vcpu->run_size = ioctl(self->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	return vcpu->run == MAP_FAILED ? -errno : 0;
}

FIXTURE_SETUP(server)
{
	struct mregion_attach_params params = { .nr_slots = 4 };
	struct mregion_region *root, *ports;
	unsigned int i;

	memset(self, 0, sizeof(*self));
	self->device = mmap(NULL, sizeof(*self->device),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->device);
	self->device->vmm = getpid();
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->kvm);
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	self->vm_fd = ioctl(self->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, self->vm_fd);
	for (i = 0; i < NR_VCPUS; i++)
		ASSERT_EQ(0, new_vcpu(self, i));

	mregion_begin(self->machine);
	root = mregion_new_container(self->machine, "memory", 0);
	ports = mregion_new_container(self->machine, "ports", 0x10000);
	self->memory = mregion_new_space(self->machine, MREGION_BUS_MEMORY,
					 root, MREGION_POLICY_DEFAULT);
	self->pio = mregion_new_space(self->machine, MREGION_BUS_PIO, ports,
				      MREGION_POLICY_DEFAULT);
	self->ram = mregion_new_ram(self->machine, MREGION_RAM, "ram",
				    0x10000);
	self->mmio = mregion_new_mmio(self->machine, "mmio", 0x1000,
				      &device_ops, self->device);
	self->port = mregion_new_mmio(self->machine, "port", 0x100,
				      &device_ops, self->device);
	mregion_map(root, self->ram, 0, 0);
	mregion_map(root, self->mmio, DEVICE, 0);
	mregion_map(ports, self->port, PORT, 0);
	ASSERT_EQ(0, mregion_commit(self->machine))
		TH_LOG("%s", mregion_error());
	params.vm_fd = self->vm_fd;
	params.memory = self->memory;
	params.pio = self->pio;
	self->vm = mregion_attach(self->machine, &params);
	ASSERT_NE(NULL, self->vm)
		TH_LOG("%s", mregion_error());
}

static void stop_server(FIXTURE_DATA(server) *self)
{
	if (!self->child)
		return;
	kill(self->child, SIGKILL);
	waitpid(self->child, NULL, 0);
	self->child = 0;
}

FIXTURE_TEARDOWN(server)
{
	unsigned int i;

	stop_server(self);
	mregion_machine_close(self->machine);
	for (i = 0; i < NR_VCPUS; i++) {
		munmap(self->vcpus[i].run, self->vcpus[i].run_size);
		close(self->vcpus[i].fd);
	}
	close(self->vm_fd);
	close(self->kvm);
	munmap(self->device, sizeof(*self->device));
}

static void *serve(void *serving)
{
	mregion_serve(serving, SPIN_USECS);
	return NULL;
}

/* What the server's process does. */
static void run_server(FIXTURE_DATA(server) *self, struct mregion_ring *ring,
		       unsigned int nr_threads)
{
	struct mregion_serving *serving;
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	serving = mregion_serving_open(self->server_fd);
	if (!serving ||
	    mregion_serving_add(serving, mregion_id(self->mmio),
				MREGION_WHOLE, &device_ops,
				self->device) ||
	    mregion_serving_add(serving, mregion_id(self->port),
				MREGION_WHOLE, &device_ops,
				self->device) ||
	    (ring && mregion_serving_add_ring(serving, mregion_ring_fd(ring))))
		_exit(1);
	while (--nr_threads)
		if (pthread_create(&thread, NULL, serve, serving))
			_exit(1);
	_exit(mregion_serve(serving, SPIN_USECS) == -ENODEV ? 0 : 2);
}

/* With no threads, the process lives and answers nothing. */
static int start_server(FIXTURE_DATA(server) *self, uint64_t timeout_usecs,
			struct mregion_ring *ring, unsigned int nr_threads)
{
	int ret;

	self->server = mregion_new_server(self->machine, NR_VCPUS, SPIN_USECS,
					  timeout_usecs, &self->server_fd);
	if (!self->server)
		return -errno;
	ret = mregion_set_server(self->mmio, self->server);
	if (!ret)
		ret = mregion_set_server(self->port, self->server);
	if (!ret && ring)
		ret = mregion_post(self->mmio, 0, 0, ring);
	if (ret)
		return ret;
	self->child = fork();
	if (!self->child) {
		if (nr_threads)
			run_server(self, ring, nr_threads);
		for (;;)
			pause();
	}
	close(self->server_fd);
	return self->child < 0 ? -errno : 0;
}

/* 16-bit code at CODE, with DS at the device, SI at the vCPU's registers. */
static int start(struct vcpu *vcpu, unsigned int rounds)
{
	struct kvm_regs regs = {
		.rip = CODE,
		.rflags = 2,
		.rcx = rounds,
		.rdi = vcpu->index * REGISTERS,
		.rdx = PORT + vcpu->index * REGISTERS,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = DEVICE;
	sregs.ds.selector = DEVICE >> 4;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

/* Until it halts. Return: 0, an errno, or an exit that the library left. */
static void *run_vcpu(void *arg)
{
	struct vcpu *vcpu = arg;
	int ret;

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			ret = -errno;
			vcpu->interrupts++;
			if (ret == -EINTR)
				continue;
			break;
		}
		ret = 0;
		if (vcpu->run->exit_reason == KVM_EXIT_HLT)
			break;
		while ((ret = mregion_vm_exit(vcpu->self->vm, vcpu->index,
					      vcpu->run)) == -EINTR)
			vcpu->interrupts++;
		if (ret) {
			ret = ret < 0 ? ret : (int)vcpu->run->exit_reason;
			break;
		}
	}
	vcpu->ret = ret;
	vcpu->done = true;
	return NULL;
}

static int start_all(FIXTURE_DATA(server) *self, const uint8_t *code,
		     size_t len, unsigned int rounds)
{
	unsigned int i;
	int ret = 0;

	/* The same code is not written again where it may have been translated. */
	if (memcmp((char *)mregion_ram_ptr(self->ram) + CODE, code, len))
		memcpy((char *)mregion_ram_ptr(self->ram) + CODE, code, len);
	for (i = 0; i < NR_VCPUS && !ret; i++) {
		ret = start(&self->vcpus[i], rounds);
		if (!ret)
			ret = -pthread_create(&self->vcpus[i].thread, NULL,
					      run_vcpu, &self->vcpus[i]);
	}
	return ret;
}

static struct kvm_regs regs_of(const struct vcpu *vcpu)
{
	struct kvm_regs regs = { 0 };

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	return regs;
}

/* Counts up, reads back each number, and counts in SI how often it differs. */
static const uint8_t count_mmio[] = {
	0x31, 0xdb,			/* xor %bx, %bx */
	0x31, 0xf6,			/* xor %si, %si */
	0x43,				/* 1: inc %bx */
	0x89, 0x1d,			/* mov %bx, (%di) */
	0x8b, 0x45, 0x04,		/* mov 4(%di), %ax */
	0x39, 0xd8,			/* cmp %bx, %ax */
	0x74, 0x01,			/* je 2f */
	0x46,				/* inc %si */
	0xe2, 0xf3,			/* 2: loop 1b */
	0xf4,				/* hlt */
};

/* The same on ports. */
static const uint8_t count_ports[] = {
	0x31, 0xdb,			/* xor %bx, %bx */
	0x31, 0xf6,			/* xor %si, %si */
	0x43,				/* 1: inc %bx */
	0x89, 0xd8,			/* mov %bx, %ax */
	0xef,				/* out %ax, %dx */
	0x83, 0xc2, 0x04,		/* add $4, %dx */
	0xed,				/* in %dx, %ax */
	0x83, 0xea, 0x04,		/* sub $4, %dx */
	0x39, 0xd8,			/* cmp %bx, %ax */
	0x74, 0x01,			/* je 2f */
	0x46,				/* inc %si */
	0xe2, 0xee,			/* 2: loop 1b */
	0xf4,				/* hlt */
};

/* Writes four numbers before it reads back the last. */
static const uint8_t count_by_four[] = {
	0x31, 0xdb,			/* xor %bx, %bx */
	0x31, 0xf6,			/* xor %si, %si */
	0x43, 0x89, 0x1d,		/* 1: inc %bx; mov %bx, (%di) */
	0x43, 0x89, 0x1d,
	0x43, 0x89, 0x1d,
	0x43, 0x89, 0x1d,
	0x8b, 0x45, 0x04,		/* mov 4(%di), %ax */
	0x39, 0xd8,			/* cmp %bx, %ax */
	0x74, 0x01,			/* je 2f */
	0x46,				/* inc %si */
	0xe2, 0xea,			/* 2: loop 1b */
	0xf4,				/* hlt */
};

/* Wait for all, and look at what each guest and its registers have seen. */
static void finish(struct __test_metadata *_metadata,
		   FIXTURE_DATA(server) *self, unsigned int rounds,
		   unsigned int writes, unsigned int repeats)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		struct vcpu *vcpu = &self->vcpus[i];
		struct counter *counter = &self->device->counters[i];

		pthread_join(vcpu->thread, NULL);
		EXPECT_EQ(0, vcpu->ret);
		EXPECT_EQ(0, regs_of(vcpu).rsi);
		EXPECT_EQ(writes, counter->last);
		EXPECT_EQ(0, counter->wrong);
		EXPECT_GE(repeats, counter->repeated);
		EXPECT_LE(rounds, counter->reads);
		EXPECT_GE(rounds + repeats, counter->reads);
	}
}

/* Counting up from 1 again, also where something was counted before. */
static int start_again(FIXTURE_DATA(server) *self, unsigned int rounds)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		memset(&self->device->counters[i], 0, sizeof(struct counter));
		self->vcpus[i].done = false;
	}
	return start_all(self, count_mmio, sizeof(count_mmio), rounds);
}

static uint64_t outcomes(FIXTURE_DATA(server) *self,
			 enum mregion_outcome outcome)
{
	struct mregion_stats stats = { 0 };

	mregion_stats(self->machine, MREGION_OBJECT_SERVER,
		      mregion_server_id(self->server), &stats);
	return stats.outcomes[outcome];
}

TEST_F_TIMEOUT(server, mmio, SECONDS)
{
	ASSERT_EQ(0, start_server(self, 0, NULL, 2));
	ASSERT_EQ(0, start_all(self, count_mmio, sizeof(count_mmio), 500));
	finish(_metadata, self, 500, 500, 0);
	EXPECT_EQ(0, self->device->here);
	EXPECT_EQ(NR_VCPUS * 1000, self->device->served);
	EXPECT_EQ(NR_VCPUS * 1000, outcomes(self, MREGION_OUTCOME_SERVED));
}

TEST_F_TIMEOUT(server, ports, SECONDS)
{
	ASSERT_EQ(0, start_server(self, 0, NULL, 1));
	ASSERT_EQ(0, start_all(self, count_ports, sizeof(count_ports), 500));
	finish(_metadata, self, 500, 500, 0);
	EXPECT_EQ(0, self->device->here);
}

/* No answer comes while the vCPU spins: the VMM waits, and gets it. */
TEST_F_TIMEOUT(server, slow, SECONDS)
{
	self->device->delay = 1000;
	ASSERT_EQ(0, start_server(self, 0, NULL, NR_VCPUS));
	ASSERT_EQ(0, start_all(self, count_mmio, sizeof(count_mmio), 50));
	finish(_metadata, self, 50, 50, 0);
	EXPECT_EQ(0, self->device->here);
}

/* Reads find everything that was posted before, also in a ring that is full. */
TEST_F_TIMEOUT(server, posted, SECONDS)
{
	struct mregion_ring *ring = mregion_new_ring(self->machine, 8, 0, 0);

	ASSERT_NE(NULL, ring);
	EXPECT_EQ(-EINVAL, mregion_post(self->mmio, 0, 0, ring));
	ASSERT_EQ(0, start_server(self, 0, ring, 2))
		TH_LOG("%s", mregion_error());
	EXPECT_EQ(-EBUSY, mregion_coalesce(self->port, 0, 0, ring));
	ASSERT_EQ(0, start_all(self, count_by_four, sizeof(count_by_four),
			       300));
	finish(_metadata, self, 300, 1200, 0);
	EXPECT_EQ(0, self->device->here);
	EXPECT_GT(NR_VCPUS * 1500, outcomes(self, MREGION_OUTCOME_SERVED));
	EXPECT_EQ(0, mregion_unpost(self->mmio, 0, 0, ring));
}

/*
 * Writes that find the ring full are forwarded. The VMM comes back for them
 * when there may be room again, but must not put them into the ring as well.
 */
TEST_F_TIMEOUT(server, posted_slowly, SECONDS)
{
	struct mregion_ring *ring = mregion_new_ring(self->machine, 4, 0, 0);

	ASSERT_NE(NULL, ring);
	self->device->delay = 200;
	ASSERT_EQ(0, start_server(self, 0, ring, 2));
	ASSERT_EQ(0, start_all(self, count_by_four, sizeof(count_by_four),
			       100));
	finish(_metadata, self, 100, 400, 0);
	EXPECT_EQ(0, self->device->here);
}

static void no_op(int signal)
{
	(void)signal;
}

static bool all_done(FIXTURE_DATA(server) *self)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (!self->vcpus[i].done)
			return false;
	return true;
}

/* Signals, while a slow server is at it, lose nothing and repeat nothing. */
TEST_F_TIMEOUT(server, signals, SECONDS)
{
	struct sigaction action = { .sa_handler = no_op };
	unsigned int i, served, interrupts = 0;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	self->device->delay = 300;
	ASSERT_EQ(0, start_server(self, 0, NULL, 2));
	do {
		ASSERT_EQ(0, start_again(self, 150));
		while (!all_done(self)) {
			served = self->device->served;
			for (i = 0; i < NR_VCPUS; i++)
				pthread_kill(self->vcpus[i].thread, SIGUSR1);
			/* They get on, if slowly. */
			for (i = 0; i < 20 && self->device->served == served;
			     i++)
				usleep(200);
		}
		finish(_metadata, self, 150, 150, 0);
		for (i = 0; i < NR_VCPUS; i++)
			interrupts += self->vcpus[i].interrupts;
	} while (interrupts <= NR_VCPUS);
	EXPECT_EQ(0, self->device->here);
}

/*
 * What the server was at when it died, it may have done or not: the VMM does
 * it. Nothing else is done twice.
 */
static void kill_in_the_middle(struct __test_metadata *_metadata,
			       FIXTURE_DATA(server) *self,
			       struct mregion_ring *ring, unsigned int writes)
{
	self->device->hangs_after = 500;
	ASSERT_EQ(0, start_server(self, 0, ring, 2));
	EXPECT_FALSE(mregion_server_dead(self->server));
	ASSERT_EQ(0, start_all(self, ring ? count_by_four : count_mmio,
			       ring ? sizeof(count_by_four) :
				      sizeof(count_mmio), 400));
	while (self->device->served < 500)
		usleep(100);
	stop_server(self);
	finish(_metadata, self, 400, writes, 1);
	EXPECT_LE(500, self->device->served);
	EXPECT_LT(0, self->device->here);
	EXPECT_TRUE(mregion_server_dead(self->server));
}

/* Also when nobody accesses the device. */
TEST_F_TIMEOUT(server, death_is_told, SECONDS)
{
	struct pollfd told = { .events = POLLIN };

	ASSERT_EQ(0, start_server(self, 0, NULL, 2));
	told.fd = mregion_server_dead_fd(self->server);
	EXPECT_EQ(FD_CLOEXEC, fcntl(told.fd, F_GETFD));
	EXPECT_EQ(0, poll(&told, 1, 0));
	EXPECT_FALSE(mregion_server_dead(self->server));
	stop_server(self);
	EXPECT_EQ(1, poll(&told, 1, 0));
	EXPECT_TRUE(mregion_server_dead(self->server));
	EXPECT_EQ(1, poll(&told, 1, 0));
}

TEST_F_TIMEOUT(server, killed, SECONDS)
{
	kill_in_the_middle(_metadata, self, NULL, 400);
	EXPECT_EQ(-EBUSY, mregion_server_free(self->server));
	EXPECT_EQ(0, mregion_set_server(self->mmio, NULL));
	EXPECT_EQ(0, mregion_set_server(self->port, NULL));
	EXPECT_EQ(0, mregion_server_free(self->server));
}

TEST_F_TIMEOUT(server, killed_while_slow, SECONDS)
{
	self->device->delay = 300;
	kill_in_the_middle(_metadata, self, NULL, 400);
}

TEST_F_TIMEOUT(server, killed_with_posted_writes, SECONDS)
{
	struct mregion_ring *ring = mregion_new_ring(self->machine, 64, 0, 0);

	ASSERT_NE(NULL, ring);
	kill_in_the_middle(_metadata, self, ring, 1600);
}

/* A server that says nothing for too long is dead, too. */
TEST_F_TIMEOUT(server, timeout, SECONDS)
{
	ASSERT_EQ(0, start_server(self, 50000, NULL, 0));
	ASSERT_EQ(0, start_all(self, count_mmio, sizeof(count_mmio), 100));
	finish(_metadata, self, 100, 100, 0);
	EXPECT_EQ(0, self->device->served);
	EXPECT_EQ(NR_VCPUS * 200, self->device->here);
	EXPECT_TRUE(mregion_server_dead(self->server));
}

struct binder {
	FIXTURE_DATA(server) *self;
	atomic_uint nr;
	atomic_bool stop;
	int ret;
};

static void *bind_and_unbind(void *arg)
{
	struct binder *binder = arg;
	FIXTURE_DATA(server) *self = binder->self;

	while (!binder->stop && !binder->ret) {
		binder->ret = mregion_set_server(self->mmio,
						 binder->nr++ & 1 ?
						 self->server : NULL);
		usleep(500);
	}
	return NULL;
}

/* The device moves between the processes while vCPUs access it. */
TEST_F_TIMEOUT(server, rebound, SECONDS)
{
	struct binder binder = { .self = self };
	pthread_t thread;

	self->device->delay = 200;
	ASSERT_EQ(0, start_server(self, 0, NULL, NR_VCPUS));
	ASSERT_EQ(0, pthread_create(&thread, NULL, bind_and_unbind, &binder));
	do {
		ASSERT_EQ(0, start_again(self, 300));
		finish(_metadata, self, 300, 300, 0);
	} while (!binder.ret && (binder.nr <= 10 || !self->device->here ||
				 !self->device->served));
	binder.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, binder.ret);
	EXPECT_LT(10, binder.nr);
	EXPECT_LT(0, self->device->here);
	EXPECT_LT(0, self->device->served);
}

/* Another server takes over, between accesses. */
TEST_F_TIMEOUT(server, replaced, SECONDS)
{
	struct mregion_server *first;

	ASSERT_EQ(0, start_server(self, 0, NULL, 1));
	ASSERT_EQ(0, start_again(self, 200));
	finish(_metadata, self, 200, 200, 0);
	first = self->server;
	stop_server(self);
	ASSERT_EQ(0, start_server(self, 0, NULL, 1));
	EXPECT_EQ(0, mregion_server_free(first));
	ASSERT_EQ(0, start_again(self, 200));
	finish(_metadata, self, 200, 200, 0);
	EXPECT_EQ(0, self->device->here);
}

TEST_F_TIMEOUT(server, dma, SECONDS)
{
	uint32_t value = 1;
	size_t done;

	ASSERT_EQ(0, start_server(self, 0, NULL, 1));
	ASSERT_EQ(0, mregion_space_write(self->memory, DEVICE, &value, 4,
					 &done));
	EXPECT_EQ(4, done);
	value = 0;
	ASSERT_EQ(0, mregion_space_read(self->memory, DEVICE + 4, &value, 4,
					NULL));
	EXPECT_EQ(1, value);
	EXPECT_EQ(2, self->device->served);
	stop_server(self);
	value = 2;
	ASSERT_EQ(0, mregion_space_write(self->memory, DEVICE, &value, 4,
					 NULL));
	EXPECT_EQ(1, self->device->here);
	EXPECT_EQ(2, self->device->counters[0].last);
}

int main(int argc, char **argv)
{
	if (access("/dev/mregion", F_OK))
		ksft_exit_skip("the mregion module is not loaded\n");
	if (access("/dev/kvm", F_OK))
		ksft_exit_skip("there is no /dev/kvm\n");
	return test_harness_run(argc, argv);
}
