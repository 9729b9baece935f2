/*
 * https_fixture: a loop, a peer and an https_client that talks to it. Every
 * test ends in fixture_end(): all handles gone, uv_loop_close() gives 0.
 */
#ifndef HALLMARK_TESTS_HTTPS_FIXTURE_H
#define HALLMARK_TESTS_HTTPS_FIXTURE_H

#include "oracle/https_client.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/tls_peer.h"

#define FIXTURE_GUARD_S  60 /* a test that hangs fails then */
#define FIXTURE_BODY_MAX 1000

struct fixture {
	uv_loop_t loop;
	uv_timer_t pause;
	struct peer peer;
	struct https_client_options options; /* may be changed before open */
	struct https_client *client;

	/* of the last answer */
	unsigned fired;
	enum quote_error error;
	char why[HTTPS_ERROR_MAX];
	int status;
	char body[FIXTURE_BODY_MAX + 1];
	size_t len;
	int64_t retry_after_ms, date_ms, took_ms;
	uint8_t spki[32];
	unsigned descriptors; /* open at the beginning */
	bool close_in_callback, get_in_callback;
};

static struct pki fixture_pki;
static struct pki_cert fixture_leaf; /* for localhost */
static SSL_CTX *fixture_tls;

static PKI_UNUSED int fixture_group_begin(void **state)
{
	char error[HTTPS_ERROR_MAX];
	uv_loop_t loop;
	(void)state;
	uv_loop_init(&loop); /* the first leaves descriptors of libuv's own */
	uv_loop_close(&loop);
	signal(SIGPIPE, SIG_IGN);
	pki_init(&fixture_pki);
	fixture_leaf = pki_leaf(&fixture_pki, "DNS:localhost");
	fixture_tls = https_tls_context(fixture_pki.ca_path, error);
	return fixture_tls == NULL;
}

static PKI_UNUSED int fixture_group_end(void **state)
{
	(void)state;
	SSL_CTX_free(fixture_tls);
	pki_cert_fini(&fixture_leaf);
	pki_fini(&fixture_pki);
	return 0;
}

/* One that is left open is a leak that no sanitizer sees. */
static unsigned fixture_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	pki_need(dir != NULL, "/proc/self/fd");
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static PKI_UNUSED void fixture_on_answer(
    const struct https_answer *answer, void *data)
{
	struct fixture *f = data;

	f->fired++;
	f->error = answer->error;
	f->status = answer->status;
	snprintf(f->why, sizeof(f->why), "%s",
	    answer->why != NULL ? answer->why : "");
	f->len = answer->len;
	assert_true(f->len <= FIXTURE_BODY_MAX);
	if (f->len > 0)
		memcpy(f->body, answer->body, f->len);
	f->body[f->len] = '\0';
	f->retry_after_ms = answer->retry_after_ms;
	f->date_ms = answer->date_ms;
	f->took_ms = answer->took_ms;
	memcpy(f->spki, answer->tls_spki_sha256, sizeof(f->spki));
	assert_false(https_client_busy(f->client));
	if (f->close_in_callback) {
		https_client_close(f->client);
		f->client = NULL;
	} else if (f->get_in_callback) {
		f->get_in_callback = false;
		https_client_get(f->client, "/again", fixture_on_answer, f);
		assert_int_equal(f->fired, 1);
	}
}

/* A peer with TLS and a good certificate that plays this story. */
static PKI_UNUSED void fixture_begin(struct fixture *f, peer_story story)
{
	*f = (struct fixture){.descriptors = fixture_descriptors()};
	alarm(FIXTURE_GUARD_S);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	uv_timer_init(&f->loop, &f->pause);
	f->peer.context = pki_server(&fixture_leaf, 0);
	f->peer.story = story;
	f->options = (struct https_client_options){
	    .loop = &f->loop,
	    .tls = fixture_tls,
	    .host = "localhost",
	    .body_max = FIXTURE_BODY_MAX,
	};
}

/* Starts the peer and the client. With a proxy, host and port are told to it
 * only. */
static PKI_UNUSED void fixture_open(struct fixture *f)
{
	struct endpoint proxy;
	char text[64];

	peer_start(&f->peer);
	snprintf(text, sizeof(text), "tcp://127.0.0.1:%u", f->peer.port);
	assert_int_equal(endpoint_parse(&proxy, text), 0);
	if (f->peer.proxy != NULL)
		f->options.proxy = &proxy;
	if (f->options.port == 0)
		f->options.port = (uint16_t)f->peer.port;
	f->client = https_client_new(&f->options);
	f->options.proxy = NULL;
}

static PKI_UNUSED void fixture_run_until(struct fixture *f, unsigned fired)
{
	while (f->fired < fired)
		uv_run(&f->loop, UV_RUN_ONCE);
}

/* Turns the loop for this long: time for something that must not happen. */
static void fixture_on_pause(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static PKI_UNUSED void fixture_run_for(struct fixture *f, uint64_t ms)
{
	bool over = false;

	f->pause.data = &over;
	uv_update_time(&f->loop);
	uv_timer_start(&f->pause, fixture_on_pause, ms, 0);
	while (!over)
		uv_run(&f->loop, UV_RUN_ONCE);
}

static PKI_UNUSED void fixture_get(struct fixture *f)
{
	unsigned fired = f->fired;

	https_client_get(f->client, "/ticker?symbol=X", fixture_on_answer, f);
	assert_int_equal(f->fired, fired); /* never before it has returned */
	assert_true(https_client_busy(f->client));
	fixture_run_until(f, fired + 1);
}

static PKI_UNUSED void fixture_end(struct fixture *f)
{
	unsigned fired = f->fired;

	if (f->client != NULL)
		https_client_close(f->client);
	uv_close((uv_handle_t *)&f->pause, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(f->fired, fired); /* close calls nobody back */
	peer_stop(&f->peer);
	SSL_CTX_free(f->peer.context);
	assert_int_equal(fixture_descriptors(), f->descriptors);
	alarm(0);
}

#endif
