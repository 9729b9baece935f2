/* config_pcr: `hallmark config-pcr`, the PCR16 of an oracle's configuration. */
#include "base/file.h"
#include "feeds/hex.h"
#include "verifier/cli/command.h"
#include "verifier/hallmark.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_BYTES_MAX (1u << 20) /* what the oracle reads at most */

static const char help[] =
    "usage: hallmark config-pcr CONFIG\n"
    "\n"
    "Prints PCR16 of an oracle that runs with this configuration file:\n"
    "SHA384(48 zero bytes || SHA384(file)), the PCR after it was extended\n"
    "once with the file's hash. Put it into the policy's release as \"16\".\n"
    "\n"
    "Example:\n"
    "  hallmark config-pcr oracle.json\n";

static void extend_from_zero(
    uint8_t pcr[HM_PCR_LEN], const uint8_t *bytes, size_t len)
{
	uint8_t both[2 * HM_PCR_LEN] = {0};

	SHA384(bytes, len, both + HM_PCR_LEN);
	SHA384(both, sizeof(both), pcr);
}

static int run(int argc, char **argv)
{
	const char *file = command_only_file(&command_config_pcr, argc, argv);
	char hex[2 * HM_PCR_LEN + 1];
	uint8_t pcr[HM_PCR_LEN];
	uint8_t *bytes;
	size_t len;
	int rc;

	if (!file)
		return COMMAND_USAGE;
	rc = file_read(file, CONFIG_BYTES_MAX, &bytes, &len);
	if (rc == -EFBIG)
		return command_usage_error(&command_config_pcr,
		    "%s: too large: no oracle reads more than %u bytes", file,
		    CONFIG_BYTES_MAX);
	if (rc)
		return command_usage_error(
		    &command_config_pcr, "%s: %s", file, strerror(-rc));
	extend_from_zero(pcr, bytes, len);
	free(bytes);
	hex_encode(pcr, sizeof(pcr), hex);
	return puts(hex) < 0 ? COMMAND_USAGE : COMMAND_OK;
}

const struct command command_config_pcr = {
    .name = "config-pcr",
    .summary = "the PCR16 of an oracle's configuration file",
    .help = help,
    .run = run,
};
