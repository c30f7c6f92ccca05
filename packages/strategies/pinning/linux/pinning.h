/* SPDX-License-Identifier: GPL-2.0 */
/* How a device gets hold of a process's pages, and what it does with them. */
#ifndef PINNING_H
#define PINNING_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct mirror;
struct pinning_device;

/*
 * Pages that a device holds, or a process that it follows instead.  The list that it is on has a
 * reference, and whoever has the device do something with it.
 */
struct held {
	struct kref ref;
	struct list_head list;
	struct pinning_device *device;
	int number;
	struct mm_struct *mm;
	unsigned long start;
	unsigned long count;
	bool is_written;
	struct page **pages;
	struct mirror *mirror;
};

struct pinning_policy {
	const char *name;
	/*
	 * Holds the range that is filled in, all of it or nothing: 0 or a negated errno.  In its
	 * process.
	 */
	int (*pin)(struct held *held);
	/* Gives it back, dirty if the device wrote.  The process may be gone. */
	void (*unpin)(struct held *held);
	/* What a dead process held is kept until the device can touch memory no more. */
	bool quarantines;
};

/* Of today's kernel: a ghost process and reserved pages hold nothing there. */
extern const struct pinning_policy pinning_policies[];
extern const unsigned int pinning_policy_count;

#endif
