/* log_day: what is no longer in the main file of an archive, from that of its
 * day. Blocks. */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_DAY_H
#define HALLMARK_VERIFIER_DAEMON_LOG_DAY_H

#include "verifier/hallmark.h"

#include <sqlite3.h>

/* The daily file beside this database, of the day of that time, to read only;
 * NULL: there is none. */
sqlite3 *log_day_open(sqlite3 *db, int64_t time_ms);

struct log_day_item { /* which one; texts are borrowed */
	const char *feed, *boot_id;
	uint64_t sequence;
};

/* Of its content's bytes as they are in this file. 0, or -1: it is not there.
 */
HM_MUST_CHECK int log_day_item_sha256(
    sqlite3 *db, const struct log_day_item *item, uint8_t out[HM_SHA256_LEN]);

/* The same from the file of the day of the head that counts it first, or of the
 * day before. */
HM_MUST_CHECK int log_day_item_then(sqlite3 *db,
    const struct log_day_item *item, int64_t head_ms,
    uint8_t out[HM_SHA256_LEN]);

#endif
