#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What `make install` puts in place is enough to build the examples with, static or
# shared, and has a manual page for each command. The library can be built alone.

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
cc=${CC:-gcc}
examples=$here/../../Documentation/examples

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mregion-install.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
root=$tmp/root
nr=0
status=0

# check NAME COMMAND...
check()
{
	name=$1
	shift
	nr=$((nr + 1))
	if "$@" > "$tmp/output" 2>&1; then
		echo "ok $nr $name"
	else
		sed 's/^/# /' "$tmp/output"
		echo "not ok $nr $name"
		status=1
	fi
}

skip()
{
	nr=$((nr + 1))
	echo "ok $nr $1 # SKIP there is no $2"
}

install_all()
{
	make -s -C "$here/../../userspace" install BUILD="$build" \
		DESTDIR="$root" PREFIX=/opt/mregion LIBDIR=/opt/mregion/lib \
		MANDIR=/opt/mregion/share/man UDEVDIR=/opt/udev
}

# Files of all kinds; nothing outside of where it was told to be.
files()
{
	prefix=$root/opt/mregion
	for file in include/mregion.h include/linux/mregion.h lib/libmregion.a \
		lib/libmregion.so lib/pkgconfig/mregion.pc; do
		[ -s "$prefix/$file" ] || { echo "no $file"; return 1; }
	done
	[ -s "$root/opt/udev/60-mregion.rules" ] || return 1
	[ "$(ls "$root")" = opt ]
}

manuals()
{
	for program in "$root"/opt/mregion/bin/*; do
		[ -s "$root/opt/mregion/share/man/man1/${program##*/}.1" ] ||
			{ echo "no manual of ${program##*/}"; return 1; }
	done
}

flags()
{
	PKG_CONFIG_SYSROOT_DIR=$root \
	PKG_CONFIG_LIBDIR=$root/opt/mregion/lib/pkgconfig pkg-config "$@" mregion
}

# build_examples DIR PKG_CONFIG CFLAGS: the examples, by their own Makefile, as a reader would
build_examples()
{
	cp -r "$examples" "$tmp/$1" || return 1
	PKG_CONFIG_SYSROOT_DIR=$root \
	PKG_CONFIG_LIBDIR=$root/opt/mregion/lib/pkgconfig \
	make -s -C "$tmp/$1" clean all CC="$cc" PKG_CONFIG="$2" \
		CFLAGS="-Wall -Wextra -Werror $3"
}

shared()
{
	build_examples shared pkg-config || return 1
	for program in vmm device; do
		LD_LIBRARY_PATH=$root/opt/mregion/lib \
			ldd -r "$tmp/shared/$program" > "$tmp/ldd" 2>&1
		cat "$tmp/ldd"
		grep -q "libmregion.so.0 => $root/opt/mregion/lib/" \
			"$tmp/ldd" || return 1
		! grep -qi 'undefined\|not found' "$tmp/ldd" || return 1
	done
}

static()
{
	build_examples static "pkg-config --static" -static
}

cplusplus()
{
	printf '#include <mregion.h>\nint main() { return !mregion_error(); }\n' \
		> "$tmp/main.cc"
	# shellcheck disable=SC2046,SC2086
	c++ -Wall -Wextra -Werror -o "$tmp/main" "$tmp/main.cc" \
		$(flags --cflags --libs)
}

# ... where there is no ACPI compiler, which the VMM needs.
alone()
{
	make -s -C "$here/../../userspace" lib BUILD="$tmp/alone" CC="$cc" \
		IASL=false || return 1
	[ -s "$tmp/alone/lib/libmregion.a" ] &&
		[ -s "$tmp/alone/lib/libmregion.so" ] &&
		[ ! -e "$tmp/alone/bin" ]
}

echo "TAP version 13"
echo "1..7"
check "make lib" alone
check "make install" install_all
check "files" files
check "manual pages" manuals
if command -v pkg-config > /dev/null; then
	check "shared" shared
	check "static" static
	if command -v c++ > /dev/null; then
		check "C++" cplusplus
	else
		skip "C++" c++
	fi
else
	skip "shared" pkg-config
	skip "static" pkg-config
	skip "C++" pkg-config
fi
exit $status
