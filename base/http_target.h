/*
 * http_target: the request target (RFC 9112 3.2) taken apart. No I/O.
 *
 * What other parts of a system may read in different ways is refused and not
 * repaired: bad percent-encoding, control characters and NUL, bytes that are
 * not UTF-8, dot segments, a slash hidden in a segment.
 */
#ifndef HALLMARK_BASE_HTTP_TARGET_H
#define HALLMARK_BASE_HTTP_TARGET_H

#include "base/http_server.h"

#define HTTP_SEGMENTS_MAX 8 /* segments of a path; no route has as many */

enum http_target_error {
	HTTP_TARGET_OK = 0,
	HTTP_TARGET_PATH_INVALID,
	HTTP_TARGET_PATH_TOO_DEEP,
	HTTP_TARGET_QUERY_INVALID,
	HTTP_TARGET_PARAMS_TOO_MANY,
	HTTP_TARGET_NO_MEMORY,
};

struct http_param {
	const char *name, *value; /* decoded UTF-8, inside text */
};

struct http_target {
	char *text; /* a copy of the target, decoded in place */
	const char *segments[HTTP_SEGMENTS_MAX];
	size_t segment_count;
	struct http_param params[HTTP_PARAMS_MAX];
	size_t param_count;
};

/* Fills `out` from origin-form or absolute-form. On failure it is zeroed. */
__attribute__((warn_unused_result)) enum http_target_error http_target_parse(
    struct http_target *out, const char *text);
void http_target_fini(struct http_target *target);

/* Does the target have this route's path ("/price/{feed}")? *part is the
 * {part}'s text then, "" if the route has none. An empty part does not match.
 */
bool http_target_matches(
    const struct http_target *target, const char *path, const char **part);

/* Returns the first parameter that is not in `allowed` (NULL-ended, or NULL),
 * or that comes a second time (*twice is set) and is no list ("ids[]"), or
 * NULL. */
const struct http_param *http_target_bad_param(
    const struct http_target *target, const char *const *allowed, bool *twice);

/* RFC 9110 13.1.2: does this If-None-Match list hold the entity tag? Weak
 * comparison; a list that is not well formed matches up to its fault. */
bool http_etag_matches(const char *if_none_match, const char *etag);

#endif
