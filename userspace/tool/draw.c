#include "tool.h"
int tool_draw(int argc, char **argv) { (void)argc; (void)argv; return 1; }
int tool_import(int argc, char **argv) { (void)argc; (void)argv; return 1; }
