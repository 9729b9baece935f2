/*
 * policy_file: a policy from the disk: the JSON text, and the root certificates
 * and collateral that it names, which lie relative to it. What a policy means
 * is the library's business. Start-up and tools only: this blocks.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_POLICY_FILE_H
#define HALLMARK_VERIFIER_DAEMON_POLICY_FILE_H

#include "verifier/hallmark.h"

#define POLICY_FILE_MAX       262144 /* bytes: hundreds of releases */
#define POLICY_ROOT_FILE_MAX  16384  /* bytes of one PEM certificate */
#define POLICY_ROOT_FILES_MAX 16
#define POLICY_FILE_ERROR_MAX 1536 /* a path, and what is wrong in it */

/* A policy that hm_policy_check() has passed; the caller frees it with
 * hm_policy_free(). 0, or -1, *out NULL and `error` says which file and why. */
HM_MUST_CHECK int policy_file_load(struct hm_policy **out, const char *path,
    char error[static POLICY_FILE_ERROR_MAX]);

/* A root by a name that the library knows, or else a PEM file. 0, or -1 and
 * why. */
HM_MUST_CHECK int policy_file_add_root(struct hm_policy *policy,
    const char *name_or_path, char error[static POLICY_FILE_ERROR_MAX]);

/* A file of collateral. 0, or -1 and why. */
HM_MUST_CHECK int policy_file_add_collateral(struct hm_policy *policy,
    const char *path, char error[static POLICY_FILE_ERROR_MAX]);

/* A log line for each thing in it that vouches for nothing: simulated roots,
 * debug enclaves. */
void policy_file_warn(const struct hm_policy *policy, const char *path);

#endif
