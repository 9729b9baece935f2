/* fetched_view: a fetched answer for people and for scripts. */
#ifndef HALLMARK_VERIFIER_CLI_FETCHED_VIEW_H
#define HALLMARK_VERIFIER_CLI_FETCHED_VIEW_H

#include "verifier/hallmark.h"

#include <jansson.h>
#include <stdio.h>

/* "VALID https://HOST:PORT/PATH answered 200 ..." and a line feed. */
void fetched_view_line(FILE *out, const struct hm_fetched *fetched);

/* All that it says; "body" is null where it is no text, and then "body_b64". A
 * new reference; NULL: no memory. */
json_t *fetched_view_json(const struct hm_fetched *fetched);

#endif
