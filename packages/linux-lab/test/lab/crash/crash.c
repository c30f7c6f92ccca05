// SPDX-License-Identifier: GPL-2.0
/*
 * A module that goes wrong in the way that is written to its parameter `now`, so that the lab's tests
 * see what the kernel makes of it.
 */
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static bool at_load;
module_param(at_load, bool, 0);
MODULE_PARM_DESC(at_load, "warn while the module is loaded");

static bool die_at_load;
module_param(die_at_load, bool, 0);
MODULE_PARM_DESC(die_at_load, "oops while the module is loaded");

static bool at_unload;
module_param(at_unload, bool, 0600);
MODULE_PARM_DESC(at_unload, "warn while the module is unloaded");

static void crash_late(struct work_struct *work)
{
	WARN(1, "late\n");
}

static DECLARE_DELAYED_WORK(crash_work, crash_late);

/* Whoever dies like this waits for itself when its memory is given back. */
static void crash_locked(void)
{
	mmap_write_lock(current->mm);
	*(volatile int *)8 = 1;
}

static void crash_divide(void)
{
	volatile unsigned long zero = 0;

	zero = 7 / zero;
}

/* An address that no pointer of x86-64 can be. */
static void crash_protection(void)
{
	*(volatile int *)0x6b6b6b6b6b6b6b6bul = 1;
}

static void crash_slab(void)
{
	volatile char *object = kmalloc(64, GFP_KERNEL);

	kfree((void *)object);
	object[16] = 1;
	/* Whoever gets it next finds that it was written to. */
	for (int turn = 0; turn < 64; turn++)
		kfree(kmalloc(64, GFP_KERNEL));
}

/* Interrupts stay on: the line to the host may be served by this very CPU. */
static noinline void crash_spin(void)
{
	for (;;)
		cpu_relax();
}

static int crash_now(const char *how, const struct kernel_param *parameter)
{
	if (sysfs_streq(how, "null"))
		*(volatile int *)8 = 1;
	else if (sysfs_streq(how, "locked"))
		crash_locked();
	else if (sysfs_streq(how, "divide"))
		crash_divide();
	else if (sysfs_streq(how, "bug"))
		BUG();
	else if (sysfs_streq(how, "protection"))
		crash_protection();
	else if (sysfs_streq(how, "warn-once"))
		WARN_ON_ONCE(1);
	else if (sysfs_streq(how, "silent"))
		add_taint(TAINT_BAD_PAGE, LOCKDEP_STILL_OK);
	else if (sysfs_streq(how, "sleep"))
		for (;;)
			schedule_timeout_uninterruptible(MAX_SCHEDULE_TIMEOUT);
	else if (sysfs_streq(how, "spin"))
		crash_spin();
	else if (sysfs_streq(how, "late"))
		schedule_delayed_work(&crash_work, msecs_to_jiffies(100));
	else if (sysfs_streq(how, "slab"))
		crash_slab();
	else
		return -EINVAL;
	return 0;
}

static const struct kernel_param_ops crash_operations = { .set = crash_now };
module_param_cb(now, &crash_operations, NULL, 0200);

static int __init crash_init(void)
{
	if (die_at_load)
		*(volatile int *)8 = 1;
	WARN_ON(at_load);
	return 0;
}
module_init(crash_init);

static void __exit crash_exit(void)
{
	cancel_delayed_work_sync(&crash_work);
	WARN_ON(at_unload);
}
module_exit(crash_exit);

MODULE_DESCRIPTION("Goes wrong on demand");
MODULE_LICENSE("GPL");
