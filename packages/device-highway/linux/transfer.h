/* SPDX-License-Identifier: GPL-2.0 */
/* What a transfer moves: pinned pages of a process, a chunk at a time. */
#ifndef HIGHWAY_TRANSFER_H
#define HIGHWAY_TRANSFER_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "highway-abi.h"

struct highway_transfer {
	struct mm_struct *mm;
	struct page **pages;
	unsigned long count;
	/* Where in the first page it begins. */
	unsigned int offset;
	u32 bytes;
	u32 done;
	/* Bytes that the card moves at present. */
	u32 chunk;
	bool to_memory;
};

int highway_transfer_pin(struct highway_transfer *transfer, const struct highway_request *request,
			 bool to_memory);
void highway_transfer_unpin(struct highway_transfer *transfer);
/* Moves the present chunk between the pages and a buffer. */
void highway_transfer_copy(struct highway_transfer *transfer, void *buffer);

#endif
