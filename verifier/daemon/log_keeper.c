/* log_keeper: see log_keeper.h. */
#include "verifier/daemon/log_keeper.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/daemon/log_misbehaviour.h"
#include "verifier/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "hallmark_verifierd_log_"

struct log_keeper {
	struct board *board;
	struct log_keeper_stats stats;
	char newest_boot[33]; /* of stats.tree_size */
};

static const char *const state_names[RECORD_LOG_STATES] = {
    [RECORD_LOG_WHOLE] = "whole",
    [RECORD_LOG_JOINED] = "joined",
    [RECORD_LOG_LATE] = "late",
    [RECORD_LOG_GAP] = "gap",
    [RECORD_LOG_MISMATCH] = "mismatch",
};

struct log_keeper *log_keeper_new(struct board *board, const char *archive)
{
	struct log_keeper *k = calloc(1, sizeof(*k));

	if (!k)
		log_die("log_keeper", "out of memory");
	k->board = board;
	k->stats.proofs = log_misbehaviour_count(archive);
	if (k->stats.proofs)
		log_error("log", "misbehaviour_proofs_here",
		    LOG_S("archive", archive), LOG_D("files", k->stats.proofs));
	return k;
}

void log_keeper_free(struct log_keeper *keeper)
{
	free(keeper);
}

/* ---- one head ---- */

static void publish(struct log_keeper *k, const struct record *r)
{
	struct hm_envelope e = r->envelope; /* borrows all of it */
	char *ref, *full;

	e.document = r->document->bytes;
	e.document_len = r->document->len;
	ref = envelope_format(&e, false);
	full = ref ? envelope_add_document(ref, &e) : NULL;
	if (!full)
		log_die("log_keeper", "out of memory");
	board_event(k->board, "tree_head", ref, full);
	free(ref);
	free(full);
}

static void note_newest(
    struct log_keeper *k, const struct record *r, const char *boot_id)
{
	if (r->published_ms < k->stats.published_ms)
		return;
	k->stats.published_ms = r->published_ms;
	k->stats.tree_size = r->head->tree_size;
	snprintf(k->newest_boot, sizeof(k->newest_boot), "%s", boot_id);
}

static void log_gap(const struct record *r, const char *boot_id)
{
	const struct record_finding *f = &r->finding;
	bool items = f->items_missing > 0;

	LOG_AT(LOG_WARN, "log", hm_verdict_name(HM_LOG_GAP),
	    LOG_S("oracle", r->origin), LOG_S("boot_id", boot_id),
	    LOG_D("head", r->head->number),
	    LOG_D("tree_size", r->head->tree_size),
	    LOG_D("heads_missing", f->heads_missing),
	    LOG_D("items_missing", f->items_missing),
	    LOG_S("feed", items ? f->feed : NULL),
	    LOG_D("sequence", items ? (int64_t)f->sequence : -1), LOG_NONE);
}

static void alarm_of(struct log_keeper *k, const struct record *r,
    const char *boot_id, const char *event)
{
	const struct record_finding *f = &r->finding;

	k->stats.proofs += f->new_proof;
	log_error("log", event, LOG_S("oracle", r->origin),
	    LOG_S("boot_id", boot_id), LOG_D("head", r->head->number),
	    LOG_D("tree_size", r->head->tree_size),
	    LOG_S(f->proven ? "proof" : "no_proof", f->proof));
}

static void stored(
    struct log_keeper *k, const struct record *r, const char *boot_id)
{
	const struct record_finding *f = &r->finding;

	k->stats.states[f->state]++;
	if (f->state == RECORD_LOG_GAP)
		k->stats.items_missing += f->items_missing;
	if (f->state == RECORD_LOG_GAP)
		log_gap(r, boot_id);
	else if (f->state == RECORD_LOG_MISMATCH)
		alarm_of(k, r, boot_id, "log_mismatch");
	else if (f->state == RECORD_LOG_JOINED)
		log_info("log", "joined_log", LOG_S("oracle", r->origin),
		    LOG_S("boot_id", boot_id),
		    LOG_D("tree_size", r->head->tree_size));
	note_newest(k, r, boot_id);
	publish(k, r);
}

void log_keeper_committed(struct log_keeper *keeper, const struct record *r)
{
	char boot_id[33];

	hex_encode(r->boot_id, sizeof(r->boot_id), boot_id);
	switch (r->outcome) {
	case RECORD_STORED:
		stored(keeper, r, boot_id);
		break;
	case RECORD_DUPLICATE: /* resumed, or a mirror: quietly */
		keeper->stats.duplicates++;
		break;
	case RECORD_FORK:
		keeper->stats.forks++;
		alarm_of(keeper, r, boot_id, hm_verdict_name(HM_LOG_FORK));
		break;
	case RECORD_REFUSED:
		keeper->stats.refused++;
		log_warn("log", "head_refused", LOG_S("oracle", r->origin),
		    LOG_S("verdict", hm_verdict_name(r->verdict)));
		break;
	case RECORD_PENDING:
		break;
	}
}

/* ---- what is told ---- */

void log_keeper_stats(
    const struct log_keeper *keeper, struct log_keeper_stats *out)
{
	*out = keeper->stats;
}

json_t *log_keeper_check(const struct log_keeper *keeper)
{
	const struct log_keeper_stats *s = &keeper->stats;
	char text[160];

	if (!s->proofs && !s->forks && !s->states[RECORD_LOG_MISMATCH])
		return json_string("ok");
	snprintf(text, sizeof(text),
	    "warning: an enclave signed what cannot both be true; %zu files "
	    "of proof beside the archive (misbehaviour-*.json)",
	    s->proofs);
	return json_string(text);
}

static void put(struct metrics_text *text, const char *state, uint64_t value)
{
	const struct metrics_label labels[] = {
	    {"outcome", state}, {NULL, NULL}};

	metrics_text_sample(text, labels, (int64_t)value);
}

static void put_one(struct metrics_text *text, const char *name,
    const char *type, const char *help, uint64_t value)
{
	metrics_text_family(text, name, type, help);
	metrics_text_sample(text, NULL, (int64_t)value);
}

void log_keeper_metrics(
    const struct log_keeper *keeper, struct metrics_text *text, int64_t now_ms)
{
	const struct log_keeper_stats *s = &keeper->stats;

	metrics_text_family(text, PREFIX "heads_total", "counter",
	    "Heads of the log since the start, by what became of them.");
	for (int i = 0; i < RECORD_LOG_STATES; i++)
		put(text, state_names[i], s->states[i]);
	put(text, "duplicate", s->duplicates);
	put(text, "fork", s->forks);
	put(text, "refused", s->refused);
	put_one(text, PREFIX "missing_items_total", "counter",
	    "Items that heads count and the archive lacks.", s->items_missing);
	put_one(text, PREFIX "misbehaviour_proofs", "gauge",
	    "Proofs beside the archive that an enclave signed two histories.",
	    s->proofs);
	put_one(text, PREFIX "tree_size", "gauge",
	    "Items in the tree of the newest head.", s->tree_size);
	if (!s->published_ms)
		return;
	metrics_text_family(text, PREFIX "head_age_seconds", "gauge",
	    "Since the newest head was published.");
	metrics_text_sample_ms(text, NULL, now_ms - s->published_ms);
}
