/* log_fetch: see log_fetch.h. */
#include "verifier/cli/log_fetch.h"

#include "verifier/daemon/curl_body.h"

#include <stdio.h>

char *log_fetch(const struct oracle_address *address, const char *target,
    size_t *len, char error[static LOG_FETCH_ERROR_MAX])
{
	CURL *easy = oracle_address_get(address, target);
	struct curl_body body;
	char problem[400];
	long status = 0;
	CURLcode rc;

	curl_body_init(&body, LOG_FETCH_MAX);
	curl_body_collect(&body, easy);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)LOG_FETCH_MS);
	rc = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	*len = body.len;
	if (rc == CURLE_OK && status == 200)
		return body.bytes;
	curl_body_problem(&body, status, problem, sizeof(problem));
	if (rc != CURLE_OK)
		snprintf(error, LOG_FETCH_ERROR_MAX, "%s: %s", address->text,
		    curl_body_why(&body, rc));
	else
		snprintf(error, LOG_FETCH_ERROR_MAX, "the verifier answers %s",
		    problem);
	curl_body_fini(&body);
	*len = 0;
	return NULL;
}
