/*
 * sight: what the bridge has done, counted by rule. Pure: plain counters that
 * only go up, no clock and no socket; scrape.h serves them.
 *
 * Every accepted connection is opened once, and then either refused once (it
 * got nothing, and why) or closed once (how it ended, and the bytes it moved).
 * So opened - refused - closed is what is open now.
 */
#ifndef HALLMARK_BRIDGE_SIGHT_H
#define HALLMARK_BRIDGE_SIGHT_H

#include "base/endpoint.h"
#include "base/metrics_text.h"
#include "vsock-bridge/bridge_config.h"

#include <stdbool.h>
#include <stdint.h>

#define SIGHT_RULES_MAX (4 * BRIDGE_CONFIG_RULES_MAX + 2) /* all kinds */

/* name, label value */
#define SIGHT_REASON_TABLE(X)                           \
	X(BAD_REQUEST, "bad_request")                   \
	X(BAD_METHOD, "bad_method")                     \
	X(TOO_SLOW, "request_timeout")                  \
	X(NOT_ALLOWED, "not_allowed")                   \
	X(NOT_TLS, "not_tls")                           \
	X(WRONG_SERVER_NAME, "wrong_server_name")       \
	X(NO_NAME, "dns_error")                         \
	X(PROHIBITED, "address_prohibited")             \
	X(NO_CONNECTION, "connect_failed")              \
	X(NO_TIME, "connect_timeout")                   \
	X(TOO_MANY, "connections_max")                  \
	X(TOO_MANY_OF_PEER, "connections_per_peer_max") \
	X(NO_MEANS, "no_memory_or_descriptor")

/* Why a connection got nothing. */
enum sight_reason {
#define X(name, text) SIGHT_##name,
	SIGHT_REASON_TABLE(X)
#undef X
	SIGHT_REASON_COUNT
};

#define SIGHT_OUTCOME_TABLE(X)       \
	X(COMPLETED, "completed")    \
	X(BROKEN, "broken")          \
	X(IDLE, "idle_timeout")      \
	X(OVERTIME, "total_timeout") \
	X(STOPPED, "stopped")        \
	X(LEFT, "left")

/* How a connection that was not refused ended: both sides had ended; a side
 * failed; nothing moved; total_timeout_ms; the bridge stops; the client left
 * before it was connected (a health check). */
enum sight_outcome {
#define X(name, text) SIGHT_##name,
	SIGHT_OUTCOME_TABLE(X)
#undef X
	SIGHT_OUTCOME_COUNT
};

enum sight_direction {
	SIGHT_OUTBOUND,
	SIGHT_INBOUND,
	SIGHT_CONFIGURATION,
	SIGHT_LOGS,
	SIGHT_KEEPER,
	SIGHT_CREDENTIALS,
	SIGHT_DIRECTION_COUNT
};

struct sight_rule {
	enum sight_direction direction;
	char listen[ENDPOINT_TEXT_MAX];
	uint64_t opened, refused[SIGHT_REASON_COUNT],
	    closed[SIGHT_OUTCOME_COUNT];
	/* of closed ones: from the client, and to it */
	uint64_t bytes_from_client, bytes_to_client;
	struct metrics_histogram dns, connect;
	uint64_t accept_pauses; /* see listener.h */
	/* of the allow-list, or of the configuration */
	uint64_t reloads, bad_reloads;
	uint64_t lines, cut_lines; /* of logs; cut: too long, or without end */
	uint64_t paces; /* times that they were told to come slower */
};

/* All zero at the start. */
struct sight {
	struct sight_rule rules[SIGHT_RULES_MAX];
	size_t count;
};

/* A rule's counters, good as long as `sight`; `listen` is copied. Never NULL:
 * there are at most SIGHT_RULES_MAX. */
struct sight_rule *sight_add(
    struct sight *sight, enum sight_direction direction, const char *listen);

/* A connection was accepted. */
void sight_opened(struct sight_rule *rule);
void sight_refused(struct sight_rule *rule, enum sight_reason reason);
void sight_closed(struct sight_rule *rule, enum sight_outcome outcome,
    uint64_t bytes_from_client, uint64_t bytes_to_client);
/* The outcome that goes with a relay's result (relay.h). */
enum sight_outcome sight_outcome_of(int relay_result);

/* How long a lookup, or a connection attempt, took; failed ones too. */
void sight_dns_ms(struct sight_rule *rule, uint64_t ms);
void sight_connect_ms(struct sight_rule *rule, uint64_t ms);

void sight_reloaded(struct sight_rule *rule, bool good);

/* Accepted and neither refused nor closed yet. */
uint64_t sight_open(const struct sight_rule *rule);

/* Adds the families vsock_bridge_... to `metrics`. No label has a value that
 * comes from outside. */
void sight_render(const struct sight *sight, struct metrics_text *metrics);

#endif
