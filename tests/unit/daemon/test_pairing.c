/* pairing: items in their order, each with its document, which is asked for
 * once; or without, if there is none. */
#include "mint.h"
#include "subscriber_fixture.h"
#include "verifier/daemon/pairing.h"

#define READY_MAX 16

struct asked {
	struct fixture *f; /* of subscriber_fixture.h, with another server */
	struct http_server *server;
	struct pairing *pairing;
	struct http_request *held;
	int requests, fetched, missing;
	bool hold, absent, stopped;
	struct record *ready[READY_MAX];
	size_t count;
};

static void answer(struct asked *a)
{
	struct http_request *req = a->held;

	a->held = NULL;
	if (a->absent)
		reply(req, 404, "application/problem+json", "{}", 2);
	else
		reply(req, 200, "application/cbor", (char *)mint.document,
		    mint.document_len);
}

static void on_document_asked(struct http_request *req, void *data)
{
	struct asked *a = data;

	a->requests++;
	a->held = req;
	if (!a->hold)
		answer(a);
}

static const struct http_route document_routes[] = {
    {"GET", "/attestations/{sha256}", NULL, on_document_asked},
    {NULL, NULL, NULL, NULL},
};

static void on_ready(struct record *record, void *data)
{
	struct asked *a = data;

	assert_true(a->count < READY_MAX);
	a->ready[a->count++] = record;
}

static void on_fetched(void *data)
{
	struct asked *a = data;

	a->fetched++;
}

static void on_missing(const char *why, void *data)
{
	struct asked *a = data;

	assert_non_null(strstr(why, "404"));
	a->missing++;
}

static int start_with(void **state, bool heads)
{
	struct asked *a = calloc(1, sizeof(*a));
	struct endpoint ep;

	setup((void **)&a->f);
	stop_server(a->f);
	assert_int_equal(endpoint_parse(&ep, a->f->url), 0);
	assert_int_equal(
	    http_server_start(&a->server, &a->f->loop, &ep, document_routes, a),
	    0);
	a->pairing = pairing_new(&(struct pairing_options){
	    .curl = a->f->curl,
	    .address = &a->f->address,
	    .ready = on_ready,
	    .fetched = on_fetched,
	    .missing = on_missing,
	    .data = a,
	    .heads = heads,
	});
	*state = a;
	return 0;
}

static int start(void **state)
{
	return start_with(state, false);
}

static int start_heads(void **state)
{
	return start_with(state, true);
}

static void on_server_stopped(void *data)
{
	struct asked *a = data;

	a->stopped = true;
}

/* In whatever state the test left it in: nothing may be left open. */
static int end(void **state)
{
	struct asked *a = *state;
	size_t count = a->count;

	pairing_free(a->pairing);
	if (a->held)
		answer(a);
	http_server_stop(a->server, on_server_stopped, a);
	TURN_UNTIL(&a->f->loop, a->stopped);
	assert_int_equal(a->count, count); /* none after free */
	for (size_t i = 0; i < a->count; i++)
		record_free(a->ready[i]);
	teardown((void **)&a->f);
	free(a);
	return 0;
}

static void event(struct asked *a, const char *name, const char *data)
{
	pairing_event(a->pairing, &(struct sse_event){
				      .name = name,
				      .id = "boot-1",
				      .data = data,
				      .len = strlen(data),
				  });
}

static void item(struct asked *a, const char *name, bool full)
{
	char *json = mint_item(&mint, &(struct mint_wish){.full = full}, NULL);

	event(a, name, json);
	free(json);
}

static void test_fetched_once(void **state)
{
	struct asked *a = *state;

	a->hold = true;
	item(a, "price", false);
	item(a, "status", false);
	event(a, "price", "{}"); /* malformed: waits for its turn, no more */
	event(a, "heartbeat", "{}");
	assert_int_equal(pairing_waiting(a->pairing), 3);
	assert_true(pairing_bytes(a->pairing) > 0);
	TURN_UNTIL(&a->f->loop, a->held != NULL);
	assert_int_equal(a->count, 0);
	answer(a);
	TURN_UNTIL(&a->f->loop, a->fetched == 1);
	assert_int_equal(a->count, 3);
	assert_int_equal(a->requests, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_non_null(a->ready[i]->document);
		assert_string_equal(a->ready[i]->event_id, "boot-1");
	}
	assert_null(a->ready[2]->document);
	assert_int_equal(pairing_waiting(a->pairing), 0);
	item(a, "price", false); /* it is kept */
	assert_int_equal(a->count, 4);
	assert_int_equal(a->requests, 1);
}

/* Without it they come all the same, for the library to say so; the next one
 * asks again. */
static void test_absent(void **state)
{
	struct asked *a = *state;

	a->absent = true;
	item(a, "price", false);
	item(a, "price", false);
	TURN_UNTIL(&a->f->loop, a->fetched == 1);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->missing, 1);
	assert_null(a->ready[0]->document);
	assert_null(a->ready[1]->document);
	a->absent = false;
	item(a, "price", false);
	TURN_UNTIL(&a->f->loop, a->fetched == 2);
	assert_int_equal(a->count, 3);
	assert_non_null(a->ready[2]->document);
}

/* An item with a co-signature: the item again stands for it, since nothing is
 * judged here; in the reference form with a hash that nothing has. */
static void cosigned(struct asked *a, bool full)
{
	char *json = mint_item(&mint, &(struct mint_wish){.full = full}, NULL);
	char *outer, *inner = strdup(json);
	char *hash = strstr(inner, "\"attestation_sha256\":\"");

	assert_non_null(hash);
	if (!full)
		hash[22] = hash[22] == 'a' ? 'b' : 'a';
	assert_true(asprintf(&outer, "%.*s,\"cosignatures\":[%s]}",
			(int)strlen(json) - 1, json, inner) > 0);
	event(a, "price", outer);
	free(outer);
	free(inner);
	free(json);
}

/* A co-signature's document is asked for as the item's own is; one that cannot
 * be had holds up the items once. */
static void test_cosigned(void **state)
{
	struct asked *a = *state;

	item(a, "price", false);
	TURN_UNTIL(&a->f->loop, a->fetched == 1);
	a->absent = a->hold = true;
	cosigned(a, false);
	cosigned(a, false);
	TURN_UNTIL(&a->f->loop, a->held != NULL);
	assert_int_equal(a->count, 1);
	answer(a);
	TURN_UNTIL(&a->f->loop, a->fetched == 2);
	assert_int_equal(a->requests, 2);
	assert_int_equal(a->missing, 1);
	assert_int_equal(a->count, 3);
	for (size_t i = 1; i < 3; i++) {
		assert_non_null(a->ready[i]->document);
		assert_int_equal(a->ready[i]->envelope.cosignature_count, 1);
		assert_null(a->ready[i]->envelope.cosignatures[0].document);
	}
}

static void test_cosigned_in_full(void **state)
{
	struct asked *a = *state;

	cosigned(a, true);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->requests, 0);
	assert_non_null(a->ready[0]->envelope.cosignatures[0].document);
	assert_true(record_bytes(a->ready[0]) > RECORD_COSIGNATURE_BYTES);
}

/* One that names another document does not go on with those. */
static void test_absent_one_only(void **state)
{
	struct asked *a = *state;

	a->hold = a->absent = true;
	item(a, "price", false);
	mint_document(&mint);
	item(a, "price", false);
	TURN_UNTIL(&a->f->loop, a->held != NULL);
	answer(a);
	a->hold = a->absent = false;
	TURN_UNTIL(&a->f->loop, a->fetched == 2);
	assert_int_equal(a->requests, 2);
	assert_int_equal(a->count, 2);
	assert_null(a->ready[0]->document);
	assert_non_null(a->ready[1]->document);
}

/* The stream's own event, or the full form, spares the question. */
static void test_brought(void **state)
{
	char *base64 = base64_encode(mint.document, mint.document_len);
	char text[2 * ATTESTER_DOCUMENT_MAX];
	struct asked *a = *state;

	event(a, "attestation", "no JSON");
	event(a, "attestation", "{\"attestation_doc_b64\":7}");
	event(a, "attestation", "{\"attestation_doc_b64\":\"!\"}");
	snprintf(
	    text, sizeof(text), "{\"attestation_doc_b64\":\"%s\"}", base64);
	event(a, "attestation", text);
	free(base64);
	item(a, "price", false);
	assert_int_equal(a->count, 1);
	assert_non_null(a->ready[0]->document);
	assert_int_equal(a->requests, 0);
}

static void test_full_form(void **state)
{
	struct asked *a = *state;

	item(a, "price", true);
	item(a, "price", false);
	assert_int_equal(a->count, 2);
	assert_non_null(a->ready[1]->document);
	assert_int_equal(a->requests, 0);
}

/* A head is behind the items that it counts, whatever they wait for. */
static void test_heads(void **state)
{
	struct asked *a = *state;

	a->hold = true;
	item(a, "price", false);
	item(a, "tree_head", false);
	item(a, "price", false);
	assert_int_equal(pairing_waiting(a->pairing), 3);
	TURN_UNTIL(&a->f->loop, a->held != NULL);
	answer(a);
	TURN_UNTIL(&a->f->loop, a->fetched == 1);
	assert_int_equal(a->count, 3);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(a->ready[i]->is_head, i == 1);
		assert_non_null(a->ready[i]->document);
	}
}

static void test_heads_unwanted(void **state)
{
	struct asked *a = *state;

	item(a, "tree_head", true);
	assert_int_equal(a->count, 0);
	assert_int_equal(pairing_waiting(a->pairing), 0);
}

static void test_free_while_fetching(void **state)
{
	struct asked *a = *state;

	a->hold = true;
	item(a, "price", false);
	TURN_UNTIL(&a->f->loop, a->held != NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_fetched_once),
	    TEST(test_absent),
	    TEST(test_absent_one_only),
	    TEST(test_cosigned),
	    TEST(test_cosigned_in_full),
	    TEST(test_brought),
	    TEST(test_full_form),
	    cmocka_unit_test_setup_teardown(test_heads, start_heads, end),
	    TEST(test_heads_unwanted),
	    TEST(test_free_while_fetching),
	};

	return cmocka_run_group_tests_name(
	    "pairing", tests, make_mint, free_mint);
}
