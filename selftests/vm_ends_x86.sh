# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154,SC2317 # vm_ends.sh sources this
#
# The kernels of vm_ends.sh for x86.

# kernel FILE CODE: a bzImage of boot protocol 2.15 that executes CODE
kernel()
{
	dd if=/dev/zero of="$1" bs=512 count=3 2>/dev/null
	put "$1" 0x1f1 '\001'			# setup_sects
	put "$1" 0x1f4 '\040'			# syssize, in 16 bytes
	put "$1" 0x1fe '\125\252'		# boot_flag
	put "$1" 0x200 '\353\152HdrS\017\002'	# jump; magic number; version
	put "$1" 0x211 '\001'			# loadflags: LOADED_HIGH
	put "$1" 0x22c '\377\377\377\177'	# initrd_addr_max
	put "$1" 0x238 '\377\007'		# cmdline_size
	put "$1" 0x25a '\020'			# pref_address: 1 MiB
	put "$1" 0x262 '\020'			# init_size: 1 MiB
	put "$1" 1024 "$2"
}

# Sleeps for ever:	1: hlt; jmp 1b
kernel "$tmp/sleeps" '\364\353\375'

# Gives the first virtio device a BAR at 0xd0000000, and reads it for ever:
#	mov $0xcf8, %edx; mov $0x80000810, %eax; out %eax, %dx
#	mov $0xcfc, %edx; mov $0xd0000000, %eax; out %eax, %dx
#	mov $0xcf8, %edx; mov $0x80000804, %eax; out %eax, %dx
#	mov $0xcfc, %edx; mov $2, %eax; out %eax, %dx
#	1: mov 0xd0000000, %eax; jmp 1b
kernel "$tmp/reads" "\
\272\370\014\000\000\270\020\010\000\200\357\
\272\374\014\000\000\270\000\000\000\320\357\
\272\370\014\000\000\270\004\010\000\200\357\
\272\374\014\000\000\270\002\000\000\000\357\
\241\000\000\000\320\353\371"

# prints NAME CODE: a kernel that executes CODE when it has printed $text:
#	mov $0x100080, %esi; mov $0x3f8, %edx
#	1: lodsb; test %al, %al; je 2f; out %al, %dx; jmp 1b; 2:
prints()
{
	kernel "$tmp/$1" "\
\276\200\000\020\000\272\370\003\000\000\
\254\204\300\164\003\356\353\370$2"
	put "$tmp/$1" $((1024 + 0x80)) "$text\000"
}

# mov $0xfe, %al; out %al, $0x64; 1: hlt; jmp 1b
prints resets '\260\376\346\144\364\353\375'
# lidt 0x1000f0, where there is nothing; int3
prints faults '\017\001\035\360\000\020\000\314'
# mov $0xd0000000, %eax; jmp *%eax
prints strays '\270\000\000\000\320\377\340'
# 1: hlt; jmp 1b
prints stops '\364\353\375'

# Draws on all of the framebuffer, for ever; interrupts on, as vm/README says of intel:
#	sti; 1: mov $0xa0000000, %edi; mov $307200, %ecx; inc %eax; rep stosl; jmp 1b
kernel "$tmp/draws" '\373\277\000\000\000\240\271\000\260\004\000\100\363\253\353\361'

dd if="$tmp/sleeps" of="$tmp/truncated" bs=512 count=2 2>/dev/null
changed longer 0x1f4 '\377\377'
# Its payload begins behind its end, by less than one of syssize's units.
changed whole 0x1f1 '\002\000\000\000\000\000\000'
dd if="$tmp/whole" of="$tmp/nothing" bs=1530 count=1 2>/dev/null
changed address 0x258 '\377\377\377\377\377\377\377\377'
changed wraps 0x258 '\000\000\000\377\377\377\377\377\000\000\000\001'
changed large 0x260 '\377\377\377\377'

# Why there are no pictures of screens
no_screen=

# Nine cases
refused_kernels()
{
	refuses missing "missing.*No such file"
	result $? 'a kernel that is not there'
	refuses empty 'empty.*is empty'
	result $? 'an empty file'
	refuses text 'text.*is not a bzImage'
	result $? 'a text'
	refuses truncated 'truncated.*is cut short'
	result $? 'a kernel without its payload'
	refuses longer 'longer.*is cut short'
	result $? 'a kernel shorter than it says'
	refuses nothing 'nothing.*is cut short'
	result $? 'a kernel whose payload is behind its end'
	refuses address 'address.*damaged.*0xffffffffffffffff'
	result $? 'a kernel for the last address there is'
	refuses wraps 'wraps.*damaged.*0xffffffffff000000'
	result $? 'a kernel that ends behind that'
	refuses large 'large.*needs 4097 MiB.*--memory'
	result $? 'a kernel that needs more memory than there is'
}

# Three cases
nr_endings=3
ending()
{
	last 0 'the guest asked for a reset' resets
	last 1 'vCPU 0: triple fault' faults
	last 1 'vCPU 0: KVM cannot emulate' strays
}
