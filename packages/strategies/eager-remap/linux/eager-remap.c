// SPDX-License-Identifier: GPL-2.0
/*
 * Every entry is made in the mmap hook: the simple_mmap() of the 1997 mail, with today's
 * remap_pfn_range().
 *
 * There is no fault handler, so what was taken away is SIGBUS until it is given back; and to give
 * it back all areas have to be found again, in whatever process they are by now.
 */
#include <linux/dma-mapping.h>

#include "highway.h"

/*
 * Private areas that may be written are remapped whole, and remap_pfn_range() has their vm_pgoff
 * count frames from then on; split, move and fork keep it that way.
 */
static bool counts_frames(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

static int remap(struct highway_object *object, struct vm_area_struct *vma)
{
	struct highway_memory *memory = &object->memory;
	unsigned long bytes = vma->vm_end - vma->vm_start;

	/* Memory of the DMA layer is for that layer to map. */
	if (memory->kind == HIGHWAY_COHERENT)
		return dma_mmap_coherent(&object->function->pdev->dev, vma, memory->address,
					 memory->bus, memory->capacity << PAGE_SHIFT);
	return remap_pfn_range(vma, vma->vm_start, memory->first_pfn + vma->vm_pgoff, bytes,
			       vma->vm_page_prot);
}

/*
 * -EAGAIN for what cannot be mapped now, as in the mail.  The area is not to be found by
 * unmap_mapping_range() before this hook has returned, which is what eager_remap_settle() is for.
 */
static int eager_remap_mmap(struct highway_object *object, struct vm_area_struct *vma)
{
	int ret = -EAGAIN;

	if (highway_gate_hold(&object->gate) == HIGHWAY_OPEN) {
		ret = remap(object, vma);
		if (ret && ret != -EINVAL)
			ret = -EAGAIN;
	}
	highway_gate_release(&object->gate);
	return ret;
}

/*
 * 6.1 keeps an account of the cache mode of an area that was remapped whole (VM_PAT), which whoever
 * takes its entries settles: two at once, as a revocation and a munmap, and one of them warns.  So
 * shared areas are emptied here, where the mmap lock keeps the others away.  Private areas are left
 * to unmap_mapping_range(), which spares the copies in them.
 */
static void take_away(struct highway_object *object, struct vm_area_struct *vma)
{
	if (!counts_frames(vma))
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

/*
 * Whoever passed the gate in the hook above holds the mmap lock for writing until its area can be
 * found by unmap_mapping_range(): so taking that lock waits for it as well.
 */
static void eager_remap_settle(struct highway_object *object)
{
	highway_visit_areas(object, take_away);
}

struct filling {
	struct vm_area_struct *vma;
	unsigned long first_pfn;
};

/* With the page-table lock held.  What is present stays: a private copy, or the same frame. */
static int fill(pte_t *pte, unsigned long address, void *data)
{
	struct filling *filling = data;
	unsigned long pfn = filling->first_pfn + ((address - filling->vma->vm_start) >> PAGE_SHIFT);

	if (pte_none(*pte))
		set_pte_at(filling->vma->vm_mm, address, pte,
			   pte_mkspecial(pfn_pte(pfn, filling->vma->vm_page_prot)));
	return 0;
}

/*
 * Fills what is missing in one area, as far as the object reaches by now.  remap_pfn_range() is no
 * help here: a present entry is a BUG to it, and it changes vm_flags, for which the mmap lock would
 * have to be held for writing.
 */
static void eager_remap_restore(struct highway_object *object, struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff;
	struct filling filling = { .vma = vma };
	unsigned long pages;

	if (highway_gate_hold(&object->gate) != HIGHWAY_OPEN)
		goto release;
	if (counts_frames(vma))
		first -= object->memory.first_pfn;
	if (first >= object->pages)
		goto release;
	filling.first_pfn = object->memory.first_pfn + first;
	pages = min(vma_pages(vma), object->pages - first);
	/* Without memory for a page table the rest stays SIGBUS. */
	apply_to_page_range(vma->vm_mm, vma->vm_start, pages << PAGE_SHIFT, fill, &filling);
release:
	highway_gate_release(&object->gate);
}

static struct highway_strategy eager_remap = {
	.name = "eager-remap",
	.owner = THIS_MODULE,
	.kinds = BIT(HIGHWAY_BAR) | BIT(HIGHWAY_WINDOW) | BIT(HIGHWAY_COHERENT),
	.mmap = eager_remap_mmap,
	.settle = eager_remap_settle,
	.restore = eager_remap_restore,
};

module_highway_strategy(eager_remap);
MODULE_DESCRIPTION("Mapping strategy: all entries at mmap");
MODULE_LICENSE("GPL");
