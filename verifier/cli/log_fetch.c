/* log_fetch: see log_fetch.h. */
#include "verifier/cli/log_fetch.h"

#include "base/log.h"
#include "verifier/daemon/oracle_get.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct body {
	char *bytes;
	size_t len;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct body *body = data;
	size_t len = size * count;
	char *grown;

	if (len > LOG_FETCH_MAX - body->len)
		return 0;
	grown = realloc(body->bytes, body->len + len + 1);
	if (!grown)
		log_die("log_fetch", "out of memory");
	memcpy(grown + body->len, bytes, len);
	body->bytes = grown;
	body->len += len;
	grown[body->len] = '\0';
	return len;
}

static void tell_problem(const struct body *body, long status, char *error)
{
	json_t *root = json_loadb(
	    body->bytes ? body->bytes : "", body->len, 0, NULL);
	const char *code = NULL, *detail = NULL;

	if (json_unpack(root, "{s:s, s?s}", "code", &code, "detail", &detail))
		snprintf(error, LOG_FETCH_ERROR_MAX, "the verifier answers %ld",
		    status);
	else
		snprintf(error, LOG_FETCH_ERROR_MAX,
		    "the verifier answers %ld %.64s: %.200s", status, code,
		    detail ? detail : "");
	json_decref(root);
}

char *log_fetch(const struct oracle_address *address, const char *target,
    size_t *len, char error[static LOG_FETCH_ERROR_MAX])
{
	CURL *easy = oracle_address_get(address, target);
	struct body body = {NULL, 0};
	long status = 0;
	CURLcode rc;

	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)LOG_FETCH_MS);
	rc = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	*len = body.len;
	if (rc != CURLE_OK)
		snprintf(error, LOG_FETCH_ERROR_MAX, "%s: %s", address->text,
		    curl_easy_strerror(rc));
	else if (status != 200 || !body.bytes)
		tell_problem(&body, status, error);
	if (rc != CURLE_OK || status != 200) {
		free(body.bytes);
		body.bytes = NULL;
		*len = 0;
	}
	curl_easy_cleanup(easy);
	return body.bytes;
}
