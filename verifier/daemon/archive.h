/*
 * archive: every accepted item, for ever, in one SQLite file that auditors
 * open with the tools they have; and the newest refused ones as evidence.
 *
 * Its tables stand in verifier/archive/archive_schema.h; a file of an older
 * version becomes one of ours when it is opened.
 *
 * WAL with synchronous=FULL: a commit that returned survives kill -9 and a
 * power cut. Blocking: the daemon calls it on the thread pool.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_H

#include "verifier/daemon/archive_state.h"
#include "verifier/daemon/record.h"

#define ARCHIVE_REFUSED_MAX 10000 /* rows; the oldest go */
#define ARCHIVE_HEADS_MAX   1024  /* read back at start, the newest */
#define ARCHIVE_BUSY_MS     2000  /* wait for another process's lock */
#define ARCHIVE_ERROR_MAX   256

struct archive;

/* Opens or creates it. ARCHIVE_OK (0); or what is wrong, and why in words, and
 * *out is NULL. */
__attribute__((warn_unused_result)) enum archive_state archive_open(
    struct archive **out, const char *path,
    char error[static ARCHIVE_ERROR_MAX]);
void archive_close(struct archive *archive);   /* NULL is fine */
void archive_abandon(struct archive *archive); /* writes nothing any more */

/*
 * Writes a list of judged records (linked by next) in one transaction and sets
 * each one's outcome: all of them, durably, and ARCHIVE_OK; or none, and what
 * is wrong. The same list can be tried again, best on an archive that was
 * closed and opened. The attestation goes in with the first item that needs it,
 * a co-signature with its item; the caller has dropped those that do not hold.
 */
__attribute__((warn_unused_result)) enum archive_state archive_commit(
    struct archive *archive, struct record *list,
    char error[static ARCHIVE_ERROR_MAX]);

struct archive_head { /* borrowed for the call */
	const char *feed;
	struct hm_sequence state; /* its last item */
};
/* The last item of each feed and boot, the newest published first. OK, or what
 * is wrong; some may have been told then. */
__attribute__((warn_unused_result)) enum archive_state archive_heads(
    struct archive *archive,
    void (*cb)(const struct archive_head *head, void *data), void *data,
    char error[static ARCHIVE_ERROR_MAX]);

/* One item as a full envelope, from hm_envelope_parse. 0, or -1: it is not
 * there, or cannot be read. */
__attribute__((warn_unused_result)) int archive_read_item(
    struct archive *archive, const char *feed, const uint8_t boot_id[16],
    uint64_t sequence, struct hm_envelope *out);

/* The last event id that was committed of an oracle, or "". */
void archive_cursor(
    struct archive *archive, const char *oracle, char out[static SSE_ID_MAX]);

#endif
