/*
 * kms_fixture: a keeper and credentials on Unix sockets, KMS on a TLS port and
 * an attester, each played by the test as it is told, on threads of their own;
 * and a configuration that leads to them. The "document" is the public key.
 */
#ifndef HALLMARK_TESTS_KMS_FIXTURE_H
#define HALLMARK_TESTS_KMS_FIXTURE_H

#include "base/log.h"
#include "base/now.h"
#include "oracle/attester.h"
#include "oracle/kms_key.h"
#include "tests/simulator/kms_envelope.h"
#include "tests/unit/oracle/https_fixture.h"
#include "verifier/base64.h"

#include <jansson.h>
#include <sys/un.h>
#include <unistd.h>

#define KMS_BLOB_MAX 16400

static struct {
	struct fixture f; /* its peer is KMS */
	struct config config;
	char directory[64];
	int keeper_fd, credentials_fd;
	pthread_t keeper_thread, credentials_thread;
	atomic_bool stopping;

	/* what they do */
	atomic_bool keeper_silent, keeper_forgets, kms_silent, no_attester;
	atomic_bool attester_waits;
	_Atomic(const char *) credentials; /* their JSON */
	atomic_int errors;                 /* so many answers are one first */
	_Atomic(const char *) error;       /* JSON, of status 400 */
	uint8_t data_key[KMS_DATA_KEY_LEN];
	/* Where documents are real: the key in the last one, as its attester
	 * saw it. */
	uint8_t recipient[ATTESTER_PUBLIC_KEY_MAX];
	size_t recipient_len;
	uint8_t blob[KMS_BLOB_MAX];
	size_t blob_len; /* 0: none is kept */
	atomic_uint asked, puts;
	char last_target[64];

	/* what came of it */
	unsigned fired;
	struct kms_key_made made;
	char why[300], remedy[300];
	int64_t now_ms;
	kms_attested_cb waiting; /* with attester_waits */
	void *waiting_data;
} kms;

/* ---- the parent's ---- */

static bool read_all(int fd, void *out, size_t len)
{
	return recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

static void say_framed(int fd, const void *bytes, size_t len)
{
	uint8_t head[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};

	(void)!send(fd, head, 4, MSG_NOSIGNAL);
	(void)!send(fd, bytes, len, MSG_NOSIGNAL);
}

static void answer_keeper(int fd)
{
	static uint8_t asked[KMS_BLOB_MAX + 100];
	uint8_t head[4], answer[KMS_BLOB_MAX];
	size_t len, name_len;
	char byte;

	if (!read_all(fd, head, 4))
		return;
	len = (size_t)head[2] << 8 | head[3];
	if (!read_all(fd, asked, len))
		return;
	if (kms.keeper_silent) {
		(void)!recv(fd, &byte, 1, 0); /* until it goes */
		return;
	}
	name_len = asked[1];
	if (asked[0] == 'P') {
		kms.puts++;
		if (!kms.keeper_forgets) {
			kms.blob_len = len - 2 - name_len;
			memcpy(kms.blob, asked + 2 + name_len, kms.blob_len);
		}
		say_framed(fd, "K", 1);
	} else if (kms.blob_len == 0) {
		say_framed(fd, "N", 1);
	} else {
		answer[0] = 'K';
		memcpy(answer + 1, kms.blob, kms.blob_len);
		say_framed(fd, answer, 1 + kms.blob_len);
	}
}

static void *play_keeper(void *data)
{
	int fd;

	(void)data;
	while ((fd = accept(kms.keeper_fd, NULL, NULL)) >= 0 && !kms.stopping) {
		answer_keeper(fd);
		close(fd);
	}
	close(fd);
	return NULL;
}

static void *play_credentials(void *data)
{
	int fd;

	(void)data;
	while ((fd = accept(kms.credentials_fd, NULL, NULL)) >= 0 &&
	       !kms.stopping) {
		const char *json = kms.credentials;

		say_framed(fd, json, strlen(json));
		close(fd);
	}
	close(fd);
	return NULL;
}

/* ---- KMS ---- */

static char *seal_to(const json_t *root)
{
	const char *text = json_string_value(json_object_get(
	    json_object_get(root, "Recipient"), "AttestationDocument"));
	const struct kms_envelope_options options = {.octet_strings = true};
	struct kms_envelope envelope;
	const uint8_t *end;
	uint8_t *der;
	size_t len;
	EVP_PKEY *to;

	if (base64_decode(&der, &len, text, strlen(text)) != 0)
		return NULL;
	end = kms.recipient_len > 0 ? kms.recipient : der;
	to = d2i_PUBKEY(NULL, &end,
	    (long)(kms.recipient_len > 0 ? kms.recipient_len : len));
	envelope = kms_envelope_make(
	    to, kms.data_key, sizeof(kms.data_key), &options);
	EVP_PKEY_free(to);
	free(der);
	return base64_encode(envelope.bytes, envelope.len);
}

static void answer_kms(struct peer_session *s, const char *body, size_t len)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	char *sealed = seal_to(root), *text = NULL;
	const char *error = kms.error;

	if (kms.errors > 0) {
		kms.errors--;
		if (asprintf(&text,
			"HTTP/1.1 400 Bad Request\r\nContent-Length: %zu\r\n"
			"\r\n%s",
			strlen(error), error) > 0)
			peer_say(s, text);
	} else if (asprintf(&text,
		       "{\"CiphertextBlob\":\"d3JhcHBlZA==\","
		       "\"CiphertextForRecipient\":\"%s\",\"KeyId\":\"k\"}",
		       sealed) > 0) {
		peer_json(s, text);
	}
	free(text);
	free(sealed);
	json_decref(root);
}

static void play_kms(struct peer_session *s)
{
	static __thread char body[KMS_BLOB_MAX * 2];
	const char *length, *target;
	size_t len = 0;

	if (!peer_request(s))
		return;
	length = strstr(s->head, "Content-Length: ");
	target = strstr(s->head, "X-Amz-Target: ");
	if (length == NULL || target == NULL)
		return;
	len = strtoul(length + 16, NULL, 10);
	snprintf(kms.last_target, sizeof(kms.last_target), "%.*s",
	    (int)strcspn(target + 14, "\r"), target + 14);
	for (size_t got = 0; got < len && len < sizeof(body); got++)
		if (SSL_read(s->ssl, body + got, 1) != 1)
			return;
	kms.asked++;
	if (!kms.kms_silent)
		answer_kms(s, body, len);
	peer_wait(s);
}

/* ---- the oracle's side ---- */

static void fake_attest(void *data, const uint8_t *public_key, size_t len,
    kms_attested_cb cb, void *cb_data)
{
	(void)data;
	if (kms.attester_waits) {
		kms.waiting = cb;
		kms.waiting_data = cb_data;
	} else if (kms.no_attester) {
		cb(NULL, 0, "made to fail", cb_data);
	} else {
		cb(public_key, len, NULL, cb_data);
	}
}

static int64_t kms_now_ms(void)
{
	return kms.now_ms;
}

static void on_made(const struct kms_key_made *made, void *data)
{
	assert_ptr_equal(data, &kms);
	kms.fired++;
	kms.made = *made;
	snprintf(kms.why, sizeof(kms.why), "%s", made->why ? made->why : "");
	snprintf(kms.remedy, sizeof(kms.remedy), "%s",
	    made->remedy ? made->remedy : "");
}

static int listen_at(const char *name, struct endpoint *at)
{
	char text[160];
	int fd;

	snprintf(text, sizeof(text), "unix://%s/%s", kms.directory, name);
	assert_int_equal(endpoint_parse(at, text), 0);
	fd = endpoint_listen(at, 8);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0); /* the thread waits */
	return fd;
}

static int kms_up(void **state)
{
	struct config_key *key = &kms.config.key;
	(void)state;

	memset(&kms, 0, sizeof(kms));
	snprintf(kms.directory, sizeof(kms.directory), "/tmp/test_kms.XXXXXX");
	assert_non_null(mkdtemp(kms.directory));
	fixture_begin(&kms.f, play_kms);
	peer_start(&kms.f.peer);
	kms.now_ms = 1800000000000;
	kms.credentials = "{\"AccessKeyId\":\"AKIDEXAMPLE\","
			  "\"SecretAccessKey\":\"secret\",\"Token\":\"t\"}";
	memset(kms.data_key, 7, sizeof(kms.data_key));
	memset(kms.config.sha256, 1, sizeof(kms.config.sha256));
	key->kms = true;
	snprintf(key->key_id, sizeof(key->key_id), "alias/k");
	snprintf(key->region, sizeof(key->region), "eu-central-1");
	snprintf(key->host, sizeof(key->host), "localhost");
	key->port = kms.f.peer.port;
	kms.keeper_fd = listen_at("keeper", &key->blob);
	kms.credentials_fd = listen_at("credentials", &key->credentials);
	pthread_create(&kms.keeper_thread, NULL, play_keeper, NULL);
	pthread_create(&kms.credentials_thread, NULL, play_credentials, NULL);
	return 0;
}

static void end_listener(int fd, const char *name, pthread_t thread)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int one = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(
	    un.sun_path, sizeof(un.sun_path), "%.60s/%s", kms.directory, name);
	(void)!connect(one, (struct sockaddr *)&un, sizeof(un));
	close(one);
	pthread_join(thread, NULL);
	close(fd);
	unlink(un.sun_path);
}

static int kms_down(void **state)
{
	(void)state;
	signer_free(kms.made.signer);
	kms.stopping = true;
	end_listener(kms.keeper_fd, "keeper", kms.keeper_thread);
	end_listener(kms.credentials_fd, "credentials", kms.credentials_thread);
	rmdir(kms.directory);
	uv_close((uv_handle_t *)&kms.f.pause, NULL);
	uv_run(&kms.f.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&kms.f.loop), 0);
	peer_stop(&kms.f.peer);
	SSL_CTX_free(kms.f.peer.context);
	alarm(0);
	return 0;
}

static struct kms_key *begin(uint64_t make_epoch, uint64_t wait_ms)
{
	signer_free(kms.made.signer);
	kms.made.signer = NULL;
	kms.fired = 0;
	return kms_key_start(&(struct kms_key_options){.loop = &kms.f.loop,
	    .config = &kms.config,
	    .tls = fixture_tls,
	    .attester = {.ask = fake_attest},
	    .make_epoch = make_epoch,
	    .wait_ms = wait_ms,
	    .now_ms = kms_now_ms,
	    .cb = on_made,
	    .data = &kms});
}

static void finish(uint64_t make_epoch, uint64_t wait_ms)
{
	(void)begin(make_epoch, wait_ms);
	assert_int_equal(kms.fired, 0);
	while (kms.fired == 0)
		uv_run(&kms.f.loop, UV_RUN_ONCE);
	assert_int_equal(kms.fired, 1);
}

#endif
