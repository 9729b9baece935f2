/* announce: committed records to the board, the log and the counters. */
#include "verifier/daemon/announce.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/cosign.h"
#include "verifier/envelope.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGINS_MAX 16 /* oracles of one daemon */

struct shown { /* what the board shows of one feed */
	char feed[32];
	uint8_t boot_id[16];
	uint64_t sequence;
	bool ok;
	int64_t published_ms, expires_ms;
};

struct origin {
	const char *name; /* the oracle's address, by its pointer */
	uint8_t attested[HM_SHA256_LEN];
	int64_t not_after_ms; /* of that document's chain */
};

struct announcer {
	struct board *board;
	struct shown shown[BOARD_NAMES_MAX];
	size_t shown_count;
	struct origin origins[ORIGINS_MAX];
	size_t origin_count;
	struct announce_stats stats;
};

struct announcer *announcer_new(struct board *board)
{
	struct announcer *a = calloc(1, sizeof(*a));

	if (!a)
		log_die("announce", "out of memory");
	a->board = board;
	return a;
}

void announcer_free(struct announcer *announcer)
{
	free(announcer);
}

/* ---- feeds ---- */

static struct shown *find_shown(const struct announcer *a, const char *feed)
{
	for (size_t i = 0; i < a->shown_count; i++)
		if (strcmp(a->shown[i].feed, feed) == 0)
			return (struct shown *)&a->shown[i];
	return NULL;
}

bool announcer_has_feed(const struct announcer *announcer, const char *feed)
{
	return find_shown(announcer, feed) != NULL;
}

bool announcer_add_feed(struct announcer *announcer, const char *feed)
{
	struct shown *shown;

	if (find_shown(announcer, feed))
		return true;
	if (announcer->shown_count == BOARD_NAMES_MAX)
		return false;
	shown = &announcer->shown[announcer->shown_count++];
	snprintf(shown->feed, sizeof(shown->feed), "%s", feed);
	board_add_name(announcer->board, feed);
	return true;
}

/* ---- the document, before the first item that refers to it ---- */

static struct origin *find_origin(struct announcer *a, const char *name)
{
	struct origin *origin;

	for (size_t i = 0; i < a->origin_count; i++)
		if (a->origins[i].name == name)
			return &a->origins[i];
	if (a->origin_count == ORIGINS_MAX)
		return &a->origins[ORIGINS_MAX - 1];
	origin = &a->origins[a->origin_count++];
	origin->name = name;
	return origin;
}

/* The same members as the oracle's own event, and which oracle it was. */
static char *attestation_event(const struct record *r, int64_t *not_after_ms)
{
	const struct kept_document *d = r->document;
	char *base64 = base64_encode(d->bytes, d->len);
	struct hm_document facts;
	json_t *root;
	char *event;

	if (hm_document_read(d->bytes, d->len, &facts) != HM_VALID)
		log_warn("announce", "document_unreadable",
		    LOG_S("sha256", d->sha256_hex));
	*not_after_ms = facts.not_after_ms;
	root = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "oracle",
	    r->origin, "attestation_sha256", d->sha256_hex, "platform",
	    r->envelope.platform, "public_key", r->envelope.public_key,
	    "timestamp_ms", (json_int_t)facts.timestamp_ms, "not_after_ms",
	    (json_int_t)facts.not_after_ms, "attestation_doc_b64",
	    base64 ? base64 : "");
	event = json_dumps(root, JSON_COMPACT);
	if (!base64 || !event)
		log_die("announce", "out of memory");
	json_decref(root);
	free(base64);
	return event;
}

static void attest(struct announcer *a, const struct record *r)
{
	struct origin *origin = find_origin(a, r->origin);
	const struct kept_document *d = r->document;
	char *event;

	if (memcmp(origin->attested, d->sha256, HM_SHA256_LEN) == 0)
		return;
	memcpy(origin->attested, d->sha256, HM_SHA256_LEN);
	event = attestation_event(r, &origin->not_after_ms);
	board_attest(
	    a->board, r->origin, d->sha256_hex, d->bytes, d->len, event);
	free(event);
}

/* What vouches for a co-signature, if it is what it is called. Each has an
 * origin of its own, so that a renewal takes the place of the one before. */
static void attest_cosigner(
    struct announcer *a, const struct record *r, const struct hm_envelope *e)
{
	struct record as = {.origin = r->origin, .envelope = *e};
	char origin[HM_TEXT_MAX + 48], boot_id[33];
	struct cosign cosign;
	int64_t ignored;
	char *event;

	if (cosign_decode(&cosign, e->content, e->content_len) != 0)
		return;
	as.document = kept_document_new(e->document, e->document_len);
	if (memcmp(as.document->sha256, e->attestation_sha256, HM_SHA256_LEN) ==
	    0) {
		hex_encode(cosign.boot_id, sizeof(cosign.boot_id), boot_id);
		snprintf(origin, sizeof(origin), "%.*s peer %s", HM_TEXT_MAX,
		    r->origin, boot_id);
		event = attestation_event(&as, &ignored);
		board_attest(a->board, origin, as.document->sha256_hex,
		    as.document->bytes, as.document->len, event);
		free(event);
	}
	kept_document_unref(as.document);
}

static bool is_new(const struct announcer *a, const struct hm_envelope *e)
{
	char hex[2 * HM_SHA256_LEN + 1];

	hex_encode(e->attestation_sha256, HM_SHA256_LEN, hex);
	return e->document && !board_has_document(a->board, hex);
}

static void attest_cosigners(struct announcer *a, const struct record *r)
{
	const struct hm_envelope *e = &r->envelope;

	for (size_t i = 0; i < e->cosignature_count; i++)
		if (is_new(a, &e->cosignatures[i]))
			attest_cosigner(a, r, &e->cosignatures[i]);
}

/* ---- the item ---- */

/* Newer wins; but another oracle's "unavailable" does not hide a price that is
 * still good. */
static bool is_better(const struct shown *shown, const struct record *r)
{
	bool other_boot = memcmp(shown->boot_id, r->boot_id, 16) != 0;

	if (r->published_ms < shown->published_ms)
		return false;
	return r->ok || !shown->ok || !other_boot ||
	       shown->expires_ms < r->published_ms;
}

/* Both forms; the caller frees them. */
static void format(const struct record *r, char **whole, char **ref)
{
	struct hm_envelope full = r->envelope; /* borrows all of it */

	full.document = r->document->bytes;
	full.document_len = r->document->len;
	*ref = envelope_format(&full, false);
	*whole = *ref ? envelope_add_document(*ref, &full) : NULL;
	if (!*whole)
		log_die("announce", "out of memory");
}

static void post(struct announcer *a, const struct record *r)
{
	char sha256_hex[2 * HM_SHA256_LEN + 1], boot_id[33];
	struct board_text text = {
	    .name = r->feed,
	    .sha256_hex = sha256_hex,
	    .published_ms = r->published_ms,
	    .expires_ms = r->expires_ms,
	    .unavailable = r->ok ? NULL : r->reason,
	    .boot_id = boot_id,
	    .sequence = r->sequence,
	    .price = r->ok ? r->price : NULL,
	    .confidence = r->ok ? r->confidence : NULL,
	};
	char *whole, *ref;

	format(r, &whole, &ref);
	hex_encode(r->content_sha256, HM_SHA256_LEN, sha256_hex);
	hex_encode(r->boot_id, sizeof(r->boot_id), boot_id);
	text.full = whole;
	text.ref = ref;
	board_post(a->board, &text);
	free(whole);
	free(ref);
}

/* Whoever collects all items gets those too that are no price (any more). */
static void post_late(struct announcer *a, const struct record *r)
{
	const struct kept_document *d = r->document;
	char *whole, *ref;

	format(r, &whole, &ref);
	board_post_late(
	    a->board, r->feed, whole, ref, d->sha256_hex, d->bytes, d->len);
	free(whole);
	free(ref);
}

static void show(struct announcer *a, const struct record *r)
{
	struct shown *shown = find_shown(a, r->feed);

	if (!shown)
		return;
	if (r->late || !is_better(shown, r)) {
		post_late(a, r);
		return;
	}
	attest(a, r);
	attest_cosigners(a, r);
	post(a, r);
	memcpy(shown->boot_id, r->boot_id, sizeof(shown->boot_id));
	shown->sequence = r->sequence;
	shown->ok = r->ok;
	shown->published_ms = r->published_ms;
	shown->expires_ms = r->expires_ms;
}

/* ---- records ---- */

static void log_item(
    enum log_level level, const char *event, const struct record *r)
{
	char boot_id[33];

	hex_encode(r->boot_id, sizeof(r->boot_id), boot_id);
	LOG_AT(level, "announce", event, LOG_S("oracle", r->origin),
	    LOG_S("feed", r->feed), LOG_S("boot_id", boot_id),
	    LOG_D("sequence", r->sequence),
	    LOG_S("verdict", hm_verdict_name(r->verdict)),
	    LOG_S("price", r->ok ? r->price : r->reason), LOG_NONE);
}

static void stored(struct announcer *a, const struct record *r)
{
	if (r->late) {
		a->stats.late++;
		log_item(LOG_DEBUG, "archived_late", r);
	} else {
		a->stats.accepted++;
		log_item(LOG_DEBUG, "accepted", r);
	}
	show(a, r);
}

void announce_committed(struct announcer *announcer, const struct record *r)
{
	switch (r->outcome) {
	case RECORD_STORED:
		stored(announcer, r);
		break;
	case RECORD_DUPLICATE: /* resumed, or a mirror: quietly */
		announcer->stats.duplicates++;
		break;
	case RECORD_FORK:
		announcer->stats.refused++;
		log_item(LOG_ERROR, "fork", r);
		break;
	case RECORD_REFUSED:
		announcer->stats.refused++;
		log_warn("announce", "refused", LOG_S("oracle", r->origin),
		    LOG_S("verdict", hm_verdict_name(r->verdict)),
		    LOG_S("feed", r->feed[0] ? r->feed : NULL),
		    LOG_S("event_id", r->event_id[0] ? r->event_id : NULL));
		break;
	case RECORD_PENDING:
		break;
	}
}

void announce_again(struct announcer *announcer, const struct record *r)
{
	show(announcer, r);
}

void announce_stats(
    const struct announcer *announcer, struct announce_stats *out)
{
	*out = announcer->stats;
}

void announce_visit_feeds(const struct announcer *announcer,
    void (*cb)(const struct announce_feed *feed, void *data), void *data)
{
	for (size_t i = 0; i < announcer->shown_count; i++) {
		const struct shown *s = &announcer->shown[i];

		cb(&(struct announce_feed){s->feed, s->ok, s->published_ms,
		       s->expires_ms},
		    data);
	}
}

int64_t announce_not_after(
    const struct announcer *announcer, const char *origin)
{
	for (size_t i = 0; i < announcer->origin_count; i++)
		if (announcer->origins[i].name == origin)
			return announcer->origins[i].not_after_ms;
	return 0;
}

static json_t *describe(const struct shown *s)
{
	char boot_id[33];

	if (s->published_ms == 0)
		return json_pack("{s:s, s:n, s:n, s:n, s:n, s:n}", "feed",
		    s->feed, "status", "sequence", "boot_id", "published_ms",
		    "expires_ms");
	hex_encode(s->boot_id, sizeof(s->boot_id), boot_id);
	return json_pack("{s:s, s:s, s:I, s:s, s:I, s:I}", "feed", s->feed,
	    "status", s->ok ? "ok" : "unavailable", "sequence",
	    (json_int_t)s->sequence, "boot_id", boot_id, "published_ms",
	    (json_int_t)s->published_ms, "expires_ms",
	    (json_int_t)s->expires_ms);
}

char *announce_feeds_json(const struct announcer *announcer)
{
	json_t *list = json_array();
	json_t *root = json_pack("{s:o}", "feeds", list);
	char *text;

	for (size_t i = 0; i < announcer->shown_count; i++)
		json_array_append_new(list, describe(&announcer->shown[i]));
	text = json_dumps(root, JSON_COMPACT);
	if (!text)
		log_die("announce", "out of memory");
	json_decref(root);
	return text;
}
