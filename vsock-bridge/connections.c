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

enum connections_place connections_enter(
    struct connections *all, struct connection *connection)
{
	connection->refusal = all->served >= all->max;
	if (!connection->refusal)
		all->served++;
	else if (all->refusals < CONNECTIONS_REFUSALS_MAX)
		all->refusals++;
	else
		return CONNECTIONS_NONE;
	link_in(all, connection);
	return connection->refusal ? CONNECTIONS_REFUSAL : CONNECTIONS_SERVED;
}

bool connections_enter_served(
    struct connections *all, struct connection *connection)
{
	if (all->served >= all->max)
		return false;
	connection->refusal = false;
	all->served++;
	link_in(all, connection);
	return true;
}

void connections_refuse(struct connections *all, struct connection *connection)
{
	if (connection->refusal || all->refusals >= CONNECTIONS_REFUSALS_MAX)
		return;
	connection->refusal = true;
	assert(all->served > 0);
	all->served--;
	all->refusals++;
}

void connections_leave(struct connections *all, struct connection *connection)
{
	unsigned *count = connection->refusal ? &all->refusals : &all->served;

	assert(*count > 0);
	(*count)--;
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
