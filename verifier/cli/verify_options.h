/* verify_options: the arguments of `hallmark verify`, and the policy that they
 * make. */
#ifndef HALLMARK_VERIFIER_CLI_VERIFY_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_VERIFY_OPTIONS_H

#include "verifier/cli/verify_measures.h"
#include "verifier/daemon/oracle_address.h"
#include "verifier/daemon/policy_file.h"

#define VERIFY_ROOTS_MAX 8
#define VERIFY_PCRS_MAX  64

enum verify_at {
	VERIFY_NOW,       /* live, by the clock */
	VERIFY_MOMENT,    /* live, at at_ms */
	VERIFY_DOCUMENT,  /* replay, at the document's own time */
	VERIFY_PUBLISHED, /* replay, at the item's own time */
};

struct verify_pcr {
	unsigned index;
	uint8_t value[HM_PCR_LEN];
};

struct verify_options { /* texts are borrowed from argv */
	const char *file;
	const char *policy; /* or NULL: */
	const char *roots[VERIFY_ROOTS_MAX];
	size_t root_count;
	struct verify_pcr pcrs[VERIFY_PCRS_MAX];
	size_t pcr_count;
	struct verify_measures measures; /* in place of PCRs, for quotes */
	enum verify_at at;
	int64_t at_ms;
	bool has_nonce, json, explain;
	bool is_bundle; /* the file is one */
	bool has_pin;   /* of the bundle's policy */
	uint8_t pin[HM_SHA256_LEN];
	uint8_t nonce[HM_NONCE_MAX];
	size_t nonce_len;
	const char *held; /* a file; NULL: none was given */
};

/* 0, or -1 and what is wrong with which. Looks at the file: a bundle brings a
 * policy. */
HM_MUST_CHECK int verify_options_parse(struct verify_options *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX]);

/* For other commands with the same question, "what would you accept?": one
 * option, 'p' --policy, 'r' --root or 'n' --pcr, then all of them together. */
HM_MUST_CHECK int verify_options_trust(struct verify_options *out, int option,
    const char *text, char error[static POLICY_FILE_ERROR_MAX]);
HM_MUST_CHECK int verify_options_check_trust(
    const struct verify_options *options,
    char error[static POLICY_FILE_ERROR_MAX]);

/* --nonce, once: into has_nonce, nonce and nonce_len. */
HM_MUST_CHECK int verify_options_nonce(struct verify_options *out,
    const char *text, char error[static POLICY_FILE_ERROR_MAX]);

/* Their rows of a table of options. */
#define VERIFY_OPTIONS_TRUST                        \
	{"policy", required_argument, NULL, 'p'},   \
	    {"root", required_argument, NULL, 'r'}, \
	{                                           \
		"pcr", required_argument, NULL, 'n' \
	}
/* What is wrong, into `error`; -1. */
__attribute__((format(printf, 2, 3))) int verify_options_fail(
    char error[static POLICY_FILE_ERROR_MAX], const char *format, ...);

/* An oracle's address, as attest, fetch and seal take it. 0, or -1 and why. */
HM_MUST_CHECK int verify_options_oracle(struct oracle_address *out,
    const char *text, char error[static POLICY_FILE_ERROR_MAX]);

/* Reads the policy file, or makes one of --root and --pcr (or measurements). 0,
 * or -1 and why; the caller frees it. */
HM_MUST_CHECK int verify_options_policy(struct hm_policy **out,
    const struct verify_options *options,
    char error[static POLICY_FILE_ERROR_MAX]);

#endif
