/* input: reads a file and finds out what it is. */
#include "verifier/cli/input.h"

#include "base/file.h"
#include "verifier/base64.h"
#include "verifier/cli/quote_input.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_BYTES 128 /* a bundle says so before that */

static const char blanks[] = " \t\r\n";

/* The bytes that this base64 stands for, or -1: it is something else. Its line
 * breaks, which tools put in, are taken out first. */
static int decode_text(
    uint8_t **out, size_t *out_len, const char *text, size_t len)
{
	char *dense = malloc(len + 1);
	size_t n = 0;
	int rc;

	*out = NULL;
	if (!dense)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || !strchr(blanks, text[i]))
			dense[n++] = text[i];
	rc = n ? base64_decode(out, out_len, dense, n) : -1;
	free(dense);
	return rc;
}

static void drop_said(struct input_said *said)
{
	free(said->sha256);
	free(said->platform);
	free(said->public_key);
	free(said->tls_spki_sha256);
	free(said->seal_public_key);
	memset(said, 0, sizeof(*said));
}

/* As json_unpack() gave it; borrowed. */
struct answer {
	const char *sha256, *platform, *key, *base64, *tls, *seal;
	size_t base64_len;
	json_int_t timestamp_ms, not_after_ms, key_epoch;
	json_t *path;
};

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* All or none: what is not kept would not be checked. */
static int keep_said(struct input_said *said, const struct answer *a)
{
	said->sha256 = copy(a->sha256);
	said->platform = copy(a->platform);
	said->public_key = copy(a->key);
	said->tls_spki_sha256 = copy(a->tls);
	said->seal_public_key = copy(a->seal);
	said->timestamp_ms = a->timestamp_ms;
	said->not_after_ms = a->not_after_ms;
	said->key_epoch = a->key_epoch;
	said->batched = a->path != NULL;
	if (said->sha256 && said->platform && said->public_key &&
	    (said->tls_spki_sha256 || !a->tls) &&
	    (said->seal_public_key || !a->seal) &&
	    (!a->path || nonce_path_read(&said->path, a->path) == 0))
		return 0;
	drop_said(said);
	return -1;
}

/* JSON around a document, exactly as GET /attestation answers it. Anything else
 * is judged as an item: or one whose "content" lost a letter would pass for the
 * good document that is still inside. */
static int decode_json(struct input_said *said, uint8_t **out, size_t *out_len,
    const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct answer a = {.path = NULL};
	int rc;

	*out = NULL;
	rc = json_unpack(root,
	    "{s:s, s:s, s:s, s:I, s:I, s:s%, s?s, s?s, s?o, s?I !}",
	    "attestation_sha256", &a.sha256, "platform", &a.platform,
	    "public_key", &a.key, "timestamp_ms", &a.timestamp_ms,
	    "not_after_ms", &a.not_after_ms, "attestation_doc_b64", &a.base64,
	    &a.base64_len, "tls_spki_sha256", &a.tls, "seal_public_key",
	    &a.seal, "nonce_path", &a.path, "key_epoch", &a.key_epoch);
	if (rc == 0)
		rc = base64_decode(out, out_len, a.base64, a.base64_len);
	if (rc == 0)
		rc = keep_said(said, &a);
	if (rc != 0) {
		free(*out);
		*out = NULL;
	}
	json_decref(root);
	return rc;
}

static bool is_attested(struct input *out)
{
	return hm_attested_parse(&out->attested, (const char *)out->bytes,
		   out->len) == HM_VALID;
}

static bool is_fetched(struct input *out)
{
	return hm_fetch_parse(&out->fetched, (const char *)out->bytes,
		   out->len) == HM_VALID;
}

void input_tell(struct input *out, uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	size_t blank = 0, decoded_len = 0;
	uint8_t *decoded = NULL;
	bool is_json;

	while (blank < len && bytes[blank] && strchr(blanks, text[blank]))
		blank++;
	is_json = blank < len && bytes[blank] == '{';
	out->kind = is_json ? INPUT_ITEM : INPUT_DOCUMENT;
	out->bytes = bytes;
	out->len = len;
	memset(&out->said, 0, sizeof(out->said));
	memset(&out->attested, 0, sizeof(out->attested));
	out->held = NULL;
	out->held_len = 0;
	memset(&out->fetched, 0, sizeof(out->fetched));
	if (is_json && is_attested(out)) {
		out->kind = INPUT_ATTESTED;
		return;
	}
	if (is_json && is_fetched(out)) {
		out->kind = INPUT_FETCHED;
		return;
	}
	if (is_json
		? decode_json(&out->said, &decoded, &decoded_len, text, len) &&
		      quote_input_page(text, len, &decoded, &decoded_len,
			  &out->held, &out->held_len)
		: decode_text(&decoded, &decoded_len, text, len))
		return;
	free(bytes);
	out->kind = INPUT_DOCUMENT;
	out->bytes = decoded;
	out->len = decoded_len;
}

int input_read(
    struct input *out, const char *path, char error[static INPUT_ERROR_MAX])
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = file_read(path, INPUT_MAX, &bytes, &len);

	memset(out, 0, sizeof(*out));
	if (rc) {
		snprintf(
		    error, INPUT_ERROR_MAX, "%.300s: %s", path, strerror(-rc));
		return -1;
	}
	input_tell(out, bytes, len);
	return 0;
}

void input_fini(struct input *input)
{
	free(input->bytes);
	free(input->held);
	drop_said(&input->said);
	hm_attested_fini(&input->attested);
	hm_envelope_fini(&input->fetched);
	memset(input, 0, sizeof(*input));
}

/* ---- a bundle ---- */

static bool begins_bundle(int fd)
{
	static const char format[] = "{\"format\":\"hallmark-bundle/";
	char text[LOOK_BYTES], dense[LOOK_BYTES];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	size_t len = 0;

	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0' || !strchr(blanks, text[i]))
			dense[len++] = text[i];
	return len >= sizeof(format) - 1 &&
	       memcmp(dense, format, sizeof(format) - 1) == 0;
}

bool input_is_bundle(const char *path)
{
	bool is_input = strcmp(path, "-") == 0;
	struct stat about;
	bool yes;
	int fd;

	/* A pipe would lose what is read of it here. */
	if ((is_input ? fstat(STDIN_FILENO, &about) : stat(path, &about)) ||
	    !S_ISREG(about.st_mode))
		return false;
	fd = is_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	yes = begins_bundle(fd);
	close(fd);
	return yes;
}
