/* relay_patience: see relay_patience.h. */
#include "vsock-bridge/relay_patience.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>

static bool is_tcp(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == IPPROTO_TCP;
}

/* When it is lowered, and enough is there, Linux tells epoll(7) at once. */
static bool gather(int fd, int bytes)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) ==
	       0;
}

static void take_out(struct relay_patience *patience, unsigned at)
{
	patience->halves[at]->patient = false;
	patience->halves[at] = patience->halves[--patience->count];
}

void relay_patience_moved(
    struct relay_patience *patience, struct relay_half *half)
{
	if (half->patient || half->bulk_bytes < RELAY_PATIENT_BYTES ||
	    patience->count >= RELAY_PATIENT_MAX)
		return;
	half->bulk_bytes = 0; /* is asked again only after as many more */
	if (!is_tcp(half->from) || !gather(half->from, RELAY_GATHER_BYTES))
		return;
	half->patient = true;
	half->bytes_seen = 0; /* not looked at by a tick */
	patience->halves[patience->count++] = half;
}

void relay_patience_tick(struct relay_patience *patience)
{
	for (unsigned i = patience->count; i-- > 0;) {
		struct relay_half *half = patience->halves[i];

		if ((uint32_t)half->bytes != half->bytes_seen) {
			half->bytes_seen = (uint32_t)half->bytes;
			continue;
		}
		half->bulk_bytes = 0;
		(void)gather(half->from, 1);
		take_out(patience, i);
	}
}

void relay_patience_forget(
    struct relay_patience *patience, struct relay_half *half)
{
	unsigned i = 0;

	if (!half->patient)
		return;
	while (i < patience->count && patience->halves[i] != half)
		i++;
	assert(i < patience->count);
	take_out(patience, i);
}
