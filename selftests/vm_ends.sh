#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# How mregion-vmm ends: with one line that says why, if it cannot begin; with all
# that the guest has printed, if that ends; and if it is asked to, whatever the guest
# and the disk's process do, with the terminal as it was. Its kernels are images of a
# few bytes: vm_ends_ARCH.sh has them.
#
# MREGION_KO		the module's file, if it may be unloaded
#
# Terminals are made by script(1); without it those tests are left out.
#
# shellcheck disable=SC2317 # functions are called by their names

# shellcheck source-path=SCRIPTDIR source=vm_tap.sh
. "$(dirname "$0")/vm_tap.sh"

[ "$(id -u)" -eq 0 ] || skip 'not root'

# For nobody, too.
chmod 755 "$tmp"

# --- kernels

# put FILE OFFSET BYTES: BYTES as printf has them
put()
{
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek=$(($2)) conv=notrunc 2>/dev/null
}

# changed NAME OFFSET BYTES: a kernel that differs
changed()
{
	cp "$tmp/sleeps" "$tmp/$1"
	put "$tmp/$1" "$2" "$3"
}

# What they print
text='Kernel panic - not syncing: this is the end'

: >"$tmp/empty"
seq 1 1000 >"$tmp/text"
dd if=/dev/zero of="$tmp/disk" bs=1M count=0 seek=1 2>/dev/null

case $(uname -m) in
x86_64)
	# shellcheck source=vm_ends_x86.sh
	. "$here/vm_ends_x86.sh"
	;;
aarch64)
	# shellcheck source=vm_ends_arm64.sh
	. "$here/vm_ends_arm64.sh"
	;;
*) skip "no kernels for $(uname -m)" ;;
esac

# --- it cannot begin

# ends STATUS LINES PATTERN COMMAND...: says PATTERN in so many lines, and nothing
# on standard output
ends()
{
	want=$1
	lines=$2
	pattern=$3
	shift 3
	timeout 20 "$@" </dev/null >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status -eq "$want" ] && [ ! -s "$tmp/out" ] &&
		[ "$(wc -l <"$tmp/err")" -eq "$lines" ] &&
		head -n 1 "$tmp/err" | grep -q "mregion-vmm: .*$pattern"
	good=$?
	[ $good -eq 0 ] || {
		echo "# status $status"
		sed 's/^/# /' "$tmp/err"
	}
	return $good
}

# refuses NAME PATTERN [OPTION]...: the kernel of that name
refuses()
{
	file=$1
	pattern=$2
	shift 2
	ends 1 1 "$pattern" "$vmm" --kernel "$tmp/$file" "$@"
}

starting_screen()
{
	refuses sleeps "missing/picture.*No such file" \
		--screen "$tmp/missing/picture"
	result $? 'a picture in a directory that is not there'
	refuses sleeps "'/dev/null': not a regular file" --screen /dev/null &&
		[ -c /dev/null ]
	result $? 'a picture that would take the place of a device'
	ends 2 2 '--screen: no file given' "$vmm" --kernel "$tmp/sleeps" \
		--screen ''
	result $? 'a picture without a name'
}

starting()
{
	refused_kernels
	refuses sleeps 'initrd.*No such file' --initrd "$tmp/missing"
	result $? 'an initrd that is not there'
	refuses sleeps 'initrd.*is empty' --initrd "$tmp/empty"
	result $? 'an empty initrd'

	bad=0
	for memory in 0 15 -1 12x '' 99999999999999999999; do
		ends 2 2 "--memory '$memory'" "$vmm" --memory "$memory" || bad=1
	done
	result $bad 'no amount of memory'
	ends 2 2 "unrecognized option '--nonsense'" "$vmm" --nonsense
	result $? 'an option that there is not'
	"$vmm" --version | grep -qE \
		'^mregion-vmm [0-9.]+, base interface [0-9]+$'
	result $? 'its version'

	if [ "$no_screen" ]; then
		ends 2 2 '--screen: .* has no framebuffer here' "$vmm" --kernel "$tmp/sleeps" \
			--screen "$tmp/picture"
		result $? 'a screen that it cannot have'
		skipped "$no_screen"
		skipped "$no_screen"
	else
		starting_screen
	fi

	refuses sleeps '4000000000 MiB are more than this host has' \
		--memory 4000000000
	result $? 'more memory than there is'
	# Whoever has booted this has some of it.
	total=$(awk '/^(Mem|Swap)Total:/ { kib += $2 }
		END { print int(kib / 1024) }' /proc/meminfo)
	ends 1 2 "warning: .* $total MiB .* to spare" "$vmm" \
		--kernel "$tmp/sleeps" --initrd "$tmp/missing" \
		--memory "$total"
	result $? 'more memory than is free: a warning'

	if su -s /bin/sh nobody -c 'test -w /dev/kvm'; then
		skipped '/dev/kvm is for everybody'
	else
		ends 1 1 '/dev/kvm: no permission' \
			su -s /bin/sh nobody -c "$vmm --kernel $tmp/sleeps"
		result $? 'no permission for /dev/kvm'
	fi

	if [ "${MREGION_KO:-}" ] && rmmod mregion; then
		refuses sleeps '/dev/mregion: .* not loaded; .modprobe mregion'
		result $? 'no module'
		insmod "$MREGION_KO"
		chgrp kvm /dev/mregion
	else
		skipped 'the module cannot be unloaded, or MREGION_KO is not set'
	fi

	# Whatever it is that cannot be had, it says why, until it has them all.
	limit=4
	while ends 1 1 'Too many open files' \
		sh -c "ulimit -n $limit; exec $vmm --kernel $tmp/sleeps \
			--blk $tmp/disk --rng --initrd $tmp/missing"; do
		limit=$((limit + 1))
	done >"$tmp/last"
	[ $limit -gt 10 ] && grep -q 'missing.*No such file' "$tmp/err"
	good=$?
	[ $good -eq 0 ] || cat "$tmp/last"
	result $good "too few descriptors: $limit do"
}

# --- the guest ends

# last STATUS PATTERN FILE: of the guest that prints $text last
last()
{
	timeout 20 "$vmm" --kernel "$tmp/$3" </dev/null >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status -eq "$1" ] && [ "$(cat "$tmp/out")" = "$text" ] &&
		head -n 1 "$tmp/err" | grep -q "^mregion-vmm: $2"
	good=$?
	[ $good -eq 0 ] || {
		echo "# status $status"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
	}
	result $good "$3: nothing it has printed is lost"
}

# --- pictures of its screen

# screen FILE: runs the kernel FILE with a screen
screen()
{
	rm -f "$tmp/picture"*
	# shellcheck disable=SC2016 # that shell expands it
	timeout 60 sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
		"$vmm" --kernel "$tmp/$1" --screen "$tmp/picture" \
		</dev/null >"$tmp/out" 2>"$tmp/err" &
	tenths=100
	while [ ! "$(process screen)" ] && [ $tenths -gt 0 ]; do
		tenths=$((tenths - 1))
		sleep 0.1
	done
}

# whole: the picture is, if it is there
whole()
{
	[ ! -e "$tmp/picture" ] || png_pixels "$tmp/picture" /dev/zero |
		grep -q '^640 480 '
}

screens()
{
	[ ! "$no_screen" ] || {
		for _ in 1 2 3 4 5 6; do
			skipped "$no_screen"
		done
		return
	}

	screen draws
	good=0
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -USR1 "$(cat "$tmp/pid")"
		sleep 0.1
		whole || good=1
	done
	result $good 'a guest that draws all the time: each picture is whole'
	terminate
	wait $!
	status=$?
	[ $status -eq 0 ] && [ -e "$tmp/picture" ] && whole
	result $? 'there is one at the end'

	screen draws
	kill -KILL "$(process screen)"
	wait_until 10 grep -q 'its process has ended' "$tmp/err" &&
		[ "$(wc -l <"$tmp/err")" -eq 1 ]
	result $? "the screen's process is killed: the user is told"
	kill -USR1 "$(cat "$tmp/pid")"
	terminate
	wait $!
	status=$?
	[ $status -eq 1 ] && [ ! -e "$tmp/picture" ]
	result $? 'there is no picture then, and the status says so'

	screen sleeps
	kill -STOP "$(process screen)"
	terminate
	wait $!
	status=$?
	[ $status -eq 1 ] && grep -q 'does not answer' "$tmp/err" &&
		[ ! "$(process screen)" ] && [ ! -e "$tmp/picture" ]
	result $? "the screen's process is stopped: the end comes, without a picture"
	[ "$(echo "$tmp"/picture*)" = "$tmp/picture*" ]
	result $? 'nothing is left of it'
}

# --- it is asked to end

# Runs on a terminal of its own, and leaves behind what became of that.
cat >"$tmp/on-terminal" <<'END'
dir=$1
shift
stty -g >"$dir/before"
sh -c 'echo $$ >"$0"; exec "$@"' "$dir/pid" "$@"
echo $? >"$dir/status"
stty -g >"$dir/after"
read -r seconds _ </proc/uptime
echo "${seconds%.*}" >"$dir/seconds"
END

# with_terminal ACTION FILE [OPTION]...: starts the kernel FILE, and calls ACTION,
# whose output is what is typed, once it runs. Ends well if that ends it in time.
with_terminal()
{
	action=$1
	file=$2
	shift 2
	rm -f "$tmp/pid" "$tmp/status" "$tmp/after" "$tmp/seconds"
	: >"$tmp/out"
	# shellcheck disable=SC2094 # it is looked at while it grows
	{
		wait_until 20 grep -q 'Ctrl-A x ends' "$tmp/out"
		$action
		read -r asked _ </proc/uptime
		echo "${asked%.*}" >"$tmp/asked"
		# The end of what is typed would be a key, too.
		tenths=150
		while [ ! -s "$tmp/seconds" ] && [ $tenths -gt 0 ]; do
			tenths=$((tenths - 1))
			sleep 0.1
		done
	} | timeout 60 script -qfc "sh $tmp/on-terminal $tmp $vmm --kernel \
		$tmp/$file $*" /dev/null >"$tmp/out" 2>&1
	status=$(cat "$tmp/status")
	took=$(($(cat "$tmp/seconds") - $(cat "$tmp/asked")))
}

# ended STATUS SECONDS NAME: so it ended, in so many at most
ended()
{
	[ "$status" = "$1" ] && [ "$took" -le "$2" ]
	good=$?
	[ $good -eq 0 ] || {
		echo "# status '$status' after $took s"
		sed 's/^/# /' "$tmp/out"
	}
	result $good "$3"
	[ -s "$tmp/before" ] && cmp -s "$tmp/before" "$tmp/after"
	result $? "$3: the terminal is as it was"
}

keys()
{
	printf '\001x'
}

# More than anybody keeps for the guest, and slower than a terminal loses them
many_keys()
{
	for _ in 1 2 3 4 5 6; do
		printf '%01000d' 0
		sleep 0.1
	done
	keys
}

terminate()
{
	kill -TERM "$(cat "$tmp/pid")"
}

# process [NAME]: that of the disk, or of NAME, as long as there is one
process()
{
	for comm in /proc/[0-9]*/comm; do
		read -r name <"$comm" || continue
		pid=${comm#/proc/}
		[ "$name" != "mregion-${1:-blk}" ] || echo "${pid%/comm}"
	done 2>/dev/null
}

# Its vCPU waits for that by the time that this is over, if it waits at all.
stop_process()
{
	kill -STOP "$(process)"
	sleep 1
}

stop_keys()
{
	stop_process
	keys
}

stop_terminate_twice()
{
	stop_process
	terminate
	sleep 0.5
	terminate
}

# As shell and kernel do between them when a terminal goes.
stop_hang_up_twice()
{
	stop_process
	kill -HUP "$(cat "$tmp/pid")"
	sleep 0.5
	kill -HUP "$(cat "$tmp/pid")"
}

asked()
{
	with_terminal keys sleeps
	ended 0 3 'Ctrl-A x, of a guest that takes no input'
	with_terminal many_keys sleeps
	ended 0 3 'Ctrl-A x, after many other keys'
	with_terminal terminate stops
	ended 0 3 'SIGTERM'
	grep -q "$text" "$tmp/out"
	result $? 'SIGTERM: nothing the guest has printed is lost'

	disk="--blk $tmp/disk --blk-server"
	with_terminal keys reads "$disk"
	ended 0 3 'Ctrl-A x, of a guest that is busy with its disk'
	with_terminal stop_keys sleeps "$disk"
	ended 0 5 "Ctrl-A x, with the disk's process stopped"
	[ ! "$(process)" ]
	result $? 'nothing is left of it'
	# Less than a server is given.
	with_terminal stop_keys reads "$disk"
	ended 0 6 'Ctrl-A x, of a guest that waits for it'
	with_terminal stop_hang_up_twice sleeps "$disk"
	ended 0 6 'SIGHUP twice'
	with_terminal stop_terminate_twice sleeps "$disk"
	ended 143 3 'SIGTERM twice'
	kill -KILL "$(process)" 2>/dev/null
}

vmm=$(command -v "$vmm")
if command -v script >/dev/null; then
	echo 1..$((46 + nr_endings))
else
	echo 1..$((28 + nr_endings))
fi
starting
ending
screens
! command -v script >/dev/null || asked
exit $failed
