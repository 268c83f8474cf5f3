#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Renders each topology with the mregion command, and compares the views with
# those that QEMU rendered, byte for byte. MREGION names the command. With --offline,
# without the module.

here=$(cd "$(dirname "$0")" && pwd)
dir=$here/topologies
# As built, where nothing is installed.
PATH=$PATH:$here/../build/bin
command=${MREGION:-mregion}
skip=4
offline=${1:+--offline}

echo 'TAP version 13'
if ! command -v "$command" >/dev/null; then
	echo "1..0 # SKIP no $command command"
	exit $skip
fi
if [ ! "$offline" ] && [ ! -e /dev/mregion ]; then
	echo '1..0 # SKIP no /dev/mregion: the module is not loaded'
	exit $skip
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

set -- "$dir"/*.topo
if [ ! -e "$1" ]; then
	echo "Bail out! no topologies in $dir"
	exit 1
fi
echo "1..$#"

number=0
status=0
for topo; do
	number=$((number + 1))
	name=$(basename "$topo" .topo)
	# shellcheck disable=SC2086
	if ! "$command" render $offline "$topo" >"$tmp/flat" 2>"$tmp/errors"; then
		reason='the command failed'
	elif ! cmp "$dir/$name.flat" "$tmp/flat" >>"$tmp/errors" 2>&1; then
		reason='the view differs from what QEMU rendered'
		diff -u "$dir/$name.flat" "$tmp/flat" >>"$tmp/errors"
	else
		echo "ok $number $name"
		continue
	fi
	echo "not ok $number $name: $reason"
	head -n 30 "$tmp/errors" | sed 's/^/# /'
	status=1
done
exit $status
