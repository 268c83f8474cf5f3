#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# libmregion.so exports what mregion.h declares, and nothing else.

here=$(dirname "$0")
build=${BUILD:-$here/../../build}

# Functions stand at the beginning of a line or after their type.
declared=$(sed -e '/^[ \t]*[/ ]\*/d' "$here/../../userspace/lib/mregion.h" |
	   grep -o '\bmregion_[a-z_]*(' | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$build/lib/libmregion.so" |
	   awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort -u)

echo "TAP version 13"
echo "1..1"
if [ -n "$declared" ] && [ "$declared" = "$exported" ]; then
	echo "ok 1 exports"
else
	for name in $exported; do
		echo "$declared" | grep -qx "$name" ||
			echo "# exported, not declared: $name"
	done
	for name in $declared; do
		echo "$exported" | grep -qx "$name" ||
			echo "# declared, not exported: $name"
	done
	echo "not ok 1 exports"
	exit 1
fi
