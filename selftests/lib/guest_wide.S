/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest for the VMM of the documentation: it reads two registers at once where
 * a rule serves one, and writes two of which one is a doorbell. It has nothing to do
 * with the adder, whose process stays.
 */
#include "machine.h"

	.section .rodata
	.globl guest, guest_end
	.code16
guest:
	mov	$(CODE + hello - guest), %si
print:
	lodsb
	test	%al, %al
	jz	last
	mov	%al, %cl
	mov	$(UART + UART_STATUS), %dx
not_ready:
	in	%dx, %ax		/* and the register behind it */
	test	$0x20, %al
	jz	not_ready
	mov	$UART, %dx
	mov	%cl, %al
	out	%al, %dx
	jmp	print

last:
	mov	$(ENGINE >> 4), %ax
	mov	%ax, %es
	mov	%es:ENGINE_DONE, %ax	/* refused: all-ones */
	movzwl	%ax, %eax
	mov	%eax, SQUARE
	movq	CODE + number - guest, %mm0
	movq	%mm0, %es:ENGINE_NUMBER	/* and what is behind the doorbell */
not_done:
	mov	%es:ENGINE_DONE, %eax
	test	%eax, %eax
	jz	not_done
	mov	%es:ENGINE_SQUARE, %eax
	mov	%eax, SUM
	mov	$(UART + UART_STATUS), %dx
	in	%dx, %ax		/* exits: what was printed is seen */
	hlt

number:
	.quad	5
hello:
	.asciz	"two at once\n"
guest_end:

	.section .note.GNU-stack, "", @progbits
