/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that reaches a process's memory by the process's own addresses, through translations of
 * its own that follow the process's.  It has no reference to any page: what keeps it from one that
 * is gone is that the translation goes first.
 */
#ifndef MIRROR_H
#define MIRROR_H

#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

enum mirror_access { MIRROR_READ, MIRROR_WRITE };

/* A translation: a page without a reference, or none. */
struct mirror_entry {
	struct page *page;
	bool is_writable;
	bool is_dirty;
};

struct mirror_form;

/* One process that is followed, until the last reference is given up. */
struct mirror {
	struct kref ref;
	const struct mirror_form *form;
	struct mm_struct *mm;
	unsigned long start;
	unsigned long end;

	/* Taken under the page-table lock, so nothing sleeps with it held.  Guards all below. */
	spinlock_t lock;
	struct mirror_entry *entries;
	bool is_released;
	/* How often the device was told to stop, and what it still had then. */
	int stops;
	int reached_at_stop;

	/* The list form: invalidations under way, and how many have ended. */
	struct mmu_notifier notifier;
	unsigned long under_way;
	unsigned long ended;
	wait_queue_head_t rest;

	/* The interval form. */
	struct mmu_interval_notifier interval;
};

/* How a mirror hears of invalidations. */
struct mirror_form {
	/* Begins to follow: 0 or a negated errno.  The mm has users. */
	int (*attach)(struct mirror *mirror);
	/* Returns when no callback runs and none will. */
	void (*detach)(struct mirror *mirror);
	/*
	 * Before a page is looked up: waits until no invalidation is under way that would take it
	 * back, and answers with the number of this moment.
	 */
	int (*begin)(struct mirror *mirror, unsigned long *sequence);
	/* The same without waiting: -EAGAIN when it would have to. */
	int (*try_begin)(struct mirror *mirror, unsigned long *sequence);
	/* With the lock held: whether an invalidation has come since. */
	bool (*has_collided)(struct mirror *mirror, unsigned long sequence);
};

extern const struct mirror_form mirror_list_form;
extern const struct mirror_form mirror_interval_form;

/*
 * Populating and moving wait for page faults, which may take for ever: no lock that others need is
 * held then, but a reference.
 */
struct mirror *mirror_follow(const struct mirror_form *form, struct mm_struct *mm,
			     unsigned long start, unsigned long pages);
void mirror_get(struct mirror *mirror);
void mirror_put(struct mirror *mirror);
int mirror_populate(struct mirror *mirror, unsigned long address, enum mirror_access access);
int mirror_populate_now(struct mirror *mirror, unsigned long address, enum mirror_access access);
bool mirror_reaches(struct mirror *mirror, unsigned long address, enum mirror_access access);
bool mirror_access_word(struct mirror *mirror, unsigned long address, u32 *word,
			enum mirror_access access);
int mirror_move(struct mirror *mirror, unsigned long address, u32 *word, enum mirror_access access);
int mirror_count(struct mirror *mirror);

/* For the forms, with the lock held. */
void mirror_zap(struct mirror *mirror, unsigned long start, unsigned long end);
void mirror_stop(struct mirror *mirror);

#endif
