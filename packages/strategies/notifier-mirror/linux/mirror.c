// SPDX-License-Identifier: GPL-2.0
/* The device's translations of one process, and how the driver makes and takes them. */
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "mirror.h"

/* Pages that one mirror can follow. */
#define MOST_PAGES 4096

static bool mirror_covers(const struct mirror *mirror, unsigned long address)
{
	return address >= mirror->start && address < mirror->end;
}

static struct mirror_entry *mirror_entry_of(struct mirror *mirror, unsigned long address)
{
	return &mirror->entries[(address - mirror->start) >> PAGE_SHIFT];
}

/*
 * Takes the translations of [start, end) away.  As long as invalidations are heard of the process
 * still has its references here, so what the device wrote can be marked dirty; without the page
 * lock, which an invalidation may come with or without (drivers/infiniband/core/umem_odp.c).
 */
void mirror_zap(struct mirror *mirror, unsigned long start, unsigned long end)
{
	unsigned long address = max(start & PAGE_MASK, mirror->start);

	lockdep_assert_held(&mirror->lock);
	for (; address < min(end, mirror->end); address += PAGE_SIZE) {
		struct mirror_entry *entry = mirror_entry_of(mirror, address);

		if (entry->page && entry->is_dirty)
			set_page_dirty(entry->page);
		memset(entry, 0, sizeof(*entry));
	}
}

/* The process is going: the device is stopped, once, while nothing of the process has gone yet. */
void mirror_stop(struct mirror *mirror)
{
	lockdep_assert_held(&mirror->lock);
	mirror_zap(mirror, mirror->start, mirror->end);
	if (!mirror->is_released) {
		mirror->is_released = true;
		mirror->stops++;
		mirror->reached_at_stop += mirror_count(mirror);
	}
}

/* Pages that the device has a translation for. */
int mirror_count(struct mirror *mirror)
{
	unsigned long index;
	int count = 0;

	for (index = 0; index < (mirror->end - mirror->start) >> PAGE_SHIFT; index++)
		count += !!mirror->entries[index].page;
	return count;
}
EXPORT_SYMBOL_GPL(mirror_count);

/**
 * mirror_follow() - begins to follow a process
 * @form: how invalidations are heard of
 * @mm: the process's
 * @start: the first address of what the device may reach, page-aligned
 * @pages: how much that is
 *
 * Return: the mirror with one reference, -EINVAL for a range that is none, -EFAULT for a process
 * that is gone, -ENOMEM.
 */
struct mirror *mirror_follow(const struct mirror_form *form, struct mm_struct *mm,
			     unsigned long start, unsigned long pages)
{
	struct mirror *mirror;
	int ret = -EFAULT;

	if (!PAGE_ALIGNED(start) || pages == 0 || pages > MOST_PAGES || start > TASK_SIZE)
		return ERR_PTR(-EINVAL);
	mirror = kzalloc(sizeof(*mirror), GFP_KERNEL);
	if (!mirror)
		return ERR_PTR(-ENOMEM);
	mirror->entries = kvcalloc(pages, sizeof(*mirror->entries), GFP_KERNEL);
	if (!mirror->entries) {
		kfree(mirror);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&mirror->ref);
	mirror->form = form;
	mirror->mm = mm;
	mirror->start = start;
	mirror->end = start + (pages << PAGE_SHIFT);
	spin_lock_init(&mirror->lock);
	init_waitqueue_head(&mirror->rest);
	mmgrab(mm);
	if (mmget_not_zero(mm)) {
		ret = form->attach(mirror);
		mmput_async(mm);
	}
	if (ret == 0)
		return mirror;
	mmdrop(mm);
	kvfree(mirror->entries);
	kfree(mirror);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(mirror_follow);

/*
 * Nobody uses it any more; its process may be gone.  The translations go first, while invalidations
 * still say which pages are.
 */
static void mirror_release(struct kref *ref)
{
	struct mirror *mirror = container_of(ref, struct mirror, ref);

	spin_lock(&mirror->lock);
	mirror_zap(mirror, mirror->start, mirror->end);
	spin_unlock(&mirror->lock);
	mirror->form->detach(mirror);
	mmdrop(mirror->mm);
	kvfree(mirror->entries);
	kfree(mirror);
}

void mirror_get(struct mirror *mirror)
{
	kref_get(&mirror->ref);
}
EXPORT_SYMBOL_GPL(mirror_get);

/* The last one ends it; may sleep. */
void mirror_put(struct mirror *mirror)
{
	kref_put(&mirror->ref, mirror_release);
}
EXPORT_SYMBOL_GPL(mirror_put);

/*
 * With the lock held.  A device that only reads is given no right to write, whatever the process
 * has: get_user_pages() does not tell.
 */
static int mirror_insert(struct mirror *mirror, unsigned long address, struct page *page,
			 unsigned long sequence, enum mirror_access access)
{
	struct mirror_entry *entry = mirror_entry_of(mirror, address);

	if (mirror->is_released)
		return -EFAULT;
	if (mirror->form->has_collided(mirror, sequence))
		return -EAGAIN;
	if (entry->page != page)
		memset(entry, 0, sizeof(*entry));
	entry->page = page;
	entry->is_writable |= access == MIRROR_WRITE;
	return 0;
}

/*
 * The page behind an address with a reference, faulted in if need be: 1, or a negated errno.  The
 * mm has users.
 */
static int mirror_look_up(struct mirror *mirror, unsigned long address, enum mirror_access access,
			  struct page **page)
{
	unsigned int flags = access == MIRROR_WRITE ? FOLL_WRITE : 0;
	int locked = 1;
	long ret;

	mmap_read_lock(mirror->mm);
	ret = get_user_pages_remote(mirror->mm, address, 1, flags, page, NULL, &locked);
	if (locked)
		mmap_read_unlock(mirror->mm);
	return ret ?: -EFAULT;
}

/*
 * The same of a page that is there already; -EAGAIN where a fault or a lock would have to come
 * first.
 */
static int mirror_look_up_now(struct mirror *mirror, unsigned long address,
			      enum mirror_access access, struct page **page)
{
	unsigned int flags = FOLL_NOFAULT | (access == MIRROR_WRITE ? FOLL_WRITE : 0);
	long ret = 0;

	if (current->mm == mirror->mm) {
		ret = get_user_pages_fast_only(address, 1, flags & FOLL_WRITE, page);
	} else if (mmap_read_trylock(mirror->mm)) {
		ret = get_user_pages_remote(mirror->mm, address, 1, flags, page, NULL, NULL);
		mmap_read_unlock(mirror->mm);
	}
	return ret == 1 ? 1 : -EAGAIN;
}

typedef int (*begin_fn)(struct mirror *mirror, unsigned long *sequence);
typedef int (*look_up_fn)(struct mirror *mirror, unsigned long address, enum mirror_access access,
			  struct page **page);

/* One attempt: 0, -EAGAIN when an invalidation was in the way, or another negated errno. */
static int mirror_try(struct mirror *mirror, unsigned long address, enum mirror_access access,
		      begin_fn begin, look_up_fn look_up_page)
{
	unsigned long sequence;
	struct page *page;
	int ret = begin(mirror, &sequence);

	if (ret)
		return ret;
	ret = look_up_page(mirror, address, access, &page);
	if (ret < 0)
		return ret;
	spin_lock(&mirror->lock);
	ret = mirror_insert(mirror, address, page, sequence, access);
	spin_unlock(&mirror->lock);
	put_page(page);
	return ret;
}

/*
 * Makes a translation, trying again for as long as invalidations come between: 0 or -EFAULT,
 * -EINTR.
 */
int mirror_populate(struct mirror *mirror, unsigned long address, enum mirror_access access)
{
	int ret;

	address &= PAGE_MASK;
	if (!mirror_covers(mirror, address) || !mmget_not_zero(mirror->mm))
		return -EFAULT;
	do
		ret = mirror_try(mirror, address, access, mirror->form->begin, mirror_look_up);
	while (ret == -EAGAIN && !fatal_signal_pending(current));
	mmput_async(mirror->mm);
	return ret;
}
EXPORT_SYMBOL_GPL(mirror_populate);

/* The same without waiting: -EAGAIN when it would have to. */
int mirror_populate_now(struct mirror *mirror, unsigned long address, enum mirror_access access)
{
	int ret;

	address &= PAGE_MASK;
	if (!mirror_covers(mirror, address) || !mmget_not_zero(mirror->mm))
		return -EFAULT;
	ret = mirror_try(mirror, address, access, mirror->form->try_begin, mirror_look_up_now);
	mmput_async(mirror->mm);
	return ret;
}
EXPORT_SYMBOL_GPL(mirror_populate_now);

static struct mirror_entry *mirror_translate(struct mirror *mirror, unsigned long address,
					     enum mirror_access access)
{
	struct mirror_entry *entry;

	if (!mirror_covers(mirror, address))
		return NULL;
	entry = mirror_entry_of(mirror, address);
	return entry->page && (access == MIRROR_READ || entry->is_writable) ? entry : NULL;
}

/* Whether the device itself finds a translation. */
bool mirror_reaches(struct mirror *mirror, unsigned long address, enum mirror_access access)
{
	bool reaches;

	spin_lock(&mirror->lock);
	reaches = mirror_translate(mirror, address, access);
	spin_unlock(&mirror->lock);
	return reaches;
}
EXPORT_SYMBOL_GPL(mirror_reaches);

/*
 * What the device does by itself: moves an aligned word, if there is a translation.  Under the lock
 * that takes those.
 */
bool mirror_access_word(struct mirror *mirror, unsigned long address, u32 *word,
			enum mirror_access access)
{
	struct mirror_entry *entry;

	spin_lock(&mirror->lock);
	entry = mirror_translate(mirror, address, access);
	if (entry && access == MIRROR_WRITE) {
		memcpy_to_page(entry->page, offset_in_page(address), (char *)word, sizeof(*word));
		entry->is_dirty = true;
	} else if (entry) {
		memcpy_from_page((char *)word, entry->page, offset_in_page(address), sizeof(*word));
	}
	spin_unlock(&mirror->lock);
	return entry;
}
EXPORT_SYMBOL_GPL(mirror_access_word);

/* Moves a word, with the driver's help at a device fault: 0, or why that could not be resolved. */
int mirror_move(struct mirror *mirror, unsigned long address, u32 *word, enum mirror_access access)
{
	int ret;

	if (!IS_ALIGNED(address, sizeof(*word)))
		return -EINVAL;
	while (!mirror_access_word(mirror, address, word, access)) {
		ret = mirror_populate(mirror, address, access);
		if (ret)
			return ret;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(mirror_move);
