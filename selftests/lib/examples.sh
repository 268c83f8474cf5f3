#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The examples of the documentation do what they are there to show, and their VMM
# ends whatever its guest does. Needs the module and KVM, and the examples beside it:
# example-map, example-recipes, example-vmm and example-device, and the VMM with the
# guests of guest_*.S.

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

# $1: a name. $2: the program. $3: the device, or nothing. $4: the status. $5: what it is to
# print. $6: of what errors it is to speak.
expect() {
	number=$((number + 1))
	timeout 60 "$dir/example-$2" ${3:+"$3"} >"$tmp/out" 2>"$tmp/err"
	status=$?
	printf '%s' "$5" >"$tmp/wanted"
	printf '%s' "$6" >"$tmp/wanted-err"
	if [ $status = "$4" ] && cmp -s "$tmp/wanted" "$tmp/out" &&
	   cmp -s "$tmp/wanted-err" "$tmp/err"; then
		echo "ok $number $1"
	else
		echo "# status $status"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
		echo "not ok $number $1"
		failed=1
	fi
}

echo "TAP version 13"
echo "1..6"

expect "a guest and its devices" vmm "$dir/example-device" 0 \
"hello from the guest
the adder's process has died
goodbye
the square is 49
the sum is 6
the sum without the process is 0xffffffff
" ""

# All that was meant for it is the VMM's from the beginning.
expect "a device that cannot be started" vmm "$tmp/none" 0 \
"hello from the guest
the adder's process has died
goodbye
the square is 49
the sum is 4294967295
the sum without the process is 0xffffffff
" ""

expect "a guest that accesses two registers at once" wide "$dir/example-device" 0 \
"two at once
the square is 65535
the sum is 25
the sum without the process is 0
" ""

expect "a guest that never ends" endless "$dir/example-device" 1 "" \
"example-endless: the guest ended: Timer expired
"

expect "a memory map without a virtual machine" map "" 0 \
"0000000000000000-ffffffffffffffff (prio 0, container): memory
  0000000000000000-00000000000fffff (prio 0, ram): ram
  0000000000080000-000000000008ffff (prio 1, container): bus
    0000000000082000-0000000000082fff (prio 0, mmio): lamp
  0000000000200000-0000000000200fff (prio 0, alias): lamp-again @lamp 0000000000000000-0000000000000fff
0000000000000000 0000000000081fff 0000000000000000 ram ram
0000000000082000 0000000000082fff 0000000000000000 i/o lamp
0000000000083000 00000000000fffff 0000000000083000 ram ram
0000000000200000 0000000000200fff 0000000000000000 i/o lamp
the lamp is on
it was switched 1 time(s)
0000000000000000 0000000000083fff 0000000000000000 ram ram
0000000000084000 0000000000084fff 0000000000000000 i/o lamp
0000000000085000 00000000000fffff 0000000000085000 ram ram
0000000000200000 0000000000200fff 0000000000000000 i/o lamp
" ""

expect "rules of a serial port and of PCI's ports" recipes "" 0 \
"outb 'A' to 0x3f8    coalesced
inb from 0x3fd       shadow, 0x60
inb from 0x3fd       shadow, 0x61
inb from 0x3f8       exit
outl to 0xcf8        shadow
inl from 0xcf8       shadow, 0x80000800
inl from 0xcfc       shadow, 0x10001af4
inw from 0xcfe       shadow, 0x1000
outb to 0xcf9        exit
outl to 0xcf8        shadow
inl from 0xcfc       shadow, 0xffffffff
outl to 0xcf8        shadow
outl to 0xcfc        exit
serial: 'A'
pci: 0x100007, 4 byte(s), to register 0x80000804
" ""

exit $failed
