/*
 * sigv4: AWS Signature Version 4, the Authorization header of one request
 * (AWS, "Signature Version 4 signing process"). Pure: the time is given.
 */
#ifndef HALLMARK_ORACLE_SIGV4_H
#define HALLMARK_ORACLE_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#define SIGV4_AUTHORIZATION_MAX 1024
#define SIGV4_CANONICAL_MAX     12288 /* a session token is long */
#define SIGV4_DATE_LEN          16    /* "20150830T123600Z" */
#define SIGV4_HEADERS_MAX       12

struct sigv4_header {
	const char *name;  /* lower case */
	const char *value; /* without blanks around it or doubled ones */
};

struct sigv4_request {
	const char *method, *path, *query;  /* canonical already */
	const struct sigv4_header *headers; /* by name, ascending, with host */
	size_t header_count;
	const void *body;
	size_t body_len;
};

struct sigv4_scope {
	const char *date; /* sigv4_date() */
	const char *region, *service;
};

/* UTC, as X-Amz-Date has it. */
void sigv4_date(int64_t unix_ms, char out[static SIGV4_DATE_LEN + 1]);

/*
 * Writes the header's value, NUL-terminated. What is given must be visible
 * ASCII, the headers in order: both are ours (asserted). 0, or -1 when a part
 * is longer than SIGV4_CANONICAL_MAX or SIGV4_AUTHORIZATION_MAX allow.
 */
__attribute__((warn_unused_result)) int sigv4_authorization(
    const struct sigv4_request *request, const struct sigv4_scope *scope,
    const char *access_key_id, const char *secret_access_key,
    char out[static SIGV4_AUTHORIZATION_MAX]);

#endif
