/*
 * https_client: pinned keys, what it tells of time, deadlines that change. The
 * rest of it stands in test_https_client.c.
 */
#include "tests/unit/oracle/https_fixture.h"

#include "feeds/hex.h"

static void answer_all(struct peer_session *s)
{
	while (peer_request(s))
		peer_json(s, "{}");
}

static void answer_once(struct peer_session *s)
{
	if (peer_request(s))
		peer_say(s, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
			    "Content-Length: 2\r\n\r\n{}");
}

static void leaf_spki(uint8_t out[static 32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(fixture_leaf.key, &der);

	assert_true(len > 0);
	EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

/* ---- pins ---- */

static void test_pinned(void **state)
{
	uint8_t pins[3][32];
	struct fixture f;
	(void)state;

	memset(pins, 7, sizeof(pins));
	for (size_t at = 0; at < 3; at++) {
		uint8_t others[32];
		memcpy(others, pins[at], sizeof(others));
		leaf_spki(pins[at]);
		fixture_begin(&f, answer_once);
		f.options.spki_sha256 = (const uint8_t(*)[32])pins;
		f.options.spki_count = 3;
		fixture_open(&f);
		memcpy(pins[at], others, sizeof(others)); /* it has a copy */
		fixture_get(&f);
		assert_int_equal(f.error, QUOTE_OK);
		fixture_get(&f); /* over another connection */
		assert_int_equal(f.error, QUOTE_OK);
		assert_int_equal(atomic_load(&f.peer.connections), 2);
		fixture_end(&f);
	}
}

/* TLS stands, the chain and the name are good: yet it gets no byte. */
static void check_not_pinned(const uint8_t (*pins)[32], size_t count)
{
	uint8_t spki[32];
	char hex[65];
	struct fixture f;

	fixture_begin(&f, answer_all);
	f.options.spki_sha256 = pins;
	f.options.spki_count = count;
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_TLS_FAILED);
	assert_int_equal(f.status, 0);
	leaf_spki(spki);
	hex_encode(spki, sizeof(spki), hex);
	assert_non_null(strstr(f.why, "not pinned"));
	assert_non_null(strstr(f.why, hex)); /* what to pin, if it is right */
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_TLS_FAILED);
	fixture_end(&f);
	assert_int_equal(atomic_load(&f.peer.secured), 2);
	assert_int_equal(atomic_load(&f.peer.requests), 0);
	assert_string_equal(f.peer.sessions[0].head, "");
}

static void test_not_pinned(void **state)
{
	uint8_t pins[2][32] = {{1}, {2}};
	(void)state;

	check_not_pinned((const uint8_t(*)[32])pins, 2);
	leaf_spki(pins[1]);
	pins[1][31] ^= 1;
	check_not_pinned((const uint8_t(*)[32])pins, 2);
	leaf_spki(pins[1]); /* behind the last that counts */
	check_not_pinned((const uint8_t(*)[32])pins, 1);
}

static void test_close_when_not_pinned(void **state)
{
	const uint8_t pins[1][32] = {{1}};
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_all);
	f.options.spki_sha256 = pins;
	f.options.spki_count = 1;
	f.close_in_callback = true;
	fixture_open(&f);
	https_client_get(f.client, "/x", fixture_on_answer, &f);
	fixture_run_until(&f, 1);
	assert_int_equal(f.error, QUOTE_TLS_FAILED);
	fixture_end(&f);
}

/* ---- time ---- */

static void say_date(struct peer_session *s)
{
	while (peer_request(s)) {
		usleep(50000);
		peer_say(s, "HTTP/1.1 200 OK\r\n"
			    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			    "Content-Length: 2\r\n\r\n{}");
	}
}

static void test_date(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, say_date);
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.date_ms, 784111777000LL);
	assert_in_range(f.took_ms, 50, FIXTURE_GUARD_S * 1000);
	fixture_end(&f);
	fixture_begin(&f, answer_all);
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.date_ms, -1);
	fixture_end(&f);
}

/* The second connection is never answered; the first was. */
static void answer_the_first(struct peer_session *s)
{
	if (s->number == 1)
		answer_once(s);
	else
		peer_wait(s);
}

static void test_deadline_of_the_whole(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_the_first);
	f.options.request_timeout_ms = FIXTURE_GUARD_S * 2000;
	fixture_open(&f);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_OK);
	https_client_set_deadline(f.client, 50);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_TIMEOUT);
	assert_string_equal(f.why, "timeout: waited for the answer");
	assert_int_equal(f.date_ms, -1);
	fixture_end(&f);
}

/* TLS only after two seconds, an answer never. */
static void answer_nothing_slowly(struct peer_session *s)
{
	sleep(2);
	s->peer->context = s->peer->data;
	if (peer_secure(s) && peer_request(s))
		peer_wait(s);
}

static void on_too_late(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("the deadline was counted anew");
}

/* Not three seconds for the connection and then three for the answer. */
static void test_deadline_holds_from_the_start(void **state)
{
	struct fixture f;
	uv_timer_t too_late;
	(void)state;

	fixture_begin(&f, answer_nothing_slowly);
	f.peer.data = f.peer.context;
	f.peer.context = NULL;
	fixture_open(&f);
	https_client_set_deadline(f.client, 3000);
	uv_timer_init(&f.loop, &too_late);
	uv_timer_start(&too_late, on_too_late, 4500, 0);
	fixture_get(&f);
	assert_int_equal(f.error, QUOTE_TIMEOUT);
	uv_close((uv_handle_t *)&too_late, NULL);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pinned),
	    cmocka_unit_test(test_not_pinned),
	    cmocka_unit_test(test_close_when_not_pinned),
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_deadline_of_the_whole),
	    cmocka_unit_test(test_deadline_holds_from_the_start),
	};
	return cmocka_run_group_tests_name(
	    "https_pins", tests, fixture_group_begin, fixture_group_end);
}
