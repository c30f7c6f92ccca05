/*
 * What an actor can be asked to do. An operation is a word and its arguments; its answer is words again, the first of which
 * says what kind it is:
 *
 *   call NR ARGUMENT...     a system call: `is N`, and what it has written into each buffer
 *   load WIDTH ADDRESS      `value N` or `trap SIGNAL CODE ADDRESS`
 *   store WIDTH ADDRESS N   `done` or `trap SIGNAL CODE ADDRESS`
 *   areas, status, faults   what the kernel shows of the process
 *   read PATH OFFSET N      up to N bytes of a file: `is N BYTES`
 *   write PATH OFFSET BYTES `is N`
 *   copy ADDRESS N          the process's own memory by process_vm_readv: `is N BYTES`
 *   insert PATH PARAMETERS  loads a module: `is N`
 *   thread N, fork N        starts the actor N: `is N`
 *   count SIGNAL, taken SIGNAL
 *   echo N                  `is N`
 *   repeat N                as the first of a line: `is N`, and the rest of the line N times over, of which the last is answered
 *
 * An argument of a system call is a number, `:BYTES` for the address of these bytes, or `>N` for the address of N bytes for
 * the call to write into, which the answer shows. What cannot be understood answers `what WORD`; a call that would change the
 * agent's own memory is not made, and answers `own`.
 */
#include "agent.h"
#include "system-call.h"

#include <string.h>

#define MOST_ARGUMENTS 6
/* Bytes that a system call may write for its answer. */
#define BUFFER_BYTES 12288

static unsigned char buffers[MOST_ACTORS][BUFFER_BYTES] __attribute__((aligned(16)));

static int64_t answer_number(struct actor *actor, int64_t number)
{
	put_text(&actor->answer, "is ");
	put_number(&actor->answer, number);
	return number;
}

static int64_t not_understood(struct actor *actor, const char *word)
{
	put_text(&actor->answer, "what ");
	put_text(&actor->answer, word == NULL ? "nothing" : word);
	return -22;
}

static int read_argument(struct actor *actor, struct words *words, int64_t *number)
{
	char *word = next_word(words);

	return word == NULL ? -1 : read_number(&actor->earlier, word, number);
}

static int64_t do_call(struct actor *actor, struct words *words)
{
	int64_t arguments[MOST_ARGUMENTS + 1] = { 0 };
	size_t shown[MOST_ARGUMENTS + 1] = { 0 };
	size_t used = 0;
	unsigned int count = 0;
	int64_t answer;

	for (char *word = next_word(words); word != NULL; word = next_word(words), count++) {
		if (count > MOST_ARGUMENTS)
			return not_understood(actor, word);
		if (*word == ':') {
			size_t length;

			if (decode_bytes(word + 1, &length) < 0)
				return not_understood(actor, word);
			arguments[count] = (int64_t)(word + 1);
		} else if (*word == '>') {
			int64_t bytes;

			if (read_number(&actor->earlier, word + 1, &bytes) < 0 || bytes < 0 ||
			    (size_t)bytes > BUFFER_BYTES - used)
				return not_understood(actor, word);
			arguments[count] = (int64_t)(buffers[actor->index] + used);
			shown[count] = (size_t)bytes;
			memset(buffers[actor->index] + used, 0, (size_t)bytes);
			used += ((size_t)bytes + 15) & ~(size_t)15;
		} else if (read_number(&actor->earlier, word, &arguments[count]) < 0) {
			return not_understood(actor, word);
		}
	}
	if (count == 0)
		return not_understood(actor, NULL);
	if (changes_own_memory(arguments)) {
		put_text(&actor->answer, "own");
		return -1;
	}
	answer = system_call(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5],
			     arguments[6]);
	answer_number(actor, answer);
	for (unsigned int at = 0; at <= MOST_ARGUMENTS; at++) {
		if (shown[at] == 0)
			continue;
		put_text(&actor->answer, " ");
		put_bytes(&actor->answer, (unsigned char *)arguments[at], shown[at]);
	}
	return answer;
}

static int64_t do_access(struct actor *actor, struct words *words, int is_store)
{
	int64_t width, address, value = 0;

	if (read_argument(actor, words, &width) < 0 || read_argument(actor, words, &address) < 0 ||
	    (is_store && read_argument(actor, words, &value) < 0))
		return not_understood(actor, "an access");
	if (is_store)
		return store(actor, (uint64_t)address, (unsigned int)width, (uint64_t)value);
	return load(actor, (uint64_t)address, (unsigned int)width);
}

/* Operations that begin with the path of a file. */
static int64_t do_file(struct actor *actor, struct words *words, const char *name)
{
	char *path = next_word(words);
	int64_t offset = 0, count = 0;
	size_t length;
	char *bytes;

	if (path == NULL || *path != ':' || decode_bytes(path + 1, &length) < 0)
		return not_understood(actor, path);
	path++;
	if (strcmp(name, "insert") == 0) {
		bytes = next_word(words);
		if (bytes != NULL && (*bytes != ':' || decode_bytes(bytes + 1, &length) < 0))
			return not_understood(actor, bytes);
		return answer_number(actor, load_module(path, bytes == NULL ? "" : bytes + 1));
	}
	if (read_argument(actor, words, &offset) < 0)
		return not_understood(actor, name);
	if (strcmp(name, "read") == 0) {
		if (read_argument(actor, words, &count) < 0 || count < 0)
			return not_understood(actor, name);
		return read_file(actor, path, offset, (size_t)count);
	}
	bytes = next_word(words);
	if (bytes == NULL || *bytes != ':' || decode_bytes(bytes + 1, &length) < 0)
		return not_understood(actor, bytes);
	return answer_number(actor, write_file(path, offset, bytes + 1, length));
}

static int64_t do_copy(struct actor *actor, struct words *words)
{
	int64_t address, length;

	if (read_argument(actor, words, &address) < 0 || read_argument(actor, words, &length) < 0)
		return not_understood(actor, "copy");
	return copy_own_memory(actor, (uint64_t)address, (size_t)length);
}

/* Operations on one number. */
static int64_t do_numbered(struct actor *actor, struct words *words, const char *name)
{
	int64_t number;

	if (read_argument(actor, words, &number) < 0)
		return not_understood(actor, name);
	if (strcmp(name, "thread") == 0)
		return answer_number(actor, start_thread((unsigned int)number));
	if (strcmp(name, "fork") == 0)
		return answer_number(actor, start_fork((unsigned int)number));
	if (strcmp(name, "count") == 0)
		return answer_number(actor, count_signal((int)number));
	if (strcmp(name, "taken") == 0)
		return answer_number(actor, signals_taken((int)number));
	if (strcmp(name, "echo") == 0)
		return answer_number(actor, number);
	return not_understood(actor, name);
}

/* Does one operation and adds its answer: the number that later operations of the line can refer to. */
int64_t perform(struct actor *actor, struct words *words)
{
	char *name = next_word(words);

	if (name == NULL)
		return not_understood(actor, name);
	if (strcmp(name, "call") == 0)
		return do_call(actor, words);
	if (strcmp(name, "load") == 0)
		return do_access(actor, words, 0);
	if (strcmp(name, "store") == 0)
		return do_access(actor, words, 1);
	if (strcmp(name, "copy") == 0)
		return do_copy(actor, words);
	if (strcmp(name, "areas") == 0)
		return show_areas(actor);
	if (strcmp(name, "status") == 0)
		return show_status(actor);
	if (strcmp(name, "faults") == 0)
		return show_faults(actor);
	if (strcmp(name, "read") == 0 || strcmp(name, "write") == 0 || strcmp(name, "insert") == 0)
		return do_file(actor, words, name);
	return do_numbered(actor, words, name);
}
