// SPDX-License-Identifier: GPL-2.0
/*
 * A buffer of pages that a program maps, and makes longer or shorter by an ioctl: a driver as many,
 * with one mistake in it.  `nopage lab` finds it; the README of the repository tells how.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>

#define MOST_PAGES 8

/* The buffer is to be ARG pages long: 0, -EINVAL or -ENOMEM.  New pages are zero. */
#define MY_RESIZE _IO('m', 1)

static DEFINE_MUTEX(lock); /* guards the buffer */
static struct page *pages[MOST_PAGES];
static unsigned long count;

static vm_fault_t my_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mutex_lock(&lock);
	if (vmf->pgoff < count)
		ret = vmf_insert_page(vmf->vma, vmf->address, pages[vmf->pgoff]);
	mutex_unlock(&lock);
	return ret;
}

static const struct vm_operations_struct my_operations = {
	.fault = my_fault,
};

static int my_mmap(struct file *file, struct vm_area_struct *vma)
{
	int ret = -EINVAL;

	mutex_lock(&lock);
	if (vma->vm_pgoff <= count && vma_pages(vma) <= count - vma->vm_pgoff) {
		vma->vm_flags |= VM_MIXEDMAP | VM_DONTEXPAND;
		vma->vm_ops = &my_operations;
		ret = 0;
	}
	mutex_unlock(&lock);
	return ret;
}

/* With the lock held. */
static void shrink(unsigned long wanted)
{
	while (count > wanted)
		put_page(pages[--count]);
}

static int resize(struct file *file, unsigned long wanted)
{
	int ret = wanted <= MOST_PAGES ? 0 : -EINVAL;

	mutex_lock(&lock);
	while (ret == 0 && count < wanted) {
		pages[count] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (pages[count])
			count++;
		else
			ret = -ENOMEM;
	}
	if (ret == 0)
		shrink(wanted);
	mutex_unlock(&lock);
	return ret;
}

static long my_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	return command == MY_RESIZE ? resize(file, argument) : -ENOTTY;
}

static const struct file_operations my_fops = {
	.owner = THIS_MODULE,
	.mmap = my_mmap,
	.unlocked_ioctl = my_ioctl,
};

static struct miscdevice my_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "my_driver",
	.fops = &my_fops,
};

static int __init my_init(void)
{
	return misc_register(&my_device);
}
module_init(my_init);

static void __exit my_exit(void)
{
	misc_deregister(&my_device);
	shrink(0);
}
module_exit(my_exit);

MODULE_DESCRIPTION("A buffer that can be mapped and resized");
MODULE_LICENSE("GPL");
