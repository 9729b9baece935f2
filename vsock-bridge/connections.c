/* connections: see connections.h. */
#include "vsock-bridge/connections.h"

#include <assert.h>
#include <stddef.h>

static void link_in(struct connections *all, struct connection *connection)
{
	assert(connection->abort != NULL);
	connection->previous = NULL;
	connection->next = all->first;
	if (all->first != NULL)
		all->first->previous = connection;
	all->first = connection;
}

/* Takes a place to be served in, of both limits. */
static bool take_place(struct connections *all, struct connection *connection)
{
	bool room = all->served < all->max;

	connection->of_peer = NULL;
	connection->peer_is_full = room &&
				   !peers_enter(&all->peers, &connection->peer,
				       &connection->of_peer);
	if (!room || connection->peer_is_full)
		return false;
	connection->refusal = false;
	all->served++;
	return true;
}

static void give_place(struct connections *all, struct connection *connection)
{
	assert(all->served > 0);
	all->served--;
	peers_leave(&all->peers, connection->of_peer);
	connection->of_peer = NULL;
}

enum connections_place connections_enter(
    struct connections *all, struct connection *connection)
{
	bool served = take_place(all, connection);

	if (!served && all->refusals >= CONNECTIONS_REFUSALS_MAX)
		return CONNECTIONS_NONE;
	connection->refusal = !served;
	if (!served)
		all->refusals++;
	link_in(all, connection);
	return served ? CONNECTIONS_SERVED : CONNECTIONS_REFUSAL;
}

void connections_identify(
    const struct connections *all, struct connection *connection, int fd)
{
	if (all->peers.max > 0)
		connection->peer = peer_key_of(fd);
}

bool connections_enter_served(
    struct connections *all, struct connection *connection)
{
	if (!take_place(all, connection))
		return false;
	link_in(all, connection);
	return true;
}

void connections_refuse(struct connections *all, struct connection *connection)
{
	if (connection->refusal || all->refusals >= CONNECTIONS_REFUSALS_MAX)
		return;
	give_place(all, connection);
	connection->refusal = true;
	all->refusals++;
}

void connections_leave(struct connections *all, struct connection *connection)
{
	assert(!connection->refusal || all->refusals > 0);
	if (connection->refusal)
		all->refusals--;
	else
		give_place(all, connection);
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		all->first = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	if (all->first == NULL && all->on_empty != NULL)
		all->on_empty(all);
}

bool connections_empty(const struct connections *all)
{
	return all->first == NULL;
}

void connections_abort_all(struct connections *all)
{
	struct connection *next;

	/* abort() only starts the end: no one leaves before it returns. */
	for (struct connection *c = all->first; c != NULL; c = next) {
		next = c->next;
		c->abort(c);
	}
}
