#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# `mregion version` tells the version of the module and what it has: while it is loaded,
# and that it is not. Needs the module, and mregion on PATH.

if [ ! -e /dev/mregion ]; then
	echo "1..0 # SKIP the mregion module is not loaded"
	exit 4
fi
nr=0
failed=0

# is NAME TEXT WANTED
is() {
	nr=$((nr + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $nr $1"
	else
		echo "# is '$2', not '$3'"
		echo "not ok $nr $1"
		failed=1
	fi
}

text() {
	mregion version | sed -n 's/^module //p'
}

json() {
	mregion version -j | sed -n 's/.*"module":\(.*\),"module_abi_version":\(.*\)}$/\1 \2/p'
}

echo "TAP version 13"
echo "1..7"

# Where processors have that mode
smm=
[ "$(uname -m)" != x86_64 ] || smm='smm, '
features="attach, changes, views, ${smm}fast, indexed"
version=$(mregion version | sed -n 's/^mregion \([^ ]*\), .*/\1/p')
is "the module's own" "$(cat /sys/module/mregion/version)" "$version"
abi=$(mregion info -j | sed -n 's/.*"abi_version":\([0-9]*\),.*/\1/p')
is "as text" "$(text)" "$version, base interface $abi, features: $features"
is "as JSON" "$(json)" "\"$version\" $abi"
is "the features" "$(mregion info | sed -n 's/^features *//p')" "$features"
is "the features, as JSON" \
	"$(mregion info -j | sed -n 's/.*"features":\(\[.*\]\).*/\1/p')" \
	"[$(echo "$features" | sed 's/[^, ]\{1,\}/"&"/g; s/ //g')]"

rmmod mregion
is "not loaded, as text" "$(text)" "not loaded"
is "not loaded, as JSON" "$(json)" "null null"
modprobe mregion

exit $failed
