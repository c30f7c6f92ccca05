// SPDX-License-Identifier: GPL-2.0
/* Takes an object from user space, for a while or for good, and gives it back. */
#include "highway.h"

enum reach { SHARED_ONLY, EVEN_COPIES };

/*
 * Areas are found by their vm_pgoff.  That counts pages of the object or, in a private area that
 * was remapped, frames: remap_pfn_range() makes it so.
 */
static void unmap(struct highway_object *object, unsigned long first, enum reach reach)
{
	struct address_space *mapping = object->inode->i_mapping;
	const struct highway_memory *memory = &object->memory;
	loff_t length = (loff_t)(max(memory->capacity, first + 1) - first) << PAGE_SHIFT;

	unmap_mapping_range(mapping, (loff_t)first << PAGE_SHIFT, length, reach);
	if (memory->first_pfn)
		unmap_mapping_range(mapping, (loff_t)(memory->first_pfn + first) << PAGE_SHIFT,
				    length, reach);
}

static void take_away(struct highway_object *object, enum reach reach)
{
	if (object->strategy->settle)
		object->strategy->settle(object);
	unmap_mapping_range(object->inode->i_mapping, 0, 0, reach);
}

/*
 * When it returns nobody can touch the object.  Private copies are no part of it: a process keeps
 * those.
 */
void highway_quiesce(struct highway_object *object)
{
	highway_gate_change(&object->gate, 1);
	take_away(object, SHARED_ONLY);
}

/* Undoes one highway_quiesce(): 0, or -EINVAL when there was none. */
int highway_resume(struct highway_object *object)
{
	int ret = highway_gate_change(&object->gate, -1);

	if (ret == 0 && object->strategy->restore)
		highway_visit_areas(object, object->strategy->restore);
	return ret;
}

static void swap_words(struct highway_object *object, bool hide)
{
	unsigned long page;

	highway_gate_hold(&object->gate);
	for (page = 0; page < HIGHWAY_CAPACITY && object->memory.kind != HIGHWAY_BAR; page++) {
		if (!highway_has_page(object, page))
			continue;
		if (hide)
			object->words[page] = highway_word(object, page);
		highway_set_word(object, page, hide ? HIGHWAY_HIDDEN : object->words[page]);
	}
	highway_gate_release(&object->gate);
}

/*
 * Takes it away and spoils its marks meanwhile: who still sees the object sees that he should not.
 * Hidings count.
 */
int highway_hide(struct highway_object *object)
{
	highway_quiesce(object);
	mutex_lock(&object->hiding);
	if (object->hidings++ == 0)
		swap_words(object, true);
	mutex_unlock(&object->hiding);
	return 0;
}

int highway_reveal(struct highway_object *object)
{
	int ret = 0;

	mutex_lock(&object->hiding);
	if (object->hidings == 0)
		ret = -EINVAL;
	else if (--object->hidings == 0)
		swap_words(object, false);
	mutex_unlock(&object->hiding);
	return ret ?: highway_resume(object);
}

/* The new end is a gate of its own: it is set first.  0, or -EINVAL beyond the memory. */
int highway_resize(struct highway_object *object, unsigned long pages)
{
	int ret = 0;

	highway_quiesce(object);
	down_write(&object->gate.lock);
	if (pages <= object->memory.capacity)
		WRITE_ONCE(object->pages, pages);
	else
		ret = -EINVAL;
	up_write(&object->gate.lock);
	if (ret == 0)
		unmap(object, pages, EVEN_COPIES);
	highway_resume(object);
	return ret;
}

static void give_memory_back(struct highway_object *object)
{
	struct highway_function *function = object->function;

	mutex_lock(&function->lock);
	down_write(&object->gate.lock);
	highway_memory_release(function, &object->memory);
	WRITE_ONCE(object->pages, 0);
	up_write(&object->gate.lock);
	mutex_unlock(&function->lock);
}

/*
 * The object is gone for good: who waits for it wakes to SIGBUS, and nothing is mapped ever again.
 */
void highway_remove(struct highway_object *object)
{
	highway_gate_remove(&object->gate);
	take_away(object, EVEN_COPIES);
	give_memory_back(object);
}

/* Of counted pages each entry keeps its own; nothing keeps bare frames but their owner. */
void highway_free(struct highway_object *object)
{
	switch (object->memory.kind) {
	case HIGHWAY_PAGES_ARRAY:
	case HIGHWAY_HOLES:
	case HIGHWAY_LINEAR:
	case HIGHWAY_VMALLOC:
		give_memory_back(object);
		break;
	default:
		highway_remove(object);
	}
}
