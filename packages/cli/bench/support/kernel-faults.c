// Takes map-only minor faults of the running kernel: the pages of a memory file exist, and each is touched for the
// first time through a fresh shared mapping. Prints the nanoseconds a fault of each round, one a line.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	int rounds = argc > 2 ? atoi(argv[2]) : 9;
	size_t size = pages * 4096;
	int fd = memfd_create("bench", 0);
	char zero[4096] = { 1 };

	if (fd < 0 || ftruncate(fd, (off_t)size))
		return 1;
	for (size_t i = 0; i < pages; i++)
		if (pwrite(fd, zero, sizeof(zero), (off_t)(i * 4096)) != sizeof(zero))
			return 1;
	for (int round = 0; round < rounds; round++) {
		volatile char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		uint64_t start;

		if (map == MAP_FAILED)
			return 1;
		madvise((void *)map, size, MADV_NOHUGEPAGE);
		start = now();
		for (size_t i = 0; i < pages; i++)
			map[i * 4096] = 1;
		printf("%.1f\n", (double)(now() - start) / (double)pages);
		munmap((void *)map, size);
	}
	return 0;
}
