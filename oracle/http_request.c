/* http_request: one GET as text, see the header. */
#include "oracle/http_request.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_visible(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return text[0] != '\0';
}

size_t http_request_get(char out[static HTTP_REQUEST_MAX], const char *host,
    uint16_t port, const char *target)
{
	char port_text[8] = "";

	assert(is_visible(host) && is_visible(target) && target[0] == '/');
	/* RFC 9110, 7.2: left out when it is the scheme's own. */
	if (port != 443)
		snprintf(port_text, sizeof(port_text), ":%u", port);
	int n = snprintf(out, HTTP_REQUEST_MAX,
	    "GET %s HTTP/1.1\r\n"
	    "Host: %s%s\r\n"
	    "User-Agent: hallmark/" HALLMARK_VERSION "\r\n"
	    "Accept: application/json\r\n"
	    "Connection: keep-alive\r\n\r\n",
	    target, host, port_text);
	assert(n > 0 && n < HTTP_REQUEST_MAX);
	return (size_t)n;
}
