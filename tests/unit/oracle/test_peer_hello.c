/* peer_hello: a document for this connection, this side, this key and this
 * image, and each of these another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/peers_fixture.h"

static struct enclave *const a = &enclaves[0], *const b = &enclaves[1];

static const uint8_t exporter[PEER_EXPORTER_LEN] = "of this very connection";
static char *hello; /* b's, as the one that listens */

static void on_hello(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	(void)error;
	assert_non_null(document);
	*(char **)data = peer_hello_format(document, path);
}

static void say(struct enclave *e, enum peer_role role, char **out)
{
	uint8_t nonce[PEER_HELLO_NONCE_LEN];

	peer_hello_nonce(exporter, role, nonce);
	*out = NULL;
	assert_int_equal(attestation_request_nonce(e->identity.attestation,
			     nonce, sizeof(nonce), NULL, on_hello, out),
	    0);
}

static int up(void **state)
{
	peers_up(state);
	say(b, PEER_LISTENED, &hello);
	while (!hello)
		uv_run(&loop, UV_RUN_ONCE);
	return 0;
}

static int down(void **state)
{
	free(hello);
	return peers_down(state);
}

static struct peer_hello_question question(void)
{
	return (struct peer_hello_question){
	    .policy = a->identity.policy,
	    .exporter = exporter,
	    .spki_sha256 = attested_tls_spki_sha256(b->identity.tls),
	    .own_boot_id = a->identity.boot_id,
	    .speaker = PEER_LISTENED,
	    .now_ms = now_unix_ms(),
	};
}

static enum peer_hello_answer judge(
    const struct peer_hello_question *q, const char *text, const char *wanted)
{
	char why[PEER_HELLO_WHY_MAX];
	uint8_t boot_id[16];
	enum peer_hello_answer answer = peer_hello_judge(
	    q, text, strlen(text), boot_id, why);

	assert_string_equal(why, wanted);
	if (answer == PEER_HELLO_GOOD)
		assert_memory_equal(boot_id, b->identity.boot_id, 16);
	return answer;
}

static void test_good(void **state)
{
	struct peer_hello_question q = question();
	struct hm_cache *cache = hm_cache_new(4);

	(void)state;
	assert_int_equal(judge(&q, hello, ""), PEER_HELLO_GOOD);
	q.cache = cache;
	assert_int_equal(judge(&q, hello, ""), PEER_HELLO_GOOD);
	q.own_boot_id = b->identity.boot_id;
	assert_int_equal(judge(&q, hello, ""), PEER_HELLO_SELF);
	hm_cache_free(cache);
}

/* Many at once share a document, and each has its path. */
static void test_shared_document(void **state)
{
	struct peer_hello_question q = question();
	char *others[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		say(b, i == 1 ? PEER_LISTENED : PEER_DIALED, &others[i]);
	while (!others[0] || !others[1] || !others[2])
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(judge(&q, others[1], ""), PEER_HELLO_GOOD);
	for (int i = 0; i < 3; i++)
		free(others[i]);
}

#define OF_ANOTHER "made for another connection, or for the other side"

static void test_of_another_connection(void **state)
{
	uint8_t other[PEER_EXPORTER_LEN];
	struct peer_hello_question q = question();

	(void)state;
	memcpy(other, exporter, sizeof(other));
	for (size_t i = 0; i < sizeof(other); i++) {
		other[i] ^= 0x10;
		q.exporter = other;
		assert_int_equal(judge(&q, hello, OF_ANOTHER), PEER_HELLO_BAD);
		other[i] ^= 0x10;
	}
}

/* Our own words, thrown back at us. */
static void test_reflected(void **state)
{
	struct peer_hello_question q = question();

	(void)state;
	q.speaker = PEER_DIALED;
	assert_int_equal(judge(&q, hello, OF_ANOTHER), PEER_HELLO_BAD);
}

/* Whoever stands in the middle shows a key of his own. */
static void test_other_key(void **state)
{
	struct peer_hello_question q = question();

	(void)state;
	q.spki_sha256 = attested_tls_spki_sha256(a->identity.tls);
	assert_int_equal(
	    judge(&q, hello, "another key than the certificate's is attested"),
	    PEER_HELLO_BAD);
}

/* A document that names no TLS key is nobody's here. */
static void test_no_key(void **state)
{
	struct peer_hello_question q = question();
	char *text;

	(void)state;
	b->identity.bound.tls_spki_sha256 = NULL;
	say(b, PEER_LISTENED, &text);
	while (!text)
		uv_run(&loop, UV_RUN_ONCE);
	b->identity.bound.tls_spki_sha256 = attested_tls_spki_sha256(
	    b->identity.tls);
	assert_int_equal(
	    judge(&q, text, "another key than the certificate's is attested"),
	    PEER_HELLO_BAD);
	free(text);
}

static void test_other_image(void **state)
{
	static const uint8_t pcr[HM_PCR_LEN] = {7};
	struct peer_hello_question q = question();
	struct hm_policy *policy = hm_policy_new();
	const char *pem = b->identity.attester->ops->root_pem(
	    b->identity.attester);

	(void)state;
	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
	assert_int_equal(
	    hm_policy_add_release(policy, "x", INT64_MIN, INT64_MAX), 0);
	assert_int_equal(hm_policy_add_pcr(policy, 0, 0, pcr), 0);
	q.policy = policy;
	assert_int_equal(judge(&q, hello, "pcr_mismatch"), PEER_HELLO_BAD);
	hm_policy_free(policy);
}

/* As old as a policy lets a document be, and no older. */
static void test_old(void **state)
{
	struct peer_hello_question q = question();

	(void)state;
	q.now_ms += 301000;
	assert_int_equal(judge(&q, hello, "document_too_old"), PEER_HELLO_BAD);
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {"", "{}", "[]", "null",
	    "{\"format\":\"hallmark-peer/1\"}",
	    "{\"format\":\"hallmark-peer/2\",\"attestation_doc_b64\":\"AAAA\"}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAA\"}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAAA\","
	    "\"more\":1}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAAA\","
	    "\"nonce_path\":1}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAAA\","
	    "\"nonce_path\":{\"index\":-1,\"size\":1,\"path\":[]}}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAAA\","
	    "\"nonce_path\":{\"index\":0,\"size\":0,\"path\":[]}}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAAA\","
	    "\"nonce_path\":{\"index\":0,\"size\":1,\"path\":[1]}}",
	    "{\"format\":\"hallmark-peer/1\",\"attestation_doc_b64\":\"AAAA\","
	    "\"nonce_path\":{\"index\":0,\"size\":1,\"path\":[\"00\"]}}"};
	struct peer_hello_question q = question();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(judge(&q, bad[i], "its hello is malformed"),
		    PEER_HELLO_BAD);
	assert_int_equal(judge(&q,
			     "{\"format\":\"hallmark-peer/1\","
			     "\"attestation_doc_b64\":\"AAAA\"}",
			     "cose_malformed"),
	    PEER_HELLO_BAD);
}

/* ---- over TLS: who relays with a key of his own is told from the peer ---- */

static struct end {
	struct peer_link *link;
	bool opened, closed;
	char why[PEER_LINK_WHY_MAX];
} ends[2];

static void on_opened(struct peer_link *link, void *data)
{
	(void)link;
	((struct end *)data)->opened = true;
}

static void on_frame(
    struct peer_link *link, const char *text, size_t len, void *data)
{
	(void)link;
	(void)text;
	(void)len;
	(void)data;
}

static void on_closed(
    struct peer_link *link, const char *why, bool self, void *data)
{
	struct end *end = data;

	(void)link;
	(void)self;
	end->closed = true;
	snprintf(end->why, sizeof(end->why), "%s", why);
}

static const struct peer_link_events events = {on_opened, on_frame, on_closed};

static void start_end(struct end *end, const struct enclave *e, SSL_CTX *tls,
    int fd, enum peer_role role, uint64_t open_ms)
{
	const struct peer_link_options options = {.loop = &loop,
	    .tls = tls,
	    .attestation = e->identity.attestation,
	    .policy = e->identity.policy,
	    .boot_id = e->identity.boot_id,
	    .events = &events,
	    .open_ms = open_ms,
	    .data = end};

	memset(end, 0, sizeof(*end));
	end->link = peer_link_start(&options, fd, role, "peer.example");
	assert_non_null(end->link);
}

static void make_pair(int fds[2])
{
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
}

static void test_link(void **state)
{
	int fds[2];

	(void)state;
	make_pair(fds);
	start_end(&ends[0], a, a->tls, fds[0], PEER_DIALED, 0);
	start_end(&ends[1], b, b->tls, fds[1], PEER_LISTENED, 0);
	while (!ends[0].opened || !ends[1].opened)
		uv_run(&loop, UV_RUN_ONCE);
	assert_memory_equal(
	    peer_link_boot_id(ends[0].link), b->identity.boot_id, 16);
	assert_memory_equal(
	    peer_link_boot_id(ends[1].link), a->identity.boot_id, 16);
	peer_link_close(ends[0].link);
	while (!ends[1].closed)
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(ends[0].closed);
}

/* b's documents, shown over a connection with somebody else's key: this is
 * what a relay has that gets b to attest its exporter value. */
static void test_relay_with_own_key(void **state)
{
	struct attested_tls *key = attested_tls_new();
	SSL_CTX *own = peer_tls_context(key);
	int fds[2];

	(void)state;
	make_pair(fds);
	start_end(&ends[0], a, a->tls, fds[0], PEER_DIALED, 0);
	start_end(&ends[1], b, own, fds[1], PEER_LISTENED, 0);
	while (!ends[0].closed)
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(ends[0].opened);
	assert_string_equal(
	    ends[0].why, "another key than the certificate's is attested");
	while (!ends[1].closed)
		uv_run(&loop, UV_RUN_ONCE);
	SSL_CTX_free(own);
	attested_tls_free(key);
}

/* Neither TLS nor an end of it, and each byte of nonsense. */
static void test_no_tls(void **state)
{
	int fds[2];

	(void)state;
	make_pair(fds);
	start_end(&ends[0], a, a->tls, fds[0], PEER_LISTENED, 0);
	assert_int_equal(write(fds[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	while (!ends[0].closed)
		uv_run(&loop, UV_RUN_ONCE);
	close(fds[1]);
	make_pair(fds);
	start_end(&ends[0], a, a->tls, fds[0], PEER_DIALED, 60);
	while (!ends[0].closed) /* it says nothing at all */
		uv_run(&loop, UV_RUN_ONCE);
	assert_string_equal(ends[0].why, "no TLS in time");
	close(fds[1]);
	make_pair(fds);
	start_end(&ends[0], a, a->tls, fds[0], PEER_DIALED, 0);
	close(fds[1]);
	while (!ends[0].closed)
		uv_run(&loop, UV_RUN_ONCE);
}

/* Closed while it shakes hands, and while it waits for its own document. */
static void test_cancel(void **state)
{
	int fds[2];

	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		make_pair(fds);
		start_end(&ends[0], a, a->tls, fds[0], PEER_DIALED, 0);
		start_end(&ends[1], b, b->tls, fds[1], PEER_LISTENED, 0);
		for (int i = 0; i < turns; i++)
			uv_run(&loop, UV_RUN_NOWAIT);
		peer_link_close(ends[0].link);
		peer_link_close(ends[0].link);
		while (!ends[1].closed)
			uv_run(&loop, UV_RUN_ONCE);
		assert_false(ends[0].closed);
	}
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, up, down)
	const struct CMUnitTest tests[] = {
	    CASE(test_good),
	    CASE(test_shared_document),
	    CASE(test_of_another_connection),
	    CASE(test_reflected),
	    CASE(test_other_key),
	    CASE(test_no_key),
	    CASE(test_other_image),
	    CASE(test_old),
	    CASE(test_malformed),
	    CASE(test_link),
	    CASE(test_relay_with_own_key),
	    CASE(test_no_tls),
	    CASE(test_cancel),
	};
	int failed = cmocka_run_group_tests_name(
	    "peer_hello", tests, NULL, NULL);

	uv_library_shutdown();
	return failed;
}
