/*
 * config: the measured configuration file. Read once; its bytes are hashed
 * into every item and into PCR16.
 */
#ifndef HALLMARK_ORACLE_CONFIG_H
#define HALLMARK_ORACLE_CONFIG_H

#include "base/endpoint.h"
#include "feeds/feed_config.h"

#include <stdio.h>

#define CONFIG_BYTES_MAX 262144 /* of the file */
#define CONFIG_PATH_MAX  512
#define CONFIG_ERROR_MAX 512

enum config_attester {
	CONFIG_NSM,
	CONFIG_SIMULATED
};

struct config {
	struct endpoint listen;
	bool has_proxy;
	struct endpoint proxy;
	enum config_attester attester;
	char simulated_dir[CONFIG_PATH_MAX]; /* with "simulated" only */
	char nsm_device[CONFIG_PATH_MAX];    /* "/dev/nsm" */
	char ca_bundle[CONFIG_PATH_MAX];
	bool insecure_allow_debug; /* publish from a debug enclave */
	struct feed_set feeds;
	uint8_t sha256[32]; /* of the file's bytes */
	uint8_t sha384[48];
};

/* Relative paths in it are relative to the file. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_load(
    struct config *out, const char *path, char error[static CONFIG_ERROR_MAX]);

/* The resolved plan, for people: what --check prints. */
void config_print_plan(const struct config *config, FILE *out);

#endif
