// SPDX-License-Identifier: MIT
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <sys/random.h>

#include "../../array.h"
#include "device_tree.h"
#include "layout.h"
#include "pl031.h"
#include "report.h"
#include "serial.h"
#include "units.h"

/* By which nodes refer to each other */
enum {
	PHANDLE_GIC = 1,
	PHANDLE_ITS,
	PHANDLE_CLOCK,
};

/* An interrupt: its kind, its number among them, and how it is signalled */
#define KIND_SPI		0
#define KIND_PPI		1
#define LEVEL_LOW		8
#define LEVEL_HIGH		4

/*
 * The generic timer's interrupts: secure, not secure, virtual, and a hypervisor's. They
 * are active low, as Arm's processors have them. To a GIC both levels are the same.
 */
static const uint32_t timer_interrupts[] = { 13, 14, 11, 10 };

/*
 * The UART's clock. It has no effect here: Linux computes from it the divisor for a
 * speed, and every speed is the same.
 */
#define UART_CLOCK_HZ		1843200
#define RTC_CLOCK_HZ		24000000

/* PCI addresses in a device tree: memory of 32 bits */
#define PCI_MEMORY_32		0x02000000u

/* struct writer - a tree that is written, and the first error of that, as libfdt has it */
struct writer {
	void *fdt;
	int error;
};

static void check(struct writer *w, int error)
{
	if (!w->error)
		w->error = error;
}

static void begin(struct writer *w, const char *name)
{
	check(w, fdt_begin_node(w->fdt, name));
}

/* A node whose name has an address */
static void begin_at(struct writer *w, const char *name, uint64_t addr)
{
	char text[64];

	snprintf(text, sizeof(text), "%s@%llx", name, (unsigned long long)addr);
	begin(w, text);
}

static void end(struct writer *w)
{
	check(w, fdt_end_node(w->fdt));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	check(w, fdt_property_string(w->fdt, name, value));
}

/* Several strings, each with its zero: @len has the last one's, too */
static void put_strings(struct writer *w, const char *name, const char *value,
			size_t len)
{
	check(w, fdt_property(w->fdt, name, value, len));
}

static void put_flag(struct writer *w, const char *name)
{
	check(w, fdt_property(w->fdt, name, NULL, 0));
}

static void put_u32(struct writer *w, const char *name, uint32_t value)
{
	check(w, fdt_property_u32(w->fdt, name, value));
}

static void put_u64(struct writer *w, const char *name, uint64_t value)
{
	check(w, fdt_property_u64(w->fdt, name, value));
}

static void put_u32s(struct writer *w, const char *name, const uint32_t *values,
		     size_t nr)
{
	void *to;
	size_t i;
	int error = fdt_property_placeholder(w->fdt, name, 4 * nr, &to);

	check(w, error);
	for (i = 0; !error && i < nr; i++)
		fdt32_st((fdt32_t *)to + i, values[i]);
}

/* Pairs of address and size, two cells each */
static void put_reg(struct writer *w, const uint64_t *values, size_t nr)
{
	void *to;
	size_t i;
	int error = fdt_property_placeholder(w->fdt, "reg", 8 * nr, &to);

	check(w, error);
	for (i = 0; !error && i < nr; i++)
		fdt64_st((fdt64_t *)to + i, values[i]);
}

static void put_place(struct writer *w, uint64_t addr, uint64_t size)
{
	const uint64_t reg[] = { addr, size };

	put_reg(w, reg, 2);
}

static void put_cells(struct writer *w, uint32_t address, uint32_t size)
{
	put_u32(w, "#address-cells", address);
	put_u32(w, "#size-cells", size);
}

/* Random numbers for the kernel, which can do without. */
static void put_seeds(struct writer *w)
{
	uint8_t rng[64];
	uint64_t kaslr;

	if (getrandom(&kaslr, sizeof(kaslr), 0) == sizeof(kaslr))
		put_u64(w, "kaslr-seed", kaslr);
	if (getrandom(rng, sizeof(rng), 0) == sizeof(rng))
		check(w, fdt_property(w->fdt, "rng-seed", rng, sizeof(rng)));
}

static void put_chosen(struct writer *w, const struct device_tree *tree)
{
	char path[32];

	begin(w, "chosen");
	put_string(w, "bootargs", tree->cmdline);
	snprintf(path, sizeof(path), "/serial@%llx", UART_ADDR);
	put_string(w, "stdout-path", path);
	put_seeds(w);
	if (tree->initrd_size) {
		put_u64(w, "linux,initrd-start", tree->initrd);
		put_u64(w, "linux,initrd-end", tree->initrd + tree->initrd_size);
	}
	end(w);
}

static void put_cpus(struct writer *w, const struct device_tree *tree)
{
	unsigned int i;

	begin(w, "cpus");
	put_cells(w, 2, 0);
	for (i = 0; i < tree->nr_cpus; i++) {
		begin_at(w, "cpu", tree->affinities[i]);
		put_string(w, "device_type", "cpu");
		put_string(w, "compatible", "arm,armv8");
		put_reg(w, &tree->affinities[i], 1);
		put_string(w, "enable-method", "psci");
		end(w);
	}
	end(w);
}

static void put_psci(struct writer *w)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	begin(w, "psci");
	put_strings(w, "compatible", compatible, sizeof(compatible));
	put_string(w, "method", "hvc");
	end(w);
}

static void put_timer(struct writer *w)
{
	uint32_t cells[3 * ARRAY_SIZE(timer_interrupts)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(timer_interrupts); i++) {
		cells[3 * i] = KIND_PPI;
		cells[3 * i + 1] = timer_interrupts[i];
		cells[3 * i + 2] = LEVEL_LOW;
	}
	begin(w, "timer");
	put_string(w, "compatible", "arm,armv8-timer");
	put_u32s(w, "interrupts", cells, ARRAY_SIZE(cells));
	put_flag(w, "always-on");
	end(w);
}

static void put_gic(struct writer *w, unsigned int nr_cpus)
{
	const uint64_t reg[] = {
		GICD_ADDR, GICD_SIZE, GICR_ADDR, nr_cpus * GICR_SIZE,
	};

	begin_at(w, "interrupt-controller", GICD_ADDR);
	put_string(w, "compatible", "arm,gic-v3");
	put_reg(w, reg, ARRAY_SIZE(reg));
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 3);
	put_u32(w, "phandle", PHANDLE_GIC);
	put_cells(w, 2, 2);
	put_flag(w, "ranges");
	begin_at(w, "msi-controller", ITS_ADDR);
	put_string(w, "compatible", "arm,gic-v3-its");
	put_place(w, ITS_ADDR, ITS_SIZE);
	put_flag(w, "msi-controller");
	put_u32(w, "#msi-cells", 1);
	put_u32(w, "phandle", PHANDLE_ITS);
	end(w);
	end(w);
}

static void put_serial(struct writer *w)
{
	const uint32_t interrupt[] = {
		KIND_SPI, GSI_UART - GIC_FIRST_SPI, LEVEL_HIGH,
	};

	begin_at(w, "serial", UART_ADDR);
	put_string(w, "compatible", "ns16550a");
	put_place(w, UART_ADDR, SERIAL_NR_REGISTERS);
	put_u32(w, "clock-frequency", UART_CLOCK_HZ);
	put_u32s(w, "interrupts", interrupt, ARRAY_SIZE(interrupt));
	end(w);
}

static void put_rtc(struct writer *w)
{
	static const char compatible[] = "arm,pl031\0arm,primecell";

	begin(w, "apb-pclk");
	put_string(w, "compatible", "fixed-clock");
	put_u32(w, "#clock-cells", 0);
	put_u32(w, "clock-frequency", RTC_CLOCK_HZ);
	put_u32(w, "phandle", PHANDLE_CLOCK);
	end(w);

	begin_at(w, "rtc", RTC_ADDR);
	put_strings(w, "compatible", compatible, sizeof(compatible));
	put_place(w, RTC_ADDR, PL031_SIZE);
	put_u32(w, "clocks", PHANDLE_CLOCK);
	put_string(w, "clock-names", "apb_pclk");
	end(w);
}

static void put_pci(struct writer *w)
{
	const uint32_t buses[] = { 0, ECAM_SIZE / MIB(1) - 1 };
	const uint32_t ranges[] = {
		PCI_MEMORY_32, 0, PCI_HOLE_ADDR, 0, PCI_HOLE_ADDR,
		0, PCI_HOLE_END - PCI_HOLE_ADDR,
	};
	/* All functions' messages go there, told apart by their own numbers. */
	const uint32_t messages[] = { 0, PHANDLE_ITS, 0, 0x10000 };

	begin_at(w, "pcie", ECAM_ADDR);
	put_string(w, "compatible", "pci-host-ecam-generic");
	put_string(w, "device_type", "pci");
	put_cells(w, 3, 2);
	put_place(w, ECAM_ADDR, ECAM_SIZE);
	put_u32s(w, "bus-range", buses, ARRAY_SIZE(buses));
	put_u32s(w, "ranges", ranges, ARRAY_SIZE(ranges));
	put_u32s(w, "msi-map", messages, ARRAY_SIZE(messages));
	put_flag(w, "dma-coherent");
	end(w);
}

int device_tree_write(const struct device_tree *tree, void *to, size_t size)
{
	struct writer writer = { .fdt = to }, *w = &writer;

	check(w, fdt_create(to, size));
	check(w, fdt_finish_reservemap(to));
	begin(w, "");
	put_string(w, "compatible", "linux,dummy-virt");
	put_string(w, "model", "mregion-vmm");
	put_cells(w, 2, 2);
	put_u32(w, "interrupt-parent", PHANDLE_GIC);
	put_chosen(w, tree);
	begin_at(w, "memory", RAM_ADDR);
	put_string(w, "device_type", "memory");
	put_place(w, RAM_ADDR, tree->memory);
	end(w);
	put_cpus(w, tree);
	put_psci(w);
	put_timer(w);
	put_gic(w, tree->nr_cpus);
	put_serial(w);
	put_rtc(w);
	put_pci(w);
	end(w);
	check(w, fdt_finish(to));
	if (!writer.error)
		return 0;
	report("cannot write the device tree: %s", fdt_strerror(writer.error));
	return -EIO;
}
