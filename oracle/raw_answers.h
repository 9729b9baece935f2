/*
 * raw_answers: bodies of exchanges' answers, for a while, by their SHA-256,
 * which is what items name. Whoever keeps them with the items can parse them
 * again, years later. An answer that comes again is kept from then on anew.
 * Bounded in time and in bytes; the oldest go first.
 */
#ifndef HALLMARK_ORACLE_RAW_ANSWERS_H
#define HALLMARK_ORACLE_RAW_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#define RAW_ANSWERS_BYTES   (64u << 20) /* of the enclave's memory */
#define RAW_ANSWERS_KEEP_S  3600        /* ceiling of keep_raw_s */
#define RAW_ANSWERS_BUCKETS 4096

struct raw_answers;

/* Times are monotonic milliseconds. */
struct raw_answers *raw_answers_new(int64_t keep_ms, size_t bytes_max);
void raw_answers_free(struct raw_answers *raw); /* NULL is fine */

/* Copied. */
void raw_answers_put(struct raw_answers *raw, const uint8_t sha256[32],
    const void *body, size_t len, int64_t now_ms);

/* Borrowed until the next put; NULL: there is none, or not any more. */
const uint8_t *raw_answers_find(const struct raw_answers *raw,
    const uint8_t sha256[32], int64_t now_ms, size_t *len);

size_t raw_answers_count(const struct raw_answers *raw);
size_t raw_answers_bytes(const struct raw_answers *raw);

#endif
