/* oracle_get: a bounded GET. Over a ceiling is an error, never a shorter
 * body. */
#include "verifier/daemon/oracle_get.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int oracle_get_is(CURL *easy, const char *content_type)
{
	const char *found = NULL;
	size_t len = strlen(content_type);
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &found);
	if (status != 200 || !found || strncasecmp(found, content_type, len))
		return 0;
	return found[len] == '\0' || found[len] == ';' || found[len] == ' ';
}

static void release(struct oracle_get *get)
{
	curl_easy_cleanup(get->transfer.easy);
	get->transfer.easy = NULL;
	get->body = (struct curl_body){.bytes = NULL};
}

static void on_done(struct curl_transfer *transfer, CURLcode result)
{
	struct oracle_get *get = transfer->data;
	struct curl_body body = get->body;
	char error[128] = "";
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status && !oracle_get_is(transfer->easy, get->type))
		snprintf(error, sizeof(error), "status %ld or its content type",
		    status);
	else if (result)
		snprintf(
		    error, sizeof(error), "%s", curl_body_why(&body, result));
	release(get);
	if (error[0])
		get->done(get, error, NULL, 0);
	else
		get->done(get, NULL, (const uint8_t *)body.bytes, body.len);
	curl_body_fini(&body);
}

void oracle_get_start(struct oracle_get *get, struct curl_loop *curl,
    const struct oracle_address *address, const char *target,
    const char *content_type, size_t max,
    void (*done)(struct oracle_get *get, const char *error, const uint8_t *body,
	size_t len))
{
	CURL *easy = oracle_address_get(address, target);

	assert(!get->transfer.easy);
	curl_body_init(&get->body, max);
	get->curl = curl;
	get->type = content_type;
	get->done = done;
	get->transfer.easy = easy;
	get->transfer.data = get;
	get->transfer.done = on_done;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ORACLE_GET_MS);
	curl_body_collect(&get->body, easy);
	curl_loop_add(curl, &get->transfer);
}

void oracle_get_cancel(struct oracle_get *get)
{
	struct curl_body body = get->body;

	if (!get->transfer.easy)
		return;
	curl_loop_remove(get->curl, &get->transfer);
	release(get);
	curl_body_fini(&body);
}
