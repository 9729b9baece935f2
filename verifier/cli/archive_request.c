/* archive_request: see archive_request.h. */
#include "verifier/cli/archive_request.h"

#include "verifier/daemon/oracle_get.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int archive_request_fail(
    struct archive_request *request, const char *format, ...)
{
	int len = snprintf(request->error, ARCHIVES_ERROR_MAX,
	    "%.200s: ", request->address.text);
	va_list args;

	va_start(args, format);
	vsnprintf(request->error + len, ARCHIVES_ERROR_MAX - (size_t)len,
	    format, args);
	va_end(args);
	return -1;
}

/* Link: </history?...>; rel="next" (RFC 8288). No other is followed. */
static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	static const char name[] = "link:";
	struct archive_request *a = data;
	size_t len = size * count, at = sizeof(name) - 1;
	const char *end;

	if (len <= at || strncasecmp(line, name, at) != 0)
		return len;
	while (at < len && line[at] == ' ')
		at++;
	end = memchr(line, '>', len);
	if (at >= len || line[at] != '<' || end == NULL ||
	    memmem(end, (size_t)(line + len - end), "rel=\"next\"", 10) == NULL)
		return len;
	at++;
	if ((size_t)(end - line) - at < sizeof(a->next))
		snprintf(a->next, sizeof(a->next), "%.*s",
		    (int)((size_t)(end - line) - at), line + at);
	return len;
}

static CURLcode ask(
    struct archive_request *a, const char *target, const char *type, size_t max)
{
	CURL *easy = oracle_address_get(&a->address, target);
	struct curl_slist *headers = NULL;
	char accept[80];
	CURLcode result;

	curl_body_fini(&a->body);
	curl_body_init(&a->body, max);
	a->status = 0;
	a->next[0] = '\0';
	snprintf(accept, sizeof(accept), "Accept: %s", type);
	headers = curl_slist_append(NULL, accept);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ARCHIVE_REQUEST_MS);
	curl_body_collect(&a->body, easy);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, a);
	result = headers ? curl_easy_perform(easy) : CURLE_OUT_OF_MEMORY;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &a->status);
	a->good = oracle_get_is(easy, type);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
	return result;
}

/* A server that has had enough of us for now (429) is asked again. */
int archive_request_get(
    struct archive_request *a, const char *target, const char *type, size_t max)
{
	CURLcode result = ask(a, target, type, max);

	for (int i = 0; i < ARCHIVE_REQUEST_TRIES && a->status == 429; i++) {
		sleep(1);
		result = ask(a, target, type, max);
	}
	if (result != CURLE_OK)
		return archive_request_fail(
		    a, "%.100s: %s", target, curl_body_why(&a->body, result));
	if (!a->good)
		return archive_request_fail(a,
		    "%.100s answered %ld, or not as %s", target, a->status,
		    type);
	return 0;
}

void archive_request_fini(struct archive_request *request)
{
	curl_body_fini(&request->body);
}
