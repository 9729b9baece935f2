/* fetch_post: see fetch_post.h. */
#include "verifier/cli/fetch_post.h"

#include "base/log.h"
#include "verifier/daemon/curl_body.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void tell_problem(CURL *easy, const struct curl_body *answer,
    long status, char error[static FETCH_POST_ERROR_MAX])
{
	char problem[400], later[64] = "";
	curl_off_t retry_s = 0;

	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
	if (retry_s > 0)
		snprintf(later, sizeof(later), "; come again in %lld s",
		    (long long)retry_s);
	curl_body_problem(answer, status, problem, sizeof(problem));
	snprintf(error, FETCH_POST_ERROR_MAX, "the oracle answers %s%s",
	    problem, later);
}

static CURLcode perform(CURL *easy, const char *body)
{
	struct curl_slist *headers = curl_slist_append(
	    NULL, "Content-Type: application/json");
	CURLcode rc;

	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
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
	CURL *easy = oracle_address_get(address, "/fetch");
	char *body = body_of(asked);
	struct curl_body answer;
	long status = 0;
	CURLcode rc;

	if (!body)
		log_die("fetch_post", "out of memory");
	curl_body_init(&answer, HM_FETCHED_MAX);
	curl_body_collect(&answer, easy);
	rc = perform(easy, body);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK)
		snprintf(error, FETCH_POST_ERROR_MAX, "%s: %s", address->text,
		    curl_body_why(&answer, rc));
	else if (status != 200)
		tell_problem(easy, &answer, status, error);
	curl_easy_cleanup(easy);
	free(body);
	*len = answer.len;
	if (rc == CURLE_OK && status == 200)
		return answer.bytes;
	curl_body_fini(&answer);
	*len = 0;
	return NULL;
}
