#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Drawings are XML, whatever is drawn, stand alone, and have all that is visible.

here=$(cd "$(dirname "$0")" && pwd)
mregion=${BUILD:-$here/../../build}/bin/mregion
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count $2"
	else
		echo "not ok $count $2"
		failed=1
	fi
}

# Whether a file is well-formed; without a program that could tell, it is.
well_formed() {
	if command -v xmllint > /dev/null; then
		xmllint --huge --noout "$1"
	elif command -v python3 > /dev/null; then
		python3 -c 'import sys, xml.sax; xml.sax.parse(sys.argv[1], xml.sax.ContentHandler())' "$1"
	fi
}

# The first addresses of all ranges.
addresses() {
	"$mregion" render --offline "$1" 2> /dev/null |
		sed -n 's/^0*\([0-9a-f][0-9a-f]*\) [0-9a-f]* [0-9a-f]* .*/>0x\1</p' |
		sort -u
}

echo "TAP version 13"

for topo in "$here"/../topologies/*.topo; do
	"$mregion" draw --offline "$topo" > "$dir/svg" 2> "$dir/err" &&
		[ ! -s "$dir/err" ] && well_formed "$dir/svg" &&
		! grep -q '<script\|<image\|@import\|href' "$dir/svg" &&
		addresses "$topo" > "$dir/wanted" && [ -s "$dir/wanted" ] &&
		grep -o '>0x[0-9a-f]*<' "$dir/svg" | sort -u > "$dir/has" &&
		[ -z "$(comm -23 "$dir/wanted" "$dir/has")" ]
	result $? "$(basename "$topo" .topo)"
done

# What is no UTF-8, what XML does not have, and what it has another use for.
printf 'region 1 container 0x1000 \377\376<a b="c">&]]>\355\240\200\364\220\200\200\357\277\277\300\257\303\251
region 2 ram 0x100 \200
region 3 mmio 0x10
map 1 2 0x10 -5
map 1 3 0x20 0
alias 4 2 0x80 0x1000 \342\202
map 1 4 0x800 2147483647
space \302 1
' > "$dir/bytes.topo"
"$mregion" draw --offline "$dir/bytes.topo" -o "$dir/svg" -t '<&\377' &&
	well_formed "$dir/svg" && grep -q '&lt;a b=&quot;c&quot;&gt;&amp;' "$dir/svg"
result $? "names of any bytes"

q35=$here/../topologies/x86_64.q35.topo
"$mregion" draw --offline "$q35" > "$dir/stdout" &&
	"$mregion" draw --offline "$q35" -o "$dir/file" &&
	"$mregion" draw --offline - < "$q35" --title x86_64.q35 > "$dir/stdin" &&
	cmp "$dir/stdout" "$dir/file" && cmp "$dir/stdout" "$dir/stdin"
result $? "to a file and from stdin"

mkdir "$dir/numbers" && cp "$q35" "$dir/numbers/3" && cp "$q35" "$dir/numbers/3.topo" && (
	cd "$dir/numbers" &&
		"$mregion" draw --offline ./3 -t x86_64.q35 > svg && cmp ../stdout svg &&
		"$mregion" draw --offline 3.topo -t x86_64.q35 > svg && cmp ../stdout svg
)
result $? "files whose names are numbers, or begin so"

"$mregion" draw --offline "$q35" --space I/O > "$dir/one" &&
	[ "$(grep -c 'class="h2"' "$dir/one")" = 1 ]
result $? "one space"

! grep -q ', disabled' "$dir/stdout" &&
	"$mregion" draw --offline -a "$q35" > "$dir/all" && well_formed "$dir/all" &&
	grep -q ', disabled' "$dir/all"
result $? "what is disabled"

# A hierarchy that nothing shows, deeper than one can be shown.
i=1
echo 'region 1 container 0x1000 r' > "$dir/deep.topo"
while [ $i -lt 1000 ]; do
	i=$((i + 1))
	echo "region $i container 0x1000 r"
	echo "map $((i - 1)) $i 0 0"
done >> "$dir/deep.topo"
printf 'disable 1\nspace s 1\nspace t 990\n' >> "$dir/deep.topo"
"$mregion" draw --offline -a "$dir/deep.topo" > "$dir/svg" && well_formed "$dir/svg"
result $? "a deep hierarchy"

# $1: a name. $2: the status, $3: the error wanted. The rest: arguments.
expect_error() {
	name=$1
	status=$2
	error=$3
	shift 3
	output=$("$mregion" draw --offline "$@" 2>&1 > "$dir/svg")
	[ $? = "$status" ] && [ "$output" = "mregion: $error" ]
	status=$?
	[ $status = 0 ] || echo "# got '$output'"
	result $status "$name"
}

expect_error "no file" 2 "draw: which file or machine?; see 'mregion help draw'"
expect_error "two files" 2 "draw: one file or machine at a time; see 'mregion help draw'" a b
expect_error "a file and a machine" 2 \
	"draw: one file or machine at a time; see 'mregion help draw'" "$q35" 3
expect_error "a machine without the module" 2 \
	"draw: --offline: a machine is the module's; see 'mregion help draw'" 3
expect_error "no process" 2 "draw: pid: which process?" pid
expect_error "no such number of a machine" 2 "draw: no such number of a machine: '0'" 0
expect_error "no such option" 2 "draw: unknown option '-x'" -x "$q35"
expect_error "no argument" 2 "draw: option '-o' needs an argument" "$q35" -o
expect_error "no such space" 1 "$q35: there is no space of that name" -s x "$q35"
expect_error "no such directory" 1 \
	"$dir/none/x: cannot create: No such file or directory" -o "$dir/none/x" "$q35"
expect_error "full disk" 1 "/dev/full: cannot write: No space left on device" \
	-o /dev/full "$q35"

echo "1..$count"
exit $failed
