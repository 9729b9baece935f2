/*
 * tls_peer: a server on 127.0.0.1 for tests, on threads of its own, blocking,
 * so that what it does can be written down as a story: read a request, say
 * this, hang up. It can stand for a CONNECT proxy and the server behind it at
 * once: it answers the CONNECT and then goes on as the server.
 */
#ifndef HALLMARK_TESTS_TLS_PEER_H
#define HALLMARK_TESTS_TLS_PEER_H

#include "base/endpoint.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/oracle/pki.h"

#define PEER_SESSIONS_MAX 64
#define PEER_HEAD_MAX     2048

struct peer_session {
	struct peer *peer;
	unsigned number; /* of the connection: 1, 2 ... */
	int fd;
	SSL *ssl;                 /* NULL for a peer without TLS */
	char head[PEER_HEAD_MAX]; /* of the last request */
	pthread_t thread;
};

typedef void (*peer_story)(struct peer_session *session);

struct peer {
	/* set before peer_start() */
	SSL_CTX *context;  /* NULL: no TLS, the story sees the raw bytes */
	const char *proxy; /* the proxy's answer; NULL: there is no proxy */
	peer_story story;
	void *data;

	int listen_fd;
	unsigned port;
	pthread_t thread;
	struct peer_session sessions[PEER_SESSIONS_MAX];
	atomic_uint connections, secured, requests, over; /* sessions over */
	atomic_uint heard; /* answers that the client has had, if it tells */
	char connect_head[PEER_HEAD_MAX]; /* read it after peer_stop() */
};

/* Reads up to the blank line; false when the other side has gone. */
static bool peer_read_head(struct peer_session *s, SSL *ssl)
{
	size_t len = 0;

	while (len < sizeof(s->head) - 1) {
		ssize_t n = ssl != NULL ? SSL_read(ssl, s->head + len, 1)
					: read(s->fd, s->head + len, 1);
		if (n <= 0)
			return false;
		s->head[++len] = '\0';
		if (len >= 4 && strcmp(s->head + len - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

static PKI_UNUSED bool peer_request(struct peer_session *s)
{
	if (!peer_read_head(s, s->ssl))
		return false;
	atomic_fetch_add(&s->peer->requests, 1);
	return true;
}

static PKI_UNUSED void peer_send(
    struct peer_session *s, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = s->ssl != NULL ? SSL_write(s->ssl, bytes, (int)len)
					   : write(s->fd, bytes, len);
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

static PKI_UNUSED void peer_say(struct peer_session *s, const char *text)
{
	peer_send(s, text, strlen(text));
}

static PKI_UNUSED void peer_json(struct peer_session *s, const char *body)
{
	char head[PEER_HEAD_MAX];

	snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
	peer_say(s, head);
}

/* Waits until the other side has gone. */
static PKI_UNUSED void peer_wait(struct peer_session *s)
{
	char buf[256];

	if (s->ssl != NULL) {
		while (SSL_read(s->ssl, buf, sizeof(buf)) > 0)
			continue;
	}
	while (read(s->fd, buf, sizeof(buf)) > 0)
		continue;
}

static PKI_UNUSED void peer_close_notify(struct peer_session *s)
{
	SSL_shutdown(s->ssl);
}

static bool peer_play_proxy(struct peer_session *s)
{
	if (s->peer->proxy == NULL)
		return true;
	if (!peer_read_head(s, NULL))
		return false;
	memcpy(s->peer->connect_head, s->head, sizeof(s->head));
	return send(s->fd, s->peer->proxy, strlen(s->peer->proxy),
		   MSG_NOSIGNAL) >= 0;
}

static bool peer_secure(struct peer_session *s)
{
	if (s->peer->context == NULL)
		return true;
	s->ssl = SSL_new(s->peer->context);
	SSL_set_fd(s->ssl, s->fd);
	if (SSL_accept(s->ssl) != 1)
		return false;
	atomic_fetch_add(&s->peer->secured, 1);
	return true;
}

static void *peer_session_main(void *arg)
{
	struct peer_session *s = arg;

	if (peer_play_proxy(s) && peer_secure(s) && s->peer->story != NULL)
		s->peer->story(s);
	SSL_free(s->ssl);
	shutdown(s->fd, SHUT_RDWR); /* peer_stop() closes it */
	atomic_fetch_add(&s->peer->over, 1);
	return NULL;
}

static void *peer_main(void *arg)
{
	struct peer *peer = arg;
	int fd;

	while ((fd = accept(peer->listen_fd, NULL, NULL)) >= 0) {
		unsigned n = atomic_load(&peer->connections);
		pki_need(n < PEER_SESSIONS_MAX, "too many connections");
		struct peer_session *s = &peer->sessions[n];
		*s = (struct peer_session){
		    .peer = peer, .number = n + 1, .fd = fd};
		pki_need(
		    pthread_create(&s->thread, NULL, peer_session_main, s) == 0,
		    "thread");
		atomic_store(&peer->connections, n + 1);
	}
	return NULL;
}

/* On a free port, or where `at` says. */
static PKI_UNUSED void peer_start_at(struct peer *peer, const char *at)
{
	struct endpoint ep;

	pki_need(endpoint_parse(&ep, at) == 0, at);
	peer->listen_fd = endpoint_listen(&ep, 16);
	pki_need(peer->listen_fd >= 0, at);
	peer->port = endpoint_bound_port(peer->listen_fd);
	int flags = fcntl(peer->listen_fd, F_GETFL);
	fcntl(peer->listen_fd, F_SETFL, flags & ~O_NONBLOCK);
	pki_need(pthread_create(&peer->thread, NULL, peer_main, peer) == 0,
	    "thread");
}

static PKI_UNUSED void peer_start(struct peer *peer)
{
	peer_start_at(peer, "tcp://127.0.0.1:0");
}

static PKI_UNUSED void peer_stop(struct peer *peer)
{
	shutdown(peer->listen_fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listen_fd);
	for (unsigned i = 0; i < atomic_load(&peer->connections); i++) {
		shutdown(peer->sessions[i].fd, SHUT_RDWR);
		pthread_join(peer->sessions[i].thread, NULL);
		close(peer->sessions[i].fd);
	}
}

#endif
