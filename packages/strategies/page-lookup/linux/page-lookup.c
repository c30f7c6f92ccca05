// SPDX-License-Identifier: GPL-2.0
/*
 * Shows a buffer of the kernel page by page: at each touch the page is looked up and handed to the
 * core with one reference more, as the 1997 mail does for buffers of kmalloc() and vmalloc().
 *
 * The core writes the entry when the handler has returned, and so outside of any lock of ours but
 * one: the page itself is handed over locked.  Who closes the gate takes the lock of every page
 * before the entries go, as truncation does.
 */
#include <linux/pagemap.h>
#include <linux/vmalloc.h>

#include "highway.h"

/* The page behind an object page, without a reference; NULL for a hole. */
static struct page *find_page(const struct highway_memory *memory, unsigned long index)
{
	if (memory->list)
		return memory->list[index];
	/*
	 * Neighbours in a vmalloc area are no neighbours in memory: init_mm's page table knows
	 * where each one is.
	 */
	if (memory->kind == HIGHWAY_VMALLOC)
		return vmalloc_to_page(memory->address + (index << PAGE_SHIFT));
	return virt_to_page(memory->address + (index << PAGE_SHIFT));
}

/*
 * Whole pages are shown, each with a reference of its own.  So not what begins within a page, whose
 * rest is somebody else's; nor objects of a slab, for which the fault path has no check; nor a
 * block whose later pages have no count.
 */
static int check_memory(struct highway_object *object)
{
	const struct highway_memory *memory = &object->memory;
	unsigned long index;
	int ret = 0;

	highway_gate_hold(&object->gate);
	if (memory->capacity && !memory->list && !PAGE_ALIGNED(memory->address))
		ret = -EINVAL;
	for (index = 0; ret == 0 && index < object->pages; index++) {
		struct page *page = find_page(memory, index);

		if (page && (PageSlab(compound_head(page)) || page_count(page) == 0))
			ret = -EINVAL;
	}
	highway_gate_release(&object->gate);
	return ret;
}

static int page_lookup_mmap(struct highway_object *object, struct vm_area_struct *vma)
{
	return check_memory(object);
}

/*
 * By the fault's pgoff, which is right after any split or move, and within the bounds of now:
 * mremap() may have grown it.
 */
static vm_fault_t page_lookup_fault(struct highway_object *object, struct vm_fault *vmf)
{
	vm_fault_t ret = highway_gate_enter(object, vmf);
	struct page *page = NULL;

	if (ret)
		return ret;
	if (vmf->pgoff < object->pages)
		page = find_page(&object->memory, vmf->pgoff);
	if (page && try_get_page(page)) {
		lock_page(page);
		vmf->page = page;
		ret = VM_FAULT_LOCKED;
	} else {
		ret = VM_FAULT_SIGBUS;
	}
	highway_gate_release(&object->gate);
	return ret;
}

/* Whoever passed the gate has a page locked until its entry is written. */
static void page_lookup_settle(struct highway_object *object)
{
	unsigned long index;

	highway_gate_hold(&object->gate);
	for (index = 0; index < object->memory.capacity; index++) {
		struct page *page = find_page(&object->memory, index);

		if (!page || PageSlab(compound_head(page)))
			continue;
		lock_page(page);
		unlock_page(page);
	}
	highway_gate_release(&object->gate);
}

static struct highway_strategy page_lookup = {
	.name = "page-lookup",
	.owner = THIS_MODULE,
	.kinds = BIT(HIGHWAY_PAGES_ARRAY) | BIT(HIGHWAY_HOLES) | BIT(HIGHWAY_LINEAR) |
		 BIT(HIGHWAY_VMALLOC),
	.mmap = page_lookup_mmap,
	.fault = page_lookup_fault,
	.settle = page_lookup_settle,
};

module_highway_strategy(page_lookup);
MODULE_DESCRIPTION("Mapping strategy: pages of kmalloc, get_free_pages and vmalloc");
MODULE_LICENSE("GPL");
