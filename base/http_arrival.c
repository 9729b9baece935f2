/*
 * http_arrival: from the accepted connection to whoever serves it.
 *
 *   listener --> (proxied: who it is from) --> counted --> (wrapper: TLS)
 *     --> door: first bytes
 *     --> answers that are kept (kept_sender), until it asks for others
 *     --> a stream of ours (http_stream), or libmicrohttpd
 */
#include "base/http_state.h"

#include "base/log.h"
#include "base/now.h"
#include "base/rate_limit.h"

#include <string.h>
#include <unistd.h>

/* Which of them is logged is left to chance: at most one a second. */
static void log_crowd(struct http_server *server, const struct sockaddr *addr)
{
	char host[UV_MAXHOSTNAMESIZE] = "-";
	int64_t now = now_monotonic_ms();

	if (server->crowd_logged_ms != 0 &&
	    now - server->crowd_logged_ms < HTTP_CROWD_LOG_MS)
		return;
	server->crowd_logged_ms = now;
	if (addr->sa_family == AF_INET || addr->sa_family == AF_INET6)
		uv_ip_name(addr, host, sizeof(host));
	log_warn("http", "connection_refused", LOG_S("client", host));
}

/* `fd` is the client's, or stands for it. */
static void to_daemon(
    struct http_server *server, const struct http_arrival *arrival, int fd)
{
	/* http_server.c counts it again once the daemon has it. */
	http_clients_leave(&server->clients, arrival->client);
	/* On failure it has closed the descriptor. */
	if (fd >= 0 && MHD_add_connection(server->daemon, fd, &arrival->from.sa,
			   arrival->from_len) != MHD_YES)
		log_crowd(server, &arrival->from.sa);
	server->paid = false;
	http_server_kick(server);
}

/* Those that do not ask for what is kept. */
static void on_others(const struct http_arrival *arrival, const char *bytes,
    size_t len, void *data)
{
	struct http_server *server = data;

	if (!http_first_stream(server, arrival, bytes, len))
		to_daemon(server, arrival, arrival->fd);
}

static void on_others_read(const struct http_arrival *arrival,
    const char *bytes, size_t len, void *data)
{
	struct http_server *server = data;

	to_daemon(server, arrival,
	    http_relay_start(&server->relays, arrival->fd, bytes, len));
}

static bool may_be_read(void *data)
{
	const struct http_server *server = data;

	return http_relays_have_room(&server->relays);
}

static void on_first_bytes(const struct http_arrival *arrival,
    const char *bytes, size_t len, void *data)
{
	struct http_server *server = data;
	struct kept_answer *answer = http_first_find(
	    arrival, NULL, bytes, len, server);

	if (answer)
		kept_sender_add(&server->kept_sender, arrival, answer);
	else
		on_others(arrival, bytes, len, server);
}

static void on_unwrapped(const struct http_arrival *arrival, void *data)
{
	struct http_server *server = data;

	if (arrival->fd >= 0)
		http_door_add(&server->door, arrival);
	else
		http_clients_leave(&server->clients, arrival->client);
}

/* A handshake costs more than most requests, and counts as one. */
static bool may_shake_hands(
    struct http_server *server, const struct sockaddr *addr)
{
	unsigned retry_s;

	return !server->limit || rate_limit_take(server->limit, addr,
				     now_monotonic_ms(), &retry_s);
}

/* Its address is known. */
static void on_client(
    int fd, const struct sockaddr *addr, socklen_t len, void *data)
{
	struct http_server *server = data;
	struct http_arrival arrival = {.fd = fd, .from_len = len};

	memcpy(&arrival.from, addr, len);
	arrival.client = http_clients_enter(&server->clients, addr, len);
	if (!arrival.client) {
		log_crowd(server, addr);
		close(fd);
	} else if (!server->options.wrapper) {
		http_door_add(&server->door, &arrival);
	} else if (may_shake_hands(server, addr)) {
		server->options.wrapper->add(server->wrapped, &arrival);
	} else {
		http_clients_leave(&server->clients, arrival.client);
		close(fd);
	}
}

void http_on_accepted(
    int fd, const struct sockaddr *addr, socklen_t len, void *data)
{
	struct http_server *server = data;

	if (server->options.proxy_protocol)
		http_proxied_add(&server->proxied, fd, addr, len);
	else
		on_client(fd, addr, len, data);
}

void http_arrival_init(struct http_server *server)
{
	unsigned per_client = server->options.proxy_protocol
				  ? HTTP_CONNECTIONS_PER_CLIENT_MAX
				  : HTTP_CONNECTIONS_PER_ADDRESS_MAX;

	http_clients_init(&server->clients, HTTP_CONNECTIONS_MAX, per_client);
	http_proxied_init(&server->proxied, server->loop, on_client, server);
	if (server->options.wrapper)
		server->wrapped = server->options.wrapper->start(server->loop,
		    server->options.wrapper->context, on_unwrapped, server);
	http_door_init(&server->door, server->loop, &server->clients,
	    on_first_bytes, server);
	stream_sender_init(&server->sender, server->loop, &server->clients);
	http_relays_init(&server->relays, server->loop);
	kept_answers_init(&server->kept);
	kept_sender_init(
	    &server->kept_sender, &(struct kept_sender_options){
				      .loop = server->loop,
				      .clients = &server->clients,
				      .find = http_first_find,
				      .hand_on = on_others,
				      .hand_on_read = on_others_read,
				      .has_room = may_be_read,
				      .data = server,
				  });
}
