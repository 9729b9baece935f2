/*
 * config: the measured configuration file. Read once; its bytes are hashed
 * into every item and into PCR16.
 */
#ifndef HALLMARK_ORACLE_CONFIG_H
#define HALLMARK_ORACLE_CONFIG_H

#include "base/endpoint.h"
#include "feeds/feed_config.h"
#include "oracle/certificates.h"
#include "oracle/config_fetch.h"
#include "oracle/config_key.h"
#include "oracle/config_secrets.h"

#define CONFIG_BYTES_MAX (1u << 20) /* of the file; FEEDS_MAX feeds fit */
#define CONFIG_PATH_MAX  512
#define CONFIG_ERROR_MAX 512

enum config_attester {
	CONFIG_NSM,
	CONFIG_SIMULATED,
	CONFIG_GRAMINE
};

/* Between two heads of the log. Shorter is more signatures than news, longer
 * leaves items for long without a head. */
#define CONFIG_HEAD_INTERVAL_MS     10000
#define CONFIG_HEAD_INTERVAL_MIN_MS 200
#define CONFIG_HEAD_INTERVAL_MAX_MS 600000

#define CONFIG_PINS_MAX      8  /* keys that one exchange may answer with */
#define CONFIG_EXCHANGES_MAX 32 /* entries of "exchanges" */

/* "exchanges": {"kraken": {"ca_file": "...", "spki_sha256": ["hex", ...]}}:
 * narrower trust for one exchange. Either part may be left out. */
struct config_pins {
	const struct exchange *exchange;
	char ca_file[CONFIG_PATH_MAX]; /* instead of ca_bundle; "": not */
	uint8_t spki_sha256[CONFIG_PINS_MAX][32]; /* of the leaf */
	size_t spki_count;                        /* 0: any */
};

/* "peers": the other enclaves (peers.h); connect_count 0: none. */
#define CONFIG_PEERS_MAX         8
#define CONFIG_PEERS_BPS         50 /* apart, and they still agree */
#define CONFIG_PEERS_BPS_MAX     10000
#define CONFIG_PEERS_WAIT_MS     250 /* that an item waits for them */
#define CONFIG_PEERS_WAIT_MAX_MS 5000

struct config_peers {
	struct endpoint listen;
	struct endpoint connect[CONFIG_PEERS_MAX];
	size_t connect_count;
	unsigned max_disagreement_bps;
	int64_t wait_ms;
};

struct config {
	struct endpoint listen;
	/* Each connection begins with a PROXY header (base/proxy_header.h). */
	bool listen_proxy_protocol;
	/* "tls": "attested": TLS ends in here (attested_tls.h). */
	bool attested_tls;
	/* Of one client's address (base/rate_limit.h); 0: no limit. */
	unsigned requests_per_s, requests_burst;
	bool has_proxy;
	struct endpoint proxy;
	enum config_attester attester;
	char simulated_dir[CONFIG_PATH_MAX]; /* with "simulated" only */
	char nsm_device[CONFIG_PATH_MAX];    /* "/dev/nsm" */
	/* With "nsm" only: the root that its documents must lead to, as
	 * certificates.h has it; "": AWS's. For a device that is not Amazon's,
	 * in a test: a verifier believes what its own policy names, whatever is
	 * here. */
	char nsm_root[CERTIFICATES_MAX];
	/* With "gramine" only: "/dev/attestation", and the root of quotes,
	 * Intel's if it is "". */
	char gramine_dir[CONFIG_PATH_MAX], gramine_root[CONFIG_PATH_MAX];
	char ca_bundle[CERTIFICATES_MAX]; /* as certificates.h has it */
	bool insecure_allow_debug;        /* publish from a debug enclave */
	/* For an emulated machine: hallmark-init takes another clock source
	 * and another generator of random numbers than Nitro's. */
	bool insecure_emulator;
	/* How often the log's head is signed (tree_log.h). */
	int64_t tree_head_interval_ms;
	int64_t keep_raw_s; /* raw_answers.h; 0: none are kept */
	struct config_pins pins[CONFIG_EXCHANGES_MAX];
	size_t pin_count;
	struct config_key key; /* of items, if it is to survive a restart */
	struct config_secrets secrets;
	struct config_fetch fetch;
	struct config_peers peers;
	unsigned quorum; /* co-signatures that an item waits for; 0: all */
	struct feed_set feeds;
	uint8_t sha256[32]; /* of the file's bytes */
	uint8_t sha384[48];
};

/* Relative paths in it are relative to the file. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_load(
    struct config *out, const char *path, char error[static CONFIG_ERROR_MAX]);

/* NULL: any certificate of ca_bundle will do for this exchange. */
const struct config_pins *config_pins_find(
    const struct config *config, const struct exchange *exchange);

bool config_secrets_allows(
    const struct config_secrets *secrets, const char *name);

#endif
