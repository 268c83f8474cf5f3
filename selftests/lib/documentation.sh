#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Comments, pages and examples of the documentation are free of errors.

documentation=$(cd "$(dirname "$0")/../../Documentation" && pwd)

echo "TAP version 13"
if ! reason=$("$documentation/kernel-source" 2>&1); then
	echo "1..0 # SKIP $reason"
	exit
fi
echo "1..1"
if output=$(make -s -C "$documentation" check 2>&1); then
	[ ! "$output" ] || echo "$output" | sed 's/^/# /'
	echo "ok 1 documentation"
else
	echo "$output" | sed 's/^/# /'
	echo "not ok 1 documentation"
	exit 1
fi
