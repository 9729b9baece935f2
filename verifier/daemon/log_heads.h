/*
 * log_heads: stored heads of the log, read back from the archive's table
 * log_tiles (log_tiles.h), their documents from the file that has them. Each is
 * read as strictly as if it had come from the network; its signature was
 * verified before it was stored, and is not verified here.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_HEADS_H
#define HALLMARK_VERIFIER_DAEMON_LOG_HEADS_H

#include "verifier/hallmark.h"

#include <sqlite3.h>

#define LOG_BOOT_HEX 33 /* boot_id in hex and a NUL */

struct log_head {
	struct hm_envelope envelope; /* owned; with its document */
	struct hm_head head;         /* its document is zero */
};

enum log_heads_which {
	LOG_HEADS_AT,    /* of exactly this size */
	LOG_HEADS_BELOW, /* the largest that is smaller */
	LOG_HEADS_FROM,  /* the smallest that is at least so large */
	LOG_HEADS_NEWEST /* the largest */
};

/* One head of this boot. 0, or -1 and *out zeroed: there is none, or what is
 * there cannot be read. */
HM_MUST_CHECK int log_heads_find(struct log_head *out, sqlite3 *db,
    const char *boot_id, enum log_heads_which which, uint64_t size);
void log_head_fini(struct log_head *head);

/* The first head that counts this item, and (in *previous, zeroed if that is
 * head 0) the one before it. 0, or -1 and both zeroed: 'no head counts it' is
 * -1 with *newer true, else the heads around it are not here. */
HM_MUST_CHECK int log_heads_around(struct log_head *previous,
    struct log_head *head, sqlite3 *db, const char *boot_id, const char *feed,
    uint64_t sequence, bool *newer);

/* The boot of the head that was published last: 0, or -1: there is none. */
HM_MUST_CHECK int log_heads_newest_boot(
    sqlite3 *db, char boot_id[static LOG_BOOT_HEX]);

#endif
