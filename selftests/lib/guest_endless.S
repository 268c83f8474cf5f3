/* SPDX-License-Identifier: GPL-2.0 */
/* A guest for the VMM of the documentation: it never ends. */
	.section .rodata
	.globl guest, guest_end
	.code16
guest:
	sti			/* see intel in ../vm/README */
1:	jmp	1b
guest_end:

	.section .note.GNU-stack, "", @progbits
