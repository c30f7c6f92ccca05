/*
 * Loads and stores of the program under test. One that traps is left by a jump out of the signal's handler, and its answer says
 * which signal it was, with its code and address.
 */
#include "agent.h"

/* Where an actor goes on that traps, and what its handler saw. */
struct landing {
	sigjmp_buf place;
	volatile sig_atomic_t is_open;
	volatile int signal;
	volatile int code;
	volatile uint64_t address;
};

static struct landing landings[MOST_ACTORS];

static void on_trap(int signal, siginfo_t *info, void *context)
{
	struct landing *landing = &landings[current_actor()];

	(void)context;
	if (!landing->is_open) {
		/* A mistake of the agent's own: it dies of it. */
		struct sigaction by_default = { .sa_handler = SIG_DFL };

		sigaction(signal, &by_default, NULL);
		return;
	}
	landing->is_open = 0;
	note_signal(signal);
	landing->signal = signal;
	landing->code = info->si_code;
	landing->address = (uint64_t)info->si_addr;
	siglongjmp(landing->place, 1);
}

/* From now on this process survives a trap of an access; its children take that over. */
void catch_traps(void)
{
	/* SA_NODEFER, because a handler that is left by a jump would leave its signal blocked. */
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static int64_t answer_trap(struct actor *actor, const struct landing *landing)
{
	put_text(&actor->answer, "trap ");
	put_number(&actor->answer, landing->signal);
	put_text(&actor->answer, " ");
	put_number(&actor->answer, landing->code);
	put_text(&actor->answer, " ");
	put_hexadecimal(&actor->answer, landing->address);
	return 0;
}

static uint64_t load_width(uint64_t address, unsigned int width)
{
	switch (width) {
	case 1:
		return *(volatile uint8_t *)address;
	case 2:
		return *(volatile uint16_t *)address;
	case 4:
		return *(volatile uint32_t *)address;
	default:
		return *(volatile uint64_t *)address;
	}
}

static void store_width(uint64_t address, unsigned int width, uint64_t value)
{
	switch (width) {
	case 1:
		*(volatile uint8_t *)address = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)address = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)address = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)address = value;
	}
}

/* Answers `value 0x…`, or `trap SIGNAL CODE ADDRESS`. */
int64_t load(struct actor *actor, uint64_t address, unsigned int width)
{
	struct landing *landing = &landings[actor->index];
	uint64_t value;

	if (sigsetjmp(landing->place, 0) != 0)
		return answer_trap(actor, landing);
	landing->is_open = 1;
	value = load_width(address, width);
	landing->is_open = 0;
	put_text(&actor->answer, "value ");
	put_hexadecimal(&actor->answer, value);
	return (int64_t)value;
}

/* Answers `done`, or `trap SIGNAL CODE ADDRESS`. */
int64_t store(struct actor *actor, uint64_t address, unsigned int width, uint64_t value)
{
	struct landing *landing = &landings[actor->index];

	if (sigsetjmp(landing->place, 0) != 0)
		return answer_trap(actor, landing);
	landing->is_open = 1;
	store_width(address, width, value);
	landing->is_open = 0;
	put_text(&actor->answer, "done");
	return 0;
}
