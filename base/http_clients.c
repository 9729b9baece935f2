/* http_clients: see http_clients.h. */
#include "base/http_clients.h"

#include "base/log.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

void http_clients_init(
    struct http_clients *clients, unsigned total_max, unsigned each_max)
{
	memset(clients, 0, sizeof(*clients));
	clients->total_max = total_max;
	clients->each_max = each_max;
	/* Without randomness it is as good as before. */
	(void)uv_random(
	    NULL, NULL, &clients->seed, sizeof(clients->seed), 0, NULL);
}

static void set_v4(struct http_client *out, const void *address)
{
	const uint8_t *bytes = address;

	if (bytes[0] == 127)
		return;
	memcpy(out->address, bytes, sizeof(struct in_addr));
	out->family = AF_INET;
}

/* Its /64, as rate_limit has it: that is what one is given. */
static void set_v6(struct http_client *out, const struct in6_addr *address)
{
	if (IN6_IS_ADDR_LOOPBACK(address))
		return;
	if (IN6_IS_ADDR_V4MAPPED(address)) {
		set_v4(out, address->s6_addr + 12);
		return;
	}
	memcpy(out->address, address, 8);
	out->family = AF_INET6;
}

static void set_address(
    struct http_client *out, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(in) && addr->sa_family == AF_INET) {
		memcpy(&in, addr, sizeof(in));
		set_v4(out, &in.sin_addr);
	} else if (len >= sizeof(in6) && addr->sa_family == AF_INET6) {
		memcpy(&in6, addr, sizeof(in6));
		set_v6(out, &in6.sin6_addr);
	}
}

static struct http_client_bucket *bucket_of(
    struct http_clients *clients, const struct http_client *client)
{
	uint64_t hash = clients->seed;

	for (size_t i = 0; i < sizeof(client->address); i++)
		hash = (hash ^ client->address[i]) * 0x9e3779b97f4a7c15u;
	return &clients->buckets[(hash >> 32) % HTTP_CLIENTS_BUCKETS];
}

static struct http_client *find(
    const struct http_client_bucket *bucket, const struct http_client *like)
{
	struct http_client *client;

	LIST_FOREACH(client, bucket, entry)
	if (client->family == like->family &&
	    memcmp(client->address, like->address, sizeof(like->address)) == 0)
		return client;
	return NULL;
}

struct http_client *http_clients_count(
    struct http_clients *clients, const struct sockaddr *addr, socklen_t len)
{
	struct http_client like, *client;
	struct http_client_bucket *bucket;

	set_address(&like, addr, len);
	bucket = bucket_of(clients, &like);
	client = find(bucket, &like);
	if (!client) {
		client = malloc(sizeof(*client));
		if (!client)
			log_die("http", "out of memory");
		*client = like;
		LIST_INSERT_HEAD(bucket, client, entry);
	}
	client->count++;
	clients->total++;
	return client;
}

struct http_client *http_clients_enter(
    struct http_clients *clients, const struct sockaddr *addr, socklen_t len)
{
	struct http_client *client = http_clients_count(clients, addr, len);
	bool crowd = clients->each_max != 0 && client->family != 0 &&
		     client->count > clients->each_max;

	if (!crowd && clients->total <= clients->total_max)
		return client;
	http_clients_leave(clients, client);
	return NULL;
}

void http_clients_leave(
    struct http_clients *clients, struct http_client *client)
{
	assert(client->count > 0 && clients->total > 0);
	clients->total--;
	if (--client->count > 0)
		return;
	LIST_REMOVE(client, entry);
	free(client);
}
