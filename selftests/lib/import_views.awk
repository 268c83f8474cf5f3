# SPDX-License-Identifier: GPL-2.0
# The ranges of 'info mtree -f', as mregion render prints them, each on a line of its
# own behind the name of its space. Also takes what mregion render prints. Spaces
# of equal names cannot be told apart, and are left out.

function add(space, range)
{
	of[++lines] = space
	line[lines] = space ": " range
}

/^FlatView/ { nr = 0 }

/^ AS "/ {
	name = $0
	sub(/^ AS "/, "", name)
	sub(/", root: .*/, "", name)
	space[nr++] = name
	seen[name]++
}

/^  [0-9a-f]+-[0-9a-f]+ \(prio / {
	type = name = $0
	sub(/^[^,]*, /, "", type)
	sub(/\): .*/, "", type)
	sub(/^[^)]*\): /, "", name)
	sub(/ KVM$/, "", name)
	offset = "0000000000000000"
	if (match(name, / @[0-9a-f]+$/)) {
		offset = substr(name, RSTART + 2)
		name = substr(name, 1, RSTART - 1)
	}
	for (i = 0; i < nr; i++)
		add(space[i], substr($0, 3, 16) " " substr($0, 20, 16) " " \
		    offset " " type " " name)
}

/^space / {
	rendered = substr($0, 7)
	seen[rendered]++
}

/^[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ / { add(rendered, $0) }

END {
	for (i = 1; i <= lines; i++)
		if (seen[of[i]] == 1)
			print line[i]
}
