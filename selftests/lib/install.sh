#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What `make install` puts in place is enough to build the examples with, static or
# shared, and has a manual page for each command. It all goes where it was told to go,
# and `make uninstall` leaves nothing of it. The commands use the library that is installed
# with them, and find it, or are static if that was asked for. The library can be built
# alone, and the commands can be linked with the shared one where they are built.

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

# make_to TARGET [VARIABLE=VALUE]...
make_to()
{
	make -s -C "$here/../../userspace" "$@" BUILD="$build" DESTDIR="$root"
}

install_all()
{
	make_to install PREFIX=/opt/mregion
}

# Files of all kinds; nothing outside of the prefix.
files()
{
	prefix=$root/opt/mregion
	for file in include/mregion.h include/linux/mregion.h \
		include/linux/mregion_netlink.h lib/libmregion.a \
		lib/libmregion.so lib/pkgconfig/mregion.pc \
		lib/udev/rules.d/60-mregion.rules lib/modules-load.d/mregion.conf \
		share/bash-completion/completions/mregion; do
		[ -s "$prefix/$file" ] || { echo "no $file"; return 1; }
	done
	for file in "$here"/../../uapi/linux/*.h; do
		cmp "$file" "$prefix/include/linux/${file##*/}" || return 1
	done
	[ "$(ls "$root")" = opt ] && [ "$(ls "$root/opt")" = mregion ]
}

# left DIR: says what files are in it, and fails if there are any
left()
{
	find "$1" ! -type d > "$tmp/left"
	cat "$tmp/left"
	[ ! -s "$tmp/left" ]
}

uninstall()
{
	make_to uninstall PREFIX=/opt/mregion && left "$root"
}

# Another program's file beside ours stays.
directories()
{
	set -- PREFIX=/p BINDIR=/b INCLUDEDIR=/i LIBDIR=/l MANDIR=/m COMPLETIONDIR=/c \
		UDEVDIR=/u MODULESLOADDIR=/n
	root=$tmp/directories
	make_to install "$@" || return 1
	for file in b/mregion i/mregion.h i/linux/mregion.h l/libmregion.so \
		m/man1/mregion.1 u/60-mregion.rules n/mregion.conf; do
		[ -s "$root/$file" ] || { echo "no $file"; return 1; }
	done
	[ ! -e "$root/p" ] || { ls -R "$root/p"; return 1; }
	grep -x 'includedir=/i' "$root/l/pkgconfig/mregion.pc" &&
		grep -x 'libdir=/l' "$root/l/pkgconfig/mregion.pc" || return 1
	echo other > "$root/b/other"
	make_to uninstall "$@" && [ -s "$root/b/other" ] && rm "$root/b/other" &&
		left "$root"
}

# uses PROGRAM DIR: it finds the shared library there, and all that it calls in it
uses()
{
	ldd -r "$1" > "$tmp/ldd" 2>&1
	cat "$tmp/ldd"
	grep -q "libmregion.so.0 => $2/" "$tmp/ldd" &&
		! grep -qi 'undefined\|not found' "$tmp/ldd"
}

# As a user does it who is not root: no DESTDIR, and a prefix of one's own.
home()
{
	root=
	make_to install PREFIX="$tmp/home/x" || return 1
	"$tmp/home/x/bin/mregion" version || return 1
	for program in mregion mregion-vmm; do
		uses "$tmp/home/x/bin/$program" "$tmp/home/x/lib" || return 1
	done
	if command -v pkg-config > /dev/null; then
		PKG_CONFIG_PATH=$tmp/home/x/lib/pkgconfig pkg-config --cflags mregion |
			grep -F "$tmp/home/x/include" || return 1
	fi
	make_to uninstall PREFIX="$tmp/home/x" && left "$tmp/home"
}

# The commands know the library's soname, and find in it all that they call.
dynamic()
{
	make -s -C "$here/../../userspace" BUILD="$tmp/dynamic" CC="$cc" CFLAGS=-O0 \
		STATIC=0 || return 1
	for program in mregion mregion-vmm; do
		LD_LIBRARY_PATH=$tmp/dynamic/lib uses "$tmp/dynamic/bin/$program" \
			"$tmp/dynamic/lib" || return 1
	done
	LD_LIBRARY_PATH=$tmp/dynamic/lib "$tmp/dynamic/bin/mregion" version
}

# Static ones need nothing but the kernel.
installed_static()
{
	root=$tmp/static-root
	make_to install PREFIX=/usr STATIC=1 || return 1
	for program in mregion mregion-vmm; do
		LC_ALL=C ldd "$root/usr/bin/$program" 2>&1 |
			grep 'not a dynamic executable' || return 1
	done
	"$root/usr/bin/mregion" version
}

# The pages of commands, library and device are there, and say which version they are of.
manuals()
{
	for program in "$root"/opt/mregion/bin/*; do
		[ -s "$root/opt/mregion/share/man/man1/${program##*/}.1" ] ||
			{ echo "no manual of ${program##*/}"; return 1; }
	done
	for page in man3/libmregion.3 man4/mregion.4; do
		[ -s "$root/opt/mregion/share/man/$page" ] ||
			{ echo "no $page"; return 1; }
	done
	for page in "$root"/opt/mregion/share/man/man*/*; do
		grep -q "^\.TH .*\"mregion $(cat "$here/../../VERSION")\"" "$page" ||
			{ echo "$page: no version"; return 1; }
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
	for program in map recipes vmm device; do
		LD_LIBRARY_PATH=$root/opt/mregion/lib \
			uses "$tmp/shared/$program" "$root/opt/mregion/lib" || return 1
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

# ... where there is no ACPI compiler, which the VMM needs, and no libnl, which the
# command needs.
alone()
{
	make -s -C "$here/../../userspace" lib BUILD="$tmp/alone" CC="$cc" \
		IASL=false PKG_CONFIG=false || return 1
	[ -s "$tmp/alone/lib/libmregion.a" ] &&
		[ -s "$tmp/alone/lib/libmregion.so" ] &&
		[ ! -e "$tmp/alone/bin" ]
}

echo "TAP version 13"
echo "1..12"
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
check "make uninstall" uninstall
check "each directory elsewhere" directories
check "in one's own directory" home
check "make install STATIC=1" installed_static
check "STATIC=0" dynamic
exit $status
