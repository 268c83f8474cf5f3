/* SPDX-License-Identifier: MIT */
#ifndef VMM_ARRAY_H
#define VMM_ARRAY_H

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#endif /* VMM_ARRAY_H */
