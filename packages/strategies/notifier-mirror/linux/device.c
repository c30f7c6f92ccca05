// SPDX-License-Identifier: GPL-2.0
/* The devices that mirror processes, one for each form: HIGHWAY_MIRROR_* in highway-abi.h. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "highway-abi.h"
#include "mirror.h"

struct mirror_device {
	struct miscdevice misc;
	const struct mirror_form *form;
	/* Guards the list, from which mirrors go before they are unfollowed, and what is below. */
	struct mutex lock;
	struct list_head files;
	/* How the last process that died was let go of. */
	int let_go[HIGHWAY_LET_GO_FIELDS];
};

/* An open file, and the mirror that was made through it. */
struct mirror_file {
	struct list_head list;
	struct mirror_device *device;
	struct mirror *mirror;
	unsigned long address;
	u32 value;
};

static int mirror_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct mirror_file *own = kzalloc(sizeof(*own), GFP_KERNEL);

	if (!own)
		return -ENOMEM;
	own->device = container_of(misc, struct mirror_device, misc);
	INIT_LIST_HEAD(&own->list);
	file->private_data = own;
	return 0;
}

static struct mirror_file *mirror_find(struct mirror_device *device, struct mm_struct *mm)
{
	struct mirror_file *file;

	list_for_each_entry(file, &device->files, list)
		if (file->mirror->mm == mm)
			return file;
	return NULL;
}

/* Of the calling process, or the one that was followed last, with a reference; NULL for none. */
static struct mirror *current_mirror(struct mirror_device *device)
{
	struct mirror *mirror = NULL;
	struct mirror_file *own;

	mutex_lock(&device->lock);
	own = mirror_find(device, current->mm);
	if (!own && !list_empty(&device->files))
		own = list_last_entry(&device->files, struct mirror_file, list);
	if (own) {
		mirror = own->mirror;
		mirror_get(mirror);
	}
	mutex_unlock(&device->lock);
	return mirror;
}

static long mirror_begin_following(struct mirror_file *own, unsigned long pages)
{
	struct mirror_device *device = own->device;
	struct mirror *mirror;
	long ret = -EINVAL;

	mutex_lock(&device->lock);
	if (own->mirror || mirror_find(device, current->mm))
		goto unlock;
	mirror = mirror_follow(device->form, current->mm, own->address, pages);
	ret = PTR_ERR_OR_ZERO(mirror);
	if (ret)
		goto unlock;
	own->mirror = mirror;
	list_add_tail(&own->list, &device->files);
unlock:
	mutex_unlock(&device->lock);
	return ret;
}

static void mirror_end_following(struct mirror_file *own)
{
	list_del_init(&own->list);
	mirror_put(own->mirror);
	own->mirror = NULL;
}

static long mirror_end_following_current(struct mirror_device *device)
{
	struct mirror_file *own;

	mutex_lock(&device->lock);
	own = mirror_find(device, current->mm);
	if (own)
		mirror_end_following(own);
	mutex_unlock(&device->lock);
	return own ? 0 : -EINVAL;
}

/*
 * The process is gone and the mirror is still there: what it has, and what it lets the driver do.
 */
static void mirror_look_at_the_dead(struct mirror_device *device, struct mirror *mirror)
{
	struct mirror *again;
	int reached = mirror_count(mirror);

	device->let_go[HIGHWAY_LET_GO_KNOWN] = 1;
	device->let_go[HIGHWAY_LET_GO_STOPS] = mirror->stops;
	device->let_go[HIGHWAY_LET_GO_REACHED_AT_STOP] = mirror->reached_at_stop;
	device->let_go[HIGHWAY_LET_GO_POPULATE_NOW] =
		mirror_populate_now(mirror, mirror->start, MIRROR_READ);
	device->let_go[HIGHWAY_LET_GO_POPULATE] =
		mirror_populate(mirror, mirror->start, MIRROR_READ);
	device->let_go[HIGHWAY_LET_GO_REACHED_LATER] = reached + mirror_count(mirror);
	again = mirror_follow(device->form, mirror->mm, mirror->start, 1);
	device->let_go[HIGHWAY_LET_GO_FOLLOW_AGAIN] = PTR_ERR_OR_ZERO(again);
	if (!IS_ERR(again))
		mirror_put(again);
}

static int mirror_release_file(struct inode *inode, struct file *file)
{
	struct mirror_file *own = file->private_data;
	struct mirror_device *device = own->device;

	mutex_lock(&device->lock);
	if (own->mirror) {
		struct mm_struct *mm = own->mirror->mm;

		if (mmget_not_zero(mm))
			mmput_async(mm);
		else
			mirror_look_at_the_dead(device, own->mirror);
		mirror_end_following(own);
	}
	mutex_unlock(&device->lock);
	kfree(own);
	return 0;
}

/* What is asked of a mirror, about an address. */
static long mirror_ask(struct mirror_file *own, struct mirror *mirror, unsigned int command,
		       unsigned long address)
{
	u32 word = own->value;
	long ret;

	switch (command) {
	case HIGHWAY_MIRROR_READ:
		ret = mirror_move(mirror, address, &word, MIRROR_READ);
		return ret ?: word;
	case HIGHWAY_MIRROR_WRITE:
		return mirror_move(mirror, address, &word, MIRROR_WRITE);
	case HIGHWAY_MIRROR_REACHES_READ:
		return mirror_reaches(mirror, address, MIRROR_READ);
	case HIGHWAY_MIRROR_REACHES_WRITE:
		return mirror_reaches(mirror, address, MIRROR_WRITE);
	case HIGHWAY_MIRROR_POPULATE_READ:
		return mirror_populate(mirror, address, MIRROR_READ);
	case HIGHWAY_MIRROR_POPULATE_WRITE:
		return mirror_populate(mirror, address, MIRROR_WRITE);
	case HIGHWAY_MIRROR_NOW_READ:
		return mirror_populate_now(mirror, address, MIRROR_READ);
	case HIGHWAY_MIRROR_NOW_WRITE:
		return mirror_populate_now(mirror, address, MIRROR_WRITE);
	default:
		return -ENOTTY;
	}
}

/* A device without a process to follow meets a fault wherever it goes. */
static long mirror_ask_nobody(unsigned int command)
{
	bool is_question = command == HIGHWAY_MIRROR_REACHES_READ ||
			   command == HIGHWAY_MIRROR_REACHES_WRITE;

	return is_question ? 0 : -EFAULT;
}

static long mirror_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct mirror_file *own = file->private_data;
	struct mirror_device *device = own->device;
	struct mirror *mirror;
	long ret;

	switch (command) {
	case HIGHWAY_CHOOSE_ADDRESS:
		own->address = argument;
		return 0;
	case HIGHWAY_CHOOSE_VALUE:
		own->value = argument;
		return 0;
	case HIGHWAY_MIRROR_FOLLOW:
		return mirror_begin_following(own, argument);
	case HIGHWAY_MIRROR_UNFOLLOW:
		return mirror_end_following_current(device);
	case HIGHWAY_MIRROR_LET_GO:
		return argument < HIGHWAY_LET_GO_FIELDS ? device->let_go[argument] : -EINVAL;
	}
	mirror = current_mirror(device);
	if (!mirror)
		return mirror_ask_nobody(command);
	ret = mirror_ask(own, mirror, command, argument);
	mirror_put(mirror);
	return ret;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = mirror_open,
	.release = mirror_release_file,
	.unlocked_ioctl = mirror_ioctl,
};

#define MIRROR_DEVICE(device_name, of_form) {			\
	.misc = {						\
		.minor = MISC_DYNAMIC_MINOR,			\
		.name = device_name,				\
		.nodename = "highway/" device_name,		\
		.fops = &device_fops,				\
	},							\
	.form = &(of_form),					\
}

static struct mirror_device devices[] = {
	MIRROR_DEVICE("notifier-mirror", mirror_list_form),
	MIRROR_DEVICE("interval-mirror", mirror_interval_form),
};

static void remove_devices(int count)
{
	while (count-- > 0)
		misc_deregister(&devices[count].misc);
}

static int __init mirror_init(void)
{
	int index, ret;

	for (index = 0; index < ARRAY_SIZE(devices); index++) {
		mutex_init(&devices[index].lock);
		INIT_LIST_HEAD(&devices[index].files);
		ret = misc_register(&devices[index].misc);
		if (ret) {
			remove_devices(index);
			return ret;
		}
	}
	return 0;
}
module_init(mirror_init);

static void __exit mirror_exit(void)
{
	remove_devices(ARRAY_SIZE(devices));
}
module_exit(mirror_exit);

MODULE_DESCRIPTION("A device that follows the page tables of processes through notifiers");
MODULE_LICENSE("GPL");
