/* eif_options: the arguments of `hallmark eif build`. */
#ifndef HALLMARK_VERIFIER_CLI_EIF_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_EIF_OPTIONS_H

#include "verifier/eif/eif_format.h"

#include <stdbool.h>

/* Kernel, command line, metadata and signature take a place each. */
#define EIF_RAMDISKS_MAX      (EIF_SECTIONS_MAX - 4)
#define EIF_OPTIONS_ERROR_MAX 512

struct eif_options { /* texts are borrowed from argv */
	const char *kernel, *output;
	const char *cmdline, *cmdline_file; /* one of the two */
	const char *ramdisks[EIF_RAMDISKS_MAX];
	unsigned ramdisk_count;
	const char *metadata;                  /* or NULL */
	const char *name, *version;            /* of the image; have defaults */
	const char *certificate, *private_key; /* both or none */
	const char *arch;
	const char *memory, *cpus;
	bool arm64;
	uint64_t memory_mib, cpu_count;
};

/* 0, or -1 and what is wrong with which. */
__attribute__((warn_unused_result)) int eif_options_parse(
    struct eif_options *out, int argc, char **argv,
    char error[static EIF_OPTIONS_ERROR_MAX]);

#endif
