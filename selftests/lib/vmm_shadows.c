// SPDX-License-Identifier: GPL-2.0
/*
 * What mregion-vmm's devices have in shadow memory: random accesses read the same from
 * one whose rules are followed as from one that is called for each.
 */
#include <kselftest_harness.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "loop.h"
#include "pci_host.h"
#include "pci_ports.h"
#include "pm.h"
#include "report.h"
#include "reset.h"
#include "ring.h"
#include "rtc.h"
#include "serial.h"
#include "shadow.h"

#include "../random_util.h"

#define MAX_RULES	64
#define MAX_REGIONS	8
#define ROUNDS		200000
#define RESET_CONTROL	1	/* in the ports of PCI */

void report(const char *format, ...)
{
	(void)format;
}

/* The one that waits, in the loop of those that have rules */
static struct loop_source waits;

int loop_add(struct loop *loop, int fd, const struct loop_source *source)
{
	(void)loop;
	(void)fd;
	waits = *source;
	return 0;
}

/* The kernel's part: rules and regions, as they are made */
static struct mregion_machine machine;
static struct mregion_op rules[MAX_RULES];
static unsigned int nr_rules;
static uint32_t mapped[MAX_REGIONS];	/* in the order in which they were */
static unsigned int nr_mapped;

static void committed(const struct mregion_commit *commit)
{
	const struct mregion_op *op = (void *)(uintptr_t)commit->ops;
	uint32_t i;

	for (i = 0; i < commit->nr_ops; i++, op++) {
		if (op->code == MREGION_OP_RULE_ADD &&
		    op->rule.kind == MREGION_RULE_SHADOW && nr_rules < MAX_RULES)
			rules[nr_rules++] = *op;
		if (op->code == MREGION_OP_MAP && nr_mapped < MAX_REGIONS)
			mapped[nr_mapped++] = op->id;
	}
}

static int kernel(unsigned long request, void *arg)
{
	struct mregion_shadow_create *create = arg;

	if (request != MREGION_SHADOW_CREATE)
		return fixture_kernel(request, arg);
	create->fd = memfd_create("shadow", MFD_CLOEXEC);
	if (create->fd < 0 || ftruncate(create->fd, (create->len + 4095) & ~4095ull))
		return -ENOMEM;
	return 0;
}

static uint8_t *shadow_ptr(uint32_t id)
{
	const struct mregion_shadow *shadow = machine.shadows;

	while (shadow->id != id)
		shadow = shadow->next;
	return shadow->ptr;
}

/* Where a rule has what an access is for, or NULL if it is for others. */
static uint8_t *place(const struct mregion_rule *rule, uint64_t offset, unsigned int len)
{
	const struct mregion_index *index = &rule->index;
	uint64_t at = rule->shadow_offset + offset - rule->offset;
	uint32_t value = 0;
	uint32_t selected;

	if (offset < rule->offset || offset + len > rule->offset + rule->len ||
	    (rule->access_len && rule->access_len != len))
		return NULL;
	if (rule->flags & MREGION_RULE_INDEXED) {
		memcpy(&value, shadow_ptr(index->shadow) + index->offset, index->len);
		if ((value & index->bits) < index->first ||
		    (value & index->bits) > index->last)
			return NULL;
		selected = value & index->select;
		at += index->shift < 0 ? selected >> -index->shift :
		      (uint64_t)selected << index->shift;
	}
	return shadow_ptr(rule->shadow) + at;
}

static unsigned int nr_served;

/* Whether a rule has done it */
static bool served(const struct mregion_region *region, bool write, uint64_t offset,
		   uint32_t *data, unsigned int len)
{
	uint32_t flag = write ? MREGION_RULE_WRITE : MREGION_RULE_READ;
	unsigned int i;
	uint8_t *at;

	for (i = 0; i < nr_rules; i++) {
		if (rules[i].id != region->id || !(rules[i].rule.flags & flag))
			continue;
		at = place(&rules[i].rule, offset, len);
		if (!at)
			continue;
		if (write && (rules[i].rule.flags & MREGION_RULE_NOTIFY) &&
		    memcmp(at, data, len))
			eventfd_write(rules[i].rule.eventfd, 1);
		memcpy(write ? at : (void *)data, write ? (void *)data : at, len);
		nr_served++;
		return true;
	}
	return false;
}

static uint32_t make_access(const struct mregion_region *region, bool write, uint64_t offset,
		       uint32_t data, unsigned int len)
{
	uint32_t mask = len == 4 ? ~0u : (1u << 8 * len) - 1;

	data = write ? data & mask : 0;
	if (served(region, write, offset, &data, len))
		return data;
	if (!write)
		return region->ops->read(region->opaque, offset, len) & mask;
	if (region->ops->write)
		region->ops->write(region->opaque, offset, data, len);
	return data;
}

/* Of two devices: the one with rules, and the one without. */
static const struct mregion_region *with, *without;

static bool same(bool write, uint64_t offset, uint32_t data, unsigned int len)
{
	return make_access(with, write, offset, data, len) ==
	       make_access(without, write, offset, data, len);
}

FIXTURE(vmm_shadows)
{
	struct mregion_region *parent;
	struct mregion_ring ring;
	struct loop loop;
	struct prng prng;
};

FIXTURE_SETUP(vmm_shadows)
{
	memset(self, 0, sizeof(*self));
	fixture_init(&machine);
	machine.info.features |= MREGION_FEATURE_INDEXED;
	fixture_ioctl = kernel;
	fixture_commit = committed;
	nr_rules = 0;
	nr_mapped = 0;
	nr_served = 0;
	self->prng = prng_of(1, 0);
	self->ring = (struct mregion_ring){ .refs = 1, .machine = &machine, .id = 1 };
	self->parent = mregion_new_container(&machine, "all", 0);
	ASSERT_NE(NULL, self->parent);
}

FIXTURE_TEARDOWN(vmm_shadows)
{
	struct mregion_shadow *shadow;

	while ((shadow = machine.shadows))
		mregion_shadow_release(shadow);
	fixture_destroy(&machine);
}

static void set_level(void *opaque, unsigned int gsi, bool level)
{
	(void)gsi;
	*(bool *)opaque = level;
}

static void ignore_sent(void *opaque, uint8_t byte)
{
	(void)opaque;
	(void)byte;
}

static void ignore_ready(void *opaque)
{
	(void)opaque;
}

/* The second has a write to IER later. Its interrupt is the same once it has that. */
TEST_F(vmm_shadows, serial)
{
	const struct serial_cable cable = { ignore_sent, ignore_ready, NULL };
	static const uint8_t values[] = { 0, 0, 0, 1, 2, 3, 5, 7, 0x0f, 0x10, 0x80, 0xf0,
					  0xff };
	struct serial serials[2] = { SERIAL_INITIAL, SERIAL_INITIAL };
	bool level[2] = { false, false };
	struct prng *prng = &self->prng;
	unsigned int i, n;

	ASSERT_EQ(0, serial_init(&serials[0], &machine, self->parent, 0x3f8,
				 (struct irq_line){ set_level, &level[0], 4 }, &cable,
				 &self->ring, &self->loop));
	ASSERT_EQ(0, serial_init(&serials[1], &machine, self->parent, 0x2f8,
				 (struct irq_line){ set_level, &level[1], 3 }, &cable,
				 NULL, NULL));
	with = serials[0].region;
	without = serials[1].region;
	for (i = 0; i < ROUNDS; i++) {
		uint8_t value = values[below(prng, sizeof(values))];

		n = serial_room(&serials[1]);
		ASSERT_EQ(n, serial_room(&serials[0]));
		if (n && one_in(prng, 8)) {
			serial_receive(&serials[0], &value, 1);
			serial_receive(&serials[1], &value, 1);
		}
		ASSERT_TRUE(same(one_in(prng, 2), below(prng, SERIAL_NR_REGISTERS), value,
				 1)) {
			TH_LOG("access %u", i);
		}
		if (one_in(prng, 4)) {
			waits.ready(waits.opaque);
			ASSERT_EQ(level[1], level[0]);
		}
	}
	EXPECT_GT(nr_served, ROUNDS / 8);
	serial_exit(&serials[0]);
	serial_exit(&serials[1]);
}

/* What a window shows changes as it is read, and stays when others are. */
struct counting {
	struct pci_function function;
	uint32_t reads;
};

#define WINDOW		0x60

static void count_read(void *opaque)
{
	struct counting *counting = opaque;

	pci_set32(&counting->function, WINDOW, ++counting->reads);
}

static void ignore_write(void *opaque)
{
	(void)opaque;
}

struct pc {
	struct pci_host host;
	struct pci_ports ports;
	struct reset reset;
	struct counting counting;
	struct mregion_region *ecam[2];
};

static void pull(void *opaque, enum machine_end why)
{
	(void)opaque;
	(void)why;
}

static int make_pc(struct pc *pc, struct mregion_region *parent, bool shadow)
{
	const struct pci_identity identity = { .vendor = 0x1af4, .device = 0x1044 };
	unsigned int i;
	int error;

	pc->reset.end = (struct end_line){ pull, NULL };
	pc->counting.function.window = (struct pci_window){
		WINDOW, count_read, ignore_write, &pc->counting,
	};
	error = pci_host_init(&pc->host, &machine, parent, parent);
	if (!error)
		error = pci_function_add(&pc->host.bus, &pc->counting.function,
					 &identity);
	memset(pc->counting.function.writable + WINDOW - 4, 0xff, 12);
	nr_mapped = 0;
	if (!error)
		error = pci_host_add_ecam(&pc->host, shadow);
	if (error || nr_mapped != 3)
		return -EINVAL;
	for (i = 0; i < 2; i++) {
		pc->ecam[i] = mregion_table_get(&machine.regions, mapped[i]);
		mregion_region_put(pc->ecam[i]);
	}
	return pci_ports_init(&pc->ports, parent, &pc->host, &pc->reset);
}

static uint32_t random_address(struct prng *prng)
{
	/* Mostly those that are there, and their neighbours */
	uint32_t address = below(prng, 2) << 11 | below(prng, 256);

	if (one_in(prng, 3))
		address |= below(prng, 8) << 8 | below(prng, 32) << 11;
	if (one_in(prng, 8))
		address |= random64(prng);
	return one_in(prng, 8) ? address : address | 1u << 31;
}

static bool same_by_ports(struct prng *prng)
{
	unsigned int len = 1 << below(prng, 3);
	unsigned int offset = below(prng, 4) & ~(len - 1);

	if (one_in(prng, 3))
		return same(true, 0, random_address(prng), 4) &&
		       same(false, 0, 0, 4);
	/* The reset control register, too */
	if (one_in(prng, 8))
		return same(one_in(prng, 2), offset, random64(prng), len);
	return same(one_in(prng, 4), 4 + offset, random64(prng), len);
}

static bool same_by_ecam(struct prng *prng)
{
	unsigned int len = 1 << below(prng, 3);
	unsigned int offset = below(prng, one_in(prng, 8) ? PCI_EXTENDED_SIZE :
						  PCI_CONFIG_SIZE) & ~(len - 1);

	return same(one_in(prng, 4), offset, random64(prng), len);
}

TEST_F(vmm_shadows, pci)
{
	struct pc *pcs = calloc(2, sizeof(*pcs));
	struct prng *prng = &self->prng;
	unsigned int i, function;

	ASSERT_NE(NULL, pcs);
	ASSERT_EQ(0, make_pc(&pcs[0], self->parent, true));
	ASSERT_EQ(0, make_pc(&pcs[1], self->parent, false));
	for (i = 0; i < ROUNDS; i++) {
		if (one_in(prng, 2)) {
			with = pcs[0].ports.region;
			without = pcs[1].ports.region;
			ASSERT_TRUE(same_by_ports(prng)) {
				TH_LOG("access %u, address %#x", i,
				       *pcs[0].ports.address);
			}
		} else {
			function = below(prng, 2);
			with = pcs[0].ecam[function];
			without = pcs[1].ecam[function];
			ASSERT_TRUE(same_by_ecam(prng)) {
				TH_LOG("access %u", i);
			}
		}
		ASSERT_EQ(pcs[1].counting.reads, pcs[0].counting.reads);
	}
	EXPECT_GT(nr_served, ROUNDS / 2);
	EXPECT_LT(100, pcs[0].counting.reads);
	pci_host_exit(&pcs[0].host);
	pci_host_exit(&pcs[1].host);
	free(pcs);
}

TEST_F(vmm_shadows, pm)
{
	struct pm pms[2] = { 0 };
	struct prng *prng = &self->prng;
	const struct end_line end = { pull, NULL };
	unsigned int i;

	ASSERT_EQ(0, pm_init(&pms[0], &machine, self->parent, 0x600, end, true));
	ASSERT_EQ(0, pm_init(&pms[1], &machine, self->parent, 0x700, end, false));
	with = pms[0].region;
	without = pms[1].region;
	for (i = 0; i < 1000; i++)
		ASSERT_TRUE(same(one_in(prng, 2), 2 * below(prng, PM_SIZE / 2),
				 random64(prng), 2));
	EXPECT_GT(nr_served, 600);
}

/* Not of the time, which goes on between two reads. Of all others, 10 and 12 do so, too. */
TEST_F(vmm_shadows, rtc)
{
	struct rtc rtcs[2] = { 0 };
	struct prng *prng = &self->prng;
	unsigned int i, index, before;
	bool level[2];

	ASSERT_EQ(0, rtc_init(&rtcs[0], &machine, self->parent, 0x70,
			      (struct irq_line){ set_level, &level[0], 8 }, &self->loop,
			      true));
	ASSERT_EQ(0, rtc_init(&rtcs[1], &machine, self->parent, 0x72,
			      (struct irq_line){ set_level, &level[1], 8 }, &self->loop,
			      false));
	with = rtcs[0].region;
	without = rtcs[1].region;
	for (i = 0; i < ROUNDS / 10; i++) {
		index = below(prng, one_in(prng, 2) ? 16 : RTC_NR_REGISTERS);
		if (index == RTC_CENTURY || index == 10 || index == 12 ||
		    (index < 10 && index != 1 && index != 3 && index != 5))
			continue;
		same(true, 0, index | random64(prng) << 7, 1);
		ASSERT_TRUE(same(false, 0, 0, 1));
		before = nr_served;
		ASSERT_TRUE(same(false, 1, 0, 1));
		ASSERT_EQ(before + 1, nr_served);
		same(true, 1, random64(prng), 1);
		ASSERT_TRUE(same(false, 1, 0, 1));
	}
	rtc_exit(&rtcs[0]);
	rtc_exit(&rtcs[1]);
}

TEST_HARNESS_MAIN
