/* board_ask: what a request asks a board for. See board_state.h. */
#include "base/board_state.h"

#include "base/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGE_MAX_MS   86400000           /* a day: beyond, it is a mistake */
#define SEQUENCE_MAX 999999999999999999 /* DIGITS_MAX of them */
#define DIGITS_MAX   18

char *board_member(const char *name, const char *value)
{
	json_t *object = json_pack("{s:s*}", name, value);
	char *text = object ? json_dumps(object, JSON_COMPACT) : strdup("{}");

	if (!text)
		log_die("board", "out of memory");
	json_decref(object);
	text[strlen(text) - 1] = '\0';
	memmove(text, text + 1, strlen(text));
	return text;
}

static bool refuse(
    struct http_request *req, const char *name, const char *detail)
{
	char *extra = board_member("parameter", name);

	http_problem(req, 400, "PARAM_INVALID", detail, extra);
	free(extra);
	return false;
}

static bool is_number(const char *text, int64_t *out)
{
	size_t len = strlen(text);

	if (len == 0 || len > DIGITS_MAX || strspn(text, "0123456789") != len)
		return false;
	*out = (int64_t)strtoll(text, NULL, 10);
	return true;
}

/* An absent one leaves *out as it is. */
static bool read_number(
    struct http_request *req, const char *name, int64_t max, int64_t *out)
{
	const char *text = http_param(req, name);
	char detail[96];
	int64_t number;

	if (!text)
		return true;
	if (is_number(text, &number) && number <= max) {
		*out = number;
		return true;
	}
	snprintf(detail, sizeof(detail), "%s must be a number from 0 to %lld",
	    name, (long long)max);
	return refuse(req, name, detail);
}

static bool read_form(struct board_ask *out, struct http_request *req)
{
	const char *form = http_param(req, "attestation");

	if (!form)
		return true;
	out->full = strcmp(form, "full") == 0;
	if (out->full || strcmp(form, "ref") == 0)
		return true;
	return refuse(req, "attestation", "attestation must be full or ref");
}

static bool read_boot_id(struct board_ask *out, struct http_request *req)
{
	const char *boot_id = http_param(req, "boot_id");

	if (!boot_id)
		return true;
	if (strlen(boot_id) != sizeof(out->boot_id) - 1 ||
	    strspn(boot_id, "0123456789abcdef") != strlen(boot_id))
		return refuse(req, "boot_id",
		    "boot_id must be an item's: 32 hex digits, lower case");
	memcpy(out->boot_id, boot_id, sizeof(out->boot_id));
	return true;
}

static bool read_wait(struct board_ask *out, struct http_request *req)
{
	int64_t after = -1;

	if (!read_number(req, "after_sequence", SEQUENCE_MAX, &after) ||
	    !read_number(req, "wait_ms", BOARD_WAIT_MS_MAX, &out->wait_ms) ||
	    !read_boot_id(out, req))
		return false;
	out->waits = after >= 0;
	out->after = out->waits ? (uint64_t)after : 0;
	if (!out->waits && http_param(req, "wait_ms"))
		return refuse(
		    req, "wait_ms", "wait_ms goes with after_sequence");
	if (!out->waits && out->boot_id[0])
		return refuse(
		    req, "boot_id", "boot_id goes with after_sequence");
	return true;
}

bool board_ask_read(
    struct board_ask *out, struct http_request *req, bool full_by_default)
{
	*out = (struct board_ask){.full = full_by_default,
	    .max_age_ms = BOARD_ANY_AGE,
	    .wait_ms = BOARD_WAIT_MS};
	return read_form(out, req) &&
	       read_number(req, "max_age_ms", AGE_MAX_MS, &out->max_age_ms) &&
	       read_wait(out, req);
}
