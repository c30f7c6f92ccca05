/*
 * The hub: reads lines from the host, hands them to actors, writes answers and tells of processes that have ended. It does
 * nothing itself that could block, so that the host always gets an answer.
 *
 * From the host: `SEQUENCE ACTOR OPERATION[;OPERATION...]`, answered `SEQUENCE ANSWER[;ANSWER...]` when the actor is done.
 * Actor `-` is the hub:
 *
 *   hello                   `is 0`
 *   process N               starts a process whose first thread is actor N: `is PID`
 *   state N...              for each, `ended`, `idle`, or `STATE SWITCHES WCHAN` of the line it is doing
 *   kill N SIGNAL           to actor N's thread; `killall N SIGNAL` to its process
 *   mark WORD               writes a line of its own into the kernel's log: `is 0 TAINT`, with the number of
 *                           /proc/sys/kernel/tainted
 *   sysrq LETTER            has the kernel log what /proc/sysrq-trigger does for the letter: `is N`
 *   reset                   ends every actor: `is 0`, or `is -EBUSY ACTOR...` with those that do not die; what the kernel
 *                           warns of once only it warns of once more
 *
 * Several actors begin at the same time with `* DELAY SEQUENCE ACTOR OPERATION...[|DELAY SEQUENCE ACTOR OPERATION...]`, each so
 * many microseconds after all are ready; each is answered as if it had had a line to itself.
 *
 * Of its own accord the hub writes `! gone ACTOR... STATUS` when a process has ended that these actors belonged to.
 */
#include "agent.h"
#include "system-call.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Turns of a hundredth of a second that a reset waits for actors to die. */
#define RESET_TURNS 300

static int serial;
static char input[LINE_BYTES + 64];
static size_t filled;

static void send_text(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(serial, text, length);

		if (written < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (written > 0) {
			text += written;
			length -= (size_t)written;
		}
	}
}

static void send_line(const char *sequence, const char *text)
{
	static char line[ANSWER_BYTES + 64];
	int length = snprintf(line, sizeof(line), "%s %s\n", sequence, text);

	send_text(line, (size_t)length);
}

static struct desk *desk_of(const char *word)
{
	unsigned long index = word == NULL ? MOST_ACTORS : strtoul(word, NULL, 10);

	return index < MOST_ACTORS ? &desks[index] : NULL;
}

static void clear_desk(struct desk *desk)
{
	desk->process = 0;
	desk->thread = 0;
	desk->state = DESK_EMPTY;
}

/* Fetches what actors have left on their desks. */
static void fetch_answers(void)
{
	for (unsigned int index = 0; index < MOST_ACTORS; index++) {
		struct desk *desk = &desks[index];

		if (__atomic_load_n(&desk->state, __ATOMIC_ACQUIRE) != DESK_DONE)
			continue;
		send_line(desk->sequence, desk->answer);
		__atomic_store_n(&desk->state, DESK_IDLE, __ATOMIC_RELEASE);
	}
}

/* Tells of processes that have ended: by which signal as a negative number, or with which status. */
static void reap(void)
{
	int status, process;

	while ((process = waitpid(-1, &status, WNOHANG)) > 0) {
		char text[256];
		size_t length = (size_t)snprintf(text, sizeof(text), "gone");

		fetch_answers();
		for (unsigned int index = 0; index < MOST_ACTORS; index++) {
			if (desks[index].process != process)
				continue;
			clear_desk(&desks[index]);
			length += (size_t)snprintf(text + length, sizeof(text) - length, " %u", index);
		}
		snprintf(text + length, sizeof(text) - length, " %d",
			 WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
		send_line("!", text);
	}
}

/* The field of /proc/PID/task/TID/FILE that begins with `name`, or the whole file where that is empty. */
static void read_task_file(const struct desk *desk, const char *file, const char *name, char *value, size_t room)
{
	char path[96], text[2048];
	ssize_t length = -1;
	int descriptor;

	snprintf(value, room, "-");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", desk->process, desk->thread, file);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor >= 0) {
		length = read(descriptor, text, sizeof(text) - 1);
		close(descriptor);
	}
	if (length <= 0)
		return;
	text[length] = '\0';
	char *at = strstr(text, name);

	if (at == NULL)
		return;
	at += strlen(name);
	at += strspn(at, " \t");
	at[strcspn(at, " \t\n")] = '\0';
	snprintf(value, room, "%s", *at == '\0' ? "-" : at);
}

static void answer_states(const char *sequence, struct words *words)
{
	char text[2048];
	size_t length = (size_t)snprintf(text, sizeof(text), "is 0");

	for (char *word = next_word(words); word != NULL; word = next_word(words)) {
		struct desk *desk = desk_of(word);
		char state[16], switches[24], place[64];

		if (desk == NULL || desk->state == DESK_EMPTY || length > sizeof(text) - 128) {
			length += (size_t)snprintf(text + length, sizeof(text) - length, " ended - -");
			continue;
		}
		if (desk->state == DESK_IDLE || desk->state == DESK_DONE) {
			length += (size_t)snprintf(text + length, sizeof(text) - length, " idle - -");
			continue;
		}
		read_task_file(desk, "status", "State:", state, sizeof(state));
		read_task_file(desk, "status", "\nvoluntary_ctxt_switches:", switches, sizeof(switches));
		read_task_file(desk, "wchan", "", place, sizeof(place));
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %s %s %s", state, switches, place);
	}
	send_line(sequence, text);
}

static void answer_number(const char *sequence, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "is %lld", (long long)number);
	send_line(sequence, text);
}

static void answer_kill(const char *sequence, struct words *words, int is_process)
{
	struct desk *desk = desk_of(next_word(words));
	char *signal = next_word(words);
	int64_t answer = -ESRCH;

	if (desk != NULL && signal != NULL && desk->process != 0) {
		int number = (int)strtol(signal, NULL, 10);

		answer = is_process ? call2(SYS_kill, desk->process, number) :
				      call3(SYS_tgkill, desk->process, desk->thread, number);
	}
	answer_number(sequence, answer);
}

static int kill_all(void)
{
	int alive = 0;

	for (unsigned int index = 0; index < MOST_ACTORS; index++) {
		if (desks[index].process == 0)
			continue;
		alive++;
		kill(desks[index].process, SIGKILL);
	}
	return alive;
}

static void answer_reset(const char *sequence)
{
	struct timespec turn = { .tv_nsec = 10 * 1000 * 1000 };
	char text[256];
	size_t length = (size_t)snprintf(text, sizeof(text), "is %d", -EBUSY);

	for (int turns = 0; kill_all() > 0 && turns < RESET_TURNS; turns++) {
		reap();
		if (kill_all() > 0)
			nanosleep(&turn, NULL);
	}
	for (unsigned int index = 0; index < MOST_ACTORS; index++) {
		if (desks[index].process == 0)
			clear_desk(&desks[index]);
		else
			length += (size_t)snprintf(text + length, sizeof(text) - length, " %u", index);
	}
	write_file("/sys/kernel/debug/clear_warn_once", 0, "1", 1);
	if (strchr(text + 3, ' ') == NULL)
		answer_number(sequence, 0);
	else
		send_line(sequence, text);
}

static long taint(void)
{
	char text[32] = "";
	int descriptor = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
		return 0;
	(void)!read(descriptor, text, sizeof(text) - 1);
	close(descriptor);
	return strtol(text, NULL, 10);
}

/* What the kernel has logged before is on the console before this. */
static void answer_mark(const char *sequence, struct words *words)
{
	char *word = next_word(words);
	char text[128];
	int length = snprintf(text, sizeof(text), "<6>agent: %s\n", word == NULL ? "" : word);
	int64_t answer = write_file("/dev/kmsg", 0, text, (size_t)length);

	snprintf(text, sizeof(text), "is %lld %ld", answer < 0 ? (long long)answer : 0LL, taint());
	send_line(sequence, text);
}

static void do_own(const char *sequence, struct words *words)
{
	char *name = next_word(words);

	if (name == NULL)
		send_line(sequence, "what nothing");
	else if (strcmp(name, "hello") == 0)
		answer_number(sequence, 0);
	else if (strcmp(name, "state") == 0)
		answer_states(sequence, words);
	else if (strcmp(name, "kill") == 0)
		answer_kill(sequence, words, 0);
	else if (strcmp(name, "killall") == 0)
		answer_kill(sequence, words, 1);
	else if (strcmp(name, "mark") == 0)
		answer_mark(sequence, words);
	else if (strcmp(name, "reset") == 0)
		answer_reset(sequence);
	else if (strcmp(name, "sysrq") == 0) {
		char *letter = next_word(words);

		answer_number(sequence, letter == NULL ? -EINVAL : write_file("/proc/sysrq-trigger", 0, letter, 1));
	} else if (strcmp(name, "process") == 0) {
		char *index = next_word(words);

		answer_number(sequence, start_process(index == NULL ? MOST_ACTORS : (unsigned int)atoi(index)));
	} else
		send_line(sequence, "what name");
}

/* Puts a line on an actor's desk, which does not know yet; NULL when the actor has another, or is none. */
struct desk *put_on_desk(const char *sequence, const char *actor, const char *operations)
{
	struct desk *desk = desk_of(actor);

	if (desk == NULL || desk->state != DESK_IDLE) {
		send_line(sequence, "what actor");
		return NULL;
	}
	snprintf(desk->sequence, sizeof(desk->sequence), "%s", sequence);
	snprintf(desk->line, sizeof(desk->line), "%s", operations);
	return desk;
}

/* Lets the actor know of what is on its desk. */
void hand_over(struct desk *desk)
{
	__atomic_store_n(&desk->state, DESK_BUSY, __ATOMIC_RELEASE);
	call3(SYS_futex, &desk->state, FUTEX_WAKE, 1);
}

static void do_line(char *line)
{
	struct words words = { .next = line };
	char *sequence = next_word(&words);
	struct desk *desk;

	if (sequence != NULL && strcmp(sequence, "*") == 0) {
		start_race(words.next);
		return;
	}
	char *actor = next_word(&words);

	if (sequence == NULL || actor == NULL)
		return;
	if (strcmp(actor, "-") == 0) {
		do_own(sequence, &words);
		return;
	}
	desk = put_on_desk(sequence, actor, words.next);
	if (desk == NULL)
		return;
	desk->race = 0;
	hand_over(desk);
}

static void read_input(void)
{
	ssize_t got = read(serial, input + filled, sizeof(input) - 1 - filled);
	char *line = input;

	if (got <= 0)
		return;
	filled += (size_t)got;
	input[filled] = '\0';
	for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
		*end = '\0';
		do_line(line);
		line = end + 1;
	}
	filled -= (size_t)(line - input);
	memmove(input, line, filled);
	if (filled == sizeof(input) - 1) {
		send_line("?", "what line");
		filled = 0;
	}
}

static void on_child(int signal)
{
	uint64_t one = 1;

	(void)signal;
	call3(SYS_write, BELL_DESCRIPTOR, &one, sizeof(one));
}

void run_hub(int serial_given)
{
	struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP };
	int bell = eventfd(0, EFD_NONBLOCK);

	serial = serial_given;
	dup2(bell, BELL_DESCRIPTOR);
	close(bell);
	sigaction(SIGCHLD, &child, NULL);
	send_line("!", "ready");
	for (;;) {
		struct pollfd waiting[] = { { .fd = serial, .events = POLLIN },
					    { .fd = BELL_DESCRIPTOR, .events = POLLIN } };
		uint64_t rung;

		if (poll(waiting, 2, -1) < 0)
			continue;
		if ((waiting[1].revents & POLLIN) != 0) {
			(void)!read(BELL_DESCRIPTOR, &rung, sizeof(rung));
			fetch_answers();
			reap();
		}
		if ((waiting[0].revents & POLLIN) != 0)
			read_input();
	}
}
