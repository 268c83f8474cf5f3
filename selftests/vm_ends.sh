#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# How mregion-vmm ends: with one line that says why, if it cannot begin; with all
# that the guest has printed, if that ends; and if it is asked to, whatever the guest
# and the disk's process do, with the terminal as it was. Its kernels are images of a
# few bytes.
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

# kernel FILE CODE: a bzImage of boot protocol 2.15 that executes CODE
kernel()
{
	dd if=/dev/zero of="$1" bs=512 count=3 2>/dev/null
	put "$1" 0x1f1 '\001'			# setup_sects
	put "$1" 0x1f4 '\040'			# syssize, in 16 bytes
	put "$1" 0x1fe '\125\252'		# boot_flag
	put "$1" 0x200 '\353\152HdrS\017\002'	# jump; magic number; version
	put "$1" 0x211 '\001'			# loadflags: LOADED_HIGH
	put "$1" 0x22c '\377\377\377\177'	# initrd_addr_max
	put "$1" 0x238 '\377\007'		# cmdline_size
	put "$1" 0x25a '\020'			# pref_address: 1 MiB
	put "$1" 0x262 '\020'			# init_size: 1 MiB
	put "$1" 1024 "$2"
}

# Sleeps for ever:	1: hlt; jmp 1b
kernel "$tmp/sleeps" '\364\353\375'

# Gives the first virtio device a BAR at 0xd0000000, and reads it for ever:
#	mov $0xcf8, %edx; mov $0x80000810, %eax; out %eax, %dx
#	mov $0xcfc, %edx; mov $0xd0000000, %eax; out %eax, %dx
#	mov $0xcf8, %edx; mov $0x80000804, %eax; out %eax, %dx
#	mov $0xcfc, %edx; mov $2, %eax; out %eax, %dx
#	1: mov 0xd0000000, %eax; jmp 1b
kernel "$tmp/reads" "\
\272\370\014\000\000\270\020\010\000\200\357\
\272\374\014\000\000\270\000\000\000\320\357\
\272\370\014\000\000\270\004\010\000\200\357\
\272\374\014\000\000\270\002\000\000\000\357\
\241\000\000\000\320\353\371"

# prints NAME CODE: a kernel that executes CODE when it has printed $text:
#	mov $0x100080, %esi; mov $0x3f8, %edx
#	1: lodsb; test %al, %al; je 2f; out %al, %dx; jmp 1b; 2:
text='Kernel panic - not syncing: this is the end'
prints()
{
	kernel "$tmp/$1" "\
\276\200\000\020\000\272\370\003\000\000\
\254\204\300\164\003\356\353\370$2"
	put "$tmp/$1" $((1024 + 0x80)) "$text\000"
}

# mov $0xfe, %al; out %al, $0x64; 1: hlt; jmp 1b
prints resets '\260\376\346\144\364\353\375'
# lidt 0x1000f0, where there is nothing; int3
prints faults '\017\001\035\360\000\020\000\314'
# mov $0xd0000000, %eax; jmp *%eax
prints strays '\270\000\000\000\320\377\340'
# 1: hlt; jmp 1b
prints stops '\364\353\375'

# Draws on all of the framebuffer, for ever:
#	1: mov $0xa0000000, %edi; mov $307200, %ecx; inc %eax; rep stosl; jmp 1b
kernel "$tmp/draws" '\277\000\000\000\240\271\000\260\004\000\100\363\253\353\361'

# changed NAME OFFSET BYTES: a kernel that differs
changed()
{
	cp "$tmp/sleeps" "$tmp/$1"
	put "$tmp/$1" "$2" "$3"
}

: >"$tmp/empty"
seq 1 1000 >"$tmp/text"
dd if="$tmp/sleeps" of="$tmp/truncated" bs=512 count=2 2>/dev/null
changed longer 0x1f4 '\377\377'
# Its payload begins behind its end, by less than one of syssize's units.
changed whole 0x1f1 '\002\000\000\000\000\000\000'
dd if="$tmp/whole" of="$tmp/nothing" bs=1530 count=1 2>/dev/null
changed address 0x258 '\377\377\377\377\377\377\377\377'
changed wraps 0x258 '\000\000\000\377\377\377\377\377\000\000\000\001'
changed large 0x260 '\377\377\377\377'
dd if=/dev/zero of="$tmp/disk" bs=1M count=0 seek=1 2>/dev/null

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

starting()
{
	refuses missing "missing.*No such file"
	result $? 'a kernel that is not there'
	refuses empty 'empty.*is empty'
	result $? 'an empty file'
	refuses text 'text.*is not a bzImage'
	result $? 'a text'
	refuses truncated 'truncated.*is cut short'
	result $? 'a kernel without its payload'
	refuses longer 'longer.*is cut short'
	result $? 'a kernel shorter than it says'
	refuses nothing 'nothing.*is cut short'
	result $? 'a kernel whose payload is behind its end'
	refuses address 'address.*damaged.*0xffffffffffffffff'
	result $? 'a kernel for the last address there is'
	refuses wraps 'wraps.*damaged.*0xffffffffff000000'
	result $? 'a kernel that ends behind that'
	refuses large 'large.*needs 4097 MiB.*--memory'
	result $? 'a kernel that needs more memory than there is'
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

	refuses sleeps "missing/picture.*No such file" \
		--screen "$tmp/missing/picture"
	result $? 'a picture in a directory that is not there'
	refuses sleeps "'/dev/null': not a regular file" --screen /dev/null &&
		[ -c /dev/null ]
	result $? 'a picture that would take the place of a device'
	ends 2 2 '--screen: no file given' "$vmm" --kernel "$tmp/sleeps" \
		--screen ''
	result $? 'a picture without a name'

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

ending()
{
	last 0 'the guest asked for a reset' resets
	last 1 'vCPU 0: triple fault' faults
	last 1 'vCPU 0: KVM cannot emulate' strays
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
	echo 1..49
else
	echo 1..31
fi
starting
ending
screens
! command -v script >/dev/null || asked
exit $failed
