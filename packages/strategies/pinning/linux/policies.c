// SPDX-License-Identifier: GPL-2.0
/*
 * What today's kernel offers a driver that has a device work on a process's pages.
 *
 *   longterm    a pin: fork gives the child a copy, so that the device and the parent keep the page
 *   quarantine  the same, and kept beyond the death of the process until the device has stopped
 *   refcount    a plain reference: the page stays, but after a fork maybe not the process's own
 *   none-*      nothing: the device follows the process by a notifier
 */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "../notifier-mirror/mirror.h"
#include "pinning.h"

/* Counts against RLIMIT_MEMLOCK, as VmPin: 0 or -ENOMEM. */
static int charge_pinned(struct mm_struct *mm, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(pages, &mm->pinned_vm) <= limit || capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(pages, &mm->pinned_vm);
	return -ENOMEM;
}

static void uncharge_pinned(struct mm_struct *mm, unsigned long pages)
{
	atomic64_sub(pages, &mm->pinned_vm);
}

static unsigned int flags_of(const struct held *held)
{
	return held->is_written ? FOLL_WRITE : 0;
}

/* When only some could be had, exactly those are given back. */
static int longterm_pin(struct held *held)
{
	int ret = charge_pinned(held->mm, held->count);
	int pinned;

	if (ret)
		return ret;
	pinned = pin_user_pages_fast(held->start, held->count, FOLL_LONGTERM | flags_of(held),
				     held->pages);
	if (pinned == held->count)
		return 0;
	if (pinned > 0)
		unpin_user_pages(held->pages, pinned);
	uncharge_pinned(held->mm, held->count);
	return pinned < 0 ? pinned : -EFAULT;
}

static void longterm_unpin(struct held *held)
{
	unpin_user_pages_dirty_lock(held->pages, held->count, held->is_written);
	uncharge_pinned(held->mm, held->count);
}

static void put_pages(struct held *held, unsigned long count)
{
	unsigned long index;

	for (index = 0; index < count; index++) {
		if (held->is_written)
			set_page_dirty_lock(held->pages[index]);
		put_page(held->pages[index]);
	}
}

static int refcount_pin(struct held *held)
{
	int taken = get_user_pages_fast(held->start, held->count, flags_of(held), held->pages);

	if (taken == held->count)
		return 0;
	if (taken > 0)
		put_pages(held, taken);
	return taken < 0 ? taken : -EFAULT;
}

static void refcount_unpin(struct held *held)
{
	put_pages(held, held->count);
}

/* A buffer that is not there is refused now, and not in the middle of a transfer. */
static int follow(struct held *held, const struct mirror_form *form)
{
	enum mirror_access access = held->is_written ? MIRROR_WRITE : MIRROR_READ;
	unsigned long index;
	int ret;

	held->mirror = mirror_follow(form, held->mm, held->start, held->count);
	if (IS_ERR(held->mirror))
		return PTR_ERR(held->mirror);
	for (index = 0; index < held->count; index++) {
		ret = mirror_populate(held->mirror, held->start + (index << PAGE_SHIFT), access);
		if (ret) {
			mirror_put(held->mirror);
			return ret;
		}
	}
	return 0;
}

static int follow_by_list(struct held *held)
{
	return follow(held, &mirror_list_form);
}

static int follow_by_interval(struct held *held)
{
	return follow(held, &mirror_interval_form);
}

static void unfollow(struct held *held)
{
	mirror_put(held->mirror);
}

const struct pinning_policy pinning_policies[] = {
	{ "longterm", longterm_pin, longterm_unpin },
	{ "quarantine", longterm_pin, longterm_unpin, .quarantines = true },
	{ "refcount", refcount_pin, refcount_unpin },
	{ "none-notifier", follow_by_list, unfollow },
	{ "none-interval", follow_by_interval, unfollow },
};

const unsigned int pinning_policy_count = ARRAY_SIZE(pinning_policies);
