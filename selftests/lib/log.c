// SPDX-License-Identifier: GPL-2.0
/*
 * Logs of written pages, with guests: each page whose bytes have changed is in each log,
 * and no other is, whoever wrote it, by which address, and what became of the map
 * meanwhile. Every write is of a value that was not written before, so that pages
 * tell themselves whether they were written.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/kvm.h>

#include <mregion.h>

#include "../random_util.h"

#define PAGE		4096u
#define VCPUS		2
#define ROUNDS		40
#define SLOTS		24
#define RING_BYTES	(1024 * sizeof(struct kvm_dirty_gfn))

/* Where regions are; guests run without paging. */
#define CODE		0x1000u
#define CODE_PAGES	16u
#define LIST(vcpu)	(0x4000u + 0x4000u * (vcpu))
#define LIST_LEN	300u
#define MAIN		0x100000u
#define MAIN_PAGES	256u
#define ALIAS		0x400000u
#define WINDOW		0x800000u
#define WINDOW_LEN	0x100000u
#define BAR_PAGES	32u
#define EXTRA		0xa00000u
#define EXTRA_PAGES	96u
#define DONE_PORT	0x10u

/* The regions that are logged, and watched. */
enum { WATCH_CODE, WATCH_MAIN, WATCH_BAR, WATCH_EXTRA, NR_WATCHED };

static const unsigned int nr_pages[NR_WATCHED] = {
	CODE_PAGES, MAIN_PAGES, BAR_PAGES, EXTRA_PAGES,
};

/*
 * esi: a list of addresses, ended by 0; ebx: the value to write next, of which both
 * halves change each time, as a write may end in another page. Writes it to each
 * address, and then says so at the port.
 */
static const uint8_t code[] = {
	0xad,			/* 0: lods eax, [esi] */
	0x85, 0xc0,		/* 1: test eax, eax */
	0x74, 0x0a,		/* 3: jz 15 */
	0x89, 0x18,		/* 5: mov [eax], ebx */
	0x81, 0xc3, 4, 0, 4, 0,	/* 7: add ebx, STEP */
	0xeb, 0xf1,		/* 13: jmp 0 */
	0xe6, DONE_PORT,	/* 15: out DONE_PORT, al */
	0xeb, 0xed,		/* 17: jmp 0 */
};

/* The two low bits of each half tell who writes. */
#define STEP		0x00040004u
#define WRITER(n)	((n) * 0x00010001u)

struct vcpu {
	struct vmm *vmm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool in_run;
	bool failed;
	uint32_t value;
};

struct vmm {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int paused;
	struct vcpu vcpu[VCPUS];
	struct mregion_vm *vm;
};

FIXTURE(log)
{
	struct mregion_machine *machine;
	struct mregion_region *root, *alias, *window, *hole, *small;
	struct mregion_region *watched[NR_WATCHED];
	struct mregion_space *memory;
	uint8_t *before[NR_WATCHED];
	struct mregion_log *first[NR_WATCHED], *second[NR_WATCHED];
	struct vmm vmm;
	struct prng prng;
	uint64_t seed;
	int kvm, vm_fd;
	size_t run_size;
	uint32_t dma_value;
	uint32_t extra_pages;
	struct mregion_mirror *mirror;
	bool extra_mapped, hole_mapped, small_mapped;
};

FIXTURE_VARIANT(log)
{
	uint32_t ring_bytes;
	bool huge;
};

FIXTURE_VARIANT_ADD(log, bitmap)
{
	.huge = true,
};

FIXTURE_VARIANT_ADD(log, ring)
{
	.ring_bytes = RING_BYTES,
};

static void kicked(int signal)
{
	(void)signal;
}

static void pause_vcpus(void *opaque)
{
	struct vmm *vmm = opaque;
	struct timespec until;
	bool running;
	int i;

	pthread_mutex_lock(&vmm->lock);
	vmm->paused++;
	do {
		running = false;
		for (i = 0; i < VCPUS; i++) {
			if (!vmm->vcpu[i].in_run)
				continue;
			running = true;
			__atomic_store_n(&vmm->vcpu[i].run->immediate_exit, 1,
					 __ATOMIC_SEQ_CST);
			pthread_kill(vmm->vcpu[i].thread, SIGUSR1);
		}
		if (!running)
			break;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 10000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&vmm->changed, &vmm->lock, &until);
	} while (running);
	pthread_mutex_unlock(&vmm->lock);
}

static void resume_vcpus(void *opaque)
{
	struct vmm *vmm = opaque;

	pthread_mutex_lock(&vmm->lock);
	vmm->paused--;
	pthread_cond_broadcast(&vmm->changed);
	pthread_mutex_unlock(&vmm->lock);
}

static int run_once(struct vcpu *vcpu)
{
	struct vmm *vmm = vcpu->vmm;
	int ret;

	pthread_mutex_lock(&vmm->lock);
	while (vmm->paused)
		pthread_cond_wait(&vmm->changed, &vmm->lock);
	vcpu->in_run = true;
	pthread_mutex_unlock(&vmm->lock);
	ret = ioctl(vcpu->fd, KVM_RUN, 0) ? -errno : 0;
	pthread_mutex_lock(&vmm->lock);
	vcpu->in_run = false;
	vcpu->run->immediate_exit = 0;
	pthread_cond_broadcast(&vmm->changed);
	pthread_mutex_unlock(&vmm->lock);
	return ret;
}

/* Runs a vCPU until it has gone through its list. */
static void *run_list(void *opaque)
{
	struct vcpu *vcpu = opaque;
	int ret;

	for (;;) {
		ret = run_once(vcpu);
		if (ret == -EINTR || ret == -EAGAIN)
			continue;
		if (!ret && vcpu->run->exit_reason == KVM_EXIT_IO &&
		    vcpu->run->io.port == DONE_PORT)
			return NULL;
		if (!ret)
			ret = mregion_vm_exit(vcpu->vmm->vm, vcpu->index,
					      vcpu->run);
		if (ret) {
			printf("# vCPU %u: %d, exit reason %u: %s\n",
			       vcpu->index, ret, vcpu->run->exit_reason,
			       mregion_error());
			vcpu->failed = true;
			return NULL;
		}
	}
}

static void drop_write(void *opaque, uint64_t offset, uint64_t data,
		       unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)data;
	(void)len;
}

static uint64_t read_zero(void *opaque, uint64_t offset, unsigned int len)
{
	(void)opaque;
	(void)offset;
	(void)len;
	return 0;
}

static const struct mregion_ops device_ops = {
	.read = read_zero,
	.write = drop_write,
	.constraints = { .valid_max = 8 },
};

static int set_registers(struct vcpu *vcpu)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_regs regs = {
		.rip = CODE,
		.rsi = LIST(vcpu->index),
		.rbx = vcpu->value,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	flat.type = 0xb;
	sregs.cs = flat;
	sregs.cr0 |= 1;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

/* From where on the main memory is in its file. */
#define FILE_OFFSET	(16 * PAGE)
#define HUGE_PAGE	(2u << 20)

/* Memory of a file that is not the library's: somewhere in it, or in huge pages. */
static struct mregion_region *from_file(struct __test_metadata *_metadata,
					FIXTURE_DATA(log) *self, bool huge)
{
	uint64_t offset = huge ? 0 : FILE_OFFSET;
	uint64_t size = huge ? HUGE_PAGE : FILE_OFFSET + MAIN_PAGES * PAGE;
	struct mregion_region *region = NULL;
	int fd = memfd_create("main", huge ? MFD_CLOEXEC | MFD_HUGETLB :
					     MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, size));
	region = mregion_new_ram_from_fd(self->machine, MREGION_RAM, "main",
					 MAIN_PAGES * PAGE, fd, offset);
	close(fd);
	return region;
}

/* A huge page can be had, perhaps after asking. */
static void need_huge_page(struct __test_metadata *_metadata)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "4", 1));
	close(fd);
}

static void make_map(struct __test_metadata *_metadata, FIXTURE_DATA(log) *self,
		     bool huge)
{
	struct mregion_machine *machine = self->machine;
	static const char *const names[NR_WATCHED] = {
		"code", "main", "bar", "extra",
	};
	int i;

	mregion_begin(machine);
	self->root = mregion_new_container(machine, "memory", 0);
	self->memory = mregion_new_space(machine, MREGION_BUS_MEMORY,
					 self->root, MREGION_POLICY_DEFAULT);
	for (i = 0; i < NR_WATCHED; i++)
		self->watched[i] = i == WATCH_MAIN ?
				   from_file(_metadata, self, huge) :
				   mregion_new_ram(machine, MREGION_RAM,
						   names[i],
						   nr_pages[i] * PAGE);
	self->alias = mregion_new_alias(machine, "alias",
					self->watched[WATCH_MAIN], 0,
					MAIN_PAGES * PAGE);
	self->window = mregion_new_container(machine, "window", WINDOW_LEN);
	self->hole = mregion_new_mmio(machine, "hole", PAGE, &device_ops, NULL);
	self->small = mregion_new_mmio(machine, "small", 0x20, &device_ops,
				       NULL);
	mregion_map(self->root, self->watched[WATCH_CODE], CODE, 0);
	mregion_map(self->root, self->watched[WATCH_MAIN], MAIN, 0);
	mregion_map(self->root, self->alias, ALIAS, 0);
	mregion_map(self->root, self->window, WINDOW, 0);
	mregion_map(self->window, self->watched[WATCH_BAR], 0, 0);
	mregion_map(self->root, self->watched[WATCH_EXTRA], EXTRA, 0);
	self->extra_mapped = true;
	self->extra_pages = EXTRA_PAGES;
	ASSERT_EQ(0, mregion_commit(machine))
		TH_LOG("%s", mregion_error());
}

FIXTURE_SETUP(log)
{
	struct mregion_attach_params params = {
		.first_slot = 2,
		.nr_slots = SLOTS,
		.pause = pause_vcpus,
		.resume = resume_vcpus,
		.opaque = &self->vmm,
		.dirty_ring_bytes = variant->ring_bytes,
	};
	struct sigaction action = { .sa_handler = kicked };
	int i, fd;

	memset(self, 0, sizeof(*self));
	self->seed = random_seed("MREGION_SEED");
	self->prng = prng_of(self->seed, 0);
	TH_LOG("MREGION_SEED=%#llx", (unsigned long long)self->seed);
	pthread_mutex_init(&self->vmm.lock, NULL);
	pthread_cond_init(&self->vmm.changed, NULL);
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->kvm);
	self->machine = mregion_machine_open(NULL);
	ASSERT_NE(NULL, self->machine)
		TH_LOG("%s", mregion_error());
	self->vm_fd = ioctl(self->kvm, KVM_CREATE_VM, 0);
	ASSERT_LE(0, self->vm_fd);
	if (variant->huge)
		need_huge_page(_metadata);
	make_map(_metadata, self, variant->huge);
	params.vm_fd = self->vm_fd;
	params.memory = self->memory;
	self->vmm.vm = mregion_attach(self->machine, &params);
	ASSERT_NE(NULL, self->vmm.vm)
		TH_LOG("%s", mregion_error());

	self->run_size = ioctl(self->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	for (i = 0; i < VCPUS; i++) {
		struct vcpu *vcpu = &self->vmm.vcpu[i];

		vcpu->vmm = &self->vmm;
		vcpu->index = i;
		vcpu->value = WRITER(i + 1);
		vcpu->fd = ioctl(self->vm_fd, KVM_CREATE_VCPU, i);
		ASSERT_LE(0, vcpu->fd);
		vcpu->run = mmap(NULL, self->run_size, PROT_READ | PROT_WRITE,
				 MAP_SHARED, vcpu->fd, 0);
		ASSERT_NE(MAP_FAILED, vcpu->run);
		ASSERT_EQ(0, mregion_vm_add_vcpu(self->vmm.vm, i, vcpu->fd))
			TH_LOG("%s", mregion_error());
	}
	ASSERT_NE(NULL, mregion_new_holder(self->memory,
					   MREGION_VIEW_OPEN_READ |
					   MREGION_VIEW_OPEN_WRITE, &fd));
	self->mirror = mregion_mirror_open(fd);
	ASSERT_NE(NULL, self->mirror);
	close(fd);
	memcpy(mregion_ram_ptr(self->watched[WATCH_CODE]), code, sizeof(code));
	self->dma_value = WRITER(3);
	for (i = 0; i < NR_WATCHED; i++) {
		self->before[i] = malloc(nr_pages[i] * PAGE);
		ASSERT_NE(NULL, self->before[i]);
	}
}

FIXTURE_TEARDOWN(log)
{
	int i;

	mregion_mirror_close(self->mirror);
	mregion_machine_close(self->machine);
	for (i = 0; i < VCPUS; i++) {
		munmap(self->vmm.vcpu[i].run, self->run_size);
		close(self->vmm.vcpu[i].fd);
	}
	for (i = 0; i < NR_WATCHED; i++)
		free(self->before[i]);
	close(self->vm_fd);
	close(self->kvm);
}

static uint32_t random_below(FIXTURE_DATA(log) *self, uint32_t limit)
{
	return below(&self->prng, limit);
}

/* Of a list, or of DMA; a few cross from one page to the next. */
static uint32_t random_address(FIXTURE_DATA(log) *self)
{
	static const struct { uint32_t start, pages; } parts[] = {
		{ MAIN, MAIN_PAGES },
		{ ALIAS, MAIN_PAGES },
		{ WINDOW, WINDOW_LEN / PAGE },
		{ EXTRA, EXTRA_PAGES },
	};
	uint32_t part = random_below(self, 4);
	uint32_t page = random_below(self, parts[part].pages);
	uint32_t offset = random_below(self, PAGE / 4) * 4;

	if (!random_below(self, 8))
		offset = PAGE - 2;
	return parts[part].start + page * PAGE + offset;
}

/* The lists are written by pointer, as a device of the VMM may. */
static void write_lists(FIXTURE_DATA(log) *self)
{
	struct mregion_region *region = self->watched[WATCH_CODE];
	uint8_t *ptr = mregion_ram_ptr(region);
	uint32_t i, vcpu, list[LIST_LEN];

	for (vcpu = 0; vcpu < VCPUS; vcpu++) {
		for (i = 0; i < LIST_LEN - 1; i++)
			list[i] = random_address(self);
		list[i] = 0;
		memcpy(ptr + LIST(vcpu) - CODE, list, sizeof(list));
		mregion_mark(region, LIST(vcpu) - CODE, sizeof(list));
	}
}

/*
 * DMA, by the VMM or as another process has it. It begins anywhere, and may end in another
 * page, or region, or nowhere.
 */
static void do_dma(FIXTURE_DATA(log) *self)
{
	uint32_t data[300], i, len;

	for (i = 0; i < 300; i++) {
		data[i] = self->dma_value;
		self->dma_value += STEP;
	}
	len = (1 + random_below(self, 300)) * sizeof(*data);
	if (random_below(self, 2))
		mregion_space_write(self->memory, random_address(self), data,
				    len, NULL);
	else
		mregion_mirror_write(self->mirror, random_address(self), data,
				     len, NULL);
}

/* As a balloon does: the page is zero, which the VMM has to tell. */
static void punch_hole(FIXTURE_DATA(log) *self)
{
	struct mregion_region *extra = self->watched[WATCH_EXTRA];
	uint64_t offset = random_below(self, self->extra_pages) * PAGE;

	fallocate(mregion_ram_fd(extra), FALLOC_FL_PUNCH_HOLE |
					 FALLOC_FL_KEEP_SIZE, offset, PAGE);
	mregion_mark(extra, offset, PAGE);
}

static void change_map(FIXTURE_DATA(log) *self)
{
	struct mregion_region *bar = self->watched[WATCH_BAR];
	struct mregion_region *extra = self->watched[WATCH_EXTRA];

	switch (random_below(self, 9)) {
	case 0:
		mregion_move(bar, random_below(self, 7) * BAR_PAGES * PAGE);
		break;
	case 1:
		mregion_set_enabled(bar, random_below(self, 3));
		break;
	case 2:
		if (self->hole_mapped)
			mregion_unmap(self->hole);
		else
			mregion_map(self->root, self->hole, MAIN +
				    random_below(self, MAIN_PAGES) * PAGE, 1);
		self->hole_mapped = !self->hole_mapped;
		break;
	case 3:
		if (self->small_mapped)
			mregion_unmap(self->small);
		else
			mregion_map(self->root, self->small, MAIN +
				    random_below(self, MAIN_PAGES * PAGE / 64) *
				    64, 1);
		self->small_mapped = !self->small_mapped;
		break;
	case 4:
		if (self->extra_mapped)
			mregion_unmap(extra);
		else
			mregion_map(self->root, extra, EXTRA, 0);
		self->extra_mapped = !self->extra_mapped;
		break;
	case 5:
		self->extra_pages = 1 + random_below(self, EXTRA_PAGES);
		mregion_resize(extra, self->extra_pages * PAGE);
		break;
	case 6:
		punch_hole(self);
		break;
	case 7:
		mregion_set_alias_offset(self->alias,
					 random_below(self, MAIN_PAGES) * PAGE);
		break;
	default:
		mregion_set_enabled(self->alias, random_below(self, 3));
	}
}

static void remember(FIXTURE_DATA(log) *self)
{
	int i;

	for (i = 0; i < NR_WATCHED; i++)
		memcpy(self->before[i], mregion_ram_ptr(self->watched[i]),
		       nr_pages[i] * PAGE);
}

/*
 * KVM makes a page writable when a vCPU reads it for the first time, and logs that as a
 * write. vCPUs read nothing but their code, and lists.
 */
static bool is_read(int i, unsigned int page)
{
	return i == WATCH_CODE && !page;
}

/*
 * Compare a log with what has become of the pages. Return: the number of errors.
 *
 * KVM logs a page when a vCPU's write faults. Where the map changes before the vCPU
 * comes to write, it writes elsewhere: @spare is how many such pages there can be.
 */
static unsigned int check_log(struct __test_metadata *_metadata,
			      FIXTURE_DATA(log) *self, int i,
			      struct mregion_log *log, const char *which,
			      unsigned int *spare)
{
	const uint8_t *now = mregion_ram_ptr(self->watched[i]);
	const uint8_t *before = self->before[i];
	uint64_t bits[MAIN_PAGES / 64 + 1];
	unsigned int page, wrong = 0;
	bool written, told;

	mregion_log_take(log, 0, nr_pages[i], bits);
	for (page = 0; page < nr_pages[i]; page++) {
		written = memcmp(now + page * PAGE, before + page * PAGE, PAGE);
		told = bits[page / 64] >> page % 64 & 1;
		if (written == told || (told && is_read(i, page)))
			continue;
		if (told && *spare) {
			--*spare;
			continue;
		}
		wrong++;
		TH_LOG("%s log of '%s': page %u was %s", which,
		       mregion_name(self->watched[i]), page,
		       written ? "written, but not told" :
				 "told, but not written");
	}
	return wrong;
}

static void start_logs(struct __test_metadata *_metadata,
		       FIXTURE_DATA(log) *self, struct mregion_log **logs)
{
	int i;

	for (i = 0; i < NR_WATCHED; i++) {
		logs[i] = mregion_log_start(self->watched[i]);
		ASSERT_NE(NULL, logs[i])
			TH_LOG("%s", mregion_error());
	}
}

static void stop_logs(struct mregion_log **logs)
{
	int i;

	for (i = 0; i < NR_WATCHED; i++) {
		mregion_log_stop(logs[i]);
		logs[i] = NULL;
	}
}

/*
 * Guests write, and so does the VMM, while the map changes. Return: how often it did.
 */
static unsigned int write_all(struct __test_metadata *_metadata,
		      FIXTURE_DATA(log) *self)
{
	unsigned int changes = 0;
	struct vcpu *vcpu;
	int i, n;

	write_lists(self);
	for (i = 0; i < VCPUS; i++) {
		vcpu = &self->vmm.vcpu[i];
		EXPECT_EQ(0, set_registers(vcpu));
		vcpu->value += LIST_LEN * STEP;
		EXPECT_EQ(0, pthread_create(&vcpu->thread, NULL, run_list,
					    vcpu));
	}
	n = random_below(self, 12);
	for (i = 0; i < n; i++) {
		if (random_below(self, 2)) {
			change_map(self);
			changes++;
		} else {
			do_dma(self);
		}
		if (!random_below(self, 4))
			EXPECT_EQ(0, mregion_log_sync(self->machine));
	}
	for (i = 0; i < VCPUS; i++) {
		vcpu = &self->vmm.vcpu[i];
		pthread_join(vcpu->thread, NULL);
		EXPECT_FALSE(vcpu->failed);
	}
	return changes;
}

TEST_F_TIMEOUT(log, tells_what_was_written, 600)
{
	struct mregion_slot_stats stats;
	unsigned int round, changes, spare[2], wrong = 0;
	int i;

	remember(self);
	start_logs(_metadata, self, self->first);
	for (round = 0; round < ROUNDS && !wrong; round++) {
		/* The second client comes and goes. */
		if (round % 5 == 1)
			start_logs(_metadata, self, self->second);
		changes = write_all(_metadata, self);
		/* each vCPU may be at a write to two pages */
		spare[0] = spare[1] = 2 * VCPUS * changes;
		ASSERT_EQ(0, mregion_log_sync(self->machine))
			TH_LOG("%s", mregion_error());
		for (i = 0; i < NR_WATCHED; i++) {
			wrong += check_log(_metadata, self, i, self->first[i],
					   "first", &spare[0]);
			if (self->second[i])
				wrong += check_log(_metadata, self, i,
						   self->second[i], "second",
						   &spare[1]);
		}
		remember(self);
		if (round % 5 == 4)
			stop_logs(self->second);
		ASSERT_EQ(0, mregion_vm_slots_error(self->vmm.vm))
			TH_LOG("%s", mregion_error());
	}
	EXPECT_EQ(0, wrong);
	stop_logs(self->second);
	stop_logs(self->first);
	mregion_vm_slot_stats(self->vmm.vm, &stats);
	TH_LOG("%u rounds, %llu changes of slots, %llu pauses", round,
	       (unsigned long long)stats.changes,
	       (unsigned long long)stats.pauses);
}

TEST_HARNESS_MAIN
