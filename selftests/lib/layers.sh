#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The library's files are layers: no two of them call each other, nor do more in a circle.

here=$(dirname "$0")
build=${BUILD:-$here/../../build}
lib=$here/../../userspace/lib

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mregion-layers.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
nr=0
status=0

# result STATUS NAME
result()
{
	nr=$((nr + 1))
	[ "$1" = 0 ] && echo "ok $nr $2" && return
	echo "not ok $nr $2"
	status=1
}

# Prints pairs of files, the first of which calls the second; a pair of the same stands for
# one that calls none. Objects whose sources are gone may still be in the build tree.
calls()
{
	for source in "$1"/*.c; do
		name=$(basename "$source" .c)
		nm "$2/$name.o" > "$tmp/symbols" || return 1
		awk -v name="$name" '
			$(NF - 1) ~ /^[TDBRCVW]$/ { print "has", $NF, name }
			$(NF - 1) == "U" { print "calls", $NF, name }
			END { print "file", "-", name }' "$tmp/symbols"
	done > "$tmp/all"
	awk '
		$1 == "has" { home[$2] = $3 }
		$1 == "calls" { caller[++nr] = $3; called[nr] = $2 }
		$1 == "file" { print $3, $3 }
		END {
			for (i = 1; i <= nr; i++)
				if (called[i] in home && home[called[i]] != caller[i])
					print caller[i], home[called[i]]
		}' "$tmp/all" | sort -u
}

# sorted FILE: whether calls go one way; else says which files are in a circle
sorted()
{
	tsort "$1" > "$tmp/order" 2> "$tmp/circle" && return
	sed -n 's/^tsort: \([a-z_]*\)$/# in a circle: \1/p' "$tmp/circle"
	return 1
}

echo "TAP version 13"
echo "1..3"

calls "$lib" "$build/obj/lib" > "$tmp/calls" && [ -s "$tmp/calls" ] &&
	grep -qx 'commit transaction' "$tmp/calls"
result $? "calls between files are found"

sorted "$tmp/calls"
result $? "calls go one way"

# A circle would be found.
{ cat "$tmp/calls"; echo "transaction commit"; } > "$tmp/bent"
! sorted "$tmp/bent" > "$tmp/said" && grep -q ' commit$' "$tmp/said"
result $? "a call the other way is found"
exit $status
