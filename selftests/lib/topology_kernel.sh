#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What mregion render says when the kernel refuses a topology, and corner cases
# of those it takes. Needs the module, and mregion on PATH. With --offline, without
# the module: then the answers are to be the same.

offline=${1:+--offline}
if [ ! "$offline" ] && [ ! -e /dev/mregion ]; then
	echo "1..0 # SKIP the mregion module is not loaded"
	exit 4
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

# $1: a name. $2: the file, for printf. $3: the status, $4: the output wanted
expect() {
	# shellcheck disable=SC2059
	printf "$2" > "$dir/file"
	# shellcheck disable=SC2086
	output=$(cd "$dir" && mregion render $offline file 2>&1)
	status=$?
	count=$((count + 1))
	if [ "$status" = "$3" ] && [ "$output" = "$4" ]; then
		echo "ok $count $1"
	else
		echo "# wanted status $3: $4"
		echo "# got status $status: $output"
		echo "not ok $count $1"
		failed=1
	fi
}

echo "TAP version 13"

two='region 1 container 0x1000 a\nregion 2 mmio 0x1000 b\n'

expect "mapped twice" "${two}map 1 2 0 0\n\nmap 1 2 0 0\nspace s 1\n" 1 \
	"mregion: file:5: it is mapped already (EBUSY)"
expect "parent is an alias" "${two}alias 3 1 0 1 c\nmap 3 2 0 0\n" 1 \
	"mregion: file:4: an alias cannot have subregions (EINVAL)"
expect "mapped in a circle" \
	"${two}# first\nmap 1 2 0 0\nmap 2 1 0 0\nspace s 1\n" 1 \
	"mregion: file:5: it would contain itself (ELOOP)"
expect "alias of an alias of itself" \
	"${two}alias 3 4 0 1 c\nalias 4 3 0 1 d\n" 1 \
	"mregion: file:3: alias 3 shows itself"
expect "alias of itself" "alias 1 1 0 1 a\n" 1 "mregion: file:1: alias 1 shows itself"
expect "alias before its target" \
	'alias 2 3 0x800 0x100 c\nalias 3 1 0 0x1000 b\nregion 1 mmio 0x1000 a\nspace s 2\n' \
	0 "space s
0000000000000000 00000000000000ff 0000000000000800 i/o a"
expect "map before regions" "map 1 2 0x800 -1\n${two}space s 1\n" 0 "space s
0000000000000800 0000000000000fff 0000000000000000 i/o b"
expect "2^64 bytes, no name, decimal, blanks" \
	'region 1 mmio 18446744073709551616\n  space\tbig  one 1  \n' 0 \
	"space big  one
0000000000000000 ffffffffffffffff 0000000000000000 i/o "
expect "later map on top" \
	"${two}region 3 ram 0x10 c\nmap 1 3 0 0\nmap 1 2 0 0\nspace s 1\n" 0 \
	"space s
0000000000000000 0000000000000fff 0000000000000000 i/o b"
expect "disabled and read-only" \
	"${two}region 3 ram 0x10 c\nmap 1 3 0 0\nmap 1 2 0 0\ndisable 2\nreadonly 3\nspace s 1\n" 0 \
	"space s
0000000000000000 000000000000000f 0000000000000000 rom c"
expect "several spaces, one empty" "${two}space s 2\nspace none 1\nspace s 2\n" 0 \
	"space s
0000000000000000 0000000000000fff 0000000000000000 i/o b
space none
space s
0000000000000000 0000000000000fff 0000000000000000 i/o b"
expect "nothing at all" "" 0 "mregion: file: there is no space to render"
expect "no space" "$two" 0 "mregion: file: there is no space to render"

# Deeper than any machine may nest: the space is to blame, nothing before it.
too_deep='regions would be nested deeper than max_depth, or shown within themselves without end (EMLINK)'
if [ "$offline" ]; then
	depth=$(sed -n 's/^#define MREGION_MAX_DEPTH[^0-9]*\([0-9]*\).*/\1/p' \
		"$(dirname "$0")/../../module/limits.h")
else
	depth=$(mregion info | sed -n 's/^max_depth *//p')
fi
i=1
deep='region 1 container 0x1000 r\n'
while [ "$i" -le "$depth" ]; do
	i=$((i + 1))
	deep="${deep}region $i container 0x1000 r\nmap $((i - 1)) $i 0 0\n"
done
expect "too deep" "${deep}space s 1\n" 1 \
	"mregion: file:$((2 * i)): $too_deep"

# A container's upper half in its lower one, by an alias that is in it.
self='region 1 container 0x4000 a\nregion 2 mmio 0x1000 b\nmap 1 2 0x3000 0\nalias 3 1 0x2000 0x2000 c\n'
expect "alias in what it shows" "${self}map 1 3 0 0\nspace s 1\n" 0 "space s
0000000000001000 0000000000001fff 0000000000000000 i/o b
0000000000003000 0000000000003fff 0000000000000000 i/o b"
expect "alias that shows itself" "${self}map 1 3 0x2000 0\nspace s 1\n" 1 \
	"mregion: file:6: $too_deep"

echo "1..$count"
exit $failed
