// SPDX-License-Identifier: GPL-2.0
/*
 * Device nodes: one pair for each strategy and kind of memory that it shows, as soon as there is a
 * PCI function that has such memory, and as long as there is.
 */
#include <linux/cdev.h>
#include <linux/idr.h>
#include <linux/slab.h>

#include "highway.h"
#include "function.h"

#define MOST_MINORS 256

/* A strategy's object on a function, and its two names. */
struct highway_node {
	struct list_head all;
	struct highway_strategy *strategy;
	struct highway_function *function;
	enum highway_kind kind;
	struct highway_object *object;
	int minors[2];
};

static const char *const kind_names[HIGHWAY_KINDS] = {
	[HIGHWAY_BAR] = "bar",
	[HIGHWAY_WINDOW] = "window",
	[HIGHWAY_PAGES_ARRAY] = "pages",
	[HIGHWAY_HOLES] = "holes",
	[HIGHWAY_LINEAR] = "linear",
	[HIGHWAY_VMALLOC] = "vmalloc",
	[HIGHWAY_COHERENT] = "coherent",
};

/* Guards all of the following, and what a node shows. */
static DEFINE_MUTEX(highway_lock);
static LIST_HEAD(strategies);
static LIST_HEAD(functions);
static LIST_HEAD(nodes);
static DEFINE_IDR(minors);

static dev_t first_number;
static struct cdev numbers;
static struct class *class;

static struct highway_object *new_object(struct highway_node *node)
{
	bool is_bar = node->kind == HIGHWAY_BAR;
	unsigned long capacity = is_bar ? node->function->pages : HIGHWAY_CAPACITY;

	return highway_object_new(node->function, node->strategy, node->kind,
				  is_bar ? capacity : HIGHWAY_PAGES, capacity);
}

static void remove_name(struct highway_node *node, int name)
{
	if (node->minors[name] < 0)
		return;
	device_destroy(class, first_number + node->minors[name]);
	idr_remove(&minors, node->minors[name]);
}

static int add_name(struct highway_node *node, int name)
{
	struct highway_function *function = node->function;
	char number[12] = "";
	struct device *device;
	int minor;

	minor = idr_alloc(&minors, node, 0, MOST_MINORS, GFP_KERNEL);
	if (minor < 0)
		return minor;
	if (function->index > 0)
		snprintf(number, sizeof(number), ".%d", function->index);
	device = device_create(class, &function->pdev->dev, first_number + minor, NULL,
			       "highway!%s.%s%s%s", node->strategy->name, kind_names[node->kind],
			       name ? ".too" : "", number);
	if (IS_ERR(device)) {
		idr_remove(&minors, minor);
		return PTR_ERR(device);
	}
	node->minors[name] = minor;
	return 0;
}

/* Nobody opens it any more; who has it open keeps what it showed, which is gone. */
static void remove_node(struct highway_node *node)
{
	remove_name(node, 0);
	remove_name(node, 1);
	list_del(&node->all);
	highway_remove(node->object);
	highway_object_put(node->object);
	kfree(node);
}

static int add_node(struct highway_strategy *strategy, struct highway_function *function,
		    enum highway_kind kind)
{
	struct highway_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int ret;

	if (!node)
		return -ENOMEM;
	node->strategy = strategy;
	node->function = function;
	node->kind = kind;
	node->minors[0] = -1;
	node->minors[1] = -1;
	node->object = new_object(node);
	if (IS_ERR(node->object)) {
		ret = PTR_ERR(node->object);
		kfree(node);
		return ret;
	}
	list_add_tail(&node->all, &nodes);
	ret = add_name(node, 0);
	if (ret == 0)
		ret = add_name(node, 1);
	if (ret)
		remove_node(node);
	return ret;
}

static void remove_nodes(struct highway_strategy *strategy, struct highway_function *function)
{
	struct highway_node *node, *next;

	list_for_each_entry_safe(node, next, &nodes, all)
		if (node->strategy == strategy || node->function == function)
			remove_node(node);
}

static int add_nodes(struct highway_strategy *strategy, struct highway_function *function)
{
	unsigned long kinds = strategy->kinds & function->kinds;
	unsigned int kind;
	int ret = 0;

	for_each_set_bit(kind, &kinds, HIGHWAY_KINDS) {
		ret = add_node(strategy, function, kind);
		if (ret)
			break;
	}
	return ret;
}

/**
 * highway_register_strategy() - offers a way of mapping on every function that has memory for it
 * @strategy: stays until highway_unregister_strategy()
 *
 * Return: 0, or a negated errno with nothing left behind.
 */
int highway_register_strategy(struct highway_strategy *strategy)
{
	struct highway_function *function;
	int ret = 0;

	strategy->fops = highway_fops;
	strategy->fops.owner = strategy->owner;
	mutex_lock(&highway_lock);
	list_add_tail(&strategy->all, &strategies);
	list_for_each_entry(function, &functions, all) {
		ret = add_nodes(strategy, function);
		if (ret)
			break;
	}
	if (ret) {
		remove_nodes(strategy, NULL);
		list_del(&strategy->all);
	}
	mutex_unlock(&highway_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(highway_register_strategy);

/* Nothing of it is open or mapped: that would have kept its module. */
void highway_unregister_strategy(struct highway_strategy *strategy)
{
	mutex_lock(&highway_lock);
	remove_nodes(strategy, NULL);
	list_del(&strategy->all);
	mutex_unlock(&highway_lock);
}
EXPORT_SYMBOL_GPL(highway_unregister_strategy);

/* The lowest number that no function with the same memory has. */
static int free_index(unsigned long kinds)
{
	struct highway_function *function;
	int index = 0;
	bool is_taken;

	do {
		is_taken = false;
		list_for_each_entry(function, &functions, all)
			is_taken |= function->kinds == kinds && function->index == index;
	} while (is_taken && index++ >= 0);
	return index;
}

/* A function has been found: its nodes appear. */
int highway_nodes_add_function(struct highway_function *function)
{
	struct highway_strategy *strategy;
	int ret = 0;

	mutex_lock(&highway_lock);
	function->index = free_index(function->kinds);
	list_add_tail(&function->all, &functions);
	list_for_each_entry(strategy, &strategies, all) {
		ret = add_nodes(strategy, function);
		if (ret)
			break;
	}
	if (ret) {
		remove_nodes(NULL, function);
		list_del(&function->all);
	}
	mutex_unlock(&highway_lock);
	return ret;
}

/* A function is going: its nodes go first. */
void highway_nodes_remove_function(struct highway_function *function)
{
	mutex_lock(&highway_lock);
	remove_nodes(NULL, function);
	list_del(&function->all);
	mutex_unlock(&highway_lock);
}

struct highway_object *highway_node_object(unsigned int minor)
{
	struct highway_object *object = NULL;
	struct highway_node *node;

	mutex_lock(&highway_lock);
	node = idr_find(&minors, minor);
	if (node) {
		object = node->object;
		highway_object_get(object);
	}
	mutex_unlock(&highway_lock);
	return object;
}

/*
 * Gives a node a new object, and takes the one that it had from user space: 0, -ENXIO, -EINVAL for
 * registers, -ENOMEM.
 */
int highway_node_reset(unsigned int minor, struct highway_strategy *strategy)
{
	struct highway_object *object;
	struct highway_node *node;
	int ret = -ENXIO;

	mutex_lock(&highway_lock);
	node = idr_find(&minors, minor);
	/* The number of a node that went may be another's by now. */
	if (!node || node->strategy != strategy)
		goto unlock;
	ret = -EINVAL;
	if (node->kind == HIGHWAY_BAR)
		goto unlock;
	object = new_object(node);
	ret = PTR_ERR_OR_ZERO(object);
	if (ret)
		goto unlock;
	highway_remove(node->object);
	highway_object_put(node->object);
	node->object = object;
unlock:
	mutex_unlock(&highway_lock);
	return ret;
}

int highway_nodes_init(void)
{
	int ret = alloc_chrdev_region(&first_number, 0, MOST_MINORS, "highway");

	if (ret)
		return ret;
	class = class_create(THIS_MODULE, "highway");
	ret = PTR_ERR_OR_ZERO(class);
	if (ret)
		goto free_numbers;
	cdev_init(&numbers, &highway_fops);
	numbers.owner = THIS_MODULE;
	ret = cdev_add(&numbers, first_number, MOST_MINORS);
	if (ret == 0)
		return 0;
	class_destroy(class);
free_numbers:
	unregister_chrdev_region(first_number, MOST_MINORS);
	return ret;
}

void highway_nodes_exit(void)
{
	cdev_del(&numbers);
	class_destroy(class);
	unregister_chrdev_region(first_number, MOST_MINORS);
	idr_destroy(&minors);
}
