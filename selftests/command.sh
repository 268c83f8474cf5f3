#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the mregion command says of a machine that another process holds
# (command_machine.c), and of what happens to it. MREGION names the command.
#
# shellcheck disable=SC2317 # functions are called by their names

here=$(cd "$(dirname "$0")" && pwd)
# As built, where nothing is installed.
PATH=$here:$PATH:$here/../build/bin:$here/../build/selftests
number=0
status=0

skip()
{
	echo "1..0 # SKIP $*"
	exit 4
}

echo 'TAP version 13'
command=$(command -v "${MREGION:-mregion}") || skip 'no mregion command'
[ -e /dev/mregion ] || skip 'no /dev/mregion: the module is not loaded'
[ "$(id -u)" -eq 0 ] || skip 'not root'

tmp=$(mktemp -d) || exit 1
chmod 755 "$tmp"
pids=
# shellcheck disable=SC2086 # several
trap 'kill -9 $pids 2>/dev/null; rm -rf "$tmp"' EXIT

mregion()
{
	"$command" "$@"
}

# Since the machine was started, in 1/100 s, without a process for that.
now()
{
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
}

# check NAME COMMAND...; says how long it took if that is long
check()
{
	name=$1
	shift
	number=$((number + 1))
	now
	began=$now
	if "$@" >"$tmp/check" 2>&1; then
		echo "ok $number $name"
	else
		sed 's/^/# /' "$tmp/check"
		echo "not ok $number $name"
		status=1
	fi
	now
	took=$((now - began))
	[ "$took" -lt 100 ] || echo "# took $((took / 100)).$((took % 100 / 10)) s"
}

# prints STATUS COMMAND...: it ends so, and prints what is on standard input
prints()
{
	cat >"$tmp/expected"
	wanted=$1
	shift
	"$@" >"$tmp/output" 2>&1
	got=$?
	if [ "$got" -eq "$wanted" ] && cmp -s "$tmp/expected" "$tmp/output"; then
		return
	fi
	echo "status $got; wanted $wanted:"
	diff -u "$tmp/expected" "$tmp/output"
	return 1
}

# says STATUS TEXT COMMAND...: it ends so, and prints the text somewhere
says()
{
	wanted=$1
	text=$2
	shift 2
	"$@" >"$tmp/output" 2>&1
	got=$?
	if [ "$got" -eq "$wanted" ] && grep -qF -e "$text" "$tmp/output"; then
		return
	fi
	echo "status $got; wanted $wanted, and '$text':"
	cat "$tmp/output"
	return 1
}

# json STATUS NR TEXT COMMAND...: NR values, and the text in one of them
json()
{
	wanted=$1
	nr=$2
	text=$3
	shift 3
	"$@" >"$tmp/output" 2>"$tmp/errors"
	got=$?
	valid=$(json_valid <"$tmp/output")
	if [ "$got" -eq "$wanted" ] && [ "$valid" = "$nr" ] &&
	   [ ! -s "$tmp/errors" ] && grep -qF -e "$text" "$tmp/output"; then
		return
	fi
	echo "status $got; $valid; wanted $wanted, $nr, and '$text':"
	cat "$tmp/output" "$tmp/errors"
	return 1
}

# until_has FILE TEXT: wait until it is there
until_has()
{
	tries=0
	until grep -qF -e "$2" "$1"; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { echo "no '$2' in:"; cat "$1"; return 1; }
		sleep 0.1
	done
}

# ask LINE: of the machine; the answer is in $answer
ask()
{
	echo "$*" >&3
	read -r answer <&4
}

# --- nothing there yet

# With its network namespace it has none of the others' machines.
alone()
{
	unshare -n "$command" "$@"
}

check 'no machines' prints 0 alone show <<'END'
MACHINE  PID  COMM  GENERATION  REGIONS  SPACES  VMS  MEMORY
END
check 'no machines, as JSON' prints 0 alone -j show <<'END'
{"machines":[]}
END

# --- a machine

mkfifo "$tmp/in" "$tmp/out"
command_machine <"$tmp/in" >"$tmp/out" &
pid=$!
pids="$pids $pid"
exec 3>"$tmp/in" 4<"$tmp/out"
read -r answer <&4
case $answer in
ready*) ;;
*)
	echo "Bail out! no machine: $answer"
	exit 1
	;;
esac
vms=0
[ "$answer" = 'ready vm' ] && vms=1
machine=$(mregion -j show pid $pid |
	  sed -n 's/^{"machines":\[{"id":\([0-9]*\),.*/\1/p')
[ "$machine" ] || { echo 'Bail out! the machine is not seen'; exit 1; }

# Words, whatever there is between them.
line()
{
	mregion show | awk -v id="$machine" \
		'$1 == id { print $2, $3, $4, $5, $6, $7; nr++ }
		END { exit nr != 1 }'
}
check 'show' prints 0 line <<END
$pid command_machine 1 17 3 $vms
END

check 'tree' prints 0 mregion show "$machine" tree <<END
machine $machine: command_machine, process $pid, generation 1
space 1 (memory):
  0000000000000000-ffffffffffffffff (prio 0, container, 16E): #1 system
    0000000000000000-0000000000ffffff (prio 0, ram, 16M): #2 memory [fd 0x0]
    00000000000a0000-00000000000bffff (prio 1, mmio, 128K): #3 vga
    00000000e0000000-00000000efffffff (prio 0, container, 256M): #4 pci
      00000000e0001000-00000000e00010ff (prio 0, mmio, 256): #5 uart [5 rules]
      00000000e0002000-00000000e0002fff (prio 0, mmio, 4K): #8 served [server 1]
      00000000e0003000-00000000e0003fff (prio 0, mmio, 4K): #9 hidden [disabled]
      00000000e0004000-00000000e000400f (prio 0, mmio, 16): #10 ä \\xff"\\x5c
      00000000e0005000-00000000e000500f (prio 0, mmio, 16): #15 moving
    00000000fee00000-00000000fee00fff (prio 0, reservation, 4K): #14 apic
    00000000ffff0000-00000000ffffffff (prio -1, rom, 64K): #6 bios
    0000000100000000-00000001000fffff (prio 0, alias, 1M): #7 memory-high @#2 memory 0000000000800000-00000000008fffff
    0000000200000000-0000000200000fff (prio 0, alias, 4K): #13 memory-ro [readonly] @#2 memory 0000000000000000-0000000000000fff
space 2 (pio):
  0000000000000000-000000000000ffff (prio 0, container, 64K): #11 ports
    00000000000003f8-00000000000003ff (prio 0, mmio, 8): #12 port
space 3 (memory):
  0000000000000000-000000000fffffff (prio 0, container, 256M): #4 pci
    0000000000001000-00000000000010ff (prio 0, mmio, 256): #5 uart [5 rules]
    0000000000002000-0000000000002fff (prio 0, mmio, 4K): #8 served [server 1]
    0000000000003000-0000000000003fff (prio 0, mmio, 4K): #9 hidden [disabled]
    0000000000004000-000000000000400f (prio 0, mmio, 16): #10 ä \\xff"\\x5c
    0000000000005000-000000000000500f (prio 0, mmio, 16): #15 moving
not mapped:
  0000000000000000-0000000000000fff (prio 0, container, 4K): #16 loose
    0000000000000500-000000000000050f (prio 0, mmio, 16): #17 in loose
END

check 'view' prints 0 mregion show pid $pid view <<END
machine $machine: command_machine, process $pid, generation 1
view of space 1 (memory), root #1 system, unassigned exit, of generation 1:
  0000000000000000-000000000009ffff (ram): #2 memory
  00000000000a0000-00000000000bffff (i/o): #3 vga
  00000000000c0000-0000000000ffffff (ram): #2 memory @00000000000c0000
  00000000e0001000-00000000e00010ff (i/o): #5 uart
  00000000e0002000-00000000e0002fff (i/o): #8 served
  00000000e0004000-00000000e000400f (i/o): #10 ä \\xff"\\x5c
  00000000e0005000-00000000e000500f (i/o): #15 moving
  00000000fee00000-00000000fee00fff (resv): #14 apic
  00000000ffff0000-00000000ffffffff (rom): #6 bios [readonly]
  0000000100000000-00000001000fffff (ram): #2 memory @0000000000800000
  0000000200000000-0000000200000fff (rom): #2 memory [readonly]
view of space 2 (pio), root #11 ports, unassigned exit, of generation 1:
  00000000000003f8-00000000000003ff (i/o): #12 port
view of space 3 (memory), root #4 pci, unassigned ones, of generation 1:
  0000000000001000-00000000000010ff (i/o): #5 uart
  0000000000002000-0000000000002fff (i/o): #8 served
  0000000000004000-000000000000400f (i/o): #10 ä \\xff"\\x5c
  0000000000005000-000000000000500f (i/o): #15 moving
END

# Those of which space 3 is seen in SMM
smm=$vms
[ "$(uname -m)" = x86_64 ] || smm=0
check 'tables' prints 0 mregion show "$machine" spaces rules rings servers \
	shadows <<END
machine $machine: command_machine, process $pid, generation 1
spaces:
  SPACE  BUS     ROOT       UNASSIGNED  RANGES  VMS  GENERATION
      1  memory  #1 system  exit            11    $vms           1
      2  pio     #11 ports  exit             1    $vms           1
      3  memory  #4 pci     ones             4    $smm           1
rules:
  REGION   KIND      OFFSET  LENGTH  SIZE   VALUE  RING  SHADOW     AT  FLAGS         INDEX
  #5 uart  doorbell    0x10       4     4  0x1234     -       -      -  datamatch     -
  #5 uart  coalesce     0x0       8     -       -     1       -      -  -             -
  #5 uart  shadow      0x40       8     -       -     -       1   0x80  read,write    -
  #5 uart  shadow      0x48       4     -       -     -       1  0x100  read,indexed  4 bytes at 0x80 of shadow 1: 0x80000000-0x8000fffc of 0x80fffffc, place by 0xfc
  #5 uart  shadow      0x50       4     4       -     -       1  0x200  read,indexed  1 byte at 0x84 of shadow 1: 0x10-0x3f of 0xff, place by 0x3f << 2
rings:
  RING  ENTRIES  WAITING  APPENDED  FULL  WAKEUPS
     1        4        0         0     0        0
servers:
  SERVER  PID  STATE  SLOTS  PARKED  SERVED  EXITS  SLEEPS  WAKEUPS
       1    -  alive      2       0       0      0       0        0
shadows:
  SHADOW  LENGTH
       1      4K
END

if [ $vms -eq 1 ]; then
	column=
	[ $smm -eq 0 ] || column='          3'
	check 'virtual machines' says 0 \
		"   1  $pid             1          2$column" \
		mregion show "$machine" vms
	check 'claims' says 0 '0xfee01000   0xffffffff' \
		mregion show "$machine" claims
else
	for name in 'virtual machines' claims; do
		number=$((number + 1))
		echo "ok $number # SKIP $name: no KVM"
	done
fi

# --- filters

check 'filter by name' prints 0 mregion show "$machine" tree name 'memory-*' <<END
machine $machine: command_machine, process $pid, generation 1
space 1 (memory):
  0000000000000000-ffffffffffffffff (prio 0, container, 16E): #1 system
    0000000100000000-00000001000fffff (prio 0, alias, 1M): #7 memory-high @#2 memory 0000000000800000-00000000008fffff
    0000000200000000-0000000200000fff (prio 0, alias, 4K): #13 memory-ro [readonly] @#2 memory 0000000000000000-0000000000000fff
END
check 'filter by address' prints 0 mregion show "$machine" addr 0xe0001042 <<END
machine $machine: command_machine, process $pid, generation 1
space 1 (memory):
  0000000000000000-ffffffffffffffff (prio 0, container, 16E): #1 system
    00000000e0000000-00000000efffffff (prio 0, container, 256M): #4 pci
      00000000e0001000-00000000e00010ff (prio 0, mmio, 256): #5 uart [5 rules]
view of space 1 (memory), root #1 system, unassigned exit, of generation 1:
  00000000e0001000-00000000e00010ff (i/o): #5 uart
rules:
  REGION   KIND    OFFSET  LENGTH  SIZE  VALUE  RING  SHADOW    AT  FLAGS
  #5 uart  shadow    0x40       8     -      -     -       1  0x80  read,write
END
check 'filter by kind' prints 0 mregion show "$machine" view kind rom <<END
machine $machine: command_machine, process $pid, generation 1
view of space 1 (memory), root #1 system, unassigned exit, of generation 1:
  00000000ffff0000-00000000ffffffff (rom): #6 bios [readonly]
END
check 'filter as JSON' json 0 1 '"regions":[{"id":6,"name":"bios",' \
	mregion -j show "$machine" tree kind rom

# --- JSON, whatever names have in them

check 'JSON of machines' json 0 1 "\"pid\":$pid,\"comm\":\"command_machine\"" \
	mregion -j show
check 'JSON of a machine' json 0 1 \
	'"name":"ä \ufffd\"\\","name_hex":"c3a420ff225c","kind":"mmio"' \
	mregion show "$machine" -j
check 'JSON of all' json 0 1 '"servers":[{"id":1,"pid":' \
	mregion -j show "$machine" tree spaces view rules rings servers \
	shadows vms claims
check 'JSON of an index' json 0 1 \
	'"index_len":1,"index_bits":"0xff","index_first":"0x10","index_last":"0x3f","index_select":"0x3f","index_shift":2' \
	mregion -j show "$machine" rules
check 'JSON for people' json 0 1 '                    "name": "system",' \
	mregion -jp show "$machine"
check 'options combined behind' json 0 1 '    "machines": [' \
	mregion show -pj "$machine" tree

# --- addresses

check 'translate' prints 0 mregion translate "$machine" 1 0xa0010 <<END
machine $machine, space 1 (memory), address 0xa0010: #3 vga, offset 0x10, up to 0xbffff
  #1 system (container), root of the space: offset 0xa0010
    #3 vga (mmio), mapped at 0xa0000, priority 1: offset 0x10
END
check 'translate through an alias' prints 0 \
	mregion translate pid $pid 1 0x200000010 <<END
machine $machine, space 1 (memory), address 0x200000010: #2 memory, offset 0x10, up to 0x200000fff [readonly]
  #1 system (container), root of the space: offset 0x200000010
    #13 memory-ro (alias), mapped at 0x200000000, priority 0: offset 0x10
      #2 memory (ram), shown from 0x0 on: offset 0x10
END
check 'translate what is disabled' prints 0 \
	mregion translate "$machine" 3 0x3004 <<END
machine $machine, space 3 (memory), address 0x3004: nothing, up to 0x3fff: reads return all-ones, writes are dropped
END
check 'translate to nothing' prints 0 mregion translate "$machine" 2 0x400 <<END
machine $machine, space 2 (pio), address 0x400: nothing, up to 0xffff: accesses exit to the VMM
END
check 'translate as JSON' json 0 1 \
	'"path":[{"region":1,"name":"system","kind":"container","offset":"0x100000010"},{"region":7,"name":"memory-high","kind":"alias","offset":"0x10"},{"region":2,"name":"memory","kind":"ram","offset":"0x800010"}]' \
	mregion -j translate "$machine" 1 0x100000010
check 'translate to nothing, as JSON' json 0 1 \
	'"last":"0xffff","region":null,"unassigned":"exit","path":[]' \
	mregion -j translate "$machine" 2 0x400
check 'beyond the end of a space' prints 1 \
	mregion translate "$machine" 2 0x10000 <<END
mregion: machine $machine, space 2, address 0x10000: the space ends at 0xffff
END
check 'no such space' says 1 \
	"mregion: machine $machine, space 9, address 0x0: " \
	mregion translate "$machine" 9 0

# Both ends of all ranges of a view, and what is beside them.
everywhere()
{
	mregion show "$machine" view |
		sed -n 's/^  \([0-9a-f]*\)-\([0-9a-f]*\) .*: #\([0-9]*\).*/\1 \2 \3/p' |
		head -n 11 >"$tmp/ranges"
	[ "$(wc -l <"$tmp/ranges")" -eq 11 ] || { cat "$tmp/ranges"; return 1; }
	while read -r first last region; do
		for address in "$first" "$last"; do
			case $(mregion translate "$machine" 1 "0x$address") in
			*": #$region "* | *": #$region,"*) ;;
			*)
				echo "$address: not $region"
				return 1
				;;
			esac
		done
	done <"$tmp/ranges"
}
check 'translate agrees with the view' everywhere

# --- drawings

# What is opened last is closed first, and all is in one element.
well_formed()
{
	awk '
		function wrong(what)
		{
			print what
			exit 1
		}
		{ text = text $0 "\n" }
		END {
			sub(/^<\?xml [^>]*>/, "", text)
			nr = split(text, part, "<")
			if (part[1] ~ /[^ \n]/)
				wrong("text before all: " part[1])
			for (i = 2; i <= nr; i++) {
				end = index(part[i], ">")
				if (!end)
					wrong("no end: " part[i])
				tag = substr(part[i], 1, end - 1)
				between = substr(part[i], end + 1)
				gsub(/&(amp|lt|gt|quot|#x[0-9a-f]+);/, "", between)
				if (between ~ /&/)
					wrong("a bare &: " between)
				name = tag
				sub(/^\//, "", name)
				sub(/[ \/].*/, "", name)
				if (tag ~ /^\//) {
					if (!depth || opened[depth--] != name)
						wrong("not open: " name)
				} else {
					if (!depth && (name != "svg" || roots++))
						wrong("beside all: " name)
					if (tag !~ /\/$/)
						opened[++depth] = name
				}
				if (!depth && between ~ /[^ \n]/)
					wrong("text after all: " between)
			}
			if (depth || !roots)
				wrong("not closed: " opened[depth])
		}' "$1"
}

# drawn FILE SPACE...: it has the first addresses of all ranges of the spaces
drawn()
{
	file=$1
	shift
	grep -o '>0x[0-9a-f]*<' "$file" >"$tmp/has"
	mregion show "$machine" view | awk -v spaces=" $* " -v nr=$# '
		NR == FNR { has[$0] = 1; next }
		/^view of space / {
			shown = index(spaces, " " $4 " ")
			nr -= shown > 0
		}
		/^  / && shown {
			sub(/-.*/, "", $1)
			sub(/^0*/, "", $1)
			if (!((">0x" ($1 == "" ? 0 : $1) "<") in has)) {
				print "missing: " $0
				failed = 1
			}
		}
		END { exit failed || nr }' "$tmp/has" -
}

draws()
{
	mregion draw "$machine" >"$tmp/svg" || return 1
	well_formed "$tmp/svg" && drawn "$tmp/svg" 1 2 3 || return 1
	for text in "<title>machine $machine: command_machine, generation 1<" \
		'>space 1 (memory)<' '>space 2 (pio)<' '>space 3 (memory)<' \
		'>memory-high &#x2192; memory<' '&#xe4; &#xfffd;&quot;\<'; do
		grep -qF "$text" "$tmp/svg" || { echo "no $text"; return 1; }
	done
	[ "$(grep -c 'class="h2"' "$tmp/svg")" -eq 3 ] &&
		! grep -qF ', disabled' "$tmp/svg"
}
check 'draw' draws

draws_to_file()
{
	mregion draw pid "$pid" -o "$tmp/file" && cmp "$tmp/svg" "$tmp/file"
}
check 'draw to a file, by process' draws_to_file

draws_options()
{
	mregion draw "$machine" -a -t '<&' >"$tmp/svg" && drawn "$tmp/svg" 1 2 3 &&
		grep -qF ', disabled' "$tmp/svg" &&
		grep -qF '<title>&lt;&amp;</title>' "$tmp/svg" || return 1
	mregion draw -s 3 --space 2 "$machine" >"$tmp/svg" &&
		drawn "$tmp/svg" 2 3 &&
		[ "$(grep -c 'class="h2"' "$tmp/svg")" -eq 2 ] &&
		! grep -qF '>space 1 (memory)<' "$tmp/svg"
}
check 'draw with options' draws_options

# A number alone is a machine, whatever files there are.
draws_file()
{
	cd "$tmp" || return 1
	printf 'region 1 ram 0x1000 of the file\nspace s 1\n' >"$machine"
	mregion draw "./$machine" >svg && grep -qF '>of the file<' svg &&
		mregion draw "$machine" >svg && ! grep -qF '>of the file<' svg &&
		cp "$machine" 3.topo && mregion draw 3.topo >svg &&
		grep -qF '>of the file<' svg
	got=$?
	cd "$here" || return 1
	return "$got"
}
check 'draw a file whose name is a number' draws_file

check 'draw no such space' prints 1 mregion draw "$machine" -s 9 <<END
mregion: machine $machine: there is no space of that number
END
check 'draw no such machine' says 1 'mregion: machine 999999: ' mregion draw 999999

# --- accesses

writes()
{
	ask write 1 0xe0001000 4 6 &&
		ask write 1 0xe0001010 4 3 &&
		ask write 1 0xe0001040 4 2 &&
		ask write 1 0xd0000000 4 1
	echo "$answer"
	[ "$answer" = ok ]
}

TRACEFS=/sys/kernel/tracing

# check_trace NAME COMMAND...: unless there is no tracefs
check_trace()
{
	if [ -d "$TRACEFS/events/mregion" ]; then
		check "$@"
	else
		number=$((number + 1))
		echo "ok $number # SKIP $1: no tracefs"
	fi
}

# check_slow_trace NAME COMMAND...: of the command's own; where the kernel checks itself
# it takes seconds to make and remove the files of an instance
check_slow_trace()
{
	if [ -e /proc/lockdep ]; then
		number=$((number + 1))
		echo "ok $number # SKIP $1: instances of tracefs take too long"
	else
		check_trace "$@"
	fi
}

# until_on PID EVENT: wait until it traces this event, and those before
until_on()
{
	instance=$TRACEFS/instances/mregion-$1
	tries=0
	until grep -qs '^1' "$instance/events/mregion/mregion_$2/enable"; do
		tries=$((tries + 1))
		[ "$tries" -lt 600 ] || { echo "$2 is not on"; return 1; }
		sleep 0.1
	done
}

# traces NAME EVENT ARGUMENT...: start a trace, of which EVENT is the last one
traces()
{
	file=$tmp/$1
	event=$2
	shift 2
	"$command" trace "$@" >"$file" 2>&1 &
	tracer=$!
	pids="$pids $tracer"
	until_on "$tracer" "$event" || { cat "$file"; return 1; }
}

no_instance()
{
	for left in "$TRACEFS"/instances/mregion-*; do
		[ ! -e "$left" ] || { echo "$left is left"; return 1; }
	done
}

# ends SIGNAL: the tracer does, in order, and nothing is left of it
ends()
{
	kill "-$1" "$tracer"
	wait "$tracer" || { echo "status $?"; cat "$file"; return 1; }
	no_instance
}

traced_writes()
{
	traces trace detach "$machine" || { writes; return 1; }
	text=$tracer
	traces trace.json detach -j pid "$pid" || { writes; return 1; }
	writes || return 1
	until_has "$tmp/trace" unassigned_exit || return 1
	kill -TERM "$text"
	wait "$text" || { echo "status $?"; return 1; }
	ends INT || return 1
	cat "$tmp/trace"
	grep -vq '^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\.[0-9]\{6\} machine ' \
		"$tmp/trace" && return 1
	sed 's/^[^ ]* //' "$tmp/trace" | uniq -c | sed 's/^ *//' >"$tmp/lines"
	diff -u - "$tmp/lines" <<-END
		4 machine $machine vcpu -   coalesced       write 4 space 1 0xe0001000 = 0x1234     #5 uart, offset 0x0
		2 machine $machine vcpu -   ring_full       write 4 space 1 0xe0001000 = 0x1234     #5 uart, offset 0x0
		3 machine $machine vcpu -   doorbell        write 4 space 1 0xe0001010 = 0x1234     #5 uart, offset 0x10
		2 machine $machine vcpu -   shadow          write 4 space 1 0xe0001040 = 0x1234     #5 uart, offset 0x40
		1 machine $machine vcpu -   unassigned_exit write 4 space 1 0xd0000000 = 0x1234     nothing
	END
}
if [ -d "$TRACEFS/events/mregion" ]; then
	check 'trace' traced_writes
else
	check 'accesses' writes
fi

traced_json()
{
	cat "$tmp/trace.json"
	[ "$(json_valid <"$tmp/trace.json")" = 12 ] &&
		[ "$(grep -c "^{\"time\":\"$(date -u +%Y-%m).*Z\",\"event\":\"access\",\"outcome\":\"doorbell\",\"machine\":$machine,\"space\":1,\"address\":\"0xe0001010\",\"write\":true,\"len\":4,\"data\":\"0x1234\",\"region\":5,\"name\":\"uart\",\"offset\":\"0x10\"}\$" "$tmp/trace.json")" -eq 3 ] &&
		grep -q ',"region":null}$' "$tmp/trace.json"
}
check_trace 'trace as JSON' traced_json
check 'stat' prints 0 mregion stat "$machine" <<END
MACHINE  WHERE                   ALL  UNASSIGNED-EXIT  COALESCED  RING-FULL  DOORBELL  SHADOW
$(printf %7s "$machine")  all of command_machine   12                1          4          2         3       2
$(printf %7s "$machine")  #5 uart                  11                -          4          2         3       2
$(printf %7s "$machine")  space 1, nothing there    1                1          -          -         -       -
END
check 'stat of all regions' says 0 '#16 loose                 -' \
	mregion stat -a pid $pid
check 'stat as JSON' json 0 1 \
	'"coalesced":4,"ring_full":2,"exit":0,"doorbell":3,"shadow":2,"served":0' \
	mregion -j stat
check 'rings' says 0 '     1        4        4         4     2        0' \
	mregion show "$machine" rings

# --- traces

# All that an instance has recorded, whether it was read or not.
recorded()
{
	cat "$instance"/per_cpu/cpu*/stats |
		awk '/^entries:|^read events:/ { nr += $NF } END { print nr + 0 }'
}

# Accesses with several outcomes, to several regions and by the way commits.
several()
{
	ask write 1 0xe0001010 4 2
	ask commit 1
	command_machine </dev/null >/dev/null
	ask write 1 0xa0000 1 1
	ask write 1 0xe0004004 2 1
	ask write 1 0xe0001040 4 1
}

# filtered TEXT NR ARGUMENT...: NR lines with the text, and no others
filtered()
{
	text=$1
	nr=$2
	event=$3
	shift 3
	traces filtered "$event" "$@" || return 1
	several
	until_has "$tmp/filtered" "$text" || return 1
	got=$(recorded)
	ends HUP || return 1
	cat "$tmp/filtered"
	[ "$(wc -l <"$tmp/filtered")" -eq "$nr" ] &&
		[ "$(grep -cF -e "$text" "$tmp/filtered")" -eq "$nr" ] ||
		return 1
	[ "$got" -eq "$nr" ] || { echo "$got recorded"; return 1; }
}

# The next one removes what this one leaves.
trace_killed()
{
	traces killed exit outcome exit || return 1
	kill -KILL "$tracer"
	wait "$tracer"
	[ -d "$instance" ] || { echo "$instance is gone"; return 1; }
}
check_trace 'trace that is killed' trace_killed

check_trace 'trace of an exit' filtered \
	"machine $machine vcpu -   exit            write 1 space 1 0xa0000    = 0x34       #3 vga, offset 0x0" \
	1 server_exit "$machine" region vga
check_slow_trace 'trace of regions, by a pattern' filtered ' #5 uart,' 3 \
	server_exit "$machine" region '?ar*'
check_slow_trace 'trace of regions that the kernel has no pattern for' filtered \
	' #10 ä \xff"\x5c,' 1 server_exit "$machine" region '[!a-z]*"*'

# The pattern leaves out no region, and the outcome leaves out exits.
outcomes()
{
	filtered "machine $machine " 3 commit "$machine" region '*' \
		outcome Doorbell commits || return 1
	[ "$(grep -c ' doorbell ' "$tmp/filtered")" -eq 2 ] &&
		grep -q "machine $machine          commit          2 operations, generation " \
			"$tmp/filtered"
}
check_trace 'trace of outcomes, and of commits' outcomes

# Of a region, by its ID: the kernel records no other.
counted()
{
	"$command" trace "$machine" region 3 outcome exit -tn 3 >"$tmp/counted" 2>&1 &
	tracer=$!
	pids="$pids $tracer"
	until_on "$tracer" exit || return 1
	ask write 1 0xe0004004 2 2
	ask write 1 0xa0000 1 2
	got=$(recorded)
	ask write 1 0xa0000 1 3
	wait "$tracer" || { echo "status $?"; return 1; }
	cat "$tmp/counted"
	[ "$got" -eq 2 ] || { echo "$got recorded"; return 1; }
	no_instance && [ "$(grep -c "^$(date +%Y).* exit .* #3 vga, " "$tmp/counted")" -eq 3 ]
}
check_slow_trace 'trace of so many' counted

# It is stopped while there is more than there is room for.
traced_lost()
{
	traces lost.json exit "$machine" outcome exit -jb 8192 || return 1
	kill -STOP "$tracer"
	ask write 1 0xa0000 1 2000
	kill -CONT "$tracer"
	ends TERM || return 1
	grep -F '"events_lost"' "$tmp/lost.json"
	awk '/"outcome":"exit"/ { told++ }
		sub(/.*"event":"events_lost","lost":/, "") { lost += $0 }
		END {
			print told + 0 " told, " lost + 0 " lost"
			exit !(told && lost && told + lost == 2000)
		}' "$tmp/lost.json" && json_valid <"$tmp/lost.json"
}
check_trace 'trace counts what is lost' traced_lost

# $1: what reads the trace
piped()
{
	sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$tmp/piped.pid" \
		"$command" trace "$machine" outcome exit 2>"$tmp/errors" |
		exec $1 >"$tmp/piped" &
	pipe=$!
	pids="$pids $pipe"
	until_has "$tmp/piped.pid" '' || return 1
	tracer=$(cat "$tmp/piped.pid")
	until_on "$tracer" exit || return 1
}

# Nothing comes that it could notice by that nobody reads it.
pipe_closed()
{
	rm -f "$tmp/piped.pid"
	piped 'head -n 1' || return 1
	ask write 1 0xa0000 1 1
	wait "$pipe"
	tries=0
	while kill -0 "$tracer" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || { echo 'it goes on'; return 1; }
		sleep 0.1
	done
	cat "$tmp/piped" "$tmp/errors"
	no_instance && [ ! -s "$tmp/errors" ] &&
		grep -q ' exit .* #3 vga, offset 0x0$' "$tmp/piped"
}
check_slow_trace 'trace ends when nobody reads it' pipe_closed

# More than a pipe has room for.
pipe_stuck()
{
	rm -f "$tmp/piped.pid"
	piped 'sleep 1000' || return 1
	ask write 1 0xa0000 1 3000
	sleep 1
	kill -INT "$tracer"
	tries=0
	while kill -0 "$tracer" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || { echo 'it goes on'; return 1; }
		sleep 0.1
	done
	kill "$pipe"
	no_instance
}
check_slow_trace 'trace ends when its reader is stuck' pipe_stuck

# Events come faster than they are printed, and than there is room for.
flooded()
{
	traces flooded exit "$machine" outcome exit -b 8192 || return 1
	ask busy 1 0xa0000 1
	until_has "$tmp/flooded" ' exit ' && until_has "$tmp/flooded" ' lost '
	got=$?
	[ "$got" -ne 0 ] || ends TERM || got=1
	ask write 1 0xe0001040 4 1
	tail -n 1 "$tmp/flooded"
	return "$got"
}
check_trace 'trace ends while events come' flooded

check_trace 'trace of no region' says 1 "region '[x]*': there is none" \
	mregion trace "$machine" region '[x]*'

no_tracefs()
{
	unshare -m sh -c "umount $TRACEFS; exec $command $1 trace"
}
check_trace 'no tracefs' says 1 \
	"mregion: no tracefs in $TRACEFS: it can be mounted (mount -t tracefs tracefs $TRACEFS)" \
	no_tracefs
check_trace 'no tracefs, as JSON' json 1 1 '{"error":"no tracefs in ' no_tracefs -j

# --- accesses a second

top()
{
	ask busy 1 0xe0001000 4
	mregion top "$machine" -n 2 -i 0.3 >"$tmp/top" &&
		mregion -j top -n 3 -i 0.1 >"$tmp/top.json" &&
		mregion stat -i 0.1 -n 1 "$machine" >"$tmp/stat"
	got=$?
	ask write 1 0xe0001040 4 1
	cat "$tmp/top" "$tmp/stat"
	[ "$got" -eq 0 ] && [ "$(json_valid <"$tmp/top.json")" = 3 ] &&
		[ "$(grep -c '^MACHINE .*RING-FULL$' "$tmp/top")" -eq 2 ] &&
		[ "$(awk '/#5 uart/ && $4 > 0' "$tmp/top" | wc -l)" -eq 2 ] &&
		[ "$(wc -l <"$tmp/top")" -eq 9 ] &&
		[ "$(grep -c '#5 uart' "$tmp/stat")" -eq 1 ]
}
check 'top where there is no terminal' top

ends_in_order()
{
	# What another one printed there says nothing of this one.
	: >"$tmp/top"
	"$command" top -i 0.1 >"$tmp/top" &
	top=$!
	pids="$pids $top"
	until_has "$tmp/top" 'accesses a second' || return 1
	kill -TERM "$top"
	wait "$top"
}
check 'top ends on SIGTERM' ends_in_order

# --- events

# Of another machine, whose commits take less time.
mkfifo "$tmp/small.in" "$tmp/small.out"
command_machine small <"$tmp/small.in" >"$tmp/small.out" &
small_pid=$!
pids="$pids $small_pid"
exec 5>"$tmp/small.in" 6<"$tmp/small.out"
read -r answer <&6
[ "$answer" = ready ] || { echo "Bail out! no small machine: $answer"; exit 1; }
small=$(mregion -j show pid $small_pid |
	sed -n 's/^{"machines":\[{"id":\([0-9]*\),.*/\1/p')

ask_small()
{
	echo "$*" >&5
	read -r answer <&6
}

# watch NAME ARGUMENT...: start a monitor, and wait until it is there
watch()
{
	file=$tmp/$1
	shift
	"$command" monitor "$@" >"$file" 2>&1 &
	monitor=$!
	pids="$pids $monitor"
	until_has "$file" command_machine
}

# Both ends of the line are there: nothing was cut off, and it is the last one.
unwatch()
{
	kill "-$1" "$monitor"
	wait "$monitor"
}

# tells_all FROM TO: each generation of the small machine is told once, or counted as
# lost; lines of a monitor are on standard input
tells_all()
{
	awk -v machine="$small" -v from="$1" -v to="$2" '
		$2 != "machine" || $3 != machine { next }
		$4 == "committed" { told++; sub(/:/, "", $5); seen[$5]++ }
		$4 == "lost" {
			lost += $5
			for (i = $7 + 0; i <= $9 + 0; i++)
				seen[i]++
		}
		END {
			print told + 0 " told, " lost + 0 " lost of " to - from
			for (i = from + 1; i <= to; i++)
				if (seen[i] != 1) {
					print i " seen " seen[i] + 0 " times"
					exit 1
				}
			exit !told || !lost || told + lost != to - from
		}'
}

# What tells_all() reads, of lines in JSON.
as_text()
{
	sed -n -e 's/.*"event":"committed","machine":\([0-9]*\),"generation":\([0-9]*\),.*/- machine \1 committed \2:/p' \
		-e 's/.*"event":"commits_lost","machine":\([0-9]*\),"lost":\([0-9]*\),"first":\([0-9]*\),"last":\([0-9]*\)}$/- machine \1 lost \2 commits, \3 to \4/p'
}

# one_each FROM TO: lines of "show" in JSON are on standard input, some of them from
# while the generations were made. Each commit moves two regions: a dump of regions has
# both in the same place, and so has a view. The two agree, unless it is said that they
# are not of one generation.
one_each()
{
	awk -v from="$1" -v to="$2" '
		function wrong(what)
		{
			print "dump " NR ": " what ": " $0
			failed = 1
			exit 1
		}
		# The last number of what matches.
		function found(text, pattern)
		{
			if (!match(text, pattern))
				wrong("no " pattern)
			text = substr(text, RSTART, RLENGTH)
			gsub(/.*[:x]|[",]/, "", text)
			return text
		}
		# Where the only range ends that a region has, but for the last digit.
		function place(view, region,	part)
		{
			if (split(view, part, "\"region\":" region ",") != 2)
				wrong("not once in the view: " region)
			view = found(part[1], "\"last\":\"0x[0-9a-f]*\",$")
			return substr(view, 1, length(view) - 1)
		}
		{
			generation = found($0, "\"generation\":[0-9]*,")
			meanwhile += generation + 0 > from && generation + 0 < to
			here = found($0, "\"id\":15,[^{}]*\"offset\":\"0x[0-9a-f]*\"")
			if (found($0, "\"id\":17,[^{}]*\"offset\":\"0x[0-9a-f]*\"") "0" != here)
				wrong("regions of two generations")
			if (split($0, view, "\"space\":") != 2)
				wrong("not one view")
			there = place(view[2], 15)
			if (place(view[2], 17) "0" != there)
				wrong("ranges of two generations")
			if (/"consistent":false/)
				next
			nr_whole++
			if (!/"consistent":true/ || there "0" != here ||
			    found(view[2], "\"generation\":[0-9]*,") != generation)
				wrong("a view of another generation")
		}
		END {
			if (failed)
				exit 1
			print NR " dumps, " nr_whole + 0 " of one generation, " meanwhile + 0 " meanwhile"
			exit meanwhile < 2
		}'
}

# The monitor does not read before there has been more than it has room for.
busy()
{
	ask_small commit 1
	before=$answer
	after=$((before + 10000))
	watch busy -jb 300000 || return 1
	kill -STOP "$monitor"
	echo commit 10000 >&5
	: >"$tmp/dumps"
	got=0
	generation=0
	while [ "$got" -eq 0 ] && [ "$generation" -lt "$after" ]; do
		now
		before_dump=$now
		mregion -j show "$small" tree view >"$tmp/dump" || got=1
		cat "$tmp/dump" >>"$tmp/dumps"
		generation=$(sed -n 's/^[^[]*\[{[^{]*"generation":\([0-9]*\),.*/\1/p' \
			"$tmp/dump")
		: "${generation:=$after}"
		[ "$generation" -lt $((before + 8000)) ] || kill -CONT "$monitor"
		# Dumps take the machine's lock: leave commits most of the time.
		now
		pause=$(((now - before_dump) * 5))
		sleep "$((pause / 100)).$((pause % 100 / 10))"
	done
	read -r answer <&6
	unwatch TERM || { echo "status $?"; got=1; }
	[ "$answer" -eq "$after" ] || { echo "$answer"; return 1; }
	as_text <"$tmp/busy" >"$tmp/told"
	tells_all "$before" "$after" <"$tmp/told" || got=1
	one_each "$before" "$after" <"$tmp/dumps" || got=1
	# There is room for so many, whatever their size.
	awk -v first=$((before + 100)) \
		'$4 == "lost" && $7 <= first { print; exit 1 }' "$tmp/told" || got=1
	grep -q '"event":"events_lost","lost":[0-9]*}' "$tmp/busy" ||
		{ echo 'nothing said of the lost'; got=1; }
	json_valid <"$tmp/busy" >"$tmp/valid" || { cat "$tmp/valid"; got=1; }
	return "$got"
}
check 'monitor tells of 10000 commits or counts them; dumps are of one generation' busy

# As text.
lost()
{
	ask_small commit 1
	before=$answer
	watch lost -b 16384 || return 1
	kill -STOP "$monitor"
	ask_small commit 500
	after=$answer
	kill -CONT "$monitor"
	until_has "$tmp/lost" 'they came faster than they were read' ||
		return 1
	unwatch INT || { echo "status $?"; return 1; }
	grep lost "$tmp/lost"
	tells_all "$before" "$after" <"$tmp/lost"
}
check 'monitor counts what is lost' lost

# Commits come faster than they are printed.
monitor_flooded()
{
	watch flooded || return 1
	ask fast
	until_has "$tmp/flooded" committed || return 1
	kill -TERM "$monitor"
	wait "$monitor"
	got=$?
	ask write 1 0xe0001040 4 1
	[ "$got" -eq 0 ] || { echo "status $got"; tail -n 1 "$tmp/flooded"; return 1; }
}
check 'monitor ends while events come' monitor_flooded

# Its reader takes nothing, and the pipe is full.
monitor_stuck()
{
	sh -c 'echo $$ >"$1"; exec "$2" monitor' sh "$tmp/stuck.pid" "$command" |
		exec sleep 1000 &
	pipe=$!
	pids="$pids $pipe"
	until_has "$tmp/stuck.pid" '' || return 1
	monitor=$(cat "$tmp/stuck.pid")
	ask_small commit 1000
	sleep 1
	kill -INT "$monitor"
	tries=0
	while kill -0 "$monitor" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || { echo 'it goes on'; return 1; }
		sleep 0.1
	done
	kill "$pipe"
}
check 'monitor ends when its reader is stuck' monitor_stuck
echo end >&5
wait "$small_pid"
exec 5>&- 6<&-

happens()
{
	watch happens -t || return 1
	ask commit 1
	commit=$answer
	ask write 1 0xe0001000 4 1
	ask die
	command_machine </dev/null >/dev/null
	until_has "$tmp/happens" ' closed, ' &&
		until_has "$tmp/happens" 'is dead' &&
		until_has "$tmp/happens" 'was full' || return 1
	unwatch TERM || return 1
	cat "$tmp/happens"
	time='^20[0-9]*-[0-9]*-[0-9]*T[0-9]*:[0-9]*:[0-9]*\.[0-9]*'
	while read -r event; do
		grep -q "$time machine $event" "$tmp/happens" ||
			{ echo "no $event"; return 1; }
	done <<-END
		$machine committed $commit: space 1 0xe0005000-0xe000500f: .*; space 3 0x6000-0x600f: .*
		$machine committed $commit: .*: #15+0x0 i/o; .*: nothing.*
		$machine ring 1 was full, [0-9]* times so far\$
		$machine server 1 is dead\$
		[0-9]* opened by command_machine, process [0-9]*\$
		[0-9]* closed, opened by command_machine, process [0-9]*\$
	END
}
check 'monitor tells of what happens' happens

happens_json()
{
	watch happens.json -j "$machine" || return 1
	ask commit 2
	command_machine </dev/null >/dev/null
	ask commit 1
	until_has "$tmp/happens.json" "\"generation\":$answer" || return 1
	unwatch TERM || return 1
	cat "$tmp/happens.json"
	[ "$(json_valid <"$tmp/happens.json")" = 4 ] &&
		grep -q "^{\"time\":\"20.*Z\",\"event\":\"committed\",\"machine\":$machine,\"generation\":$answer,\"changes\":\[{\"space\":1,.*\],\"cut\":false}\$" \
			"$tmp/happens.json"
}
check 'as JSON, and of one machine' happens_json

check 'the server is dead' says 0 ' dead ' mregion show "$machine" servers

server_exit()
{
	traces server_exit server_wait "$machine" region 'serv*' servers \
		outcome SERVER-EXIT || return 1
	ask write 1 0xe0002010 4 1
	until_has "$tmp/server_exit" \
		' server_exit     write 4 space 1 0xe0002010 = 0x1234     #8 served, offset 0x10' &&
		ends INT
}
check_trace 'trace of what a server does not answer' server_exit

# --- while the machine changes

# The answer is right, and with it is the way there, or that there was no time for it.
translate_changing()
{
	mregion translate "$machine" 1 0xe0005004 >"$tmp/answer" 2>"$tmp/errors" ||
		{ echo "status $?"; cat "$tmp/errors"; return 1; }
	cat "$tmp/answer" "$tmp/errors"
	lines=$(wc -l <"$tmp/answer")
	if [ -s "$tmp/errors" ]; then
		[ "$lines" -eq 1 ] && grep -qF \
			'it changes all the time: the way to the address is not shown' \
			"$tmp/errors"
	elif grep -q ': #15 moving, offset 0x4, up to 0xe000500f$' "$tmp/answer"; then
		[ "$lines" -eq 4 ]
	else
		[ "$lines" -eq 1 ] && grep -q ': nothing, up to 0xe0005fff: ' "$tmp/answer"
	fi
}

# What moves is in two views, once in each. If they are not of one generation, this is
# said.
show_changing()
{
	mregion show "$machine" view >"$tmp/view" 2>"$tmp/errors" ||
		{ echo "status $?"; cat "$tmp/errors"; return 1; }
	cat "$tmp/errors"
	whole=1
	[ ! -s "$tmp/errors" ] || whole=0
	awk -v whole="$whole" '
		/#15 moving$/ { place[++nr] = substr($1, 13, 4) }
		END {
			exit nr != 2 || (whole && place[1] != place[2])
		}' "$tmp/view" || { cat "$tmp/view"; return 1; }
	[ "$whole" -eq 1 ] ||
		grep -qF 'parts of this are of different generations' "$tmp/errors"
}

changing()
{
	ask fast
	failed=0
	for _ in 1 2 3; do
		translate_changing && show_changing || failed=1
	done
	json 0 1 '"consistent":' mregion -j translate "$machine" 1 0xe0005004 ||
		failed=1
	ask write 1 0xe0001040 4 1
	return "$failed"
}
check 'translate and show while it changes' changing

# Of one generation, or not at all.
draws_changing()
{
	ask fast
	mregion draw "$machine" -s 1 >"$tmp/svg" 2>"$tmp/errors"
	got=$?
	ask write 1 0xe0001040 4 1
	cat "$tmp/errors"
	if [ "$got" -eq 1 ]; then
		[ ! -s "$tmp/svg" ] &&
			grep -qF 'it changes too fast' "$tmp/errors"
	else
		[ "$got" -eq 0 ] && well_formed "$tmp/svg" &&
			grep -qF '>moving<' "$tmp/svg"
	fi
}
check 'draw while it changes' draws_changing

# --- errors

check 'no such machine' says 1 'mregion: machine 999999: machine: there is none in this network namespace' \
	mregion show 999999
check 'no such machine, as JSON' json 1 1 '{"error":"machine 999999: ' \
	mregion -j show 999999
check 'no machine of a process' says 1 'mregion: process 1: ' mregion show pid 1
check 'not in this namespace' says 1 "mregion: machine $machine: machine: there is none" \
	alone show "$machine"

# $1: what is to be permitted
unprivileged()
{
	su nobody -s /bin/sh -c "$command $1"
}
for what in show "show $machine" monitor stat 'top -n 1' \
	"translate $machine 1 0" "draw $machine"; do
	check "permission for $what" says 1 \
		'Operation not permitted: it takes CAP_NET_ADMIN in the user namespace that owns this network namespace' \
		unprivileged "$what"
done
check_trace 'permission to trace' says 1 \
	': Permission denied: tracing is for root, unless tracefs is mounted for others, too' \
	unprivileged trace
check 'permission, as JSON' json 1 1 '{"error":"machines: Operation not permitted' \
	unprivileged '-j show'

# --- colours

coloured()
{
	escape=$(printf '\033')
	mregion show "$machine" | grep -q "$escape" && return 1
	mregion --color=auto show "$machine" | grep -q "$escape" && return 1
	mregion --color=never show "$machine" | grep -q "$escape" && return 1
	mregion show --color=always "$machine" | grep -q "$escape" || return 1
	NO_COLOR=1 mregion --color show "$machine" | grep -q "$escape"
}
check 'colours' coloured

full()
{
	mregion show "$machine" >/dev/full
}
check 'full disk' says 1 'mregion: cannot write: No space left on device' full

closed()
{
	watch closed "$machine" || return 1
	echo end >&3
	wait "$pid"
	wait "$monitor" || { echo "status $?"; return 1; }
	grep -q "machine $machine closed, opened by " "$tmp/closed" || return 1
	mregion show | awk -v id="$machine" '$1 == id { exit 1 }'
}
check 'a machine that is closed is gone' closed

echo "1..$number"
exit $status
