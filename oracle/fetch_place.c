/* fetch_place: see fetch_place.h. */
#include "oracle/fetch_place.h"

#include "base/log.h"
#include "base/now.h"

#include <stdlib.h>
#include <string.h>

/* ---- its lanes ---- */

struct fetch_lane *fetch_place_same(struct fetch_place *place, const char *path)
{
	for (size_t i = 0; i < FETCH_LANES; i++) {
		struct fetch_lane *lane = &place->lanes[i];

		if (lane->state != FETCH_IDLE && strcmp(lane->path, path) == 0)
			return lane;
	}
	return NULL;
}

struct fetch_lane *fetch_place_idle(struct fetch_place *place)
{
	for (size_t i = 0; i < FETCH_LANES; i++) {
		if (place->lanes[i].state == FETCH_IDLE)
			return &place->lanes[i];
	}
	return NULL;
}

/* ---- when ---- */

struct pause {
	const struct exchange *exchange;
	int64_t ms;
};

static void on_exchange(const struct poller_exchange_view *view, void *data)
{
	struct pause *pause = data;

	if (view->exchange == pause->exchange)
		pause->ms = view->paused_ms;
}

int64_t fetch_place_wait_ms(
    const struct fetch_place *place, const struct poller *poller)
{
	int64_t now_ms = now_monotonic_ms();
	int64_t ms = poll_budget_ready_ms(place->budget) - now_ms;
	struct pause pause = {place->exchange, 0};

	/* Cheap first: a flood ends here. */
	if (ms > 0)
		return ms;
	if (poller != NULL && place->exchange != NULL)
		poller_visit(poller, now_ms, on_exchange, NULL, &pause);
	return pause.ms > 0 ? pause.ms : 0;
}

static enum quote_error class_of(const struct https_answer *answer)
{
	if (answer->error != QUOTE_OK)
		return answer->error;
	return answer->status / 100 == 2 ? QUOTE_OK : QUOTE_HTTP_ERROR;
}

void fetch_place_judge(struct fetch_place *place,
    const struct https_answer *answer, int64_t asked_ms)
{
	const struct poll_outcome outcome = {
	    .error = class_of(answer),
	    .status = answer->status,
	    .retry_after_ms = answer->retry_after_ms,
	    .sent_ms = asked_ms,
	};
	uint32_t bits = 0;

	/* Jitter only: without entropy there is just less of it. */
	(void)uv_random(NULL, NULL, &bits, sizeof(bits), 0, NULL);
	(void)poll_budget_judge(
	    place->budget, &outcome, now_monotonic_ms(), bits);
}

/* ---- life ---- */

static SSL_CTX *own_tls(const struct config_pins *pins)
{
	char error[HTTPS_ERROR_MAX];
	SSL_CTX *tls;

	if (pins == NULL || pins->ca_file[0] == '\0')
		return NULL;
	tls = https_tls_context(pins->ca_file, error);
	if (tls == NULL)
		log_die("fetch", "exchanges: %s: ca_file %s: %s",
		    pins->exchange->name, pins->ca_file, error);
	return tls;
}

static struct https_client *new_client(const struct fetch_place *place,
    const struct config_pins *pins, const struct fetch_options *with)
{
	const struct config *config = with->config;
	const struct https_client_options options = {
	    .loop = with->loop,
	    .tls = place->own_tls != NULL ? place->own_tls : with->tls,
	    .proxy = config->has_proxy ? &config->proxy : NULL,
	    .host = place->hostname,
	    .port = place->port,
	    .body_max = config->fetch.max_bytes,
	    .spki_sha256 = pins != NULL ? pins->spki_sha256 : NULL,
	    .spki_count = pins != NULL ? pins->spki_count : 0,
	};

	return https_client_new(&options);
}

static void init_budget(struct fetch_place *place,
    const struct fetch_place *same_host, const struct fetch_options *with)
{
	struct poll_budget *own = &place->own_budget;

	poll_budget_init(own, 60000 / with->config->fetch.per_minute);
	if (place->exchange != NULL)
		own->ban_403_ms = place->exchange->ban_403_ms;
	place->budget = same_host != NULL ? same_host->budget : own;
}

void fetch_place_init(struct fetch_place *place,
    const struct config_fetch_allow *allow, const struct fetch_place *same_host,
    const struct fetch_options *with)
{
	const struct config_pins *pins = NULL;

	*place = (struct fetch_place){
	    .hostname = allow->hostname,
	    .port = allow->port,
	    .exchange = config_fetch_exchange(allow->hostname),
	};
	if (place->exchange != NULL)
		pins = config_pins_find(with->config, place->exchange);
	place->own_tls = own_tls(pins);
	init_budget(place, same_host, with);
	for (size_t i = 0; i < FETCH_LANES; i++) {
		place->lanes[i].place = place;
		place->lanes[i].client = new_client(place, pins, with);
	}
}

void fetch_place_stop(struct fetch_place *place)
{
	for (size_t i = 0; i < FETCH_LANES; i++) {
		https_client_close(place->lanes[i].client);
		place->lanes[i].client = NULL;
	}
}

void fetch_place_fini(struct fetch_place *place)
{
	for (size_t i = 0; i < FETCH_LANES; i++)
		free(place->lanes[i].content);
	SSL_CTX_free(place->own_tls);
}
