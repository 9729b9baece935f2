/*
 * make_archive: an archive as a day of publishing leaves it, as fast as it can
 * be made: feeds/aggregate and feeds/item over a market of its own, a real
 * RSA key, documents of attester_simulated renewed as an oracle renews them, in
 * its own time, written through verifier/daemon/archive.
 *
 *   make_archive [--rotate] CONFIG FOLDER SECONDS [START_MS [BOOTS]]
 *
 * CONFIG is an oracle's; each of its feeds has an item every second. Writes
 * FOLDER/archive.db, policy.json and simulated-root.pem. The time before
 * START_MS is nobody's; default: it ends now. BOOTS: starts of the oracle that
 * share the seconds. --rotate: days that are over by then go into files of
 * their own, as verifierd's "archive_rotate" does.
 */
#include "base/log.h"
#include "base/now.h"
#include "feeds/aggregate.h"
#include "feeds/hex.h"
#include "oracle/attestation.h"
#include "oracle/attester_simulated.h"
#include "oracle/user_data.h"
#include "verifier/daemon/archive.h"
#include "verifier/daemon/archive_rotate.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX   16
#define BATCH         512
#define PATH_LEN_MAX  600
#define CONFIG_MAX    (1 << 20)
#define MESSAGE_LEN   48
#define SIGNATURE_LEN 256

struct market_feed {
	const struct feed_config *config;
	int64_t mid; /* in units of 10^-MARKET_DECIMALS */
	struct aggregate_past past;
	uint64_t sequence;
	uint8_t previous_sha256[32];
	bool has_price;
	struct decimal price;
};
#define MARKET_DECIMALS 8

struct maker {
	struct feed_set set;
	struct market_feed feeds[FEEDS_MAX];
	uint8_t config_sha256[32], boot_id[16];
	uint64_t seed;
	struct attester *attester;
	struct kept_document *document;
	int64_t renew_ms; /* when the next document is due */
	EVP_PKEY *key;
	char *pem;
	struct archive *archive;
	struct record *batch[BATCH];
	size_t count;
	uint64_t items;
	long threads;
};

static struct maker maker;
static int64_t now_ms; /* the market's */

static int64_t market_now(void)
{
	return now_ms;
}

static void must(bool ok, const char *what)
{
	if (!ok)
		log_die("make_archive", "%s", what);
}

/* ---- a market ---- */

static uint64_t draw(struct maker *m, uint64_t below)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return m->seed % below;
}

/* A price near mid with so many decimals, as exchanges write them. */
static struct decimal near(struct maker *m, int64_t mid, int64_t ppm_of_10)
{
	int64_t off = mid / 100000 * ppm_of_10;
	int64_t noise = (int64_t)draw(m, (uint64_t)(mid / 50000) + 1);
	struct decimal d = {mid + off + noise, -MARKET_DECIMALS};

	if (decimal_rescale(&d, d, mid > 10000000000 ? -2 : -6) != DECIMAL_OK ||
	    d.mantissa <= 0)
		d = (struct decimal){1, -6};
	return d;
}

static void random_bytes(struct maker *m, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)draw(m, 256);
}

/* Of a thousand answers a few are late, missing or far off. */
static void quote(struct maker *m, struct market_feed *feed,
    struct item_source *s, const struct feed_source *configured)
{
	uint64_t luck = draw(m, 1000);
	int64_t mid = luck == 3 ? feed->mid / 20 * 21 : feed->mid;

	snprintf(
	    s->exchange, sizeof(s->exchange), "%s", configured->exchange->name);
	snprintf(s->symbol, sizeof(s->symbol), "%s", configured->symbol);
	snprintf(s->via, sizeof(s->via), "%s", configured->quote_feed);
	if (luck == 0) {
		s->state = SOURCE_FAILED;
		s->error = QUOTE_TIMEOUT;
		return;
	}
	s->has_answer = s->quote.has_last = true;
	s->quote.has_bid = s->quote.has_ask = luck > 50;
	s->quote.last = near(m, mid, 0);
	s->quote.bid = near(m, mid, -2);
	s->quote.ask = near(m, mid, 4);
	s->received_ms = now_ms - 100 - (int64_t)draw(m, 400);
	if (luck == 1)
		s->received_ms -= 20000;
	s->quote.has_exchange_ms = configured->exchange->time !=
				   EXCHANGE_TIME_NONE;
	s->quote.exchange_ms = s->received_ms - (int64_t)draw(m, 300);
	if (luck == 2)
		s->state = SOURCE_FROZEN;
	random_bytes(m, s->body_sha256, sizeof(s->body_sha256));
	SHA256((const uint8_t *)s->exchange, strlen(s->exchange),
	    s->tls_spki_sha256);
	if (!s->quote.has_bid)
		s->quote.bid = s->quote.ask = (struct decimal){0};
	if (!s->quote.has_exchange_ms)
		s->quote.exchange_ms = 0;
}

static void set_rate(struct maker *m, struct item_source *s)
{
	for (size_t i = 0; i < m->set.count && s->via[0]; i++) {
		const struct market_feed *via = &m->feeds[i];

		if (strcmp(via->config->feed, s->via) != 0)
			continue;
		s->has_rate = via->has_price;
		if (s->has_rate)
			s->rate = via->price;
	}
}

static void fill_item(
    struct maker *m, struct market_feed *feed, struct item *item)
{
	const struct feed_config *config = feed->config;

	*item = (struct item){
	    .sequence = feed->sequence,
	    .published_ms = now_ms,
	    .expires_ms = now_ms + config->max_age_ms,
	    .source_count = config->source_count,
	};
	snprintf(item->feed, sizeof(item->feed), "%s", config->feed);
	memcpy(item->boot_id, m->boot_id, sizeof(item->boot_id));
	memcpy(item->config_sha256, m->config_sha256, 32);
	memcpy(item->previous_sha256, feed->previous_sha256, 32);
	for (size_t i = 0; i < config->source_count; i++) {
		quote(m, feed, &item->sources[i], &config->sources[i]);
		set_rate(m, &item->sources[i]);
	}
	aggregate(config, &feed->past, item);
	aggregate_remember(&feed->past, config, item);
	feed->has_price = item->status == ITEM_OK;
	feed->price = item->price;
}

/* ---- items ---- */

static void renew(struct maker *m)
{
	uint8_t bytes[ATTESTER_DOCUMENT_MAX], user_data[USER_DATA_MAX];
	char error[ATTESTER_ERROR_MAX] = "";
	struct attester_request request = {.user_data = user_data};
	struct hm_document read;
	uint8_t *spki = NULL;
	size_t len = 0;

	request.user_data_len = user_data_encode(
	    &(struct user_data){
		.boot_id = m->boot_id, .config_sha256 = m->config_sha256},
	    user_data);
	request.public_key_len = (size_t)i2d_PUBKEY(m->key, &spki);
	request.public_key = spki;
	must(m->attester->ops->attest(
		 m->attester, &request, bytes, &len, error) == 0,
	    error);
	kept_document_unref(m->document);
	m->document = kept_document_new(bytes, len);
	must(hm_document_read(bytes, len, &read) == HM_VALID, "no document");
	m->renew_ms = read.not_after_ms - ATTESTATION_MARGIN_MS;
	if (m->renew_ms > now_ms + ATTESTATION_RENEW_MS)
		m->renew_ms = now_ms + ATTESTATION_RENEW_MS;
	OPENSSL_free(spki);
}

static struct record *make_record(struct maker *m, const struct item *item)
{
	static char content[ITEM_CONTENT_MAX];
	struct record *r = calloc(1, sizeof(*r));
	struct hm_envelope *e;
	size_t len;

	must(r != NULL, "out of memory");
	must(item_encode(item, content, sizeof(content), &len) == 0,
	    "an item cannot be written");
	e = &r->envelope;
	r->origin = "make_archive";
	r->received_ms = now_ms + 40;
	r->verdict = HM_VALID;
	r->document = kept_document_ref(m->document);
	snprintf(r->feed, sizeof(r->feed), "%s", item->feed);
	memcpy(r->boot_id, item->boot_id, sizeof(r->boot_id));
	r->sequence = item->sequence;
	r->published_ms = item->published_ms;
	r->expires_ms = item->expires_ms;
	SHA256((const uint8_t *)content, len, r->content_sha256);
	e->content = strndup(content, len);
	e->content_len = len;
	e->signature = malloc(SIGNATURE_LEN);
	e->signature_len = SIGNATURE_LEN;
	e->public_key = strdup(m->pem);
	must(e->content && e->signature && e->public_key, "out of memory");
	snprintf(e->platform, sizeof(e->platform), "simulated");
	memcpy(e->attestation_sha256, m->document->sha256, HM_SHA256_LEN);
	return r;
}

/* ---- signing and writing ---- */

static void *sign_some(void *data)
{
	size_t first = (size_t)(uintptr_t)data;
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	for (size_t i = first; i < maker.count; i += (size_t)maker.threads) {
		struct hm_envelope *e = &maker.batch[i]->envelope;

		must(EVP_DigestSignInit(
			 md, NULL, EVP_sha256(), NULL, maker.key) == 1 &&
			 EVP_DigestSign(md, e->signature, &e->signature_len,
			     (const uint8_t *)e->content, e->content_len) == 1,
		    "cannot sign");
	}
	EVP_MD_CTX_free(md);
	return NULL;
}

static void write_batch(struct maker *m)
{
	pthread_t threads[THREADS_MAX];
	char error[ARCHIVE_ERROR_MAX] = "";

	for (long i = 0; i < m->threads; i++)
		must(pthread_create(&threads[i], NULL, sign_some,
			 (void *)(uintptr_t)i) == 0,
		    "no thread");
	for (long i = 0; i < m->threads; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i + 1 < m->count; i++)
		m->batch[i]->next = m->batch[i + 1];
	if (m->count)
		must(
		    archive_commit(m->archive, m->batch[0], error) == 0, error);
	for (size_t i = 0; i < m->count; i++) {
		must(m->batch[i]->outcome == RECORD_STORED, "not stored");
		record_free(m->batch[i]);
	}
	m->items += m->count;
	m->count = 0;
}

static void tick(struct maker *m)
{
	static struct item item;

	for (size_t i = 0; i < m->set.count; i++) {
		struct market_feed *feed = &m->feeds[i];
		int64_t step = feed->mid / 10000;

		feed->mid += (int64_t)draw(m, (uint64_t)(2 * step) + 1) - step;
		fill_item(m, feed, &item);
		m->batch[m->count] = make_record(m, &item);
		memcpy(feed->previous_sha256,
		    m->batch[m->count]->content_sha256, 32);
		feed->sequence++;
		if (++m->count == BATCH)
			write_batch(m);
	}
}

/* ---- the whole ---- */

static void boot(struct maker *m)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	EVP_PKEY_free(m->key);
	free(m->pem);
	m->key = EVP_RSA_gen(2048);
	must(m->key && out && PEM_write_bio_PUBKEY(out, m->key) == 1, "no key");
	len = BIO_get_mem_data(out, &bytes);
	m->pem = strndup(bytes, (size_t)len);
	BIO_free(out);
	random_bytes(m, m->boot_id, sizeof(m->boot_id));
	for (size_t i = 0; i < m->set.count; i++) {
		struct market_feed *feed = &m->feeds[i];
		bool unit = strstr(feed->config->feed, "USD") ==
				feed->config->feed ||
			    feed->config->decimals >= 5;

		*feed = (struct market_feed){.config = feed->config};
		feed->mid = unit ? 99990000
				 : 8400000000000 /
				       (int64_t)(1 + 37 * draw(m, 9));
	}
	renew(m);
}

static void load(struct maker *m, const char *path)
{
	static char text[CONFIG_MAX];
	char error[FEED_CONFIG_ERROR_MAX] = "";
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	must(root != NULL, "the configuration cannot be read");
	fclose(file);
	must(
	    feed_set_parse(&m->set, json_object_get(root, "feeds"), error) == 0,
	    error);
	SHA256((const uint8_t *)text, len, m->config_sha256);
	for (size_t i = 0; i < m->set.count; i++)
		m->feeds[i].config = &m->set.feeds[i];
	json_decref(root);
}

static void write_policy(struct maker *m, const char *folder)
{
	char path[PATH_LEN_MAX], error[ATTESTER_ERROR_MAX];
	char hex[3][2 * ATTESTER_PCR_LEN + 1];
	uint8_t pcr[ATTESTER_PCR_LEN];
	FILE *file;
	int locked;

	for (unsigned i = 0; i < 3; i++) {
		must(m->attester->ops->describe_pcr(
			 m->attester, i, pcr, &locked, error) == 0,
		    error);
		hex_encode(pcr, sizeof(pcr), hex[i]);
	}
	snprintf(path, sizeof(path), "%s/policy.json", folder);
	file = fopen(path, "w");
	must(file != NULL, "cannot write the policy");
	fprintf(file,
	    "{\"roots\": [], \"root_files\": [\"simulated-root.pem\"],\n"
	    " \"releases\": [{\"name\": \"made\", \"pcrs\": {\"0\": \"%s\",\n"
	    "  \"1\": \"%s\",\n  \"2\": \"%s\"}}]}\n",
	    hex[0], hex[1], hex[2]);
	must(fclose(file) == 0, "cannot write the policy");
}

static void open_all(struct maker *m, const char *config, const char *folder)
{
	char path[PATH_LEN_MAX], error[ARCHIVE_ERROR_MAX] = "";

	load(m, config);
	m->seed = 0x9e3779b97f4a7c15;
	m->threads = sysconf(_SC_NPROCESSORS_ONLN);
	if (m->threads > THREADS_MAX)
		m->threads = THREADS_MAX;
	m->attester = attester_simulated_open_at(folder, market_now, error);
	must(m->attester != NULL, error);
	write_policy(m, folder);
	snprintf(path, sizeof(path), "%s/archive.db", folder);
	must(archive_open(&m->archive, path, error) == 0, error);
}

static void rotate(const char *folder)
{
	char path[PATH_LEN_MAX], error[ARCHIVE_ERROR_MAX] = "";
	struct archive_rotate *rotate;
	int more = 1;

	snprintf(path, sizeof(path), "%s/archive.db", folder);
	rotate = archive_rotate_new(path, 0);
	must(rotate != NULL, "out of memory");
	while (more > 0)
		more = archive_rotate_step(rotate, now_unix_ms(), error);
	must(more == 0, error);
	archive_rotate_free(rotate);
}

int main(int argc, char **argv)
{
	bool rotates = argc > 1 && strcmp(argv[1], "--rotate") == 0;
	int64_t began_ms = now_monotonic_ms();
	long seconds, boots;

	argc -= rotates;
	argv += rotates;
	seconds = argc > 3 ? atol(argv[3]) : 0;
	boots = argc > 5 ? atol(argv[5]) : 1;
	if (argc < 4 || seconds < 1 || boots < 1 || boots > seconds) {
		fputs("usage: make_archive [--rotate] CONFIG FOLDER SECONDS "
		      "[START_MS [BOOTS]]\n",
		    stderr);
		return 1;
	}
	log_set_level(LOG_WARN);
	now_ms = argc > 4 ? strtoll(argv[4], NULL, 10) : 0;
	if (now_ms == 0)
		now_ms = now_unix_ms() - 1000 * seconds;
	open_all(&maker, argv[1], argv[2]);
	for (long i = 0; i < seconds; i++) {
		if (i % ((seconds + boots - 1) / boots) == 0) {
			write_batch(&maker); /* under the key before */
			boot(&maker);
		}
		if (now_ms >= maker.renew_ms)
			renew(&maker);
		tick(&maker);
		now_ms += 1000;
	}
	write_batch(&maker);
	archive_close(maker.archive);
	if (rotates)
		rotate(argv[2]);
	maker.attester->ops->close(maker.attester);
	kept_document_unref(maker.document);
	EVP_PKEY_free(maker.key);
	free(maker.pem);
	printf("%" PRIu64 " items in %" PRId64 " ms\n", maker.items,
	    now_monotonic_ms() - began_ms);
	return 0;
}
