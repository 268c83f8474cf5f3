// SPDX-License-Identifier: GPL-2.0
/* For libFuzzer, which looks for inputs that reach new code. */
#include <stdint.h>
#include <stdlib.h>

#include "case.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void fuzz_failed(void)
{
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	case_run(data, size);
	return 0;
}
