/* peer_link: see peer_link.h. The TLS works on the descriptor itself; each time
 * it is ready, drive() does all that can be done and says what it waits for. */
#include "oracle/peer_link.h"

#include "base/log.h"
#include "base/now.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE      16384 /* a TLS record */
#define READS_PER_TURN 64    /* then others have their turn */

enum state {
	HANDSHAKE,
	ATTESTING,
	OPEN,
	CLOSED
};

struct peer_link {
	struct peer_link_options with;
	enum peer_role own_role;
	enum state state;
	int fd; /* closed when the poll handle is */
	SSL *ssl;
	uv_poll_t poll;
	uv_timer_t timer; /* the deadline, then the watch for a stall */
	unsigned handles; /* open ones, and a document that was asked for */
	bool said_hello, heard_hello;
	bool failing; /* `closed` comes with the next turn */
	char why[PEER_LINK_WHY_MAX];
	bool self;

	uint8_t exporter[PEER_EXPORTER_LEN], spki_sha256[HM_SHA256_LEN];
	uint8_t boot_id[16];

	struct peer_frame in;
	uint8_t *out; /* owned: waits to be written */
	size_t out_len, out_capacity;
	int64_t moved_ms; /* when something of it went out, or it was empty */
};

/* ---- the end ---- */

static void release(struct peer_link *link)
{
	if (--link->handles > 0)
		return;
	close(link->fd);
	SSL_free(link->ssl);
	peer_frame_fini(&link->in);
	free(link->out);
	free(link);
}

static void on_handle_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void peer_link_close(struct peer_link *link)
{
	if (link->state == CLOSED)
		return;
	if (link->state == OPEN)
		(void)SSL_shutdown(link->ssl);
	ERR_clear_error();
	link->state = CLOSED;
	uv_close((uv_handle_t *)&link->poll, on_handle_closed);
	uv_close((uv_handle_t *)&link->timer, on_handle_closed);
}

/* Not before the next turn, since a user's call may have found it out. */
static void on_failed(uv_timer_t *timer)
{
	struct peer_link *link = timer->data;
	const struct peer_link_events *events = link->with.events;

	if (link->state == CLOSED)
		return;
	peer_link_close(link);
	events->closed(link, link->why, link->self, link->with.data);
}

static void fail(struct peer_link *link, const char *why)
{
	if (link->failing || link->state == CLOSED)
		return;
	link->failing = true;
	snprintf(link->why, sizeof(link->why), "%s", why);
	ERR_clear_error();
	uv_poll_stop(&link->poll);
	uv_timer_start(&link->timer, on_failed, 0, 0);
}

static bool is_over(const struct peer_link *link)
{
	return link->failing || link->state == CLOSED;
}

/* ---- writing ---- */

static void put(struct peer_link *link, const void *bytes, size_t len)
{
	size_t need = link->out_len + len;

	if (link->out_len == 0)
		link->moved_ms = now_monotonic_ms();
	if (need > link->out_capacity) {
		link->out = realloc(link->out, need);
		if (!link->out)
			log_die("peer_link", "out of memory");
		link->out_capacity = need;
	}
	memcpy(link->out + link->out_len, bytes, len);
	link->out_len += len;
}

static void put_frame(struct peer_link *link, const char *text, size_t len)
{
	uint8_t head[PEER_FRAME_HEAD];

	peer_frame_head(len, head);
	put(link, head, sizeof(head));
	put(link, text, len);
}

/* What a call of OpenSSL's means that did not do it: whether it is to be tried
 * again when the descriptor is ready. */
static bool only_waits(struct peer_link *link, int result, const char *doing)
{
	int error = SSL_get_error(link->ssl, result);
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	char why[PEER_LINK_WHY_MAX];

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	snprintf(why, sizeof(why), "%s: %s", doing,
	    reason                           ? reason
	    : error == SSL_ERROR_ZERO_RETURN ? "the peer hung up"
					     : "the connection broke");
	fail(link, why);
	return false;
}

static void write_out(struct peer_link *link)
{
	while (link->out_len > 0 && !is_over(link)) {
		size_t written = 0;
		int result;

		ERR_clear_error();
		result = SSL_write_ex(
		    link->ssl, link->out, link->out_len, &written);
		if (result != 1) {
			(void)only_waits(link, result, "write");
			return;
		}
		link->moved_ms = now_monotonic_ms();
		link->out_len -= written;
		memmove(link->out, link->out + written, link->out_len);
	}
}

/* ---- reading ---- */

static void maybe_open(struct peer_link *link);

static void take_hello(struct peer_link *link)
{
	const struct peer_hello_question question = {
	    .policy = link->with.policy,
	    .cache = link->with.cache,
	    .exporter = link->exporter,
	    .spki_sha256 = link->spki_sha256,
	    .own_boot_id = link->with.boot_id,
	    .speaker = link->own_role == PEER_DIALED ? PEER_LISTENED
						     : PEER_DIALED,
	    .now_ms = now_unix_ms(),
	};
	char why[PEER_HELLO_WHY_MAX];
	uint8_t boot_id[16];
	enum peer_hello_answer answer = peer_hello_judge(
	    &question, link->in.text, link->in.len, boot_id, why);

	if (answer == PEER_HELLO_GOOD) {
		memcpy(link->boot_id, boot_id, sizeof(boot_id));
		link->heard_hello = true;
		maybe_open(link);
		return;
	}
	link->self = answer == PEER_HELLO_SELF;
	if (link->self && link->own_role == PEER_LISTENED)
		return; /* our other end is to find out as well: it hangs up */
	fail(link, link->self ? "it is this very oracle" : why);
}

static void take_frame(struct peer_link *link)
{
	if (link->state == OPEN)
		link->with.events->frame(
		    link, link->in.text, link->in.len, link->with.data);
	else if (!link->heard_hello)
		take_hello(link);
	else
		fail(link, "it speaks before it has heard our hello");
}

static void take_bytes(struct peer_link *link, const uint8_t *at, size_t len)
{
	while (len > 0 && !is_over(link)) {
		size_t used, max = link->heard_hello ? PEER_FRAME_MAX
						     : PEER_FRAME_FIRST_MAX;
		enum peer_frame_status status = peer_frame_take(
		    &link->in, max, at, len, &used);

		if (status == PEER_FRAME_REFUSED) {
			fail(link, "a frame that is empty or too long");
			return;
		}
		at += used;
		len -= used;
		if (status == PEER_FRAME_WHOLE) {
			take_frame(link);
			peer_frame_next(&link->in);
		}
	}
}

/* False: there may be more. */
static bool read_in(struct peer_link *link)
{
	uint8_t bytes[READ_SIZE];

	for (int i = 0; i < READS_PER_TURN && !is_over(link); i++) {
		size_t len = 0;
		int result;

		ERR_clear_error();
		result = SSL_read_ex(link->ssl, bytes, sizeof(bytes), &len);
		if (result != 1) {
			(void)only_waits(link, result, "read");
			return true;
		}
		take_bytes(link, bytes, len);
	}
	return false;
}

/* ---- the way to open ---- */

static void drive(struct peer_link *link);

static void on_stall_timer(uv_timer_t *timer)
{
	struct peer_link *link = timer->data;
	int64_t stall_ms = (int64_t)link->with.stall_ms;

	if (link->out_len > 0 &&
	    now_monotonic_ms() - link->moved_ms >= stall_ms)
		fail(link, "the peer does not read");
}

static void maybe_open(struct peer_link *link)
{
	if (!link->said_hello || !link->heard_hello || link->state == OPEN)
		return;
	link->state = OPEN;
	uv_timer_start(&link->timer, on_stall_timer, link->with.stall_ms,
	    link->with.stall_ms);
	link->with.events->opened(link, link->with.data);
}

static void on_document(const struct attestation_document *document,
    const struct nonce_path *path, const char *error, void *data)
{
	struct peer_link *link = data;
	char *text = document ? peer_hello_format(document, path) : NULL;
	char why[PEER_LINK_WHY_MAX];

	if (is_over(link)) {
		free(text);
		release(link);
		return;
	}
	link->handles--;
	if (!text) {
		snprintf(why, sizeof(why), "no attestation of ours: %.100s",
		    error ? error : "out of memory");
		fail(link, why);
		return;
	}
	put_frame(link, text, strlen(text));
	free(text);
	link->said_hello = true;
	maybe_open(link);
	drive(link);
}

static void ask_for_document(struct peer_link *link)
{
	uint8_t nonce[PEER_HELLO_NONCE_LEN];

	peer_hello_nonce(link->exporter, link->own_role, nonce);
	if (attestation_request_nonce(link->with.attestation, nonce,
		sizeof(nonce), NULL, on_document, link) != 0)
		fail(link, "no attestation of ours: too many wait");
	else
		link->handles++;
}

static void shake_hands(struct peer_link *link)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(link->ssl);
	if (result != 1) {
		(void)only_waits(link, result, "handshake");
		return;
	}
	link->state = ATTESTING;
	if (peer_tls_facts(link->ssl, link->exporter, link->spki_sha256) != 0)
		fail(link, "no certificate");
	else
		ask_for_document(link);
}

/* ---- events ---- */

static void on_ready(uv_poll_t *poll, int status, int events);

static void arm(struct peer_link *link, bool all_read)
{
	int events = UV_READABLE;

	if (SSL_want_write(link->ssl) || link->out_len > 0 || !all_read)
		events |= UV_WRITABLE;
	uv_poll_start(&link->poll, events, on_ready);
}

static void drive(struct peer_link *link)
{
	bool all_read = true;

	if (link->state == HANDSHAKE && !is_over(link))
		shake_hands(link);
	if (link->state != HANDSHAKE && !is_over(link)) {
		all_read = read_in(link);
		write_out(link);
	}
	if (!is_over(link))
		arm(link, all_read);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct peer_link *link = poll->data;

	(void)events;
	if (is_over(link))
		return;
	if (status < 0)
		fail(link, uv_strerror(status));
	else
		drive(link);
}

static void on_deadline(uv_timer_t *timer)
{
	struct peer_link *link = timer->data;

	fail(link, link->state == HANDSHAKE ? "no TLS in time"
		   : link->said_hello       ? "no hello in time"
					    : "no attestation of ours in time");
}

static SSL *new_session(
    SSL_CTX *context, int fd, enum peer_role own_role, const char *host)
{
	SSL *ssl = SSL_new(context);

	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		log_die("peer_link", "out of memory");
	if (host && SSL_set_tlsext_host_name(ssl, host) != 1)
		log_die("peer_link", "out of memory");
	if (own_role == PEER_DIALED)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	return ssl;
}

struct peer_link *peer_link_start(const struct peer_link_options *options,
    int fd, enum peer_role own_role, const char *host)
{
	struct peer_link *link = calloc(1, sizeof(*link));

	if (!link)
		log_die("peer_link", "out of memory");
	if (uv_poll_init(options->loop, &link->poll, fd) != 0) {
		close(fd);
		free(link);
		return NULL;
	}
	link->with = *options;
	if (link->with.open_ms == 0)
		link->with.open_ms = PEER_LINK_OPEN_MS;
	if (link->with.stall_ms == 0)
		link->with.stall_ms = PEER_LINK_STALL_MS;
	link->own_role = own_role;
	link->fd = fd;
	link->ssl = new_session(options->tls, fd, own_role, host);
	uv_timer_init(options->loop, &link->timer);
	link->poll.data = link->timer.data = link;
	link->handles = 2;
	uv_timer_start(&link->timer, on_deadline, link->with.open_ms, 0);
	uv_poll_start(&link->poll, UV_READABLE | UV_WRITABLE, on_ready);
	return link;
}

void peer_link_send(struct peer_link *link, const char *text, size_t len)
{
	assert(link->state == OPEN);
	if (is_over(link))
		return;
	if (link->out_len + PEER_FRAME_HEAD + len > PEER_LINK_OUT_MAX) {
		fail(link, "the peer does not read");
		return;
	}
	put_frame(link, text, len);
	uv_poll_start(&link->poll, UV_READABLE | UV_WRITABLE, on_ready);
}

const uint8_t *peer_link_boot_id(const struct peer_link *link)
{
	return link->boot_id;
}

bool peer_link_is_open(const struct peer_link *link)
{
	return link->state == OPEN && !link->failing;
}
