/*
 * peers_incoming: the links that others dialed to us, over which we answer
 * (peer_witness.h). A connection has a place from the first byte on; it is
 * nobody's until it is attested, and may lose it to a newer one.
 */
#include "oracle/peers_state.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

static void on_answer(const char *text, size_t len, void *asker)
{
	struct incoming *in = asker;

	if (in->link && peer_link_is_open(in->link))
		peer_link_send(in->link, text, len);
}

static void leave(struct incoming *in)
{
	peer_witness_forget(in->peers->witness, in);
	in->link = NULL;
}

/* One that dials again has lost the first: an enclave has one place. */
static void on_answering_opened(struct peer_link *link, void *data)
{
	struct incoming *in = data;
	struct peers *peers = in->peers;

	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++) {
		struct incoming *other = &peers->incoming[i];

		if (other == in || !other->link ||
		    !peer_link_is_open(other->link) ||
		    memcmp(peer_link_boot_id(other->link),
			peer_link_boot_id(link), 16) != 0)
			continue;
		peer_link_close(other->link);
		leave(other);
	}
	peers->changed = true;
}

static void on_answering_frame(
    struct peer_link *link, const char *text, size_t len, void *data)
{
	struct incoming *in = data;

	if (peer_witness_ask(in->peers->witness, peer_link_boot_id(link), text,
		len, on_answer, in) == 0)
		return;
	peer_link_close(link);
	leave(in);
}

static void on_answering_closed(
    struct peer_link *link, const char *why, bool self, void *data)
{
	struct incoming *in = data;

	(void)link;
	if (!self)
		log_info("peers", "left", LOG_S("why", why));
	leave(in);
	in->peers->changed = true;
}

static const struct peer_link_events answering_events = {
    on_answering_opened, on_answering_frame, on_answering_closed};

/* NULL: peers have them all. */
static struct incoming *place_for(struct peers *peers)
{
	struct incoming *oldest = NULL;

	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++) {
		struct incoming *in = &peers->incoming[i];

		if (!in->link)
			return in;
		if (!peer_link_is_open(in->link) &&
		    (!oldest || in->number < oldest->number))
			oldest = in;
	}
	if (oldest) {
		peer_link_close(oldest->link);
		leave(oldest);
	}
	return oldest;
}

static void on_accepted(
    int fd, const struct sockaddr *addr, socklen_t len, void *data)
{
	struct peers *peers = data;
	struct peer_link_options options = peers->answers;
	struct incoming *in = place_for(peers);

	(void)addr;
	(void)len;
	if (!in) {
		close(fd);
		return;
	}
	options.data = in;
	in->number = ++peers->accepted;
	in->link = peer_link_start(&options, fd, PEER_LISTENED, NULL);
}

/* ---- life ---- */

static void start_listening(struct peers *peers)
{
	const struct endpoint *at = &peers->with.config->peers.listen;
	char text[ENDPOINT_TEXT_MAX];
	int fd = endpoint_listen(at, PEERS_INCOMING_MAX);
	int status = fd;

	endpoint_format(at, text);
	if (fd >= 0)
		status = http_listener_start(
		    &peers->listener, peers->with.loop, fd, on_accepted, peers);
	if (status < 0)
		log_die("peers", "cannot listen on %s: %s", text,
		    uv_strerror(status));
	log_info("peers", "listening", LOG_S("endpoint", text),
	    LOG_D("port", endpoint_bound_port(fd)));
}

void peers_incoming_start(struct peers *peers)
{
	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++)
		peers->incoming[i].peers = peers;
	peers->answers = peers->asks;
	peers->answers.events = &answering_events;
	start_listening(peers);
}

static void on_listener_closed(void *data)
{
	peers_ended(data);
}

void peers_incoming_stop(struct peers *peers)
{
	http_listener_stop(&peers->listener, on_listener_closed);
	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++) {
		if (!peers->incoming[i].link)
			continue;
		peer_link_close(peers->incoming[i].link);
		leave(&peers->incoming[i]);
	}
}

size_t peers_incoming(const struct peers *peers)
{
	size_t count = 0;

	for (size_t i = 0; i < PEERS_INCOMING_MAX; i++)
		count += peers->incoming[i].link &&
			 peer_link_is_open(peers->incoming[i].link);
	return count;
}
