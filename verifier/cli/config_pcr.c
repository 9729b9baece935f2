/* config_pcr: `hallmark config-pcr`, the PCR16 of an oracle's configuration. */
#include "verifier/cli/config_pcr.h"

#include "base/file.h"
#include "feeds/hex.h"
#include "verifier/eif/eif_pcrs.h"

#include <errno.h>
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

int config_pcr_of_file(
    uint8_t pcr[HM_PCR_LEN], const char *file, const struct command *command)
{
	uint8_t *bytes;
	size_t len;
	int rc = file_read(file, CONFIG_BYTES_MAX, &bytes, &len);

	if (rc == -EFBIG)
		return command_usage_error(command,
		    "%s: too large: no oracle reads more than %u bytes", file,
		    CONFIG_BYTES_MAX);
	if (rc)
		return command_usage_error(
		    command, "%s: %s", file, strerror(-rc));
	eif_pcrs_of(pcr, bytes, len);
	free(bytes);
	return COMMAND_OK;
}

static int run(int argc, char **argv)
{
	const char *file = command_only_file(&command_config_pcr, argc, argv);
	char hex[2 * HM_PCR_LEN + 1];
	uint8_t pcr[HM_PCR_LEN];

	if (!file || config_pcr_of_file(pcr, file, &command_config_pcr))
		return COMMAND_USAGE;
	hex_encode(pcr, sizeof(pcr), hex);
	return puts(hex) < 0 ? COMMAND_USAGE : COMMAND_OK;
}

const struct command command_config_pcr = {
    .name = "config-pcr",
    .summary = "the PCR16 of an oracle's configuration file",
    .help = help,
    .run = run,
};
