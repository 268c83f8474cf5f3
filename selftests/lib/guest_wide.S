/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest for the VMM of the documentation: it reads two registers at once where
 * a rule serves one, and has nothing to do with the adder, whose process stays.
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
	mov	$(UART + UART_STATUS), %dx
	in	%dx, %ax		/* exits: what was printed is seen */
	hlt

hello:
	.asciz	"two at once\n"
guest_end:

	.section .note.GNU-stack, "", @progbits
