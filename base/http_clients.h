/*
 * http_clients: how many connections each client has, whoever serves them: so
 * that one address, or all together, cannot have more than their share. Only
 * Internet addresses are told apart; all others are one client without a
 * limit of its own.
 */
#ifndef HALLMARK_BASE_HTTP_CLIENTS_H
#define HALLMARK_BASE_HTTP_CLIENTS_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define HTTP_CLIENTS_BUCKETS 1024

struct http_client {
	LIST_ENTRY(http_client) entry;
	unsigned count;
	sa_family_t family; /* AF_INET, AF_INET6, or 0 for all others */
	uint8_t address[16];
};

LIST_HEAD(http_client_bucket, http_client);

struct http_clients {
	struct http_client_bucket buckets[HTTP_CLIENTS_BUCKETS];
	uint32_t seed; /* nobody can choose addresses of one bucket */
	unsigned total, total_max;
	unsigned each_max; /* 0: no limit */
};

void http_clients_init(
    struct http_clients *clients, unsigned total_max, unsigned each_max);

/* One more connection from this address; NULL if that is one too many. What
 * it returns belongs to the connection until http_clients_leave(). */
struct http_client *http_clients_enter(
    struct http_clients *clients, const struct sockaddr *addr, socklen_t len);
/* The same of one that is in already: never refused. */
struct http_client *http_clients_count(
    struct http_clients *clients, const struct sockaddr *addr, socklen_t len);
void http_clients_leave(
    struct http_clients *clients, struct http_client *client);

#endif
