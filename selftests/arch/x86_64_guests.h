/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guests on x86 run. Of struct guest_regs, addr is rdi, port rdx, number rcx, end
 * rsi, value rax, count r8, arg[0] r9, arg[1] r10 and arg[2] r11.
 */
#ifndef ARCH_X86_64_GUESTS_H
#define ARCH_X86_64_GUESTS_H

#include "guest_code.h"

#define GUEST_LOOP(name, body)						\
	GUEST_CODE(name, "1:\n" body "\n"				\
			 "inc %rcx\n"					\
			 "cmp %rsi, %rcx\n"				\
			 "jb 1b\n"					\
			 "hlt")

/* Write the numbers to an address or a port. */
GUEST_LOOP(mmio_write1, "mov %cl, (%rdi)");
GUEST_LOOP(mmio_write2, "mov %cx, (%rdi)");
GUEST_LOOP(mmio_write4, "mov %ecx, (%rdi)");
GUEST_LOOP(mmio_write8, "mov %rcx, (%rdi)");
GUEST_LOOP(pio_write1, "mov %ecx, %eax\n out %al, %dx");
GUEST_LOOP(pio_write2, "mov %ecx, %eax\n out %ax, %dx");
GUEST_LOOP(pio_write4, "mov %ecx, %eax\n out %eax, %dx");

/* Read once. */
GUEST_CODE(mmio_read1, "xor %eax, %eax\n mov (%rdi), %al\n hlt");
GUEST_CODE(mmio_read2, "xor %eax, %eax\n mov (%rdi), %ax\n hlt");
GUEST_CODE(mmio_read4, "xor %eax, %eax\n mov (%rdi), %eax\n hlt");
GUEST_CODE(mmio_read8, "mov (%rdi), %rax\n hlt");
GUEST_CODE(pio_read1, "xor %eax, %eax\n in %dx, %al\n hlt");
GUEST_CODE(pio_read2, "xor %eax, %eax\n in %dx, %ax\n hlt");
GUEST_CODE(pio_read4, "in %dx, %eax\n hlt");

/* Write as many bytes as the number says, from arg[0] on, by one instruction. */
GUEST_CODE(pio_string, "mov %r9, %rsi\n cld\n rep outsb\n hlt");

/* The same where a vCPU does not exit by halting: with KVM's own irqchip. */
#define END_PORT	0xf4
GUEST_CODE(mmio_read4_leave, "mov (%rdi), %eax\n out %al, $0xf4");
GUEST_CODE(mmio_write4_leave, "mov %ecx, (%rdi)\n out %al, $0xf4");
GUEST_CODE(pio_write4_leave, "mov %ecx, %eax\n out %eax, %dx\n"
			     "out %al, $0xf4");

/* Never ends. */
GUEST_CODE(mmio_forever, "1: mov %ecx, (%rdi)\n inc %rcx\n jmp 1b");

/*
 * Write a number, read it back 4 behind, and count how often it differs: each, or every
 * fourth.
 */
#define COUNT_CHECK	"cmp %ecx, %eax\n je 2f\n inc %r8\n 2:"
GUEST_LOOP(count_mmio, "mov %ecx, (%rdi)\n mov 4(%rdi), %eax\n" COUNT_CHECK);
GUEST_LOOP(count_pio, "mov %ecx, %eax\n out %eax, %dx\n"
		      "add $4, %edx\n in %dx, %eax\n sub $4, %edx\n"
		      COUNT_CHECK);
GUEST_LOOP(count4_mmio, "mov %ecx, (%rdi)\n test $3, %ecx\n jnz 2f\n"
			"mov 4(%rdi), %eax\n" COUNT_CHECK);
GUEST_LOOP(count4_pio, "mov %ecx, %eax\n out %eax, %dx\n"
		       "test $3, %ecx\n jnz 2f\n"
		       "add $4, %edx\n in %dx, %eax\n sub $4, %edx\n"
		       COUNT_CHECK);
#undef COUNT_CHECK

/*
 * Look whether all bytes of what is read are the same, and count those that were not;
 * and write such values. Both go on until memory at arg[0] says stop, and number is how
 * often they did it.
 */
#define TORN_READ(read, reg, other)					\
	"1: " read "\n"							\
	"mov %" reg ", %" other "\n"					\
	"rol $8, %" other "\n"						\
	"cmp %" reg ", %" other "\n"					\
	"je 2f\n inc %r8\n"						\
	"2: inc %rcx\n"							\
	"cmpl $0, (%r9)\n"						\
	"je 1b\n hlt"
#define TORN_WRITE(write)						\
	"movabs $0x0101010101010101, %r10\n"				\
	"1: movzbl %cl, %eax\n imul %r10, %rax\n " write "\n"		\
	"inc %rcx\n"							\
	"cmpl $0, (%r9)\n"						\
	"je 1b\n hlt"

GUEST_CODE(torn_mmio_read2, TORN_READ("mov (%rdi), %ax", "ax", "bx"));
GUEST_CODE(torn_mmio_read4, TORN_READ("mov (%rdi), %eax", "eax", "ebx"));
GUEST_CODE(torn_mmio_read8, TORN_READ("mov (%rdi), %rax", "rax", "rbx"));
GUEST_CODE(torn_pio_read2, TORN_READ("in %dx, %ax", "ax", "bx"));
GUEST_CODE(torn_pio_read4, TORN_READ("in %dx, %eax", "eax", "ebx"));
GUEST_CODE(torn_mmio_write2, TORN_WRITE("mov %ax, (%rdi)"));
GUEST_CODE(torn_mmio_write4, TORN_WRITE("mov %eax, (%rdi)"));
GUEST_CODE(torn_mmio_write8, TORN_WRITE("mov %rax, (%rdi)"));
GUEST_CODE(torn_pio_write2, TORN_WRITE("out %ax, %dx"));
GUEST_CODE(torn_pio_write4, TORN_WRITE("out %eax, %dx"));
#undef TORN_READ
#undef TORN_WRITE

/*
 * Read 8 bytes until told to stop. Memory at arg[2] says so; behind that are counted
 * those that are neither arg[0] nor arg[1], with the last of them 12 bytes on, those that
 * are arg[0], and those that are arg[1].
 */
GUEST_CODE(edge, "1: mov (%rdi), %rax\n"
		 "cmp %r9, %rax\n je 2f\n"
		 "cmp %r10, %rax\n je 3f\n"
		 "incl 4(%r11)\n mov %rax, 16(%r11)\n jmp 4f\n"
		 "2: incl 8(%r11)\n jmp 4f\n"
		 "3: incl 12(%r11)\n"
		 "4: cmpl $0, (%r11)\n je 1b\n hlt");

/*
 * Select one place after the other in a register at the address, and read what is there in
 * the one behind it, until memory at arg[2] says to stop. The vCPUs take turns: it is this
 * one's when the 4 bytes behind that are arg[0], and then the one's of which arg[1] is.
 * The low half of each place is its index. Those that are not are counted. With
 * interrupts off, the host's would not end the wait of this vCPU in Bochs: vm/README.
 */
#define PAIR(access)							\
	"sti\n"								\
	"1: mov %ecx, %ebx\n and $63, %ebx\n shl $2, %ebx\n"		\
	"2: cmpl $0, (%r11)\n jne 5f\n"				\
	"cmp %r9d, 4(%r11)\n je 3f\n pause\n jmp 2b\n"		\
	"3: " access "\n mov %r10d, 4(%r11)\n"				\
	"cmp %bx, %ax\n je 4f\n inc %r8\n"				\
	"4: inc %rcx\n jmp 1b\n"					\
	"5: hlt"

GUEST_CODE(mmio_pair, PAIR("mov %ebx, (%rdi)\n mov 4(%rdi), %eax"));
GUEST_CODE(pio_pair, PAIR("mov %ebx, %eax\n out %eax, %dx\n add $4, %edx\n"
			  "in %dx, %eax\n sub $4, %edx"));
#undef PAIR

/* Write each number to one of 32 places, 8 KiB apart. */
GUEST_LOOP(write_places, "mov %ecx, %eax\n"
			 "and $31, %eax\n"
			 "shl $13, %eax\n"
			 "mov %ecx, (%rdi, %rax)");

/*
 * Accesses that memory says. From arg[0] on are as many entries as number says: 8 bytes
 * of an address, 4 of how to access it, of GUEST_FUZZ_HOWS ways, and 4 of what to write.
 * arg[1] is where strings land. Each of the ways has 32 bytes, and leaves nothing behind
 * but a value and its address.
 */
#define GUEST_FUZZ_HOWS		20
#define GUEST_FUZZ_IS_PIO(how)	((how) >= 8 && (how) <= 15)
GUEST_CODE(fuzz,
	"jmp 2f\n"
	".balign 32, 0x90\n 1: mov %al, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n mov %ax, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n mov %eax, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n mov %rax, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n mov (%rdi), %al\n jmp 3f\n"
	".balign 32, 0x90\n mov (%rdi), %ax\n jmp 3f\n"
	".balign 32, 0x90\n mov (%rdi), %eax\n jmp 3f\n"
	".balign 32, 0x90\n mov (%rdi), %rax\n jmp 3f\n"
	".balign 32, 0x90\n mov %edi, %edx\n out %al, %dx\n jmp 3f\n"
	".balign 32, 0x90\n mov %edi, %edx\n out %ax, %dx\n jmp 3f\n"
	".balign 32, 0x90\n mov %edi, %edx\n out %eax, %dx\n jmp 3f\n"
	".balign 32, 0x90\n mov %edi, %edx\n in %dx, %al\n jmp 3f\n"
	".balign 32, 0x90\n mov %edi, %edx\n in %dx, %ax\n jmp 3f\n"
	".balign 32, 0x90\n mov %edi, %edx\n in %dx, %eax\n jmp 3f\n"
	".balign 32, 0x90\n mov %r9, %rsi\n mov %ecx, %r11d\n mov %edi, %edx\n"
		"mov $5, %ecx\n rep outsw\n jmp 4f\n"
	".balign 32, 0x90\n mov %ecx, %r11d\n mov %edi, %edx\n"
		"mov %r10d, %edi\n mov $5, %ecx\n rep insb\n jmp 4f\n"
	".balign 32, 0x90\n mov %r9, %rsi\n mov %ecx, %r11d\n"
		"mov $3, %ecx\n rep movsl\n jmp 4f\n"
	".balign 32, 0x90\n xchg %eax, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n lock addl %eax, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n movw $7, (%rdi)\n jmp 3f\n"
	".balign 32, 0x90\n 4: mov %r11d, %ecx\n"
	"3: add $16, %r9\n dec %ecx\n jnz 2f\n out %al, $0xf4\n hlt\n"
	"2: mov (%r9), %rdi\n mov 8(%r9), %ebx\n mov 12(%r9), %eax\n"
	"shl $5, %ebx\n lea 1b(%rip), %rdx\n add %rbx, %rdx\n cld\n jmp *%rdx");

/*
 * What the benchmark repeats: an address or port goes on by arg[0] each time, and back
 * by arg[2] when it is not below arg[1]. The value is written.
 */
#define BENCH_STEP(reg)	"add %r9, %" reg "\n cmp %r10, %" reg "\n"	\
			"jb 2f\n sub %r11, %" reg "\n 2:"
GUEST_LOOP(bench_none, BENCH_STEP("rdi"));
GUEST_LOOP(bench_write, "mov %eax, (%rdi)\n" BENCH_STEP("rdi"));
GUEST_LOOP(bench_read, "mov (%rdi), %eax\n" BENCH_STEP("rdi"));
GUEST_LOOP(bench_out, "out %eax, %dx\n" BENCH_STEP("rdx"));
GUEST_LOOP(bench_in, "in %dx, %eax\n" BENCH_STEP("rdx"));
#undef BENCH_STEP

/* Read, and count what is read together, in 32 bits. */
GUEST_LOOP(sum_reads, "mov (%rdi), %eax\n add %eax, %r8d");

#endif /* ARCH_X86_64_GUESTS_H */
