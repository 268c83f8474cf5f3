#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What QEMU prints of machines, imported and rendered without the module: the views
# are to be those that QEMU prints.

here=$(cd "$(dirname "$0")" && pwd)
mregion=${BUILD:-$here/../../build}/bin/mregion
machines=$here/../topologies/mtree
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

# $1: a name. $2: views as QEMU prints them. The rest: what is imported.
round_trip() {
	name=$1
	awk -f "$here/import_views.awk" "$2" | sort > "$dir/wanted"
	shift 2
	cat "$@" > "$dir/mtree"
	"$mregion" import "$dir/mtree" > "$dir/topo" 2> "$dir/err" &&
		[ ! -s "$dir/err" ] &&
		"$mregion" render --offline "$dir/topo" > "$dir/flat" 2> "$dir/err" &&
		awk -f "$here/import_views.awk" "$dir/flat" | sort > "$dir/got" &&
		[ -s "$dir/wanted" ] &&
		diff "$dir/wanted" "$dir/got" > "$dir/err"
	status=$?
	head -n 20 "$dir/err" | sed 's/^/# /'
	result $status "$name"
}

# $1: a name. $2: the status, $3: the error wanted. The rest: arguments.
expect_error() {
	name=$1
	status=$2
	error=$3
	shift 3
	output=$("$mregion" import "$@" 2>&1 > "$dir/stdout" < "$dir/text")
	[ $? = "$status" ] && [ "$output" = "mregion: $error" ] &&
		[ ! -s "$dir/stdout" ]
	status=$?
	[ $status = 0 ] || echo "# got '$output'"
	result $status "$name"
}

echo "TAP version 13"

for tree in "$machines"/*.tree; do
	machine=$(basename "$tree" .tree)
	views=$machines/$machine.views
	round_trip "$machine, tree and views" "$views" "$tree" "$views"
	# There, vga-lowmem has nothing in it, but is a container.
	[ "$machine" = sparc64.sun4u ] ||
		round_trip "$machine, tree alone" "$views" "$tree"
done
q35=$machines/x86_64.q35
round_trip "x86_64.q35 with owners" "$q35.views" "$q35.owners"
round_trip "x86_64.q35 without what is disabled" "$q35.views" "$q35.enabled"

# As it comes from a monitor that echoes what is typed.
{
	printf 'QEMU 7.2.0 monitor - type '\''help'\'' for more information\r\n'
	printf '(qemu) i\033[K\033[Din\033[K\033[D\033[Dinfo mtree\033[K\r\n'
	sed 's/$/\r/' "$q35.tree"
	printf '(qemu) \r\n'
} > "$dir/echoed"
round_trip "x86_64.q35 as typed" "$q35.views" "$dir/echoed"

: > "$dir/text"
expect_error "flat views alone" 1 "$q35.views: flat views alone have no hierarchy: 'info mtree -D' prints it, without -f" "$q35.views"
expect_error "nothing" 1 "-: nothing of 'info mtree' is in there" -
expect_error "no file" 2 "import: which file?; see 'mregion help import'"
expect_error "two files" 2 "import: one file at a time; see 'mregion help import'" a b
expect_error "no such option" 2 "import: unknown option '-f'" -f "$q35.tree"
expect_error "no such file" 1 "$dir/none: cannot open: No such file or directory" "$dir/none"

printf 'address-space: a\n  what\n' > "$dir/text"
expect_error "no line of a tree" 1 "-:2: this is no line of 'info mtree'" -
root='0000000000000000-000000000000ffff (prio 0, i/o): a'
printf 'address-space: a\n  %s\n    %s\n' "$root" \
	"$(echo "$root" | sed 's,i/o,rum,')" > "$dir/text"
expect_error "no such type" 1 "-:3: unknown type 'rum'" -
printf 'address-space: a\n  %s\n    %s\n' "$root" \
	"0000000000000000-0000000000000fff (prio 0, ram): alias x @y 0000000000000000-0000000000000fff" \
	> "$dir/text"
"$mregion" import - < "$dir/text" 2> "$dir/err" > "$dir/stdout"
[ $? = 1 ] && [ "$(cat "$dir/err")" = "mregion: -:3: there is no region 'y' for the alias" ]
result $? "no such target"

echo "1..$count"
exit $failed
