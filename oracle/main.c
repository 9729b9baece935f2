/*
 * hallmark-oracle: polls exchanges, aggregates, signs, serves items. This file
 * is the way of a price, in the order in which its parts come to life.
 */
#include "base/descriptors.h"
#include "base/log.h"
#include "base/now.h"
#include "base/tls_relay.h"
#include "feeds/hex.h"
#include "oracle/attestation_api.h"
#include "oracle/https_client.h"
#include "oracle/identity.h"
#include "oracle/key_rotation.h"
#include "oracle/parse_command.h"
#include "oracle/peering.h"
#include "oracle/plan.h"
#include "oracle/probe.h"
#include "oracle/publisher.h"
#include "oracle/secrets_api.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "hallmark-oracle: prices that carry their own proof.\n"
    "\n"
    "  hallmark-oracle CONFIG            run\n"
    "  hallmark-oracle --check CONFIG    print the resolved plan and exit\n"
    "  hallmark-oracle --probe CONFIG    ask each source once and exit\n"
    "  hallmark-oracle --parse EXCHANGE SYMBOL [--status N] < body\n"
    "                                    read one answer as the oracle would\n"
    "  hallmark-oracle --version | --help\n"
    "\n"
    "CONFIG is one JSON file; its hash is in every item and in PCR16:\n"
    "\n"
    "  { \"listen\": \"vsock://any:8080\", \"proxy\": \"vsock://3:8443\",\n"
    "    \"attester\": \"nsm\", \"ca_bundle\": \"/etc/hallmark/ca.pem\",\n"
    "    \"feeds\": [ { \"feed\": \"BTC-USD\", \"decimals\": 8,\n"
    "        \"interval_ms\": 1000, \"max_age_ms\": 5000, "
    "\"min_sources\": 2,\n"
    "        \"sources\": [\n"
    "          {\"exchange\": \"kraken\", \"symbol\": \"XBTUSD\"},\n"
    "          {\"exchange\": \"coinbase_exchange\", \"symbol\": "
    "\"BTC-USD\"} ] } ] }\n"
    "\n"
    "proxy is the vsock-bridge on the parent; without it exchanges are\n"
    "dialled directly. \"attester\": \"gramine\" is for SGX, under\n"
    "gramine-sgx. \"attester\": \"simulated\" with \"simulated_dir\"\n"
    "runs anywhere, and no verifier accepts it unless its policy names that\n"
    "root. \"tls\": \"attested\": TLS 1.3 ends in the oracle, by a key that\n"
    "its documents name (hallmark attest). \"peers\": {\"listen\": ...,\n"
    "\"connect\": [...]} with \"quorum\" lets other oracles of this image and\n"
    "configuration co-sign each item. \"key\": {\"kms\": {...}} keeps the\n"
    "signing key over restarts, sealed by AWS KMS (deploy/kms).\n"
    "hallmark-oracle(8) has all keys.\n"
    "Then try: curl http://HOST:PORT/price/BTC-USD\n"
    "\n"
    "SIGTERM or SIGINT: streams get `goodbye`, then a clean stop.\n";

struct oracle {
	uv_loop_t *loop;
	struct config config;
	struct identity identity;
	SSL_CTX *tls;                /* towards the exchanges */
	SSL_CTX *own_tls;            /* of those who ask us; NULL: none */
	struct http_wrapper wrapper; /* with own_tls */
	struct secrets_api *secrets; /* NULL: takes none */
	struct poller *poller;
	struct board *board;
	struct tree_log *log;
	struct peering peering;
	struct publisher *publisher;
	struct fetch *fetch;           /* NULL: it is off */
	struct key_rotation *rotation; /* NULL: the key does not retire */
	struct api api;
	struct http_server *server;
	uv_signal_t sigterm, sigint;
	bool stopping;
};

/* ---- stop ---- */

static void on_server_stopped(void *data)
{
	struct oracle *oracle = data;

	attestation_stop(oracle->identity.attestation, NULL, NULL);
}

/* The last head is posted: there is nothing more to stream. */
static void on_log_stopped(void *data)
{
	struct oracle *oracle = data;

	board_close(oracle->board, "shutdown");
	http_server_stop(oracle->server, on_server_stopped, oracle);
}

static void stop(struct oracle *oracle)
{
	if (oracle->stopping)
		return;
	oracle->stopping = true;
	log_info("oracle", "stopping");
	oracle->api.rotation = NULL;
	key_rotation_stop(oracle->rotation);
	publisher_stop(oracle->publisher);
	peering_stop(&oracle->peering);
	poller_stop(oracle->poller);
	fetch_stop(oracle->fetch);
	tree_log_stop(oracle->log, on_log_stopped, oracle);
	uv_close((uv_handle_t *)&oracle->sigterm, NULL);
	uv_close((uv_handle_t *)&oracle->sigint, NULL);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	stop(handle->data);
}

static void watch_signal(struct oracle *oracle, uv_signal_t *handle, int number)
{
	uv_signal_init(oracle->loop, handle);
	handle->data = oracle;
	uv_signal_start(handle, on_signal, number);
}

/* ---- start ---- */

static void on_attested(const struct attestation_document *document, void *data)
{
	struct oracle *oracle = data;
	char *event = api_attestation_json(&oracle->api, document);

	board_attest(oracle->board, "oracle", document->sha256_hex,
	    document->bytes, document->len, event);
	free(event);
	log_info("oracle", "attested",
	    LOG_S("attestation_sha256", document->sha256_hex),
	    LOG_D("not_after_ms", document->not_after_ms));
}

/* The document of the key that will sign: with its own key and epoch, and
 * beside the current one's. */
static void on_announced(const struct attestation_document *document,
    const char *public_key_pem, uint64_t epoch, void *data)
{
	struct oracle *oracle = data;
	struct api next = oracle->api;
	char *event;

	next.public_key_pem = public_key_pem;
	next.key_epoch = epoch;
	event = api_attestation_json(&next, document);
	board_attest(oracle->board, "next", document->sha256_hex,
	    document->bytes, document->len, event);
	free(event);
}

static void on_switched(const struct attestation_document *document, void *data)
{
	struct oracle *oracle = data;

	oracle->api.key_epoch = oracle->identity.bound.key_epoch;
	on_attested(document, oracle);
}

static void start_rotation(struct oracle *oracle)
{
	oracle->rotation = key_rotation_start(&(struct key_rotation_options){
	    .loop = oracle->loop,
	    .identity = &oracle->identity,
	    .tls = oracle->tls,
	    .announced = on_announced,
	    .switched = on_switched,
	    .data = oracle,
	});
	oracle->api.rotation = oracle->rotation;
}

static void start_board(struct oracle *oracle)
{
	const struct feed_set *set = &oracle->config.feeds;
	char epoch[17];

	hex_encode(oracle->identity.boot_id, 8, epoch);
	oracle->board = board_new(oracle->loop, epoch);
	for (size_t i = 0; i < set->count; i++)
		board_add_name(oracle->board, set->feeds[i].feed);
}

static void start_api(struct oracle *oracle)
{
	struct identity *identity = &oracle->identity;

	oracle->api = (struct api){
	    .front = {oracle->board,
		service_new("hallmark-oracle", api_tables)},
	    .config = &oracle->config,
	    .platform = identity->attester->ops->platform,
	    .public_key_pem = signer_public_pem(identity->signer),
	    .key_epoch = identity->bound.key_epoch,
	    .tls_spki_sha256 = identity->tls
				   ? attested_tls_spki_sha256_hex(identity->tls)
				   : NULL,
	};
	hex_encode(
	    identity->boot_id, sizeof(identity->boot_id), oracle->api.boot_id);
}

/* The documents vouch for its key, so it comes before them. */
static void start_secrets(struct oracle *oracle)
{
	struct identity *identity = &oracle->identity;
	const struct seal_key *key;

	if (oracle->config.secrets.count == 0)
		return;
	oracle->secrets = secrets_api_new(
	    &oracle->config.secrets, identity->boot_id, identity->signer);
	key = secrets_api_key(oracle->secrets);
	identity->bound.seal_spki_sha256 = seal_key_spki_sha256(key);
	oracle->api.seal_public_key_pem = seal_key_public_pem(key);
	oracle->api.secrets = oracle->secrets;
	oracle->api.secret_store = secrets_api_store(oracle->secrets);
}

static void start_log(struct oracle *oracle)
{
	oracle->log = tree_log_start(&(struct tree_log_options){
	    .loop = oracle->loop,
	    .config = &oracle->config,
	    .signer = oracle->identity.signer,
	    .attestation = oracle->identity.attestation,
	    .policy = oracle->identity.policy,
	    .board = oracle->board,
	    .boot_id = oracle->identity.boot_id,
	    .platform = oracle->api.platform,
	});
}

static bool find_newest(size_t feed, const struct item **item,
    const uint8_t **content_sha256, void *data)
{
	const struct publisher *publisher = ((struct oracle *)data)->publisher;

	if (!publisher || !publisher_newest(publisher, feed))
		return false;
	*item = publisher_newest(publisher, feed);
	*content_sha256 = publisher_newest_sha256(publisher, feed);
	return true;
}

static void start_prices(struct oracle *oracle)
{
	char error[HTTPS_ERROR_MAX];

	oracle->tls = https_tls_context(oracle->config.ca_bundle, error);
	if (!oracle->tls)
		log_die("oracle", "ca_bundle %s: %s",
		    certificates_name(oracle->config.ca_bundle), error);
	oracle->poller = poller_start(
	    oracle->loop, &oracle->config, oracle->tls);
	if (oracle->secrets)
		poller_use_secrets(
		    oracle->poller, secrets_api_store(oracle->secrets));
	oracle->publisher = publisher_start(&(struct publisher_options){
	    .loop = oracle->loop,
	    .config = &oracle->config,
	    .poller = oracle->poller,
	    .signer = oracle->identity.signer,
	    .attestation = oracle->identity.attestation,
	    .policy = oracle->identity.policy,
	    .board = oracle->board,
	    .boot_id = oracle->identity.boot_id,
	    .platform = oracle->api.platform,
	    .log = oracle->log,
	    .peers = oracle->peering.peers,
	});
}

static void start_fetch(struct oracle *oracle)
{
	oracle->fetch = fetch_start(&(struct fetch_options){
	    .loop = oracle->loop,
	    .config = &oracle->config,
	    .tls = oracle->tls,
	    .signer = oracle->identity.signer,
	    .attestation = oracle->identity.attestation,
	    .policy = oracle->identity.policy,
	    .poller = oracle->poller,
	    .boot_id = oracle->identity.boot_id,
	    .platform = oracle->api.platform,
	});
	oracle->api.fetch = oracle->fetch;
}

static void start_server(struct oracle *oracle)
{
	char text[ENDPOINT_TEXT_MAX];
	struct http_server_options options = {
	    .proxy_protocol = oracle->config.listen_proxy_protocol,
	    .requests_per_s = oracle->config.requests_per_s,
	    .requests_burst = oracle->config.requests_burst};
	int status;

	if (oracle->config.attested_tls) {
		oracle->own_tls = attested_tls_http(oracle->identity.tls);
		oracle->wrapper = tls_relay_wrapper(oracle->own_tls);
		options.wrapper = &oracle->wrapper;
	}
	status = http_server_start_with(&oracle->server, oracle->loop,
	    &oracle->config.listen, service_routes(oracle->api.front.service),
	    &oracle->api, &options);
	endpoint_format(&oracle->config.listen, text);
	if (status != 0)
		log_die("oracle", "cannot listen on %s: %s", text,
		    uv_strerror(status));
	log_info("oracle", "listening", LOG_S("endpoint", text),
	    LOG_D("port", http_server_port(oracle->server)),
	    LOG_S("boot_id", oracle->api.boot_id));
}

/* What a policy must name on purpose is never used without a word. */
static void say_what_is_insecure(const struct config *config)
{
	if (config->insecure_allow_debug)
		log_warn("oracle", "insecure_allow_debug",
		    LOG_S("meaning", "publishes from a debug enclave, which "
				     "its parent can read and change"));
	if (config->insecure_emulator)
		log_warn("oracle", "insecure_emulator",
		    LOG_S("meaning",
			"may run in an emulated machine, whose clock and "
			"random numbers nobody vouches for"));
}

static void start(struct oracle *oracle)
{
	say_what_is_insecure(&oracle->config);
	identity_load(&oracle->identity, &oracle->config);
	start_board(oracle);
	start_api(oracle);
	start_secrets(oracle);
	identity_attest(&oracle->identity, oracle->loop, on_attested, oracle);
	oracle->api.attestation = oracle->identity.attestation;
	start_log(oracle);
	peering_start(&oracle->peering, &oracle->identity, oracle->loop,
	    oracle->board, find_newest, oracle);
	oracle->api.peers = oracle->peering.peers;
	oracle->api.peers_status = oracle->peering.status;
	start_prices(oracle);
	start_fetch(oracle);
	oracle->api.poller = oracle->poller;
	oracle->api.publisher = oracle->publisher;
	oracle->api.log = oracle->log;
	start_rotation(oracle);
	start_server(oracle);
	watch_signal(oracle, &oracle->sigterm, SIGTERM);
	watch_signal(oracle, &oracle->sigint, SIGINT);
}

static void finish(struct oracle *oracle)
{
	publisher_free(oracle->publisher);
	peering_free(&oracle->peering);
	tree_log_free(oracle->log);
	fetch_free(oracle->fetch);
	poller_free(oracle->poller);
	board_free(oracle->board);
	service_free(oracle->api.front.service);
	secrets_api_free(oracle->secrets);
	SSL_CTX_free(oracle->tls);
	SSL_CTX_free(oracle->own_tls);
	identity_free(&oracle->identity);
	uv_loop_close(oracle->loop);
	log_info("oracle", "stopped");
	uv_library_shutdown(); /* ends the pool, and what it holds of OpenSSL */
}

static int run(const struct config *config)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));

	if (!oracle)
		log_die("oracle", "out of memory");
	signal(SIGPIPE, SIG_IGN);
	descriptors_want(HTTP_CONNECTIONS_MAX);
	oracle->loop = uv_default_loop();
	oracle->config = *config;
	start(oracle);
	uv_run(oracle->loop, UV_RUN_DEFAULT);
	finish(oracle);
	free(oracle);
	return 0;
}

static int load_and(const char *path, int (*then)(const struct config *))
{
	struct config *config = calloc(1, sizeof(*config));
	char error[CONFIG_ERROR_MAX];
	int result = 1;

	if (!config)
		log_die("oracle", "out of memory");
	if (config_load(config, path, error) != 0)
		fprintf(stderr, "hallmark-oracle: %s: %s\n", path, error);
	else
		result = then(config);
	free(config);
	return result;
}

static int check(const struct config *config)
{
	return plan_print(config, stdout);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("hallmark-oracle " HALLMARK_VERSION);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--check") == 0)
		return load_and(argv[2], check);
	if (argc == 3 && strcmp(argv[1], "--probe") == 0)
		return load_and(argv[2], probe);
	if (argc >= 2 && strcmp(argv[1], "--parse") == 0)
		return parse_command(argc - 2, argv + 2);
	if (argc == 2 && argv[1][0] != '-')
		return load_and(argv[1], run);
	fputs(usage, stderr);
	return 1;
}
