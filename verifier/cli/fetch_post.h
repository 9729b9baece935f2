/* fetch_post: POST /fetch of an oracle, for the command line: it blocks. */
#ifndef HALLMARK_VERIFIER_CLI_FETCH_POST_H
#define HALLMARK_VERIFIER_CLI_FETCH_POST_H

#include "verifier/daemon/oracle_address.h"
#include "verifier/hallmark.h"

/* From start to last byte: as long as the oracle may take, and the way. */
#define FETCH_POST_MS        20000
#define FETCH_POST_ERROR_MAX 512

/* The text of an answer with status 200, which the caller frees. NULL and why:
 * a problem's own code and detail are told. */
char *fetch_post(const struct oracle_address *address,
    const struct hm_fetch_request *asked, size_t *len,
    char error[static FETCH_POST_ERROR_MAX]);

#endif
