/*
 * Actors: the threads and processes of a program under test. Each has a desk and a stack of its own, which it keeps for the
 * whole program; which actor it is it knows by its stack.
 */
#include "agent.h"
#include "system-call.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* How a thread is started that shares everything with its process (as pthread_create does it). */
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
/* A process that the hub is the parent of, whoever starts it. */
#define FORK_FLAGS (CLONE_PARENT | SIGCHLD)

extern char __executable_start[];
extern char __data_start[];
extern char _end[];

static char stacks[MOST_ACTORS][STACK_BYTES] __attribute__((aligned(PAGE_BYTES)));
static struct actor actors[MOST_ACTORS];

unsigned int current_actor(void)
{
	size_t offset = (size_t)((char *)__builtin_frame_address(0) - stacks[0]);

	return (unsigned int)(offset / STACK_BYTES) % MOST_ACTORS;
}

/*
 * Makes the pages present that an actor uses itself, so that what a program counts about its process, resident pages and
 * faults, is of the program's own doing.
 */
static void furnish(unsigned int index)
{
	uintptr_t desk = (uintptr_t)&desks[index] & ~(uintptr_t)(PAGE_BYTES - 1);

	call3(SYS_madvise, stacks[index], STACK_BYTES, MADV_POPULATE_WRITE);
	call3(SYS_madvise, desk, sizeof(struct desk) + PAGE_BYTES, MADV_POPULATE_WRITE);
}

/* The same for what all actors of a process use. */
static void settle_in(void)
{
	uintptr_t code = (uintptr_t)__executable_start & ~(uintptr_t)(PAGE_BYTES - 1);
	uintptr_t data = (uintptr_t)__data_start & ~(uintptr_t)(PAGE_BYTES - 1);
	uintptr_t before = (uintptr_t)stacks[0];
	uintptr_t after = (uintptr_t)stacks[MOST_ACTORS];
	uintptr_t end = ((uintptr_t)_end + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);

	call3(SYS_madvise, code, data - code, MADV_POPULATE_READ);
	call3(SYS_madvise, data, before - data, MADV_POPULATE_WRITE);
	call3(SYS_madvise, after, end - after, MADV_POPULATE_WRITE);
	call3(SYS_madvise, meeting, PAGE_BYTES, MADV_POPULATE_WRITE);
}

static void ring_bell(void)
{
	uint64_t one = 1;

	call3(SYS_write, BELL_DESCRIPTOR, &one, sizeof(one));
}

/* Does the operations of a text one after the other, whatever each of them comes to. */
static void do_operations(struct actor *actor, char *operation)
{
	while (operation != NULL) {
		char *end = strchr(operation, ';');
		struct words words = { .next = operation };

		if (end != NULL)
			*end++ = '\0';
		if (actor->earlier.count > 0)
			put_text(&actor->answer, ";");
		int64_t answer = perform(actor, &words);

		if (actor->earlier.count < sizeof(actor->earlier.answer) / sizeof(answer))
			actor->earlier.answer[actor->earlier.count++] = answer;
		operation = end;
	}
}

static void begin_answer(struct actor *actor)
{
	actor->earlier.count = 0;
	actor->answer = (struct text){ .start = actor->desk->answer, .room = ANSWER_BYTES };
	actor->desk->answer[0] = '\0';
}

/* Does what comes after `repeat N;` so often, as fast as it goes, and answers for the last time. */
static void do_again_and_again(struct actor *actor, char *operations, int64_t times)
{
	char text[LINE_BYTES];

	strcpy(text, operations);
	for (int64_t time = 0; time < times; time++) {
		begin_answer(actor);
		put_text(&actor->answer, "is ");
		put_number(&actor->answer, times);
		actor->earlier.answer[actor->earlier.count++] = times;
		strcpy(operations, text);
		do_operations(actor, operations);
	}
}

static void do_line(struct actor *actor)
{
	static const char repeat[] = "repeat ";
	char *line = actor->desk->line;
	char *operations = strchr(line, ';');
	int64_t times;

	begin_answer(actor);
	if (strncmp(line, repeat, sizeof(repeat) - 1) == 0 && operations != NULL) {
		*operations++ = '\0';
		if (read_number(&actor->earlier, line + sizeof(repeat) - 1, &times) == 0 && times > 0)
			do_again_and_again(actor, operations, times);
		else
			put_text(&actor->answer, "what repeat");
	} else {
		do_operations(actor, line);
	}
	if (actor->answer.is_full)
		strcpy(actor->desk->answer, "what too much to tell in one line");
}

static int work(void *index_given)
{
	struct actor *actor = &actors[(uintptr_t)index_given];
	struct desk *desk;

	actor->index = (unsigned int)(uintptr_t)index_given;
	desk = actor->desk = &desks[actor->index];
	desk->process = (int)call0(SYS_getpid);
	desk->thread = (int)call0(SYS_gettid);
	for (;;) {
		uint32_t state = __atomic_load_n(&desk->state, __ATOMIC_ACQUIRE);

		if (state != DESK_BUSY) {
			/* Returns at once when a line has come in between. */
			call4(SYS_futex, &desk->state, FUTEX_WAIT, state, 0);
			continue;
		}
		begin_race(desk);
		do_line(actor);
		__atomic_store_n(&desk->state, DESK_DONE, __ATOMIC_RELEASE);
		ring_bell();
	}
	return 0;
}

/*
 * Programs are root's, but limits on locked memory hold for them as for everybody (CAP_IPC_LOCK); the keeper of a subject, the
 * first actor, has every right.
 */
static void renounce_locking(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3];

	if (call2(SYS_capget, &header, rights) < 0)
		return;
	rights[0].effective &= ~(1u << CAP_IPC_LOCK);
	rights[0].permitted &= ~(1u << CAP_IPC_LOCK);
	call2(SYS_capset, &header, rights);
}

static int work_as_process(void *index)
{
	if ((uintptr_t)index != 0)
		renounce_locking();
	forget_signals();
	settle_in();
	furnish((unsigned int)(uintptr_t)index);
	return work(index);
}

static int64_t start(unsigned int index, int (*what)(void *), int flags)
{
	struct desk *desk;
	int id;

	if (index >= MOST_ACTORS || desks[index].state == DESK_DONE || desks[index].thread != 0)
		return -16;
	desk = &desks[index];
	if (desk->state == DESK_EMPTY)
		desk->state = DESK_IDLE;
	id = clone(what, stacks[index] + STACK_BYTES, flags, (void *)(uintptr_t)index);
	if (id < 0) {
		desk->state = DESK_EMPTY;
		/* The only caller that shares its errno with others is a program's, which is waiting for this very call. */
		return -errno;
	}
	desk->thread = id;
	if ((flags & CLONE_VM) == 0)
		desk->process = id;
	return id;
}

/* Starts a process that shares nothing with any other; the hub's own. */
int64_t start_process(unsigned int index)
{
	return start(index, work_as_process, SIGCHLD);
}

/* Starts a thread of the calling actor's process. */
int64_t start_thread(unsigned int index)
{
	if (index < MOST_ACTORS)
		furnish(index);
	return start(index, work, THREAD_FLAGS);
}

/* Starts a child of the calling actor's process, which begins with its memory and its files. */
int64_t start_fork(unsigned int index)
{
	return start(index, work_as_process, FORK_FLAGS);
}
