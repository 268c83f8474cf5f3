#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Comments, pages and examples of the documentation are free of errors, the worked
# example of overview.rst shows what the command says, and transcript.rst has every command.

here=$(cd "$(dirname "$0")" && pwd)
documentation=$(cd "$here/../../Documentation" && pwd)
mregion=${BUILD:-$here/../../build}/bin/mregion
topology=$documentation/examples/overlap.topo
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
nr=0
status=0

# check NAME COMMAND...
check()
{
	name=$1
	shift
	nr=$((nr + 1))
	if "$@" >"$tmp/output" 2>&1; then
		[ ! -s "$tmp/output" ] || sed 's/^/# /' "$tmp/output"
		echo "ok $nr $name"
	else
		sed 's/^/# /' "$tmp/output"
		echo "not ok $nr $name"
		status=1
	fi
}

# The view below the command line in the page.
view()
{
	"$mregion" render --offline "$topology" >"$tmp/view" &&
		sed -n '/^  \$ mregion render --offline overlap\.topo$/,/^$/{s/^  //;/^\$/d;/./p}' \
			"$documentation/overview.rst" >"$tmp/page" &&
		diff -u "$tmp/page" "$tmp/view"
}

# The picture beside it lists the same addresses and regions.
picture()
{
	sed -n '/^  memory  .*2^64$/,/^$/p' "$documentation/overview.rst" |
		sed -n 's/.* \([0-9a-f]\{8\}\)-\([0-9a-f]\{8\}\) \([a-z]*\)$/\1 \2 \3/p' \
		>"$tmp/page"
	sed -n 's/^0\{8\}\([0-9a-f]*\) 0\{8\}\([0-9a-f]*\) .* /\1 \2 /p' "$tmp/view" \
		>"$tmp/wanted"
	[ -s "$tmp/page" ] && diff -u "$tmp/page" "$tmp/wanted"
}

# Whoever changes how drawings look makes it anew, by this command.
drawing()
{
	"$mregion" draw --offline -t 'Overlap, alias and priority' "$topology" |
		cmp - "$documentation/overlap.svg"
}

# Each one that the command lists itself
transcript()
{
	"$mregion" help | sed -n '/^$/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$tmp/names"
	[ -s "$tmp/names" ] || return 1
	while read -r each; do
		grep -q "^    \$ mregion \(-[a-z]* \)\?$each\>" \
			"$documentation/transcript.rst" ||
			{ echo "transcript.rst has no $each"; return 1; }
	done <"$tmp/names"
}

echo "TAP version 13"
if ! reason=$("$documentation/kernel-source" 2>&1); then
	echo "1..0 # SKIP $reason"
	exit
fi
echo "1..5"
check "documentation" make -s -C "$documentation" check
check "the view in the overview" view
check "the picture in the overview" picture
check "the drawing in the overview" drawing
check "every command in the transcript" transcript
exit $status
