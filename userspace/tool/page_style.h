/* SPDX-License-Identifier: MIT */
/* Colours and fonts of drawings. */
#ifndef MREGION_TOOL_PAGE_STYLE_H
#define MREGION_TOOL_PAGE_STYLE_H

/** page_style - elements of SVG: the style, and the patterns it refers to */
extern const char page_style[];

#endif
