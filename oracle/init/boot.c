/*
 * boot: see boot.h.
 *
 * Each step is timed in the log: "took_ms", and "boot_ms" since the machine was
 * started (CLOCK_BOOTTIME). A step that fails ends it all, but for those whose
 * failure only matters later (heartbeat, entropy) or not at all (loopback),
 * which say so.
 */
#include "oracle/init/boot.h"

#include "base/file.h"
#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "oracle/init/child.h"
#include "oracle/init/configuration.h"
#include "oracle/init/entropy.h"
#include "oracle/init/heartbeat.h"
#include "oracle/init/log_channel.h"
#include "oracle/init/loopback.h"
#include "oracle/init/parent.h"
#include "oracle/init/platform.h"
#include "oracle/measure.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ERROR_MAX        512
#define COMMAND_LINE_MAX 4096

struct boot {
	const struct machine *machine;
	uv_loop_t loop;
	char cid[PARENT_TEXT_MAX];
	struct log_channel *log;
	int console;                        /* -1: none */
	struct attester *nsm;               /* NULL: none */
	char nsm_error[ATTESTER_ERROR_MAX]; /* what it would not do; "" */
	struct configuration config;
	struct child oracle;
};

static int64_t boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int say(char error[static ERROR_MAX], const char *what, const char *why)
{
	snprintf(error, ERROR_MAX, "%s: %s", what, why);
	return -1;
}

/* The command line is measured and endpoints of it are ours: no surprise. */
static struct endpoint parent_at(const struct boot *boot, unsigned port)
{
	struct endpoint out = {.kind = ENDPOINT_UNIX};

	if (boot->machine->parent == NULL) {
		if (parent_endpoint(&out, boot->cid, port) != 0)
			log_die("init", "parent: CID %s", boot->cid);
		return out;
	}
	snprintf(
	    out.path, sizeof(out.path), "%s_%u", boot->machine->parent, port);
	return out;
}

/* ---- the steps ---- */

static int make_mounts(struct boot *boot, char error[static ERROR_MAX])
{
	return mounts_make(boot->machine->mounts, error, ERROR_MAX);
}

static int find_parent(struct boot *boot, char error[static ERROR_MAX])
{
	uint8_t *text = NULL;
	size_t len;
	int err = file_read(
	    boot->machine->command_line, COMMAND_LINE_MAX, &text, &len);

	if (err != 0)
		return say(error, boot->machine->command_line, strerror(-err));
	err = parent_cid(boot->cid, (const char *)text);
	free(text);
	return err == 0 ? 0 : say(error, PARENT_WORD, "not a CID, or twice");
}

/* From here on what we say goes there, too. */
static int open_log(struct boot *boot, char error[static ERROR_MAX])
{
	const struct log_channel_options options = {.loop = &boot->loop,
	    .to = parent_at(boot, LOG_CHANNEL_PORT),
	    .console = open(boot->machine->console,
		O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
	    .retry_ms = LOG_CHANNEL_RETRY_MS};
	int err = log_channel_start(&boot->log, &options);

	boot->console = options.console;
	if (err != 0)
		return say(error, "log", uv_strerror(err));
	if (dup2(log_channel_own(boot->log), STDERR_FILENO) < 0)
		return say(error, "log", strerror(errno));
	return 0;
}

/* Nothing that we need goes through it. */
static int raise_loopback(struct boot *boot, char error[static ERROR_MAX])
{
	int err = loopback_up(boot->machine->ioctl);

	(void)error;
	if (err != 0)
		log_warn("init", "no_loopback", LOG_S("error", strerror(-err)));
	return 0;
}

/* Who started us otherwise than by nitro-cli does not listen. */
static int send_heartbeat(struct boot *boot, char error[static ERROR_MAX])
{
	struct endpoint to = parent_at(boot, HEARTBEAT_PORT);
	int err = heartbeat_send(&boot->loop, &to, HEARTBEAT_MS);

	(void)error;
	if (err != 0)
		log_warn("init", "no_heartbeat",
		    LOG_S("error", uv_strerror(err)),
		    LOG_S("meaning", "nitro-cli does not answer; going on"));
	return 0;
}

/* Without it the enclave is refused once the configuration is known. */
static int seed_entropy(struct boot *boot, char error[static ERROR_MAX])
{
	const struct machine *machine = boot->machine;
	int bits = -1;

	(void)error;
	boot->nsm = attester_nsm_open_with(
	    machine->nsm, machine->nsm_ioctl, boot->nsm_error);
	if (boot->nsm != NULL)
		bits = entropy_seed(boot->nsm, machine->random, machine->ioctl,
		    boot->nsm_error);
	if (bits >= 0)
		log_info("init", "seeded", LOG_D("bits", bits));
	else
		log_warn("init", "not_seeded", LOG_S("error", boot->nsm_error));
	return 0;
}

static int load_configuration(struct boot *boot, char error[static ERROR_MAX])
{
	const struct handover_options parent = {.loop = &boot->loop,
	    .from = parent_at(boot, HANDOVER_PORT),
	    .try_ms = HANDOVER_TRY_MS,
	    .retry_ms = HANDOVER_RETRY_MS,
	    .say_ms = HANDOVER_SAY_MS};
	const struct configuration *config = &boot->config;

	if (configuration_load(
		&boot->config, boot->machine->config, &parent, error) != 0)
		return -1;
	log_info("init", "configuration",
	    LOG_S("from", config->from_image ? "image" : "parent"),
	    LOG_D("bytes", config->len));
	if (config->insecure_emulator)
		log_warn("init", "insecure_emulator",
		    LOG_S("meaning",
			"clock and random numbers may be the parent's; the "
			"configuration allows it, and PCR16 shows it"));
	return 0;
}

/* Fine in an emulated machine, fatal elsewhere. */
static int tolerate(const struct boot *boot, const char *what, const char *why,
    char error[static ERROR_MAX])
{
	if (!boot->config.insecure_emulator) {
		snprintf(error, ERROR_MAX,
		    "%s: %s; only \"insecure_emulator\": true in the "
		    "configuration goes on",
		    what, why);
		return -1;
	}
	log_warn("init", "tolerated", LOG_S("what", what), LOG_S("why", why));
	return 0;
}

static int measure(struct boot *boot, char error[static ERROR_MAX])
{
	uint8_t pcr[ATTESTER_PCR_LEN];
	char hex[2 * ATTESTER_PCR_LEN + 1], why[ATTESTER_ERROR_MAX];
	int found;

	if (boot->nsm == NULL)
		return tolerate(boot, "PCR16", boot->nsm_error, error);
	found = measure_config(boot->nsm, boot->config.sha384, pcr, why);
	if (found < 0)
		return say(error, "PCR16", why);
	hex_encode(pcr, sizeof(pcr), hex);
	log_info("init", "measured", LOG_S("pcr16", hex));
	return 0;
}

static int check_platform(struct boot *boot, char error[static ERROR_MAX])
{
	const struct machine *machine = boot->machine;
	char why[ERROR_MAX];

	if (boot->nsm_error[0] != '\0' &&
	    tolerate(boot, "entropy", boot->nsm_error, error) != 0)
		return -1;
	if (platform_want(machine->hwrng, PLATFORM_HWRNG, why, sizeof(why)) !=
		0 &&
	    tolerate(boot, "random numbers", why, error) != 0)
		return -1;
	if (platform_want(machine->clocksource, PLATFORM_CLOCKSOURCE, why,
		sizeof(why)) != 0 &&
	    tolerate(boot, "clock", why, error) != 0)
		return -1;
	return 0;
}

/* All files are where they belong. */
static int seal(struct boot *boot, char error[static ERROR_MAX])
{
	return mounts_seal(boot->machine->mounts, error, ERROR_MAX);
}

static int start_oracle(struct boot *boot, char error[static ERROR_MAX])
{
	const struct machine *machine = boot->machine;
	char *const argv[] = {
	    (char *)machine->oracle, (char *)machine->config, NULL};
	const struct child_options options = {.loop = &boot->loop,
	    .path = machine->oracle,
	    .argv = argv,
	    .out = log_channel_child(boot->log),
	    .user = machine->oracle_user,
	    .descriptors_max = machine->oracle_descriptors_max};
	int err = child_start(&boot->oracle, &options);

	return err == 0 ? 0 : say(error, machine->oracle, uv_strerror(err));
}

/* ---- all of them ---- */

static const struct step {
	const char *name;
	int (*take)(struct boot *boot, char error[static ERROR_MAX]);
} steps[] = {
    {"mounts", make_mounts},
    {"parent", find_parent},
    {"log", open_log},
    {"loopback", raise_loopback},
    {"heartbeat", send_heartbeat},
    {"entropy", seed_entropy},
    {"configuration", load_configuration},
    {"measure", measure},
    {"platform", check_platform},
    {"seal", seal},
    {"oracle", start_oracle},
};

static int take_step(struct boot *boot, const struct step *step)
{
	int64_t began_ms = now_monotonic_ms();
	char error[ERROR_MAX] = "";
	int ret = step->take(boot, error);
	int64_t took_ms = now_monotonic_ms() - began_ms;

	if (ret == 0)
		log_info("init", "step", LOG_S("name", step->name),
		    LOG_D("took_ms", took_ms), LOG_D("boot_ms", boot_ms()));
	else
		log_error("init", "refused", LOG_S("step", step->name),
		    LOG_S("why", error), LOG_D("boot_ms", boot_ms()));
	return ret;
}

static int take_steps(struct boot *boot)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (take_step(boot, &steps[i]) != 0)
			return -1;
	return 0;
}

static int wait_for_oracle(struct boot *boot)
{
	char how[CHILD_TEXT_MAX];
	int status = child_wait(&boot->oracle, how);

	log_error("init", "oracle_ended", LOG_S("how", how),
	    LOG_D("boot_ms", boot_ms()));
	return status;
}

/* What the log still has, and the console for what comes after it. */
static void finish(struct boot *boot)
{
	int err;

	if (boot->log != NULL)
		log_channel_finish(boot->log, boot->machine->last_lines_ms);
	if (boot->console >= 0) {
		dup2(boot->console, STDERR_FILENO);
		close(boot->console);
	}
	if (boot->nsm != NULL)
		boot->nsm->ops->close(boot->nsm);
	uv_run(&boot->loop, UV_RUN_DEFAULT);
	err = uv_loop_close(&boot->loop);
	assert(err == 0); /* UV_EBUSY: a handle was left */
	(void)err;
}

int boot_run(const struct machine *machine)
{
	static struct boot boot; /* large, and there is one */
	int status = BOOT_FAILED;

	memset(&boot, 0, sizeof(boot));
	boot.machine = machine;
	boot.console = -1;
	signal(SIGPIPE, SIG_IGN);
	if (uv_loop_init(&boot.loop) != 0)
		log_die("init", "event loop");
	if (take_steps(&boot) == 0)
		status = wait_for_oracle(&boot);
	finish(&boot);
	return status;
}
