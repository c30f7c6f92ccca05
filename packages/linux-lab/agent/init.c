/*
 * The first process of the guest: mounts what programs look at, opens the line to the host, and becomes the hub.
 */
#include "agent.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/*
 * Behind the agent's own code and data, which begin at 4 MiB, and its heap, which begins up to 32 MiB behind them
 * (arch_randomize_brk); below every address that programs name, and far below what mmap gives.
 */
#define DESKS_ADDRESS ((void *)0x08000000)

struct desk *desks;

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}

/* The kernel opens none for want of a device node; programs find what they find everywhere at 0, 1 and 2. */
static void open_console(void)
{
	while (open("/dev/console", O_RDWR) >= 0 && fcntl(STDERR_FILENO, F_GETFD) < 0)
		continue;
}

static void set(const char *path, const char *value)
{
	if (write_file(path, 0, value, strlen(value)) < 0)
		printf("the agent cannot set %s\n", path);
}

/* Whatever the kernel complains about is to reach the console, where the host reads it: the boot alone was quiet. */
static void hear_complaints(void)
{
	set("/proc/sys/kernel/printk", "8");
	set("/proc/sys/kernel/printk_devkmsg", "on\n");
	set("/proc/sys/kernel/hung_task_timeout_secs", "10");
	set("/proc/sys/kernel/hung_task_warnings", "-1");
}

static int open_serial(const char *path)
{
	struct termios settings;
	int low = open(path, O_RDWR | O_NOCTTY);
	int serial = low < 0 ? low : dup2(low, SERIAL_DESCRIPTOR);

	if (serial < 0 || tcgetattr(serial, &settings) < 0)
		return -1;
	close(low);
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	settings.c_cflag |= CLOCAL;
	tcsetattr(serial, TCSANOW, &settings);
	return serial;
}

int main(void)
{
	int serial;

	mount_all();
	open_console();
	hear_complaints();
	serial = open_serial("/dev/ttyS1");
	/* Out of the way of what the kernel chooses a place for: nothing lies behind a program's first mapping. */
	desks = mmap(DESKS_ADDRESS, (MOST_ACTORS + 1) * sizeof(*desks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (serial < 0 || desks == MAP_FAILED) {
		printf("the agent has no line to the host\n");
		reboot(RB_POWER_OFF);
	}
	/* In a page of its own, so that a program's processes need nobody else's desk. */
	meeting = (void *)(((uintptr_t)(desks + MOST_ACTORS) + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1));
	prepare_races();
	catch_traps();
	run_hub(serial);
}
