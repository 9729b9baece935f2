/* http_problem: what was wrong, as RFC 9457 has it. */
#include "base/http_state.h"

#include "base/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 9457 4.2.1: the type about:blank has the status phrase as its title.
 * Returns malloc'ed text; a detail that is not UTF-8 is left out. */
static char *problem_text(struct http_request *req, unsigned status,
    const char *code, const char *detail, const char *extra)
{
	json_t *object = json_pack("{s:s, s:s, s:I, s:s, s:s}", "type",
	    "about:blank", "title", MHD_get_reason_phrase_for(status), "status",
	    (json_int_t)status, "code", code, "request_id",
	    http_request_id(req));
	json_t *sentence = detail ? json_string(detail) : NULL;
	char *base, *text;

	if (!object ||
	    (sentence && json_object_set_new(object, "detail", sentence) < 0))
		log_die("http", "out of memory");
	base = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!base)
		log_die("http", "out of memory");
	if (!extra || !extra[0])
		return base;
	if (asprintf(&text, "%.*s,%s}", (int)strlen(base) - 1, base, extra) < 0)
		log_die("http", "out of memory");
	free(base);
	return text;
}

static void reply_problem(struct http_request *req, unsigned status,
    const char *code, const char *detail, const char *extra,
    unsigned retry_after_s)
{
	char *text = problem_text(req, status, code, detail, extra);

	http_reply(req, &(struct http_reply){
			    .status = status,
			    .content_type = "application/problem+json",
			    .body = text,
			    .len = strlen(text),
			    .retry_after_s = retry_after_s,
			});
	free(text);
}

void http_problem(struct http_request *req, unsigned status, const char *code,
    const char *detail, const char *extra)
{
	bool later = status == 429 || status == 503;

	reply_problem(
	    req, status, code, detail, extra, later ? HTTP_RETRY_AFTER_S : 0);
}

void http_problem_later(struct http_request *req, unsigned status,
    const char *code, const char *detail, const char *extra,
    unsigned retry_after_s)
{
	reply_problem(req, status, code, detail, extra,
	    retry_after_s > 0 ? retry_after_s : HTTP_RETRY_AFTER_S);
}

void http_problem_429(struct http_request *req, unsigned retry_after_s)
{
	reply_problem(req, 429, "RATE_LIMITED",
	    "this address asks too often; Retry-After says when to go on", NULL,
	    retry_after_s);
}

void http_problem_405(struct http_request *req, const char *allow)
{
	http_problem(req, 405, "METHOD_NOT_ALLOWED",
	    "this path does not serve this method", NULL);
	http_reply_header(req, "Allow", allow);
}
