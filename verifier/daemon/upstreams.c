/* upstreams: counts for each upstream, and how its feeds compare. */
#include "verifier/daemon/upstreams.h"

#include "base/log.h"
#include "feeds/hex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct brought { /* one feed of one upstream, or of all together */
	char feed[32];
	int64_t newest_ms, expires_ms;
};

struct brought_list {
	struct brought *at;
	size_t count, capacity;
};

struct upstream {
	struct upstream_view view;
	struct brought_list feeds;
};

struct disagreement {
	const char *upstream;
	char feed[32];
	uint8_t boot_id[16], content_sha256[HM_SHA256_LEN];
	uint64_t sequence;
	int64_t received_ms;
};

struct upstreams {
	struct upstream list[UPSTREAMS_MAX];
	size_t count;
	struct brought_list freshest; /* of all upstreams */
	struct disagreement last[UPSTREAMS_DISAGREEMENTS_MAX];
	uint64_t disagreements; /* ever; where the next goes */
};

struct upstreams *upstreams_new(void)
{
	struct upstreams *u = calloc(1, sizeof(*u));

	if (!u)
		log_die("upstreams", "out of memory");
	return u;
}

void upstreams_free(struct upstreams *upstreams)
{
	if (!upstreams)
		return;
	for (size_t i = 0; i < upstreams->count; i++)
		free(upstreams->list[i].feeds.at);
	free(upstreams->freshest.at);
	free(upstreams);
}

void upstreams_add(
    struct upstreams *upstreams, const char *name, const char *kind)
{
	struct upstream *upstream = &upstreams->list[upstreams->count++];

	assert(upstreams->count <= UPSTREAMS_MAX);
	upstream->view.name = name;
	upstream->view.kind = kind;
}

static struct upstream *find(struct upstreams *u, const char *name)
{
	for (size_t i = 0; i < u->count; i++)
		if (u->list[i].view.name == name)
			return &u->list[i];
	return NULL;
}

/* ---- feeds ---- */

static struct brought *find_feed(
    const struct brought_list *list, const char *feed)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->at[i].feed, feed) == 0)
			return &list->at[i];
	return NULL;
}

static struct brought *add_feed(struct brought_list *list, const char *feed)
{
	struct brought *brought;

	if (list->count == UPSTREAMS_FEEDS_MAX)
		return NULL;
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 8;
		brought = realloc(list->at, list->capacity * sizeof(*list->at));
		if (!brought)
			log_die("upstreams", "out of memory");
		list->at = brought;
	}
	brought = &list->at[list->count++];
	*brought = (struct brought){.feed = ""};
	memcpy(brought->feed, feed, sizeof(brought->feed));
	return brought;
}

static void take(struct brought_list *list, const struct record *r)
{
	struct brought *brought = find_feed(list, r->feed);

	if (!brought)
		brought = add_feed(list, r->feed);
	if (!brought || r->published_ms <= brought->newest_ms)
		return;
	brought->newest_ms = r->published_ms;
	brought->expires_ms = r->expires_ms;
}

/* ---- records ---- */

static void disagree(
    struct upstreams *u, struct upstream *upstream, const struct record *r)
{
	struct disagreement *last =
	    &u->last[u->disagreements++ % UPSTREAMS_DISAGREEMENTS_MAX];

	upstream->view.disagreements++;
	*last = (struct disagreement){
	    .upstream = upstream->view.name,
	    .sequence = r->sequence,
	    .received_ms = r->received_ms,
	};
	memcpy(last->feed, r->feed, sizeof(last->feed));
	memcpy(last->boot_id, r->boot_id, sizeof(last->boot_id));
	memcpy(last->content_sha256, r->content_sha256, HM_SHA256_LEN);
}

static void note_item(
    struct upstreams *u, struct upstream *upstream, const struct record *r)
{
	upstream->view.items++;
	if (r->outcome == RECORD_STORED)
		upstream->view.first++;
	else
		upstream->view.duplicates++;
	upstream->view.delay_ms = r->received_ms - r->published_ms;
	if (r->published_ms > upstream->view.newest_ms)
		upstream->view.newest_ms = r->published_ms;
	take(&upstream->feeds, r);
	take(&u->freshest, r);
}

void upstreams_note(struct upstreams *upstreams, const struct record *record)
{
	struct upstream *upstream = find(upstreams, record->origin);

	if (!upstream)
		return;
	switch (record->outcome) {
	case RECORD_STORED:
	case RECORD_DUPLICATE:
		note_item(upstreams, upstream, record);
		break;
	case RECORD_FORK:
		disagree(upstreams, upstream, record);
		break;
	case RECORD_REFUSED:
		upstream->view.refused++;
		if (record->verdict == HM_SEQUENCE_FORK)
			disagree(upstreams, upstream, record);
		break;
	case RECORD_PENDING:
		break;
	}
}

/* ---- views ---- */

static void compare(const struct upstreams *u, const struct upstream *upstream,
    int64_t now_ms, struct upstream_view *view)
{
	for (size_t i = 0; i < upstream->feeds.count; i++) {
		const struct brought *own = &upstream->feeds.at[i];
		const struct brought *best = find_feed(&u->freshest, own->feed);
		int64_t lag_ms = best ? best->newest_ms - own->newest_ms : 0;

		if (lag_ms > view->lag_ms)
			view->lag_ms = lag_ms;
		if (lag_ms > 0 && own->expires_ms < now_ms)
			view->behind_feeds++;
	}
}

void upstreams_visit(const struct upstreams *upstreams, int64_t now_ms,
    void (*cb)(const struct upstream_view *view, void *data), void *data)
{
	for (size_t i = 0; i < upstreams->count; i++) {
		struct upstream_view view = upstreams->list[i].view;

		view.feeds = upstreams->list[i].feeds.count;
		compare(upstreams, &upstreams->list[i], now_ms, &view);
		cb(&view, data);
	}
}

static json_t *describe(const struct disagreement *d)
{
	char boot_id[33], sha256[2 * HM_SHA256_LEN + 1];

	hex_encode(d->boot_id, sizeof(d->boot_id), boot_id);
	hex_encode(d->content_sha256, HM_SHA256_LEN, sha256);
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:I}", "upstream",
	    d->upstream, "feed", d->feed, "boot_id", boot_id, "sequence",
	    (json_int_t)d->sequence, "content_sha256", sha256, "received_ms",
	    (json_int_t)d->received_ms);
}

json_t *upstreams_disagreements(const struct upstreams *upstreams)
{
	uint64_t end = upstreams->disagreements;
	uint64_t n = end < UPSTREAMS_DISAGREEMENTS_MAX
			 ? end
			 : UPSTREAMS_DISAGREEMENTS_MAX;
	json_t *list = json_array();

	for (uint64_t i = end - n; i < end; i++)
		json_array_append_new(list,
		    describe(
			&upstreams->last[i % UPSTREAMS_DISAGREEMENTS_MAX]));
	return list;
}
