// SPDX-License-Identifier: GPL-2.0
/*
 * The form of 5.5 and later: the followed range has a sequence number of its own, which every
 * invalidation that touches it changes.  Invalidations elsewhere hold nobody off.
 */
#include "mirror.h"

/* Every invalidation records its number, also when the device had nothing. */
static bool interval_invalidate(struct mmu_interval_notifier *interval,
				const struct mmu_notifier_range *range, unsigned long sequence)
{
	struct mirror *mirror = container_of(interval, struct mirror, interval);

	spin_lock(&mirror->lock);
	mmu_interval_set_seq(interval, sequence);
	if (range->event == MMU_NOTIFY_RELEASE)
		mirror_stop(mirror);
	else
		mirror_zap(mirror, range->start, range->end);
	spin_unlock(&mirror->lock);
	return true;
}

static const struct mmu_interval_notifier_ops interval_ops = {
	.invalidate = interval_invalidate,
};

static int interval_attach(struct mirror *mirror)
{
	return mmu_interval_notifier_insert(&mirror->interval, mirror->mm, mirror->start,
					    mirror->end - mirror->start, &interval_ops);
}

static void interval_detach(struct mirror *mirror)
{
	mmu_interval_notifier_remove(&mirror->interval);
}

static int interval_begin(struct mirror *mirror, unsigned long *sequence)
{
	*sequence = mmu_interval_read_begin(&mirror->interval);
	return 0;
}

/* There is no mmu_interval_read_begin() that would not wait. */
static int interval_try_begin(struct mirror *mirror, unsigned long *sequence)
{
	return -EAGAIN;
}

static bool interval_has_collided(struct mirror *mirror, unsigned long sequence)
{
	return mmu_interval_read_retry(&mirror->interval, sequence);
}

const struct mirror_form mirror_interval_form = {
	.attach = interval_attach,
	.detach = interval_detach,
	.begin = interval_begin,
	.try_begin = interval_try_begin,
	.has_collided = interval_has_collided,
};
EXPORT_SYMBOL_GPL(mirror_interval_form);
