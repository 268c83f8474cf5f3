#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Boots an unmodified Linux kernel with mregion-vmm and a framebuffer, on which it has
# its console from its first line on: pictures of it are what the guest has there, and
# only the pages that were written are copied for them, also while all memory is copied.
#
# MREGION_GUEST_KERNEL	a bzImage
# MREGION_SCREEN_INITRD	an initramfs with vm_screen_init and virtio's modules
# and what vm_tap.sh says

# shellcheck source-path=SCRIPTDIR source=vm_tap.sh
. "$(dirname "$0")/vm_tap.sh"

[ "$(uname -m)" = x86_64 ] || skip 'a framebuffer: of x86 alone'
[ "${MREGION_GUEST_KERNEL:-}" ] || skip 'MREGION_GUEST_KERNEL is not set'
[ "${MREGION_SCREEN_INITRD:-}" ] || skip 'MREGION_SCREEN_INITRD is not set'

once_more_if_astray "$0"

# The framebuffer has so many pages.
pages=300

# printed PATTERN: whether the guest has, or will no more
# shellcheck disable=SC2317 # called by wait_until
printed()
{
	grep -q "$1" "$tmp/out" || [ -e "$tmp/over" ]
}

# tell LINE: has the guest do that, and waits for it
told=0
tell()
{
	told=$((told + 1))
	echo "$*" >&3
	wait_until 120 printed "^guest: done $told"
}

# written: whether the picture that was asked for last is, or will be no more
# shellcheck disable=SC2317 # called by wait_until
written()
{
	[ "$(grep -c 'screen.png.* is written' "$tmp/err")" -ge "$asked" ] ||
		[ -e "$tmp/over" ]
}

# picture: asks for one, and sets $copied to how many pages were copied for it. The
# VMM says so once it is there.
asked=0
picture()
{
	asked=$((asked + 1))
	kill -USR1 "$pid"
	wait_until 60 written && [ ! -e "$tmp/over" ] || return 1
	copied=$(sed -n 's/.* is written; .*: //p' "$tmp/err" | tail -n 1)
}

# same NAME: the picture is of what the guest has on its disk
same()
{
	png_pixels "$tmp/screen.png" "$tmp/disk" >"$tmp/pixels"
	read -r width height bright different <"$tmp/pixels"
	[ "$width" = 640 ] && [ "$height" = 480 ] && [ "$different" = 0 ]
	same=$?
	echo "# $1: ${width}x$height, $bright pixels not black, $different differ"
	result $same "$1: the picture is what the guest has"
}

# copied NAME NUMBER: so many pages were copied for the last picture
copied()
{
	[ "$copied" = "$2" ]
	exact=$?
	[ $exact -eq 0 ] || echo "# $1: $copied pages"
	result $exact "$1: as many pages are copied as were written, $2"
}

# count NAME: one of the counters
count()
{
	awk -v name="$1" '$1 == name { print $2 }' "$tmp/stats"
}

# has FIELD VALUE: whether the screen's process has; VALUE is a pattern
has()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$process/status" |
		sed 's/[[:space:]]*$//' | grep -qx "$2"
}

# confined: what that may do is little. Of two files it has mappings: the framebuffer, and
# its log, which has one page.
confined()
{
	process=$(grep -lx mregion-screen /proc/[0-9]*/comm)
	process=${process#/proc/}
	process=${process%/comm}
	nobody='65534[[:space:]]65534[[:space:]]65534[[:space:]]65534'
	bad=0
	[ "$process" ] && has Uid "$nobody" && has Gid "$nobody" &&
		has Groups '' && has 'Cap\(Inh\|Prm\|Eff\|Amb\)' '0*' &&
		has NoNewPrivs 1 && has Seccomp 2 &&
		[ "$(grep -c ' r--s .*/memfd:' "/proc/$process/maps")" -eq 1 ] &&
		[ "$(grep -c ' rw-s .*/memfd:' "/proc/$process/maps")" -eq 1 ] ||
		bad=1
	[ $bad -eq 0 ] || [ ! "$process" ] ||
		sed 's/^/# /' "/proc/$process/status" "/proc/$process/maps"
	result $bad 'the process has few privileges, and cannot write the framebuffer'
}

echo 1..22
dd if=/dev/zero of="$tmp/disk" bs=4096 count=$pages 2>/dev/null
mkfifo "$tmp/typed"
: >"$tmp/out"
: >"$tmp/err"
# shellcheck disable=SC2016 # that shell expands it
{
	timeout 900 sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
		"$vmm" --kernel "$MREGION_GUEST_KERNEL" \
		--initrd "$MREGION_SCREEN_INITRD" --memory 256 \
		--blk "$tmp/disk" --cmdline \
		'earlycon=efifb console=tty0 console=ttyS0 loglevel=6 noxsave' \
		--screen "$tmp/screen.png" --copy-live "$tmp/copy" \
		--stats-file "$tmp/stats" <"$tmp/typed" >"$tmp/out" 2>"$tmp/err"
	echo $? >"$tmp/over"
} &
# Should it end too early
trap '' PIPE
exec 3>"$tmp/typed"

wait_until 600 printed '^guest: screen ' &&
	grep -q '^guest: screen EFI VGA 640,480 32 2560' "$tmp/out"
result $? 'the guest drives its framebuffer'
pid=$(cat "$tmp/pid")

picture
result $? 'text: a picture is written when it is asked for'
echo "# text: $copied pages copied"

tell lines
picture
[ "$copied" -ge 50 ] && [ "$copied" -lt $((5 * pages / 2)) ]
result $? "some lines, one by one: $copied pages are copied, and not $((5 * pages))"

tell still
tell dump
picture
same 'text'
[ "$bright" -gt 1000 ] && [ "$bright" -lt 100000 ]
result $? 'text: there is some on it'
confined

tell 'pages 0 1; pages 150 7; pages 299 1'
picture
copied 'random pages' 9
tell dump
picture
same 'random pages'
cp "$tmp/screen.png" "$tmp/before.png"
picture
copied 'nothing' 0
cmp "$tmp/screen.png" "$tmp/before.png"
result $? 'nothing: equal screens give equal files'
tell 'pages 123 1'
picture
copied 'one page once' 1
tell dump
same 'one page once'
! cmp -s "$tmp/screen.png" "$tmp/before.png"
result $? 'one page once: it is another picture'

# shellcheck disable=SC2016 # the guest expands it
tell 'for i in 1 2 3 4 5 6 7 8; do pages $i 1; sleep 0.3; done'
picture
[ "$copied" -ge 8 ] && [ "$copied" -le 16 ]
result $? "some pages, one by one: $copied are copied"

# What the device writes, no vCPU has: the ring, the data, and the status.
tell prepare_disk
picture
tell run_disk
picture
copied 'a disk that writes to the screen' 3
tell dump
same 'a disk that writes to the screen'

tell 'pages 17 200'
tell dump
echo 'poweroff -f' >&3
exec 3>&-
wait
status=$(cat "$tmp/over")
[ "$status" -eq 0 ] || sed 's/^/# /' "$tmp/err"
result "$status" 'the end: with status 0'
same 'the end'
[ "$(count screen.pages)" -gt 209 ] &&
	[ "$(count screen.whole)" -eq $(($(count screen.updates) * pages)) ] &&
	[ "$(count screen.pages)" -lt $(($(count screen.whole) / 2)) ]
result $? "counters: $(count screen.pages) pages were copied, of $(count screen.whole)"
grep -q '^mregion-vmm: --copy-live: .* 0 differ$' "$tmp/err"
result $? 'a copy of all memory made meanwhile is the same'
drawn=$(tail -c $((pages * 4096)) "$tmp/copy" | tr -d '\000' | wc -c)
[ "$drawn" -gt 5000 ]
result $? "... also of the screen, where there was text: $drawn bytes"
[ "$(echo "$tmp"/screen.png*)" = "$tmp/screen.png" ]
result $? 'nothing is left but the picture'
grep '^mregion-vmm: ' "$tmp/err" | sed 's/^/# /'
sed 's/^/# /' "$tmp/stats"
[ "$failed" -eq 0 ] || tail -n 20 "$tmp/out" | sed 's/^/# /'
exit $failed
