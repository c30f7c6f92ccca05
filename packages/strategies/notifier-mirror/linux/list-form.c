// SPDX-License-Identifier: GPL-2.0
/*
 * The skeleton of 2008, put right: one lock and one count of the invalidations under way, for the
 * whole process.
 *
 * The count alone does not tell that an invalidation has come and gone since the page was looked
 * up: the skeleton reads the entry again under the page-table lock for that.  Where the page comes
 * from get_user_pages() the invalidations that have ended are counted as well, as KVM does.  And
 * the skeleton frees itself in release, where it is still on the list: here that is left to detach.
 */
#include <linux/sched/signal.h>

#include "mirror.h"

static struct mirror *mirror_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct mirror, notifier);
}

/* Nothing here sleeps, so there is no call that would have to be refused. */
static int list_begin_range(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct mirror *mirror = mirror_of(notifier);

	spin_lock(&mirror->lock);
	WRITE_ONCE(mirror->under_way, mirror->under_way + 1);
	mirror_zap(mirror, range->start, range->end);
	spin_unlock(&mirror->lock);
	return 0;
}

static void list_end_range(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct mirror *mirror = mirror_of(notifier);

	spin_lock(&mirror->lock);
	WRITE_ONCE(mirror->under_way, mirror->under_way - 1);
	mirror->ended++;
	spin_unlock(&mirror->lock);
	wake_up_all(&mirror->rest);
}

static void list_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct mirror *mirror = mirror_of(notifier);

	spin_lock(&mirror->lock);
	mirror_stop(mirror);
	spin_unlock(&mirror->lock);
}

static const struct mmu_notifier_ops list_ops = {
	.invalidate_range_start = list_begin_range,
	.invalidate_range_end = list_end_range,
	.release = list_release,
};

static int list_attach(struct mirror *mirror)
{
	mirror->notifier.ops = &list_ops;
	return mmu_notifier_register(&mirror->notifier, mirror->mm);
}

static void list_detach(struct mirror *mirror)
{
	mmu_notifier_unregister(&mirror->notifier, mirror->mm);
}

static int list_try_begin(struct mirror *mirror, unsigned long *sequence)
{
	int ret;

	spin_lock(&mirror->lock);
	*sequence = mirror->ended;
	ret = mirror->under_way ? -EAGAIN : 0;
	spin_unlock(&mirror->lock);
	return ret;
}

static int list_begin(struct mirror *mirror, unsigned long *sequence)
{
	while (list_try_begin(mirror, sequence))
		if (wait_event_killable(mirror->rest, !READ_ONCE(mirror->under_way)))
			return -EINTR;
	return 0;
}

static bool list_has_collided(struct mirror *mirror, unsigned long sequence)
{
	return mirror->under_way || mirror->ended != sequence;
}

const struct mirror_form mirror_list_form = {
	.attach = list_attach,
	.detach = list_detach,
	.begin = list_begin,
	.try_begin = list_try_begin,
	.has_collided = list_has_collided,
};
EXPORT_SYMBOL_GPL(mirror_list_form);
