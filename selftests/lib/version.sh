#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# VERSION at the top is the version of everything.

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
build=${BUILD:-$top/build}
cc=${CC:-gcc}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/mregion-version.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
version=$(cat "$top/VERSION")
nr=0
status=0

# is NAME TEXT [WANTED]: TEXT is WANTED, by default the version
is()
{
	nr=$((nr + 1))
	if [ "$2" = "${3-$version}" ]; then
		echo "ok $nr $1"
	else
		echo "# is '$2', not '${3-$version}'"
		echo "not ok $nr $1"
		status=1
	fi
}

# installed FILE: what is in a file that is installed
installed()
{
	cat "$tmp/root/$1"
}

echo "TAP version 13"
echo "1..13"

is "three numbers" "$(grep -xE '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}' "$top/VERSION")"

cat > "$tmp/library.c" <<'END'
#include <mregion.h>

int main(void)
{
	printf("%d.%d.%d\n%s\n", MREGION_LIB_VERSION_MAJOR, MREGION_LIB_VERSION_MINOR,
	       MREGION_LIB_VERSION_PATCH, mregion_version());
	return 0;
}
END
"$cc" -I"$top/userspace/lib" -I"$top/uapi" -o "$tmp/library" "$tmp/library.c" \
	"$build/lib/libmregion.a" -pthread && "$tmp/library" > "$tmp/versions"
is "mregion.h" "$(sed -n 1p "$tmp/versions")"
is "libmregion" "$(sed -n 2p "$tmp/versions")"

"$build/bin/mregion" version > "$tmp/text"
"$build/bin/mregion" version -j > "$tmp/json"
"$build/bin/mregion" -V > "$tmp/option"
is "mregion" "$(sed -n 's/^mregion \([^ ]*\), .*/\1/p' "$tmp/text")"
is "mregion, of the library" "$(sed -n 's/^libmregion //p' "$tmp/text")"
is "mregion --version" "$(cat "$tmp/option")" "$(cat "$tmp/text")"

abi=$(sed -n 's/^#define MREGION_ABI_VERSION[^0-9]*//p' "$top/uapi/linux/mregion.h")
module='not loaded'
[ ! -e /sys/module/mregion ] || module=$(cat /sys/module/mregion/version)
is "mregion, of the module" "$(sed -n 's/^module \([^,]*\).*/\1/p' "$tmp/text")" \
	"$module"
if [ "$module" = 'not loaded' ]; then
	module=null
else
	module="\"$module\""
fi
# nor may whoever runs this be allowed to ask the module
module_abi=null
[ ! -w /dev/mregion ] || module_abi=$abi
is "mregion -j" "$(cat "$tmp/json")" "{\"version\":\"$version\",\"abi_version\":$abi,\
\"library\":\"$version\",\"module\":$module,\"module_abi_version\":$module_abi}"

is "mregion-vmm" "$("$build/bin/mregion-vmm" --version |
	sed -n 's/^mregion-vmm \([^ ]*\), .*/\1/p')"

make -s -C "$top/userspace" install BUILD="$build" DESTDIR="$tmp/root" PREFIX=/p
is "mregion.pc" "$(installed p/lib/pkgconfig/mregion.pc | sed -n 's/^Version: //p')"

is "dkms.conf" "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top/dkms.conf")"
is "debian/changelog" "$(sed -n '1s/^mregion (\(.*\)) .*/\1/p' "$top/debian/changelog")"
is "CHANGELOG.md, README.md" \
	"$(sed -n 's/^## //p' "$top/CHANGELOG.md" | sed -n 1p) $(sed -n \
		's/^Version \([0-9.]*[0-9]\)\. .*/\1/p' "$top/README.md")" \
	"$version $version"

exit $status
