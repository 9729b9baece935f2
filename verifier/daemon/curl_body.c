/* curl_body: see curl_body.h. */
#include "verifier/daemon/curl_body.h"

#include "base/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void curl_body_init(struct curl_body *body, size_t max)
{
	*body = (struct curl_body){.bytes = malloc(max + 1), .max = max};
	if (body->bytes == NULL)
		log_die("curl_body", "out of memory");
	body->bytes[0] = '\0';
}

void curl_body_fini(struct curl_body *body)
{
	free(body->bytes);
	*body = (struct curl_body){.bytes = NULL};
}

size_t curl_body_append(struct curl_body *body, const char *bytes, size_t len)
{
	if (len > body->max - body->len) {
		body->too_long = true;
		return 0;
	}
	memcpy(body->bytes + body->len, bytes, len);
	body->len += len;
	body->bytes[body->len] = '\0';
	return len;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
	return curl_body_append(data, bytes, size * count);
}

void curl_body_collect(struct curl_body *body, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
}

const char *curl_body_why(const struct curl_body *body, CURLcode result)
{
	return body->too_long ? "the answer is too long"
			      : curl_easy_strerror(result);
}

void curl_body_problem(
    const struct curl_body *body, long status, char *out, size_t size)
{
	json_t *root = json_loadb(body->bytes, body->len, 0, NULL);
	const char *code, *detail = "";

	if (json_unpack(root, "{s:s, s?s}", "code", &code, "detail", &detail))
		snprintf(out, size, "%ld", status);
	else
		snprintf(out, size, "%ld %.64s: %.300s", status, code, detail);
	json_decref(root);
}
