/*
 * configuration: the oracle's, from the image or from the parent. Only its
 * bytes count here, and one key of it; whether it is a good one the oracle
 * says.
 */
#ifndef HALLMARK_ORACLE_INIT_CONFIGURATION_H
#define HALLMARK_ORACLE_INIT_CONFIGURATION_H

#include "oracle/init/handover.h"

#include <stdbool.h>

#define CONFIGURATION_ERROR_MAX 256

struct configuration {
	bool from_image;
	size_t len;
	uint8_t sha384[48];
	bool insecure_emulator;
};

/* Reads `path`; where there is no such file, takes the configuration from the
 * parent and writes it there, for the oracle to read (in the same place, so
 * that paths relative to it mean the same). 0, or -1 and why. */
__attribute__((warn_unused_result)) int configuration_load(
    struct configuration *out, const char *path,
    const struct handover_options *parent,
    char error[static CONFIGURATION_ERROR_MAX]);

#endif
