// SPDX-License-Identifier: MIT
#include <stdbool.h>
#include <string.h>

#include "acpi.h"
#include "acpi_tables.h"
#include "dsdt.hex"
#include "layout.h"
#include "pm.h"
#include "reset.h"
#include "rtc.h"
#include "units.h"

#define OEM_ID			"MREGN "
#define OEM_TABLE_ID		"MREGNVMM"
#define CREATOR_ID		"MREG"

/* The ROM that is being filled from its beginning. */
struct writer {
	uint8_t *rom;
	size_t size;
	size_t used;
	uint64_t addr;
	bool full;
};

static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	while (len--)
		sum += *bytes++;
	return -sum;
}

/* Append @len bytes; return where the guest sees them. */
static uint64_t append(struct writer *w, const void *data, size_t len)
{
	uint64_t addr = w->addr + w->used;

	if (len > w->size - w->used) {
		w->full = true;
		return 0;
	}
	memcpy(w->rom + w->used, data, len);
	w->used += len;
	return addr;
}

/* Begin the next table at a multiple of 16. */
static void align(struct writer *w)
{
	static const uint8_t zeroes[16];

	append(w, zeroes, -w->used & 15);
}

static void fill_header(struct acpi_header *header, const char *signature,
			uint8_t revision)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	header->revision = revision;
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE_ID,
	       sizeof(header->oem_table_id));
	header->oem_revision = 1;
	memcpy(header->creator_id, CREATOR_ID, sizeof(header->creator_id));
	header->creator_revision = 1;
}

/* Complete the table that was appended from offset @start on. */
static uint64_t finish(struct writer *w, size_t start)
{
	struct acpi_header *header = (void *)(w->rom + start);

	if (w->full)
		return 0;
	header->length = w->used - start;
	header->checksum = 0;
	header->checksum = checksum(header, header->length);
	align(w);
	return w->addr + start;
}

static struct acpi_address io_address(uint64_t port, uint8_t bytes)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_IO,
		.bits = bytes * 8,
		.access = bytes == 1 ? 1 : bytes == 2 ? 2 : 3,
		.address = port,
	};
}

static uint64_t write_dsdt(struct writer *w)
{
	uint64_t addr = append(w, dsdt_aml_code, sizeof(dsdt_aml_code));

	align(w);
	return addr;
}

static uint64_t write_fadt(struct writer *w, uint64_t dsdt)
{
	struct acpi_fadt fadt = {
		.facs = FACS_ADDR,
		.dsdt = dsdt,
		.sci_interrupt = GSI_SCI,
		.pm1a_event = PORT_PM + PM1_EVENT,
		.pm1a_control = PORT_PM + PM1_CONTROL,
		.pm1_event_length = PM1_EVENT_SIZE,
		.pm1_control_length = PM1_CONTROL_SIZE,
		/* Latencies that say: there is no C2 and no C3. */
		.c2_latency = 0xffff,
		.c3_latency = 0xffff,
		.century = RTC_CENTURY,
		/* No 8042 bit: Linux need not look for a keyboard. */
		.boot_flags = FADT_BOOT_LEGACY | FADT_BOOT_NO_VGA,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON |
			 FADT_NO_SLEEP_BUTTON | FADT_RESET_REGISTER,
		.reset_register = io_address(PORT_RESET, 1),
		.reset_value = RESET_HARD,
		.x_dsdt = dsdt,
		.x_pm1a_event = io_address(PORT_PM + PM1_EVENT,
					   PM1_EVENT_SIZE),
		.x_pm1a_control = io_address(PORT_PM + PM1_CONTROL,
					     PM1_CONTROL_SIZE),
	};
	size_t start = w->used;

	fill_header(&fadt.header, "FACP", FADT_REVISION);
	append(w, &fadt, sizeof(fadt));
	return finish(w, start);
}

static uint64_t write_madt(struct writer *w, unsigned int nr_vcpus)
{
	struct acpi_madt madt = { .lapic = LAPIC_ADDR, .flags = MADT_PC_PICS };
	const struct acpi_madt_ioapic ioapic = {
		.type = MADT_IOAPIC,
		.length = sizeof(ioapic),
		.address = IOAPIC_ADDR,
	};
	const struct acpi_madt_override pit = {
		.type = MADT_OVERRIDE,
		.length = sizeof(pit),
		.source = 0,
		.gsi = GSI_PIT,
		.flags = MADT_AS_BUS,
	};
	const struct acpi_madt_override sci = {
		.type = MADT_OVERRIDE,
		.length = sizeof(sci),
		.source = GSI_SCI,
		.gsi = GSI_SCI,
		.flags = MADT_HIGH_LEVEL,
	};
	const struct acpi_madt_lapic_nmi nmi = {
		.type = MADT_LAPIC_NMI,
		.length = sizeof(nmi),
		.processor = MADT_ALL_PROCESSORS,
		.lint = 1,
	};
	size_t start = w->used;
	unsigned int i;

	fill_header(&madt.header, "APIC", MADT_REVISION);
	append(w, &madt, sizeof(madt));
	for (i = 0; i < nr_vcpus; i++) {
		const struct acpi_madt_lapic lapic = {
			.type = MADT_LAPIC,
			.length = sizeof(lapic),
			.processor = i,
			.apic_id = i,
			.flags = MADT_LAPIC_ENABLED,
		};

		append(w, &lapic, sizeof(lapic));
	}
	append(w, &ioapic, sizeof(ioapic));
	append(w, &pit, sizeof(pit));
	append(w, &sci, sizeof(sci));
	append(w, &nmi, sizeof(nmi));
	return finish(w, start);
}

static uint64_t write_mcfg(struct writer *w)
{
	struct acpi_mcfg mcfg = {
		.address = ECAM_ADDR,
		.last_bus = ECAM_SIZE / MIB(1) - 1,
	};
	size_t start = w->used;

	fill_header(&mcfg.header, "MCFG", MCFG_REVISION);
	append(w, &mcfg, sizeof(mcfg));
	return finish(w, start);
}

static uint64_t write_xsdt(struct writer *w, const uint64_t *tables, size_t nr)
{
	struct acpi_header header = {};
	size_t start = w->used;

	fill_header(&header, "XSDT", 1);
	append(w, &header, sizeof(header));
	append(w, tables, nr * sizeof(*tables));
	return finish(w, start);
}

static uint64_t write_rsdp(struct writer *w, uint64_t xsdt)
{
	struct acpi_rsdp rsdp = {
		.signature = "RSD PTR ",
		.oem_id = OEM_ID,
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt = xsdt,
	};

	rsdp.checksum = checksum(&rsdp, 20);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	return append(w, &rsdp, sizeof(rsdp));
}

uint64_t acpi_write_tables(uint8_t *rom, size_t size, uint64_t addr,
			   unsigned int nr_vcpus)
{
	struct writer w = { .rom = rom, .size = size, .addr = addr };
	uint64_t tables[3];
	uint64_t rsdp;

	tables[0] = write_fadt(&w, write_dsdt(&w));
	tables[1] = write_madt(&w, nr_vcpus);
	tables[2] = write_mcfg(&w);
	rsdp = write_rsdp(&w, write_xsdt(&w, tables, 3));
	return w.full ? 0 : rsdp;
}

void acpi_write_facs(uint8_t *ram)
{
	const struct acpi_facs facs = {
		.signature = "FACS",
		.length = sizeof(facs),
		.version = 2,
	};

	memcpy(ram, &facs, sizeof(facs));
}
