/*
 * The agent of the Linux lab: the guest's init, which does what the host asks for over a serial line.
 *
 * The hub is process 1. It reads lines, hands each to the actor that it is for, and writes answers. An actor is a thread of a
 * process of the program under test; it does one line at a time. Hub and actors share one piece of memory, the desks: one
 * desk for each actor, with the line to do and the answer. What an actor runs calls the kernel without the C library wherever
 * the library would use memory of its own or the thread's errno, which the actors of one process have in common.
 */
#ifndef NOPAGE_LAB_AGENT_H
#define NOPAGE_LAB_AGENT_H

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_ACTORS 24
#define LINE_BYTES 8192
#define ANSWER_BYTES 32768
#define STACK_BYTES 32768
#define PAGE_BYTES 4096

/* The line to the host, and where the hub is told that an actor has something for it: far from what programs get. */
#define SERIAL_DESCRIPTOR 999
#define BELL_DESCRIPTOR 1000

enum desk_state {
	DESK_EMPTY,	/* no actor has it */
	DESK_IDLE,	/* its actor waits for a line */
	DESK_BUSY,	/* its actor does the line, or is about to */
	DESK_DONE,	/* the answer is there for the hub to fetch */
};

/* What hub and actor have in common; `state` is what both wait for. */
struct desk {
	volatile uint32_t state;
	volatile int process;
	volatile int thread;
	/* The race that the line belongs to, or 0, and how much later than the others it is to begin. */
	uint32_t race;
	uint32_t delay_us;
	char sequence[24];
	char line[LINE_BYTES];
	char answer[ANSWER_BYTES];
};

extern struct desk *desks;

/*
 * Where the actors of a race wait for each other: in the upper half of `state` which race it is, in the lower how many have come;
 * when they begin, once that is agreed on; and when each was heard of last. Times are what the CPUs count.
 */
struct meeting {
	uint64_t state;
	uint64_t begin;
	uint64_t pulse[MOST_ACTORS];
	uint32_t racers;
};

extern struct meeting *meeting;

/* The text of an operation, word by word. */
struct words {
	char *next;
};

/* Where an answer grows; one that does not fit is no answer. */
struct text {
	char *start;
	size_t length;
	size_t room;
	int is_full;
};

/* Answers of the operations before this one in the same line, which it may refer to. */
struct earlier {
	int64_t answer[256];
	unsigned int count;
};

/* What an operation needs to know of who does it. */
struct actor {
	unsigned int index;
	struct desk *desk;
	struct earlier earlier;
	struct text answer;
};

/* words.c */
char *next_word(struct words *words);
int read_number(const struct earlier *earlier, const char *word, int64_t *number);
int decode_bytes(char *word, size_t *length);
void put_text(struct text *text, const char *added);
void put_number(struct text *text, int64_t number);
void put_hexadecimal(struct text *text, uint64_t number);
void put_bytes(struct text *text, const unsigned char *bytes, size_t length);

/* access.c */
void catch_traps(void);
int64_t load(struct actor *actor, uint64_t address, unsigned int width);
int64_t store(struct actor *actor, uint64_t address, unsigned int width, uint64_t value);

/* signals.c */
int64_t count_signal(int signal);
int64_t signals_taken(int signal);
void forget_signals(void);
void note_signal(int signal);

/* actor.c */
unsigned int current_actor(void);
int64_t start_process(unsigned int index);
int64_t start_thread(unsigned int index);
int64_t start_fork(unsigned int index);

/* operations.c */
int64_t perform(struct actor *actor, struct words *words);

/* showing.c */
int64_t show_areas(struct actor *actor);
int64_t show_status(struct actor *actor);
int64_t show_faults(struct actor *actor);

/* own.c */
int changes_own_memory(const int64_t *call);

/* files.c */
int64_t read_file(struct actor *actor, const char *path, int64_t offset, size_t length);
int64_t write_file(const char *path, int64_t offset, const char *bytes, size_t length);
int64_t copy_own_memory(struct actor *actor, uint64_t address, size_t length);
int64_t load_module(const char *path, const char *parameters);

/* race.c */
void prepare_races(void);
void start_race(char *lines);
void begin_race(const struct desk *desk);

/* hub.c */
struct desk *put_on_desk(const char *sequence, const char *actor, const char *operations);
void hand_over(struct desk *desk);
void run_hub(int serial) __attribute__((noreturn));

#endif
