/*
 * bench_replay: how near the replay of an archive comes to its limit, which is
 * measured beside it: bare RSA-2048 verifications of the same items, in the
 * same run, on this process's own CPU clock. Rounds alternate; what counts is
 * the median of their ratios. Then the whole with a thread a core, and what
 * memory it has at a tenth of the way and at the end.
 *
 *   bench_replay ARCHIVE POLICY CONFIG [ROUNDS]
 *
 * Nothing is judged here: a speed is never a test.
 */
#include "verifier/archive/replay.h"
#include "verifier/daemon/policy_file.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES    1000 /* of the bare limit */
#define BARE_TIMES 20
#define ROUNDS_MAX 9
#define JOBS_MAX   16
#define CONFIG_MAX (1 << 20)

enum subject {
	BARE,
	NO_PRICES,
	PART,
	WHOLE,
	SUBJECTS
};
static const char *const names[SUBJECTS] = {
    "bare RSA-2048 and SHA-256",
    "replay, no prices",
    "  prices, without a configuration",
    "  prices, by all rules",
};

struct sample {
	char *content;
	size_t len, signature_len;
	uint8_t signature[512];
};

static const char *archive;
static struct hm_policy *policies[JOBS_MAX];
static struct feed_set feeds;
static uint8_t config_sha256[32];
static struct sample samples[SAMPLES];
static size_t sample_count;
static EVP_PKEY_CTX *rsa;
static EVP_MD_CTX *sha256;
static long kib_at_tenth, kib_now;
static struct replay_report report;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_replay: %s\n", what);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long all, resident = 0;

	if (file && fscanf(file, "%ld %ld", &all, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- the limit ---- */

static struct archive_source *open_archive(void)
{
	char error[ARCHIVE_SOURCE_ERROR_MAX] = "";
	struct archive_source *source;

	must(archive_source_open(&source, archive, error) == 0, error);
	return source;
}

static void make_contexts(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

	rsa = EVP_PKEY_CTX_new(key, NULL);
	sha256 = EVP_MD_CTX_new();
	must(rsa && EVP_PKEY_verify_init(rsa) == 1 &&
		 EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
		 EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) == 1 &&
		 EVP_DigestInit_ex2(sha256, EVP_sha256(), NULL) == 1,
	    "no contexts");
	EVP_PKEY_free(key);
	BIO_free(bio);
}

static void load_samples(void)
{
	struct archive_source *source = open_archive();
	struct archive_entry entry;

	while (sample_count < SAMPLES &&
	       archive_source_next(source, &entry) == 1) {
		struct sample *s = &samples[sample_count];

		if (entry.kind != ARCHIVE_ENTRY_ITEM)
			continue;
		if (!rsa)
			make_contexts(entry.envelope.public_key);
		s->len = entry.envelope.content_len;
		s->content = malloc(s->len);
		must(s->content &&
			 entry.envelope.signature_len <= sizeof(s->signature),
		    "no room");
		memcpy(s->content, entry.envelope.content, s->len);
		s->signature_len = entry.envelope.signature_len;
		memcpy(
		    s->signature, entry.envelope.signature, s->signature_len);
		sample_count++;
	}
	archive_source_close(source);
	must(sample_count > 0, "no item");
}

static double run_bare(void)
{
	double began = seconds(CLOCK_PROCESS_CPUTIME_ID);
	uint8_t hash[32];

	for (size_t n = 0; n < BARE_TIMES * sample_count; n++) {
		const struct sample *s = &samples[n % sample_count];

		must(EVP_DigestInit_ex2(sha256, NULL, NULL) == 1 &&
			 EVP_DigestUpdate(sha256, s->content, s->len) == 1 &&
			 EVP_DigestFinal_ex(sha256, hash, NULL) == 1 &&
			 EVP_PKEY_verify(rsa, s->signature, s->signature_len,
			     hash, sizeof(hash)) == 1,
		    "a signature is bad (is it all one boot?)");
	}
	return (seconds(CLOCK_PROCESS_CPUTIME_ID) - began) /
	       (double)(BARE_TIMES * sample_count);
}

/* ---- the replay ---- */

static void on_progress(const struct replay_progress *progress, void *data)
{
	(void)data;
	kib_now = resident_kib();
	if (progress->position * 10 < progress->total)
		kib_at_tenth = kib_now;
}

/* Seconds an item, on this clock. */
static double run_replay(enum subject subject, unsigned jobs, clockid_t clock)
{
	struct replay_options options = {
	    .policies = (const struct hm_policy *const *)policies,
	    .jobs = jobs,
	    .feeds = subject == WHOLE ? &feeds : NULL,
	    .no_prices = subject == NO_PRICES,
	    .progress = on_progress,
	};
	struct archive_source *source = open_archive();
	double began = seconds(clock);
	struct replay *replay;

	memcpy(options.config_sha256, config_sha256, sizeof(config_sha256));
	replay = replay_new(&options);
	must(replay != NULL, "no memory");
	replay_read(replay, source);
	replay_end(replay, &report);
	replay_free(replay);
	archive_source_close(source);
	must(report.worst == HM_VALID && report.valid > 0,
	    "the archive is not valid");
	must(subject != WHOLE || report.whole == report.valid,
	    "that is not its configuration");
	return (seconds(clock) - began) / (double)report.items;
}

static double run(enum subject subject)
{
	return subject == BARE
		   ? run_bare()
		   : run_replay(subject, 1, CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- the whole ---- */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

static void measure(int rounds)
{
	double took[SUBJECTS][ROUNDS_MAX], ratios[SUBJECTS][ROUNDS_MAX];

	for (int r = 0; r < rounds; r++)
		for (int s = 0; s < SUBJECTS; s++) {
			took[s][r] = run((enum subject)s);
			ratios[s][r] = took[BARE][r] / took[s][r];
		}
	printf("%-36s %8s %8s %8s\n", "one thread, its CPU time, medians",
	    "us/item", "items/s", "of bare");
	for (int s = 0; s < SUBJECTS; s++) {
		double each = median(took[s], rounds);

		printf("%-36s %8.2f %8.0f %8.2f%s\n", names[s], each * 1e6,
		    1 / each, median(ratios[s], rounds),
		    s == BARE ? "" : "  wanted: at least 0.70");
	}
}

static void load(const char *policy, const char *config, long jobs)
{
	static char text[CONFIG_MAX];
	char error[POLICY_FILE_ERROR_MAX] = "";
	FILE *file = fopen(config, "r");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;
	json_t *root = json_loadb(text, len, 0, NULL);

	must(root != NULL, "the configuration cannot be read");
	fclose(file);
	must(feed_set_parse(&feeds, json_object_get(root, "feeds"), error) == 0,
	    error);
	SHA256((const uint8_t *)text, len, config_sha256);
	json_decref(root);
	for (long i = 0; i < jobs; i++)
		must(policy_file_load(&policies[i], policy, error) == 0, error);
}

int main(int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int rounds = argc > 4 ? atoi(argv[4]) : 3;
	double cpu, wall;

	must(argc >= 4 && rounds >= 1 && rounds <= ROUNDS_MAX,
	    "usage: bench_replay ARCHIVE POLICY CONFIG [ROUNDS]");
	if (cores > JOBS_MAX)
		cores = JOBS_MAX;
	archive = argv[1];
	load(argv[2], argv[3], cores);
	load_samples();
	measure(rounds);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	wall = run_replay(WHOLE, (unsigned)cores, CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("%" PRIu64 " items, by all rules, %ld threads: %.0f items/s "
	       "(%.2f us of CPU each)\n",
	    report.items, cores, 1 / wall, cpu / (double)report.items * 1e6);
	printf("resident at a tenth: %ld KiB, at the end: %ld KiB\n",
	    kib_at_tenth, kib_now);
	return 0;
}
