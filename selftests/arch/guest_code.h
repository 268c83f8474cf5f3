/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all architectures' guests have in common: pieces of code that do not care
 * where they are, and the registers that these begin and end with.
 */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include <stdint.h>

/**
 * struct guest_regs - what a guest's code is given, and what it leaves
 * @pc: the address of its next instruction; only read
 * @addr: of its accesses, in memory
 * @port: the same, of those to ports; 0 where an architecture has none
 * @number: it writes this and counts up
 * @end: until it has come to this, but once at least
 * @value: what it has read last, from @addr or @port
 * @count: what it has found out, from 0 on; each piece says what
 * @arg: more that it is given; each piece says what
 *
 * Each architecture has a register for each.
 */
struct guest_regs {
	uint64_t pc;
	uint64_t addr;
	uint64_t port;
	uint64_t number;
	uint64_t end;
	uint64_t value;
	uint64_t count;
	uint64_t arg[3];
};

struct guest_code {
	uint64_t len;
	uint8_t code[];
};

/*
 * Hidden, as a compiler for position-independent code would look it up in the global
 * offset table, where names of one object alone cannot be.
 */
#define GUEST_CODE(name, assembly)					\
	asm(".pushsection .rodata\n"					\
	    ".balign 8\n"						\
	    "guest_" #name ":\n"					\
	    ".8byte guest_" #name "_end - guest_" #name " - 8\n"	\
	    assembly "\n"						\
	    "guest_" #name "_end:\n"					\
	    ".popsection\n");						\
	extern const struct guest_code guest_##name			\
		__attribute__((visibility("hidden")))

#endif /* GUEST_CODE_H */
