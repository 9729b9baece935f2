/* replay_view: see replay_view.h. */
#include "verifier/cli/replay_view.h"

#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/remedy.h"
#include "verifier/moment.h"

#include <inttypes.h>
#include <string.h>

#define DRAW_EVERY_MS 200
#define BAR_WIDTH     24
#define SOON_MS       1000 /* before that a rate says little */

void replay_view_init(
    struct replay_view *view, FILE *out, FILE *bar, bool json, size_t files)
{
	memset(view, 0, sizeof(*view));
	view->out = out;
	view->bar = bar;
	view->json = json;
	view->files = files;
	if (json) {
		view->findings = json_array();
		view->lines = json_array();
	}
}

void replay_view_fini(struct replay_view *view)
{
	json_decref(view->findings);
	json_decref(view->lines);
}

/* ---- the bar ---- */

void replay_view_file(
    struct replay_view *view, size_t file, int64_t now_ms, uint64_t items)
{
	view->file = file;
	view->file_began_ms = now_ms;
	view->file_began_items = items;
	if (file == 1)
		view->began_ms = now_ms;
}

static void clear_bar(struct replay_view *view)
{
	if (view->bar && view->drawn_ms)
		fputs("\r\033[K", view->bar);
}

static void draw(struct replay_view *view,
    const struct replay_progress *progress, int64_t now_ms)
{
	uint64_t took_ms = (uint64_t)(now_ms - view->file_began_ms) + 1;
	uint64_t items = progress->items - view->file_began_items;
	uint64_t done = progress->position, total = progress->total;
	uint64_t left_s;

	clear_bar(view);
	if (view->files > 1)
		fprintf(view->bar, "file %zu of %zu ", view->file, view->files);
	if (total > 0 && done <= total) {
		size_t filled = (size_t)(done * BAR_WIDTH / total);

		fputc('[', view->bar);
		for (size_t i = 0; i < BAR_WIDTH; i++)
			fputc(i < filled ? '#' : '.', view->bar);
		fprintf(view->bar, "] %3" PRIu64 " %%  ", done * 100 / total);
	}
	fprintf(view->bar, "%" PRIu64 " items, %" PRIu64 " a second",
	    progress->items, items * 1000 / took_ms);
	if (total > 0 && done > 0 && done <= total && took_ms > SOON_MS) {
		left_s = took_ms * (total - done) / done / 1000;
		fprintf(view->bar, ", %" PRIu64 ":%02" PRIu64 " left",
		    left_s / 60, left_s % 60);
	}
	fflush(view->bar);
}

void replay_view_progress(struct replay_view *view,
    const struct replay_progress *progress, int64_t now_ms)
{
	if (!view->bar || now_ms - view->drawn_ms < DRAW_EVERY_MS)
		return;
	draw(view, progress, now_ms);
	view->drawn_ms = now_ms;
}

/* ---- findings and lines ---- */

static json_t *finding_json(const struct replay_finding *f)
{
	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "kind", replay_kind_name(f->kind), "verdict",
	    hm_verdict_name(f->verdict), "exit", hm_verdict_class(f->verdict),
	    "feed", json_of_text(f->feed[0] ? f->feed : NULL), "boot_id",
	    json_of_text(f->boot_id[0] ? f->boot_id : NULL), "sequence",
	    f->has_sequence ? json_integer((json_int_t)f->sequence)
			    : json_null(),
	    "published_ms",
	    f->published_ms ? json_integer(f->published_ms) : json_null(),
	    "where", json_of_text(f->where[0] ? f->where : NULL), "text",
	    json_of_text(f->text));
}

/* BTC-USD 0b1c... 17: names another item before it (prices.db: items row 9) */
static void print_finding(FILE *out, const struct replay_finding *f)
{
	fprintf(out, "%-15s ", replay_kind_name(f->kind));
	if (f->has_sequence) {
		command_put_plain(out, f->feed);
		fputs(" boot ", out);
		command_put_plain(out, f->boot_id);
		fprintf(out, " item %" PRIu64 ": ", f->sequence);
	}
	command_put_plain(out, f->text);
	if (f->where[0]) {
		fputs(" (", out);
		command_put_plain(out, f->where);
		fputs(")", out);
	}
	fputc('\n', out);
}

void replay_view_finding(
    struct replay_view *view, const struct replay_finding *finding)
{
	uint64_t told = ++view->told[finding->kind];

	if (view->json) {
		if (json_array_size(view->findings) < REPLAY_VIEW_JSON)
			json_array_append_new(
			    view->findings, finding_json(finding));
		return;
	}
	if (told > REPLAY_VIEW_EACH)
		return;
	clear_bar(view);
	print_finding(view->out, finding);
}

void replay_view_line(struct replay_view *view, const struct replay_line *line)
{
	char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];

	if (view->json) {
		json_array_append_new(view->lines,
		    json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			"feed", json_of_text(line->feed), "boot_id",
			line->boot_id, "first", (json_int_t)line->first, "last",
			(json_int_t)line->last, "items",
			(json_int_t)line->items, "missing",
			(json_int_t)line->missing, "pieces",
			(json_int_t)line->pieces, "first_ms",
			(json_int_t)line->first_ms, "last_ms",
			(json_int_t)line->last_ms));
		return;
	}
	clear_bar(view);
	if (++view->lines_told > REPLAY_VIEW_LINES)
		return;
	moment_format(line->first_ms, from);
	moment_format(line->last_ms, to);
	fprintf(view->out,
	    "%-10s boot %s  %" PRIu64 " to %" PRIu64 ", %" PRIu64
	    " missing  %s to %s\n",
	    line->feed, line->boot_id, line->first, line->last, line->missing,
	    from, to);
}

/* ---- the sum ---- */

static void print_prices(FILE *out, const struct replay_summary *s)
{
	const struct replay_report *r = s->report;

	if (!s->with_prices) {
		fputs("prices      not recomputed\n", out);
		return;
	}
	fprintf(out,
	    "prices      %" PRIu64
	    " recomputed by all rules, the same byte for byte\n",
	    r->whole);
	if (r->jump_open)
		fprintf(out,
		    "            %" PRIu64
		    " of them without the price before, so not the jump "
		    "guard\n",
		    r->jump_open);
	if (r->part)
		fprintf(out,
		    "            %" PRIu64
		    " from the states that the item names, the same; not\n"
		    "            checked without their configuration "
		    "(--config): %s\n",
		    r->part, REPLAY_NOT_RECOMPUTED);
	if (r->raw)
		fprintf(out,
		    "answers     %" PRIu64 " of exchanges kept, parsed again "
		    "%" PRIu64 " times\n",
		    r->raw, r->answers);
}

static void print_findings(
    FILE *out, const struct replay_view *view, const struct replay_report *r)
{
	bool any = false;

	for (int i = 0; i < REPLAY_KIND_COUNT; i++) {
		if (!r->findings[i])
			continue;
		fprintf(out, "%-11s %s: %" PRIu64 "%s\n", any ? "" : "findings",
		    replay_kind_name((enum replay_kind)i), r->findings[i],
		    view->told[i] > REPLAY_VIEW_EACH ? " (the first are above)"
						     : "");
		any = true;
	}
	if (!any)
		fputs("findings    none\n", out);
	for (int i = 1; i < HM_VERDICT_COUNT; i++)
		if (r->verdicts[i])
			fprintf(out, "refused     %s: %" PRIu64 " (%s)\n",
			    hm_verdict_name((enum hm_verdict)i), r->verdicts[i],
			    remedy_of((enum hm_verdict)i)->meaning);
}

static void print_sum(
    const struct replay_view *view, const struct replay_summary *s)
{
	const struct replay_report *r = s->report;
	char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];
	FILE *out = view->out;

	if (view->lines_told > REPLAY_VIEW_LINES)
		fprintf(out, "and %" PRIu64 " more feeds and boots\n",
		    view->lines_told - REPLAY_VIEW_LINES);
	moment_format(r->first_ms, from);
	moment_format(r->last_ms, to);
	if (s->policy) {
		fprintf(out, "policy      ");
		command_put_plain(out, s->policy);
		putc('\n', out);
	}
	fprintf(
	    out, "items       %" PRIu64 ", valid %" PRIu64, r->items, r->valid);
	if (r->valid)
		fprintf(out, ", published %s to %s", from, to);
	fprintf(out,
	    "\n            %" PRIu64 " documents, %" PRIu64
	    " tree heads (%" PRIu64 " valid), %" PRIu64 " late, %" PRIu64
	    " twice\n",
	    r->documents, r->heads, r->heads_valid, r->late, r->twice);
	print_prices(out, s);
	print_findings(out, view, r);
	fprintf(out, "%" PRIu64 " items a second with %u job%s\n%s (exit %d)\n",
	    r->items * 1000 / (uint64_t)(s->took_ms + 1), s->jobs,
	    s->jobs == 1 ? "" : "s",
	    r->worst == HM_VALID ? "valid" : hm_verdict_name(r->worst),
	    s->code);
}

static json_t *counts_json(const struct replay_report *r)
{
	json_t *counts = json_object();

	for (int i = 0; i < REPLAY_KIND_COUNT; i++)
		json_object_set_new(counts,
		    replay_kind_name((enum replay_kind)i),
		    json_integer((json_int_t)r->findings[i]));
	return counts;
}

static json_t *verdicts_json(const struct replay_report *r)
{
	json_t *verdicts = json_object();

	for (int i = 0; i < HM_VERDICT_COUNT; i++)
		if (r->verdicts[i])
			json_object_set_new(verdicts,
			    hm_verdict_name((enum hm_verdict)i),
			    json_integer((json_int_t)r->verdicts[i]));
	return verdicts;
}

static json_t *prices_json(const struct replay_summary *s)
{
	const struct replay_report *r = s->report;

	return json_pack("{s:b, s:I, s:I, s:I, s:s, s:I, s:I}", "recomputed",
	    s->with_prices, "whole", (json_int_t)r->whole, "jump_open",
	    (json_int_t)r->jump_open, "part", (json_int_t)r->part,
	    "not_recomputed_in_part", REPLAY_NOT_RECOMPUTED, "answers_kept",
	    (json_int_t)r->raw, "answers_parsed", (json_int_t)r->answers);
}

static int print_json(struct replay_view *view, const struct replay_summary *s)
{
	const struct replay_report *r = s->report;
	json_t *root = json_pack(
	    "{s:s, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "worst", hm_verdict_name(r->worst), "exit", s->code, "policy",
	    json_of_text(s->policy), "items", (json_int_t)r->items, "valid",
	    (json_int_t)r->valid, "documents", (json_int_t)r->documents,
	    "heads", (json_int_t)r->heads, "heads_valid",
	    (json_int_t)r->heads_valid, "late", (json_int_t)r->late, "twice",
	    (json_int_t)r->twice, "first_ms", (json_int_t)r->first_ms,
	    "last_ms", (json_int_t)r->last_ms);

	if (s->trust)
		json_object_set(root, "policy", s->trust);
	json_object_set_new(root, "prices", prices_json(s));
	json_object_set_new(root, "finding_counts", counts_json(r));
	json_object_set_new(root, "verdicts", verdicts_json(r));
	json_object_set(root, "lines", view->lines);
	json_object_set(root, "findings", view->findings);
	json_object_set_new(root, "jobs", json_integer((json_int_t)s->jobs));
	json_object_set_new(root, "took_ms", json_integer(s->took_ms));
	return json_of_print(root);
}

int replay_view_end(
    struct replay_view *view, const struct replay_summary *summary)
{
	clear_bar(view);
	if (view->json)
		return print_json(view, summary);
	print_sum(view, summary);
	return ferror(view->out) || fflush(view->out) ? -1 : 0;
}
