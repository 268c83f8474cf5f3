# SPDX-License-Identifier: MIT
#
# The architecture that $(CC) builds for, as mregion-vmm knows it: vmm/ARCH has what is
# of that architecture alone. Empty: there is no mregion-vmm for it.

vmm_machine := $(shell $(CC) -dumpmachine)
vmm_arch := $(patsubst x86_64-%,x86,$(filter x86_64-%,$(vmm_machine))) \
	    $(patsubst aarch64-%,arm64,$(filter aarch64-%,$(vmm_machine)))
vmm_arch := $(strip $(vmm_arch))
