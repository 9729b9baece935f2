/* answer: see answer.h. */
#include "vsock-bridge/answer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct answer {
	unsigned status;
	const char *phrase, *error;
} answers[] = {
#define X(name, status, phrase, error) {status, phrase, error},
    ANSWER_TABLE(X)
#undef X
};

unsigned answer_status(enum answer_code code)
{
	return answers[code].status;
}

const char *answer_error(enum answer_code code)
{
	return answers[code].error;
}

size_t answer_format(char out[static ANSWER_BYTES_MAX], enum answer_code code,
    const char *detail)
{
	const struct answer *answer = &answers[code];
	size_t len = strnlen(detail, ANSWER_DETAIL_MAX);
	int written;

	/* RFC 9110 15.5.6: a 405 names the methods that there are. */
	written = snprintf(out, ANSWER_BYTES_MAX,
	    "HTTP/1.1 %u %s\r\n"
	    "%s"
	    "Proxy-Status: vsock-bridge; error=%s\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: %zu\r\n"
	    "Connection: close\r\n"
	    "\r\n"
	    "%.*s\n",
	    answer->status, answer->phrase,
	    answer->status == 405 ? "Allow: CONNECT\r\n" : "", answer->error,
	    len + 1, (int)len, detail);
	assert(written > 0 && written < ANSWER_BYTES_MAX);
	return (size_t)written;
}
