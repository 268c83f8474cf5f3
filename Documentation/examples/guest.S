/* SPDX-License-Identifier: MIT */
/* The guest, in real mode, in which a processor begins. */
#include "machine.h"

	.section .rodata
	.globl guest, guest_end
	.code16
guest:
	mov	$(CODE + hello - guest), %si
	mov	$(CODE + square - guest), %di
print:
	lodsb
	test	%al, %al
	jz	printed
	mov	%al, %ah
	mov	$(UART + UART_STATUS), %dx
not_ready:
	in	%dx, %al		/* from shadow memory */
	test	$0x20, %al
	jz	not_ready
	mov	$UART, %dx
	mov	%ah, %al
	out	%al, %dx		/* into the ring */
	jmp	print
printed:
	jmp	*%di

square:
	mov	$(ENGINE >> 4), %ax
	mov	%ax, %es
	movl	$7, %es:ENGINE_NUMBER	/* rings the doorbell */
not_done:
	mov	%es:ENGINE_DONE, %eax	/* from shadow memory */
	test	%eax, %eax
	jz	not_done
	mov	%es:ENGINE_SQUARE, %eax
	mov	%eax, SQUARE

	mov	$(ADDER >> 4), %ax
	mov	%ax, %es
	movl	$1, %es:ADDER_ADD	/* posted to the other process */
	movl	$2, %es:ADDER_ADD
	movl	$3, %es:ADDER_ADD
	mov	%es:ADDER_SUM, %eax	/* answered there, after these */
	mov	%eax, SUM

	movl	$1, %es:ADDER_CRASH
	mov	%es:ADDER_SUM, %eax	/* answered by the VMM from now on */
	mov	%eax, SUM_LATER

	mov	$(CODE + goodbye - guest), %si
	mov	$(CODE + end - guest), %di
	jmp	print
end:
	hlt				/* its last words wait in the ring */

hello:
	.asciz	"hello from the guest\n"
goodbye:
	.asciz	"goodbye\n"
guest_end:

	.section .note.GNU-stack, "", @progbits
