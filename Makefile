# SPDX-License-Identifier: GPL-2.0
#
#	make			builds the library, the programs and the module
#	make programs	builds all but the module
#	make module	builds the module only; needs kernel headers
#	make demo		installs what is missing, builds, and boots a guest in the
#			test VM; HOST=1: on this machine itself; MACHINE=arm64 or
#			intel: in a test VM of that kind
#	make check	installs what is missing, builds, and runs all tests
#	make check-debug	runs the self-tests on a debug kernel
#	make bench	measures what accesses cost; MACHINE=intel: on that one
#	make docs	builds the documentation, in build/docs/html
#	make install	installs headers, library, programs, manual pages, and what has
#			/dev/mregion be there at boot
#	make uninstall	removes them
#	make modules_install	installs the module, for modprobe
#	make deb	installs what is missing, and builds Debian packages in build/deb
#	make check-packages	does that, and tries them in a fresh Debian
#	make clean
#
#	V=1		shows whole commands
#	KDIR=DIR	kernel to build the module for: by default the running one, else
#			the newest whose headers are installed
#	KERNEL=VERSION	of the test VM, see selftests/vm/kernel
#	KERNELS=...	those to run the tests on, also machines: KERNELS='6.1 arm64'
#	BRIEF=...	those to run only some on, see selftests/check
#	PARTS=...	tests to run, see selftests/check; all by default
#	PREFIX, BINDIR, LIBDIR, DESTDIR and others of installing: see userspace/Makefile
#
# Building needs gcc, make, libnl (libnl-3-dev, libnl-genl-3-dev), libpng (libpng-dev),
# and on x86 iasl (acpica-tools), on arm64 libfdt (libfdt-dev). What installs what is
# missing does so by apt, as root: demo, check, check-debug, check-packages, bench, docs
# and deb.

KDIR ?= $(or $(wildcard /lib/modules/$(shell uname -r)/build), \
	     $(shell ls -d /lib/modules/*/build 2>/dev/null | sort -V | tail -n 1))
KERNEL ?= 6.1
KERNELS ?= $(KERNEL)

# What mregion-vmm alone needs on this machine.
for_vmm := $(if $(filter aarch64,$(shell uname -m)),libfdt-dev zlib1g-dev,acpica-tools)

MAKEFLAGS += --no-print-directory

# Where there are no kernel headers, the programs are built nevertheless.
all: programs module

module:
ifeq ($(strip $(KDIR)),)
	@echo 'make: the module is not built: no kernel headers;' \
		'install linux-headers-$(or $(shell dpkg --print-architecture),amd64),' \
		'or set KDIR' >&2
	@exit 1
else
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
endif

modules_install: module
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

programs:
	@$(MAKE) -C userspace

# The machines that tests are to run on.
machines := $(filter intel arm64 riscv64,$(subst :, ,$(KERNELS) $(BRIEF) $(MACHINE)))

# What building and testing need, where it is missing; quick where it is not.
setup:
	selftests/vm/setup $(addprefix --machine ,amd $(sort $(machines))) gcc g++ make \
		libc6-dev $(for_vmm) linux-source-6.1 clang libclang-rt-14-dev e2fsprogs \
		libnl-3-dev libnl-genl-3-dev libpng-dev zlib1g-dev pkg-config \
		python3-docutils python3-yaml python3-jsonschema

# What the demo needs.
setup-demo:
	selftests/vm/setup $(MACHINE:%=--machine %) gcc make libc6-dev $(for_vmm) \
		e2fsprogs libnl-3-dev libnl-genl-3-dev libpng-dev zlib1g-dev pkg-config

demo: setup-demo $(if $(HOST),programs,$(if $(filter arm64,$(MACHINE)),,programs))
ifeq ($(HOST),1)
	userspace/demo/host
else
ifeq ($(MACHINE),arm64)
	selftests/vm/cross arm64 make -C userspace
endif
	userspace/demo/vm $(MACHINE:%=--machine %) --kernel $(KERNEL)
endif

check: setup programs
	selftests/check $(KERNELS:%=--kernel %) $(BRIEF:%=--brief %) $(PARTS)

check-debug: setup programs
	selftests/check --kernel debug machine kselftest

bench: setup programs
	selftests/bench/run $(MACHINE:%=--machine %)

docs:
	selftests/vm/setup python3-sphinx linux-source-6.1 gcc libc6-dev
	$(MAKE) -C Documentation

install: programs
	@$(MAKE) -C userspace install

uninstall:
	@$(MAKE) -C userspace uninstall

deb:
	selftests/vm/setup build-essential debhelper dh-dkms $(for_vmm) lintian \
		libnl-3-dev libnl-genl-3-dev libpng-dev pkg-config
	debian/build build/deb

check-packages: deb
	selftests/packages build/deb

clean:
	@$(MAKE) -C userspace clean
	$(RM) -r build
ifneq ($(strip $(KDIR)),)
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
endif

.PHONY: all module modules_install programs setup setup-demo demo check \
	check-debug bench docs install uninstall deb check-packages clean
