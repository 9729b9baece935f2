/*
 * bus_config: the part "nats" of the daemon's configuration: the message bus
 * between many daemons.
 *
 *   "nats": { "url": "tls://nats1:4222",   or a list: the servers of a cluster
 *             "publish": true,             what we accept goes to the stream
 *             "subscribe": true,           what is in it, we verify
 *             "stream": "HALLMARK", "subject": "hallmark",
 *             "consumer": "edge-1",        subscribe: our name, kept by the
 *                                          servers with where we stopped
 *             "from": "last",              a new consumer begins with the
 *                                          newest item of each feed; or "all",
 *                                          or "new"
 *             "replicas": 3, "max_age_s": 86400, "max_bytes": 0,
 *                                          publish: of a stream that is not
 *                                          there yet; 0 is no limit
 *             "user": "edge", "password_file": "nats.password",
 *             "credentials": "edge.creds", (JWT and seed in one file)
 *             "tls_ca": "ca.pem", "tls_cert": "edge.pem",
 *             "tls_key": "edge.key" }
 *
 * All but url and one of publish, subscribe (and then consumer) may be left
 * out. With tls:// the servers' certificates are checked against tls_ca, or
 * the system's roots. Paths are relative to the configuration.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_BUS_CONFIG_H
#define HALLMARK_VERIFIER_DAEMON_BUS_CONFIG_H

#include "verifier/daemon/path_beside.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define BUS_URLS_MAX      8
#define BUS_URL_MAX       256
#define BUS_WORD_MAX      64 /* bytes of a stream, subject, name and a NUL */
#define BUS_ERROR_MAX     256
#define BUS_REPLICAS_MAX  5 /* what JetStream allows */
#define BUS_MAX_AGE_S     86400
#define BUS_MAX_AGE_S_MAX (366 * 86400)

enum bus_from {
	BUS_FROM_LAST,
	BUS_FROM_ALL,
	BUS_FROM_NEW
};

struct bus_config {
	bool publish, subscribe; /* none: there is no NATS */
	char urls[BUS_URLS_MAX][BUS_URL_MAX];
	size_t url_count;
	bool tls; /* the urls say tls:// */
	char stream[BUS_WORD_MAX], subject[BUS_WORD_MAX];
	char consumer[BUS_WORD_MAX];
	enum bus_from from;
	unsigned replicas;
	int64_t max_age_s, max_bytes;
	char user[BUS_WORD_MAX];
	char password_file[PATH_BESIDE_MAX], credentials[PATH_BESIDE_MAX];
	char tls_ca[PATH_BESIDE_MAX], tls_cert[PATH_BESIDE_MAX],
	    tls_key[PATH_BESIDE_MAX];
	/* What upstreams and logs call it: nats://host:port/HALLMARK. */
	char name[BUS_URL_MAX + BUS_WORD_MAX + 1];
};

/* `object` is what stands under "nats" in the file at `path`; NULL: there is
 * none. 0, or -1 and what is wrong. */
__attribute__((warn_unused_result)) int bus_config_read(struct bus_config *out,
    const char *path, json_t *object, char error[static BUS_ERROR_MAX]);

#endif
