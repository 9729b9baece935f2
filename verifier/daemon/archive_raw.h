/* archive_raw: raw exchange answers on their way into the archive. */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_RAW_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_RAW_H

#include "verifier/daemon/archive.h"

#include <stddef.h>

#define ARCHIVE_RAW_BYTES (16u << 20) /* that wait; more are refused */

struct archive_raw { /* one answer */
	struct archive_raw *next;
	int64_t received_ms;
	size_t len;
	uint8_t sha256[HM_SHA256_LEN];
	uint8_t body[];
};

struct archive_raw_queue { /* zero to begin with */
	struct archive_raw *first, *last;
	size_t bytes;
};

/* Copied. False: there are too many. */
bool archive_raw_push(struct archive_raw_queue *queue,
    const uint8_t sha256[HM_SHA256_LEN], const void *body, size_t len,
    int64_t received_ms);
void archive_raw_clear(struct archive_raw_queue *queue);

/* All of them in one transaction, or none and what is wrong. Those that are
 * there stay as they are. */
__attribute__((warn_unused_result)) enum archive_state archive_raw_commit(
    struct archive *archive, const struct archive_raw_queue *queue,
    char error[static ARCHIVE_ERROR_MAX]);

#endif
