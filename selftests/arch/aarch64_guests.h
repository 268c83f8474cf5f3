/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guests on arm64 run. Of struct guest_regs, addr is x0, number x1, end x2, value
 * x3, count x4, and arg[0] to arg[2] are x5 to x7.
 *
 * Accesses of a device are plain loads and stores of one register: of others the
 * processor does not tell KVM what they are, and they come to nobody.
 */
#ifndef ARCH_AARCH64_GUESTS_H
#define ARCH_AARCH64_GUESTS_H

#include "guest_code.h"

#define GUEST_LOOP(name, body)						\
	GUEST_CODE(name, "1:\n" body "\n"				\
			 "add x1, x1, #1\n"				\
			 "cmp x1, x2\n"					\
			 "b.lo 1b\n"					\
			 "brk #0")

/* Write the numbers to an address. */
GUEST_LOOP(mmio_write1, "strb w1, [x0]");
GUEST_LOOP(mmio_write2, "strh w1, [x0]");
GUEST_LOOP(mmio_write4, "str w1, [x0]");
GUEST_LOOP(mmio_write8, "str x1, [x0]");

/* Read once. */
GUEST_CODE(mmio_read1, "ldrb w3, [x0]\n brk #0");
GUEST_CODE(mmio_read2, "ldrh w3, [x0]\n brk #0");
GUEST_CODE(mmio_read4, "ldr w3, [x0]\n brk #0");
GUEST_CODE(mmio_read8, "ldr x3, [x0]\n brk #0");

/* All ends are exits, also with KVM's own irqchip. */
#define guest_mmio_read4_leave	guest_mmio_read4
#define guest_mmio_write4_leave	guest_mmio_write4

/* Never ends. */
GUEST_CODE(mmio_forever, "1: str w1, [x0]\n add x1, x1, #1\n b 1b");

/*
 * Write a number, read it back 4 behind, and count how often it differs: each, or every
 * fourth.
 */
#define COUNT_CHECK	"ldr w3, [x0, #4]\n cmp w3, w1\n b.eq 2f\n"	\
			"add x4, x4, #1\n 2:"
GUEST_LOOP(count_mmio, "str w1, [x0]\n" COUNT_CHECK);
GUEST_LOOP(count4_mmio, "str w1, [x0]\n tst w1, #3\n b.ne 2f\n" COUNT_CHECK);
#undef COUNT_CHECK

/*
 * Look whether all bytes of what is read are the same, and count those that were not;
 * and write such values. Both go on until memory at arg[0] says stop, and number is how
 * often they did it.
 */
#define TORN_READ(read, rotate, compare)				\
	"1: " read "\n" rotate "\n" compare "\n"			\
	"b.eq 2f\n add x4, x4, #1\n"					\
	"2: add x1, x1, #1\n"						\
	"ldr w9, [x5]\n"						\
	"cbz w9, 1b\n brk #0"
#define TORN_WRITE(write)						\
	"mov x10, #0x0101010101010101\n"				\
	"1: and x9, x1, #0xff\n mul x9, x9, x10\n " write "\n"		\
	"add x1, x1, #1\n"						\
	"ldr w9, [x5]\n"						\
	"cbz w9, 1b\n brk #0"

GUEST_CODE(torn_mmio_read2, TORN_READ("ldrh w3, [x0]", "rev16 w9, w3",
				      "cmp w9, w3"));
GUEST_CODE(torn_mmio_read4, TORN_READ("ldr w3, [x0]", "ror w9, w3, #24",
				      "cmp w9, w3"));
GUEST_CODE(torn_mmio_read8, TORN_READ("ldr x3, [x0]", "ror x9, x3, #56",
				      "cmp x9, x3"));
GUEST_CODE(torn_mmio_write2, TORN_WRITE("strh w9, [x0]"));
GUEST_CODE(torn_mmio_write4, TORN_WRITE("str w9, [x0]"));
GUEST_CODE(torn_mmio_write8, TORN_WRITE("str x9, [x0]"));
#undef TORN_READ
#undef TORN_WRITE

/*
 * Read 8 bytes until told to stop. Memory at arg[2] says so; behind that are counted
 * those that are neither arg[0] nor arg[1], with the last of them 12 bytes on, those that
 * are arg[0], and those that are arg[1].
 */
GUEST_CODE(edge, "1: ldr x3, [x0]\n"
		 "mov x9, #8\n cmp x3, x5\n b.eq 2f\n"
		 "mov x9, #12\n cmp x3, x6\n b.eq 2f\n"
		 "mov x9, #4\n str x3, [x7, #16]\n"
		 "2: ldr w10, [x7, x9]\n add w10, w10, #1\n str w10, [x7, x9]\n"
		 "ldr w10, [x7]\n cbz w10, 1b\n brk #0");

/*
 * Select one place after the other in a register at the address, and read what is there in
 * the one behind it, until memory at arg[2] says to stop. The vCPUs take turns: it is this
 * one's when the 4 bytes behind that are arg[0], and then the one's of which arg[1] is.
 * The low half of each place is its index. Those that are not are counted.
 */
GUEST_CODE(mmio_pair, "add x11, x7, #4\n"
		      "1: and x9, x1, #63\n lsl x9, x9, #2\n"
		      "2: ldr w10, [x7]\n cbnz w10, 4f\n"
		      "ldar w10, [x11]\n cmp w10, w5\n b.ne 2b\n"
		      "str w9, [x0]\n ldr w3, [x0, #4]\n stlr w6, [x11]\n"
		      "and w10, w3, #0xffff\n cmp w10, w9\n b.eq 3f\n"
		      "add x4, x4, #1\n"
		      "3: add x1, x1, #1\n b 1b\n"
		      "4: brk #0");

/* Write each number to one of 32 places, 8 KiB apart. */
GUEST_LOOP(write_places, "and x9, x1, #31\n lsl x9, x9, #13\n"
			 "str w1, [x0, x9]");

/*
 * Accesses that memory says. From arg[0] on are as many entries as number says: 8 bytes
 * of an address, 4 of how to access it, of GUEST_FUZZ_HOWS ways, and 4 of what to write.
 * Each of the ways has 32 bytes.
 */
#define GUEST_FUZZ_HOWS		8
#define GUEST_FUZZ_IS_PIO(how)	((void)(how), false)
GUEST_CODE(fuzz,
	"b 2f\n"
	".balign 32\n 1: strb w3, [x0]\n b 3f\n"
	".balign 32\n strh w3, [x0]\n b 3f\n"
	".balign 32\n str w3, [x0]\n b 3f\n"
	".balign 32\n str x3, [x0]\n b 3f\n"
	".balign 32\n ldrb w3, [x0]\n b 3f\n"
	".balign 32\n ldrsh x3, [x0]\n b 3f\n"
	".balign 32\n ldr w3, [x0]\n b 3f\n"
	".balign 32\n ldr x3, [x0]\n b 3f\n"
	".balign 32\n"
	"3: add x5, x5, #16\n subs x1, x1, #1\n b.ne 2f\n brk #0\n"
	"2: ldr x0, [x5]\n ldr w9, [x5, #8]\n ldr w3, [x5, #12]\n"
	"adr x10, 1b\n add x10, x10, x9, lsl #5\n br x10");

/*
 * What the benchmark repeats: an address goes on by arg[0] each time, and back by arg[2]
 * when it is not below arg[1]. The value is written.
 */
#define BENCH_STEP	"add x0, x0, x5\n cmp x0, x6\n"			\
			"b.lo 2f\n sub x0, x0, x7\n 2:"
GUEST_LOOP(bench_none, BENCH_STEP);
GUEST_LOOP(bench_write, "str w3, [x0]\n" BENCH_STEP);
GUEST_LOOP(bench_read, "ldr w3, [x0]\n" BENCH_STEP);
#undef BENCH_STEP

/* Read, and count what is read together, in 32 bits. */
GUEST_LOOP(sum_reads, "ldr w3, [x0]\n add w4, w4, w3");

#endif /* ARCH_AARCH64_GUESTS_H */
