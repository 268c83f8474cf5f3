// SPDX-License-Identifier: MIT
/* Numbers of the command line. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "args.h"

bool args_u64(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	/* strtoull() would take blanks and signs. */
	if (hex ? !isxdigit((unsigned char)text[2]) :
		  !isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	return !errno && !*end;
}

bool args_id(const char *text, uint32_t *id)
{
	uint64_t value;

	if (!args_u64(text, &value) || !value || value > UINT32_MAX)
		return false;
	*id = value;
	return true;
}
