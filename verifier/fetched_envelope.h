/* fetched_envelope: the JSON around a fetched answer, written and read in one
 * file: hm_fetch_parse() of hallmark.h reads what is written here. */
#ifndef HALLMARK_VERIFIER_FETCHED_ENVELOPE_H
#define HALLMARK_VERIFIER_FETCHED_ENVELOPE_H

#include "verifier/hallmark.h"

/* Compact JSON with the four keys in their order, which the caller frees; the
 * envelope must have its document. NULL: no memory. */
char *fetched_envelope_format(const struct hm_envelope *envelope);

#endif
