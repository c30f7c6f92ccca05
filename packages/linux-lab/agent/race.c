/*
 * Races: operations of several actors that begin at the same time, or the one so much later than the other as the host says.
 * Each of these actors comes to the meeting, waits there for the others, and spins for its delay; what it does then meets what
 * the others do on another CPU, which it would not if each began when its own line comes.
 */
#include "agent.h"
#include "system-call.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Who does not come in this time has been killed on the way, or has no CPU: the others begin without it. */
#define PATIENCE_US 100000
/* Who has been heard of so recently is on a CPU: the host may have given it to somebody else. */
#define PULSE_US 10
/* The time from the agreement to the beginning. */
#define LEAD_US 15

struct meeting *meeting;
static uint64_t ticks_per_us = 1000;
static unsigned int cpus = 1;

static uint64_t ticks_now(void)
{
	return __builtin_ia32_rdtsc();
}

static uint64_t nanoseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Finds out how many CPUs there are and how fast they count, before there is any actor. */
void prepare_races(void)
{
	uint64_t begun = nanoseconds_now(), ticks = ticks_now(), passed;

	cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	do
		passed = nanoseconds_now() - begun;
	while (passed < 5000000);
	ticks_per_us = (ticks_now() - ticks) * 1000 / passed;
}

/* From now on so many actors are waited for: what their desks are given as `race`. */
static uint32_t call_meeting(unsigned int racers)
{
	uint32_t race = (uint32_t)(meeting->state >> 32) + 1;

	/* An actor's desk says 0 for no race. */
	if (race == 0)
		race = 1;
	meeting->racers = racers;
	meeting->begin = 0;
	memset(meeting->pulse, 0, sizeof(meeting->pulse));
	__atomic_store_n(&meeting->state, (uint64_t)race << 32, __ATOMIC_RELEASE);
	return race;
}

/* What comes after `*`: lines with a delay each, of actors that begin together. */
void start_race(char *lines)
{
	struct desk *racers[MOST_ACTORS];
	unsigned int count = 0;
	uint32_t race;

	while (lines != NULL && count < MOST_ACTORS) {
		char *end = strchr(lines, '|');
		struct words words = { .next = lines };

		if (end != NULL)
			*end++ = '\0';
		lines = end;
		char *delay = next_word(&words);
		char *sequence = next_word(&words);
		char *actor = next_word(&words);

		if (actor == NULL)
			continue;
		struct desk *desk = put_on_desk(sequence, actor, words.next);

		if (desk == NULL)
			continue;
		desk->delay_us = (uint32_t)strtoul(delay, NULL, 10);
		racers[count++] = desk;
	}
	race = call_meeting(count);
	for (unsigned int at = 0; at < count; at++) {
		racers[at]->race = race;
		hand_over(racers[at]);
	}
}

/* Whether as many of those who wait are on a CPU at this moment as there are CPUs for. */
static int are_awake(uint64_t now)
{
	unsigned int awake = 0, wanted = meeting->racers < cpus ? meeting->racers : cpus;

	for (unsigned int slot = 0; slot < meeting->racers; slot++)
		awake += now - __atomic_load_n(&meeting->pulse[slot], __ATOMIC_RELAXED) < PULSE_US * ticks_per_us;
	return awake >= wanted;
}

/*
 * Comes to the meeting, and waits until all are there and awake: when they begin, in ticks. Nobody waits for a meeting after
 * which another has been called.
 */
static uint64_t agree_on_beginning(uint32_t race)
{
	uint64_t until = ticks_now() + PATIENCE_US * ticks_per_us;
	uint64_t state = __atomic_load_n(&meeting->state, __ATOMIC_ACQUIRE);
	uint32_t slot;

	do {
		if (state >> 32 != race)
			return 0;
		slot = (uint32_t)state;
	} while (!__atomic_compare_exchange_n(&meeting->state, &state, state + 1, 0, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	for (;;) {
		uint64_t now = ticks_now();
		uint64_t begin = __atomic_load_n(&meeting->begin, __ATOMIC_ACQUIRE);

		__atomic_store_n(&meeting->pulse[slot], now, __ATOMIC_RELAXED);
		state = __atomic_load_n(&meeting->state, __ATOMIC_ACQUIRE);
		if (state >> 32 != race || begin != 0 || now > until)
			return begin;
		if ((uint32_t)state >= meeting->racers && are_awake(now))
			/* Whoever sees it first says when; the others hear of it by then. */
			__atomic_compare_exchange_n(&meeting->begin, &begin, now + LEAD_US * ticks_per_us, 0,
						    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		/* Of three actors on two CPUs one has to make room. */
		call0(SYS_sched_yield);
	}
}

/* Begins what is on the desk together with the others of its race, as far as it belongs to one. */
void begin_race(const struct desk *desk)
{
	uint64_t begin;

	if (desk->race == 0)
		return;
	begin = agree_on_beginning(desk->race) + desk->delay_us * ticks_per_us;
	while (ticks_now() < begin)
		continue;
}
