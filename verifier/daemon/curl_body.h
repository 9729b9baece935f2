/* curl_body: what a transfer of libcurl's answers, whole, under a ceiling. Over
 * it is an error, never a shorter answer. */
#ifndef HALLMARK_VERIFIER_DAEMON_CURL_BODY_H
#define HALLMARK_VERIFIER_DAEMON_CURL_BODY_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct curl_body {   /* zero when there is none */
	char *bytes; /* owned; may be taken. A NUL stands behind them */
	size_t len, max;
	bool too_long; /* more came */
};

/* Empty, with room for max bytes. Dies without memory. */
void curl_body_init(struct curl_body *body, size_t max);
void curl_body_fini(struct curl_body *body);

/* The transfer's answer goes there, once it is performed. */
void curl_body_collect(struct curl_body *body, CURL *easy);
/* For those with a callback of their own: len, or 0, which ends the transfer.
 */
size_t curl_body_append(struct curl_body *body, const char *bytes, size_t len);

/* Why a transfer that ended so (not CURLE_OK) has no answer. Static. */
const char *curl_body_why(const struct curl_body *body, CURLcode result);

/* What an answer with another status than 200 says, "404 CODE: detail" where
 * it is a problem (RFC 9457), else its status alone. */
void curl_body_problem(
    const struct curl_body *body, long status, char *out, size_t size);

#endif
