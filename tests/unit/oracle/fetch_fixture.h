/*
 * fetch_fixture: a simulated identity, a server with TLS behind a proxy that
 * answers by path, and a fetch that may ask it for what begins with /a. The
 * poller is this test's.
 */
#ifndef HALLMARK_TESTS_FETCH_FIXTURE_H
#define HALLMARK_TESTS_FETCH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "oracle/fetch.h"
#include "oracle/https_client.h"
#include "tests/unit/oracle/identity_fixture.h"
#include "tests/unit/oracle/tls_peer.h"

#include <signal.h>

#define FETCH_GUARD_S 60 /* a test that hangs fails then */
#define WAITERS       64
#define HOST          "api.kraken.com"
#define PORT          443

static struct pki fetch_pki;
static struct pki_cert fetch_leaf;
static SSL_CTX *fetch_tls;
static struct peer fetch_peer;
static struct fetch *fetch;
static atomic_bool peer_holds;  /* answers "/a/held..." only when it does not */
static const char *peer_answer; /* NULL: 200 and {"path":...} */

static struct caller {
	struct fetch_waiter waiter;
	unsigned fired;
	struct fetch_text *text; /* held */
	enum quote_error error;
	char why[HTTPS_ERROR_MAX];
} callers[WAITERS];

/* ---- in place of the poller ---- */

static int64_t poller_paused_ms, poller_offset_ms;

void poller_visit(const struct poller *poller, int64_t now_monotonic_ms,
    poller_exchange_cb exchange_cb, poller_source_cb source_cb, void *data)
{
	const struct poller_exchange_view other = {
	    .exchange = exchange_find("gate"), .paused_ms = 99000};
	const struct poller_exchange_view view = {
	    .exchange = exchange_find("kraken"), .paused_ms = poller_paused_ms};

	(void)now_monotonic_ms;
	assert_non_null(poller);
	assert_null(source_cb);
	exchange_cb(&view, data);
	exchange_cb(&other, data);
}

bool poller_clock_offset(
    const struct poller *poller, int64_t now_monotonic_ms, int64_t *offset_ms)
{
	(void)now_monotonic_ms;
	assert_non_null(poller);
	*offset_ms = poller_offset_ms;
	return poller_offset_ms != 0;
}

/* ---- the server ---- */

static void fetch_story(struct peer_session *s)
{
	char path[1100], body[1200];

	while (peer_request(s)) {
		if (sscanf(s->head, "GET %1099s", path) != 1)
			return;
		while (strncmp(path, "/a/held", 7) == 0 &&
		       atomic_load(&peer_holds))
			usleep(1000);
		snprintf(body, sizeof(body), "{\"path\":\"%s\"}", path);
		if (peer_answer != NULL)
			peer_say(s, peer_answer);
		else
			peer_json(s, body);
	}
}

/* ---- asking ---- */

static inline void on_outcome(
    struct fetch_waiter *waiter, const struct fetch_outcome *outcome)
{
	struct caller *caller = waiter->data;

	caller->fired++;
	caller->text = outcome->text;
	if (outcome->text != NULL)
		fetch_text_hold(outcome->text);
	caller->error = outcome->error;
	snprintf(caller->why, sizeof(caller->why), "%s",
	    outcome->why != NULL ? outcome->why : "");
}

static inline enum fetch_result ask_at(size_t caller, const char *hostname,
    unsigned port, const char *path, int64_t *retry_ms)
{
	const struct hm_fetch_request request = {hostname, port, path};
	enum fetch_result result;

	callers[caller] = (struct caller){.error = QUOTE_OK};
	callers[caller].waiter.cb = on_outcome;
	callers[caller].waiter.data = &callers[caller];
	result = fetch_ask(fetch, &request, &callers[caller].waiter, retry_ms);
	assert_int_equal(callers[caller].fired, 0);
	return result;
}

static inline enum fetch_result ask(size_t caller, const char *path)
{
	int64_t retry_ms;

	return ask_at(caller, HOST, PORT, path, &retry_ms);
}

/* Nothing is on its way to the server, and its budget is full again. */
static inline void ask_well(size_t caller, const char *path)
{
	enum fetch_result result;

	while ((result = ask(caller, path)) == FETCH_NO_BUDGET) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(result, FETCH_STARTED);
}

static inline void run_until_fired(size_t caller)
{
	while (callers[caller].fired == 0) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	assert_int_equal(callers[caller].fired, 1);
}

static inline void run_until_requests(unsigned count)
{
	while (atomic_load(&fetch_peer.requests) < count) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

static inline void let_go(size_t caller)
{
	if (callers[caller].text != NULL)
		fetch_text_release(callers[caller].text);
	callers[caller].text = NULL;
}

static inline struct fetch_stats stats(void)
{
	struct fetch_stats out;

	fetch_stats(fetch, &out);
	return out;
}

/* ---- life ---- */

static inline int fetch_group_up(void **state)
{
	char error[HTTPS_ERROR_MAX];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	pki_init(&fetch_pki);
	fetch_leaf = pki_leaf(&fetch_pki, "DNS:" HOST);
	fetch_tls = https_tls_context(fetch_pki.ca_path, error);
	return fetch_tls == NULL;
}

static inline int fetch_group_down(void **state)
{
	(void)state;
	SSL_CTX_free(fetch_tls);
	pki_cert_fini(&fetch_leaf);
	pki_fini(&fetch_pki);
	uv_library_shutdown(); /* what the pool's threads hold of OpenSSL */
	return 0;
}

static inline void allow(unsigned port, const char *prefix)
{
	struct config_fetch_allow *entry =
	    &config.fetch.allow[config.fetch.allow_count++];

	snprintf(entry->hostname, sizeof(entry->hostname), HOST);
	snprintf(entry->path_prefix, sizeof(entry->path_prefix), "%s", prefix);
	entry->port = (uint16_t)port;
}

static struct fetch_options fetch_with;

static inline void start_fetch(void)
{
	fetch = fetch_start(&fetch_with);
	assert_non_null(fetch);
}

/* A host that is asked every 100 ms at the most; not started yet. */
static inline int fetch_up(void **state)
{
	char proxy[64];

	alarm(FETCH_GUARD_S);
	fixture_up(state);
	log_set_level(LOG_ERROR);
	memset(&fetch_peer, 0, sizeof(fetch_peer));
	memset(callers, 0, sizeof(callers));
	atomic_store(&peer_holds, false);
	peer_answer = NULL;
	poller_paused_ms = poller_offset_ms = 0;
	fetch_peer.context = pki_server(&fetch_leaf, 0);
	fetch_peer.story = fetch_story;
	fetch_peer.proxy = "HTTP/1.1 200 OK\r\n\r\n";
	peer_start(&fetch_peer);
	snprintf(proxy, sizeof(proxy), "tcp://127.0.0.1:%u", fetch_peer.port);
	config.has_proxy = true;
	assert_int_equal(endpoint_parse(&config.proxy, proxy), 0);
	allow(PORT, "/a");
	config.fetch.per_minute = 600;
	config.fetch.max_bytes = 4096;
	fetch_with = (struct fetch_options){
	    .loop = &fixture_loop,
	    .config = &config,
	    .tls = fetch_tls,
	    .signer = identity.signer,
	    .attestation = identity.attestation,
	    .policy = identity.policy,
	    .boot_id = identity.boot_id,
	    .platform = identity.attester->ops->platform,
	};
	fetch = NULL;
	return 0;
}

/* Also the check that fetch_stop() leaves nothing, whatever was going on. */
static inline int fetch_down(void **state)
{
	fetch_stop(fetch);
	fetch_stop(fetch);
	atomic_store(&peer_holds, false);
	fixture_down(state);
	for (size_t i = 0; i < WAITERS; i++)
		let_go(i);
	fetch_free(fetch);
	peer_stop(&fetch_peer);
	SSL_CTX_free(fetch_peer.context);
	memset(&config.fetch, 0, sizeof(config.fetch));
	alarm(0);
	return 0;
}

#endif
