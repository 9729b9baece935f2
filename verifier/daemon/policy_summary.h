/*
 * policy_summary: a policy as JSON again, for those who want to make the same
 * checks themselves:
 *
 *   {"policy": {...}, "root_pems": ["-----BEGIN CERTIFICATE-----..."]}
 *
 * `policy` is in the words of a policy file; the certificates that its
 * root_files names stand in root_pems, in the same order.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_POLICY_SUMMARY_H
#define HALLMARK_VERIFIER_DAEMON_POLICY_SUMMARY_H

#include "verifier/hallmark.h"

/* One line; the caller frees it. */
char *policy_summary_json(const struct hm_policy *policy);

#endif
