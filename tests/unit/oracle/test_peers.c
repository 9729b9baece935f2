/* peers: three enclaves on one loop that co-sign, disagree, lie, stall and
 * speak nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/peer_answer.h"
#include "tests/unit/oracle/peers_fixture.h"

static struct enclave *const a = &enclaves[0], *const b = &enclaves[1];

static struct {
	unsigned calls;
	size_t count;
	char *full; /* the item with its co-signatures */
	int64_t asked_ms, took_ms;
} seen;

static struct hm_envelope asked;

static void on_done(struct hm_envelope *cosignatures, size_t count, void *data)
{
	assert_ptr_equal(data, &seen);
	seen.calls++;
	seen.count = count;
	seen.took_ms = now_monotonic_ms() - seen.asked_ms;
	asked.cosignatures = cosignatures;
	asked.cosignature_count = count;
	free(seen.full);
	seen.full = envelope_format(&asked, true);
	asked.cosignatures = NULL;
	asked.cosignature_count = 0;
}

static int up(void **state)
{
	memset(&seen, 0, sizeof(seen));
	return peers_up(state);
}

static int down(void **state)
{
	free(seen.full);
	hm_envelope_fini(&asked);
	return peers_down(state);
}

/* ---- waiting ---- */

static size_t open_links(const struct enclave *e)
{
	struct peer_view view;
	size_t count = 0;

	for (size_t i = 0; i < peers_count(e->peers); i++) {
		peers_look(e->peers, i, &view);
		count += view.state == PEER_OPEN;
	}
	return count;
}

static void wait_open(const struct enclave *e, size_t count)
{
	while (open_links(e) != count)
		uv_run(&loop, UV_RUN_ONCE);
}

/* a asks about its newest item; false: nobody is there. */
static bool ask(void)
{
	char *text = enclave_item(a);
	struct hm_item item;
	bool asks;

	verify_item(a, text, &item);
	hm_envelope_fini(&asked);
	assert_int_equal(
	    hm_envelope_parse(&asked, text, strlen(text)), HM_VALID);
	seen.calls = 0;
	seen.asked_ms = now_monotonic_ms();
	asks = peers_ask(
	    a->peers, 0, text, strlen(text), &item, on_done, &seen);
	free(text);
	assert_int_equal(seen.calls, 0);
	while (asks && seen.calls == 0)
		uv_run(&loop, UV_RUN_ONCE);
	return asks;
}

static struct peer_view view_of(size_t peer)
{
	struct peer_view view;

	peers_look(a->peers, peer, &view);
	return view;
}

static enum hm_verdict verify_with_quorum(int64_t quorum)
{
	struct hm_envelope e;
	enum hm_verdict verdict;

	assert_int_equal(
	    hm_envelope_parse(&e, seen.full, strlen(seen.full)), HM_VALID);
	assert_int_equal(hm_policy_set_quorum(a->identity.policy, quorum), 0);
	verdict = hm_item_verify_live(
	    a->identity.policy, NULL, &e, NULL, 0, now_unix_ms(), NULL, NULL);
	assert_int_equal(hm_policy_set_quorum(a->identity.policy, 0), 0);
	hm_envelope_fini(&e);
	return verdict;
}

static void assert_quorum(uint64_t reached, uint64_t missed)
{
	struct peers_quorum found;

	peers_quorum(a->peers, 0, &found);
	assert_int_equal(found.reached, reached);
	assert_int_equal(found.missed, missed);
	peers_quorum(a->peers, 1, &found); /* another feed */
	assert_int_equal(found.reached + found.missed, 0);
}

/* ---- good ---- */

static void test_three(void **state)
{
	(void)state;
	for (int i = 0; i < ENCLAVES; i++) {
		enclave_start(&enclaves[i]);
		enclave_price(&enclaves[i], 8403600 + i);
	}
	for (int i = 0; i < ENCLAVES; i++)
		wait_open(&enclaves[i], 2);
	while (view_of(0).state != PEER_SELF)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(ask());
	assert_int_equal(seen.count, 2);
	assert_int_equal(verify_with_quorum(2), HM_VALID);
	assert_int_equal(verify_with_quorum(3), HM_QUORUM_MISSING);
	assert_int_equal(view_of(1).cosigned + view_of(2).cosigned, 2);
	assert_memory_equal(view_of(1).boot_id, b->identity.boot_id, 16);
	assert_true(peers_changed(a->peers));
	enclave_price(a, 8403700);
	assert_true(ask());
	assert_int_equal(seen.count, 2);
	assert_quorum(2, 0);
}

static void test_unavailable(void **state)
{
	(void)state;
	enclave_start(a);
	enclave_start(b);
	enclave_price(a, 0);
	enclave_price(b, 8403600);
	wait_open(a, 1);
	assert_true(ask());
	assert_int_equal(seen.count, 1);
	assert_int_equal(verify_with_quorum(1), HM_VALID);
	assert_quorum(0, 0); /* it says that there is no price */
	enclave_price(a, 8403600);
	enclave_price(b, 0);
	assert_true(ask());
	assert_int_equal(seen.count, 0);
	assert_string_equal(view_of(1).opinions[0].why, PEER_WHY_NO_PRICE);
	assert_quorum(0, 1);
}

static void test_disagree(void **state)
{
	(void)state;
	enclave_start(a);
	enclave_start(b);
	enclave_price(a, 10000);
	wait_open(a, 1);
	assert_true(ask()); /* b has none yet */
	assert_string_equal(view_of(1).opinions[0].why, PEER_WHY_NO_ITEM);
	enclave_price(b, 10051);
	enclave_price(a, 10000);
	assert_true(ask());
	assert_int_equal(seen.count, 0);
	assert_true(view_of(1).opinions[0].disagrees);
	assert_string_equal(view_of(1).opinions[0].why, PEER_WHY_PRICE);
	assert_string_equal(view_of(1).opinions[0].price, "100.51");
	assert_int_equal(view_of(1).opinions[0].gap_bps, 51);
	enclave_price(a, 10001); /* 50 bps: agreed */
	assert_true(ask());
	assert_int_equal(seen.count, 1);
	assert_false(view_of(1).opinions[0].disagrees);
	b->item.published_ms -= 60001;
	enclave_price(a, 10001);
	assert_true(ask());
	assert_string_equal(view_of(1).opinions[0].why, PEER_WHY_STALE);
	assert_int_equal(view_of(1).disagreed, 3);
}

/* Nobody there costs nothing; one that goes while we wait, not all of it. */
static void test_gone(void **state)
{
	(void)state;
	enclave_start(a);
	enclave_price(a, 10000);
	assert_false(ask());
	assert_quorum(0, 1);
	enclave_start(b);
	wait_open(a, 1);
	peers_stop(b->peers, NULL, NULL);
	wait_open(a, 0);
	assert_int_equal(view_of(1).state, PEER_DOWN);
	assert_true(strlen(view_of(1).why) > 0);
	assert_false(ask());
}

/* One enclave that two addresses lead to is one voice. */
static void test_one_voice(void **state)
{
	(void)state;
	a->config.peers.connect[2] = a->config.peers.connect[1];
	enclave_start(a);
	enclave_start(b);
	enclave_price(a, 10000);
	enclave_price(b, 10000);
	/* Of its two links b keeps the younger: never both for long. */
	while (!open_links(a))
		uv_run(&loop, UV_RUN_ONCE);
	for (int i = 0; i < 3; i++) {
		if (ask())
			assert_true(seen.count <= 1);
		enclave_price(a, 10000);
	}
}

/* ---- another image, another configuration ---- */

static void on_flag(void *data)
{
	*(bool *)data = true;
}

static void test_other_configuration(void **state)
{
	char other[sizeof(peers_config)];
	bool stopped = false;
	char *at;

	(void)state;
	memcpy(other, peers_config, sizeof(other));
	at = strstr(other, ":400}");
	memcpy(at, ":401}", 5);
	attestation_stop(b->identity.attestation, on_flag, &stopped);
	while (!stopped)
		uv_run(&loop, UV_RUN_ONCE);
	SSL_CTX_free(b->tls);
	identity_free(&b->identity);
	enclave_boot(b, other, 'b');
	enclave_start(a);
	enclave_start(b);
	enclave_price(a, 10000);
	/* Whoever hears the other first hangs up, and the other hears that. */
	while (a->peers->dialed[1].failures < 3)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_not_equal(view_of(1).state, PEER_OPEN);
	assert_int_equal(peers_incoming(a->peers), 0);
	assert_int_equal(peers_incoming(b->peers), 0);
	assert_false(ask());
}

/* ---- an enclave of ours that is not what it should be ---- */

static struct {
	struct http_listener listener;
	struct peer_link *link;
	bool open;
	enum {
		SILENT,
		LIES,
		REPLAYS,
		OF_ANOTHER,
		NONSENSE,
		TWICE
	} does;
	char *before; /* what it signed first */
	unsigned frames;
} evil;

static void evil_answer(const char *text, size_t len)
{
	char *own, content[COSIGN_CONTENT_MAX];
	struct hm_item item;
	struct cosign cosign = {.own_published_ms = now_unix_ms()};
	size_t content_len;

	(void)len;
	verify_item(a, text, &item);
	memcpy(cosign.boot_id, b->identity.boot_id, 16);
	memcpy(cosign.config_sha256, b->config.sha256, 32);
	memcpy(cosign.feed, item.feed, sizeof(cosign.feed));
	memcpy(cosign.item_boot_id, item.boot_id, 16);
	cosign.sequence = item.sequence;
	memcpy(cosign.content_sha256, item.content_sha256, 32);
	cosign.published_ms = now_unix_ms();
	strcpy(cosign.price, evil.does == LIES ? "100.51" : "100.00");
	if (evil.does == OF_ANOTHER)
		cosign.content_sha256[0] ^= 1;
	assert_int_equal(cosign_encode(&cosign, content, &content_len), 0);
	own = enclave_sign(b, content, content_len);
	if (evil.does == REPLAYS && evil.before)
		peer_link_send(evil.link, evil.before, strlen(evil.before));
	else
		peer_link_send(evil.link, own, strlen(own));
	if (evil.does == TWICE)
		peer_link_send(evil.link, own, strlen(own));
	free(evil.before);
	evil.before = own;
}

static void on_evil_opened(struct peer_link *link, void *data)
{
	(void)link;
	(void)data;
	evil.open = true;
}

static void on_evil_frame(
    struct peer_link *link, const char *text, size_t len, void *data)
{
	(void)data;
	evil.frames++;
	if (evil.does == NONSENSE)
		peer_link_send(link, "{}", 2);
	else if (evil.does != SILENT)
		evil_answer(text, len);
}

static void on_evil_closed(
    struct peer_link *link, const char *why, bool self, void *data)
{
	(void)link;
	(void)why;
	(void)self;
	(void)data;
	evil.link = NULL;
	evil.open = false;
}

static void on_evil_accept(
    int fd, const struct sockaddr *addr, socklen_t len, void *data)
{
	static const struct peer_link_events events = {
	    on_evil_opened, on_evil_frame, on_evil_closed};
	const struct peer_link_options options = {.loop = &loop,
	    .tls = b->tls,
	    .attestation = b->identity.attestation,
	    .policy = b->identity.policy,
	    .boot_id = b->identity.boot_id,
	    .events = &events};

	(void)addr;
	(void)len;
	(void)data;
	evil.link = peer_link_start(&options, fd, PEER_LISTENED, NULL);
}

static void on_evil_stopped(void *data)
{
	(void)data;
}

static int evil_up(void **state)
{
	int fd;

	up(state);
	memset(&evil, 0, sizeof(evil));
	fd = endpoint_listen(&b->config.peers.listen, 4);
	assert_true(fd >= 0);
	assert_int_equal(http_listener_start(
			     &evil.listener, &loop, fd, on_evil_accept, NULL),
	    0);
	enclave_start(a);
	enclave_price(a, 10000);
	wait_open(a, 1);
	return 0;
}

static int evil_down(void **state)
{
	http_listener_stop(&evil.listener, on_evil_stopped);
	if (evil.link)
		peer_link_close(evil.link);
	free(evil.before);
	return down(state);
}

/* It takes the question and says nothing: published by wait_ms. */
static void test_silent(void **state)
{
	(void)state;
	evil.does = SILENT;
	assert_true(ask());
	assert_int_equal(seen.count, 0);
	assert_true(seen.took_ms >= 390);
	assert_int_equal(evil.frames, 1);
	assert_int_equal(view_of(1).state, PEER_OPEN);
}

static void test_liar(void **state)
{
	(void)state;
	evil.does = LIES;
	assert_true(ask());
	assert_int_equal(seen.count, 0);
	assert_true(view_of(1).opinions[0].disagrees);
	assert_int_equal(view_of(1).opinions[0].gap_bps, 51);
}

/* Who takes all places and says nothing does not keep a peer out: it gets that
 * of the first of them. */
static void test_crowd(void **state)
{
	int crowd[PEERS_INCOMING_MAX];
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char byte;

	(void)state;
	enclave_start(a);
	memcpy(
	    addr.sun_path, a->config.peers.listen.path, sizeof(addr.sun_path));
	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++) {
		crowd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_int_equal(
		    connect(crowd[i], (struct sockaddr *)&addr, sizeof(addr)),
		    0);
		while (a->peers->accepted <= i)
			uv_run(&loop, UV_RUN_ONCE);
	}
	enclave_start(b);
	wait_open(b, 1);
	assert_int_equal(recv(crowd[0], &byte, 1, 0), 0);
	for (size_t i = 2; i < PEERS_INCOMING_MAX; i++)
		assert_int_equal(recv(crowd[i], &byte, 1, 0), -1);
	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++)
		close(crowd[i]);
}

/* Good for the item before, and for none else. */
static void test_replayed(void **state)
{
	(void)state;
	evil.does = REPLAYS;
	assert_true(ask());
	assert_int_equal(seen.count, 1);
	enclave_price(a, 10000);
	assert_true(ask());
	assert_int_equal(seen.count, 0);
	evil.does = OF_ANOTHER;
	enclave_price(a, 10000);
	if (ask())
		assert_int_equal(seen.count, 0);
	assert_true(view_of(1).refused >= 1);
}

/* Nobody has asked for the second one. */
static void test_twice(void **state)
{
	(void)state;
	evil.does = TWICE;
	assert_true(ask());
	assert_int_equal(seen.count, 1);
	wait_open(a, 0);
	assert_string_equal(view_of(1).why, "an answer that is none");
}

static void test_nonsense(void **state)
{
	(void)state;
	evil.does = NONSENSE;
	assert_true(ask()); /* ends with the link, not with wait_ms */
	assert_int_equal(seen.count, 0);
	assert_int_equal(view_of(1).state, PEER_DOWN);
}

/* ---- the one that is asked ---- */

static void on_said(const char *text, size_t len, void *asker)
{
	snprintf(asker, 200, "%.*s", (int)len, text);
}

/* As it would come over a link from this boot. */
static int ask_witness(const uint8_t *boot_id, char said[200])
{
	char *text = enclave_item(a);
	int status;

	said[0] = '\0';
	status = peer_witness_ask(
	    b->peers->witness, boot_id, text, strlen(text), on_said, said);
	free(text);
	return status;
}

/* Every question has an answer: an item that came after its time has one as
 * well, or its asker would wait, and then take us for dead. */
static void test_late_item(void **state)
{
	char said[200];

	(void)state;
	enclave_start(b);
	enclave_price(a, 10000);
	a->item.published_ms -= 400000;
	a->item.expires_ms -= 400000;
	assert_int_equal(item_encode(&a->item, a->content, sizeof(a->content),
			     &a->content_len),
	    0);
	assert_int_equal(ask_witness(a->identity.boot_id, said), 0);
	assert_string_equal(said,
	    "{\"disagrees\":{\"feed\":\"BTC-USD\",\"sequence\":0,"
	    "\"why\":\"late\",\"price\":null}}");
	assert_int_equal(ask_witness(b->identity.boot_id, said), -1);
	assert_string_equal(said, "");
	enclave_price(a, 10000); /* b has none */
	assert_int_equal(ask_witness(a->identity.boot_id, said), 0);
	assert_non_null(strstr(said, "\"why\":\"no_item\""));
}

/* ---- stop at each waiting state ---- */

static void test_stop(void **state)
{
	(void)state;
	enclave_start(a); /* dialing, while others are started and stopped */
	uv_run(&loop, UV_RUN_NOWAIT);
	enclave_start(b);
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_ONCE);
	peers_stop(b->peers, NULL, NULL);
	peers_stop(b->peers, NULL, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void test_stop_while_asking(void **state)
{
	char *text = enclave_item(a);
	struct hm_item item;

	(void)state;
	evil.does = SILENT;
	verify_item(a, text, &item);
	assert_true(
	    peers_ask(a->peers, 0, text, strlen(text), &item, on_done, &seen));
	free(text);
	peers_stop(a->peers, NULL, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(seen.calls, 0);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, up, down)
#define EVIL(test) cmocka_unit_test_setup_teardown(test, evil_up, evil_down)
	const struct CMUnitTest tests[] = {
	    CASE(test_three),
	    CASE(test_unavailable),
	    CASE(test_disagree),
	    CASE(test_gone),
	    CASE(test_one_voice),
	    CASE(test_other_configuration),
	    CASE(test_crowd),
	    EVIL(test_silent),
	    EVIL(test_liar),
	    EVIL(test_replayed),
	    EVIL(test_twice),
	    EVIL(test_nonsense),
	    CASE(test_late_item),
	    CASE(test_stop),
	    EVIL(test_stop_while_asking),
	};

	int failed = cmocka_run_group_tests_name("peers", tests, NULL, NULL);

	uv_library_shutdown();
	return failed;
}
