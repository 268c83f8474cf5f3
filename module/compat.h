/* SPDX-License-Identifier: GPL-2.0 */
/* All differences between the kernel versions that the module supports. */
#ifndef MREGION_COMPAT_H
#define MREGION_COMPAT_H

#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kconfig.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/version.h>
#include <net/genetlink.h>

#include "xchg.h"

/* 6.12 moved it */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* 6.3 made vm_flags read-only */
static inline void mregion_vm_flags_set(struct vm_area_struct *vma,
					unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/* 6.8 dropped the count, which was always 1 */
static inline void mregion_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* 6.10 dropped the source, which __string() has been told */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define mregion_assign_str(field, src)	__assign_str(field)
#else
#define mregion_assign_str(field, src)	__assign_str(field, src)
#endif

/* 6.13 added hrtimer_setup(), 6.15 removed hrtimer_init() */
static inline void
mregion_hrtimer_setup(struct hrtimer *timer,
		      enum hrtimer_restart (*function)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
#endif
}

/* Whether a file's operations are KVM's: those of a module of its own, or built in. */
static inline bool mregion_owner_is_kvm(const struct module *owner)
{
	if (!owner)
		return IS_BUILTIN(CONFIG_KVM);
	return !strcmp(owner->name, "kvm") || !strcmp(owner->name, "kvm_amd") ||
	       !strcmp(owner->name, "kvm_intel");
}

/*
 * 6.18 keeps file_is_kvm() for KVM's own modules, and where KVM is built in or has
 * no others, for none. There a virtual machine's file is recognised by the name that
 * KVM gives it and by the owner of its operations. The name is no path's: it counts
 * only on the file system of anonymous inodes, where files get their names from the
 * kernel's code, and none from userspace.
 */
static inline bool mregion_file_is_kvm(struct file *file)
{
#ifndef EXPORT_SYMBOL_FOR_KVM_INTERNAL
	return file_is_kvm(file);
#else
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "kvm-vm") &&
	       mregion_owner_is_kvm(file->f_op->owner);
#endif
}

/*
 * The bit of a vCPU in system management mode is for KVM's own files, but in a public
 * header; its value differs, and its name is missing where KVM has no such mode.
 */
static inline bool mregion_has_smm(void)
{
#ifdef HF_SMM_MASK
	return true;
#else
	return false;
#endif
}

static inline bool mregion_vcpu_is_in_smm(const struct kvm_vcpu *vcpu)
{
#ifdef HF_SMM_MASK
	return vcpu->arch.hflags & HF_SMM_MASK;
#else
	return false;
#endif
}

/* RISC-V exchanges single bytes and pairs of them since 6.10 */
#if defined(CONFIG_RISCV) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define mregion_xchg8(at, val)	((u8)mregion_xchg_in_word(at, 1, val))
#define mregion_xchg16(at, val)	((u16)mregion_xchg_in_word(at, 2, val))
#else
#define mregion_xchg8(at, val)	xchg(at, val)
#define mregion_xchg16(at, val)	xchg(at, val)
#endif

/* 6.6 moved them */
static inline struct nlattr **mregion_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif /* MREGION_COMPAT_H */
