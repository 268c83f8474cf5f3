#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What bash completes for mregion, where a command of that name tells of machines.

here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

# What the command prints, as far as it is read.
cat >"$dir/mregion" <<'END'
#!/bin/sh
case "$*" in
'-j show')
	echo '{"machines":[{"id":3,"pid":120,"comm":"vmm"},{"id":14,"pid":77,"comm":"x"}]}'
	;;
'-j show 3 spaces')
	echo '{"machines":[{"id":3,"pid":120,"spaces":[{"id":1,"root":1},{"id":22,"root":9}]}]}'
	;;
'-j show 3 view' | '-j show pid 120 view')
	echo '{"machines":[{"id":3,"views":[{"space":1,"bus":"memory","generation":7,"ranges":[{"start":"0x0","last":"0xfff","region":2},{"start":"0xfee00000","last":"0xfee00fff","region":3}]},{"space":22,"bus":"pio","generation":7,"ranges":[{"start":"0x3f8","last":"0x3ff","region":4}]}]}]}'
	;;
'-j show 3 tree')
	echo '{"machines":[{"id":3,"regions":[{"id":1,"name":"system","kind":"container"},{"id":2,"name":"low memory","kind":"ram"},{"id":3,"name":"a\"b","kind":"ram"}]}]}'
	;;
*) echo '{"error":"no such machine"}' ;;
esac
END
chmod +x "$dir/mregion"
PATH=$dir:$PATH

# shellcheck source-path=SCRIPTDIR source=../../userspace/completion/mregion
. "$here/../../userspace/completion/mregion"

# expect WORDS WORD...: the words that complete the last one of a line
expect()
{
	local wanted=$1

	shift
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_mregion 2>"$dir/errors"
	count=$((count + 1))
	if [[ "${COMPREPLY[*]}" == "$wanted" && ! -s $dir/errors ]]; then
		echo "ok $count $*"
	else
		echo "# wanted: $wanted"
		echo "# got: ${COMPREPLY[*]} $(cat "$dir/errors")"
		echo "not ok $count $*"
		failed=1
	fi
}

echo 'TAP version 13'
expect 'show stat' mregion s
expect 'show monitor trace stat top translate render draw import info version help' mregion ''
expect '--json' mregion -p --j
expect '--version' mregion --v
expect '' mregion show --v
expect '-a' mregion top -a
expect '' mregion show -a
expect '-b' mregion -j monitor -b
expect 'auto always never' mregion show --color = ''
expect 'auto always' mregion show --color = a
expect 'trace translate' mregion help tr
expect 'shadows' mregion show sh
expect '3' mregion show 3
expect '14' mregion monitor 1
expect '3 14 pid' mregion top ''
expect '3 14 pid' mregion top -i 2 ''
expect '' mregion top -i ''
expect '' mregion top 3 ''
expect '77 120' mregion show pid ''
expect '3 14 pid' mregion translate ''
expect '1 22' mregion translate 3 ''
expect '0x3f8' mregion translate 3 22 ''
expect '0x0 0xfee00000' mregion translate 3 1 ''
expect '0x0 0xfee00000' mregion translate pid 120 1 ''
expect '' mregion translate 3 1 0 ''
expect 'tree' mregion show 3 tr
expect 'low\ memory system' mregion show 3 tree name ''
expect 'low\ memory' mregion show 3 name l
expect 'rom romd' mregion show 3 kind rom
expect '0x0 0x3f8 0xfee00000' mregion show 3 addr ''
expect '' mregion show 9 name ''
expect '--count' mregion trace --cou
expect 'region outcome commits attachments servers 3 14 pid' mregion trace ''
expect 'region outcome commits attachments servers' mregion trace 3 ''
expect 'low\ memory' mregion trace 3 region l
expect 'refused refused_exit ring_full' mregion trace outcome r
expect 'servers' mregion trace 3 outcome exit s
expect '' mregion info ''

mkdir "$dir/files" && cd "$dir/files" && : >machine.topo && : >16.topo
expect 'machine.topo' mregion draw m
expect '16.topo 14' mregion draw 1
expect 'pid' mregion draw -s 1 -t 3 p
expect '77 120' mregion draw pid ''
expect '' mregion draw 3 ''
expect '' mregion draw machine.topo m
expect '1 22' mregion draw 3 -s ''
expect '' mregion draw -s ''
expect 'machine.topo' mregion draw 3 -o m
expect '' mregion draw 3 -t m
expect '--space' mregion draw --s
echo "1..$count"
exit $failed
