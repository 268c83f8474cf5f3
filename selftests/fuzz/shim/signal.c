// SPDX-License-Identifier: GPL-2.0
#include <linux/sched/signal.h>

bool shim_signal;
