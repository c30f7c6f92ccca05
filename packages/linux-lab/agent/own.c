/*
 * The agent's own memory, which lies in every process of a program. A call that would take it away, or change how it may be used,
 * is not made: what came of it would be nobody's outcome but the agent's end.
 */
#include "agent.h"

#include <sys/mman.h>
#include <sys/syscall.h>

/* Where user space ends with five levels of page tables (TASK_SIZE_MAX); the kernel refuses ranges beyond it. */
#define USER_END (((uint64_t)1 << 56) - PAGE_BYTES)

extern char __executable_start[];
extern char _end[];

static int meets(uint64_t start, uint64_t length, uint64_t own_start, uint64_t own_end)
{
	uint64_t end;

	/* Ranges that the kernel refuses anyway: its answer is the program's. */
	if (length == 0 || (start & (PAGE_BYTES - 1)) != 0 || start > USER_END || length > USER_END - start)
		return 0;
	end = (start + length + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	return start < own_end && own_start < end;
}

static int meets_own(uint64_t start, uint64_t length)
{
	return meets(start, length, (uint64_t)__executable_start, (uint64_t)_end) ||
	       meets(start, length, (uint64_t)desks, (uint64_t)(desks + MOST_ACTORS + 1));
}

/* Whether a system call, its number first, would change memory of the agent's own. */
int changes_own_memory(const int64_t *call)
{
	uint64_t start = (uint64_t)call[1], length = (uint64_t)call[2];
	int64_t flags = call[4];

	switch (call[0]) {
	case SYS_mmap:
		/* One that replaces nothing fails where something lies, and a mere wish moves. */
		return (flags & MAP_FIXED) != 0 && (flags & MAP_FIXED_NOREPLACE) == 0 && meets_own(start, length);
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_madvise:
		return meets_own(start, length);
	case SYS_mremap:
		return meets_own(start, length) ||
		       ((flags & MREMAP_FIXED) != 0 && meets_own((uint64_t)call[5], (uint64_t)call[3]));
	default:
		return 0;
	}
}
