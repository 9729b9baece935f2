/*
 * tree_head: a head's signed content, one text for one value, as item.h is for
 * items: tree_head_decode accepts exactly what tree_head_encode writes.
 *
 *   {"format":"hallmark-head/1","boot_id":hex,"head":N,"tree_size":N,
 *    "root_sha256":hex,"published_ms":ms,"feeds":{"BTC-USD":N,...},
 *    "frontier":[hex,...],"config_sha256":hex,"previous_sha256":hex}
 *
 * without blanks. What must hold besides the form, on either side: tree_size
 * is at least 1 and the sum of the feeds' counts, each at least 1, their names
 * ascending; the frontier has as many hashes as tree_size has 1s, and folds to
 * the root; previous_sha256 is zero at head 0 and nowhere else. Pure.
 */
#ifndef HALLMARK_VERIFIER_TREE_HEAD_H
#define HALLMARK_VERIFIER_TREE_HEAD_H

#include "verifier/hallmark.h"

#define TREE_HEAD_FORMAT "hallmark-head/1"
/* 256 feeds of 31 bytes, 53 hashes: 17 KiB. */
#define TREE_HEAD_CONTENT_MAX 32768

/* Writes the content, NUL-terminated, and its length without the NUL; does not
 * look at content_sha256 and document. 0, or -1 if something above does not
 * hold or there is no room: our bug. */
HM_MUST_CHECK int tree_head_encode(
    const struct hm_head *head, char *out, size_t capacity, size_t *len);

/* content_sha256 and document stay zero. 0, or -1 and *out zeroed. Any bytes
 * are safe. */
HM_MUST_CHECK int tree_head_decode(
    struct hm_head *out, const char *text, size_t len);

/* How many items of this feed it counts; 0: it does not name it. */
uint64_t tree_head_count(const struct hm_head *head, const char *feed);

#endif
