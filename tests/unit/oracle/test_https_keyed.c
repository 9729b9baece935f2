/* https_client with a key: it goes out in its header, again on a second try,
 * to this host only and with no other request. */
#include "oracle/https_client.h"

#include "tests/unit/oracle/https_fixture.h"

#define KEY  "b54bcf4d-1bca-4e8e-9a24-22ff2c3d462c"
#define LINE "\r\nX-Test-Key: " KEY "\r\n"

static void get_keyed(struct fixture *f)
{
	unsigned fired = f->fired;
	char key[] = KEY; /* borrowed for the call only */

	https_client_get_keyed(
	    f->client, "/x", "X-Test-Key", key, fixture_on_answer, f);
	memset(key, 'x', sizeof(key) - 1);
	fixture_run_until(f, fired + 1);
}

/* Says how many times it was told the key, in its body. */
static void answer_all(struct peer_session *s)
{
	while (peer_request(s)) {
		peer_json(s, strstr(s->head, LINE) != NULL ? "key" : "none");
		atomic_fetch_add(&s->peer->heard, 1);
	}
}

static void test_in_its_header(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_all);
	fixture_open(&f);
	get_keyed(&f);
	assert_string_equal(f.body, "key");
	fixture_end(&f);
}

static void test_not_in_the_next(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_all);
	fixture_open(&f);
	get_keyed(&f);
	fixture_get(&f); /* over the same connection */
	assert_string_equal(f.body, "none");
	assert_int_equal(atomic_load(&f.peer.connections), 1);
	get_keyed(&f);
	assert_string_equal(f.body, "key");
	fixture_end(&f);
}

/* A kept connection that is closed under the second request. */
static void answer_one_each(struct peer_session *s)
{
	if (!peer_request(s))
		return;
	peer_json(s, strstr(s->head, LINE) != NULL ? "key" : "none");
	if (s->number == 1)
		(void)peer_request(s); /* and no answer */
	else
		peer_wait(s);
}

static void test_on_a_second_try(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_one_each);
	fixture_open(&f);
	get_keyed(&f);
	get_keyed(&f);
	assert_string_equal(f.body, "key");
	assert_int_equal(atomic_load(&f.peer.connections), 2);
	fixture_end(&f);
}

/* Where a redirect leads is not asked, and so not told. */
static void redirect(struct peer_session *s)
{
	while (peer_request(s))
		peer_say(s, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
			    "Content-Length: 0\r\n\r\n");
}

static void test_follows_nobody(void **state)
{
	struct fixture f;
	(void)state;

	fixture_begin(&f, redirect);
	fixture_open(&f);
	get_keyed(&f);
	assert_int_equal(f.status, 302);
	assert_int_equal(atomic_load(&f.peer.requests), 1);
	fixture_end(&f);
}

/* A peer that is not who it should be sees no byte of the request. */
static void test_not_to_a_stranger(void **state)
{
	static const uint8_t other[1][32] = {{1}};
	struct fixture f;
	(void)state;

	fixture_begin(&f, answer_all);
	f.options.spki_sha256 = other;
	f.options.spki_count = 1;
	fixture_open(&f);
	get_keyed(&f);
	assert_int_equal(f.error, QUOTE_TLS_FAILED);
	assert_int_equal(atomic_load(&f.peer.requests), 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_its_header),
	    cmocka_unit_test(test_not_in_the_next),
	    cmocka_unit_test(test_on_a_second_try),
	    cmocka_unit_test(test_follows_nobody),
	    cmocka_unit_test(test_not_to_a_stranger),
	};

	return cmocka_run_group_tests_name(
	    "https_keyed", tests, fixture_group_begin, fixture_group_end);
}
