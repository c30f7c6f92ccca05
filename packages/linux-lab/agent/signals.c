/*
 * Signals that a program has counted instead of dying of them.
 */
#include "agent.h"

static volatile int taken[65];

/* Counts a signal that has arrived. */
void note_signal(int signal)
{
	__atomic_add_fetch(&taken[signal], 1, __ATOMIC_SEQ_CST);
}

/*
 * From now on the signal is counted in this process. A system call that it interrupts does not start again by itself. SIGSEGV
 * and SIGBUS are caught already, and counted whether anybody has asked for it or not.
 */
int64_t count_signal(int signal)
{
	struct sigaction action = { .sa_handler = note_signal };

	if (signal < 1 || signal > 64)
		return -1;
	taken[signal] = 0;
	if (signal == SIGSEGV || signal == SIGBUS)
		return 0;
	return sigaction(signal, &action, NULL);
}

int64_t signals_taken(int signal)
{
	return signal < 1 || signal > 64 ? -1 : taken[signal];
}

/* A new process has counted nothing yet. */
void forget_signals(void)
{
	for (int signal = 1; signal < 65; signal++)
		taken[signal] = 0;
}
