// SPDX-License-Identifier: GPL-2.0
/* The memory of a process under a transfer: pinned, charged, there after the process has died. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "transfer.h"

/* In the process that asks: 0, -ENOMEM, or -EFAULT, with nothing pinned and nothing charged. */
int highway_transfer_pin(struct highway_transfer *transfer, const struct highway_request *request,
			 bool to_memory)
{
	unsigned long start = request->buffer & PAGE_MASK;
	unsigned long count =
		DIV_ROUND_UP(offset_in_page(request->buffer) + request->bytes, PAGE_SIZE);
	int ret = account_locked_vm(current->mm, count, true);
	int pinned;

	if (ret)
		return ret;
	ret = -ENOMEM;
	transfer->pages = kvcalloc(count, sizeof(*transfer->pages), GFP_KERNEL);
	if (!transfer->pages)
		goto uncharge;
	pinned = pin_user_pages_fast(start, count, FOLL_LONGTERM | (to_memory ? FOLL_WRITE : 0),
				     transfer->pages);
	if (pinned != count) {
		if (pinned > 0)
			unpin_user_pages(transfer->pages, pinned);
		ret = pinned < 0 ? pinned : -EFAULT;
		goto free;
	}
	mmgrab(current->mm);
	transfer->mm = current->mm;
	transfer->count = count;
	transfer->offset = offset_in_page(request->buffer);
	transfer->bytes = request->bytes;
	transfer->done = 0;
	transfer->chunk = 0;
	transfer->to_memory = to_memory;
	return 0;
free:
	kvfree(transfer->pages);
uncharge:
	account_locked_vm(current->mm, count, false);
	return ret;
}

void highway_transfer_unpin(struct highway_transfer *transfer)
{
	unpin_user_pages_dirty_lock(transfer->pages, transfer->count, transfer->to_memory);
	account_locked_vm(transfer->mm, transfer->count, false);
	mmdrop(transfer->mm);
	kvfree(transfer->pages);
	transfer->pages = NULL;
}

void highway_transfer_copy(struct highway_transfer *transfer, void *buffer)
{
	u32 done = 0;

	while (done < transfer->chunk) {
		unsigned long at = transfer->offset + transfer->done + done;
		u32 bytes = min_t(u32, transfer->chunk - done, PAGE_SIZE - offset_in_page(at));
		struct page *page = transfer->pages[at >> PAGE_SHIFT];

		if (transfer->to_memory)
			memcpy_to_page(page, offset_in_page(at), buffer + done, bytes);
		else
			memcpy_from_page(buffer + done, page, offset_in_page(at), bytes);
		done += bytes;
	}
}
