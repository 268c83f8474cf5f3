// SPDX-License-Identifier: GPL-2.0
/*
 * Machine, virtual machine and module go away in every order, with vCPUs
 * writing meanwhile, a thousand times; and nothing is left behind.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "server_util.h"

#define SPACE	1
#define PIO	2
#define RING	1
#define DEVICE	3
#define BASE	0x10000000u
/* Of each way below; a kernel that checks all it does takes longer for one. */
#define CYCLES	(mr_checking_kernel() ? 40 : 120)
#define SECONDS	300

/* A whole VMM: a machine, attached to a virtual machine whose vCPU writes. */
struct vmm {
	struct vm vm;
	struct mr_ring ring;
	pthread_t thread;
	bool running;
	bool stop;
	unsigned long exits;
	int error;
	int eventfd;
	int fd;
};

static void wake(int signal)
{
	(void)signal;
}

static void *run_vcpu(void *arg)
{
	struct vmm *vmm = arg;
	struct vcpu *vcpu = &vmm->vm.vcpus[0];
	int reason;

	while (!__atomic_load_n(&vmm->stop, __ATOMIC_ACQUIRE)) {
		reason = vcpu_run(vcpu);
		if (reason == -EINTR)
			continue;
		if (reason != KVM_EXIT_MMIO) {
			vmm->error = reason;
			break;
		}
		__atomic_add_fetch(&vmm->exits, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The ring must not stay full, or nothing is to be seen of its rule. */
static uint32_t produced(struct vmm *vmm)
{
	uint32_t producer = __atomic_load_n(&vmm->ring.header->producer,
					    __ATOMIC_ACQUIRE);

	__atomic_store_n(&vmm->ring.header->consumer, producer,
			 __ATOMIC_RELEASE);
	return producer;
}

static int vmm_attach(struct vmm *vmm)
{
	int err = vm_create(&vmm->vm, 1);

	if (!err)
		err = GUEST_RUN(&vmm->vm.vcpus[0], mmio_forever, .addr = BASE);
	if (!err)
		err = mr_attach(vmm->fd, vmm->vm.fd, SPACE, PIO, NULL);
	return err;
}

static int vmm_create(struct vmm *vmm)
{
	int err;

	memset(vmm, 0, sizeof(*vmm));
	vmm->vm.fd = vmm->vm.kvm = -1;
	vmm->fd = mr_open();
	if (vmm->fd < 0)
		return vmm->fd;
	/* Wake-ups by number and by time are due when it all ends. */
	vmm->eventfd = new_eventfd();
	err = mr_ring_create(vmm->fd, RING, 64, vmm->eventfd, 8, 500,
			     &vmm->ring);
	if (!err)
		err = COMMIT(vmm->fd, mr_container(1, 0), mr_mmio(DEVICE, 0x1000),
			     mr_map(DEVICE, 1, BASE, 0), mr_mmio(4, 0x10000),
			     mr_rule_add(DEVICE, RING, 0, 0),
			     mr_space(SPACE, 1), mr_pio_space(PIO, 4));
	if (!err)
		err = vmm_attach(vmm);
	return err;
}

static int vmm_run(struct vmm *vmm)
{
	int err;

	vmm->stop = false;
	err = -pthread_create(&vmm->thread, NULL, run_vcpu, vmm);
	vmm->running = !err;
	return err;
}

static void vmm_stop(struct vmm *vmm)
{
	if (!vmm->running)
		return;
	__atomic_store_n(&vmm->stop, true, __ATOMIC_RELEASE);
	vmm->vm.vcpus[0].run->immediate_exit = 1;
	pthread_kill(vmm->thread, SIGUSR1);
	pthread_join(vmm->thread, NULL);
	vmm->running = false;
}

static void vmm_close_machine(struct vmm *vmm)
{
	if (vmm->fd >= 0)
		close(vmm->fd);
	vmm->fd = -1;
}

static void vmm_free(struct vmm *vmm)
{
	vmm_stop(vmm);
	vm_free(&vmm->vm);
	vmm_close_machine(vmm);
	if (vmm->ring.header) {
		mr_ring_unmap(&vmm->ring);
		close(vmm->eventfd);
	}
	vmm->ring.header = NULL;
}

/* Wait until the guest has written into the ring. */
static bool writes_coalesce(struct vmm *vmm)
{
	uint64_t deadline = mr_now_ms() + MR_PATIENCE_MS;
	uint32_t before = produced(vmm);

	while (mr_now_ms() < deadline) {
		if (produced(vmm) - before >= 2)
			return true;
		usleep(100);
	}
	return false;
}

/* Wait until its writes exit, and see that none is in the ring any more. */
static bool writes_exit(struct vmm *vmm)
{
	unsigned long exits = __atomic_load_n(&vmm->exits, __ATOMIC_ACQUIRE);
	uint64_t deadline = mr_now_ms() + MR_PATIENCE_MS;
	uint32_t before = produced(vmm);

	while (mr_now_ms() < deadline) {
		if (__atomic_load_n(&vmm->exits, __ATOMIC_ACQUIRE) - exits >= 3)
			return produced(vmm) == before;
		usleep(100);
	}
	return false;
}

static long read_number(const char *path, const char *key)
{
	char line[256];
	long value = -1;
	FILE *file = fopen(path, "r");

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, key, strlen(key))) {
			value = atol(line + strlen(key));
			break;
		}
	}
	fclose(file);
	return value;
}

FIXTURE(lifetime) {
	long references;
	struct vmm vmm;
};

FIXTURE_SETUP(lifetime)
{
	struct sigaction action = { .sa_handler = wake };

	sigaction(SIGUSR1, &action, NULL);
	self->references = mr_module_references();
	self->vmm.fd = -1;
}

/* Whatever the test did, the module is nobody's afterwards. */
FIXTURE_TEARDOWN(lifetime)
{
	vmm_free(&self->vmm);
	EXPECT_TRUE(mr_until(mr_module_references() == self->references));
}

#define FOR_CYCLES(vmm) \
	for (int __i = 0; __i < CYCLES; __i++, vmm_free(vmm))

TEST_F_TIMEOUT(lifetime, machine_goes_first, SECONDS)
{
	struct vmm *vmm = &self->vmm;

	FOR_CYCLES(vmm) {
		ASSERT_EQ(0, vmm_create(vmm));
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		vmm_close_machine(vmm);
		ASSERT_TRUE(writes_exit(vmm));
		ASSERT_EQ(0, vmm->error);
	}
}

TEST_F_TIMEOUT(lifetime, virtual_machine_goes_first, SECONDS)
{
	struct vmm *vmm = &self->vmm;

	FOR_CYCLES(vmm) {
		ASSERT_EQ(0, vmm_create(vmm));
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		/* The vCPU keeps it alive a little longer. */
		close(vmm->vm.fd);
		vmm->vm.fd = -1;
		vmm_stop(vmm);
		vm_free(&vmm->vm);
		ASSERT_EQ(0, COMMIT(vmm->fd, mr_move(DEVICE, 2 * BASE)));
	}
}

TEST_F_TIMEOUT(lifetime, detached_and_attached_again, SECONDS)
{
	struct vmm *vmm = &self->vmm;

	ASSERT_EQ(0, vmm_create(vmm));
	ASSERT_EQ(0, vmm_run(vmm));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_TRUE(writes_coalesce(vmm));
		ASSERT_EQ(0, mr_detach(vmm->fd, vmm->vm.fd));
		ASSERT_TRUE(writes_exit(vmm));
		ASSERT_EQ(0, mr_attach(vmm->fd, vmm->vm.fd, SPACE, PIO, NULL));
	}
	ASSERT_EQ(0, vmm->error);
}

/* A machine outlives many virtual machines. */
TEST_F_TIMEOUT(lifetime, many_virtual_machines, SECONDS)
{
	struct vmm *vmm = &self->vmm;

	ASSERT_EQ(0, vmm_create(vmm));
	for (int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		vmm_stop(vmm);
		vm_free(&vmm->vm);
		ASSERT_EQ(0, vmm_attach(vmm));
	}
}

/* The VMM is killed at any point of its life. */
TEST_F_TIMEOUT(lifetime, killed, SECONDS)
{
	unsigned int seed = 42;
	int i, status, pipefd[2];
	char byte;
	pid_t pid;

	for (i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, pipe(pipefd));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct vmm vmm;

			close(pipefd[0]);
			/* Either while it begins, or when it runs. */
			if (i % 2 && write(pipefd[1], "b", 1) != 1)
				_exit(1);
			if (vmm_create(&vmm) || vmm_run(&vmm) ||
			    !writes_coalesce(&vmm))
				_exit(2);
			if (write(pipefd[1], "r", 1) != 1)
				_exit(3);
			for (;;) {
				COMMIT(vmm.fd, mr_move(DEVICE, 2 * BASE));
				COMMIT(vmm.fd, mr_move(DEVICE, BASE));
				produced(&vmm);
			}
		}
		close(pipefd[1]);
		ASSERT_EQ(1, read(pipefd[0], &byte, 1));
		close(pipefd[0]);
		usleep(rand_r(&seed) % (i % 2 ? 20000 : 3000));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("the VMM failed, status %#x", status);
		}
	}
}

/*
 * Descriptors that another process has, too: the machine lives on in the one,
 * the VMM that had attached it is dead.
 */
TEST_F_TIMEOUT(lifetime, machine_outlives_its_process, SECONDS)
{
	int i, fd, status;
	pid_t pid;

	for (i = 0; i < 40; i++) {
		fd = mr_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, COMMIT(fd, mr_container(1, 0),
				    mr_mmio(DEVICE, 0x1000), mr_mmio(4, 0x1000),
				    mr_map(DEVICE, 1, BASE, 0),
				    mr_space(SPACE, 1), mr_pio_space(PIO, 4)));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct vmm vmm = { .fd = fd };

			if (vmm_attach(&vmm) || vmm_run(&vmm))
				_exit(1);
			usleep(1000);
			kill(getpid(), SIGKILL);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, COMMIT(fd, mr_move(DEVICE, 2 * BASE)));
		ASSERT_EQ(0, COMMIT(fd, mr_space_free(SPACE)));
		close(fd);
	}
}

/* The VMM forks: the child has the descriptors, and nothing else goes wrong. */
TEST_F_TIMEOUT(lifetime, child_keeps_descriptors, SECONDS)
{
	struct vmm *vmm = &self->vmm;
	int i, status;
	pid_t pid;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, vmm_create(vmm));
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			usleep(5000);
			_exit(0);
		}
		vmm_free(vmm);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
	}
}

/* The module stays as long as anybody needs it, and goes when nobody does. */
TEST_F(lifetime, unload_refused)
{
	struct vmm *vmm = &self->vmm;
	struct mr_ring ring;
	int fd, err;

	if (geteuid())
		SKIP(return, "only root unloads modules");
	fd = mr_open();
	ASSERT_LE(0, fd);
	err = mr_module_unload();
	if (err == -EPERM || err == -ENOSYS || err == -ENOENT) {
		close(fd);
		SKIP(return, "modules cannot be unloaded here: %s",
		     strerror(-err));
	}
	EXPECT_EQ(-EAGAIN, err);
	/* A ring's descriptor needs the module, too, and so does its mapping. */
	ASSERT_EQ(0, mr_ring_create(fd, RING, 16, -1, 0, 0, &ring));
	close(fd);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	close(ring.fd);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	EXPECT_EQ(16, ring.header->nr_entries);
	munmap(ring.header, ring.bytes);

	ASSERT_EQ(0, vmm_create(vmm));
	ASSERT_EQ(0, vmm_run(vmm));
	ASSERT_TRUE(writes_coalesce(vmm));
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	vmm_stop(vmm);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
	vm_free(&vmm->vm);
	EXPECT_EQ(-EAGAIN, mr_module_unload());
}

TEST_F_TIMEOUT(lifetime, unload_and_load, SECONDS)
{
	const char *path = getenv("MREGION_KO");
	struct vmm *vmm = &self->vmm;
	int i;

	if (!path)
		SKIP(return, "MREGION_KO does not name the module's file");
	if (mr_module_references())
		SKIP(return, "somebody else uses the module");
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, vmm_create(vmm));
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		vmm_free(vmm);
		ASSERT_EQ(0, mr_module_unload());
		EXPECT_EQ(-ENOENT, mr_open());
		ASSERT_EQ(0, mr_module_load(path));
	}
}

/* ---- Memory ------------------------------------------------------------ */

/*
 * What the kernel has: objects of each of its caches, and pages that are none
 * of a cache's.
 */
#define MAX_CACHES	512

struct memory {
	unsigned int nr;
	struct {
		char name[48];
		long objects;
	} cache[MAX_CACHES];
	long pages;
};

/*
 * Mappings of the kernel's that are in use. Objects of the cache vmap_area are not:
 * many that are not used any more are kept until they are enough to bother.
 */
static long mappings(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "r");
	char line[512];
	long nr = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		nr += !strstr(line, "unpurged");
	fclose(file);
	return nr;
}

/* Whether caches can be read. */
static bool memory_read(struct memory *memory)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];

	memset(memory, 0, sizeof(*memory));
	if (!file)
		return false;
	while (memory->nr < MAX_CACHES && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%47s %ld", memory->cache[memory->nr].name,
			   &memory->cache[memory->nr].objects) != 2)
			continue;
		if (!strcmp(memory->cache[memory->nr].name, "vmap_area"))
			memory->cache[memory->nr].objects = mappings();
		memory->nr++;
	}
	fclose(file);
	memory->pages = (read_number("/proc/meminfo", "VmallocUsed:") +
			 read_number("/proc/meminfo", "Percpu:")) / 4;
	return memory->nr;
}

static long *memory_of(struct memory *memory, const char *name)
{
	unsigned int i;

	for (i = 0; i < memory->nr; i++)
		if (!strcmp(memory->cache[i].name, name))
			return &memory->cache[i].objects;
	return NULL;
}

/*
 * The least of everything that is seen for a while: what has been freed may be
 * there until a grace period is over, and more so if it is another's.
 */
static bool memory_at_rest(struct memory *memory)
{
	struct memory now;
	unsigned int i, j;
	long *objects;

	usleep(500000);
	if (!memory_read(memory))
		return false;
	for (i = 0; i < 10; i++) {
		usleep(100000);
		if (!memory_read(&now))
			return false;
		for (j = 0; j < now.nr; j++) {
			objects = memory_of(memory, now.cache[j].name);
			if (objects && now.cache[j].objects < *objects)
				*objects = now.cache[j].objects;
		}
		if (now.pages < memory->pages)
			memory->pages = now.pages;
	}
	return true;
}

/* Whether something has grown by nearly one a cycle, in both of two times. */
static bool grows(long first, long second, long third, long cycles)
{
	return second - first > cycles * 3 / 4 &&
	       third - second > cycles * 3 / 4;
}

/*
 * Of what cycles take, an object each would be seen, of any cache. They are so
 * many that what the caches keep for themselves is less; and what there is by
 * chance does not grow twice as much.
 */
static void no_memory_is_lost(struct __test_metadata *_metadata,
			      void (*cycle)(struct __test_metadata *_metadata,
					    unsigned int i),
			      unsigned int cycles)
{
	static struct memory memory[3];
	unsigned int i, time;

	if (mr_checking_kernel())
		SKIP(return, "kmemleak does it better here");
	if (getenv("MREGION_BRIEF"))
		SKIP(return, "objects are counted on one kernel");
	if (!memory_read(&memory[0]))
		SKIP(return, "/proc/slabinfo cannot be read");
	for (i = 0; i < cycles / 4; i++)
		cycle(_metadata, i);
	for (time = 0; time < 3; time++) {
		ASSERT_TRUE(memory_at_rest(&memory[time]));
		for (i = 0; i < cycles && time < 2; i++)
			cycle(_metadata, i);
	}
	for (i = 0; i < memory[0].nr; i++) {
		const char *name = memory[0].cache[i].name;
		long *second = memory_of(&memory[1], name);
		long *third = memory_of(&memory[2], name);
		long first = memory[0].cache[i].objects;

		if (!second || !third)
			continue;
		EXPECT_FALSE(grows(first, *second, *third, cycles)) {
			TH_LOG("%s: %ld objects, %ld after %u cycles, %ld after as many more",
			       name, first, *second, cycles, *third);
		}
	}
	EXPECT_FALSE(grows(memory[0].pages, memory[1].pages, memory[2].pages,
			   cycles)) {
		TH_LOG("%ld pages, %ld after %u cycles, %ld after as many more",
		       memory[0].pages, memory[1].pages, cycles,
		       memory[2].pages);
	}
}

/* Of a whole VMM, that ends in one of two orders. */
static void vmm_cycle(struct __test_metadata *_metadata, unsigned int i)
{
	struct vmm vmm;

	ASSERT_EQ(0, vmm_create(&vmm));
	ASSERT_EQ(0, vmm_run(&vmm));
	ASSERT_TRUE(writes_coalesce(&vmm));
	if (i % 2)
		vmm_close_machine(&vmm);
	vmm_free(&vmm);
}

TEST_F_TIMEOUT(lifetime, no_memory_is_lost, SECONDS)
{
	no_memory_is_lost(_metadata, vmm_cycle, 150);
}

/* ... and of a machine with one of everything that it can have. */
static void machine_cycle(struct __test_metadata *_metadata, unsigned int i)
{
	int fd = mr_open(), efd = new_eventfd();
	struct mregion_rule notify = shadow_rule(0x40, 8, MREGION_RULE_WRITE |
						 MREGION_RULE_NOTIFY, 1, 0);
	struct mregion_access access;
	struct mr_server server;
	struct mr_shadow shadow;
	struct mr_ring ring;

	notify.eventfd = efd;
	ASSERT_EQ(0, mr_ring_create(fd, RING, 4, efd, 1, 100, &ring));
	ASSERT_EQ(0, mr_shadow_create(fd, 1, 64, &shadow));
	ASSERT_EQ(0, mr_server_create(fd, 1, 1, 0, 1000, &server));
	ASSERT_EQ(0, COMMIT(fd, mr_container(1, 0), mr_mmio(DEVICE, 0x1000),
			    mr_map(DEVICE, 1, BASE, 0), mr_mmio(4, 0x1000),
			    mr_map(4, 1, 2 * BASE, 0), mr_alias(5, 4, 0, 16),
			    mr_map(5, 1, 3 * BASE, 0),
			    mr_rule_add(DEVICE, RING, 0, 8),
			    RULE_ADD(DEVICE, bell(0x20, 8, efd)),
			    RULE_ADD(DEVICE, notify),
			    mr_set_server(4, 1), mr_space(SPACE, 1)));
	ASSERT_EQ(0, mr_write(fd, SPACE, BASE, 4, i, &access));
	ASSERT_EQ(0, mr_write(fd, SPACE, BASE + 0x20, 4, i, &access));
	ASSERT_EQ(0, mr_write(fd, SPACE, BASE + 0x40, 4, i, &access));
	/* A commit that fails has taken as much. */
	ASSERT_EQ(-EEXIST, COMMIT(fd, mr_mmio(6, 16), mr_map(6, 1, 0, 0),
				  RULE_ADD(DEVICE, bell(0x80, 8, efd)),
				  mr_space(2, 1), mr_space(SPACE, 1)));
	if (i % 2) {
		/* In an order of its own, and not as the machine ends. */
		ASSERT_EQ(0, COMMIT(fd, mr_unmap(DEVICE), mr_free(DEVICE),
				    mr_set_server(4, 0)));
		ASSERT_EQ(0, mr_ring_free(fd, RING));
		ASSERT_EQ(0, mr_shadow_free(fd, 1));
		ASSERT_EQ(0, mr_server_free(fd, 1));
	} else {
		/* The server has not answered, and is dead. */
		ASSERT_EQ(0, mr_read(fd, SPACE, 2 * BASE, 4, &access));
	}
	mr_ring_unmap(&ring);
	mr_shadow_unmap(&shadow);
	close(efd);
	if (i % 3)
		mr_server_close(&server);
	close(fd);
	mr_server_close(&server);
}

TEST_F_TIMEOUT(lifetime, no_object_is_lost, SECONDS)
{
	no_memory_is_lost(_metadata, machine_cycle, 600);
}

TEST_HARNESS_MAIN
