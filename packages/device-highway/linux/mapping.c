// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to areas: every hook is counted and can be told to fail, and then it is the
 * strategy's turn.
 */
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "highway.h"

/*
 * An area of a strategy that has to find its areas again.  Valid from the mmap hook or open to
 * close.
 */
struct highway_area {
	struct list_head list;
	struct vm_area_struct *vma;
	unsigned int turn;
};

/* Without memory for it the area is not restored: a touch is SIGBUS then. */
static void list_area(struct highway_object *object, struct vm_area_struct *vma)
{
	struct highway_area *area;

	if (!object->strategy->restore)
		return;
	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return;
	area->vma = vma;
	mutex_lock(&object->areas_lock);
	list_add_tail(&area->list, &object->areas);
	mutex_unlock(&object->areas_lock);
}

static void unlist_area(struct highway_object *object, struct vm_area_struct *vma)
{
	struct highway_area *area;

	mutex_lock(&object->areas_lock);
	list_for_each_entry(area, &object->areas, list) {
		if (area->vma != vma)
			continue;
		list_del(&area->list);
		kfree(area);
		break;
	}
	mutex_unlock(&object->areas_lock);
}

/*
 * An address space that has areas which this turn has not come to; with a reference, and areas_lock
 * held.
 */
static struct mm_struct *next_mm(struct highway_object *object)
{
	struct highway_area *area;

	list_for_each_entry(area, &object->areas, list) {
		if (area->turn == object->turn)
			continue;
		area->turn = object->turn;
		/* Of a process that is dying the entries go anyway. */
		if (!mmget_not_zero(area->vma->vm_mm))
			continue;
		area->turn--;
		return area->vma->vm_mm;
	}
	return NULL;
}

/**
 * highway_visit_areas() - visits every listed area with its mmap lock held for writing
 * @object: whose areas
 * @visit: called with areas_lock held as well
 *
 * The mmap lock comes before areas_lock, and an area is good only under the mmap lock of its mm.
 * So each mm is taken a reference of, the list is let go, and looked through again under both.
 *
 * To hold it for reading would not do: munmap takes areas out of the tree with the lock held for
 * writing, and goes on with it held for reading while their entries go, their page tables, and at
 * last close is called.  An entry that is written meanwhile would be left behind.
 */
void highway_visit_areas(struct highway_object *object, highway_visit visit)
{
	struct highway_area *area;
	struct mm_struct *mm;

	mutex_lock(&object->walk);
	mutex_lock(&object->areas_lock);
	object->turn += 2;
	while ((mm = next_mm(object))) {
		mutex_unlock(&object->areas_lock);
		mmap_write_lock(mm);
		mutex_lock(&object->areas_lock);
		list_for_each_entry(area, &object->areas, list) {
			if (area->vma->vm_mm != mm)
				continue;
			area->turn = object->turn;
			visit(object, area->vma);
		}
		mutex_unlock(&object->areas_lock);
		mmap_write_unlock(mm);
		mmput(mm);
		mutex_lock(&object->areas_lock);
	}
	mutex_unlock(&object->areas_lock);
	mutex_unlock(&object->walk);
}
EXPORT_SYMBOL_GPL(highway_visit_areas);

static void area_count(struct highway_object *object, enum highway_count what)
{
	atomic_long_inc(&object->counts[what]);
}

/* The errno that a hook is to fail with now; 0 when it is not to. */
static int failure_of(struct highway_object *object, enum highway_hook hook)
{
	return atomic_xchg(&object->failing[hook], 0);
}

static void area_open(struct vm_area_struct *vma)
{
	area_count(vma->vm_private_data, HIGHWAY_COUNT_OPENS);
	list_area(vma->vm_private_data, vma);
}

static void area_close(struct vm_area_struct *vma)
{
	area_count(vma->vm_private_data, HIGHWAY_COUNT_CLOSES);
	unlist_area(vma->vm_private_data, vma);
}

static int area_may_split(struct vm_area_struct *vma, unsigned long address)
{
	return -failure_of(vma->vm_private_data, HIGHWAY_HOOK_MAY_SPLIT);
}

static int area_mremap(struct vm_area_struct *vma)
{
	return -failure_of(vma->vm_private_data, HIGHWAY_HOOK_MREMAP);
}

static int area_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			 unsigned long flags)
{
	return -failure_of(vma->vm_private_data, HIGHWAY_HOOK_MPROTECT);
}

static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct highway_object *object = vmf->vma->vm_private_data;

	area_count(object, HIGHWAY_COUNT_FAULTS);
	return object->strategy->fault(object, vmf);
}

/* The page stays locked, and with it shown, until the entry has become writable. */
static vm_fault_t area_page_mkwrite(struct vm_fault *vmf)
{
	struct highway_object *object = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (failure_of(object, HIGHWAY_HOOK_MKWRITE))
		return VM_FAULT_SIGBUS;
	if (highway_gate_hold(&object->gate) == HIGHWAY_OPEN) {
		lock_page(vmf->page);
		ret = VM_FAULT_LOCKED;
	}
	highway_gate_release(&object->gate);
	return ret;
}

static vm_fault_t area_pfn_mkwrite(struct vm_fault *vmf)
{
	return failure_of(vmf->vma->vm_private_data, HIGHWAY_HOOK_MKWRITE) ? VM_FAULT_SIGBUS : 0;
}

#define AREA_HOOKS			\
	.open = area_open,		\
	.close = area_close,		\
	.may_split = area_may_split,	\
	.mremap = area_mremap,		\
	.mprotect = area_mprotect

#define MKWRITE_HOOKS				\
	.page_mkwrite = area_page_mkwrite,	\
	.pfn_mkwrite = area_pfn_mkwrite

/* That there is a hook means something to the core, be it fault or mkwrite: so four sets. */
static const struct vm_operations_struct operations[2][2] = {
	{ { AREA_HOOKS }, { AREA_HOOKS, MKWRITE_HOOKS } },
	{ { AREA_HOOKS, .fault = area_fault }, { AREA_HOOKS, .fault = area_fault, MKWRITE_HOOKS } },
};

static bool is_inside(struct highway_object *object, struct vm_area_struct *vma)
{
	unsigned long pages = READ_ONCE(object->pages);

	return vma->vm_pgoff <= pages && vma_pages(vma) <= pages - vma->vm_pgoff;
}

/* The mmap hook: 0, -ENODEV, -EINVAL outside the object, or the strategy's errno. */
int highway_map(struct highway_object *object, struct vm_area_struct *vma)
{
	struct highway_strategy *strategy = object->strategy;
	bool asks = atomic_read(&object->failing[HIGHWAY_HOOK_MKWRITE]);
	int ret;

	if (READ_ONCE(object->gate.gone))
		return -ENODEV;
	if (!is_inside(object, vma))
		return -EINVAL;
	area_count(object, HIGHWAY_COUNT_MMAPS);
	vma->vm_private_data = object;
	vma->vm_ops = &operations[!!strategy->fault][asks];
	/* Who is to be asked before the first store must not have writable entries. */
	if (asks)
		vma->vm_page_prot = vm_get_page_prot(vma->vm_flags & ~VM_SHARED);
	if (object->memory.registers)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	list_area(object, vma);
	ret = strategy->mmap(object, vma);
	if (ret == 0)
		ret = -failure_of(object, HIGHWAY_HOOK_MMAP);
	if (ret)
		unlist_area(object, vma);
	return ret;
}
