/* http_request_id: the name of a request, for those who look for it in logs on
 * both sides. A client's own is used if nothing in it could be mistaken for
 * anything else where it is shown. */
#include "base/http_state.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SANE                         \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"abcdefghijklmnopqrstuvwxyz" \
	"0123456789-_.:"

static bool is_sane(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len < HTTP_REQUEST_ID_MAX && strspn(id, SANE) == len;
}

/* A random word of this process and a number. */
static void make(char out[static HTTP_REQUEST_ID_MAX])
{
	static uint64_t word, number;

	while (word == 0)
		if (getrandom(&word, sizeof(word), 0) != sizeof(word))
			log_die("http", "no random bytes");
	snprintf(out, HTTP_REQUEST_ID_MAX, "%016" PRIx64 "-%" PRIu64, word,
	    number++);
}

const char *http_request_id(struct http_request *req)
{
	const char *given = http_header(req, "X-Request-Id");

	if (req->id[0])
		return req->id;
	if (given && is_sane(given))
		memcpy(req->id, given, strlen(given) + 1);
	else
		make(req->id);
	return req->id;
}
