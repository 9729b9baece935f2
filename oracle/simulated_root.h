/* simulated_root: the root of the simulated chain, kept in two files so that a
 * policy goes on naming the same one after a restart. */
#ifndef HALLMARK_ORACLE_SIMULATED_ROOT_H
#define HALLMARK_ORACLE_SIMULATED_ROOT_H

#include "oracle/attester.h"
#include "oracle/simulated_chain.h"

#define SIMULATED_ROOT_PEM_MAX 2048 /* of either file; both are under 1 KiB */

#define SIMULATED_ROOT_CERT "simulated-root.pem"
#define SIMULATED_ROOT_KEY  "simulated-root-key.pem"

/*
 * Takes the root from the directory, or makes both (directory, files) if the
 * certificate is absent: a key without one is a start that was interrupted,
 * for the certificate is written last, and nobody can have named its root.
 * pem gets the certificate's text. 0, or -1 and what to do about it; then
 * *out is empty. Programs that start at once in one directory wait for each
 * other and get the same root.
 */
__attribute__((warn_unused_result)) int simulated_root_open(
    struct simulated_chain_link *out, char pem[static SIMULATED_ROOT_PEM_MAX],
    const char *directory, int64_t now_s, char error[ATTESTER_ERROR_MAX]);

#endif
