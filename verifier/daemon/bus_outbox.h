/*
 * bus_outbox: what is to be published, read from the archive itself. An item
 * is published after it is durable, and the place up to which that was done is
 * kept beside the archive (ARCHIVE.bus-STREAM): a crash of anybody, or servers
 * that are away for hours, cost no item and no memory. After a crash some are
 * published again; the stream and its readers know them by their numbers.
 *
 * An archive whose place is not known (the first start) begins with what it
 * received in the last BUS_OUTBOX_FIRST_MS. Blocking; it only reads.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_OUTBOX_H
#define HALLMARK_VERIFIER_DAEMON_BUS_OUTBOX_H

#include "verifier/hallmark.h"

#define BUS_OUTBOX_BATCH     256
#define BUS_OUTBOX_FIRST_MS  (3600 * 1000LL)
#define BUS_OUTBOX_SAVE_MS   1000 /* the place is written so often at most */
#define BUS_SUBJECT_MAX      128  /* bytes of what comes after the prefix */
#define BUS_ID_MAX           128  /* bytes of a message's id and a NUL */
#define BUS_OUTBOX_ERROR_MAX 256

struct bus_outbox;

struct bus_letter {
	char subject[BUS_SUBJECT_MAX]; /* "item.BTC-USD", "head.<boot>" */
	char id[BUS_ID_MAX];           /* "BTC-USD-<boot>-<sequence>" */
	char *text;                    /* the envelope, reference form; owned */
	size_t len;
	/* of the documents that it and its co-signatures refer to */
	uint8_t documents[1 + HM_COSIGNATURES_MAX][HM_SHA256_LEN];
	size_t document_count;
};
void bus_letters_free(struct bus_letter *letters, size_t count);

/* `archive` was opened and brought to its newest version by its writer before.
 * 0, or -1 and why. */
__attribute__((warn_unused_result)) int bus_outbox_open(struct bus_outbox **out,
    const char *archive, const char *stream, int64_t now_ms,
    char error[static BUS_OUTBOX_ERROR_MAX]);
/* Saves the place. NULL is fine. */
void bus_outbox_close(struct bus_outbox *outbox);

/* The next ones, in the order of the archive, at most BUS_OUTBOX_BATCH: items,
 * and when there are no more, heads of the log. The same again until done()
 * was called. 0 and *count, or -1 and why; then there are none. */
__attribute__((warn_unused_result)) int bus_outbox_next(
    struct bus_outbox *outbox, struct bus_letter letters[BUS_OUTBOX_BATCH],
    size_t *count, char error[static BUS_OUTBOX_ERROR_MAX]);
/* All that next() gave are in the stream. */
void bus_outbox_done(struct bus_outbox *outbox, int64_t now_ms);

/* How many items wait, about. */
int64_t bus_outbox_waiting(struct bus_outbox *outbox);

/* A document's bytes, which the caller frees. 0, or -1: it is not there. */
__attribute__((warn_unused_result)) int bus_outbox_document(
    struct bus_outbox *outbox, const uint8_t sha256[HM_SHA256_LEN],
    uint8_t **bytes, size_t *len);

#endif
