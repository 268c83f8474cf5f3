#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# libmregion.so exports what mregion.h declares, and nothing else. Debian's list has the
# same functions.

here=$(dirname "$0")
build=${BUILD:-$here/../../build}

# Functions stand at the beginning of a line or after their type.
declared=$(sed -e '/^[ \t]*[/ ]\*/d' "$here/../../userspace/lib/mregion.h" |
	   grep -o '\bmregion_[a-z_]*(' | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$build/lib/libmregion.so" |
	   awk '$2 == "T" {
			sub(/@.*/, "", $3)
			print $3
		}' | sort -u)
listed=$(sed -n 's/^ \(mregion_[a-z_]*\)@.*/\1/p' \
		"$here/../../debian/libmregion0.symbols" | sort -u)
nr=0
status=0

# same NAME WHAT LIST WHAT LIST
same()
{
	nr=$((nr + 1))
	if [ "$3" ] && [ "$3" = "$5" ]; then
		echo "ok $nr $1"
		return
	fi
	for name in $3; do
		echo "$5" | grep -qx "$name" || echo "# $2, not $4: $name"
	done
	for name in $5; do
		echo "$3" | grep -qx "$name" || echo "# $4, not $2: $name"
	done
	echo "not ok $nr $1"
	status=1
}

echo "TAP version 13"
echo "1..2"
same exports exported "$exported" declared "$declared"
same symbols exported "$exported" listed "$listed"
exit $status
