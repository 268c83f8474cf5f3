// SPDX-License-Identifier: MIT
/*
 * Colours and fonts of drawings.
 *
 * The hues are those of Okabe and Ito, which can be told apart whatever colours one
 * sees. Each kind comes as a tint with a darker edge, and views have a word for it, for
 * who sees no colours or prints none. Dark screens have tints of their own. The page
 * has a ground, so that whatever it lies on does not matter.
 */
#include "page_style.h"

/* A class for each part of a kind: k for its body, s its edge, p its way to the view,
 * l and h for links and their heads.
 */
#define KIND(kind, tint, line, edge, link) \
	".k." kind ",.p." kind "{fill:" tint ";stroke:" line "}" \
	".s." kind "{fill:" edge "}" \
	".h." kind "{fill:" link "}.l." kind "{stroke:" link "}\n"

#define DARK(kind, tint)	".k." kind ",.p." kind "{fill:" tint "}"

const char page_style[] =
"<style>\n"
"text{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans',\n"
"'DejaVu Sans',sans-serif;font-size:10.5px;fill:#1b1e23}\n"
".a{font-family:ui-monospace,Menlo,Consolas,'Liberation Mono',\n"
"'DejaVu Sans Mono',monospace;font-size:9.5px}\n"
".m{fill:#5b626c;font-size:9px}.f{fill:#6d7580}\n"
".w{fill:#fff;font-size:9px;font-weight:bold}\n"
".e{text-anchor:end}.c{text-anchor:middle}\n"
".i{font-style:italic}.b{font-weight:bold}\n"
".h1{font-size:24px;font-weight:bold}.h2{font-size:16px;font-weight:bold}\n"
".h3{font-size:11px;fill:#5b626c}\n"
".page{fill:#fff;stroke:#d5d9de}.rule{stroke:#d5d9de;fill:none}\n"
".k{stroke-width:.8}.al{stroke-dasharray:4 2}\n"
".box{fill:#8a929c;fill-opacity:.07;stroke:#8a929c;stroke-width:.8}\n"
".hid{fill:url(#hatch);stroke:#8a929c;stroke-width:.6}\n"
".off{fill:none;stroke:#8a929c;stroke-width:.7;stroke-dasharray:1.5 2.5}\n"
".l{fill:none;stroke-width:1.1;stroke-opacity:.75}\n"
".peg{stroke:#5b626c;stroke-width:.8;fill:none}.dot,.badge{fill:#5b626c}\n"
".gap{stroke:#aab1ba;stroke-dasharray:1.5 3;fill:none}\n"
".hl{stroke:#aab1ba;stroke-width:1.2}.hb{fill:#f6f7f8}\n"
KIND("ram", "#cfe4f4", "#0072b2", "#0072b2", "#0072b2")
KIND("rom", "#fbdcc8", "#d55e00", "#d55e00", "#d55e00")
KIND("romd", "#faebc2", "#b98300", "#e69f00", "#b98300")
KIND("ramd", "#e2f3fc", "#56b4e9", "#56b4e9", "#56b4e9")
KIND("io", "#cdeee1", "#009e73", "#009e73", "#009e73")
KIND("resv", "#f4dde9", "#cc79a7", "#cc79a7", "#cc79a7")
KIND("cont", "#eceef0", "#8a929c", "#8a929c", "#7a4fa8")
".p{fill-opacity:.38}.s,.p.ram,.p.rom,.p.romd,.p.ramd,.p.io,.p.resv,.p.cont,\n"
".h{stroke:none}\n"
"@media screen and (prefers-color-scheme:dark){\n"
"text{fill:#eceff3}.m,.h3,.f{fill:#a4adb8}.w{fill:#15181c}\n"
".page{fill:#15181c;stroke:#3a4048}.rule{stroke:#3a4048}\n"
".hb{fill:#1d2126}.hl{stroke:#4a515b}\n"
".peg{stroke:#a4adb8}.dot{fill:#a4adb8}.badge{fill:#c3cad3}\n"
".l.cont{stroke:#b794e0}.h.cont{fill:#b794e0}\n"
DARK("ram", "#0d3b5c") DARK("rom", "#5c2a06") DARK("romd", "#523b05")
DARK("ramd", "#1f4a63") DARK("io", "#06473a") DARK("resv", "#57304a")
DARK("cont", "#2a2f36")
"\n}\n"
"</style>\n"
"<defs><pattern id=\"hatch\" width=\"6\" height=\"6\"\n"
" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\n"
"<rect class=\"hb\" width=\"6\" height=\"6\"/><path class=\"hl\" d=\"M0 0V6\"/>\n"
"</pattern></defs>\n";
