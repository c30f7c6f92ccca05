/*
 * What the kernel shows of the calling process in /proc/self, without the agent's own part of it.
 */
#include "agent.h"
#include "system-call.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define CHUNK_BYTES 2048
#define LINE_ROOM 512

extern char _end[];

/* A file that is read line by line. */
struct lines {
	int64_t descriptor;
	size_t at;
	size_t filled;
	char chunk[CHUNK_BYTES];
};

/* Reads the next line without its end; NULL at the end of the file. What does not fit is left out. */
static char *next_line(struct lines *lines, char *line)
{
	size_t length = 0;

	for (;;) {
		if (lines->at == lines->filled) {
			int64_t got = call3(SYS_read, lines->descriptor, lines->chunk, CHUNK_BYTES);

			if (got <= 0)
				return NULL;
			lines->at = 0;
			lines->filled = (size_t)got;
		}
		char character = lines->chunk[lines->at++];

		if (character == '\n')
			break;
		if (length + 1 < LINE_ROOM)
			line[length++] = character;
	}
	line[length] = '\0';
	return line;
}

static uint64_t hexadecimal(const char **next)
{
	uint64_t value = 0;

	for (;; (*next)++) {
		char digit = **next;

		if (digit >= '0' && digit <= '9')
			value = value * 16 + (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			value = value * 16 + (uint64_t)(digit - 'a' + 10);
		else
			return value;
	}
}

/* The number in a line such as `Rss:     4 kB`. */
static int64_t number_in(const char *line)
{
	int64_t value = 0;

	while (*line != '\0' && (*line < '0' || *line > '9'))
		line++;
	for (; *line >= '0' && *line <= '9'; line++)
		value = value * 10 + (*line - '0');
	return value;
}

static int begins_with(const char *line, const char *name)
{
	return strncmp(line, name, strlen(name)) == 0;
}

/* Whether the agent would have the area without any program. */
static int is_own_area(uint64_t start, const char *name)
{
	return start < (uint64_t)_end || start == (uint64_t)desks || begins_with(name, "[heap]") ||
	       begins_with(name, "[stack]") || begins_with(name, "[v");
}

/* The head of an area, such as `7f00-7f10 rw-s 00000000 00:01 12   /memfd:name (deleted)`; 0 for one of the agent's own. */
static int show_head(struct text *text, const char *line)
{
	const char *next = line;
	uint64_t start = hexadecimal(&next);
	uint64_t end, offset;
	const char *permissions;

	next++;
	end = hexadecimal(&next);
	permissions = ++next;
	next += 5;
	offset = hexadecimal(&next);
	for (int column = 0; column < 2; column++) {
		next += strspn(next, " ");
		next += strcspn(next, " ");
	}
	next += strspn(next, " ");
	if (is_own_area(start, next))
		return 0;
	put_text(text, " area ");
	put_hexadecimal(text, start);
	put_text(text, " ");
	put_hexadecimal(text, end);
	put_text(text, " ");
	put_hexadecimal(text, offset);
	put_text(text, permissions[3] == 's' ? " shared :" : " private :");
	put_bytes(text, (const unsigned char *)next, strlen(next));
	return 1;
}

static void show_size(struct text *text, const char *line, const char *name)
{
	if (!begins_with(line, name))
		return;
	put_text(text, " ");
	put_number(text, number_in(line));
}

/*
 * Answers `is 0`, and for each area `area START END OFFSET shared|private :NAME RSS ANONYMOUS LOCKED FLAG...`: addresses and
 * the offset in bytes, sizes in kilobytes. In the order in which smaps has them: Rss, Anonymous, Locked, VmFlags.
 */
int64_t show_areas(struct actor *actor)
{
	struct lines lines = { 0 };
	char line[LINE_ROOM];
	struct text *text = &actor->answer;
	int is_shown = 0;

	lines.descriptor = call4(SYS_openat, AT_FDCWD, "/proc/self/smaps", O_RDONLY | O_CLOEXEC, 0);
	put_text(text, "is ");
	put_number(text, lines.descriptor < 0 ? lines.descriptor : 0);
	while (lines.descriptor >= 0 && next_line(&lines, line) != NULL) {
		if (line[0] < 'A' || line[0] > 'Z')
			is_shown = show_head(text, line);
		if (!is_shown)
			continue;
		show_size(text, line, "Rss:");
		show_size(text, line, "Anonymous:");
		show_size(text, line, "Locked:");
		if (begins_with(line, "VmFlags:"))
			put_text(text, line + strlen("VmFlags:"));
	}
	if (lines.descriptor >= 0)
		call1(SYS_close, lines.descriptor);
	return 0;
}

/*
 * A thread keeps what it adds to its process's counters to itself for a while (SPLIT_RSS_COUNTING of 6.1); zapping even nothing
 * makes it hand that over (`add_mm_rss_vec`).
 */
static void hand_over_counts(void)
{
	static char page[2 * PAGE_BYTES];
	uintptr_t start = ((uintptr_t)page + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);

	call3(SYS_madvise, start, PAGE_BYTES, MADV_DONTNEED);
}

/* Whether the line is the head of an area that the agent would have without any program. */
static int is_own_head(const char *line)
{
	const char *next = line;
	uint64_t start = hexadecimal(&next);

	for (int column = 0; column < 5; column++) {
		next += strcspn(next, " ");
		next += strspn(next, " ");
	}
	return is_own_area(start, next);
}

/* What the agent's own areas have of the size and of the resident pages of the process. */
static void measure_own(int64_t *size, int64_t *resident)
{
	struct lines lines = { 0 };
	char line[LINE_ROOM];
	int is_own = 0;

	lines.descriptor = call4(SYS_openat, AT_FDCWD, "/proc/self/smaps", O_RDONLY | O_CLOEXEC, 0);
	while (lines.descriptor >= 0 && next_line(&lines, line) != NULL) {
		if (line[0] < 'A' || line[0] > 'Z')
			is_own = is_own_head(line);
		if (is_own && begins_with(line, "Size:"))
			*size += number_in(line);
		if (is_own && begins_with(line, "Rss:"))
			*resident += number_in(line);
	}
	if (lines.descriptor >= 0)
		call1(SYS_close, lines.descriptor);
}

/* Answers `is 0 SIZE RSS LOCKED PINNED`, in kilobytes, without what the agent has of size and resident pages. */
int64_t show_status(struct actor *actor)
{
	struct lines lines = { 0 };
	char line[LINE_ROOM];
	int64_t size = 0, resident = 0, locked = 0, pinned = 0;
	int64_t own_size = 0, own_resident = 0;

	hand_over_counts();
	measure_own(&own_size, &own_resident);
	lines.descriptor = call4(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	while (lines.descriptor >= 0 && next_line(&lines, line) != NULL) {
		if (begins_with(line, "VmSize:"))
			size = number_in(line);
		if (begins_with(line, "VmRSS:"))
			resident = number_in(line);
		if (begins_with(line, "VmLck:"))
			locked = number_in(line);
		if (begins_with(line, "VmPin:"))
			pinned = number_in(line);
	}
	if (lines.descriptor >= 0)
		call1(SYS_close, lines.descriptor);
	put_text(&actor->answer, "is ");
	put_number(&actor->answer, lines.descriptor < 0 ? lines.descriptor : 0);
	for (int at = 0; at < 4; at++) {
		int64_t sizes[] = { size - own_size, resident - own_resident, locked, pinned };

		put_text(&actor->answer, " ");
		put_number(&actor->answer, sizes[at]);
	}
	return 0;
}

/* Answers `is 0 MINOR MAJOR`: the faults of the calling thread. */
int64_t show_faults(struct actor *actor)
{
	struct rusage usage;
	int64_t answer = call2(SYS_getrusage, RUSAGE_THREAD, &usage);

	put_text(&actor->answer, "is ");
	put_number(&actor->answer, answer);
	put_text(&actor->answer, " ");
	put_number(&actor->answer, usage.ru_minflt);
	put_text(&actor->answer, " ");
	put_number(&actor->answer, usage.ru_majflt);
	return answer;
}
