#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What QEMU has rendered, rendered by the command without the module.

here=$(cd "$(dirname "$0")" && pwd)
MREGION=${BUILD:-$here/../../build}/bin/mregion exec "$here/../topologies.sh" --offline
