/*
 * Files of sysfs, procfs and debugfs, memory read the way a debugger does, and modules.
 */
#include "agent.h"
#include "system-call.h"

#include <fcntl.h>
#include <sys/uio.h>

#define CHUNK_BYTES 1024

/* Answers `is N BYTES`, N being the number of bytes that were there, or a negated errno. */
int64_t read_file(struct actor *actor, const char *path, int64_t offset, size_t length)
{
	unsigned char chunk[CHUNK_BYTES];
	struct text *text = &actor->answer;
	int64_t total = 0;
	int64_t descriptor = call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	int64_t error = descriptor < 0 ? descriptor : 0;
	struct text bytes = { .start = text->start + text->length + 24, .room = text->room - text->length - 24 };

	while (descriptor >= 0 && (size_t)total < length) {
		size_t wanted = length - (size_t)total < sizeof(chunk) ? length - (size_t)total : sizeof(chunk);
		/* Some files of debugfs know no offset. */
		int64_t got = offset == 0 ? call3(SYS_read, descriptor, chunk, wanted) :
					    call4(SYS_pread64, descriptor, chunk, wanted, offset + total);

		if (got < 0 && total == 0)
			error = got;
		if (got <= 0)
			break;
		put_bytes(&bytes, chunk, (size_t)got);
		total += got;
	}
	if (descriptor >= 0)
		call1(SYS_close, descriptor);
	put_text(text, "is ");
	put_number(text, error < 0 ? error : total);
	put_text(text, " ");
	for (size_t at = 0; at < bytes.length; at++)
		text->start[text->length++] = bytes.start[at];
	text->start[text->length] = '\0';
	text->is_full |= bytes.is_full;
	return error < 0 ? error : total;
}

/* Writes all bytes at once: their number, or a negated errno. */
int64_t write_file(const char *path, int64_t offset, const char *bytes, size_t length)
{
	int64_t descriptor = call4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	int64_t written;

	if (descriptor < 0)
		return descriptor;
	written = offset == 0 ? call3(SYS_write, descriptor, bytes, length) :
				call4(SYS_pwrite64, descriptor, bytes, length, offset);
	call1(SYS_close, descriptor);
	return written;
}

/* Reads the process's own memory by process_vm_readv: answers `is N BYTES`, N being the bytes that were moved or a negated errno. */
int64_t copy_own_memory(struct actor *actor, uint64_t address, size_t length)
{
	static unsigned char copies[MOST_ACTORS][4 * PAGE_BYTES];
	unsigned char *copy = copies[actor->index];
	struct iovec to = { .iov_base = copy, .iov_len = length };
	struct iovec from = { .iov_base = (void *)address, .iov_len = length };
	int64_t moved = -22;

	if (length <= sizeof(copies[0]))
		moved = call6(SYS_process_vm_readv, call0(SYS_getpid), &to, 1, &from, 1, 0);
	put_text(&actor->answer, "is ");
	put_number(&actor->answer, moved);
	put_text(&actor->answer, " ");
	if (moved > 0)
		put_bytes(&actor->answer, copy, (size_t)moved);
	return moved;
}

int64_t load_module(const char *path, const char *parameters)
{
	int64_t descriptor = call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	int64_t answer;

	if (descriptor < 0)
		return descriptor;
	answer = call3(SYS_finit_module, descriptor, parameters, 0);
	call1(SYS_close, descriptor);
	return answer;
}
