# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154,SC2317 # vm_ends.sh sources this
#
# The kernels of vm_ends.sh for arm64.

# words WORD...: as printf has them, four bytes each
words()
{
	for word; do
		for shift in 0 8 16 24; do
			printf '\\%03o' $((word >> shift & 255))
		done
	done
}

# kernel FILE WORD...: an Image of 1 MiB, at a multiple of 2 MiB, that executes WORDs
kernel()
{
	image=$1
	shift
	dd if=/dev/zero of="$image" bs=512 count=1 2>/dev/null
	put "$image" 0 "$(words 0x14000010)"	# b .+64, to behind the header
	put "$image" 16 '\000\000\020'		# image_size
	put "$image" 24 '\012'			# flags: 4 KiB pages, placed anywhere
	put "$image" 56 'ARMd'			# magic number
	put "$image" 64 "$(words "$@")"
}

# Sleeps for ever:	1: wfi; b 1b
sleep_for_ever='0xd503207f 0x17ffffff'
# shellcheck disable=SC2086 # two words
kernel "$tmp/sleeps" $sleep_for_ever

# Gives the first virtio device a BAR at 0x10000000, and reads it for ever:
#	mov x0, #0x8000; movk x0, #0x3f00, lsl #16
#	mov w1, #0x10000000; str w1, [x0, #0x10]
#	mov w1, #2; str w1, [x0, #4]
#	mov x0, #0x10000000; 1: ldr w1, [x0]; b 1b
kernel "$tmp/reads" 0xd2900000 0xf2a7e000 0x52a20001 0xb9001001 0x52800041 \
	0xb9000401 0xd2a20000 0xb9400001 0x17ffffff

# prints NAME WORD...: a kernel that executes WORDs when it has printed $text:
#	mov x0, #0x9000000; adr x1, .+0x7c
#	1: ldrb w2, [x1], #1; cbz w2, 2f; strb w2, [x0]; b 1b; 2:
prints()
{
	name=$1
	shift
	kernel "$tmp/$name" 0xd2a12000 0x100003e1 0x38401422 0x34000062 \
		0x39000002 0x17fffffd "$@"
	put "$tmp/$name" $((64 + 0x80)) "$text\000"
}

# mov w0, #0x84000009, of PSCI's SYSTEM_RESET; hvc #0; 1: wfi; b 1b
reset="0x52800120 0x72b08000 0xd4000002 $sleep_for_ever"
# shellcheck disable=SC2086 # several words
prints resets $reset
# shellcheck disable=SC2086 # several words
prints stops $sleep_for_ever

# Loads two registers from where no device is, which KVM cannot decode; resets when it is
# told of an error there:
#	adr x1, .+0x7a8; msr vbar_el1, x1; isb
#	mov x0, #0x10000000; ldp x2, x3, [x0]; 1: wfi; b 1b
# shellcheck disable=SC2086 # several words
prints strays 0x10003d41 0xd518c001 0xd5033fdf 0xd2a20000 0xa9400c02 $sleep_for_ever
# shellcheck disable=SC2086 # several words
put "$tmp/strays" $((0x800 + 0x200)) "$(words $reset)"

# Compressed, on its own and in a program for EFI
gzip -c "$tmp/resets" >"$tmp/packed"
packed_size=$(wc -c <"$tmp/packed")
# zboot FILE COMPRESSION
zboot()
{
	dd if=/dev/zero of="$1" bs=64 count=1 2>/dev/null
	put "$1" 0 'MZ\000\000zimg\100'			# the rest begins at 64
	put "$1" 12 "$(words "$packed_size")"
	put "$1" 24 "$2"
	cat "$tmp/packed" >>"$1"
}
zboot "$tmp/zboot" gzip

dd if="$tmp/sleeps" of="$tmp/short" bs=60 count=1 2>/dev/null
dd if=/dev/zero of="$tmp/bzImage" bs=1024 count=1 2>/dev/null
put "$tmp/bzImage" 0x202 HdrS
changed offset 8 '\000\000\040'
changed large 16 '\000\000\000\000\001'
changed swapped 24 '\013'		# flags: as before, big-endian
changed endless 16 '\377\377\377\377\377\377\377\377'
zboot "$tmp/zstd" zstd
dd if="$tmp/packed" of="$tmp/truncated" bs=$((packed_size - 8)) count=1 2>/dev/null

# Why there are no pictures of screens
no_screen='a framebuffer: of x86 alone'

# Nine cases
refused_kernels()
{
	refuses missing "missing.*No such file"
	result $? 'a kernel that is not there'
	refuses empty 'empty.*is empty'
	result $? 'an empty file'
	refuses text 'text.*is not an Image'
	result $? 'a text'
	refuses short 'short.*is not an Image: it is too short'
	result $? 'half a header'
	refuses bzImage 'bzImage for x86' &&
		refuses swapped 'swapped.*is for big-endian processors'
	result $? "another architecture's kernel, and of another byte order"
	refuses offset 'offset.*damaged.*0x200000' &&
		refuses endless 'endless.*damaged.*0xffffffffffffffff'
	result $? 'a kernel for a place or of a size that there is not'
	refuses large 'large.*needs 4098 MiB.*--memory'
	result $? 'a kernel that needs more memory than there is'
	refuses zstd 'zstd.*is compressed by zstd'
	result $? 'a kernel that is compressed in another way'
	refuses truncated 'cannot unpack.*truncated'
	result $? 'a compressed kernel without its end'
}

# Four cases
nr_endings=4
ending()
{
	last 0 'the guest asked for a reset' resets
	last 0 'the guest asked for a reset' packed
	last 0 'the guest asked for a reset' zboot
	last 0 'the guest asked for a reset' strays
}
