/* service: the document says what the tables say, all of it and nothing else;
 * and so it is for both programs. */
#include "base/service.h"
#include "client.h"

#include "base/board_routes.h"
#include "oracle/api.h"
#include "verifier/daemon/verifierd_api.h"

#include <jansson.h>

static json_t *document_of(const struct service_route *const *tables)
{
	struct service_route *list = service_flatten(tables);
	char *text = service_describe("test", list);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(root);
	assert_null(strchr(text, '\n'));
	free(text);
	service_flat_free(list);
	return root;
}

static json_t *at(json_t *root, const char *key)
{
	json_t *value = json_object_get(root, key);

	if (!value)
		fail_msg("no %s in it", key);
	return value;
}

/* ---- from the table to the document ---- */

static void has_parameter(
    json_t *operation, const struct service_param *param, const char *in)
{
	json_t *list = at(operation, "parameters"), *found;
	size_t i;

	json_array_foreach(list, i, found)
	{
		if (strcmp(json_string_value(at(found, "name")), param->name))
			continue;
		assert_string_equal(json_string_value(at(found, "in")), in);
		assert_int_equal(json_is_true(at(found, "required")),
		    strcmp(in, "path") == 0);
		assert_true(json_is_object(at(found, "schema")));
		return;
	}
	fail_msg("no parameter %s", param->name);
}

static json_t *response_of(json_t *operation, unsigned status)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", status);
	return at(at(operation, "responses"), key);
}

static bool has_code(json_t *operation, const struct service_problem *problem)
{
	json_t *content = at(
	    response_of(operation, problem->status), "content");
	json_t *schema = at(at(content, "application/problem+json"), "schema");
	json_t *more = json_array_get(at(schema, "allOf"), 1), *code;
	json_t *codes = at(at(at(more, "properties"), "code"), "enum");
	size_t i, found = 0;

	json_array_foreach(codes, i, code)
	    found += strcmp(json_string_value(code), problem->code) == 0;
	assert_true(found <= 1);
	return found == 1;
}

static void has_answer(json_t *operation, const struct service_answer *answer)
{
	json_t *response = response_of(operation, answer->status);
	json_t *content = json_object_get(response, "content");

	/* or one of two that have this status */
	assert_non_null(strstr(
	    json_string_value(at(response, "description")), answer->about));
	assert_int_equal(content != NULL, answer->type != NULL);
	if (answer->type)
		assert_true(json_is_object(at(content, answer->type)));
	if (!answer->has_etag)
		return;
	at(at(response, "headers"), "ETag");
	at(at(response_of(operation, 304), "headers"), "ETag");
}

/* Returns how many parameters it has. */
static size_t is_described(json_t *operation, const struct service_route *route)
{
	size_t params = 0;

	assert_string_equal(
	    json_string_value(at(operation, "summary")), route->about);
	if (route->part.name) {
		has_parameter(operation, &route->part, "path");
		params++;
	}
	for (const struct service_param *p = route->params; p && p->name; p++) {
		has_parameter(operation, p, "query");
		params++;
	}
	for (const struct service_answer *a = route->answers; a->status; a++)
		has_answer(operation, a);
	for (const struct service_problem *p = route->problems; p && p->status;
	     p++)
		assert_true(has_code(operation, p));
	assert_int_equal(route->body || route->body_type,
	    json_object_get(operation, "requestBody") != NULL);
	return params;
}

/* ---- and back ---- */

static bool is_answered(const struct service_route *route, unsigned status)
{
	const struct service_problem *p;

	for (const struct service_answer *a = route->answers; a->status; a++)
		if (a->status == status || (a->has_etag && status == 304))
			return true;
	for (p = route->problems; p && p->status; p++)
		if (p->status == status)
			return true;
	for (p = service_problems; p->status; p++)
		if (p->status == status)
			return true;
	return false;
}

static void has_nothing_else(
    json_t *operation, const struct service_route *route, size_t params)
{
	const char *status;
	json_t *response;

	assert_int_equal(json_array_size(at(operation, "parameters")), params);
	json_object_foreach(at(operation, "responses"), status, response)
	    assert_true(
		is_answered(route, (unsigned)strtoul(status, NULL, 10)));
}

static void no_reference_leads_nowhere(json_t *root, json_t *in)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(in, key, value)
	{
		if (strcmp(key, "$ref") == 0) {
			char path[256], *rest = path, *part;
			json_t *found = root;

			snprintf(path, sizeof(path), "%s",
			    json_string_value(value) + strlen("#/"));
			while ((part = strsep(&rest, "/")))
				found = at(found, part);
		}
		no_reference_leads_nowhere(root, value);
	}
	json_array_foreach(in, i, value)
	    no_reference_leads_nowhere(root, value);
}

static void all_is_described(const struct service_route *const *tables)
{
	struct service_route *list = service_flatten(tables);
	size_t routes = 0, operations = 0;
	json_t *root = document_of(tables), *path;
	const char *name;

	assert_string_equal(json_string_value(at(root, "openapi")), "3.1.0");
	for (const struct service_route *r = list; r->method; r++) {
		json_t *operation = at(at(at(root, "paths"), r->path),
		    strcmp(r->method, "POST") ? "get" : "post");

		has_nothing_else(operation, r, is_described(operation, r));
		routes++;
	}
	service_flat_free(list);
	json_object_foreach(at(root, "paths"), name, path)
	    operations += json_object_size(path);
	assert_int_equal(operations, routes);
	no_reference_leads_nowhere(root, root);
	json_decref(root);
}

static void what_the_oracle_serves(void **state)
{
	(void)state;
	all_is_described(api_tables);
}

static void what_the_daemon_serves(void **state)
{
	(void)state;
	all_is_described(verifierd_api_tables);
}

/* ---- a table of one's own, served ---- */

static void answer_ab(struct http_request *req, void *data)
{
	(void)data;
	http_reply_json(req, http_param(req, "a") ? "[1]" : "[]");
}

static struct service *service;

static void answer_document(struct http_request *req, void *data)
{
	(void)data;
	service_serve_document(service, req);
}

static const struct service_param ab_params[] = {
    {"a", "the a", "{\"type\":\"integer\"}"},
    {NULL, NULL, NULL},
};
static const struct service_answer ab_answers[] = {
    {200, "application/json", "Live", "good", true},
    {0, NULL, NULL, NULL, false},
};
static const struct service_problem ab_problems[] = {
    {429, "RATE_LIMITED"}, {503, "TIRED"}, {0, NULL}};
static const struct service_route first[] = {
    {.method = "GET",
	.path = "/ab/{part}",
	.about = "One.",
	.handler = answer_ab,
	.part = {"part", "a part", "{\"type\":\"string\"}"},
	.params = ab_params,
	.answers = ab_answers,
	.problems = ab_problems},
    {.method = NULL}};
static const struct service_route second[] = {{.method = "GET",
						  .path = "/ab",
						  .about = "Two.",
						  .handler = answer_ab,
						  .answers = ab_answers},
    {.method = "POST",
	.path = "/ab",
	.about = "Three.",
	.handler = answer_ab,
	.body = "Live",
	.answers = ab_answers},
    {.method = "GET",
	.path = "/openapi.json",
	.about = "Four.",
	.handler = answer_document,
	.answers = ab_answers},
    {.method = NULL}};
static const struct service_route *const own[] = {first, second, NULL};

static void each_route_has_what_applies_to_it(void **state)
{
	json_t *root = document_of(own), *paths = at(root, "paths");
	json_t *part = at(at(paths, "/ab/{part}"), "get");
	json_t *get = at(at(paths, "/ab"), "get");
	json_t *post = at(at(paths, "/ab"), "post");

	(void)state;
	all_is_described(own);
	assert_string_equal(
	    json_string_value(at(part, "operationId")), "get_ab_part");
	assert_string_equal(
	    json_string_value(at(post, "operationId")), "post_ab");
	assert_true(
	    has_code(part, &(struct service_problem){400, "PATH_INVALID"}));
	assert_false(
	    has_code(get, &(struct service_problem){400, "PATH_INVALID"}));
	assert_true(
	    has_code(part, &(struct service_problem){400, "PARAM_DUPLICATE"}));
	assert_false(
	    has_code(get, &(struct service_problem){400, "PARAM_DUPLICATE"}));
	assert_true(
	    has_code(get, &(struct service_problem){400, "BODY_UNEXPECTED"}));
	assert_false(
	    has_code(post, &(struct service_problem){400, "BODY_UNEXPECTED"}));
	assert_non_null(
	    json_object_get(at(at(root, "components"), "schemas"), "Live"));
	assert_null(
	    json_object_get(at(at(root, "components"), "schemas"), "Verdict"));
	json_decref(root);
}

static void a_table_is_served(void **state)
{
	struct response r;

	(void)state;
	service = service_new("test", own);
	server_start_tcp(service_routes(service), NULL);
	r = client_get("/ab/x?a=1");
	assert_string_equal(response_body(&r), "[1]");
	response_fini(&r);
	r = client_get("/ab/x?b=1");
	assert_non_null(strstr(response_body(&r), "PARAM_UNKNOWN"));
	response_fini(&r);
	r = client_get("/openapi.json");
	assert_string_equal(response_body(&r), service_document(service));
	assert_int_equal(strlen(response_header(&r, "ETag")), 66);
	response_fini(&r);
	r = client_ask("GET /openapi.json HTTP/1.1\r\nHost: x\r\n"
		       "Accept-Encoding: gzip\r\n\r\n");
	assert_memory_equal(response_body(&r), "\x1f\x8b", 2);
	response_fini(&r);
	server_end();
	service_free(service);
	service_free(NULL);
}

/* ---- a route in place of another one ---- */

static void answer_more(struct http_request *req, void *data)
{
	if (http_param(req, "b"))
		http_reply_json(req, "[2]");
	else
		answer_ab(req, data);
}

static const struct service_param more_params[] = {
    {"b", "the b", "{\"type\":\"integer\"}"},
    {NULL, NULL, NULL},
};
static const struct service_problem more_problems[] = {
    {404, "GONE"}, {0, NULL}};
static const struct service_route more[] = {
    {.method = "GET",
	.path = "/ab/{part}",
	.about = "One and more.",
	.handler = answer_more,
	.part = {"part", "a part", "{\"type\":\"string\"}"},
	.params = more_params,
	.problems = more_problems,
	.extends = true},
    {.method = NULL}};
static const struct service_route *const with_more[] = {
    more, first, second, NULL};

static void a_route_extends_another(void **state)
{
	json_t *root = document_of(with_more);
	json_t *get = at(at(at(root, "paths"), "/ab/{part}"), "get");
	struct response r;

	(void)state;
	all_is_described(with_more);
	assert_string_equal(
	    json_string_value(at(get, "summary")), "One and more.");
	assert_int_equal(json_array_size(at(get, "parameters")), 3);
	has_parameter(get, &ab_params[0], "query");
	has_answer(get, &ab_answers[0]);
	assert_true(has_code(get, &more_problems[0]));
	assert_true(has_code(get, &ab_problems[1]));
	json_decref(root);

	service = service_new("test", with_more);
	server_start_tcp(service_routes(service), NULL);
	r = client_get("/ab/x?a=1");
	assert_string_equal(response_body(&r), "[1]");
	response_fini(&r);
	r = client_get("/ab/x?b=1");
	assert_string_equal(response_body(&r), "[2]");
	response_fini(&r);
	server_end();
	service_free(service);
}

/* Two answers of one status: either, and an ETag if one of them has it. */
static void answers_of_one_status_are_joined(void **state)
{
	static const struct service_answer mine[] = {
	    {200, "application/json", "Live", "alive", false},
	    {0, NULL, NULL, NULL, false}};
	static const struct service_answer theirs[] = {
	    {200, "application/json", "Item", "an item", true},
	    {0, NULL, NULL, NULL, false}};
	static const struct service_route one[] = {{.method = "GET",
						       .path = "/both",
						       .about = "Mine.",
						       .handler = answer_ab,
						       .answers = mine,
						       .extends = true},
	    {.method = NULL}};
	static const struct service_route other[] = {{.method = "GET",
							 .path = "/both",
							 .about = "Theirs.",
							 .handler = answer_ab,
							 .answers = theirs},
	    {.method = NULL}};
	static const struct service_route *const both[] = {one, other, NULL};
	json_t *root = document_of(both);
	json_t *responses = at(
	    at(at(at(root, "paths"), "/both"), "get"), "responses");
	json_t *found = at(responses, "200");
	json_t *either = at(
	    at(at(at(found, "content"), "application/json"), "schema"),
	    "anyOf");

	(void)state;
	assert_int_equal(json_array_size(either), 2);
	assert_string_equal(
	    json_string_value(at(json_array_get(either, 0), "$ref")),
	    "#/components/schemas/Live");
	assert_string_equal(
	    json_string_value(at(json_array_get(either, 1), "$ref")),
	    "#/components/schemas/Item");
	assert_string_equal(
	    json_string_value(at(found, "description")), "alive; an item");
	assert_non_null(json_object_get(at(found, "headers"), "ETag"));
	assert_non_null(json_object_get(responses, "304"));
	json_decref(root);
}

/* The table's own rows stay as they are, whoever made a list of them. */
static void a_list_is_its_own(void **state)
{
	struct service_route *list = service_flatten(with_more);
	size_t n = 0;

	(void)state;
	while (list[n].method)
		assert_false(list[n++].extends);
	assert_int_equal(n, 4);
	assert_ptr_not_equal(list[0].params, more_params);
	assert_true(more[0].extends);
	service_flat_free(list);
	service_flat_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_route_extends_another),
	    cmocka_unit_test(answers_of_one_status_are_joined),
	    cmocka_unit_test(a_list_is_its_own),
	    cmocka_unit_test(each_route_has_what_applies_to_it),
	    cmocka_unit_test(a_table_is_served),
	    cmocka_unit_test(what_the_oracle_serves),
	    cmocka_unit_test(what_the_daemon_serves),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
