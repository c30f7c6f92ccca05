/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What user space says to the Highway driver and to the twins of nopage's strategies.
 *
 * Device nodes, all in /dev/highway:
 *
 *   STRATEGY.KIND       an object that STRATEGY shows, in memory of KIND (enum highway_kind)
 *   STRATEGY.KIND.too   the same object by another inode
 *   notifier-mirror, interval-mirror      a device that follows a process (HIGHWAY_MIRROR_*)
 *   longterm, quarantine, refcount, none-notifier, none-interval
 *                                         a device that holds pages of a process (HIGHWAY_PIN_*)
 *
 * Nodes of a second PCI function of the same sort end in its number: lazy-nopage.window.1.
 *
 * Page i of an object begins with the 32-bit word HIGHWAY_MARK + i until somebody stores another.
 * Only the pages of a bar object are registers and have no marks.
 *
 * Commands of the test interface take a plain number and answer with the system call's result.  A
 * 32-bit word among the answers is in the low 32 bits of the result, so that one above INT_MAX
 * looks negative.
 */
#ifndef HIGHWAY_ABI_H
#define HIGHWAY_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HIGHWAY_MARK	0xface0000u
/* What stands in place of every mark while the gate is closed by HIGHWAY_GATE_CLOSE. */
#define HIGHWAY_HIDDEN	0xdeaddeadu
/* What the rest of a page begins with that HIGHWAY_SHOW_UNALIGNED shows by mistake. */
#define HIGHWAY_SECRET	0x05ec2e75u

/* Pages of an object when it is new, and pages of memory behind it: it can be resized to those. */
#define HIGHWAY_PAGES		4
#define HIGHWAY_CAPACITY	8
/* The page that is missing in objects of kind holes. */
#define HIGHWAY_HOLE		2

/*
 * The card.  These are the commands of the driver on the model as well (src/driver/ioctl.ts); the
 * edu device has one interface, its own buffer of 4 KiB, which begins anew with every 4096 bytes of
 * a request.
 */
struct highway_request {
	__u64 buffer;		/* where in the caller's memory, at any alignment */
	__u32 bytes;		/* 1 to HIGHWAY_MOST_BYTES */
	__u32 interface;	/* 0 */
};

struct highway_statistics {
	__u64 transfers;	/* that ended */
	__u64 bytes;		/* that they moved */
	__u64 chunks;		/* transfers of the card, at most 4 KiB each */
	__u64 interrupts;	/* that were the card's */
	__u64 aborted;		/* transfers that were stopped before their end */
};

#define HIGHWAY_MOST_BYTES	(1u << 24)

/*
 * Starts a transfer to the caller's memory: 0.  While another runs it waits, or on O_NONBLOCK
 * answers -EAGAIN.
 */
#define HIGHWAY_START		_IOW('H', 1, struct highway_request)
/*
 * Waits for the transfer that was started last: the bytes that it moved.  -EAGAIN on O_NONBLOCK
 * while it runs.
 */
#define HIGHWAY_WAIT		_IO('H', 2)
/* Both in one.  On O_NONBLOCK it only starts. */
#define HIGHWAY_ACQUIRE		_IOW('H', 3, struct highway_request)
/* Also while DMA runs: 0. */
#define HIGHWAY_STATISTICS	_IOR('H', 4, struct highway_statistics)
/*
 * As HIGHWAY_START, from the caller's memory to the card's buffer.  The edu device can do it, the
 * Highway card cannot.
 */
#define HIGHWAY_LOAD		_IOW('H', 6, struct highway_request)

/* The test interface of an object. */

/*
 * Takes the object from user space as the start of DMA does: the gate, then the entries.  Closings
 * count.  0.
 */
#define HIGHWAY_GATE_CLOSE	_IO('H', 0x20)
/* Undoes one closing: 0, or -EINVAL when there was none. */
#define HIGHWAY_GATE_OPEN	_IO('H', 0x21)
/* Makes the object ARG pages long: 0, or -EINVAL beyond HIGHWAY_CAPACITY. */
#define HIGHWAY_RESIZE		_IO('H', 0x22)
/*
 * The first word of page ARG as the owner sees it, whatever is mapped and whether or not the gate
 * is open; -ENXIO.
 */
#define HIGHWAY_PEEK		_IO('H', 0x23)
/*
 * The owner stores ARG's low 32 bits as the first word of the page in its high 32 bits: 0, or
 * -ENXIO.
 */
#define HIGHWAY_POKE		_IO('H', 0x24)
/* How often the hook ARG (enum highway_count) has run since HIGHWAY_RESET. */
#define HIGHWAY_COUNT		_IO('H', 0x25)
/*
 * The hook ARG >> 16 (enum highway_hook) fails once with errno ARG & 0xffff.  mkwrite, asked only
 * in mappings that are made from now on, answers SIGBUS.
 */
#define HIGHWAY_FAIL		_IO('H', 0x26)
/*
 * The owner gives the object's memory back, mapped or not: counted pages at once, bare frames after
 * it took the object away for good.  0.
 */
#define HIGHWAY_FREE		_IO('H', 0x27)
/*
 * The node gets a new object, as new as on the first day, and the one it had goes as if its device
 * went: 0.
 */
#define HIGHWAY_RESET		_IO('H', 0x28)
/*
 * From now on this open file, which has not been mapped, shows an object of its own of ARG pages,
 * without holes, that goes when the file and its mappings have: 0, -EBUSY, or -ENOMEM.
 */
#define HIGHWAY_SHOW		_IO('H', 0x29)
/*
 * The same with memory that is no page of its own (enum highway_odd), which only kind linear has:
 * the object's length in bytes.
 */
#define HIGHWAY_SHOW_ODD	_IO('H', 0x2a)

enum highway_kind {
	HIGHWAY_BAR,		/* the registers of edu, which its DMA takes away */
	HIGHWAY_WINDOW,		/* frames without struct page: BAR2 of ivshmem-plain */
	HIGHWAY_PAGES_ARRAY,	/* pages, one by one ("pages") */
	HIGHWAY_HOLES,		/* the same without page HIGHWAY_HOLE */
	HIGHWAY_LINEAR,		/* a block of pages, as from kmalloc or get_free_pages */
	HIGHWAY_VMALLOC,
	HIGHWAY_COHERENT,	/* from dma_alloc_coherent */
	HIGHWAY_KINDS
};

enum highway_odd {
	HIGHWAY_ODD_SLAB,	/* an object of a slab that begins with a page */
	HIGHWAY_ODD_BARE,	/* two pages that are neither compound nor split */
	HIGHWAY_ODD_UNALIGNED	/* from the middle of a page with HIGHWAY_SECRET */
};

enum highway_count {
	HIGHWAY_COUNT_MMAPS,
	HIGHWAY_COUNT_OPENS,
	HIGHWAY_COUNT_CLOSES,
	HIGHWAY_COUNT_FAULTS,
	HIGHWAY_COUNTS
};

enum highway_hook {
	HIGHWAY_HOOK_MMAP,
	HIGHWAY_HOOK_MAY_SPLIT,
	HIGHWAY_HOOK_MREMAP,
	HIGHWAY_HOOK_MPROTECT,
	HIGHWAY_HOOK_MKWRITE,
	HIGHWAY_HOOKS
};

/*
 * The mirrors.  The device has a translation table for each process that is followed.  Commands are
 * about the process that calls if it is followed, else about the one that was followed last.
 * Following ends with the file.
 */

/* The address that the next HIGHWAY_MIRROR_FOLLOW or HIGHWAY_PIN_FOR_* of this file is about: 0. */
#define HIGHWAY_CHOOSE_ADDRESS		_IO('H', 0x40)
/* The word that HIGHWAY_MIRROR_WRITE and HIGHWAY_PIN_DEVICE_WRITE of this file store: 0. */
#define HIGHWAY_CHOOSE_VALUE		_IO('H', 0x41)

/*
 * Follows ARG pages from the chosen address on: 0, -EINVAL when the process is followed already, or
 * why not.
 */
#define HIGHWAY_MIRROR_FOLLOW		_IO('H', 0x42)
#define HIGHWAY_MIRROR_UNFOLLOW		_IO('H', 0x43)
/*
 * The device reads the word at address ARG, with the driver's help at a device fault: the word, or
 * -EFAULT.
 */
#define HIGHWAY_MIRROR_READ		_IO('H', 0x44)
/* The device stores the chosen value at address ARG: 0 or -EFAULT. */
#define HIGHWAY_MIRROR_WRITE		_IO('H', 0x45)
/* Whether the device itself finds a translation for address ARG: 1 or 0. */
#define HIGHWAY_MIRROR_REACHES_READ	_IO('H', 0x46)
#define HIGHWAY_MIRROR_REACHES_WRITE	_IO('H', 0x47)
/* The driver makes a translation for address ARG, waiting if need be: 0 or a negated errno. */
#define HIGHWAY_MIRROR_POPULATE_READ	_IO('H', 0x48)
#define HIGHWAY_MIRROR_POPULATE_WRITE	_IO('H', 0x49)
/* The same without waiting: -EAGAIN when it would have to. */
#define HIGHWAY_MIRROR_NOW_READ		_IO('H', 0x4a)
#define HIGHWAY_MIRROR_NOW_WRITE	_IO('H', 0x4b)
/*
 * How the last followed process that died was let go of: the answer to ARG (enum highway_let_go).
 */
#define HIGHWAY_MIRROR_LET_GO		_IO('H', 0x4c)

enum highway_let_go {
	HIGHWAY_LET_GO_KNOWN,		/* 1, or 0 while none has died */
	HIGHWAY_LET_GO_STOPS,		/* how often the device was told to stop */
	HIGHWAY_LET_GO_REACHED_AT_STOP,	/* pages that it had a translation for then */
	HIGHWAY_LET_GO_REACHED_LATER,	/* and once the process was gone */
	HIGHWAY_LET_GO_POPULATE,	/* what populating answers then, with and without waiting */
	HIGHWAY_LET_GO_POPULATE_NOW,
	HIGHWAY_LET_GO_FOLLOW_AGAIN,	/* and what following it anew answers */
	HIGHWAY_LET_GO_FIELDS
};

/*
 * The pinners.  What is held through a file ends with it, which is after the death of its process;
 * until then the device is at work on it.  A page is named by PINNED << 16 | its number.
 */

/*
 * Holds ARG pages from the chosen address on, for a device that reads or writes: what to call it,
 * or why not.
 */
#define HIGHWAY_PIN_FOR_READ		_IO('H', 0x60)
#define HIGHWAY_PIN_FOR_WRITE		_IO('H', 0x61)
/* Gives what is called ARG back: 0 or -EINVAL. */
#define HIGHWAY_PIN_UNPIN		_IO('H', 0x62)
/* The device reads the first word of page ARG: the word, or a negated errno. */
#define HIGHWAY_PIN_DEVICE_READ		_IO('H', 0x63)
/* The device stores the chosen value as the first word of page ARG: 0 or a negated errno. */
#define HIGHWAY_PIN_DEVICE_WRITE	_IO('H', 0x64)
/* Pages that are held at present, by all files. */
#define HIGHWAY_PIN_HELD		_IO('H', 0x65)
/* How often the device was told to stop because a process went. */
#define HIGHWAY_PIN_STOPS		_IO('H', 0x66)
/* Pages of dead processes that are kept. */
#define HIGHWAY_PIN_QUARANTINED		_IO('H', 0x67)
/* The device can touch memory no more: what is in quarantine goes back.  0. */
#define HIGHWAY_PIN_END_SERVICE		_IO('H', 0x68)

#endif
