// SPDX-License-Identifier: GPL-2.0
/* The system calls on the nodes of objects. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "highway.h"

/* An open file.  What it shows is its node's, or an object of its own. */
struct highway_file {
	struct mutex lock;	/* guards the two below */
	struct highway_object *object;
	bool is_mapped;
};

/* What the file shows; the file is open, and shows the same as soon as it is mapped. */
static struct highway_object *object_of(struct file *file)
{
	struct highway_file *own = file->private_data;
	struct highway_object *object;

	mutex_lock(&own->lock);
	object = own->object;
	highway_object_get(object);
	mutex_unlock(&own->lock);
	return object;
}

static void file_show(struct file *file, struct highway_object *object)
{
	struct highway_file *own = file->private_data;

	own->object = object;
	file->f_mapping = object->inode->i_mapping;
}

/*
 * The strategy's file operations take the place of these: they name the strategy's module, which
 * has to stay.
 */
static int open_node(struct inode *inode, struct file *file)
{
	struct highway_object *object = highway_node_object(iminor(inode));
	const struct file_operations *fops;
	struct highway_file *own;
	int ret = -ENXIO;

	if (!object)
		return -ENXIO;
	fops = fops_get(&object->strategy->fops);
	if (!fops)
		goto put_object;
	ret = -ENOMEM;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		goto put_module;
	mutex_init(&own->lock);
	if (object->memory.kind == HIGHWAY_BAR) {
		ret = highway_card_open(object->function->card);
		if (ret)
			goto free_file;
	}
	file->private_data = own;
	file_show(file, object);
	replace_fops(file, fops);
	return 0;

free_file:
	kfree(own);
put_module:
	fops_put(fops);
put_object:
	highway_object_put(object);
	return ret;
}

static int release_file(struct inode *inode, struct file *file)
{
	struct highway_file *own = file->private_data;

	if (own->object->memory.kind == HIGHWAY_BAR)
		highway_card_release(own->object->function->card);
	highway_object_put(own->object);
	kfree(own);
	return 0;
}

static int map_file(struct file *file, struct vm_area_struct *vma)
{
	struct highway_file *own = file->private_data;

	mutex_lock(&own->lock);
	own->is_mapped = true;
	mutex_unlock(&own->lock);
	return highway_map(own->object, vma);
}

enum direction { FROM_OBJECT, TO_OBJECT };

/* With the gate held open: moves bytes of one page; registers as 32-bit words. */
static void file_move_bytes(struct highway_object *object, loff_t at, void *words, size_t bytes,
			    enum direction direction)
{
	unsigned long page = at >> PAGE_SHIFT;
	size_t offset = offset_in_page(at);
	size_t done;
	void *memory;

	if (!object->memory.registers) {
		memory = highway_page_address(object, page) + offset;
		memcpy(direction == TO_OBJECT ? memory : words,
		       direction == TO_OBJECT ? words : memory, bytes);
		return;
	}
	for (done = 0; done < bytes; done += 4) {
		void __iomem *word = object->memory.registers + at + done;

		if (direction == TO_OBJECT)
			iowrite32(*(u32 *)(words + done), word);
		else
			*(u32 *)(words + done) = ioread32(word);
	}
}

/* Moves what lies within one page: the bytes, 0 at the end, or a negated errno. */
static ssize_t file_access(struct file *file, loff_t at, void *words, size_t bytes,
			   enum direction direction)
{
	struct highway_object *object = object_of(file);
	ssize_t ret = highway_gate_hold_open(&object->gate, file->f_flags);

	if (ret)
		goto put;
	if (at >= (loff_t)object->pages << PAGE_SHIFT)
		ret = direction == TO_OBJECT ? -ENOSPC : 0;
	else if (!highway_has_page(object, at >> PAGE_SHIFT))
		ret = -ENXIO;
	else if (object->memory.registers && !IS_ALIGNED(at | bytes, 4))
		ret = -EINVAL;
	else
		ret = bytes;
	if (ret > 0)
		file_move_bytes(object, at, words, bytes, direction);
	highway_gate_release(&object->gate);
put:
	highway_object_put(object);
	return ret;
}

/*
 * Waits at the gate as a touch does, unless told not to with O_NONBLOCK.  The bytes go through a
 * page of our own, so that no lock is held when the user's buffer faults, which may be a mapping of
 * this very object.
 */
static ssize_t read_file(struct file *file, char __user *buffer, size_t bytes, loff_t *position)
{
	ssize_t ret;
	void *words;

	bytes = min_t(size_t, bytes, PAGE_SIZE - offset_in_page(*position));
	words = (void *)get_zeroed_page(GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	ret = file_access(file, *position, words, bytes, FROM_OBJECT);
	if (ret > 0 && copy_to_user(buffer, words, ret))
		ret = -EFAULT;
	if (ret > 0)
		*position += ret;
	free_page((unsigned long)words);
	return ret;
}

static ssize_t write_file(struct file *file, const char __user *buffer, size_t bytes,
			  loff_t *position)
{
	ssize_t ret = -EFAULT;
	void *words;

	bytes = min_t(size_t, bytes, PAGE_SIZE - offset_in_page(*position));
	words = (void *)get_zeroed_page(GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	if (!copy_from_user(words, buffer, bytes))
		ret = file_access(file, *position, words, bytes, TO_OBJECT);
	if (ret > 0)
		*position += ret;
	free_page((unsigned long)words);
	return ret;
}

/* What the owner sees, and so whether or not the gate is open. */
static long file_peek(struct highway_object *object, unsigned long page)
{
	long ret = -ENXIO;

	highway_gate_hold(&object->gate);
	if (highway_has_page(object, page))
		ret = highway_word(object, page);
	highway_gate_release(&object->gate);
	return ret;
}

static long file_poke(struct highway_object *object, unsigned long page, u32 word)
{
	long ret = -ENXIO;

	highway_gate_hold(&object->gate);
	if (highway_has_page(object, page)) {
		highway_set_word(object, page, word);
		ret = 0;
	}
	highway_gate_release(&object->gate);
	return ret;
}

static long fail_next(struct highway_object *object, unsigned long hook, unsigned int error)
{
	if (hook >= HIGHWAY_HOOKS)
		return -EINVAL;
	atomic_set(&object->failing[hook], error);
	return 0;
}

/* Has the file show an object of its own from now on. */
static long show_own(struct file *file, unsigned int command, unsigned long argument)
{
	struct highway_file *own = file->private_data;
	struct highway_object *shown, *object = ERR_PTR(-EINVAL);
	enum highway_kind kind;
	long ret = -EBUSY;

	mutex_lock(&own->lock);
	shown = own->object;
	kind = shown->memory.kind;
	if (own->is_mapped)
		goto unlock;
	if (command == HIGHWAY_SHOW && kind != HIGHWAY_BAR && argument > 0)
		object = highway_object_new(shown->function, shown->strategy,
					    kind == HIGHWAY_HOLES ? HIGHWAY_PAGES_ARRAY : kind,
					    argument, argument);
	else if (command == HIGHWAY_SHOW_ODD && kind == HIGHWAY_LINEAR &&
		 argument <= HIGHWAY_ODD_UNALIGNED)
		object = highway_object_odd(shown->function, shown->strategy, argument);
	ret = PTR_ERR_OR_ZERO(object);
	if (ret)
		goto unlock;
	file_show(file, object);
	highway_object_put(shown);
	ret = command == HIGHWAY_SHOW_ODD ? object->pages << PAGE_SHIFT : 0;
unlock:
	mutex_unlock(&own->lock);
	return ret;
}

static long control(struct highway_object *object, unsigned int command, unsigned long argument)
{
	switch (command) {
	case HIGHWAY_GATE_CLOSE:
		return highway_hide(object);
	case HIGHWAY_GATE_OPEN:
		return highway_reveal(object);
	case HIGHWAY_RESIZE:
		return highway_resize(object, argument);
	case HIGHWAY_PEEK:
		return file_peek(object, argument);
	case HIGHWAY_POKE:
		return file_poke(object, argument >> 32, (u32)argument);
	case HIGHWAY_COUNT:
		return argument < HIGHWAY_COUNTS ? atomic_long_read(&object->counts[argument]) :
						   -EINVAL;
	case HIGHWAY_FAIL:
		return fail_next(object, argument >> 16, argument & 0xffff);
	case HIGHWAY_FREE:
		highway_free(object);
		return 0;
	default:
		return -ENOTTY;
	}
}

static long ioctl_file(struct file *file, unsigned int command, unsigned long argument)
{
	struct highway_object *object;
	long ret;

	if (command == HIGHWAY_SHOW || command == HIGHWAY_SHOW_ODD)
		return show_own(file, command, argument);
	object = object_of(file);
	if (command == HIGHWAY_RESET)
		ret = highway_node_reset(iminor(file_inode(file)), object->strategy);
	else if (READ_ONCE(object->gate.gone))
		ret = -ENODEV;
	else
		ret = control(object, command, argument);
	if (ret == -ENOTTY && object->memory.kind == HIGHWAY_BAR)
		ret = highway_card_ioctl(object->function->card, file, command, argument);
	highway_object_put(object);
	return ret;
}

/* A strategy's are these with its own module as their owner. */
const struct file_operations highway_fops = {
	.owner = THIS_MODULE,
	.open = open_node,
	.release = release_file,
	.read = read_file,
	.write = write_file,
	.llseek = default_llseek,
	.unlocked_ioctl = ioctl_file,
	.mmap = map_file,
	.fsync = noop_fsync,
};
