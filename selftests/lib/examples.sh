#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The examples of the documentation do what they are there to show. Needs the
# module and KVM, and the examples, example-vmm and example-device, beside it.

for device in mregion kvm; do
	if [ ! -e /dev/$device ]; then
		echo "1..0 # SKIP there is no /dev/$device"
		exit 4
	fi
done

dir=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
number=0
failed=0

# $1: a name. $2: the device. $3: what the VMM is to print
expect() {
	number=$((number + 1))
	timeout 60 "$dir/example-vmm" "$2" >"$tmp/out" 2>"$tmp/err"
	status=$?
	echo "$3" >"$tmp/wanted"
	if [ $status = 0 ] && [ ! -s "$tmp/err" ] &&
	   cmp -s "$tmp/wanted" "$tmp/out"; then
		echo "ok $number $1"
	else
		echo "# status $status"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
		echo "not ok $number $1"
		failed=1
	fi
}

echo "TAP version 13"
echo "1..2"

expect "a guest and its devices" "$dir/example-device" \
"hello from the guest
the adder's process has died
goodbye
the square is 49
the sum is 6
the sum without the process is 0xffffffff"

# All that was meant for it is the VMM's from the beginning.
expect "a device that cannot be started" "$tmp/none" \
"hello from the guest
the adder's process has died
goodbye
the square is 49
the sum is 4294967295
the sum without the process is 0xffffffff"

exit $failed
