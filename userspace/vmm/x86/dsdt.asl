/* SPDX-License-Identifier: MIT */
/*
 * What of the machine cannot be found by looking: the devices of its ISA bus,
 * and the bridge to its PCI bus
 *
 * Addresses and interrupts are those of layout.h.
 */
DefinitionBlock ("", "DSDT", 2, "MREGN", "MREGNVMM", 1)
{
	/* Soft-off is sleep type 5: SLEEP_TYPE_OFF in pm.h. */
	Name (\_S5, Package () { 5, 5, 0, 0 })

	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03f8, 0x03f8, 0, 8)
				IRQNoFlags () { 4 }
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 0, 2)
				IRQNoFlags () { 8 }
			})
		}

		Device (PCI0)
		{
			/* PCI Express, and as such compatible with PCI */
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_SEG, 0)
			Name (_BBN, 0)
			Name (_UID, 0)
			/* No _PRT: devices interrupt by messages only. */
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite,
					0, 0xc0000000, 0xfebfffff, 0,
					0x3ec00000)
			})
		}

		/* Registers of the board that no driver shall take. */
		Device (BORD)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0092, 0x0092, 0, 1)
				IO (Decode16, 0x04d0, 0x04d0, 0, 2)
				IO (Decode16, 0x0600, 0x0600, 0, 6)
				/* PCI's configuration space */
				Memory32Fixed (ReadWrite, 0xb0000000, 0x100000)
				/* The pages of KVM, and the firmware's ROM */
				Memory32Fixed (ReadWrite, 0xfeffc000, 0x4000)
				Memory32Fixed (ReadOnly, 0xfffe0000, 0x20000)
			})
		}
	}
}
