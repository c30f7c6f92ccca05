// SPDX-License-Identifier: GPL-2.0
/*
 * Answers a fault with a frame number and nothing else, for memory that may have no struct page:
 * what the 2004 mail proposes as nopage_dma, and vmf_insert_pfn() today.
 *
 * Nothing is counted, whether or not the frame has a page.  So the driver alone sees to it that the
 * memory outlives its mappings: it takes the object away before it frees.
 */
#include "highway.h"

/* The flags are set here and not in the handler, which has the mmap lock for reading only. */
static int pfn_nopage_mmap(struct highway_object *object, struct vm_area_struct *vma)
{
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	vma->vm_flags |= VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP;
	return 0;
}

/*
 * The same frame for the same page until the entries have gone: an occupied slot would keep the old
 * one, without a word.
 */
static vm_fault_t pfn_nopage_fault(struct highway_object *object, struct vm_fault *vmf)
{
	vm_fault_t ret = highway_gate_enter(object, vmf);

	if (ret)
		return ret;
	if (vmf->pgoff < object->pages)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, object->memory.first_pfn + vmf->pgoff);
	else
		ret = VM_FAULT_SIGBUS;
	highway_gate_release(&object->gate);
	return ret;
}

static struct highway_strategy pfn_nopage = {
	.name = "pfn-nopage",
	.owner = THIS_MODULE,
	.kinds = BIT(HIGHWAY_BAR) | BIT(HIGHWAY_WINDOW) | BIT(HIGHWAY_COHERENT),
	.mmap = pfn_nopage_mmap,
	.fault = pfn_nopage_fault,
};

module_highway_strategy(pfn_nopage);
MODULE_DESCRIPTION("Mapping strategy: frames without struct page, at the first touch");
MODULE_LICENSE("GPL");
