/*
 * bridge_config: the configuration file.
 *
 *   { "outbound": [ {"listen": "vsock://any:8443",
 *                    "allowlist": "allowlist.txt"} ],
 *     "inbound":  [ {"listen": "tcp://0.0.0.0:8080",
 *                    "connect": "vsock://16:8080",
 *                    "proxy_protocol": false} ],
 *     "configuration": [ {"listen": "vsock://any:9001",
 *                         "file": "oracle.json"} ],
 *     "logs": [ {"listen": "vsock://any:9002"} ],
 *     "keeper": {"listen": "vsock://any:9003", "directory": "keys"},
 *     "credentials": {"listen": "vsock://any:9004",
 *                     "imds": "tcp://169.254.169.254:80"},
 *     "metrics": "unix:///run/vsock-bridge/metrics.sock",
 *     "connections_max": 1024, "connections_per_peer_max": 0,
 *     "connect_timeout_ms": 5000, "request_timeout_ms": 5000,
 *     "idle_timeout_ms": 120000, "total_timeout_ms": 0,
 *     "drain_timeout_ms": 5000, "insecure_no_sandbox": false }
 *
 * Unknown keys, duplicates and two rules that listen at one place are
 * refused; at least one rule is needed; all else is optional, and the numbers
 * above are the defaults (without "metrics" there are none).
 */
#ifndef HALLMARK_BRIDGE_BRIDGE_CONFIG_H
#define HALLMARK_BRIDGE_BRIDGE_CONFIG_H

#include "base/endpoint.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BRIDGE_CONFIG_BYTES_MAX       65536
#define BRIDGE_CONFIG_RULES_MAX       16 /* of each kind */
#define BRIDGE_CONFIG_CONNECTIONS_MAX 65536
#define BRIDGE_CONFIG_TIMEOUT_MS_MAX  86400000 /* a day */
#define BRIDGE_CONFIG_ERROR_MAX       512

/* The numbers: key, default, smallest, largest. */
#define BRIDGE_CONFIG_NUMBERS(X)                                         \
	X(connections_max, 1024, 1, BRIDGE_CONFIG_CONNECTIONS_MAX)       \
	X(connections_per_peer_max, 0, 0, BRIDGE_CONFIG_CONNECTIONS_MAX) \
	X(connect_timeout_ms, 5000, 1, BRIDGE_CONFIG_TIMEOUT_MS_MAX)     \
	X(request_timeout_ms, 5000, 1, BRIDGE_CONFIG_TIMEOUT_MS_MAX)     \
	X(idle_timeout_ms, 120000, 1, BRIDGE_CONFIG_TIMEOUT_MS_MAX)      \
	X(total_timeout_ms, 0, 0, BRIDGE_CONFIG_TIMEOUT_MS_MAX)          \
	X(drain_timeout_ms, 5000, 0, BRIDGE_CONFIG_TIMEOUT_MS_MAX)

struct bridge_limits {
	unsigned connections_max; /* both directions, all rules */
	/* The same of one peer (peer.h); 0: as many as there may be. */
	unsigned connections_per_peer_max;
	uint64_t connect_timeout_ms; /* lookup and connection */
	uint64_t request_timeout_ms; /* for the whole head */
	uint64_t idle_timeout_ms;    /* with no byte in either direction */
	uint64_t total_timeout_ms;   /* of a relay; 0: none */
	uint64_t drain_timeout_ms;   /* to finish in, once told to stop */
};

struct bridge_outbound {
	struct endpoint listen;
	char allowlist[PATH_MAX]; /* relative to the file: made whole */
	int inherited; /* descriptor that listens there already; 0: none */
};

struct bridge_inbound {
	struct endpoint listen, connect;
	bool proxy_protocol; /* tell it who the client is */
	int inherited;       /* as above; set by activation.h only */
};

/* Hands a file to whoever connects: an enclave's configuration (handout.h). */
struct bridge_configuration {
	struct endpoint listen;
	char file[PATH_MAX]; /* made whole, too */
	int inherited;
};

/* Writes an enclave's log to our own (journal.h). */
struct bridge_logs {
	struct endpoint listen;
	int inherited;
};

/* Keeps an enclave's sealed key (keeper.h). */
struct bridge_keeper {
	struct endpoint listen;
	char directory[PATH_MAX]; /* made whole, too */
	int inherited;
};

/* Hands out the credentials of the instance's role (credentials.h). */
struct bridge_credentials {
	struct endpoint listen, imds;
	int inherited;
};

struct bridge_config {
	struct bridge_outbound outbound[BRIDGE_CONFIG_RULES_MAX];
	struct bridge_inbound inbound[BRIDGE_CONFIG_RULES_MAX];
	struct bridge_configuration configuration[BRIDGE_CONFIG_RULES_MAX];
	struct bridge_logs logs[BRIDGE_CONFIG_RULES_MAX];
	struct bridge_keeper keeper;           /* if keeper_count is 1 */
	struct bridge_credentials credentials; /* the same */
	size_t outbound_count, inbound_count, configuration_count, logs_count,
	    keeper_count, credentials_count;
	struct bridge_limits limits;
	bool has_metrics;
	struct endpoint metrics; /* where they are served, if at all */
	bool insecure_no_sandbox;
};

/* Returns 0, or -1, *out zeroed and one line that says why. Blocks. */
__attribute__((warn_unused_result)) int bridge_config_load(
    struct bridge_config *out, const char *path,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* The same from bytes; `dir` is what relative paths are relative to. Pure. */
__attribute__((warn_unused_result)) int bridge_config_parse(
    struct bridge_config *out, const void *bytes, size_t len, const char *dir,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* The n-th rule's listener, of all kinds, and where a descriptor that it has
 * inherited goes; NULL behind the last. */
const struct endpoint *bridge_config_listener(
    const struct bridge_config *config, size_t n);
int *bridge_config_inherited(struct bridge_config *config, size_t n);

/* The resolved plan, for people: what --check prints. Reads the allow-lists
 * and configurations. Returns 0, or -1 if one of them is not valid, and why.
 */
__attribute__((warn_unused_result)) int bridge_config_print(
    const struct bridge_config *config, FILE *out,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

#endif
