/*
 * service_document: the OpenAPI 3.1 document of a list of routes. Schemas are
 * those of schemas.json that an answer, or another schema, refers to: the
 * assembler copies the file as it is (.incbin); the Makefile makes this one
 * anew when it changes. Paths are from the repository's root, where make runs.
 */
#include "base/service.h"

#include "base/log.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__asm__(".pushsection .rodata\n"
	".globl service_schemas\n.hidden service_schemas\n"
	".globl service_schemas_end\n.hidden service_schemas_end\n"
	"service_schemas:\n.incbin \"base/schemas.json\"\n"
	"service_schemas_end:\n.byte 0\n.popsection\n");
extern const char service_schemas[], service_schemas_end[];

#define SCHEMAS      "#/components/schemas/"
#define HEADERS      "#/components/headers/"
#define NAME_MAX_LEN 160 /* bytes of a reference or an operationId, a NUL */

const struct service_problem service_problems[] = {
    {400, "PARAM_UNKNOWN"},
    {400, "PARAM_DUPLICATE"},
    {400, "PARAM_INVALID"},
    {400, "PARAM_TOO_MANY"},
    {400, "PATH_INVALID"},
    {400, "BODY_UNEXPECTED"},
    {400, "BODY_FRAMING_INVALID"},
    {411, "LENGTH_REQUIRED"},
    {413, "BODY_TOO_LARGE"},
    {414, "URI_TOO_LONG"},
    {429, "RATE_LIMITED"},
    {431, "HEADERS_TOO_LARGE"},
    {503, "SERVER_STOPPING"},
    {0, NULL},
};

struct document {
	json_t *all;     /* of schemas.json */
	json_t *schemas; /* those that are used */
};

static json_t *need(json_t *json)
{
	if (!json)
		log_die("service", "the document cannot be made");
	return json;
}

static json_t *parse(const char *text, size_t len)
{
	return need(json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL));
}

static json_t *reference(const char *where, const char *name)
{
	char text[NAME_MAX_LEN];

	snprintf(text, sizeof(text), "%s%s", where, name);
	return need(json_pack("{s:s}", "$ref", text));
}

/* ---- schemas ---- */

static void use_schema(struct document *doc, const char *name);

static void use_references(struct document *doc, json_t *in)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(in, key, value)
	{
		const char *target = json_string_value(value);

		if (target && strcmp(key, "$ref") == 0 &&
		    strncmp(target, SCHEMAS, strlen(SCHEMAS)) == 0)
			use_schema(doc, target + strlen(SCHEMAS));
		use_references(doc, value);
	}
	json_array_foreach(in, i, value) use_references(doc, value);
}

static void use_schema(struct document *doc, const char *name)
{
	json_t *schema;

	if (json_object_get(doc->schemas, name))
		return;
	schema = need(json_object_get(doc->all, name));
	json_object_set(doc->schemas, name, schema);
	use_references(doc, schema);
}

static json_t *schema_of(struct document *doc, const char *name)
{
	use_schema(doc, name);
	return reference(SCHEMAS, name);
}

/* ---- parameters ---- */

static json_t *parameter(
    const struct service_param *param, const char *in, bool required)
{
	return need(json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", param->name,
	    "in", in, "description", param->about, "required", required,
	    "schema", parse(param->schema, strlen(param->schema))));
}

static json_t *parameters(const struct service_route *route)
{
	json_t *list = need(json_array());

	if (route->part.name)
		json_array_append_new(
		    list, parameter(&route->part, "path", true));
	for (const struct service_param *p = route->params; p && p->name; p++)
		json_array_append_new(list, parameter(p, "query", false));
	return list;
}

/* ---- answers ---- */

static json_t *headers(bool etag, bool retry)
{
	json_t *all = need(json_pack(
	    "{s:o}", "X-Request-Id", reference(HEADERS, "RequestId")));

	if (etag)
		json_object_set_new(all, "ETag", reference(HEADERS, "ETag"));
	if (retry)
		json_object_set_new(
		    all, "Retry-After", reference(HEADERS, "RetryAfter"));
	return all;
}

static json_t *content(struct document *doc, const struct service_answer *a)
{
	json_t *schema = a->schema ? schema_of(doc, a->schema) : json_object();

	return need(json_pack("{s:{s:o}}", a->type, "schema", need(schema)));
}

static json_t *answer(struct document *doc, const struct service_answer *a)
{
	json_t *out = need(json_pack("{s:s, s:o}", "description", a->about,
	    "headers", headers(a->has_etag, a->status == 503)));

	if (a->type)
		json_object_set_new(out, "content", content(doc, a));
	return out;
}

static void put_response(json_t *responses, unsigned status, json_t *response)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", status);
	json_object_set_new(responses, key, response);
}

static json_t *get_response(json_t *responses, unsigned status)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", status);
	return json_object_get(responses, key);
}

/* `response`, which another answer of this status has made, may be this one as
 * well: a route that extends another says more than it. */
static void join_answers(
    struct document *doc, json_t *response, const struct service_answer *a)
{
	json_t *more = answer(doc, a);
	json_t *here = json_object_get(
	    json_object_get(response, "content"), a->type);
	json_t *there = json_object_get(
	    json_object_get(more, "content"), a->type);

	assert(here && there); /* the table's: both have this type */
	json_object_set_new(here, "schema",
	    need(
		json_pack("{s:[O,O]}", "anyOf", json_object_get(here, "schema"),
		    json_object_get(there, "schema"))));
	json_object_set_new(response, "description",
	    need(json_sprintf("%s; %s",
		json_string_value(json_object_get(response, "description")),
		a->about)));
	if (a->has_etag)
		json_object_set(
		    response, "headers", json_object_get(more, "headers"));
	json_decref(more);
}

static void add_answer(
    struct document *doc, json_t *responses, const struct service_answer *a)
{
	json_t *there = get_response(responses, a->status);

	if (there)
		join_answers(doc, there, a);
	else
		put_response(responses, a->status, answer(doc, a));
}

/* The codes of one status: {"allOf":[Problem, {...{"enum":[CODES]}}]}. */
static json_t *problem_schema(struct document *doc, json_t *codes)
{
	return need(json_pack("{s:[o, {s:{s:{s:o}}}]}", "allOf",
	    schema_of(doc, "Problem"), "properties", "code", "enum", codes));
}

static void add_problem(
    struct document *doc, json_t *responses, const struct service_problem *p)
{
	json_t *response = get_response(responses, p->status), *content, *codes;

	if (!response) {
		response = need(json_pack("{s:s, s:o}", "description",
		    "a problem; its code says which", "headers",
		    headers(false, p->status == 429 || p->status == 503)));
		put_response(responses, p->status, response);
	}
	content = json_object_get(response, "content");
	if (!content) {
		content = need(json_object());
		json_object_set_new(response, "content", content);
	}
	codes = json_object_get(content, "application/problem+json");
	if (!codes) {
		json_object_set_new(content, "application/problem+json",
		    need(json_pack("{s:o}", "schema",
			problem_schema(doc, need(json_array())))));
		codes = json_object_get(content, "application/problem+json");
	}
	codes = json_object_get(codes, "schema");
	codes = json_array_get(json_object_get(codes, "allOf"), 1);
	codes = json_object_get(json_object_get(codes, "properties"), "code");
	json_array_append_new(
	    json_object_get(codes, "enum"), json_string(p->code));
}

static bool is_post(const struct service_route *route)
{
	return strcmp(route->method, "POST") == 0;
}

/* Can the server answer this to this route? */
static bool applies(
    const struct service_problem *p, const struct service_route *route)
{
	if (strcmp(p->code, "PATH_INVALID") == 0 ||
	    strcmp(p->code, "URI_TOO_LONG") == 0)
		return route->part.name;
	if (strcmp(p->code, "PARAM_DUPLICATE") == 0)
		return route->params;
	if (strcmp(p->code, "BODY_UNEXPECTED") == 0)
		return !is_post(route);
	return true;
}

/* A code that a route gives for reasons of its own is there once. */
static bool is_own(
    const struct service_problem *p, const struct service_route *route)
{
	for (const struct service_problem *own = route->problems;
	     own && own->status; own++)
		if (own->status == p->status && strcmp(own->code, p->code) == 0)
			return true;
	return false;
}

static json_t *responses(
    struct document *doc, const struct service_route *route)
{
	static const struct service_answer unchanged = {.status = 304,
	    .about = "what If-None-Match names is still the newest",
	    .has_etag = true};
	json_t *all = need(json_object());

	for (const struct service_answer *a = route->answers; a && a->status;
	     a++) {
		add_answer(doc, all, a);
		if (a->has_etag)
			put_response(all, 304, answer(doc, &unchanged));
	}
	for (const struct service_problem *p = route->problems; p && p->status;
	     p++)
		add_problem(doc, all, p);
	for (const struct service_problem *p = service_problems; p->status; p++)
		if (applies(p, route) && !is_own(p, route))
			add_problem(doc, all, p);
	return all;
}

/* ---- the document ---- */

/* "get_price_feed" of GET /price/{feed}. */
static void put_id(char out[static NAME_MAX_LEN], const struct service_route *r)
{
	size_t len = 0;

	for (const char *m = r->method; *m; m++)
		out[len++] = (char)tolower((unsigned char)*m);
	for (const char *p = r->path; *p && len < NAME_MAX_LEN - 2; p++) {
		if (isalnum((unsigned char)*p))
			out[len++] = *p;
		else if (out[len - 1] != '_' && p[1] && *p != '}')
			out[len++] = '_';
	}
	out[len] = '\0';
}

static json_t *operation(
    struct document *doc, const struct service_route *route)
{
	char id[NAME_MAX_LEN];
	json_t *out;

	put_id(id, route);
	out = need(json_pack("{s:s, s:s, s:o, s:o}", "operationId", id,
	    "summary", route->about, "parameters", parameters(route),
	    "responses", responses(doc, route)));
	if (route->body_type)
		json_object_set_new(out, "requestBody",
		    need(json_pack("{s:b, s:{s:{}}}", "required", 1, "content",
			route->body_type)));
	if (route->body)
		json_object_set_new(out, "requestBody",
		    need(json_pack("{s:b, s:{s:{s:o}}}", "required", 1,
			"content", "application/json", "schema",
			schema_of(doc, route->body))));
	return out;
}

static void add_route(
    struct document *doc, json_t *paths, const struct service_route *route)
{
	json_t *path = json_object_get(paths, route->path);

	if (!path) {
		path = need(json_object());
		json_object_set_new(paths, route->path, path);
	}
	json_object_set_new(
	    path, is_post(route) ? "post" : "get", operation(doc, route));
}

static json_t *component_headers(void)
{
	static const char text[] =
	    "{\"RequestId\":{\"description\":\"the request's own X-Request-Id "
	    "if it is harmless, else one made here\",\"schema\":{\"type\":"
	    "\"string\"}},"
	    "\"ETag\":{\"description\":\"strong; of this coding\","
	    "\"schema\":{\"type\":\"string\"}},"
	    "\"RetryAfter\":{\"description\":\"seconds\","
	    "\"schema\":{\"type\":\"integer\",\"minimum\":1}}}";

	return parse(text, sizeof(text) - 1);
}

static json_t *info(const char *title)
{
	return need(json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "title", title,
	    "version", HALLMARK_VERSION, "description",
	    "HEAD comes with each GET, OPTIONS with each path. A path that is "
	    "not here is 404 NOT_FOUND, another method of one that is 405 "
	    "METHOD_NOT_ALLOWED. Unknown parameters are refused.",
	    "license", "name", "Apache-2.0", "identifier", "Apache-2.0"));
}

char *service_describe(const char *title, const struct service_route *list)
{
	struct document doc = {
	    .all = parse(service_schemas,
		(size_t)(service_schemas_end - service_schemas)),
	    .schemas = need(json_object()),
	};
	json_t *paths = need(json_object()), *root;
	char *text;

	for (const struct service_route *r = list; r->method; r++)
		add_route(&doc, paths, r);
	root = need(json_pack("{s:s, s:o, s:[{s:s}], s:o, s:{s:o, s:o}}",
	    "openapi", "3.1.0", "info", info(title), "servers", "url", "/",
	    "paths", paths, "components", "schemas", doc.schemas, "headers",
	    component_headers()));
	text = json_dumps(root, JSON_COMPACT);
	if (!text)
		log_die("service", "out of memory");
	json_decref(root);
	json_decref(doc.all);
	return text;
}
