#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Boots an unmodified Linux kernel with mregion-vmm and a virtio disk: emulated
# by the VMM, by a process of its own, read-only, by a process that is killed
# while the guest writes (the VMM goes on, or the disk is broken), and with a file
# system.
#
# MREGION_GUEST_KERNEL	a bzImage, or an Image for arm64
# MREGION_DISK_INITRD	an initramfs with vm_disk_init and virtio's modules
# MREGION_DISK_CPUS	processors of the guests: 2, unless they are emulated so
#			that the start of the second one may fail
# MREGION_E2FSPROGS	where mke2fs, e2fsck and debugfs are, if not busybox's
# and what vm_tap.sh says

# shellcheck source-path=SCRIPTDIR source=vm_tap.sh
. "$(dirname "$0")/vm_tap.sh"

cpus=${MREGION_DISK_CPUS:-2}
[ "${MREGION_GUEST_KERNEL:-}" ] || skip 'MREGION_GUEST_KERNEL is not set'
[ "${MREGION_DISK_INITRD:-}" ] || skip 'MREGION_DISK_INITRD is not set'

once_more_if_astray "$0"

as_user=

# said LINE: whether the guest did; LINE is a whole one, as a pattern
said()
{
	grep -qx "guest: $1" "$tmp/text"
}

# sum_of NUMBER: of what is on the disk at NUMBER times 2 MiB
sum_of()
{
	sum=$(dd if="$tmp/disk" bs=64k skip=$(($1 * 32)) count=32 2>/dev/null |
		md5sum)
	echo "${sum%% *}"
}

# new_disk MB
new_disk()
{
	rm -f "$tmp/disk"
	dd if=/dev/zero of="$tmp/disk" bs=1M count=0 seek="$1" 2>/dev/null
}

# boot TEST MEDIUM OPTION...: starts a guest; MEDIUM follows the disk's name.
# It looks into the ECAM, which is Linux's own unless relaxed.
boot()
{
	name=$1
	medium=$2
	shift 2
	[ "$name" = files ] || new_disk 8
	rm -f "$tmp/stats"
	# shellcheck disable=SC2086 # a command and its options, or none
	$as_user timeout 400 "$vmm" --kernel "$MREGION_GUEST_KERNEL" \
		--initrd "$MREGION_DISK_INITRD" --memory 256 \
		--stats-file "$tmp/stats" --blk "$tmp/disk$medium" \
		--cmdline "console=ttyS0 quiet iomem=relaxed disk.test=$name" \
		"$@" </dev/null >"$tmp/out" 2>"$tmp/err" &
	pid=$!
}

# ended NAME: waits for it
ended()
{
	wait "$pid"
	status=$?
	tr -d '\r' <"$tmp/out" >"$tmp/text"
	said 'done'
	finished=$?
	[ $status -eq 0 ] && [ $finished -eq 0 ]
	result $? "$1: does all it has to and powers off"
	if [ $status -ne 0 ] || [ $finished -ne 0 ]; then
		echo "# status $status"
		tail -n 20 "$tmp/text" "$tmp/err" | sed 's/^/# /'
	fi
	! grep -qE 'Oops|BUG:|Call Trace|panic|I/O error|blocked for' \
		"$tmp/text"
	result $? "$1: no complaints of the guest's kernel"
	sed 's/^/# /' "$tmp/stats"
}

# copied NAME: memory was, while it was written
copied()
{
	grep -q '^mregion-vmm: --copy-live: .* 0 differ$' "$tmp/err"
	copied=$?
	grep '^mregion-vmm: --copy-live' "$tmp/err" | sed 's/^/# /'
	rm -f "$tmp/copy"
	result $copied "$1: a copy of memory made meanwhile is the same"
}

# sums NAME NUMBER...: written is what was meant to be, read back and found here
sums()
{
	what=$1
	shift
	bad=0
	for at; do
		sum=$(sum_of "$at")
		said "sum $at $sum $sum" || bad=1
	done
	[ $bad -eq 0 ] || grep '^guest: ' "$tmp/text" | sed 's/^/# /'
	result $bad "$what: reads back what it wrote, and so do others"
}

# window NAME: registers, as configuration space shows them. Feature word 1 has
# VIRTIO_F_VERSION_1 only; a driver that runs has set four bits of its status.
window()
{
	bad=0
	for line in 'feature word 1' 'queues 1' 'status 15' 'sectors 16384' \
		'nothing 4294967295' 'in memory 16384'; do
		said "window $line" || bad=1
	done
	[ $bad -eq 0 ] || grep '^guest: ' "$tmp/text" | sed 's/^/# /'
	result $bad "$1: registers are seen in configuration space"
}

# shadowed NAME ROUNDS: RAM was shown instead of a ROM, and was as it was meant to be
shadowed()
{
	on_x86 1 "a ROM in front of RAM" || return
	said "shadowed $2 times, 65536 bytes"
	shadowed=$?
	[ $shadowed -eq 0 ] || grep '^guest: ' "$tmp/text" | sed 's/^/# /'
	result $shadowed "$1: the ROM is copied to the RAM behind it"
}

# msix NAME: the driver has a vector for the queue and one for the configuration
msix()
{
	said 'interrupts msix 2 [1-9][0-9]*'
	interrupts=$?
	[ $interrupts -eq 0 ] || grep '^guest: ' "$tmp/text" | sed 's/^/# /'
	result $interrupts "$1: interrupts come by MSI-X"
}

# find_process: the disk's process
find_process()
{
	process=$(grep -lx mregion-blk /proc/[0-9]*/comm)
	process=${process#/proc/}
	process=${process%/comm}
}

# has FIELD VALUE: whether each thread of that has; VALUE is a pattern
has()
{
	! sed -n "s/^$1:[[:space:]]*//p" "/proc/$process"/task/*/status |
		sed 's/[[:space:]]*$//' | grep -qvx "$2"
}

# confined NAME: what that may do is little, as whoever it is. It leaves the
# signals to the VMM: 1, 2 and 15.
confined()
{
	find_process
	nobody='65534[[:space:]]65534[[:space:]]65534[[:space:]]65534'
	bad=0
	[ "$process" ] && has Uid "$nobody" && has Gid "${2:-$nobody}" &&
		has Groups '' && has 'Cap\(Inh\|Prm\|Eff\|Amb\)' '0*' &&
		has NoNewPrivs 1 && has Seccomp 2 &&
		has SigBlk '.*[4567c-f]..[37bf]' || bad=1
	[ $bad -eq 0 ] || [ ! "$process" ] ||
		sed 's/^/# /' "/proc/$process"/task/*/status
	result $bad "$1: the process has few privileges"
}

# files NAME OPTION...: an ext4 that is written to
files()
{
	what=$1
	shift
	new_disk 32
	"$tools/mke2fs" -q -F -t ext4 "$tmp/disk"
	[ ! "$as_user" ] || chown nobody "$tmp/disk" "$tmp"
	boot files '' "$@"
	[ ! "$as_user" ] || {
		wait_until 300 grep -q '^guest: mounted' "$tmp/out"
		confined "$what" '\([0-9]*\)[[:space:]]\1[[:space:]]\1[[:space:]]\1'
	}
	ended "$what"
	"$tools/e2fsck" -fn "$tmp/disk" >"$tmp/fsck" 2>&1
	clean=$?
	[ $clean -eq 0 ] || sed 's/^/# /' "$tmp/fsck"
	result $clean "$what: the file system is clean"
	sum=$("$tools/debugfs" -R 'cat /directory/file' "$tmp/disk" \
		2>/dev/null | md5sum)
	said "sum file ${sum%% *}"
	result $? "$what: its file is what the guest reads"
}

echo 1..43

disk_in_vmm()
{
	boot write '' --cpus "$cpus" --copy-live "$tmp/copy"
	ended 'in the VMM'
	copied 'in the VMM'
	sums 'in the VMM' 0 1 2
	window 'in the VMM'
	msix 'in the VMM'
	shadowed 'in the VMM' 4
}
few_guests 7 || disk_in_vmm

boot write '' --cpus "$cpus" --blk-server --copy-live "$tmp/copy"
ended 'served'
copied 'served'
sums 'served' 0 1 2
window 'served'
msix 'served'
shadowed 'served' 4
grep -q '^served [1-9]' "$tmp/stats" && grep -q '^served.exit 0$' "$tmp/stats"
result $? 'served: the process answers all accesses'

readonly_disk()
{
	boot readonly ,ro --blk-server
	ended 'read-only'
	said 'ro 1' && said 'could not write' && ! said 'wrote'
	result $? 'read-only: the guest cannot write'
	sum=$(md5sum <"$tmp/disk")
	said "sum - - ${sum%% *}" &&
		[ "$(dd if=/dev/zero bs=1M count=8 2>/dev/null | md5sum)" = "$sum" ]
	result $? 'read-only: reads what is there, which has not changed'

	on_x86 3 "a ROM in front of RAM" || return
	shadowed 'read-only' 2
	said 'hole ffffffff 68656c64'
	result $? 'read-only: PCI is shown, where nothing is, and then RAM as it was'
	# Five in the beginning. The ROM's slot is split at first (one goes, two come); then one
	# goes and one comes with each change of the 64 KiB, and RAM next to it keeps its slot.
	# Of 128 KiB of RAM in one slot 32 go, and come back: that is split, and then added to.
	changes=$(sed -n 's/^slots.changes //p' "$tmp/stats")
	[ "$changes" -eq $((5 + 3 + 5 * 2 + 2 + 1)) ]
	result $? "read-only: no more changes of slots ($changes) than the memory demands"
}
few_guests 7 || readonly_disk

boot kill '' --cpus "$cpus" --blk-server=takeover
wait_until 300 grep -q '^guest: round 2' "$tmp/out"
confined 'killed'
[ "$process" ] && kill -KILL "$process" &&
	! grep -q '^guest: round 6' "$tmp/out"
result $? 'killed: in the middle of writing'
ended 'killed'
sums 'killed' 0 1
window 'killed'
[ "$(grep -c 'emulated here from now on' "$tmp/err")" -eq 1 ]
result $? 'killed: the VMM says that it goes on with the disk'
[ ! -d "/proc/$process" ]
result $? 'killed: nothing is left of the process'

lost_disk()
{
	boot lose '' --cpus "$cpus" --blk-server
	wait_until 300 grep -q '^guest: writes' "$tmp/out"
	find_process
	[ "$process" ] && kill -KILL "$process"
	result $? 'lost: in the middle of writing'
	ended 'lost'
	said 'status 79'
	told=$?
	[ $told -eq 0 ] || grep '^guest: ' "$tmp/text" | sed 's/^/# /'
	[ $told -eq 0 ] && [ "$(grep -c 'broken from now on' "$tmp/err")" -eq 1 ] &&
		! grep -q 'emulated here' "$tmp/err"
	result $? 'lost: the guest and the user are told'
}
few_guests 4 || lost_disk

tools=${MREGION_E2FSPROGS:-/sbin}
few_guests 4 || files 'files, in the VMM' --cpus "$cpus"
# By an ordinary user, who may use KVM; busybox has another setpriv.
as_user='/usr/bin/setpriv --reuid 65534 --regid kvm --clear-groups'
files 'files, served' --cpus "$cpus" --blk-server
exit $failed
