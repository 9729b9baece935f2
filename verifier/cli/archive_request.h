/* archive_request: a GET of one page of a verifier's history, whole, under a
 * ceiling and a deadline. Blocking. */
#ifndef HALLMARK_VERIFIER_CLI_ARCHIVE_REQUEST_H
#define HALLMARK_VERIFIER_CLI_ARCHIVE_REQUEST_H

#include "verifier/cli/archives.h"
#include "verifier/daemon/curl_body.h"

#define ARCHIVE_REQUEST_MS    60000 /* from start to last byte */
#define ARCHIVE_REQUEST_TRIES 60    /* a second apart, while it says 429 */

struct archive_request {
	struct oracle_address address;
	char *error; /* borrowed: ARCHIVES_ERROR_MAX bytes */
	/* of the last answer */
	struct curl_body body;
	bool good; /* status 200 and the type that was asked for */
	long status;
	char next[ORACLE_TARGET_MAX]; /* of its Link header, or "" */
};

/* 0 and the body of a 200 of this type, or -1 and why; then `status` tells
 * more, 0 if there was no answer. */
HM_MUST_CHECK int archive_request_get(struct archive_request *request,
    const char *target, const char *type, size_t max);
/* -1: the address and what is wrong are in `error`. */
int archive_request_fail(struct archive_request *request, const char *format,
    ...) __attribute__((format(printf, 2, 3)));
void archive_request_fini(struct archive_request *request);

#endif
