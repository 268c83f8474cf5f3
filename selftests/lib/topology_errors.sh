#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What mregion says of topology files and arguments that are wrong, and --help.

mregion=${BUILD:-$(dirname "$0")/../../build}/bin/mregion
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count $2"
	else
		echo "not ok $count $2"
		failed=1
	fi
}

# $1: the file, for printf. $2: line and reason.
# shellcheck disable=SC2059
expect() {
	printf "$1" > "$dir/file"
	output=$("$mregion" render "$dir/file" 2>&1 > "$dir/stdout")
	status=$?
	if [ "$status" = 1 ] && [ "$output" = "mregion: $dir/file:$2" ] &&
	   [ ! -s "$dir/stdout" ]; then
		result 0 "$2"
	else
		echo "# wanted status 1, 'mregion: $dir/file:$2'"
		echo "# got status $status, '$output'"
		result 1 "$2"
	fi
}

echo "TAP version 13"

expect 'regoin 1 ram 1 x\n'		"1: unknown statement 'regoin'"
expect '# comment\n\nregion\n'		"3: ID is missing"
expect 'region 0 ram 1 x\n'		"1: ID is out of range: 0"
expect 'region 4294967296 ram 1 x\n'	"1: ID is out of range: 4294967296"
expect 'region x ram 1 x\n'		"1: ID is no number: 'x'"
expect 'region -1 ram 1 x\n'		"1: ID is no number: '-1'"
expect 'region 0x ram 1 x\n'		"1: ID is no number: '0x'"
expect 'region 1\n'			"1: kind is missing"
expect 'region 1 dram 1 x\n'		"1: unknown kind 'dram'"
expect 'region 1 ram\n'			"1: size is missing"
expect 'region 1 ram 0 x\n'		"1: size is out of range: 0"
expect 'region 1 ram 12k x\n'		"1: size is no number: '12k'"
expect 'region 1 ram 0x10000000000000001 x\n' \
	"1: size is out of range: 0x10000000000000001"
expect 'region 1 ram 99999999999999999999999999999999999999999999 x\n' \
	"1: size is out of range: 99999999999999999999999999999999999999999999"
expect 'region 1 ram 1 a\nregion 1 ram 1 b\n' \
	"2: region 1 is defined in line 1 already"
expect 'region 1 ram 1 a\nalias 1 1 0 1 b\n' \
	"2: region 1 is defined in line 1 already"
expect "region 1 ram 1 $(printf '%064d' 0)\n" \
	"1: name is longer than 63 bytes"
expect 'region 1 ram 1 a\tb\n'		"1: name has a control character"
expect 'region 1 ram 1 a\r\n'		"1: line ends in CR LF"
expect '# comment\n\r\nregion\n'	"2: line ends in CR LF"
expect 'region 1 ram 1 a\rb\n'		"1: name has a control character"
expect 'region 1 ram 1 a\0b\n'		"1: line has a NUL character"
expect 'alias 2 3 0 1 x\n'		"1: there is no region 3"
expect 'alias 2\n'			"1: target is missing"
expect 'alias 2 2\n'			"1: offset is missing"
expect 'alias 2 2 0x10000000000000000 1 x\n' \
	"1: offset is out of range: 0x10000000000000000"
expect 'region 1 ram 1 a\nmap 1 2 0 0\n'	"2: there is no region 2"
expect 'region 1 ram 1 a\nmap 2 1 0 0\n'	"2: there is no region 2"
expect 'map 1 2 0\n'			"1: priority is missing"
expect 'map 1 2 0 2147483648\n'		"1: priority is out of range: 2147483648"
expect 'map 1 2 0 -2147483649\n'	"1: priority is out of range: -2147483649"
expect 'map 1 2 0 --1\n'		"1: priority is no number: '--1'"
expect 'map 1 2 0 0 7\n'		"1: unexpected '7'"
expect 'disable\n'			"1: ID is missing"
expect 'disable 7\n'			"1: there is no region 7"
expect 'readonly 7 8\n'			"1: unexpected '8'"
expect 'space\n'			"1: root is missing"
expect 'space memory\n'			"1: root is missing"
expect 'space a b\n'			"1: root is no number: 'b'"
expect 'space memory map 1\n'		"1: there is no region 1"

output=$("$mregion" render "$dir/none" 2>&1)
[ $? = 1 ] && [ "$output" = "mregion: $dir/none: cannot open: No such file or directory" ]
result $? "no such file"

output=$("$mregion" render "$dir" 2>&1)
[ $? = 1 ] && [ "$output" = "mregion: $dir: cannot read: Is a directory" ]
result $? "a directory"

output=$("$mregion" render 2>&1)
[ $? = 2 ] && [ "$output" = "mregion: render: which file?; see 'mregion help'" ]
result $? "no file"

output=$("$mregion" rendre 2>&1)
[ $? = 2 ] && [ "$output" = "mregion: no command 'rendre'; see 'mregion help'" ]
result $? "no such command"

for option in -x --offlien; do
	output=$("$mregion" render $option 2>&1)
	[ $? = 2 ] && [ "$output" = "mregion: render: unknown option '$option'" ]
	result $? "no such option: $option"
done

# $1: the command, as help shows it. The rest: arguments that ask for its help.
expect_help() {
	usage="Usage: mregion $1"
	shift
	output=$("$mregion" "$@" 2> "$dir/stderr") && [ ! -s "$dir/stderr" ] &&
		[ "$(echo "$output" | head -n 1)" = "$usage" ] &&
		[ "$(echo "$output" | wc -l)" -gt 2 ]
	result $? "$*"
}

for option in --help -h; do
	expect_help "[OPTION]... COMMAND [ARGUMENT]..." $option
	expect_help "render FILE" render $option
	expect_help "render FILE" -j ren -j $option file
	expect_help "draw FILE|MACHINE" draw file $option
	expect_help "import FILE" import $option -
	expect_help "info" info $option
	expect_help "version" version $option
	expect_help "help [COMMAND]" help $option
done
expect_help "render FILE" help render

# Without a module there is one line about it, and the view; else there is the view.
printf 'region 1 ram 0x1000 a\nspace s 1\n' > "$dir/file"
wanted="space s
0000000000000000 0000000000000fff 0000000000000000 ram a"
for command in render draw; do
	output=$("$mregion" $command "$dir/file" 2> "$dir/stderr")
	status=$?
	[ $command = draw ] || [ "$output" = "$wanted" ] || status=1
	if [ ! -e /dev/mregion ]; then
		[ "$(cat "$dir/stderr")" = "mregion: there is no /dev/mregion: rendered without the module" ] ||
			status=1
	fi
	[ -e /dev/mregion ] && [ ! -w /dev/mregion ] && status=0
	result $status "$command, with the module or without"
done
# The line is no error, which with -j would be an object of its own.
output=$("$mregion" -j render "$dir/file" 2> /dev/null) &&
	[ "${output#\{\"spaces\":}" != "$output" ]
status=$?
[ -e /dev/mregion ] && [ ! -w /dev/mregion ] && status=0
result $status "-j render, with the module or without"

output=$("$mregion" render --offline "$dir/file" 2> "$dir/stderr") &&
	[ "$output" = "$wanted" ] && [ ! -s "$dir/stderr" ]
result $? "render --offline"

"$mregion" version > /dev/full 2> "$dir/stderr"
[ $? = 1 ] && grep -q 'cannot write: No space left' "$dir/stderr"
result $? "full disk"

echo "1..$count"
exit $failed
