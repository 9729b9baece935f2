/* verifierd: wiring. Each part is in its own file; here is who comes first. */
#include "verifier/daemon/verifierd.h"

#include "base/log.h"
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/daemon/archive_aside.h"
#include "verifier/daemon/policy_file.h"
#include "verifier/daemon/verifierd_api.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_committed(struct record *record, void *data)
{
	struct verifierd *d = data;

	bus_committed(d->bus, record);
	if (record->is_head) {
		log_keeper_committed(d->log, record);
	} else {
		upstreams_note(d->upstreams, record);
		announce_committed(d->announcer, record);
	}
	raw_keeper_item(d->raw, record);
	record_free(record);
}

static void on_drained(void *data)
{
	struct verifierd *d = data;

	for (size_t i = 0; i < d->config->oracle_count; i++)
		if (d->intakes[i])
			intake_resume(d->intakes[i]);
	bus_resume(d->bus);
}

/* ---- what the archive knows ---- */

struct reload {
	struct verifierd *daemon;
	struct archive *archive;
	struct oracle_feeds seen; /* newest head of each feed comes first */
};

/* A record as if it had come from the first upstream just now. */
static void show_again(struct verifierd *d, struct hm_envelope *envelope)
{
	const char *origin = d->config->oracle_count
				 ? d->config->oracles[0].text
				 : d->config->bus.name;
	struct record *r = record_new(origin, "", "", 0, now_unix_ms());

	hm_envelope_fini(&r->envelope);
	r->envelope = *envelope;
	r->parsed = HM_VALID;
	r->document = kept_document_new(
	    envelope->document, envelope->document_len);
	if (validator_fill_live(d->validator, r, now_unix_ms()) == HM_VALID &&
	    (!d->config->limited ||
		announcer_has_feed(d->announcer, r->feed)) &&
	    announcer_add_feed(d->announcer, r->feed))
		announce_again(d->announcer, r);
	record_free(r);
}

static void on_head(const struct archive_head *head, void *data)
{
	struct reload *reload = data;
	struct oracle_feeds *seen = &reload->seen;
	struct hm_envelope envelope;

	validator_seed(reload->daemon->validator, head->feed, &head->state);
	if (!oracle_feeds_is_name(head->feed) ||
	    oracle_feeds_has(seen, head->feed) ||
	    seen->count == ORACLE_FEEDS_MAX)
		return;
	snprintf(seen->names[seen->count++], ORACLE_FEED_MAX, "%s", head->feed);
	if (archive_read_item(reload->archive, head->feed, head->state.boot_id,
		head->state.sequence, &envelope) == 0)
		show_again(reload->daemon, &envelope);
}

/* ---- start ---- */

static void make_board(struct verifierd *d)
{
	uint8_t random[8];
	char epoch[2 * sizeof(random) + 1];

	if (RAND_bytes(random, sizeof(random)) != 1)
		log_die("verifierd", "no random bytes");
	hex_encode(random, sizeof(random), epoch);
	d->front.board = board_new(d->loop, epoch);
	d->announcer = announcer_new(d->front.board);
	d->log = log_keeper_new(d->front.board, d->config->archive);
	d->log_reader = log_reader_new(d->loop, d->config->archive);
	d->upstreams = upstreams_new();
	d->history = history_new(d->loop, d->config->archive, d->front.board);
	for (size_t i = 0; i < d->config->oracle_count; i++)
		upstreams_add(
		    d->upstreams, d->config->oracles[i].text, "oracle");
	if (d->config->bus.subscribe)
		upstreams_add(d->upstreams, d->config->bus.name, "nats");
	for (size_t i = 0; i < d->config->feeds.count; i++)
		(void)announcer_add_feed(
		    d->announcer, d->config->feeds.names[i]);
}

/* What it knows of each feed. One that turns out to be damaged goes aside, and
 * *archive is a new one. */
static enum archive_state read_heads(
    struct verifierd *d, struct archive **archive, char *aside, char *why)
{
	const char *path = d->config->archive;
	struct reload reload = {.daemon = d, .archive = *archive};
	enum archive_state state = archive_heads(
	    *archive, on_head, &reload, why);

	if (state == ARCHIVE_OK)
		return state;
	archive_abandon(*archive);
	*archive = NULL;
	if (state == ARCHIVE_CORRUPT &&
	    archive_aside(path, now_unix_ms(), aside) == 0)
		state = archive_open(archive, path, why);
	return state;
}

static void say_aside(const struct verifierd *d, const char *aside)
{
	if (aside[0])
		log_error("archive", "corrupt_set_aside",
		    LOG_S("path", d->config->archive), LOG_S("kept_as", aside));
}

static void start_intake(
    struct verifierd *d, size_t i, const char *last_event_id)
{
	d->intakes[i] = intake_start(&(struct intake_options){
	    .loop = d->loop,
	    .curl = d->curl,
	    .address = &d->config->oracles[i],
	    .policy = d->policy,
	    .validator = d->validator,
	    .writer = d->writer,
	    .announcer = d->announcer,
	    .limited = d->config->limited,
	    .last_event_id = last_event_id,
	});
}

static int listen_now(struct verifierd *d, char *error)
{
	const struct http_server_options options = {
	    .requests_per_s = d->config->requests_per_s,
	    .requests_burst = d->config->requests_burst,
	};
	char where[ENDPOINT_TEXT_MAX];
	int rc = http_server_start_with(&d->server, d->loop, &d->config->listen,
	    service_routes(d->front.service), d, &options);

	if (rc == 0)
		return 0;
	endpoint_format(&d->config->listen, where);
	snprintf(error, VERIFIERD_ERROR_MAX, "cannot listen on %s: %s", where,
	    uv_strerror(rc));
	return -1;
}

/* All that goes into the archive, or comes out of it to be told. */
static void start_intakes(struct verifierd *d, struct archive *archive)
{
	const struct verifierd_config *config = d->config;
	char cursors[VERIFIERD_ORACLES_MAX][SSE_ID_MAX];

	for (size_t i = 0; i < config->oracle_count; i++)
		archive_cursor(archive, config->oracles[i].text, cursors[i]);
	d->writer = archive_writer_start(&(struct archive_writer_options){
	    .loop = d->loop,
	    .path = config->archive,
	    .archive = archive,
	    .rotate = config->archive_rotate
			  ? archive_rotate_new(
				config->archive, config->archive_keep_days)
			  : NULL,
	    .done = on_committed,
	    .drained = on_drained,
	    .data = d,
	});
	if (config->archive_keep_raw && config->oracle_count > 0)
		d->raw = raw_keeper_start(&(struct raw_keeper_options){
		    .loop = d->loop,
		    .curl = d->curl,
		    .writer = d->writer,
		    .oracles = config->oracles,
		    .oracle_count = config->oracle_count,
		});
	for (size_t i = 0; i < config->oracle_count; i++)
		start_intake(d, i, cursors[i]);
	d->bus = bus_start(&(struct bus_options){
	    .loop = d->loop,
	    .config = &config->bus,
	    .archive = config->archive,
	    .validator = d->validator,
	    .writer = d->writer,
	    .announcer = d->announcer,
	    .limited = config->limited,
	});
}

static void on_opened(struct archive *archive, const char *aside, void *data);

static void wait_for_archive(
    struct verifierd *d, enum archive_state state, const char *why)
{
	d->wait = archive_wait_start(&(struct archive_wait_options){
	    .loop = d->loop,
	    .path = d->config->archive,
	    .state = state,
	    .why = why,
	    .opened = on_opened,
	    .data = d,
	});
}

static void on_opened(struct archive *archive, const char *aside, void *data)
{
	char why[ARCHIVE_ERROR_MAX] = "", again[PATH_MAX] = "";
	struct verifierd *d = data;
	enum archive_state state;

	d->wait = NULL;
	say_aside(d, aside);
	state = read_heads(d, &archive, again, why);
	say_aside(d, again);
	if (state != ARCHIVE_OK) {
		wait_for_archive(d, state, why);
		return;
	}
	log_info("archive", "usable", LOG_S("path", d->config->archive));
	start_intakes(d, archive);
}

/* Only what may pass by itself is waited for. */
static int start_archive(struct verifierd *d, char *error)
{
	char why[ARCHIVE_ERROR_MAX] = "", aside[PATH_MAX] = "";
	struct archive *archive = NULL;
	enum archive_state state = archive_aside_open(
	    &archive, d->config->archive, aside, why);

	if (state == ARCHIVE_OK)
		state = read_heads(d, &archive, aside, why);
	say_aside(d, aside);
	if (state != ARCHIVE_OK && !archive_wait_may_pass(state)) {
		snprintf(error, VERIFIERD_ERROR_MAX, "%s: %s (%s)",
		    d->config->archive, why, archive_state_name(state));
		return -1;
	}
	if (listen_now(d, error)) {
		archive_close(archive);
		return -1;
	}
	if (state == ARCHIVE_OK)
		start_intakes(d, archive);
	else
		wait_for_archive(d, state, why);
	return 0;
}

int verifierd_start(struct verifierd *daemon, uv_loop_t *loop,
    struct verifierd_config *config, char error[static VERIFIERD_ERROR_MAX])
{
	struct verifierd *d = daemon;

	memset(d, 0, sizeof(*d));
	d->loop = loop;
	d->config = config;
	if (policy_file_load(&d->policy, config->policy, error))
		return -1;
	policy_file_warn(d->policy, config->policy);
	d->validator = validator_new(d->policy);
	if (config->bus.subscribe) /* what its stream holds may be as old */
		validator_set_late_ms(d->validator, BUS_MAX_AGE_S * 1000LL);
	d->curl = curl_loop_new(loop);
	make_board(d);
	d->front.service = service_new(
	    "hallmark-verifierd", verifierd_api_tables);
	if (start_archive(d, error) == 0)
		return 0;
	verifierd_stop(d);
	return -1;
}

bool verifierd_connected(const struct verifierd *daemon, const char *upstream)
{
	for (size_t i = 0; i < daemon->config->oracle_count; i++)
		if (daemon->config->oracles[i].text == upstream)
			return daemon->intakes[i] &&
			       intake_connected(daemon->intakes[i]);
	return upstream == daemon->config->bus.name &&
	       bus_connected(daemon->bus);
}

/* ---- stop: no more in, what is in is written, all is told, out ---- */

static void on_server_stopped(void *data)
{
	struct verifierd *d = data;

	history_free(d->history);
	board_free(d->front.board);
	service_free(d->front.service);
	announcer_free(d->announcer);
	log_keeper_free(d->log);
	log_reader_free(d->log_reader);
	upstreams_free(d->upstreams);
	validator_free(d->validator);
	hm_policy_free(d->policy);
	curl_loop_close(d->curl);
}

static void on_bus_stopped(void *data)
{
	struct verifierd *d = data;

	if (d->server)
		http_server_stop(d->server, on_server_stopped, d);
	else
		on_server_stopped(d);
}

static void on_written(void *data)
{
	struct verifierd *d = data;
	struct bus *bus = d->bus;

	d->writer = NULL;
	d->wait = NULL;
	d->bus = NULL;
	board_close(d->front.board, "stopping");
	bus_stop(bus, on_bus_stopped, d);
}

void verifierd_stop(struct verifierd *daemon)
{
	struct verifierd *d = daemon;

	if (d->stopping || !d->front.board)
		return;
	d->stopping = true;
	for (size_t i = 0; i < d->config->oracle_count; i++) {
		if (d->intakes[i])
			intake_stop(d->intakes[i]);
		d->intakes[i] = NULL;
	}
	bus_quiet(d->bus);
	raw_keeper_stop(d->raw);
	d->raw = NULL;
	if (d->writer)
		archive_writer_stop(d->writer, on_written, d);
	else if (d->wait)
		archive_wait_stop(d->wait, on_written, d);
	else
		on_written(d);
}
