/*
 * log_misbehaviour: the proof that an enclave's key signed what cannot both be
 * true, as one JSON file that a third party checks with nothing but a policy:
 *
 *   {"format":"hallmark-misbehaviour/1","boot_id":hex,
 *    "heads":[{envelope},{envelope}],                two that contradict; or
 *    "items":[{envelope}...],"documents":{hex:base64}}     (after heads)
 *    two in a row (one, if it is number 0) and, in the order of the leaves,
 *    the items that the second is to have added: they do not give its root
 *
 * Heads are in the full form, items by reference to a head's document or one of
 * `documents`.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_LOG_MISBEHAVIOUR_H
#define HALLMARK_VERIFIER_DAEMON_LOG_MISBEHAVIOUR_H

#include "verifier/hallmark.h"

#include <jansson.h>

#define LOG_MISBEHAVIOUR_FORMAT    "hallmark-misbehaviour/1"
#define LOG_MISBEHAVIOUR_ITEMS_MAX 16384 /* between two heads */
#define LOG_MISBEHAVIOUR_BYTES_MAX (64u << 20)
#define LOG_MISBEHAVIOUR_FILES_MAX 8 /* of one boot: it is convicted */
#define LOG_MISBEHAVIOUR_ERROR_MAX 256

/* The file's text, which the caller frees; NULL: no memory. `items` (taken) and
 * `documents` (taken) may be NULL; `first` too, if there is one head only. */
char *log_misbehaviour_format(const struct hm_envelope *first,
    const struct hm_envelope *second, const uint8_t boot_id[16], json_t *items,
    json_t *documents);

/* Writes it as misbehaviour-BOOT-SIZE.json beside the archive. 0 and its path;
 * 1, and that of the one of this name that was there; or -1 and why: it cannot
 * be written, or there are enough of this boot. Blocks. */
HM_MUST_CHECK int log_misbehaviour_write(const char *archive,
    const char *boot_id, uint64_t tree_size, const char *text, char *out,
    size_t out_max);

/* How many there are beside the archive, of any boot. Blocks. */
size_t log_misbehaviour_count(const char *archive);

struct log_misbehaviour { /* what was proven */
	struct hm_head first, second;
	size_t heads; /* 1: only `second` */
	size_t items; /* 0: the heads contradict each other */
};

/*
 * HM_LOG_FORK: it is proven, *out is filled. HM_LOG_PROOF: all is genuine but
 * proves nothing, with why. Any other: this is not genuine by this policy
 * (judged at its own time), or malformed, and what. Large: not on the stack.
 */
enum hm_verdict log_misbehaviour_check(struct log_misbehaviour *out,
    const struct hm_policy *policy, const char *json, size_t len,
    char why[static LOG_MISBEHAVIOUR_ERROR_MAX]);

#endif
