/* service_flat: the routes of several tables as one list, see service.h. */
#include "base/service.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
	if (!memory)
		log_die("service", "out of memory");
	return memory;
}

/* ---- lists: rows of `size` bytes, until one whose first field is 0 ---- */

struct rows {
	size_t size, first; /* bytes of a row, and of its first field */
};

static const struct rows params = {
    sizeof(struct service_param), sizeof(const char *)};
static const struct rows answers = {
    sizeof(struct service_answer), sizeof(unsigned)};
static const struct rows problems = {
    sizeof(struct service_problem), sizeof(unsigned)};

static size_t count(const struct rows *rows, const char *list)
{
	static const char none[sizeof(const char *)];
	size_t n = 0;

	while (list && memcmp(list + n * rows->size, none, rows->first) != 0)
		n++;
	return n;
}

/* Both, in a new list, or NULL. */
static void *join(const struct rows *rows, const void *a, const void *b)
{
	size_t of_a = count(rows, a), of_b = count(rows, b);
	char *out;

	if (of_a + of_b == 0)
		return NULL;
	out = need(calloc(of_a + of_b + 1, rows->size));
	if (of_a > 0)
		memcpy(out, a, of_a * rows->size);
	if (of_b > 0)
		memcpy(out + of_a * rows->size, b, of_b * rows->size);
	return out;
}

/* ---- routes ---- */

static bool is_same(
    const struct service_route *a, const struct service_route *b)
{
	return strcmp(a->path, b->path) == 0 &&
	       strcmp(a->method, b->method) == 0;
}

/* `more` says what `route`, which is in its place, takes and answers too. */
static void extend(
    struct service_route *route, const struct service_route *more)
{
	assert(!more->extends);
	route->extends = false;
	route->method = more->method;
	route->params = join(&params, route->params, more->params);
	route->answers = join(&answers, route->answers, more->answers);
	route->problems = join(&problems, route->problems, more->problems);
}

/* A route of its own, or what one before it extends. */
static void add(
    struct service_route *list, size_t *n, const struct service_route *route)
{
	for (size_t i = 0; i < *n; i++) {
		if (!list[i].extends || !is_same(&list[i], route))
			continue;
		extend(&list[i], route);
		return;
	}
	list[*n] = *route;
	if (!route->extends)
		extend(&list[*n],
		    &(struct service_route){.method = route->method});
	++*n;
}

struct service_route *service_flatten(const struct service_route *const *tables)
{
	const struct service_route *const *t;
	const struct service_route *r;
	struct service_route *list;
	size_t n = 0;

	for (t = tables; *t; t++)
		for (r = *t; r->method; r++)
			n++;
	list = need(calloc(n + 1, sizeof(*list)));
	n = 0;
	for (t = tables; *t; t++)
		for (r = *t; r->method; r++)
			add(list, &n, r);
	for (size_t i = 0; i < n; i++)
		assert(!list[i].extends); /* a table later on has it */
	return list;
}

void service_flat_free(struct service_route *list)
{
	if (!list)
		return;
	for (struct service_route *r = list; r->method; r++) {
		free((void *)r->params);
		free((void *)r->answers);
		free((void *)r->problems);
	}
	free(list);
}
