// SPDX-License-Identifier: GPL-2.0
/* The devices that hold pages, one for each policy: HIGHWAY_PIN_* in highway-abi.h. */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "../notifier-mirror/mirror.h"
#include "highway-abi.h"
#include "pinning.h"

/* What one file can hold at a time, in pages. */
#define MOST_PAGES 1024

struct pinning_device {
	struct miscdevice misc;
	char nodename[32];
	const struct pinning_policy *policy;
	/* Guards all below, and what files hold; never held across a fault. */
	struct mutex lock;
	struct list_head files;
	struct list_head quarantine;
	int next_number;
	int stops;
};

struct pinning_file {
	struct list_head list;
	struct pinning_device *device;
	struct list_head held;
	unsigned long address;
	u32 value;
};

static int open_device(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct pinning_file *own = kzalloc(sizeof(*own), GFP_KERNEL);

	if (!own)
		return -ENOMEM;
	own->device = container_of(misc, struct pinning_device, misc);
	INIT_LIST_HEAD(&own->held);
	mutex_lock(&own->device->lock);
	list_add_tail(&own->list, &own->device->files);
	mutex_unlock(&own->device->lock);
	file->private_data = own;
	return 0;
}

static void forget_held(struct held *held)
{
	mmdrop(held->mm);
	kvfree(held->pages);
	kfree(held);
}

/* It is on no list, and nobody is at work with it: with no lock held. */
static void release_held(struct kref *ref)
{
	struct held *held = container_of(ref, struct held, ref);
	struct pinning_device *device = held->device;

	if (held->mirror) {
		mutex_lock(&device->lock);
		device->stops += held->mirror->stops;
		mutex_unlock(&device->lock);
	}
	device->policy->unpin(held);
	forget_held(held);
}

static void put_held(struct held *held)
{
	kref_put(&held->ref, release_held);
}

static long pin_range(struct pinning_file *own, unsigned long count, bool is_written)
{
	struct held *held;
	long ret;

	if (count == 0 || count > MOST_PAGES || !PAGE_ALIGNED(own->address))
		return -EINVAL;
	held = kzalloc(sizeof(*held), GFP_KERNEL);
	if (!held)
		return -ENOMEM;
	kref_init(&held->ref);
	held->device = own->device;
	held->mm = current->mm;
	mmgrab(held->mm);
	held->start = own->address;
	held->count = count;
	held->is_written = is_written;
	held->pages = kvcalloc(count, sizeof(*held->pages), GFP_KERNEL);
	ret = held->pages ? own->device->policy->pin(held) : -ENOMEM;
	if (ret) {
		forget_held(held);
		return ret;
	}
	mutex_lock(&own->device->lock);
	held->number = own->device->next_number++;
	ret = held->number;
	list_add_tail(&held->list, &own->held);
	mutex_unlock(&own->device->lock);
	return ret;
}

/* Gives up the reference of the list that it was on, or puts it on that of the quarantine. */
static void give_back(struct held *held)
{
	struct pinning_device *device = held->device;
	bool is_alive = mmget_not_zero(held->mm);

	if (is_alive)
		mmput_async(held->mm);
	if (is_alive || !device->policy->quarantines) {
		put_held(held);
		return;
	}
	mutex_lock(&device->lock);
	list_add_tail(&held->list, &device->quarantine);
	mutex_unlock(&device->lock);
}

/* With the lock held. */
static struct held *find_held(struct pinning_device *device, int number)
{
	struct pinning_file *file;
	struct held *held;

	list_for_each_entry(file, &device->files, list)
		list_for_each_entry(held, &file->held, list)
			if (held->number == number)
				return held;
	return NULL;
}

static long unpin_number(struct pinning_device *device, int number)
{
	struct held *held;

	mutex_lock(&device->lock);
	held = find_held(device, number);
	if (held)
		list_del(&held->list);
	mutex_unlock(&device->lock);
	if (!held)
		return -EINVAL;
	give_back(held);
	return 0;
}

static void copy_word(struct page *page, u32 *word, enum mirror_access access)
{
	if (access == MIRROR_WRITE)
		memcpy_to_page(page, 0, (char *)word, sizeof(*word));
	else
		memcpy_from_page((char *)word, page, 0, sizeof(*word));
}

/*
 * What the device does: moves the first word of a page, faulted in if need be.  0 or a negated
 * errno; with a reference, and no lock held.
 */
static long move_word(struct held *held, unsigned long page, u32 *word, enum mirror_access access)
{
	if (page >= held->count)
		return -EFAULT;
	if (held->mirror)
		return mirror_move(held->mirror, held->start + (page << PAGE_SHIFT), word, access);
	copy_word(held->pages[page], word, access);
	return 0;
}

static long access_page(struct pinning_file *own, unsigned long name, enum mirror_access access)
{
	struct pinning_device *device = own->device;
	u32 word = own->value;
	struct held *held;
	long ret;

	mutex_lock(&device->lock);
	held = find_held(device, name >> 16);
	if (held)
		kref_get(&held->ref);
	mutex_unlock(&device->lock);
	if (!held)
		return -EINVAL;
	ret = move_word(held, name & 0xffff, &word, access);
	put_held(held);
	return ret || access == MIRROR_WRITE ? ret : word;
}

/* What the device does without anybody's help: nothing is faulted in. */
static bool move_word_now(struct held *held, unsigned long page, u32 *word,
			  enum mirror_access access)
{
	unsigned long address = held->start + (page << PAGE_SHIFT);

	if (held->mirror)
		return mirror_access_word(held->mirror, address, word, access);
	copy_word(held->pages[page], word, access);
	return true;
}

/*
 * The device is at work until the very end: one last word of each page.  One that follows its
 * process finds no translation once that is gone.
 */
static void move_last_words(struct held *held)
{
	unsigned long page;
	u32 word;

	for (page = 0; page < held->count; page++)
		if (move_word_now(held, page, &word, MIRROR_READ) && held->is_written)
			move_word_now(held, page, &word, MIRROR_WRITE);
}

static int release_device(struct inode *inode, struct file *file)
{
	struct pinning_file *own = file->private_data;
	struct pinning_device *device = own->device;
	struct held *held, *next;
	LIST_HEAD(left);

	mutex_lock(&device->lock);
	list_splice_init(&own->held, &left);
	list_del(&own->list);
	mutex_unlock(&device->lock);
	list_for_each_entry_safe(held, next, &left, list) {
		move_last_words(held);
		give_back(held);
	}
	kfree(own);
	return 0;
}

static long count_pages(const struct list_head *list)
{
	const struct held *held;
	long pages = 0;

	list_for_each_entry(held, list, list)
		pages += held->count;
	return pages;
}

static long held_pages(struct pinning_device *device)
{
	struct pinning_file *file;
	long pages = 0;

	mutex_lock(&device->lock);
	list_for_each_entry(file, &device->files, list)
		pages += count_pages(&file->held);
	mutex_unlock(&device->lock);
	return pages;
}

static long quarantined(struct pinning_device *device)
{
	long pages;

	mutex_lock(&device->lock);
	pages = count_pages(&device->quarantine);
	mutex_unlock(&device->lock);
	return pages;
}

/* How often the device was told to stop: of what is held now, and of what was. */
static long count_stops(struct pinning_device *device)
{
	struct pinning_file *file;
	struct held *held;
	long count;

	mutex_lock(&device->lock);
	count = device->stops;
	list_for_each_entry(file, &device->files, list)
		list_for_each_entry(held, &file->held, list)
			count += held->mirror ? held->mirror->stops : 0;
	mutex_unlock(&device->lock);
	return count;
}

static long end_service(struct pinning_device *device)
{
	struct held *held, *next;
	LIST_HEAD(left);

	mutex_lock(&device->lock);
	list_splice_init(&device->quarantine, &left);
	mutex_unlock(&device->lock);
	list_for_each_entry_safe(held, next, &left, list)
		put_held(held);
	return 0;
}

static long ioctl_device(struct file *file, unsigned int command, unsigned long argument)
{
	struct pinning_file *own = file->private_data;
	struct pinning_device *device = own->device;

	switch (command) {
	case HIGHWAY_CHOOSE_ADDRESS:
		own->address = argument;
		return 0;
	case HIGHWAY_CHOOSE_VALUE:
		own->value = argument;
		return 0;
	case HIGHWAY_PIN_FOR_READ:
		return pin_range(own, argument, false);
	case HIGHWAY_PIN_FOR_WRITE:
		return pin_range(own, argument, true);
	case HIGHWAY_PIN_UNPIN:
		return unpin_number(device, argument);
	case HIGHWAY_PIN_DEVICE_READ:
		return access_page(own, argument, MIRROR_READ);
	case HIGHWAY_PIN_DEVICE_WRITE:
		return access_page(own, argument, MIRROR_WRITE);
	case HIGHWAY_PIN_HELD:
		return held_pages(device);
	case HIGHWAY_PIN_STOPS:
		return count_stops(device);
	case HIGHWAY_PIN_QUARANTINED:
		return quarantined(device);
	case HIGHWAY_PIN_END_SERVICE:
		return end_service(device);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = open_device,
	.release = release_device,
	.unlocked_ioctl = ioctl_device,
};

static struct pinning_device *devices;

static void remove_devices(unsigned int count)
{
	while (count-- > 0) {
		misc_deregister(&devices[count].misc);
		end_service(&devices[count]);
	}
	kfree(devices);
}

static int add_device(struct pinning_device *device, const struct pinning_policy *policy)
{
	mutex_init(&device->lock);
	INIT_LIST_HEAD(&device->files);
	INIT_LIST_HEAD(&device->quarantine);
	device->policy = policy;
	snprintf(device->nodename, sizeof(device->nodename), "highway/%s", policy->name);
	device->misc.minor = MISC_DYNAMIC_MINOR;
	device->misc.name = policy->name;
	device->misc.nodename = device->nodename;
	device->misc.fops = &device_fops;
	return misc_register(&device->misc);
}

static int __init pinning_init(void)
{
	unsigned int index;
	int ret;

	devices = kcalloc(pinning_policy_count, sizeof(*devices), GFP_KERNEL);
	if (!devices)
		return -ENOMEM;
	for (index = 0; index < pinning_policy_count; index++) {
		ret = add_device(&devices[index], &pinning_policies[index]);
		if (ret) {
			remove_devices(index);
			return ret;
		}
	}
	return 0;
}
module_init(pinning_init);

static void __exit pinning_exit(void)
{
	remove_devices(pinning_policy_count);
}
module_exit(pinning_exit);

MODULE_DESCRIPTION("Devices that hold pages of processes, each by another policy");
MODULE_LICENSE("GPL");
