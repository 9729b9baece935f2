/* log_api: reads the questions; log_reader answers them. */
#include "verifier/daemon/log_api.h"

#include "verifier/daemon/log_reader.h"
#include "verifier/daemon/oracle_feeds.h"
#include "verifier/daemon/verifierd.h"
#include "verifier/merkle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS_DEFAULT 100

static bool refuse(struct http_request *req, const char *code, const char *name,
    const char *must_be)
{
	char detail[96], extra[64];

	snprintf(detail, sizeof(detail), "%s must be %s", name, must_be);
	snprintf(extra, sizeof(extra), "\"parameter\":\"%s\"", name);
	http_problem(req, 400, code, detail, extra);
	return false;
}

/* An absent one leaves *out as it is. */
static bool read_number(
    struct http_request *req, const char *name, uint64_t max, uint64_t *out)
{
	const char *text = http_param(req, name);
	size_t len = text ? strlen(text) : 0;
	char must_be[48];

	if (!text)
		return true;
	if (len > 0 && len <= 16 && strspn(text, "0123456789") == len &&
	    strtoull(text, NULL, 10) <= max) {
		*out = strtoull(text, NULL, 10);
		return true;
	}
	snprintf(must_be, sizeof(must_be), "a number from 0 to %llu",
	    (unsigned long long)max);
	return refuse(req, "PARAM_INVALID", name, must_be);
}

static bool need(struct http_request *req, const char *name)
{
	return http_param(req, name) ||
	       refuse(req, "PARAM_MISSING", name, "given");
}

static bool read_boot_id(struct http_request *req, struct log_question *q)
{
	const char *text = http_param(req, "boot_id");

	if (!text)
		return true;
	if (strlen(text) != LOG_BOOT_HEX - 1 ||
	    strspn(text, "0123456789abcdef") != LOG_BOOT_HEX - 1)
		return refuse(req, "PARAM_INVALID", "boot_id",
		    "32 hex digits in lower case");
	snprintf(q->boot_id, sizeof(q->boot_id), "%s", text);
	return true;
}

static bool read_feed(struct http_request *req, struct log_question *q)
{
	const char *text = http_param(req, "feed");

	if (!oracle_feeds_is_name(text))
		return refuse(req, "PARAM_INVALID", "feed", "a feed's name");
	snprintf(q->feed, sizeof(q->feed), "%s", text);
	return true;
}

static void ask(
    struct http_request *req, void *data, const struct log_question *q)
{
	const struct verifierd *d = data;

	log_reader_ask(d->log_reader, req, q);
}

static void serve_head(struct http_request *req, void *data)
{
	struct log_question q = {.asked = LOG_ASKED_HEAD};

	if (read_boot_id(req, &q))
		ask(req, data, &q);
}

static void serve_heads(struct http_request *req, void *data)
{
	struct log_question q = {.asked = LOG_ASKED_HEADS};
	uint64_t limit = HEADS_DEFAULT;

	if (!read_boot_id(req, &q) ||
	    !read_number(req, "after", MERKLE_SIZE_MAX, &q.after) ||
	    !read_number(req, "limit", LOG_HEADS_MAX, &limit))
		return;
	q.limit = limit ? (unsigned)limit : 1;
	ask(req, data, &q);
}

static void serve_inclusion(struct http_request *req, void *data)
{
	struct log_question q = {.asked = LOG_ASKED_INCLUSION};

	if (need(req, "feed") && need(req, "sequence") && read_feed(req, &q) &&
	    read_boot_id(req, &q) &&
	    read_number(req, "sequence", MERKLE_SIZE_MAX, &q.sequence) &&
	    read_number(req, "tree_size", MERKLE_SIZE_MAX, &q.size))
		ask(req, data, &q);
}

static void serve_consistency(struct http_request *req, void *data)
{
	struct log_question q = {.asked = LOG_ASKED_CONSISTENCY};

	if (!need(req, "from") || !need(req, "to") || !read_boot_id(req, &q) ||
	    !read_number(req, "from", MERKLE_SIZE_MAX, &q.from) ||
	    !read_number(req, "to", MERKLE_SIZE_MAX, &q.size))
		return;
	if (q.from == 0 || q.size == 0 || q.from > q.size)
		refuse(req, "PARAM_INVALID", "from",
		    "at least 1, and not larger than to");
	else
		ask(req, data, &q);
}

/* ---- the table ---- */

#define JSON   "application/json"
#define NUMBER "{\"type\":\"integer\",\"minimum\":0}"
#define BOOT_ID                                                               \
	{                                                                     \
		"boot_id",                                                    \
		    "of which boot; the one of the newest head if not given", \
		    "{\"$ref\":\"#/components/schemas/BootId\"}"              \
	}
#define END                      \
	{                        \
		NULL, NULL, NULL \
	}

static const struct service_param head_params[] = {BOOT_ID, END};
static const struct service_param heads_params[] = {BOOT_ID,
    {"after", "larger trees than this only", NUMBER},
    {"limit", "so many heads at most; 100 if not given",
	"{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000}"},
    END};
static const struct service_param inclusion_params[] = {
    {"feed", "of the item", "{\"type\":\"string\"}"}, BOOT_ID,
    {"sequence", "of the item", NUMBER},
    {"tree_size", "of the head to prove it for; the newest if not given",
	NUMBER},
    END};
static const struct service_param consistency_params[] = {BOOT_ID,
    {"from", "size of the smaller tree", NUMBER},
    {"to", "size of the larger tree", NUMBER}, END};

static const struct service_answer head_answers[] = {
    {200, JSON, "Item", "a signed head of the log", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer heads_answers[] = {
    {200, JSON, "LogHeads", "signed heads, by size", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer inclusion_answers[] = {
    {200, JSON, "LogInclusion", "the item's path to a signed root", false},
    {0, NULL, NULL, NULL, false},
};
static const struct service_answer consistency_answers[] = {
    {200, JSON, "LogConsistency",
	"that the smaller tree is the beginning of the larger", false},
    {0, NULL, NULL, NULL, false},
};

#define COMMON                                   \
	{404, "LOG_UNKNOWN"}, {503, "LOG_BUSY"}, \
	{                                        \
		503, "ARCHIVE_UNREADABLE"        \
	}

static const struct service_problem head_problems[] = {COMMON, {0, NULL}};
static const struct service_problem inclusion_problems[] = {
    {400, "PARAM_MISSING"}, {404, "ITEM_UNKNOWN"}, {404, "LOG_NOT_YET"},
    {404, "LOG_SIZE_UNKNOWN"}, {404, "LOG_INCOMPLETE"}, {500, "LOG_DAMAGED"},
    COMMON, {0, NULL}};
static const struct service_problem consistency_problems[] = {
    {400, "PARAM_MISSING"}, {404, "LOG_SIZE_UNKNOWN"}, {404, "LOG_INCOMPLETE"},
    {500, "LOG_DAMAGED"}, COMMON, {0, NULL}};

const struct service_route log_api_routes[] = {
    {.method = "GET",
	.path = "/log/head",
	.about = "The newest signed head of a boot's log.",
	.handler = serve_head,
	.params = head_params,
	.answers = head_answers,
	.problems = head_problems},
    {.method = "GET",
	.path = "/log/heads",
	.about = "The signed heads of a boot's log.",
	.handler = serve_heads,
	.params = heads_params,
	.answers = heads_answers,
	.problems = head_problems},
    {.method = "GET",
	.path = "/log/inclusion",
	.about = "Proves that an item is in the log.",
	.handler = serve_inclusion,
	.params = inclusion_params,
	.answers = inclusion_answers,
	.problems = inclusion_problems},
    {.method = "GET",
	.path = "/log/consistency",
	.about = "Proves that a log has only grown.",
	.handler = serve_consistency,
	.params = consistency_params,
	.answers = consistency_answers,
	.problems = consistency_problems},
    {.method = NULL},
};
