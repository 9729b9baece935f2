/* upstreams_api: see upstreams_api.h. */
#include "verifier/daemon/upstreams_api.h"

#include "base/log.h"
#include "base/now.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096 /* of /readyz's check; further names are left out */
#define PREFIX   "hallmark_verifierd_upstream_"

struct visit { /* one at a time of list, text and metrics */
	const struct verifierd *daemon;
	json_t *list;
	char *text; /* TEXT_MAX */
	size_t len;
	struct metrics_text *metrics;
	int64_t (*value)(const struct upstream_view *view);
	bool ms; /* the value is a time */
};

static json_t *number_or_null(bool known, int64_t number)
{
	return known ? json_integer((json_int_t)number) : json_null();
}

static void add_view(const struct upstream_view *v, void *data)
{
	struct visit *visit = data;
	bool any = v->newest_ms > 0;

	json_array_append_new(visit->list,
	    json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o,"
		      " s:o, s:o}",
		"upstream", v->name, "kind", v->kind, "connected",
		verifierd_connected(visit->daemon, v->name), "items",
		(json_int_t)v->items, "first", (json_int_t)v->first,
		"duplicates", (json_int_t)v->duplicates, "refused",
		(json_int_t)v->refused, "disagreements",
		(json_int_t)v->disagreements, "feeds", (json_int_t)v->feeds,
		"behind_feeds", (json_int_t)v->behind_feeds, "lag_ms",
		number_or_null(any, v->lag_ms), "delay_ms",
		number_or_null(any, v->delay_ms), "newest_published_ms",
		number_or_null(any, v->newest_ms)));
}

void upstreams_api_serve(struct http_request *req, void *data)
{
	const struct verifierd *d = data;
	struct visit visit = {.daemon = d, .list = json_array()};
	json_t *root;
	char *text;

	upstreams_visit(d->upstreams, now_unix_ms(), add_view, &visit);
	root = json_pack("{s:o, s:o}", "upstreams", visit.list, "disagreements",
	    upstreams_disagreements(d->upstreams));
	text = json_dumps(root, JSON_COMPACT);
	if (!text)
		log_die("api", "out of memory");
	http_reply_json(req, text);
	free(text);
	json_decref(root);
}

/* ---- /readyz ---- */

static void add_text(struct visit *visit, const char *name, const char *what)
{
	if (visit->len < TEXT_MAX)
		visit->len += (size_t)snprintf(visit->text + visit->len,
		    TEXT_MAX - visit->len, "%s%s %s", visit->len ? ", " : "",
		    name, what);
}

static void judge_view(const struct upstream_view *v, void *data)
{
	if (v->disagreements)
		add_text(data, v->name, "disagrees");
	if (v->behind_feeds)
		add_text(data, v->name, "lags");
}

json_t *upstreams_api_check(const struct verifierd *daemon)
{
	char text[TEXT_MAX] = "";
	struct visit visit = {.daemon = daemon, .text = text};
	json_t *string;

	upstreams_visit(daemon->upstreams, now_unix_ms(), judge_view, &visit);
	string = json_string(visit.len ? text : "ok");
	return string ? string : json_string("(not UTF-8)");
}

/* ---- /metrics ---- */

static int64_t get_items(const struct upstream_view *view)
{
	return (int64_t)view->items;
}

static int64_t get_first(const struct upstream_view *view)
{
	return (int64_t)view->first;
}

static int64_t get_disagreements(const struct upstream_view *view)
{
	return (int64_t)view->disagreements;
}

static int64_t get_behind(const struct upstream_view *view)
{
	return (int64_t)view->behind_feeds;
}

static int64_t get_lag_ms(const struct upstream_view *view)
{
	return view->lag_ms;
}

static int64_t get_delay_ms(const struct upstream_view *view)
{
	return view->delay_ms;
}

static void put(const struct upstream_view *view, void *data)
{
	struct visit *visit = data;
	const struct metrics_label labels[] = {
	    {"upstream", view->name}, {NULL, NULL}};

	if (visit->ms && view->newest_ms > 0)
		metrics_text_sample_ms(
		    visit->metrics, labels, visit->value(view));
	else if (!visit->ms)
		metrics_text_sample(visit->metrics, labels, visit->value(view));
}

void upstreams_api_metrics(
    const struct verifierd *daemon, struct metrics_text *text)
{
	static const struct {
		const char *name, *type, *help;
		int64_t (*value)(const struct upstream_view *view);
		bool ms;
	} families[] = {
	    {PREFIX "items_total", "counter",
		"Valid items that it brought, first or not.", get_items, false},
	    {PREFIX "first_items_total", "counter",
		"Items that nobody had brought before.", get_first, false},
	    {PREFIX "disagreements_total", "counter",
		"Validly signed items that contradict the archive.",
		get_disagreements, false},
	    {PREFIX "behind_feeds", "gauge",
		"Feeds whose newest item from here has expired while another"
		" upstream has a newer one.",
		get_behind, false},
	    {PREFIX "lag_seconds", "gauge",
		"The most that it is behind the freshest upstream in a feed.",
		get_lag_ms, true},
	    {PREFIX "delay_seconds", "gauge",
		"From published to received, of its last item.", get_delay_ms,
		true},
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct visit visit = {
		    .daemon = daemon,
		    .metrics = text,
		    .value = families[i].value,
		    .ms = families[i].ms,
		};

		metrics_text_family(
		    text, families[i].name, families[i].type, families[i].help);
		upstreams_visit(daemon->upstreams, now_unix_ms(), put, &visit);
	}
}
