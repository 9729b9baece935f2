/* oracle_get: a bounded GET. Over a ceiling is an error, never a shorter
 * body. */
#include "verifier/daemon/oracle_get.h"

#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
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

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	struct oracle_get *get = data;
	size_t len = size * count;

	if (len > get->max - get->len) {
		get->too_long = true;
		return 0;
	}
	memcpy(get->body + get->len, bytes, len);
	get->len += len;
	return len;
}

static void release(struct oracle_get *get)
{
	curl_easy_cleanup(get->transfer.easy);
	get->transfer.easy = NULL;
	get->body = NULL;
}

static void on_done(struct curl_transfer *transfer, CURLcode result)
{
	struct oracle_get *get = transfer->data;
	uint8_t *body = get->body;
	size_t len = get->len;
	char error[128] = "";
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status && !oracle_get_is(transfer->easy, get->type))
		snprintf(error, sizeof(error), "status %ld or its content type",
		    status);
	else if (get->too_long)
		snprintf(error, sizeof(error), "body too long");
	else if (result)
		snprintf(
		    error, sizeof(error), "%s", curl_easy_strerror(result));
	release(get);
	if (error[0])
		get->done(get, error, NULL, 0);
	else
		get->done(get, NULL, body, len);
	free(body);
}

void oracle_get_start(struct oracle_get *get, struct curl_loop *curl,
    const struct oracle_address *address, const char *target,
    const char *content_type, size_t max,
    void (*done)(struct oracle_get *get, const char *error, const uint8_t *body,
	size_t len))
{
	CURL *easy = oracle_address_get(address, target);

	assert(!get->transfer.easy);
	get->body = malloc(max + 1);
	if (!get->body)
		log_die("oracle_get", "out of memory");
	get->curl = curl;
	get->len = 0;
	get->too_long = false;
	get->max = max;
	get->type = content_type;
	get->done = done;
	get->transfer.easy = easy;
	get->transfer.data = get;
	get->transfer.done = on_done;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ORACLE_GET_MS);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, get);
	curl_loop_add(curl, &get->transfer);
}

void oracle_get_cancel(struct oracle_get *get)
{
	uint8_t *body = get->body;

	if (!get->transfer.easy)
		return;
	curl_loop_remove(get->curl, &get->transfer);
	release(get);
	free(body);
}
