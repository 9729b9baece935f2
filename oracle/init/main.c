/*
 * hallmark-init: the first process of an enclave: makes it a machine that the
 * oracle can run in, measures the configuration, starts the oracle, and ends
 * the enclave with it. boot.c has the steps; here is what the enclave is like.
 */
#include "base/log.h"
#include "oracle/init/boot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

/* Nobody: no file belongs to it. /dev/nsm is open to all (its driver makes it
 * with mode 0666). */
#define ORACLE_USER        65534
#define ORACLE_DESCRIPTORS 65536
#define LAST_LINES_MS      3000

static const char usage[] =
    "hallmark-init: the first process of an enclave.\n"
    "\n"
    "The kernel starts it as /init; anybody else gets this text. It mounts\n"
    "/proc, /sys, /dev, /tmp and /run, answers nitro-cli's heartbeat, seeds\n"
    "the kernel's random numbers from the NSM, takes the configuration from\n"
    "/etc/hallmark/oracle.json, or from the parent if there is none, extends\n"
    "PCR16 with it and locks PCR16, and starts /bin/hallmark-oracle with it.\n"
    "The log goes to the console and to the parent. When the oracle ends, so\n"
    "does the enclave.\n"
    "\n"
    "On the parent, by vsock: port 9000 heartbeat, 9001 configuration, 9002\n"
    "log (vsock-bridge(8)). hallmark.parent_cid=N on the kernel's command\n"
    "line names a parent other than CID 3.\n";

static int kernel_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static const struct machine enclave = {
    .mounts = &mounts_kernel,
    .ioctl = kernel_ioctl,
    .nsm_ioctl = attester_nsm_ioctl,
    .command_line = "/proc/cmdline",
    .console = "/dev/console",
    .nsm = "/dev/nsm",
    .random = "/dev/random",
    .hwrng = "/sys/class/misc/hw_random/rng_current",
    .clocksource =
	"/sys/devices/system/clocksource/clocksource0/current_clocksource",
    .config = "/etc/hallmark/oracle.json",
    .oracle = "/bin/hallmark-oracle",
    .oracle_user = ORACLE_USER,
    .oracle_descriptors_max = ORACLE_DESCRIPTORS,
    .last_lines_ms = LAST_LINES_MS,
};

/* The kernel gives us /dev/console as 0, 1 and 2, if it could open it. If not,
 * none of them may become a socket. */
static void have_streams(void)
{
	int fd;

	do
		fd = open("/", O_PATH);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* A machine without ACPI cannot be switched off, it would only halt; a Nitro
 * enclave ends when it resets, as does an emulator that is told -no-reboot. */
static void end_enclave(void)
{
	const struct timespec console = {.tv_nsec = 200 * 1000 * 1000};

	nanosleep(&console, NULL); /* its last line */
	reboot(RB_AUTOBOOT);
}

int main(int argc, char **argv)
{
	if (getpid() != 1) {
		int asked = argc == 2 && strcmp(argv[1], "--help") == 0;

		if (argc == 2 && strcmp(argv[1], "--version") == 0)
			return puts("hallmark-init " HALLMARK_VERSION) < 0;
		fputs(usage, asked ? stdout : stderr);
		return asked ? 0 : 2;
	}
	have_streams();
	(void)boot_run(&enclave);
	end_enclave();
	return 1; /* the kernel panics, and resets as well */
}
