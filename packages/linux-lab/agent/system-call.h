/*
 * System calls without the C library: the answer is the value or the negated errno, and nothing else is written.
 */
#ifndef NOPAGE_LAB_SYSTEM_CALL_H
#define NOPAGE_LAB_SYSTEM_CALL_H

#include <stdint.h>
#include <sys/syscall.h>

static inline int64_t system_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)
{
	register int64_t r10 __asm__("r10") = d;
	register int64_t r8 __asm__("r8") = e;
	register int64_t r9 __asm__("r9") = f;
	int64_t answer;

	__asm__ volatile("syscall"
			 : "=a"(answer)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return answer;
}

#define call0(number) system_call(number, 0, 0, 0, 0, 0, 0)
#define call1(number, a) system_call(number, (int64_t)(a), 0, 0, 0, 0, 0)
#define call2(number, a, b) system_call(number, (int64_t)(a), (int64_t)(b), 0, 0, 0, 0)
#define call3(number, a, b, c) system_call(number, (int64_t)(a), (int64_t)(b), (int64_t)(c), 0, 0, 0)
#define call4(number, a, b, c, d) \
	system_call(number, (int64_t)(a), (int64_t)(b), (int64_t)(c), (int64_t)(d), 0, 0)
#define call6(number, a, b, c, d, e, f)                                                                   \
	system_call(number, (int64_t)(a), (int64_t)(b), (int64_t)(c), (int64_t)(d), (int64_t)(e), \
		    (int64_t)(f))

#endif
