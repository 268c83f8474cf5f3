#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What topology_kernel.sh wants to hear from the module, without it.

here=$(cd "$(dirname "$0")" && pwd)
PATH=${BUILD:-$here/../../build}/bin:$PATH
exec "$here/topology_kernel.sh" --offline
