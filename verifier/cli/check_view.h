/* check_view: what a judgement checks, told as it goes: a line each, or
 * collected as JSON. */
#ifndef HALLMARK_VERIFIER_CLI_CHECK_VIEW_H
#define HALLMARK_VERIFIER_CLI_CHECK_VIEW_H

#include "verifier/hallmark.h"

#include <jansson.h>

struct check_view {
	json_t *checks; /* an array to be filled; NULL: lines on stdout */
	bool explain;   /* what was wanted and found where it passed, too */
};

/* A report that goes there; borrows the view. */
struct hm_report check_view_report(struct check_view *view);

/* What stands behind a good verdict that vouches for little; "" if nothing. */
const char *check_view_caveat(const struct hm_document *document);

#endif
