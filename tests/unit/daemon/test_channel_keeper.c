/* channel_keeper: pinned, doubted, pinned anew, and stopped while it waits for
 * each thing that it waits for. */
#include "verifier/daemon/channel_keeper.h"
#include "verifier/daemon/subscriber.h"

#include "tls_oracle.h"
#include "turn.h"

struct fixture {
	uv_loop_t loop;
	struct curl_loop *curl;
	struct tls_oracle oracle;
	struct oracle_address address;
	struct channel_keeper *keeper;
	unsigned attested, failed;
	struct channel_failure why; /* of the last failure */
};

static void on_attested(const struct channel_facts *facts, void *data)
{
	struct fixture *f = data;

	assert_true(facts->bound);
	assert_memory_equal(facts->attested.tls_spki_sha256,
	    f->oracle.spki_sha256, HM_SHA256_LEN);
	assert_true(f->address.pin[0] != '\0');
	f->attested++;
}

static void on_failed(const struct channel_failure *why, void *data)
{
	struct fixture *f = data;

	f->failed++;
	f->why = *why;
}

static void start(struct fixture *f, enum tls_oracle_mode mode)
{
	f->oracle.mode = mode;
	f->keeper = channel_keeper_start(&(struct channel_keeper_options){
	    .loop = &f->loop,
	    .curl = f->curl,
	    .address = &f->address,
	    .policy = mint.policy,
	    .attested = on_attested,
	    .failed = on_failed,
	    .data = f,
	});
	assert_int_equal(f->attested + f->failed, 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	uv_loop_init(&f->loop);
	f->curl = curl_loop_new(&f->loop);
	tls_oracle_start(&f->oracle, &mint, NULL);
	assert_int_equal(oracle_address_parse(&f->address, f->oracle.text), 0);
	*state = f;
	return 0;
}

/* In whatever state the test left it. */
static int teardown(void **state)
{
	struct fixture *f = *state;
	unsigned calls = f->attested + f->failed;

	channel_keeper_stop(f->keeper);
	channel_keeper_stop(NULL);
	curl_loop_close(f->curl);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(f->attested + f->failed, calls);
	tls_oracle_stop(&f->oracle);
	free(f);
	return 0;
}

static void test_pinned(void **state)
{
	struct fixture *f = *state;

	start(f, TLS_RIGHT);
	TURN_UNTIL(&f->loop, f->attested == 1);
	TURN_FOR(&f->loop, 300); /* that is all there is to ask */
	assert_int_equal(f->failed, 0);
	assert_int_equal(atomic_load(&f->oracle.attested), 1);
}

/* It asks until somebody proves it; the one who cannot never gets a pin. */
static void test_relay_then_oracle(void **state)
{
	struct fixture *f = *state;

	start(f, TLS_RELAY);
	assert_string_equal(channel_keeper_why(f->keeper), "no answer yet");
	TURN_UNTIL(&f->loop, f->failed >= 2);
	assert_non_null(
	    strstr(channel_keeper_why(f->keeper), "key_not_attested"));
	assert_int_equal(f->why.verdict, HM_KEY_NOT_ATTESTED);
	assert_int_equal(f->attested, 0);
	assert_string_equal(f->address.pin, "");
	f->oracle.mode = TLS_RIGHT;
	TURN_UNTIL(&f->loop, f->attested == 1);
	assert_null(channel_keeper_why(f->keeper));
}

static void test_another_boot(void **state)
{
	struct fixture *f = *state;
	char pin[ORACLE_PIN_MAX];
	SSL_CTX *before;

	start(f, TLS_BATCHED);
	TURN_UNTIL(&f->loop, f->attested == 1);
	memcpy(pin, f->address.pin, sizeof(pin));
	before = f->oracle.peer.context;
	tls_oracle_boot(&f->oracle);
	SSL_CTX_free(before);
	f->oracle.mode = TLS_RELAY;
	channel_keeper_doubt(f->keeper);
	channel_keeper_doubt(f->keeper); /* at once: one question */
	TURN_UNTIL(&f->loop, f->failed == 1);
	assert_string_equal(f->address.pin, pin);
	f->oracle.mode = TLS_RIGHT;
	TURN_UNTIL(&f->loop, f->attested == 2);
	assert_string_not_equal(f->address.pin, pin);
}

/* ---- whose doubt it is ---- */

static void target(char out[ORACLE_TARGET_MAX], void *data)
{
	(void)data;
	snprintf(out, ORACLE_TARGET_MAX, "/stream");
}

static void on_event(const struct sse_event *event, void *data)
{
	(void)event, (void)data;
}

static void on_key_refused(void *data)
{
	struct fixture *f = data;

	channel_keeper_doubt(f->keeper);
}

/* A subscriber under a pin that does not fit any more tells so, and is not
 * heard by the other key before it is attested. */
static void test_subscriber_doubts(void **state)
{
	static const uint8_t another[HM_SHA256_LEN] = {1};
	struct fixture *f = *state;
	struct subscriber *subscriber;

	start(f, TLS_RIGHT);
	TURN_UNTIL(&f->loop, f->attested == 1);
	oracle_address_pin(&f->address, another);
	subscriber = subscriber_start(&(struct subscriber_options){
	    .loop = &f->loop,
	    .curl = f->curl,
	    .address = &f->address,
	    .last_event_id = "",
	    .target = target,
	    .event = on_event,
	    .key_refused = on_key_refused,
	    .data = f,
	});
	TURN_UNTIL(&f->loop, f->attested == 2);
	assert_int_equal(atomic_load(&f->oracle.others), 0);
	TURN_UNTIL(&f->loop, atomic_load(&f->oracle.others) > 0);
	subscriber_stop(subscriber);
}

static void test_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    oracle_address_parse(&f->address, "https+attested://127.0.0.1:1"),
	    0);
	start(f, TLS_RIGHT);
	TURN_UNTIL(&f->loop, f->failed == 2);
	assert_int_equal(f->why.verdict, HM_VALID);
}

static void test_stopped_at_once(void **state)
{
	start(*state, TLS_RIGHT);
}

static void test_stopped_while_asking(void **state)
{
	struct fixture *f = *state;

	start(f, TLS_SILENT);
	TURN_UNTIL(&f->loop, atomic_load(&f->oracle.peer.requests) == 1);
	assert_int_equal(f->failed, 0);
}

static void test_stopped_while_waiting(void **state)
{
	struct fixture *f = *state;

	start(f, TLS_BUSY);
	TURN_UNTIL(&f->loop, f->failed == 1);
	assert_non_null(strstr(f->why.text, "503"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_pinned),
	    TEST(test_relay_then_oracle),
	    TEST(test_another_boot),
	    TEST(test_subscriber_doubts),
	    TEST(test_nobody),
	    TEST(test_stopped_at_once),
	    TEST(test_stopped_while_asking),
	    TEST(test_stopped_while_waiting),
	};

	return cmocka_run_group_tests_name(
	    "channel_keeper", tests, make_mint, free_mint);
}
