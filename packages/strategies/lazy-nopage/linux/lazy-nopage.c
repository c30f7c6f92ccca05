// SPDX-License-Identifier: GPL-2.0
/*
 * One entry at a time, at the first touch of its page: simple_nopage() of the 1997 mail for I/O
 * memory, and scullp's for pages.  A thread that touches the object while its gate is closed waits,
 * as the 1998 mail wished for.
 *
 * The handler writes the entry itself, with the gate held from the look at it on.
 */
#include "highway.h"

static bool may_be_copied(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/*
 * VM_MIXEDMAP and not VM_PFNMAP, which mremap() would not grow; of bare frames it takes those
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
		vma->vm_flags |= VM_IO;
	}
	vma->vm_flags |= VM_MIXEDMAP;
	return 0;
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
	else if (object->memory.list[vmf->pgoff])
		ret = vmf_insert_page(vmf->vma, vmf->address, object->memory.list[vmf->pgoff]);
	else
		ret = VM_FAULT_SIGBUS;
	highway_gate_release(&object->gate);
	return ret;
}

static struct highway_strategy lazy_nopage = {
	.name = "lazy-nopage",
	.owner = THIS_MODULE,
	.kinds = BIT(HIGHWAY_BAR) | BIT(HIGHWAY_WINDOW) | BIT(HIGHWAY_PAGES_ARRAY) |
		 BIT(HIGHWAY_HOLES),
	.mmap = lazy_nopage_mmap,
	.fault = lazy_nopage_fault,
};

module_highway_strategy(lazy_nopage);
MODULE_DESCRIPTION("Mapping strategy: one entry at a time, at the first touch");
MODULE_LICENSE("GPL");
