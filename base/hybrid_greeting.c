/* hybrid_greeting: see hybrid_greeting.h. */
#include "base/hybrid_greeting.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define ANSWER_MAX 14 /* "OK 4294967295\n" */

size_t hybrid_greeting_start(struct hybrid_greeting *greeting, uint32_t port,
    char out[static HYBRID_GREETING_MAX])
{
	memset(greeting, 0, sizeof(*greeting));
	return (size_t)snprintf(
	    out, HYBRID_GREETING_MAX, "CONNECT %u\n", (unsigned)port);
}

/* "OK ", a port in decimal, "\n": a line that fits cannot be a number of more
 * digits, and which one it is is of no use to us. */
static bool is_ok(const char *line, size_t len)
{
	if (len < sizeof("OK 1\n") - 1 || memcmp(line, "OK ", 3) != 0)
		return false;
	for (size_t i = 3; i < len - 1; i++)
		if (line[i] < '0' || line[i] > '9')
			return false;
	return true;
}

int hybrid_greeting_read(struct hybrid_greeting *greeting, const char *bytes,
    size_t len, size_t *taken)
{
	*taken = 0;
	while (*taken < len) {
		char c = bytes[(*taken)++];

		greeting->line[greeting->len++] = c;
		if (c == '\n')
			return is_ok(greeting->line, greeting->len) ? 1
								    : UV_EPROTO;
		if (greeting->len == ANSWER_MAX)
			return UV_EPROTO;
	}
	return 0;
}
