/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guests on riscv64 run. Of struct guest_regs, addr is a0, number a1, end a2, value
 * a3, count a4, and arg[0] to arg[2] are a5 to a7. All instructions have 32 bits.
 */
#ifndef ARCH_RISCV64_GUESTS_H
#define ARCH_RISCV64_GUESTS_H

#include "guest_code.h"

#define GUEST_RISCV(name, assembly)					\
	GUEST_CODE(name, ".option push\n .option norvc\n"		\
			 ".option norelax\n"				\
			 assembly "\n .option pop")

#define GUEST_LOOP(name, body)						\
	GUEST_RISCV(name, "1:\n" body "\n"				\
			  "addi a1, a1, 1\n"				\
			  "bltu a1, a2, 1b\n"				\
			  "ebreak")

/* Write the numbers to an address. */
GUEST_LOOP(mmio_write1, "sb a1, (a0)");
GUEST_LOOP(mmio_write2, "sh a1, (a0)");
GUEST_LOOP(mmio_write4, "sw a1, (a0)");
GUEST_LOOP(mmio_write8, "sd a1, (a0)");

/* Read once. */
GUEST_RISCV(mmio_read1, "lbu a3, (a0)\n ebreak");
GUEST_RISCV(mmio_read2, "lhu a3, (a0)\n ebreak");
GUEST_RISCV(mmio_read4, "lwu a3, (a0)\n ebreak");
GUEST_RISCV(mmio_read8, "ld a3, (a0)\n ebreak");

/* All ends are exits, also with KVM's own irqchip. */
#define guest_mmio_read4_leave	guest_mmio_read4
#define guest_mmio_write4_leave	guest_mmio_write4

/* Never ends. */
GUEST_RISCV(mmio_forever, "1: sw a1, (a0)\n addi a1, a1, 1\n j 1b");

/*
 * Write a number, read it back 4 behind, and count how often it differs: each, or every
 * fourth.
 */
#define COUNT_CHECK	"lw a3, 4(a0)\n sext.w t0, a1\n beq a3, t0, 2f\n" \
			"addi a4, a4, 1\n 2:"
GUEST_LOOP(count_mmio, "sw a1, (a0)\n" COUNT_CHECK);
GUEST_LOOP(count4_mmio, "sw a1, (a0)\n andi t0, a1, 3\n bnez t0, 2f\n"
			COUNT_CHECK);
#undef COUNT_CHECK

/*
 * Look whether all bytes of what is read are the same, and count those that were not;
 * and write such values. Both go on until memory at arg[0] says stop, and number is how
 * often they did it. The bytes are the same if all but the lowest are as all but the
 * highest.
 */
#define TORN_READ(read, bits)						\
	"1: " read "\n"							\
	"srli t0, a3, 8\n"						\
	"slli t1, a3, 64 - " bits " + 8\n srli t1, t1, 64 - " bits " + 8\n" \
	"beq t0, t1, 2f\n addi a4, a4, 1\n"				\
	"2: addi a1, a1, 1\n"						\
	"lw t0, (a5)\n"							\
	"beqz t0, 1b\n ebreak"
#define TORN_WRITE(write)						\
	"li t2, 0x01010101\n slli t0, t2, 32\n or t2, t2, t0\n"		\
	"1: andi t0, a1, 0xff\n mul t0, t0, t2\n " write "\n"		\
	"addi a1, a1, 1\n"						\
	"lw t0, (a5)\n"							\
	"beqz t0, 1b\n ebreak"

GUEST_RISCV(torn_mmio_read2, TORN_READ("lhu a3, (a0)", "16"));
GUEST_RISCV(torn_mmio_read4, TORN_READ("lwu a3, (a0)", "32"));
GUEST_RISCV(torn_mmio_read8, TORN_READ("ld a3, (a0)", "64"));
GUEST_RISCV(torn_mmio_write2, TORN_WRITE("sh t0, (a0)"));
GUEST_RISCV(torn_mmio_write4, TORN_WRITE("sw t0, (a0)"));
GUEST_RISCV(torn_mmio_write8, TORN_WRITE("sd t0, (a0)"));
#undef TORN_READ
#undef TORN_WRITE

/*
 * Read 8 bytes until told to stop. Memory at arg[2] says so; behind that are counted
 * those that are neither arg[0] nor arg[1], with the last of them 12 bytes on, those that
 * are arg[0], and those that are arg[1].
 */
GUEST_RISCV(edge, "1: ld a3, (a0)\n"
		  "addi t0, a7, 8\n beq a3, a5, 2f\n"
		  "addi t0, a7, 12\n beq a3, a6, 2f\n"
		  "addi t0, a7, 4\n sd a3, 16(a7)\n"
		  "2: lw t1, (t0)\n addi t1, t1, 1\n sw t1, (t0)\n"
		  "lw t1, (a7)\n beqz t1, 1b\n ebreak");

/*
 * Select one place after the other in a register at the address, and read what is there in
 * the one behind it, until memory at arg[2] says to stop. The vCPUs take turns: it is this
 * one's when the 4 bytes behind that are arg[0], and then the one's of which arg[1] is.
 * The low half of each place is its index. Those that are not are counted.
 */
GUEST_RISCV(mmio_pair, "1: andi t0, a1, 63\n slli t0, t0, 2\n"
		       "2: lw t1, (a7)\n bnez t1, 4f\n"
		       "lw t1, 4(a7)\n bne t1, a5, 2b\n fence r, rw\n"
		       "sw t0, (a0)\n lwu a3, 4(a0)\n"
		       "fence rw, w\n sw a6, 4(a7)\n"
		       "slli t1, a3, 48\n srli t1, t1, 48\n beq t1, t0, 3f\n"
		       "addi a4, a4, 1\n"
		       "3: addi a1, a1, 1\n j 1b\n"
		       "4: ebreak");

/* Write each number to one of 32 places, 8 KiB apart. */
GUEST_LOOP(write_places, "andi t0, a1, 31\n slli t0, t0, 13\n add t0, t0, a0\n"
			 "sw a1, (t0)");

/*
 * Accesses that memory says. From arg[0] on are as many entries as number says: 8 bytes
 * of an address, 4 of how to access it, of GUEST_FUZZ_HOWS ways, and 4 of what to write.
 * Each of the ways has 32 bytes.
 */
#define GUEST_FUZZ_HOWS		8
#define GUEST_FUZZ_IS_PIO(how)	((void)(how), false)
GUEST_RISCV(fuzz,
	"j 2f\n"
	".balign 32\n 1: sb a3, (a0)\n j 3f\n"
	".balign 32\n sh a3, (a0)\n j 3f\n"
	".balign 32\n sw a3, (a0)\n j 3f\n"
	".balign 32\n sd a3, (a0)\n j 3f\n"
	".balign 32\n lbu a3, (a0)\n j 3f\n"
	".balign 32\n lh a3, (a0)\n j 3f\n"
	".balign 32\n lw a3, (a0)\n j 3f\n"
	".balign 32\n ld a3, (a0)\n j 3f\n"
	".balign 32\n"
	"3: addi a5, a5, 16\n addi a1, a1, -1\n bnez a1, 2f\n ebreak\n"
	"2: ld a0, (a5)\n lwu t0, 8(a5)\n lwu a3, 12(a5)\n"
	"lla t1, 1b\n slli t0, t0, 5\n add t1, t1, t0\n jr t1");

/*
 * What the benchmark repeats: an address goes on by arg[0] each time, and back by arg[2]
 * when it is not below arg[1]. The value is written.
 */
#define BENCH_STEP	"add a0, a0, a5\n bltu a0, a6, 2f\n"		\
			"sub a0, a0, a7\n 2:"
GUEST_LOOP(bench_none, BENCH_STEP);
GUEST_LOOP(bench_write, "sw a3, (a0)\n" BENCH_STEP);
GUEST_LOOP(bench_read, "lw a3, (a0)\n" BENCH_STEP);
#undef BENCH_STEP

/* Read, and count what is read together, in 32 bits. */
GUEST_LOOP(sum_reads, "lw a3, (a0)\n add a4, a4, a3\n"
		      "slli a4, a4, 32\n srli a4, a4, 32");

#endif /* ARCH_RISCV64_GUESTS_H */
