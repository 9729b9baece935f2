/* http_request: one request as text, see the header. */
#include "oracle/http_request.h"

#include "base/log.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_visible(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return text[0] != '\0';
}

void http_request_host(
    char out[static HTTP_REQUEST_HOST_MAX], const char *host, uint16_t port)
{
	int n;

	assert(is_visible(host));
	if (port == 443)
		n = snprintf(out, HTTP_REQUEST_HOST_MAX, "%s", host);
	else
		n = snprintf(out, HTTP_REQUEST_HOST_MAX, "%s:%u", host, port);
	assert(n > 0 && n < HTTP_REQUEST_HOST_MAX);
	(void)n;
}

/* header: "", or a line with its CRLF. */
static size_t write_get(char out[static HTTP_REQUEST_MAX], const char *host,
    uint16_t port, const char *target, const char *header)
{
	char at[HTTP_REQUEST_HOST_MAX];
	int n;

	assert(is_visible(target) && target[0] == '/');
	http_request_host(at, host, port);
	n = snprintf(out, HTTP_REQUEST_MAX,
	    "GET %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
	    "Accept: application/json\r\n"
	    "%s"
	    "Connection: keep-alive\r\n\r\n",
	    target, at, header);
	assert(n > 0 && n < HTTP_REQUEST_MAX);
	return (size_t)n;
}

size_t http_request_get(char out[static HTTP_REQUEST_MAX], const char *host,
    uint16_t port, const char *target)
{
	return write_get(out, host, port, target, "");
}

size_t http_request_get_keyed(char out[static HTTP_REQUEST_MAX],
    const char *host, uint16_t port, const char *target, const char *name,
    const char *value)
{
	char header[HTTP_REQUEST_KEY_MAX];
	size_t len;
	int n;

	assert(is_visible(name) && is_visible(value));
	n = snprintf(header, sizeof(header), "%s: %s\r\n", name, value);
	assert(n > 0 && n < HTTP_REQUEST_KEY_MAX);
	(void)n;
	len = write_get(out, host, port, target, header);
	OPENSSL_cleanse(header, sizeof(header));
	return len;
}

char *http_request_post(const char *host, uint16_t port,
    const struct http_request_post *post, size_t *len)
{
	char at[HTTP_REQUEST_HOST_MAX];
	char *out = NULL;
	int n;

	assert(is_visible(post->target) && post->target[0] == '/');
	assert(post->len <= HTTP_REQUEST_BODY_MAX);
	http_request_host(at, host, port);
	n = asprintf(&out,
	    "POST %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
	    "%s"
	    "Content-Length: %zu\r\n"
	    "Connection: keep-alive\r\n\r\n",
	    post->target, at, post->headers, post->len);
	if (n < 0)
		log_die("http_request", "out of memory");
	*len = (size_t)n + post->len;
	out = realloc(out, *len);
	if (out == NULL)
		log_die("http_request", "out of memory");
	memcpy(out + n, post->body, post->len);
	return out;
}
