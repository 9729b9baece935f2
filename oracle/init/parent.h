/* parent: where the parent instance is, as seen from the enclave. */
#ifndef HALLMARK_ORACLE_INIT_PARENT_H
#define HALLMARK_ORACLE_INIT_PARENT_H

#include "base/endpoint.h"

/* AWS Nitro Enclaves User Guide: "The CID of the parent is always 3". */
#define PARENT_CID      3
#define PARENT_WORD     "hallmark.parent_cid="
#define PARENT_TEXT_MAX 16

/* The CID that the kernel's command line names in a word hallmark.parent_cid=N,
 * or 3: in `cid`. 0, or -1 for one that is no number, or two of them: the
 * command line is measured, so that was the image's maker, and not the parent.
 */
__attribute__((warn_unused_result)) int parent_cid(
    char cid[static PARENT_TEXT_MAX], const char *command_line);

/* 0, or -1 for a CID that is none. */
__attribute__((warn_unused_result)) int parent_endpoint(
    struct endpoint *out, const char *cid, unsigned port);

#endif
