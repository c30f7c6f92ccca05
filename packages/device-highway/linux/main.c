// SPDX-License-Identifier: GPL-2.0
/* The PCI driver: finds the card and the window, and lets go of them. */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "highway.h"
#include "function.h"

#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8
#define EDU_BAR			0
#define IVSHMEM_VENDOR		0x1af4
#define IVSHMEM_DEVICE		0x1110
#define IVSHMEM_BAR		2

/* Memory that is not on a card is shown by the driver of one all the same, and goes with it. */
#define EDU_KINDS \
	(BIT(HIGHWAY_BAR) | BIT(HIGHWAY_PAGES_ARRAY) | BIT(HIGHWAY_HOLES) | BIT(HIGHWAY_LINEAR) | \
	 BIT(HIGHWAY_VMALLOC) | BIT(HIGHWAY_COHERENT))
#define IVSHMEM_KINDS BIT(HIGHWAY_WINDOW)

/* Address lines of edu, unless QEMU was told otherwise (its property dma_mask). */
#define DMA_BITS 28

static void release_function(struct kref *ref)
{
	struct highway_function *function = container_of(ref, struct highway_function, ref);

	if (function->card)
		highway_card_free(function->card);
	bitmap_free(function->taken);
	pci_dev_put(function->pdev);
	kfree(function);
}

void highway_function_put(struct highway_function *function)
{
	kref_put(&function->ref, release_function);
}

/*
 * An object that somebody still has, and that has not gone; with a reference.  NULL when there is
 * none.
 */
static struct highway_object *next_object(struct highway_function *function, bool *is_releasing)
{
	struct highway_object *object, *found = NULL;

	*is_releasing = false;
	mutex_lock(&function->lock);
	list_for_each_entry(object, &function->objects, of_function) {
		if (READ_ONCE(object->gate.gone))
			continue;
		if (kref_get_unless_zero(&object->ref)) {
			found = object;
			break;
		}
		*is_releasing = true;
	}
	mutex_unlock(&function->lock);
	return found;
}

/* Objects that files show by themselves; those of nodes have gone with their nodes. */
static void remove_objects(struct highway_function *function)
{
	struct highway_object *object;
	bool is_releasing;

	do {
		object = next_object(function, &is_releasing);
		if (object) {
			highway_remove(object);
			highway_object_put(object);
		} else if (is_releasing) {
			msleep(20);
		}
	} while (object || is_releasing);
}

static int map_bar(struct highway_function *function, int bar)
{
	struct pci_dev *pdev = function->pdev;

	function->first_pfn = pci_resource_start(pdev, bar) >> PAGE_SHIFT;
	function->pages = pci_resource_len(pdev, bar) >> PAGE_SHIFT;
	function->base = pcim_iomap(pdev, bar, 0);
	return function->base && function->pages ? 0 : -ENODEV;
}

static int set_up_card(struct highway_function *function)
{
	int ret;

	function->kinds = EDU_KINDS;
	ret = dma_set_mask_and_coherent(&function->pdev->dev, DMA_BIT_MASK(DMA_BITS));
	if (ret == 0)
		ret = map_bar(function, EDU_BAR);
	if (ret)
		return ret;
	pci_set_master(function->pdev);
	function->card = highway_card_new(function);
	return PTR_ERR_OR_ZERO(function->card);
}

static int set_up_window(struct highway_function *function)
{
	int ret = map_bar(function, IVSHMEM_BAR);

	function->kinds = IVSHMEM_KINDS;
	if (ret)
		return ret;
	function->taken = bitmap_zalloc(function->pages, GFP_KERNEL);
	return function->taken ? 0 : -ENOMEM;
}

static int highway_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct highway_function *function;
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	ret = pci_request_regions(pdev, "highway");
	if (ret)
		return ret;
	function = kzalloc(sizeof(*function), GFP_KERNEL);
	if (!function)
		return -ENOMEM;
	kref_init(&function->ref);
	mutex_init(&function->lock);
	INIT_LIST_HEAD(&function->objects);
	function->pdev = pci_dev_get(pdev);
	ret = id->device == EDU_DEVICE ? set_up_card(function) : set_up_window(function);
	if (ret) {
		function->card = NULL;
		goto put;
	}
	ret = highway_nodes_add_function(function);
	if (ret == 0) {
		pci_set_drvdata(pdev, function);
		return 0;
	}
	if (function->card)
		highway_card_remove(function->card);
put:
	highway_function_put(function);
	return ret;
}

/*
 * Who has something mapped stays, and so does this driver; what is mapped goes.  Afterwards nobody
 * touches the function any more, neither a process nor the DMA engine.
 */
static void highway_pci_remove(struct pci_dev *pdev)
{
	struct highway_function *function = pci_get_drvdata(pdev);

	mutex_lock(&function->lock);
	function->gone = true;
	mutex_unlock(&function->lock);
	highway_nodes_remove_function(function);
	remove_objects(function);
	if (function->card)
		highway_card_remove(function->card);
	highway_function_put(function);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(EDU_VENDOR, EDU_DEVICE) },
	{ PCI_DEVICE(IVSHMEM_VENDOR, IVSHMEM_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver driver = {
	.name = "highway",
	.id_table = ids,
	.probe = highway_pci_probe,
	.remove = highway_pci_remove,
};

static int __init highway_init(void)
{
	int ret = highway_inodes_init();

	if (ret)
		return ret;
	ret = highway_nodes_init();
	if (ret)
		goto exit_inodes;
	ret = pci_register_driver(&driver);
	if (ret == 0)
		return 0;
	highway_nodes_exit();
exit_inodes:
	highway_inodes_exit();
	return ret;
}
module_init(highway_init);

static void __exit highway_exit(void)
{
	pci_unregister_driver(&driver);
	highway_nodes_exit();
	highway_inodes_exit();
}
module_exit(highway_exit);

MODULE_DESCRIPTION("PCI/Highway card, and the objects that mapping strategies are tried on");
MODULE_LICENSE("GPL");
