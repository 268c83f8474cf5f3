# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034 # $failed is the exit status of who sources this
#
# What the scripts that run mregion-vmm share; they source it first. Makes $tmp.
#
# MREGION_VMM		the VMM

# As installed; as built, where nothing is.
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here:$here/../build/bin:$here/../build/selftests
vmm=${MREGION_VMM:-mregion-vmm}
number=0
failed=0
# Between two looks, in s. Looking takes time as well: of a slow VM's only processor,
# from the guest that is waited for.
pause=0.1
[ ! "${MREGION_FEW_GUESTS:-}" ] || pause=1

skip()
{
	echo "1..0 # SKIP $*"
	exit 4
}

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

# skipped REASON: a case that is left out
skipped()
{
	number=$((number + 1))
	echo "ok $number # SKIP $1"
}

# on_x86 NUMBER WHAT: whether this is one; if not, NUMBER cases are left out, about WHAT,
# which others do not have
on_x86()
{
	[ "$(uname -m)" != x86_64 ] || return 0
	left=$1
	while [ "$left" -gt 0 ]; do
		skipped "$2: of x86 alone"
		left=$((left - 1))
	done
	return 1
}

# wait_until SECONDS COMMAND...: or for so long
wait_until()
{
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep "$pause"
	done
}

# once_more_if_astray SCRIPT: with MREGION_ONCE_MORE, runs the script without, and exits.
# Emulated processors now and then go astray by themselves (vm/README): then everything is
# done once more, and the first time shown as comments.
once_more_if_astray()
{
	[ "${MREGION_ONCE_MORE:-}" ] || return 0
	MREGION_ONCE_MORE='' sh "$1" >"$tmp/tap"
	status=$?
	if grep -qE "vCPU [0-9]+: (triple fault|KVM failed to deliver)" \
		"$tmp/tap"; then
		sed 's/^/# /' "$tmp/tap"
		echo '# an emulated processor went astray: once more'
		MREGION_ONCE_MORE='' sh "$1" >"$tmp/tap"
		status=$?
	fi
	sed 1d "$tmp/tap"
	exit $status
}

# few_guests NUMBER: whether to do without a guest that finds the same on all kernels, and
# so without NUMBER cases
few_guests()
{
	[ "${MREGION_FEW_GUESTS:-}" ] || return 1
	left=$1
	while [ "$left" -gt 0 ]; do
		skipped 'more guests take too long'
		left=$((left - 1))
	done
}

echo 'TAP version 13'
command -v "$vmm" >/dev/null || skip "no $vmm command"
[ -e /dev/mregion ] || skip 'no /dev/mregion: the module is not loaded'

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
