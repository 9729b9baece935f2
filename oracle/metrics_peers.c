/* metrics_peers: see metrics_peers.h. The label is the configuration's. */
#include "oracle/metrics_peers.h"

#define PREFIX "hallmark_oracle_"

static void put_state(const struct api *api, struct metrics_text *text)
{
	struct peer_view view;

	metrics_text_family(text, PREFIX "peer_open", "gauge",
	    "1 if this peer can be asked; one that is ourselves is left out.");
	for (size_t i = 0; i < peers_count(api->peers); i++) {
		peers_look(api->peers, i, &view);
		if (view.state != PEER_SELF)
			metrics_text_sample(text,
			    (const struct metrics_label[]){
				{"peer", view.endpoint}, {NULL, NULL}},
			    view.state == PEER_OPEN);
	}
}

static void put_answer(struct metrics_text *text, const struct peer_view *view,
    const char *answer, uint64_t count)
{
	metrics_text_sample(text,
	    (const struct metrics_label[]){
		{"peer", view->endpoint}, {"answer", answer}, {NULL, NULL}},
	    (int64_t)count);
}

static void put_answers(const struct api *api, struct metrics_text *text)
{
	struct peer_view view;

	metrics_text_family(text, PREFIX "peer_answers_total", "counter",
	    "What this peer said to our items.");
	for (size_t i = 0; i < peers_count(api->peers); i++) {
		peers_look(api->peers, i, &view);
		put_answer(text, &view, "cosigned", view.cosigned);
		put_answer(text, &view, "disagreed", view.disagreed);
		put_answer(text, &view, "late", view.late);
		put_answer(text, &view, "refused", view.refused);
	}
}

static void put_disagreements(const struct api *api, struct metrics_text *text)
{
	struct peer_view view;

	metrics_text_family(text, PREFIX "peer_feeds_in_disagreement", "gauge",
	    "Feeds in whose newest item this peer does not agree with us.");
	for (size_t i = 0; i < peers_count(api->peers); i++) {
		int64_t count = 0;

		peers_look(api->peers, i, &view);
		for (size_t f = 0; f < api->config->feeds.count; f++)
			count += view.opinions[f].disagrees;
		metrics_text_sample(text,
		    (const struct metrics_label[]){
			{"peer", view.endpoint}, {NULL, NULL}},
		    count);
	}
}

static void put_quorum(const struct api *api, struct metrics_text *text)
{
	struct peers_quorum quorum;

	if (api->config->quorum == 0)
		return;
	metrics_text_family(text, PREFIX "quorum_items_total", "counter",
	    "Items with a price, by whether they carry a quorum's "
	    "co-signatures.");
	for (size_t i = 0; i < api->config->feeds.count; i++) {
		const char *feed = api->config->feeds.feeds[i].feed;

		peers_quorum(api->peers, i, &quorum);
		metrics_text_sample(text,
		    (const struct metrics_label[]){
			{"feed", feed}, {"result", "reached"}, {NULL, NULL}},
		    (int64_t)quorum.reached);
		metrics_text_sample(text,
		    (const struct metrics_label[]){
			{"feed", feed}, {"result", "missed"}, {NULL, NULL}},
		    (int64_t)quorum.missed);
	}
}

void metrics_peers(const struct api *api, struct metrics_text *text)
{
	if (!api->peers)
		return;
	put_state(api, text);
	put_answers(api, text);
	put_disagreements(api, text);
	put_quorum(api, text);
}
