// SPDX-License-Identifier: GPL-2.0
/*
 * One entry at a time, at the first touch of its page: simple_nopage() of the 1997 mail for I/O
 * memory, and scullp's for pages.  A thread that touches the object while its gate is closed waits,
 * as the 1998 mail wished for.
 *
 * The entry of a bare frame is written by the handler itself, with the gate held from the look at
 * it on.  A page is handed to the core locked: who closes the gate takes the lock of every page
 * before the entries go, as truncation does.
 */
#include <linux/pagemap.h>

#include "highway.h"

static bool may_be_copied(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/*
 * For bare frames VM_MIXEDMAP and not VM_PFNMAP, which mremap() would not grow; so it takes those
 * without struct page only.
 */
static int lazy_nopage_mmap(struct highway_object *object, struct vm_area_struct *vma)
{
	unsigned long first = object->memory.first_pfn + vma->vm_pgoff;

	if (!object->memory.list) {
		/* A bare frame can have no private copy. */
		if (may_be_copied(vma))
			return -EINVAL;
		if (pfn_valid(first) || pfn_valid(first + vma_pages(vma) - 1))
			return -EINVAL;
		vma->vm_flags |= VM_IO | VM_MIXEDMAP;
	}
	return 0;
}

static vm_fault_t hand_over(struct vm_fault *vmf, struct page *page)
{
	if (!page || !try_get_page(page))
		return VM_FAULT_SIGBUS;
	lock_page(page);
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

/*
 * By the fault's pgoff, which is right after any split or move, and within the bounds of now:
 * mremap() may have grown it.
 */
static vm_fault_t lazy_nopage_fault(struct highway_object *object, struct vm_fault *vmf)
{
	vm_fault_t ret = highway_gate_enter(object, vmf);

	if (ret)
		return ret;
	if (vmf->pgoff >= object->pages)
		ret = VM_FAULT_SIGBUS;
	else if (!object->memory.list)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, object->memory.first_pfn + vmf->pgoff);
	else
		ret = hand_over(vmf, object->memory.list[vmf->pgoff]);
	highway_gate_release(&object->gate);
	return ret;
}

/* Whoever passed the gate has a page locked until its entry is written. */
static void lazy_nopage_settle(struct highway_object *object)
{
	unsigned long index;

	highway_gate_hold(&object->gate);
	for (index = 0; object->memory.list && index < object->memory.capacity; index++) {
		struct page *page = object->memory.list[index];

		if (!page)
			continue;
		lock_page(page);
		unlock_page(page);
	}
	highway_gate_release(&object->gate);
}

static struct highway_strategy lazy_nopage = {
	.name = "lazy-nopage",
	.owner = THIS_MODULE,
	.kinds = BIT(HIGHWAY_BAR) | BIT(HIGHWAY_WINDOW) | BIT(HIGHWAY_PAGES_ARRAY) |
		 BIT(HIGHWAY_HOLES),
	.mmap = lazy_nopage_mmap,
	.fault = lazy_nopage_fault,
	.settle = lazy_nopage_settle,
};

module_highway_strategy(lazy_nopage);
MODULE_DESCRIPTION("Mapping strategy: one entry at a time, at the first touch");
MODULE_LICENSE("GPL");
