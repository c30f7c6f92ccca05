/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Highway driver offers to the modules that say how an object is mapped, and what its own
 * files share.
 *
 * Lock order:
 *
 *   highway_lock                     strategies, functions, nodes
 *     object->walk                   one walk over the areas at a time
 *       mm->mmap_lock
 *         object->areas_lock         the list of areas
 *           object->gate.lock        from a look at the gate to the entry that follows from it
 *             page lock
 *               page-table lock
 *
 * Neither of ours is held across a copy to or from user memory.
 */
#ifndef HIGHWAY_H
#define HIGHWAY_H

#include <linux/device/driver.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "highway-abi.h"

struct highway_object;
struct highway_function;

/* How an object is mapped.  Hooks run with the mmap lock held, and may sleep. */
struct highway_strategy {
	const char *name;
	struct module *owner;
	/* Kinds of memory that it can show, as bits. */
	unsigned long kinds;
	/*
	 * The area lies inside the object and has its operations: 0, or a negated errno with
	 * nothing left behind.
	 */
	int (*mmap)(struct highway_object *object, struct vm_area_struct *vma);
	/* Left out by who maps everything in its mmap hook. */
	vm_fault_t (*fault)(struct highway_object *object, struct vm_fault *vmf);
	/*
	 * The gate has closed: waits for those who had passed it and have yet to show what they
	 * found.  Optional.
	 */
	void (*settle)(struct highway_object *object);
	/*
	 * The gate has opened: fills what is missing in an area.  Optional; who has it has its
	 * areas listed.
	 */
	void (*restore)(struct highway_object *object, struct vm_area_struct *vma);

	/* The core's. */
	struct list_head all;
	struct file_operations fops;
};

int highway_register_strategy(struct highway_strategy *strategy);
void highway_unregister_strategy(struct highway_strategy *strategy);

/* A module that offers one strategy and does nothing else. */
#define module_highway_strategy(strategy) \
	module_driver(strategy, highway_register_strategy, highway_unregister_strategy)

/* Whether an object may be touched. */
enum highway_gate_state { HIGHWAY_OPEN, HIGHWAY_CLOSED, HIGHWAY_GONE };

struct highway_gate {
	/*
	 * Held for reading from a look at the gate to the entry that follows from it, for writing
	 * to change it.  Who closes it and then takes it away from user space (in this order)
	 * leaves no entry behind.
	 */
	struct rw_semaphore lock;
	unsigned int closings;
	bool gone;
	wait_queue_head_t queue;
};

void highway_gate_init(struct highway_gate *gate);
/* Holds the gate as it is until highway_gate_release(). */
enum highway_gate_state highway_gate_hold(struct highway_gate *gate);
void highway_gate_release(struct highway_gate *gate);
/* Holds it open, having waited for that: 0, -EAGAIN for O_NONBLOCK, -ERESTARTSYS, or -ENODEV. */
int highway_gate_hold_open(struct highway_gate *gate, unsigned int file_flags);
int highway_gate_change(struct highway_gate *gate, int closings);
void highway_gate_remove(struct highway_gate *gate);
/*
 * For a fault handler: 0 with the gate held open, or what the handler is to return.  Who finds it
 * closed waits without the mmap lock and has the fault tried again.
 */
vm_fault_t highway_gate_enter(struct highway_object *object, struct vm_fault *vmf);

/* What stands behind an object. */
struct highway_memory {
	enum highway_kind kind;
	/* Pages; 0 once the memory was given back. */
	unsigned long capacity;
	/* bar, window, coherent: the frames are neighbours. */
	unsigned long first_pfn;
	/* pages, holes. */
	struct page **list;
	/* linear, vmalloc, coherent: where the kernel has it. */
	void *address;
	dma_addr_t bus;
	/* bar, window. */
	void __iomem *registers;
	void (*release)(struct highway_function *function, struct highway_memory *memory);
};

/*
 * Something to map.  Its node, each file that shows it and whoever walks its function's list have a
 * reference.
 */
struct highway_object {
	struct kref ref;
	struct highway_function *function;
	struct list_head of_function;
	/* Was told that DMA has taken the registers away.  Guarded by function->lock. */
	bool lacks_registers;
	struct highway_strategy *strategy;
	/* Whose i_mapping its areas hang on, by whichever inode they were made. */
	struct inode *inode;
	struct highway_gate gate;

	/* Changed with the gate held for writing. */
	struct highway_memory memory;
	unsigned long pages;

	/* What HIGHWAY_GATE_CLOSE has hidden. */
	struct mutex hiding;	/* guards the two below */
	unsigned int hidings;
	u32 words[HIGHWAY_CAPACITY];

	struct mutex walk;	/* one walk over the areas at a time */
	struct mutex areas_lock;	/* guards the two below */
	struct list_head areas;
	unsigned int turn;

	atomic_long_t counts[HIGHWAY_COUNTS];
	atomic_t failing[HIGHWAY_HOOKS];
};

struct highway_card;

/* A PCI function: edu, with its registers in BAR0, or ivshmem-plain, with its memory in BAR2. */
struct highway_function {
	struct kref ref;
	struct list_head all;
	struct pci_dev *pdev;
	int index;
	/* Kinds of memory that objects on it can be made of, as bits. */
	unsigned long kinds;
	void __iomem *base;
	unsigned long first_pfn;
	unsigned long pages;
	/* Pages of the window that objects have. */
	unsigned long *taken;
	/* Guards the list, the window, and whether objects on it can be made. */
	struct mutex lock;
	struct list_head objects;
	bool gone;
	struct highway_card *card;
};

void highway_function_put(struct highway_function *function);

/* object.c */
struct highway_object *highway_object_new(struct highway_function *function,
					  struct highway_strategy *strategy, enum highway_kind kind,
					  unsigned long pages, unsigned long capacity);
struct highway_object *highway_object_odd(struct highway_function *function,
					  struct highway_strategy *strategy, enum highway_odd odd);
void highway_object_get(struct highway_object *object);
void highway_object_put(struct highway_object *object);
/* The first word of a page; the memory is held and the page exists. */
u32 highway_word(struct highway_object *object, unsigned long page);
void highway_set_word(struct highway_object *object, unsigned long page, u32 word);
bool highway_has_page(struct highway_object *object, unsigned long page);
/* The kernel's address of an object page that is RAM; NULL for a hole. */
void *highway_page_address(struct highway_object *object, unsigned long page);

/* memory.c */
int highway_memory_take(struct highway_function *function, struct highway_memory *memory,
			enum highway_kind kind, unsigned long pages);
int highway_memory_take_odd(struct highway_memory *memory, enum highway_odd odd);
void highway_memory_release(struct highway_function *function, struct highway_memory *memory);

/* revoke.c */
void highway_quiesce(struct highway_object *object);
int highway_resume(struct highway_object *object);
int highway_hide(struct highway_object *object);
int highway_reveal(struct highway_object *object);
int highway_resize(struct highway_object *object, unsigned long pages);
void highway_remove(struct highway_object *object);
void highway_free(struct highway_object *object);

/* mapping.c */
int highway_map(struct highway_object *object, struct vm_area_struct *vma);
typedef void (*highway_visit)(struct highway_object *object, struct vm_area_struct *vma);
void highway_visit_areas(struct highway_object *object, highway_visit visit);

/* file.c */
struct highway_node;
extern const struct file_operations highway_fops;

/* node.c */
int highway_nodes_init(void);
void highway_nodes_exit(void);
/*
 * A reference to what a node shows now, and to the function that it is on; NULL when it is no more.
 */
struct highway_object *highway_node_object(unsigned int minor);
int highway_node_reset(unsigned int minor, struct highway_strategy *strategy);

/* inode.c */
int highway_inodes_init(void);
void highway_inodes_exit(void);
struct inode *highway_inode_new(void);
void highway_inode_put(struct inode *inode);

/* card.c */
struct highway_card *highway_card_new(struct highway_function *function);
void highway_card_remove(struct highway_card *card);
void highway_card_free(struct highway_card *card);
bool highway_card_has_taken_away(struct highway_card *card);
int highway_card_open(struct highway_card *card);
void highway_card_release(struct highway_card *card);
long highway_card_ioctl(struct highway_card *card, struct file *file, unsigned int command,
			unsigned long argument);

#endif
