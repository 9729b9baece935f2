/* config_pcr: PCR16 of an oracle that runs with a configuration file. */
#ifndef HALLMARK_VERIFIER_CLI_CONFIG_PCR_H
#define HALLMARK_VERIFIER_CLI_CONFIG_PCR_H

#include "verifier/cli/command.h"
#include "verifier/hallmark.h"

#define CONFIG_PCR_INDEX 16

/* COMMAND_OK, or COMMAND_USAGE after it has said why, as `command`. */
HM_MUST_CHECK int config_pcr_of_file(
    uint8_t pcr[HM_PCR_LEN], const char *file, const struct command *command);

#endif
