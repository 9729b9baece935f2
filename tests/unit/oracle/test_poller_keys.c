/*
 * poller: an exchange that wants a key is left alone until there is one, asked
 * with it as soon as there is, and nobody else ever sees it.
 */
#include "oracle/poller.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "tests/unit/oracle/poller_fixture.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define NAME  "alpha_key"
#define FIRST "first-key-of-alpha"
#define NEXT  "another-key"
#define LINE  "\r\nX-Alpha-Key: "

static const uint8_t boot_id[16] = {7};
static struct config_secrets allowed = {
    .names = {NAME, "other_key"}, .count = 2};
static struct exchange keyed;
static struct secrets *secrets;
static int64_t sealed_ms;
static atomic_uint with_first, with_next, with_none, of_others;

/* Who alpha is asked by, and whether others are told. */
static void count_keys(struct peer_session *s)
{
	while (peer_request(s)) {
		bool alpha = strstr(s->head, "Host: alpha.test\r") != NULL;

		if (!alpha)
			atomic_fetch_add(
			    &of_others, strcasestr(s->head, "key") != NULL);
		else if (strstr(s->head, LINE FIRST "\r\n") != NULL)
			atomic_fetch_add(&with_first, 1);
		else if (strstr(s->head, LINE NEXT "\r\n") != NULL)
			atomic_fetch_add(&with_next, 1);
		else
			atomic_fetch_add(&with_none, 1);
		peer_json(s, "{\"A\":1.50}");
	}
}

static int keys_begin(void **state)
{
	begin(state);
	f.peer.story = count_keys;
	keyed = markets[ALPHA];
	keyed.key_header = "X-Alpha-Key";
	keyed.key_name = NAME;
	with_first = with_next = with_none = of_others = 0;
	secrets = secrets_new(&allowed, boot_id);
	return 0;
}

static int keys_end(void **state)
{
	end(state);
	secrets_free(secrets);
	return 0;
}

static int keys_group_begin(void **state)
{
	if (CRYPTO_secure_malloc_init(1u << 16, 32) == 0 ||
	    EVP_Digest(TOKEN, strlen(TOKEN), allowed.token_sha256, NULL,
		EVP_sha256(), NULL) != 1)
		return 1;
	return group_begin(state);
}

static struct feed_config *keyed_feed(void)
{
	struct feed_config *feed = add_feed("X-Y", 20);

	add_source(feed, ALPHA, "A");
	feed->sources[0].exchange = &keyed;
	return feed;
}

static void store(const char *name, const char *text)
{
	struct secret_message message = {
	    .token = TOKEN, .sealed_ms = now_unix_ms()};

	if (message.sealed_ms <= sealed_ms)
		message.sealed_ms = sealed_ms + 1;
	sealed_ms = message.sealed_ms;
	memcpy(message.boot_id, boot_id, sizeof(boot_id));
	snprintf(message.name, sizeof(message.name), "%s", name);
	snprintf(message.secret, sizeof(message.secret), "%s", text);
	assert_int_equal(secrets_take(secrets, name, &message, now_unix_ms()),
	    SECRETS_STORED);
}

static void test_without_secrets(void **state)
{
	struct feed_config *feed = keyed_feed();
	struct item_source s;

	(void)state;
	start(); /* nobody says where keys are */
	do {
		turn();
		s = read_now(feed, 0);
	} while (s.error == QUOTE_NOT_POLLED);
	assert_int_equal(s.state, SOURCE_FAILED);
	assert_int_equal(s.error, QUOTE_NO_KEY);
	turn_for(100);
	assert_int_equal(atomic_load(&f.peer.connections), 0);
}

static void test_as_soon_as_there_is_one(void **state)
{
	struct feed_config *feed = keyed_feed();

	(void)state;
	add_source(feed, BETA, "A");
	start();
	poller_use_secrets(f.poller, secrets);
	until_state(feed, 1, SOURCE_USED);
	assert_int_equal(read_now(feed, 0).error, QUOTE_NO_KEY);
	store("other_key", "of somebody else");
	turn_for(60);
	assert_int_equal(read_now(feed, 0).error, QUOTE_NO_KEY);
	store(NAME, FIRST);
	until_state(feed, 0, SOURCE_USED);
	assert_true(atomic_load(&with_first) > 0);
	assert_int_equal(atomic_load(&with_none), 0);
	assert_int_equal(atomic_load(&of_others), 0);
}

static void test_another_one(void **state)
{
	struct feed_config *feed = keyed_feed();

	(void)state;
	start();
	poller_use_secrets(f.poller, secrets);
	store(NAME, FIRST); /* before anybody asked */
	until_state(feed, 0, SOURCE_USED);
	store(NAME, NEXT);
	until_asked(&with_next, 2);
	unsigned first = atomic_load(&with_first);
	until_asked(&with_next, 6);
	assert_true(atomic_load(&with_first) <= first + 1);
	assert_int_equal(atomic_load(&with_none), 0);
}

/* A key that comes when all has been stopped changes nothing. */
static void test_stopped(void **state)
{
	(void)state;
	keyed_feed();
	start();
	poller_use_secrets(f.poller, secrets);
	turn_for(20);
	poller_stop(f.poller);
	store(NAME, FIRST);
	assert_int_equal(atomic_load(&f.peer.connections), 0);
}

static void test_log(void **state)
{
	struct feed_config *feed = keyed_feed();
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	char text[4096];
	size_t len;

	(void)state;
	assert_non_null(log);
	dup2(fileno(log), STDERR_FILENO);
	start();
	poller_use_secrets(f.poller, secrets);
	turn_for(60);
	store(NAME, FIRST);
	until_state(feed, 0, SOURCE_USED);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(log);
	len = fread(text, 1, sizeof(text) - 1, log);
	text[len] = '\0';
	fclose(log);
	assert_non_null(strstr(text, "source_failed exchange=alpha symbol=A "
				     "symbols=1 error=no_key why=" NAME));
	assert_non_null(strstr(text, "source_recovered exchange=alpha"));
	assert_null(strstr(text, FIRST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, keys_begin, keys_end)
	    T(test_without_secrets),
	    T(test_as_soon_as_there_is_one),
	    T(test_another_one),
	    T(test_stopped),
	    T(test_log),
	};

	return cmocka_run_group_tests_name(
	    "poller_keys", tests, keys_group_begin, group_end);
}
