#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Boots an unmodified Linux kernel with mregion-vmm, with and without
# coalescing and with several vCPUs, to a program that prints `uname -r` and
# powers off; to one that uses devices and resets, and is looked at meanwhile by the
# commands of Documentation/transcript.rst; and to a panic.
#
# MREGION_GUEST_KERNEL	a bzImage, or an Image for arm64
# MREGION_GUEST_INITRD	an initramfs with vm_guest_init and virtio's modules
# MREGION_CONSOLE_TEXT	what prepares a console's output for comparison
# MREGION_TRANSCRIPT	Documentation/transcript.rst, with its drawing beside it
# and what vm_tap.sh says

# shellcheck source-path=SCRIPTDIR source=vm_tap.sh
. "$(dirname "$0")/vm_tap.sh"

[ "${MREGION_GUEST_KERNEL:-}" ] || skip 'MREGION_GUEST_KERNEL is not set'
[ "${MREGION_GUEST_INITRD:-}" ] || skip 'MREGION_GUEST_INITRD is not set'

: >"$tmp/typed"

# noxsave: without it an emulated SVM may make Linux complain at length, see
# userspace/demo/boot.
parameters=
[ "$(uname -m)" != x86_64 ] || parameters=noxsave

# once OPTION...
#
# A VMM that is told to end by timeout does so with status 0, and there are timeouts
# (busybox) that pass that on.
once()
{
	start=$(date +%s)
	rm -f "$tmp/out" "$tmp/over"
	[ ! -p "$tmp/typed" ] || type_lines >"$tmp/typist" 2>&1 &
	# shellcheck disable=SC2016 # that shell expands it
	timeout 600 sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
		"$vmm" --kernel "$MREGION_GUEST_KERNEL" \
		--initrd "$MREGION_GUEST_INITRD" --cpus "$processors" \
		--cmdline "console=ttyS0 $parameters $cmdline" \
		--stats-file "$tmp/stats" "$@" \
		<"$tmp/typed" >"$tmp/out" 2>"$tmp/err"
	status=$?
	: >"$tmp/over"
	wait
	[ $(($(date +%s) - start)) -lt 600 ] || status=124
}

# attempt PROCESSORS CMDLINE OPTION...
attempt()
{
	processors=$1
	cmdline=$2
	shift 2
	once "$@"
	# Emulated processors now and then go astray, or stand still, by
	# themselves: vm/README.
	if [ "${MREGION_ONCE_MORE:-}" ] && { [ $status -eq 124 ] || grep -qE \
		'vCPU [0-9]+: (triple fault|KVM failed to deliver)' \
		"$tmp/err"; }; then
		echo "# status $status, $(head -n 1 "$tmp/err"): once more"
		once "$@"
	fi
	[ $status -eq 0 ] || echo "# status $status"
	tr -d '\r' <"$tmp/out" >"$tmp/text"
}

# boot NAME PROCESSORS CMDLINE OPTION...
boot()
{
	name=$1
	shift
	attempt "$@"
	result $status "$name: ends cleanly"
	grep -q "^guest: [0-9][^ ]* $processors [0-9]*\$" "$tmp/text"
	found=$?
	if [ $found -ne 0 ] || [ $status -ne 0 ]; then
		tail -n 20 "$tmp/text" "$tmp/err" | sed 's/^/# /'
	fi
	result $found "$name: prints what it is"
	# Neither text of the console nor an oops got in between.
	! grep -qE 'Oops|BUG:|Call Trace|Kernel panic' "$tmp/text"
	result $? "$name: no complaints of the guest's kernel"
	sed 's/^/# /' "$tmp/stats"
}

# count NAME: one of the last guest's counters
count()
{
	awk -v name="$1" '$1 == name { print $2 }' "$tmp/stats"
}

# same_text FILE FILE: of two consoles; the times in there aside
same_text()
{
	for text; do
		"$MREGION_CONSOLE_TEXT" "$text" >"$text.sorted"
	done
	diff -U 0 "$1.sorted" "$2.sorted" >"$tmp/diff"
	same=$?
	[ $same -eq 0 ] || sed 's/^/# /' "$tmp/diff"
	return $same
}

# verbose on|off: boots with all that the kernel has to say. With more memory, how
# much it has at first would depend on how fast it is.
verbose()
{
	boot "coalescing $1" 1 'guest.pci iomem=relaxed' --coalesce "$1" \
		--memory 256 --rng
	cp "$tmp/out" "$tmp/$1"
	grep '^guest: pci ' "$tmp/text" >"$tmp/pci"
}

compare_verbose()
{
	verbose off
	off=$(count exits.total)
	verbose on
	on=$(count exits.total)
	[ "$on" -lt 500 ] && [ "$off" -gt 10000 ]
	result $? "a verbose console: $on exits, of $off"
	if [ "${MREGION_CONSOLE_TEXT:-}" ]; then
		same_text "$tmp/off" "$tmp/on"
		result $? "a verbose console: the same $(wc -l <"$tmp/on") lines"
	else
		skipped 'MREGION_CONSOLE_TEXT is not set'
	fi
	# Two functions, and of 5 that are in the ECAM or not, 3 that are not
	functions=$(wc -l <"$tmp/pci")
	nothing=$(grep -c '^guest: ecam [0-9]*\( 0xFFFFFFFF\)\{13\}$' "$tmp/text")
	[ "$functions" -eq 2 ] && [ "$nothing" -eq 3 ]
	result $? "a verbose console: $functions PCI functions, and $nothing that are not"
}

# What is read by ports only is what was read before, by one vCPU.
same_pci()
{
	grep '^guest: pci ' "$tmp/text" | diff "$tmp/pci" - >"$tmp/diff"
	same=$?
	[ $same -eq 0 ] || sed 's/^/# /' "$tmp/diff"
	result $same 'a ring of 2, two vCPUs: the same PCI functions'
}

echo 1..29
few_guests 9 || compare_verbose
# Without ECAM, where there is another way.
pci=
[ "$(uname -m)" != x86_64 ] || pci=pci=nommconf
boot 'a ring of 2, two vCPUs' 2 "quiet guest.pci $pci" --coalesce on --ring-entries 2 \
	--memory 160 --rng --copy-live "$tmp/copy"
few_guests 1 || same_pci
read -r _ _ reads _ results _ <<END
$(grep '^guest: configuration ' "$tmp/text")
END
[ "${reads:-0}" -eq 16 ] && [ "$results" -eq 1 ]
result $? "a ring of 2, two vCPUs: $reads reads of all PCI configuration at once, the same"
grep -q '^mregion-vmm: --copy-live: .* 0 differ$' "$tmp/err"
result $? 'a ring of 2, two vCPUs: a copy made meanwhile is the same'
grep '^mregion-vmm: --copy-live' "$tmp/err" | sed 's/^/# /'
rm -f "$tmp/copy"

# Longer than the receiver's FIFO
typed='all that is typed ahead of the one who is to read it'

# With a transcript, its commands are run while the guest waits for more.
type_lines()
{
	exec 3>"$tmp/typed"
	echo "$typed" >&3
	# Also of a guest that was begun once more
	rm -rf "$tmp/transcript"
	mkdir "$tmp/transcript"
	"$transcript" split "$MREGION_TRANSCRIPT" "$tmp/transcript" || return
	until grep -q '^guest: heard' "$tmp/out"; do
		[ ! -e "$tmp/over" ] || return
		sleep "$pause"
	done
	machine=$("${MREGION:-mregion}" show pid "$(cat "$tmp/pid")" spaces |
		sed -n 's/^machine \([0-9]*\):.*/\1/p')
	"$transcript" run "$tmp/transcript" "$machine" "$tmp/out"
	echo 'reboot -f' >&3
}

transcript=$(dirname "$0")/transcript
lines=
if [ "${MREGION_TRANSCRIPT:-}" ]; then
	rm "$tmp/typed"
	mkfifo "$tmp/typed"
	lines=guest.lines
else
	echo "$typed" >"$tmp/typed"
fi
before=$(date +%s)
boot 'devices' 1 "quiet guest.devices $lines panic=7" --rng
after=$(date +%s)
grep -q "^mregion-vmm: the guest asked for a reset" "$tmp/err"
result $? 'devices: it is told that the guest asked for a reset'
grep -qx "guest: heard $typed" "$tmp/text"
result $? 'devices: what is typed reaches the guest'
read -r _ _ name _ clock <<END
$(grep '^guest: clock ' "$tmp/text")
END
[ "$name" ] && [ "$clock" -ge "$before" ] && [ "$clock" -le "$after" ]
result $? "devices: its clock ($name) is right"
grep -qx 'guest: entropy from virtio_rng.0' "$tmp/text" &&
	[ "$(grep -c '^guest: entropy 4[01][0-9][0-9]$' "$tmp/text")" -eq 2 ]
result $? 'devices: entropy, and no less than it says'
grep -qx 'guest: panic 7' "$tmp/text"
result $? "devices: a panic= of one's own has its way"
[ "$failed" -eq 0 ] || grep '^guest: ' "$tmp/text" | sed 's/^/# /'

# differs FILE NEW: how, as a patch, which `run-in-vm --update` applies
differs()
{
	diff -u -L "Documentation/${1##*/}" -L "Documentation/${1##*/}" "$1" "$2" 2>&1 |
		sed 's/^/# transcript: /' | grep .
}

if [ "$lines" ]; then
	ran=$(tail -n 1 "$tmp/typist")
	[ "${ran% commands}" -gt 0 ] 2>/dev/null
	found=$?
	sed 's/^/# /' "$tmp/typist"
	[ $found -ne 0 ] || "$transcript" join "$tmp/transcript" || found=$?
	result $found "transcript: all commands run against a guest's machine"
	[ $found -eq 0 ] && ! differs "$MREGION_TRANSCRIPT" "$tmp/transcript/page"
	result $? 'transcript: what they print is what the page has'
	[ $found -eq 0 ] && ! differs "$(dirname "$MREGION_TRANSCRIPT")/transcript.svg" \
		"$tmp/transcript/files/transcript.svg"
	result $? 'transcript: what they draw, too'
elif on_x86 3 'the transcript'; then
	for _ in 1 2 3; do
		skipped 'MREGION_TRANSCRIPT is not set'
	done
fi

# The initramfs has no such program, and there is nothing else to go on with.
panics()
{
	rm "$tmp/typed"
	: >"$tmp/typed"
	attempt 1 'quiet rdinit=/none' --memory 256
	result $status 'a panic: ends'
	grep -q "^mregion-vmm: the guest asked for a reset" "$tmp/err"
	result $? 'a panic: it is told that the guest asked for a reset'
	# x86's; arm64's
	tail -n 1 "$tmp/text" | grep -q 'Kernel Offset: \|Memory Limit: '
	found=$?
	grep -q 'Kernel panic - not syncing: ' "$tmp/text" && [ $found -eq 0 ]
	result $? 'a panic: its last line is there'
	[ "$failed" -eq 0 ] || tail -n 20 "$tmp/text" | sed 's/^/# /'
}
few_guests 3 || panics
exit $failed
