// SPDX-License-Identifier: GPL-2.0
/*
 * An inode for each object, on whose mapping its areas hang whichever node they were made through:
 * one search finds them all.
 */
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "highway.h"

static struct vfsmount *mount;
static int users;

static int init_context(struct fs_context *context)
{
	return init_pseudo(context, 0x48574159) ? 0 : -ENOMEM;
}

static struct file_system_type inode_type = {
	.name = "highway",
	.owner = THIS_MODULE,
	.init_fs_context = init_context,
	.kill_sb = kill_anon_super,
};

int highway_inodes_init(void)
{
	return register_filesystem(&inode_type);
}

void highway_inodes_exit(void)
{
	unregister_filesystem(&inode_type);
}

struct inode *highway_inode_new(void)
{
	int ret = simple_pin_fs(&inode_type, &mount, &users);
	struct inode *inode;

	if (ret)
		return ERR_PTR(ret);
	inode = alloc_anon_inode(mount->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&mount, &users);
	return inode;
}

void highway_inode_put(struct inode *inode)
{
	iput(inode);
	simple_release_fs(&mount, &users);
}
