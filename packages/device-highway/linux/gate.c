// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: whether an object may be touched, and where threads wait until it may.
 *
 * It closes before the entries go.  A handler looks at it and writes its entry under one hold of
 * the lock, so that an entry that was decided upon before the close stands when the entries go, and
 * goes with them.
 */
#include <linux/file.h>
#include <linux/sched/signal.h>

#include "highway.h"

void highway_gate_init(struct highway_gate *gate)
{
	init_rwsem(&gate->lock);
	init_waitqueue_head(&gate->queue);
	gate->closings = 0;
	gate->gone = false;
}

static enum highway_gate_state gate_look(struct highway_gate *gate)
{
	if (READ_ONCE(gate->gone))
		return HIGHWAY_GONE;
	return READ_ONCE(gate->closings) ? HIGHWAY_CLOSED : HIGHWAY_OPEN;
}

enum highway_gate_state highway_gate_hold(struct highway_gate *gate)
{
	down_read(&gate->lock);
	return gate_look(gate);
}
EXPORT_SYMBOL_GPL(highway_gate_hold);

void highway_gate_release(struct highway_gate *gate)
{
	up_read(&gate->lock);
}
EXPORT_SYMBOL_GPL(highway_gate_release);

int highway_gate_hold_open(struct highway_gate *gate, unsigned int file_flags)
{
	for (;;) {
		enum highway_gate_state state = highway_gate_hold(gate);

		if (state == HIGHWAY_OPEN)
			return 0;
		highway_gate_release(gate);
		if (state == HIGHWAY_GONE)
			return -ENODEV;
		if (file_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(gate->queue, gate_look(gate) != HIGHWAY_CLOSED))
			return -ERESTARTSYS;
	}
}

int highway_gate_change(struct highway_gate *gate, int closings)
{
	int ret = 0;

	down_write(&gate->lock);
	if (closings < 0 && gate->closings == 0)
		ret = -EINVAL;
	else
		WRITE_ONCE(gate->closings, gate->closings + closings);
	up_write(&gate->lock);
	if (closings < 0)
		wake_up_all(&gate->queue);
	return ret;
}

void highway_gate_remove(struct highway_gate *gate)
{
	down_write(&gate->lock);
	WRITE_ONCE(gate->gone, true);
	up_write(&gate->lock);
	wake_up_all(&gate->queue);
}

/*
 * The area may be gone as soon as the mmap lock is dropped, so the file is what keeps the object.
 * The caller comes back through the whole of the fault, which looks everything up again.
 */
static vm_fault_t wait_and_retry(struct highway_gate *gate, struct vm_fault *vmf)
{
	struct file *file;

	/*
	 * Who cannot be made to try again must not be made to wait with the mmap lock held either.
	 */
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	file = get_file(vmf->vma->vm_file);
	mmap_read_unlock(vmf->vma->vm_mm);
	/*
	 * The kernel's own accesses are not cut short by a signal that does not kill: they would
	 * only fault again.
	 */
	if (vmf->flags & FAULT_FLAG_USER)
		wait_event_interruptible(gate->queue, gate_look(gate) != HIGHWAY_CLOSED);
	else
		wait_event_killable(gate->queue, gate_look(gate) != HIGHWAY_CLOSED);
	fput(file);
	return VM_FAULT_RETRY;
}

vm_fault_t highway_gate_enter(struct highway_object *object, struct vm_fault *vmf)
{
	enum highway_gate_state state = highway_gate_hold(&object->gate);

	if (state == HIGHWAY_OPEN)
		return 0;
	highway_gate_release(&object->gate);
	return state == HIGHWAY_GONE ? VM_FAULT_SIGBUS : wait_and_retry(&object->gate, vmf);
}
EXPORT_SYMBOL_GPL(highway_gate_enter);
