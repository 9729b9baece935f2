/*
 * service: a table of routes that is both served and described.
 *
 * A program writes down what each route takes and answers. From this one table
 * come the routes of http_server, with the names of their parameters, and the
 * OpenAPI 3.1 document at GET /openapi.json: what is not in the table is not
 * served, and what is served is described.
 *
 * The document adds to each route what http_server itself may answer: problems
 * with the query, the path, the body and the client's pace. HEAD comes with
 * each GET, OPTIONS with each path.
 */
#ifndef HALLMARK_BASE_SERVICE_H
#define HALLMARK_BASE_SERVICE_H

#include "base/http_server.h"

struct service_param {
	const char *name, *about;
	const char *schema; /* JSON Schema, as text */
};

struct service_answer {
	unsigned status;    /* 0 ends the list */
	const char *type;   /* of its content; NULL: it has none */
	const char *schema; /* one of schemas.json; NULL: any text or bytes */
	const char *about;
	bool has_etag; /* and so may be 304 as well */
};

struct service_problem {
	unsigned status; /* 0 ends the list */
	const char *code;
};

struct service_route {      /* lists may be NULL */
	const char *method; /* as in struct http_route; NULL ends the table */
	const char *path;
	const char *about;
	http_handler_cb handler;
	struct service_param part;          /* the {part} of the path */
	const struct service_param *params; /* the query; a NULL name ends */
	const char *body;                   /* schema of a POST's */
	/* A POST's that is no JSON: its type; it has no schema then. */
	const char *body_type;
	const struct service_answer *answers;
	const struct service_problem *problems;
	/* In place of a later table's route of the same method and path, whose
	 * parameters, answers and problems are this one's too (answers of one
	 * status and type are told as either): for a program that has more to
	 * say there than all. */
	bool extends;
};

/* What http_server may answer whatever the route: for the document, and for
 * those who want to know all codes. */
extern const struct service_problem service_problems[];

struct service;

/* `tables` (NULL-ended) and what is in them are borrowed. */
struct service *service_new(
    const char *title, const struct service_route *const *tables);
void service_free(struct service *service); /* NULL is fine */

/* For http_server_start(). */
const struct http_route *service_routes(const struct service *service);
/* The document, one line. */
const char *service_document(const struct service *service);
/* Answers GET /openapi.json. */
void service_serve_document(
    const struct service *service, struct http_request *req);

/* ---- service_flat.c ---- */

/* All routes of the tables, none of which extends another one any more; ends
 * with a NULL method. */
struct service_route *service_flatten(
    const struct service_route *const *tables);
void service_flat_free(struct service_route *list); /* NULL is fine */

/* ---- service_document.c ---- */

/* Made from a list; the caller frees it. */
char *service_describe(const char *title, const struct service_route *list);

#endif
