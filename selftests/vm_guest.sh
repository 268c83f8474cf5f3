#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Boots an unmodified Linux kernel with mregion-vmm, with and without
# coalescing and with several vCPUs, to a program that prints `uname -r` and
# powers off.
#
# MREGION_GUEST_KERNEL	a bzImage
# MREGION_GUEST_INITRD	an initramfs whose init prints "guest: " and the
#			kernel's release, the number of processors and the
#			memory in MiB, and powers off
# MREGION_VMM		the VMM

vmm=${MREGION_VMM:-mregion-vmm}
skip=4

skip()
{
	echo "1..0 # SKIP $*"
	exit $skip
}

echo 'TAP version 13'
command -v "$vmm" >/dev/null || skip "no $vmm command"
[ "${MREGION_GUEST_KERNEL:-}" ] || skip 'MREGION_GUEST_KERNEL is not set'
[ "${MREGION_GUEST_INITRD:-}" ] || skip 'MREGION_GUEST_INITRD is not set'
[ -e /dev/mregion ] || skip 'no /dev/mregion: the module is not loaded'

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

number=0
failed=0

# result STATUS NAME
result()
{
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		failed=1
	fi
}

# once OPTION...
once()
{
	timeout 200 "$vmm" --kernel "$MREGION_GUEST_KERNEL" \
		--initrd "$MREGION_GUEST_INITRD" --cpus "$processors" \
		--cmdline 'console=ttyS0 panic=-1 quiet' \
		--stats-file "$tmp/stats" "$@" \
		</dev/null >"$tmp/out" 2>"$tmp/err"
	status=$?
}

# boot NAME PROCESSORS OPTION...
boot()
{
	name=$1
	processors=$2
	shift 2
	once "$@"
	# Emulated processors now and then go astray by themselves: vm/README.
	if [ "${MREGION_ONCE_MORE:-}" ] && grep -qE \
		'vCPU [0-9]+: (triple fault|KVM failed to deliver)' \
		"$tmp/err"; then
		echo "# $(head -n 1 "$tmp/err"): once more"
		once "$@"
	fi
	[ $status -eq 0 ] || echo "# status $status"
	result $status "$name: powers off cleanly"
	tr -d '\r' <"$tmp/out" >"$tmp/text"
	grep -q "^guest: [0-9][^ ]* $processors [0-9]*\$" "$tmp/text"
	found=$?
	if [ $found -ne 0 ] || [ $status -ne 0 ]; then
		tail -n 20 "$tmp/text" "$tmp/err" | sed 's/^/# /'
	fi
	result $found "$name: prints what it is"
	# Neither text of the console nor an oops got in between.
	! grep -qE 'Oops|BUG:|Call Trace|panic' "$tmp/text"
	result $? "$name: no complaints of the guest's kernel"
	sed 's/^/# /' "$tmp/stats"
}

echo 1..10
boot 'coalescing off' 1 --coalesce off
boot 'coalescing on' 1 --coalesce on
boot 'a ring of 2, two vCPUs' 2 --coalesce on --ring-entries 2 --memory 256

"$vmm" --kernel /nonexistent >"$tmp/out" 2>"$tmp/err"
status=$?
[ $status -ne 0 ] && [ $status -lt 126 ] && grep -q /nonexistent "$tmp/err"
result $? 'a kernel that is not there is named'
exit $failed
