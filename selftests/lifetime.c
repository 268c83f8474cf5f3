// SPDX-License-Identifier: GPL-2.0
/*
 * Machine, virtual machine and module go away in every order, with vCPUs
 * writing meanwhile, a thousand times; and nothing is left behind.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "kvm_util.h"

#define SPACE	1
#define PIO	2
#define RING	1
#define DEVICE	3
#define BASE	0x10000000u
#define CYCLES	200	/* of each way below */

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
		err = GUEST_RUN(&vmm->vm.vcpus[0], mmio_forever, .rdi = BASE);
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
	vmm->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
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
	uint64_t deadline = mr_now_ms() + 10000;
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
	uint64_t deadline = mr_now_ms() + 10000;
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

static long module_references(void)
{
	return read_number("/sys/module/mregion/refcnt", "");
}

/* Kernel memory that machines are made of, in KiB. */
static long kernel_memory(void)
{
	return read_number("/proc/meminfo", "SUnreclaim:") +
		read_number("/proc/meminfo", "VmallocUsed:") +
		read_number("/proc/meminfo", "Percpu:");
}

FIXTURE(lifetime) {
	long references;
	struct vmm vmm;
};

FIXTURE_SETUP(lifetime)
{
	struct sigaction action = { .sa_handler = wake };

	sigaction(SIGUSR1, &action, NULL);
	self->references = module_references();
	self->vmm.fd = -1;
}

/* Whatever the test did, the module is nobody's afterwards. */
FIXTURE_TEARDOWN(lifetime)
{
	int i;

	vmm_free(&self->vmm);
	for (i = 0; i < 500 && module_references() != self->references; i++)
		usleep(10000);
	EXPECT_EQ(self->references, module_references());
}

#define FOR_CYCLES(vmm) \
	for (int __i = 0; __i < CYCLES; __i++, vmm_free(vmm))

TEST_F_TIMEOUT(lifetime, machine_goes_first, 120)
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

TEST_F_TIMEOUT(lifetime, virtual_machine_goes_first, 120)
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

TEST_F_TIMEOUT(lifetime, detached_and_attached_again, 120)
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
TEST_F_TIMEOUT(lifetime, many_virtual_machines, 120)
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
TEST_F_TIMEOUT(lifetime, killed, 180)
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
TEST_F_TIMEOUT(lifetime, machine_outlives_its_process, 60)
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
TEST_F_TIMEOUT(lifetime, child_keeps_descriptors, 60)
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
static int unload(void)
{
	return syscall(SYS_delete_module, "mregion", O_NONBLOCK) ? -errno : 0;
}

TEST_F(lifetime, unload_refused)
{
	struct vmm *vmm = &self->vmm;
	struct mr_ring ring;
	int fd, err;

	if (geteuid())
		SKIP(return, "only root unloads modules");
	fd = mr_open();
	ASSERT_LE(0, fd);
	err = unload();
	if (err == -EPERM || err == -ENOSYS || err == -ENOENT) {
		close(fd);
		SKIP(return, "modules cannot be unloaded here: %s",
		     strerror(-err));
	}
	EXPECT_EQ(-EAGAIN, err);
	/* A ring's descriptor needs the module, too, and so does its mapping. */
	ASSERT_EQ(0, mr_ring_create(fd, RING, 16, -1, 0, 0, &ring));
	close(fd);
	EXPECT_EQ(-EAGAIN, unload());
	close(ring.fd);
	EXPECT_EQ(-EAGAIN, unload());
	EXPECT_EQ(16, ring.header->nr_entries);
	munmap(ring.header, ring.bytes);

	ASSERT_EQ(0, vmm_create(vmm));
	ASSERT_EQ(0, vmm_run(vmm));
	ASSERT_TRUE(writes_coalesce(vmm));
	EXPECT_EQ(-EAGAIN, unload());
	vmm_stop(vmm);
	EXPECT_EQ(-EAGAIN, unload());
	vm_free(&vmm->vm);
	EXPECT_EQ(-EAGAIN, unload());
}

TEST_F_TIMEOUT(lifetime, unload_and_load, 60)
{
	const char *path = getenv("MREGION_KO");
	struct vmm *vmm = &self->vmm;
	int i, fd;

	if (!path)
		SKIP(return, "MREGION_KO does not name the module's file");
	if (module_references())
		SKIP(return, "somebody else uses the module");
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, vmm_create(vmm));
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		vmm_free(vmm);
		ASSERT_EQ(0, unload());
		EXPECT_EQ(-ENOENT, mr_open());
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, syscall(SYS_finit_module, fd, "", 0)) {
			TH_LOG("%s: %s", path, strerror(errno));
		}
		close(fd);
	}
	/* Its device node may take a moment. */
	for (i = 0; i < 100 && access(MR_DEVICE, R_OK | W_OK); i++)
		usleep(10000);
	EXPECT_EQ(0, access(MR_DEVICE, R_OK | W_OK));
}

/*
 * After enough cycles to fill every cache of the kernel's, more of them take
 * no more memory: less than a page of each cycle would be seen.
 */
TEST_F_TIMEOUT(lifetime, no_memory_is_lost, 120)
{
	struct vmm *vmm = &self->vmm;
	long before, after;
	int i;

	for (i = 0, before = 0; i < 200; i++) {
		if (i == 100) {
			usleep(500000);
			before = kernel_memory();
		}
		ASSERT_EQ(0, vmm_create(vmm));
		ASSERT_EQ(0, vmm_run(vmm));
		ASSERT_TRUE(writes_coalesce(vmm));
		if (i % 2)
			vmm_close_machine(vmm);
		vmm_free(vmm);
	}
	usleep(500000);
	after = kernel_memory();
	EXPECT_GT(300, after - before) {
		TH_LOG("%ld KiB more after 100 cycles", after - before);
	}
}

TEST_HARNESS_MAIN
