/*
 * log_store: a verified head of the log goes into the archive, in the
 * transaction of the items before it, and our own copy of the tree grows by
 * them.
 *
 * The happy path: it is the head after our newest; the archive has every item
 * that it counts beyond that one; these, added to the newest one's frontier,
 * give the root that was signed. Head and tiles are written together.
 *
 * Failure: it contradicts a stored head: the outcome is RECORD_FORK, the proof
 * is written beside the archive, nothing of it is stored. Items or heads are
 * missing (RECORD_LOG_GAP), we came later than the boot's first head (JOINED),
 * or our items give another root (MISMATCH, with its proof): it is stored all
 * the same, being signed, and we go on from its frontier. Proofs that need what
 * is not known are not made.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_STORE_H
#define HALLMARK_VERIFIER_DAEMON_LOG_STORE_H

#include "verifier/daemon/record.h"

#include <sqlite3.h>

/* record->head and its document are there; the document is in the archive. Sets
 * outcome and finding. 0, or -1: the database would not; roll back then. */
__attribute__((warn_unused_result)) int log_store_write(
    sqlite3 *db, struct record *record);

#endif
