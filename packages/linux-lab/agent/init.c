/*
 * The first process of the guest: mounts what programs look at, opens the line to the host, and becomes the hub.
 */
#include "agent.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

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
	serial = open_serial("/dev/ttyS1");
	desks = mmap(NULL, MOST_ACTORS * sizeof(*desks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (serial < 0 || desks == MAP_FAILED) {
		printf("the agent has no line to the host\n");
		reboot(RB_POWER_OFF);
	}
	catch_traps();
	run_hub(serial);
}
