# SPDX-License-Identifier: MIT
#
# Puts files of counters ("NAME VALUE" a line, named as the run) side by side.

BEGIN {
	rows = "exits.total coalesced ring.wakeups doorbells shadow served"
	rows = rows " unassigned slots.changes slots.pauses seconds"
	label["exits.total"] = "exits to the VMM"
	label["coalesced"] = "coalesced writes"
	label["ring.wakeups"] = "ring wake-ups"
	label["doorbells"] = "doorbells"
	label["shadow"] = "shadow accesses"
	label["served"] = "served accesses"
	label["unassigned"] = "unassigned accesses"
	label["slots.changes"] = "slot changes"
	label["slots.pauses"] = "pauses for slots"
	label["seconds"] = "seconds"
	title["off"] = "coalescing off"
	title["on"] = "coalescing on"
	title["blk"] = "disk in VMM"
	title["blk-server"] = "disk served"
}

FNR == 1 {
	run = FILENAME
	sub(/.*\//, "", run)
	runs[++nr] = run
}

{ value[run, $1] = $2 }

END {
	printf "%-20s", ""
	for (i = 1; i <= nr; i++)
		printf " %14s", title[runs[i]]
	printf "\n"
	n = split(rows, row, " ")
	for (r = 1; r <= n; r++) {
		printf "%-20s", label[row[r]]
		for (i = 1; i <= nr; i++)
			printf " %14s", value[runs[i], row[r]]
		printf "\n"
	}
}
