// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the memory that an object shows from the allocator that a driver would take it from, and
 * gives it back.
 */
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "highway.h"

static int take_bar(struct highway_function *function, struct highway_memory *memory,
		    unsigned long pages)
{
	memory->first_pfn = function->first_pfn;
	memory->registers = function->base;
	return 0;
}

static void release_window(struct highway_function *function, struct highway_memory *memory)
{
	bitmap_clear(function->taken, memory->first_pfn - function->first_pfn, memory->capacity);
}

/* With function->lock held, as for its release. */
static int take_window(struct highway_function *function, struct highway_memory *memory,
		       unsigned long pages)
{
	unsigned long first =
		bitmap_find_next_zero_area(function->taken, function->pages, 0, pages, 0);

	if (first >= function->pages)
		return -ENOMEM;
	bitmap_set(function->taken, first, pages);
	memory->first_pfn = function->first_pfn + first;
	memory->registers = function->base + (first << PAGE_SHIFT);
	memory->release = release_window;
	memset_io(memory->registers, 0, pages << PAGE_SHIFT);
	return 0;
}

static void release_list(struct highway_function *function, struct highway_memory *memory)
{
	unsigned long page;

	for (page = 0; page < memory->capacity; page++)
		if (memory->list[page])
			put_page(memory->list[page]);
	kvfree(memory->list);
}

static int take_list(struct highway_function *function, struct highway_memory *memory,
		     unsigned long pages)
{
	unsigned long page;

	memory->list = kvcalloc(pages, sizeof(*memory->list), GFP_KERNEL);
	if (!memory->list)
		return -ENOMEM;
	memory->release = release_list;
	for (page = 0; page < pages; page++) {
		if (memory->kind == HIGHWAY_HOLES && page == HIGHWAY_HOLE)
			continue;
		memory->list[page] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!memory->list[page]) {
			release_list(function, memory);
			return -ENOMEM;
		}
	}
	return 0;
}

static void release_linear(struct highway_function *function, struct highway_memory *memory)
{
	free_pages((unsigned long)memory->address, get_order(memory->capacity << PAGE_SHIFT));
}

/* Compound, so that a reference to any of its pages keeps all of it. */
static int take_linear(struct highway_function *function, struct highway_memory *memory,
		       unsigned long pages)
{
	unsigned int order = get_order(pages << PAGE_SHIFT);

	memory->address = (void *)__get_free_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO, order);
	memory->release = release_linear;
	return memory->address ? 0 : -ENOMEM;
}

static void release_vmalloc(struct highway_function *function, struct highway_memory *memory)
{
	vfree(memory->address);
}

static int take_vmalloc(struct highway_function *function, struct highway_memory *memory,
			unsigned long pages)
{
	memory->address = vmalloc_user(pages << PAGE_SHIFT);
	memory->release = release_vmalloc;
	return memory->address ? 0 : -ENOMEM;
}

static void release_coherent(struct highway_function *function, struct highway_memory *memory)
{
	dma_free_coherent(&function->pdev->dev, memory->capacity << PAGE_SHIFT, memory->address,
			  memory->bus);
}

/*
 * Only the DMA layer knows where the memory lies: neither of its two addresses is a physical one.
 * It says so page by page for memory that has struct pages, and pfn-nopage needs to be told.
 */
static int take_coherent(struct highway_function *function, struct highway_memory *memory,
			 unsigned long pages)
{
	struct device *device = &function->pdev->dev;
	size_t bytes = pages << PAGE_SHIFT;
	struct sg_table table;
	int ret;

	memory->address = dma_alloc_coherent(device, bytes, &memory->bus, GFP_KERNEL);
	if (!memory->address)
		return -ENOMEM;
	ret = dma_get_sgtable(device, &table, memory->address, memory->bus, bytes);
	if (ret == 0) {
		if (table.nents == 1)
			memory->first_pfn = page_to_pfn(sg_page(table.sgl));
		else
			ret = -EIO;
		sg_free_table(&table);
	}
	if (ret)
		dma_free_coherent(device, bytes, memory->address, memory->bus);
	memory->release = release_coherent;
	return ret;
}

/* With function->lock held: 0, or a negated errno with nothing taken. */
int highway_memory_take(struct highway_function *function, struct highway_memory *memory,
			enum highway_kind kind, unsigned long pages)
{
	static int (*const take[])(struct highway_function *, struct highway_memory *,
				   unsigned long) = {
		[HIGHWAY_BAR] = take_bar,
		[HIGHWAY_WINDOW] = take_window,
		[HIGHWAY_PAGES_ARRAY] = take_list,
		[HIGHWAY_HOLES] = take_list,
		[HIGHWAY_LINEAR] = take_linear,
		[HIGHWAY_VMALLOC] = take_vmalloc,
		[HIGHWAY_COHERENT] = take_coherent,
	};

	memset(memory, 0, sizeof(*memory));
	memory->kind = kind;
	memory->capacity = pages;
	return take[kind](function, memory, pages);
}

static void release_slab(struct highway_function *function, struct highway_memory *memory)
{
	kfree(memory->address);
}

static void release_unaligned(struct highway_function *function, struct highway_memory *memory)
{
	free_page((unsigned long)memory->address & PAGE_MASK);
}

/* Half of the objects of a slab of half pages begin with a page. */
static void *slab_object_on_page(void)
{
	void *tried[64];
	void *found = NULL;
	unsigned int count;

	for (count = 0; count < ARRAY_SIZE(tried) && !found; count++) {
		tried[count] = kzalloc(PAGE_SIZE / 2, GFP_KERNEL);
		if (!tried[count])
			break;
		if (PAGE_ALIGNED(tried[count]))
			found = tried[count];
	}
	while (count-- > 0)
		if (tried[count] != found)
			kfree(tried[count]);
	return found;
}

/* Memory that is no page of its own: 0 or -ENOMEM. */
int highway_memory_take_odd(struct highway_memory *memory, enum highway_odd odd)
{
	memset(memory, 0, sizeof(*memory));
	memory->kind = HIGHWAY_LINEAR;
	memory->capacity = 1;
	switch (odd) {
	case HIGHWAY_ODD_SLAB:
		memory->address = slab_object_on_page();
		memory->release = release_slab;
		break;
	case HIGHWAY_ODD_BARE:
		memory->capacity = 2;
		memory->address = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
		memory->release = release_linear;
		break;
	case HIGHWAY_ODD_UNALIGNED:
		memory->address = (void *)get_zeroed_page(GFP_KERNEL);
		if (!memory->address)
			return -ENOMEM;
		*(u32 *)memory->address = HIGHWAY_SECRET;
		memory->address += PAGE_SIZE / 2;
		memory->release = release_unaligned;
		break;
	}
	return memory->address ? 0 : -ENOMEM;
}

/* Once is enough: of what was given back already there are no pages. */
void highway_memory_release(struct highway_function *function, struct highway_memory *memory)
{
	if (memory->capacity && memory->release)
		memory->release(function, memory);
	memory->capacity = 0;
}
