# SPDX-License-Identifier: MIT
#
# Recipes tell what they make in one line each, as kbuild's do:
#
#	$(call tell,CC,lib/access.o)
#	$(Q)$(CC) -c ...
#
# V=1 shows whole commands instead; make -s shows neither.

ifeq ($(V),1)
Q :=
tell =
else
Q := @
ifneq ($(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
tell =
else
tell = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif
endif
