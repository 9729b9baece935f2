/* log_evidence: what the archive has to convict an enclave with, put together
 * and written beside it (log_misbehaviour.h). Blocks: on the thread pool. */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_EVIDENCE_H
#define HALLMARK_VERIFIER_DAEMON_LOG_EVIDENCE_H

#include "verifier/daemon/log_heads.h"
#include "verifier/daemon/record.h"

/* A stored head and this one contradict each other. Fills what the finding says
 * of the proof. */
void log_evidence_heads(
    sqlite3 *db, const struct log_head *stored, struct record *record);

/* The items that this head is to have added to `previous` (NULL: it is number
 * 0) give another root. As above. */
void log_evidence_items(
    sqlite3 *db, const struct log_head *previous, struct record *record);

#endif
