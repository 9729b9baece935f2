/*
 * nonce_load: challenges an oracle with fresh nonces on some connections, each
 * as soon as its last answer is there, and judges every answer, for
 * bench_nonces.py.
 *
 *   nonce_load PORT CONNECTIONS SECONDS POLICY
 *
 * An answer is good if its document is, by the policy and at this moment (each
 * new one is verified once; after that it must be the same text), and if the
 * document's nonce is the one that was sent, or the root of a tree in which it
 * is a leaf. The first answer that is not ends it with status 1. Prints how
 * many were good, the 50th and 99th percentile of the time that took in us, and
 * how many documents they came in.
 */
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/base64.h"
#include "verifier/daemon/policy_file.h"
#include "verifier/nonce_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define ANSWER_MAX      16384
#define NONCE_LEN       32
#define SLOTS           1000 /* of a histogram, 1 ms each; the last: more */
#define KNOWN           8    /* documents that may still come */

static struct connection {
	int fd;
	uint8_t nonce[NONCE_LEN];
	char answer[ANSWER_MAX + 1];
	size_t got, want; /* want 0: the head is not whole */
	int64_t asked_us;
} * connections;

static struct known { /* a document that was judged */
	char *base64;
	size_t len;
	struct hm_bytes nonce;
} known[KNOWN];
static unsigned newest;

static uint64_t histogram[SLOTS], answered, documents;
static struct hm_policy *policy;
static struct hm_cache *cache;

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *why)
{
	fprintf(stderr, "nonce_load: %s\n", why);
	exit(1);
}

/* ---- judging ---- */

static const struct known *judge_document(const char *base64, size_t len)
{
	struct known *next;
	struct hm_document document;
	uint8_t *bytes = NULL;
	size_t bytes_len;

	for (unsigned i = 0; i < KNOWN; i++)
		if (known[i].len == len &&
		    memcmp(known[i].base64, base64, len) == 0)
			return &known[i];
	if (base64_decode(&bytes, &bytes_len, base64, len) != 0 ||
	    hm_document_verify_live(policy, cache, bytes, bytes_len,
		now_unix_ms(), NULL, 0, &document, NULL) != HM_VALID)
		fail("a document that is not valid");
	free(bytes);
	newest = (newest + 1) % KNOWN;
	next = &known[newest];
	free(next->base64);
	next->base64 = strndup(base64, len);
	next->len = len;
	next->nonce = document.nonce;
	documents++;
	return next;
}

/* The text behind "name":, or NULL. */
static const char *member(const char *json, const char *name)
{
	char wanted[64];
	const char *at;

	snprintf(wanted, sizeof(wanted), "\"%s\":", name);
	at = strstr(json, wanted);
	return at != NULL ? at + strlen(wanted) : NULL;
}

static void judge(const struct connection *c, const char *json)
{
	const char *base64 = member(json, "attestation_doc_b64");
	const char *path_text = member(json, "nonce_path");
	struct nonce_path path = {.size = 0};
	const struct known *document;
	json_t *tree = NULL;

	if (base64 == NULL || *base64 != '"')
		fail("an answer without a document");
	document = judge_document(base64 + 1, strcspn(base64 + 1, "\""));
	if (path_text != NULL) {
		tree = json_loads(path_text, JSON_DISABLE_EOF_CHECK, NULL);
		if (tree == NULL || nonce_path_read(&path, tree) != 0)
			fail("a path that is none");
	}
	if (hm_nonce_verify(document->nonce.bytes, document->nonce.len,
		c->nonce, NONCE_LEN, path.index, path.size,
		(const uint8_t(*)[HM_SHA256_LEN])path.proof.hashes,
		path.proof.count) != HM_VALID)
		fail("a document that does not answer the nonce");
	json_decref(tree);
}

/* ---- asking ---- */

static void ask(struct connection *c)
{
	char hex[2 * NONCE_LEN + 1], request[256];
	int len;

	if (RAND_bytes(c->nonce, NONCE_LEN) != 1)
		fail("no random bytes");
	hex_encode(c->nonce, NONCE_LEN, hex);
	len = snprintf(request, sizeof(request),
	    "GET /attestation?nonce=%s HTTP/1.1\r\nHost: x\r\n\r\n", hex);
	c->got = c->want = 0;
	c->asked_us = now_us();
	if (send(c->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		fail("the request was not taken");
}

static void read_head(struct connection *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n");
	const char *length;

	if (end == NULL)
		return;
	length = strcasestr(c->answer, "\r\nContent-Length: ");
	if (strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0 || length == NULL ||
	    length > end)
		fail("not the answer that was asked for");
	c->want = (size_t)(end + 4 - c->answer) +
		  strtoul(length + 18, NULL, 10);
	if (c->want > ANSWER_MAX)
		fail("an answer that is too long");
}

static void on_readable(struct connection *c)
{
	ssize_t n = recv(
	    c->fd, c->answer + c->got, ANSWER_MAX - c->got, MSG_DONTWAIT);
	int64_t ms;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("the server closed");
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	if (c->want == 0)
		read_head(c);
	if (c->want == 0 || c->got < c->want)
		return;
	if (c->got > c->want)
		fail("more than one answer");
	judge(c, strstr(c->answer, "\r\n\r\n"));
	ms = (now_us() - c->asked_us) / 1000;
	histogram[ms < SLOTS ? ms : SLOTS - 1]++;
	answered++;
	ask(c);
}

static int connect_to(unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		fail("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static unsigned percentile_us(unsigned percent)
{
	uint64_t seen = 0;

	for (unsigned ms = 0; ms < SLOTS; ms++) {
		seen += histogram[ms];
		if (seen * 100 >= answered * percent)
			return ms * 1000;
	}
	return SLOTS * 1000;
}

static void run(unsigned port, unsigned count, unsigned seconds)
{
	static struct epoll_event events[CONNECTIONS_MAX];
	int epoll_fd = epoll_create1(0);
	int64_t end;

	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = {
		    .events = EPOLLIN, .data.ptr = &connections[i]};

		connections[i].fd = connect_to(port);
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event);
	}
	for (unsigned i = 0; i < count; i++)
		ask(&connections[i]);
	end = now_us() + (int64_t)seconds * 1000000;
	while (now_us() < end) {
		int n = epoll_wait(epoll_fd, events, CONNECTIONS_MAX, 1000);

		for (int i = 0; i < n; i++)
			on_readable(events[i].data.ptr);
	}
}

int main(int argc, char **argv)
{
	char error[POLICY_FILE_ERROR_MAX];
	unsigned count;

	if (argc != 5)
		return 1;
	count = (unsigned)strtoul(argv[2], NULL, 10);
	if (count == 0 || count > CONNECTIONS_MAX)
		fail("so many connections?");
	if (policy_file_load(&policy, argv[4], error) != 0)
		fail(error);
	cache = hm_cache_new(KNOWN);
	connections = calloc(count, sizeof(*connections));
	if (cache == NULL || connections == NULL)
		fail("out of memory");
	run((unsigned)strtoul(argv[1], NULL, 10), count,
	    (unsigned)strtoul(argv[3], NULL, 10));
	printf("%llu %u %u %llu\n", (unsigned long long)answered,
	    percentile_us(50), percentile_us(99),
	    (unsigned long long)documents);
	return 0;
}
