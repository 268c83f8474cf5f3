#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The headers are C99 and C++11, and all that came after it, without a warning.

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
cc=${CC:-gcc}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mregion-headers.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
echo '#include <linux/mregion.h>' > "$tmp/alone.c"
nr=0
status=0

# compile COMPILER LANGUAGE STANDARD FILE
compile()
{
	"$1" -x "$2" -std="$3" -pedantic -Wall -Wextra -Werror \
		-I"$root/userspace/lib" -I"$root/uapi" \
		-c -o "$tmp/object" "$4"
}

# knows COMPILER LANGUAGE STANDARD
knows()
{
	: | "$1" -x "$2" -std="$3" -fsyntax-only - 2> /dev/null
}

# check COMPILER LANGUAGE STANDARD...: one of these, which are names of the same
check()
{
	compiler=$1
	language=$2
	shift 2
	nr=$((nr + 1))
	name="$compiler $1"
	if ! command -v "$compiler" > /dev/null; then
		echo "ok $nr $name # SKIP there is no $compiler"
		return
	fi
	for standard; do
		knows "$compiler" "$language" "$standard" && break
		standard=
	done
	if [ ! "$standard" ]; then
		echo "ok $nr $name # SKIP $compiler does not know it"
	elif compile "$compiler" "$language" "$standard" "$here/headers.c" \
			> "$tmp/output" 2>&1 &&
	     compile "$compiler" "$language" "$standard" "$tmp/alone.c" \
			>> "$tmp/output" 2>&1; then
		echo "ok $nr $name"
	else
		sed 's/^/# /' "$tmp/output"
		echo "not ok $nr $name"
		status=1
	fi
}

echo "TAP version 13"
echo "1..36"
for compiler in "$cc" clang; do
	for suffix in c gnu; do
		check "$compiler" c ${suffix}99
		check "$compiler" c ${suffix}11
		check "$compiler" c ${suffix}17 ${suffix}18
		check "$compiler" c ${suffix}23 ${suffix}2x
	done
done
for compiler in g++ clang++; do
	for suffix in c gnu; do
		check "$compiler" c++ ${suffix}++11
		check "$compiler" c++ ${suffix}++14
		check "$compiler" c++ ${suffix}++17
		check "$compiler" c++ ${suffix}++20 ${suffix}++2a
		check "$compiler" c++ ${suffix}++23 ${suffix}++2b
	done
done
exit $status
