/* fetch_post: see fetch_post.h. Over a ceiling is an error, never a shorter
 * answer. */
#include "verifier/cli/fetch_post.h"

#include "base/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	char *bytes; /* room for HM_FETCHED_MAX and a NUL */
	size_t len;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct answer *answer = data;
	size_t len = size * count;

	if (len > HM_FETCHED_MAX - answer->len)
		return 0;
	memcpy(answer->bytes + answer->len, bytes, len);
	answer->len += len;
	answer->bytes[answer->len] = '\0';
	return len;
}

static void tell_problem(CURL *easy, const struct answer *answer, long status,
    char error[static FETCH_POST_ERROR_MAX])
{
	json_t *root = json_loadb(answer->bytes, answer->len, 0, NULL);
	const char *code = NULL, *detail = "";
	curl_off_t retry_s = 0;
	char later[64] = "";

	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
	if (retry_s > 0)
		snprintf(later, sizeof(later), "; come again in %lld s",
		    (long long)retry_s);
	if (json_unpack(root, "{s:s, s?s}", "code", &code, "detail", &detail))
		snprintf(error, FETCH_POST_ERROR_MAX,
		    "the oracle answers %ld%s", status, later);
	else
		snprintf(error, FETCH_POST_ERROR_MAX,
		    "the oracle answers %ld %.64s: %.200s%s", status, code,
		    detail, later);
	json_decref(root);
}

static CURLcode perform(CURL *easy, struct answer *answer, const char *body)
{
	struct curl_slist *headers = curl_slist_append(
	    NULL, "Content-Type: application/json");
	CURLcode rc;

	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)FETCH_POST_MS);
	rc = headers ? curl_easy_perform(easy) : CURLE_OUT_OF_MEMORY;
	curl_slist_free_all(headers);
	return rc;
}

static char *body_of(const struct hm_fetch_request *asked)
{
	json_t *root = json_pack("{s:s, s:i, s:s}", "hostname", asked->hostname,
	    "port", (int)asked->port, "path", asked->path);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

char *fetch_post(const struct oracle_address *address,
    const struct hm_fetch_request *asked, size_t *len,
    char error[static FETCH_POST_ERROR_MAX])
{
	struct answer answer = {.bytes = calloc(1, HM_FETCHED_MAX + 1)};
	CURL *easy = oracle_address_get(address, "/fetch");
	char *body = body_of(asked);
	long status = 0;
	CURLcode rc;

	if (!answer.bytes || !body)
		log_die("fetch_post", "out of memory");
	rc = perform(easy, &answer, body);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK)
		snprintf(error, FETCH_POST_ERROR_MAX, "%s: %s", address->text,
		    curl_easy_strerror(rc));
	else if (status != 200)
		tell_problem(easy, &answer, status, error);
	curl_easy_cleanup(easy);
	free(body);
	*len = answer.len;
	if (rc == CURLE_OK && status == 200)
		return answer.bytes;
	free(answer.bytes);
	*len = 0;
	return NULL;
}
