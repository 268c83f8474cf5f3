#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Options of the mregion command, and what it says without the module.

mregion=${BUILD:-$(dirname "$0")/../../build}/bin/mregion
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

# expect STATUS OUTPUT ARGUMENT...: what is printed on either output
expect()
{
	wanted=$1
	text=$2
	shift 2
	output=$("$mregion" "$@" 2>&1 </dev/null)
	status=$?
	count=$((count + 1))
	if [ "$status" = "$wanted" ] && [ "$output" = "$text" ]; then
		echo "ok $count $*"
	else
		echo "# wanted status $wanted: $text"
		echo "# got status $status: $output"
		echo "not ok $count $*"
		failed=1
	fi
}

# usage LINE ARGUMENT...: that line is in the help, and an example is
usage()
{
	line=$1
	shift
	count=$((count + 1))
	if "$mregion" "$@" >"$dir/help" && grep -qF "$line" "$dir/help" &&
	   grep -q '^Example' "$dir/help"; then
		echo "ok $count $*"
	else
		sed 's/^/# /' "$dir/help"
		echo "not ok $count $*"
		failed=1
	fi
}

echo "TAP version 13"

version=$(cat "$(dirname "$0")/../../VERSION")
# no module is loaded where this runs, or it is of this version
module=null
module_abi=null
[ ! -e /sys/module/mregion ] || module="\"$version\""
[ ! -w /dev/mregion ] || module_abi=3
line="{\"version\":\"$version\",\"abi_version\":3,\"library\":\"$version\",\"module\":$module,\"module_abi_version\":$module_abi}"
pretty="{
    \"version\": \"$version\",
    \"abi_version\": 3,
    \"library\": \"$version\",
    \"module\": $module,
    \"module_abi_version\": $module_abi
}"
expect 0 "$line" -j version
expect 0 "$line" version --json
expect 0 "$pretty" -jp version
expect 0 "$pretty" -p version -j
expect 0 "$pretty" --pretty --json vers
expect 0 "$pretty" version --pre --js
expect 0 "$pretty" -V -jp
expect 2 "mregion: unknown option '-x'; see 'mregion help'" -px version
expect 2 "mregion: unknown option '--none'; see 'mregion help'" --none
expect 2 "mregion: show: unknown option '-t'" show -t
expect 2 "mregion: top: option '-n' needs an argument" top -n
expect 2 "mregion: top: option '--interval' needs an argument" top --interval
expect 2 "mregion: top: no such number of tables: '0'" top -n 0
expect 2 "mregion: top: no such number of tables: '-1'" top -n -1
expect 2 "mregion: stat: no such number of seconds: '1s'" stat -i 1s
expect 2 "mregion: stat: no such number of seconds: '0'" stat -i0
expect 2 "mregion: monitor: no such number of bytes: 'many'" monitor -b many
expect 2 "mregion: neither auto, always nor never: 'blue'; see 'mregion help'" \
	--color=blue version
expect 2 '{"error":"show: unknown option '"'-x'"'"}' -j show -x
expect 2 "mregion: 's' is ambiguous: show or stat?" s
expect 2 "mregion: show: no such number of a machine: '0'" show 0
expect 2 "mregion: show: no such number of a machine: '3x'" show 3x
expect 2 "mregion: show: no such number of a machine: '4294967296'" \
	show 4294967296
expect 2 "mregion: top: pid: which process?" top pid
expect 2 "mregion: show: no such kind of region: 'RAM'" show 1 kind RAM
expect 2 "mregion: show: name: which?" show name
expect 2 "mregion: stat: unexpected 'all'; see 'mregion help stat'" stat all
expect 2 "mregion: monitor: unexpected 'pid'; see 'mregion help monitor'" \
	monitor pid 1
expect 2 "mregion: trace: no such number of events: '0'" trace -n 0
expect 2 "mregion: trace: no such outcome: 'exits'" trace outcome exits
expect 2 "mregion: trace: outcome: which?" trace 3 outcome
expect 2 "mregion: trace: region: only one" trace 3 region 1 region 2
expect 2 "mregion: trace: unexpected 'serial'; see 'mregion help trace'" \
	trace 3 serial
expect 2 "mregion: translate: no such number of a space: '-1'" \
	translate 1 -- -1 0
expect 2 "mregion: translate: no such address: '0x10000000000000000'" \
	translate 1 1 0x10000000000000000
expect 2 "mregion: translate: no such address: '0xg'" translate 1 1 0xg
expect 2 "mregion: translate: which machine, space and address?; see 'mregion help translate'" \
	translate 1
expect 2 "mregion: show: 'trees' is no machine, selection or filter; see 'mregion help show'" \
	show 1 trees
expect 2 '{"error":"show: name: which?"}' -j show name
expect 2 "mregion: draw: no such number of a space: 'memory'" \
	draw 1 -s memory
expect 2 "mregion: draw: --offline: a machine is the module's; see 'mregion help draw'" \
	draw --offline 1

usage 'Usage: mregion show [MACHINE] [SELECTION]... [FILTER]...' show --help
usage 'Usage: mregion monitor [MACHINE]' monitor -h
usage '  -b, --buffer BYTES ' help mon
usage 'Usage: mregion trace [MACHINE] [region NAME|ID] ' trace --help
usage '  -n, --count COUNT      end after so many events' help trace
usage 'Usage: mregion stat [MACHINE]' stat -jh
usage 'Usage: mregion top [MACHINE]' help top
usage 'Usage: mregion translate MACHINE SPACE ADDRESS' translate --help 1 2
usage 'Usage: mregion render FILE' render --help
usage 'Usage: mregion info' info --help

if ! grep -q mregion /proc/modules 2>/dev/null; then
	none='no generic netlink family "mregion": is the module loaded? (modprobe mregion)'
	for command in show monitor stat top 'translate 1 1 0'; do
		# shellcheck disable=SC2086 # words
		expect 1 "mregion: $none" $command
	done
	expect 1 "{\"error\":\"$(echo "$none" | sed 's/"/\\"/g')\"}" -j show
	printf 'region 1 ram 0 x\n' >"$dir/file"
	expect 1 "{\"error\":\"$dir/file:1: size is out of range: 0\"}" \
		-j render "$dir/file"
fi

echo "1..$count"
exit $failed
