// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's edu device as an acquisition card: transfers between its buffer and pinned pages of a
 * process.
 *
 * While its DMA engine runs nobody may touch the registers (that is the hardware's rule, as of the
 * card of the 1998 mail): so every mapping of them is taken away before the first chunk and given
 * back after the last.
 */
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "highway.h"
#include "transfer.h"

/* QEMU's docs/specs/edu.rst. */
#define EDU_IDENTIFICATION	0x00
#define EDU_INTERRUPT_STATUS	0x24
#define EDU_INTERRUPT_ACK	0x64
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_IDENTITY		0xed
#define EDU_INTERRUPT_DMA	0x100
#define EDU_DMA_START		BIT(0)
#define EDU_DMA_TO_MEMORY	BIT(1)
#define EDU_DMA_INTERRUPT	BIT(2)
#define EDU_BUFFER		0x40000

/*
 * Of the card's 4 KiB: QEMU 7.2 takes a transfer that includes the last byte for one beyond them,
 * and ends.
 */
#define CHUNK 2048

struct highway_card {
	struct highway_function *function;
	void __iomem *registers;
	/* What the card can address: pages of a process may lie anywhere. */
	void *bounce;
	dma_addr_t bounce_bus;
	int interrupt;
	struct work_struct work;
	wait_queue_head_t progress;

	/* Guards all below. */
	struct mutex lock;
	bool is_open;
	bool is_gone;
	bool is_aborted;
	/* From before the registers are taken away until after they are given back. */
	bool is_running;
	bool has_result;
	long result;
	struct highway_transfer transfer;
	struct highway_statistics statistics;

	/* Guarded by function->lock. */
	bool has_taken_away;
	atomic64_t interrupts;
};

bool highway_card_has_taken_away(struct highway_card *card)
{
	return card->has_taken_away;
}

/*
 * An object that shows the registers and has not been told yet that they are taken away, or given
 * back, with a reference; NULL when all have.
 */
static struct highway_object *next_to_tell(struct highway_card *card)
{
	struct highway_function *function = card->function;
	struct highway_object *object, *found = NULL;

	mutex_lock(&function->lock);
	list_for_each_entry(object, &function->objects, of_function) {
		if (object->memory.kind != HIGHWAY_BAR ||
		    object->lacks_registers == card->has_taken_away ||
		    !kref_get_unless_zero(&object->ref))
			continue;
		object->lacks_registers = card->has_taken_away;
		found = object;
		break;
	}
	mutex_unlock(&function->lock);
	return found;
}

static void turn_registers(struct highway_card *card, bool takes_away)
{
	struct highway_function *function = card->function;
	struct highway_object *object;

	mutex_lock(&function->lock);
	card->has_taken_away = takes_away;
	mutex_unlock(&function->lock);
	while ((object = next_to_tell(card))) {
		if (takes_away)
			highway_quiesce(object);
		else
			highway_resume(object);
		highway_object_put(object);
	}
}

static void card_start_chunk(struct highway_card *card)
{
	struct highway_transfer *transfer = &card->transfer;
	u64 source = transfer->to_memory ? EDU_BUFFER : card->bounce_bus;
	u64 destination = transfer->to_memory ? card->bounce_bus : EDU_BUFFER;

	transfer->chunk = min_t(u32, transfer->bytes - transfer->done, CHUNK);
	if (!transfer->to_memory)
		highway_transfer_copy(transfer, card->bounce);
	card->statistics.chunks++;
	writeq(source, card->registers + EDU_DMA_SOURCE);
	writeq(destination, card->registers + EDU_DMA_DESTINATION);
	writeq(transfer->chunk, card->registers + EDU_DMA_COUNT);
	iowrite32(EDU_DMA_START | EDU_DMA_INTERRUPT | (transfer->to_memory ? EDU_DMA_TO_MEMORY : 0),
		  card->registers + EDU_DMA_COMMAND);
}

/* The card is at rest.  The registers are given back before anybody hears of the end. */
static void card_finish(struct highway_card *card)
{
	struct highway_transfer *transfer = &card->transfer;

	card->statistics.transfers++;
	card->statistics.bytes += transfer->done;
	if (transfer->done < transfer->bytes)
		card->statistics.aborted++;
	card->result = transfer->done;
	card->has_result = true;
	highway_transfer_unpin(transfer);
	mutex_unlock(&card->lock);
	turn_registers(card, false);
	mutex_lock(&card->lock);
	WRITE_ONCE(card->is_running, false);
	wake_up_all(&card->progress);
}

/* What the interrupt has said: a chunk is over. */
static void card_advance(struct work_struct *work)
{
	struct highway_card *card = container_of(work, struct highway_card, work);
	struct highway_transfer *transfer = &card->transfer;

	mutex_lock(&card->lock);
	if (card->is_running && transfer->chunk) {
		if (transfer->to_memory)
			highway_transfer_copy(transfer, card->bounce);
		transfer->done += transfer->chunk;
		transfer->chunk = 0;
		if (!card->is_aborted && transfer->done < transfer->bytes)
			card_start_chunk(card);
		else
			card_finish(card);
	}
	mutex_unlock(&card->lock);
}

static irqreturn_t card_interrupt(int irq, void *data)
{
	struct highway_card *card = data;
	u32 status = ioread32(card->registers + EDU_INTERRUPT_STATUS);

	if (status == 0 || status == ~0u)
		return IRQ_NONE;
	iowrite32(status, card->registers + EDU_INTERRUPT_ACK);
	atomic64_inc(&card->interrupts);
	if (status & EDU_INTERRUPT_DMA)
		queue_work(system_unbound_wq, &card->work);
	return IRQ_HANDLED;
}

/* Makes the card the caller's: 0, -EAGAIN, -ERESTARTSYS, -ENODEV. */
static int card_claim(struct highway_card *card, struct file *file)
{
	for (;;) {
		int ret = -ENODEV;

		mutex_lock(&card->lock);
		if (!card->is_gone && !card->is_running) {
			WRITE_ONCE(card->is_running, true);
			card->is_aborted = false;
			card->has_result = false;
			ret = 0;
		} else if (!card->is_gone) {
			ret = file->f_flags & O_NONBLOCK ? -EAGAIN : -EBUSY;
		}
		mutex_unlock(&card->lock);
		if (ret != -EBUSY)
			return ret;
		if (wait_event_interruptible(card->progress, !READ_ONCE(card->is_running)))
			return -ERESTARTSYS;
	}
}

static void card_give_up_claim(struct highway_card *card)
{
	mutex_lock(&card->lock);
	WRITE_ONCE(card->is_running, false);
	wake_up_all(&card->progress);
	mutex_unlock(&card->lock);
}

static long card_start(struct highway_card *card, struct file *file, void __user *argument,
		       bool to_memory)
{
	struct highway_request request;
	struct highway_transfer transfer;
	int ret;

	if (copy_from_user(&request, argument, sizeof(request)))
		return -EFAULT;
	if (request.interface != 0 || request.bytes == 0 || request.bytes > HIGHWAY_MOST_BYTES)
		return -EINVAL;
	ret = card_claim(card, file);
	if (ret)
		return ret;
	ret = highway_transfer_pin(&transfer, &request, to_memory);
	if (ret) {
		card_give_up_claim(card);
		return ret;
	}
	turn_registers(card, true);
	mutex_lock(&card->lock);
	card->transfer = transfer;
	if (card->is_gone || card->is_aborted)
		card_finish(card);
	else
		card_start_chunk(card);
	mutex_unlock(&card->lock);
	return 0;
}

/* The bytes that the last transfer moved, once it is over; 0 when there was none. */
static long card_wait(struct highway_card *card, struct file *file)
{
	long ret;

	if (READ_ONCE(card->is_running) && file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	if (wait_event_interruptible(card->progress, !READ_ONCE(card->is_running)))
		return -ERESTARTSYS;
	mutex_lock(&card->lock);
	ret = card->has_result ? card->result : 0;
	mutex_unlock(&card->lock);
	return ret;
}

static long card_tell(struct highway_card *card, void __user *argument)
{
	struct highway_statistics statistics;

	mutex_lock(&card->lock);
	statistics = card->statistics;
	mutex_unlock(&card->lock);
	statistics.interrupts = atomic64_read(&card->interrupts);
	return copy_to_user(argument, &statistics, sizeof(statistics)) ? -EFAULT : 0;
}

long highway_card_ioctl(struct highway_card *card, struct file *file, unsigned int command,
			unsigned long argument)
{
	long ret;

	switch (command) {
	case HIGHWAY_START:
		return card_start(card, file, (void __user *)argument, true);
	case HIGHWAY_LOAD:
		return card_start(card, file, (void __user *)argument, false);
	case HIGHWAY_ACQUIRE:
		ret = card_start(card, file, (void __user *)argument, true);
		return ret || file->f_flags & O_NONBLOCK ? ret : card_wait(card, file);
	case HIGHWAY_WAIT:
		return card_wait(card, file);
	case HIGHWAY_STATISTICS:
		return card_tell(card, (void __user *)argument);
	default:
		return -ENOTTY;
	}
}

/* One at a time: 0, -EBUSY or -ENODEV. */
int highway_card_open(struct highway_card *card)
{
	int ret = 0;

	mutex_lock(&card->lock);
	if (card->is_gone)
		ret = -ENODEV;
	else if (card->is_open)
		ret = -EBUSY;
	else
		card->is_open = true;
	mutex_unlock(&card->lock);
	return ret;
}

/* A chunk cannot be stopped, so its end is waited for; no further one is started. */
static void card_stop(struct highway_card *card)
{
	mutex_lock(&card->lock);
	card->is_aborted = true;
	mutex_unlock(&card->lock);
	wait_event(card->progress, !READ_ONCE(card->is_running));
}

void highway_card_release(struct highway_card *card)
{
	card_stop(card);
	mutex_lock(&card->lock);
	card->is_open = false;
	card->has_result = false;
	mutex_unlock(&card->lock);
}

struct highway_card *highway_card_new(struct highway_function *function)
{
	struct pci_dev *pdev = function->pdev;
	struct highway_card *card;
	int ret = -ENODEV;

	if ((ioread32(function->base + EDU_IDENTIFICATION) & 0xff) != EDU_IDENTITY)
		return ERR_PTR(-ENODEV);
	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return ERR_PTR(-ENOMEM);
	card->function = function;
	card->registers = function->base;
	mutex_init(&card->lock);
	init_waitqueue_head(&card->progress);
	INIT_WORK(&card->work, card_advance);
	card->bounce = dma_alloc_coherent(&pdev->dev, CHUNK, &card->bounce_bus, GFP_KERNEL);
	if (!card->bounce) {
		ret = -ENOMEM;
		goto free_card;
	}
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		goto free_bounce;
	card->interrupt = pci_irq_vector(pdev, 0);
	ret = request_irq(card->interrupt, card_interrupt, IRQF_SHARED, "highway", card);
	if (ret == 0)
		return card;
	pci_free_irq_vectors(pdev);
free_bounce:
	dma_free_coherent(&pdev->dev, CHUNK, card->bounce, card->bounce_bus);
free_card:
	kfree(card);
	return ERR_PTR(ret);
}

/* The function is going: when this returns nothing of ours runs on it, and nothing will. */
void highway_card_remove(struct highway_card *card)
{
	struct pci_dev *pdev = card->function->pdev;

	mutex_lock(&card->lock);
	card->is_gone = true;
	mutex_unlock(&card->lock);
	card_stop(card);
	free_irq(card->interrupt, card);
	cancel_work_sync(&card->work);
	pci_free_irq_vectors(pdev);
	dma_free_coherent(&pdev->dev, CHUNK, card->bounce, card->bounce_bus);
}

void highway_card_free(struct highway_card *card)
{
	kfree(card);
}
