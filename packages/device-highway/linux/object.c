// SPDX-License-Identifier: GPL-2.0
/* An object: memory with marks, a gate, and what is counted of its mappings. */
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "highway.h"

bool highway_has_page(struct highway_object *object, unsigned long page)
{
	const struct highway_memory *memory = &object->memory;

	return page < memory->capacity && (!memory->list || memory->list[page]);
}

void *highway_page_address(struct highway_object *object, unsigned long page)
{
	const struct highway_memory *memory = &object->memory;

	if (memory->list)
		return memory->list[page] ? page_address(memory->list[page]) : NULL;
	return memory->address + (page << PAGE_SHIFT);
}

u32 highway_word(struct highway_object *object, unsigned long page)
{
	if (object->memory.registers)
		return ioread32(object->memory.registers + (page << PAGE_SHIFT));
	return READ_ONCE(*(u32 *)highway_page_address(object, page));
}

void highway_set_word(struct highway_object *object, unsigned long page, u32 word)
{
	if (object->memory.registers)
		iowrite32(word, object->memory.registers + (page << PAGE_SHIFT));
	else
		WRITE_ONCE(*(u32 *)highway_page_address(object, page), word);
}

static struct highway_object *object_alloc(struct highway_function *function,
					   struct highway_strategy *strategy)
{
	struct highway_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return ERR_PTR(-ENOMEM);
	object->inode = highway_inode_new();
	if (IS_ERR(object->inode)) {
		struct inode *inode = object->inode;

		kfree(object);
		return ERR_CAST(inode);
	}
	kref_init(&object->ref);
	object->strategy = strategy;
	object->function = function;
	highway_gate_init(&object->gate);
	mutex_init(&object->hiding);
	mutex_init(&object->walk);
	mutex_init(&object->areas_lock);
	INIT_LIST_HEAD(&object->areas);
	INIT_LIST_HEAD(&object->of_function);
	return object;
}

static void object_drop(struct highway_object *object)
{
	highway_inode_put(object->inode);
	kfree(object);
}

/* Takes what the object lives on, from a function that is still there. */
static int object_settle_on(struct highway_object *object, unsigned long pages, int taken)
{
	struct highway_function *function = object->function;

	if (taken)
		return taken;
	object->pages = pages;
	kref_get(&function->ref);
	list_add_tail(&object->of_function, &function->objects);
	/*
	 * DMA has taken the registers away from all who show them, and will give them back to all.
	 */
	if (object->memory.kind == HIGHWAY_BAR && highway_card_has_taken_away(function->card)) {
		object->lacks_registers = true;
		object->gate.closings = 1;
	}
	return 0;
}

/**
 * highway_object_new() - an object with a mark at the beginning of each page
 * @function: the PCI function that it goes with
 * @strategy: how it is mapped
 * @kind: what it is made of
 * @pages: its length
 * @capacity: pages of memory behind it
 *
 * Return: the object with one reference, -ENODEV when the function is going, -ENOMEM.
 */
struct highway_object *highway_object_new(struct highway_function *function,
					  struct highway_strategy *strategy, enum highway_kind kind,
					  unsigned long pages, unsigned long capacity)
{
	struct highway_object *object = object_alloc(function, strategy);
	unsigned long page;
	int ret = -ENODEV;

	if (IS_ERR(object))
		return object;
	mutex_lock(&function->lock);
	if (!function->gone) {
		ret = highway_memory_take(function, &object->memory, kind, capacity);
		for (page = 0; ret == 0 && kind != HIGHWAY_BAR && page < capacity; page++)
			if (highway_has_page(object, page))
				highway_set_word(object, page, HIGHWAY_MARK + page);
		ret = object_settle_on(object, pages, ret);
	}
	mutex_unlock(&function->lock);
	if (ret == 0)
		return object;
	object_drop(object);
	return ERR_PTR(ret);
}

/* The same of memory that is no page of its own. */
struct highway_object *highway_object_odd(struct highway_function *function,
					  struct highway_strategy *strategy, enum highway_odd odd)
{
	struct highway_object *object = object_alloc(function, strategy);
	int ret = -ENODEV;

	if (IS_ERR(object))
		return object;
	mutex_lock(&function->lock);
	if (!function->gone) {
		ret = highway_memory_take_odd(&object->memory, odd);
		ret = object_settle_on(object, object->memory.capacity, ret);
	}
	mutex_unlock(&function->lock);
	if (ret == 0)
		return object;
	object_drop(object);
	return ERR_PTR(ret);
}

void highway_object_get(struct highway_object *object)
{
	kref_get(&object->ref);
}

/* Nobody has it mapped any more: its areas held its file. */
static void object_release(struct kref *ref)
{
	struct highway_object *object = container_of(ref, struct highway_object, ref);
	struct highway_function *function = object->function;

	mutex_lock(&function->lock);
	list_del(&object->of_function);
	highway_memory_release(function, &object->memory);
	mutex_unlock(&function->lock);
	highway_function_put(function);
	object_drop(object);
}

void highway_object_put(struct highway_object *object)
{
	kref_put(&object->ref, object_release);
}
