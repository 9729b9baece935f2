/*
 * fetched: see fetched.h. As tree_head.c: the writer is jansson, which keeps
 * the order in which keys were set; the reader takes what JSON it is, and then
 * asks the writer whether it would have written these very bytes.
 */
#include "verifier/fetched.h"

#include "feeds/check.h"
#include "feeds/item_check.h"
#include "verifier/base64.h"
#include "verifier/hex_json.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */
#define LETTERS   "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS    "0123456789"
/* RFC 3986, 3.3: pchar, without escapes; and without ";", behind which some
 * servers do not look for dots. */
#define PCHAR LETTERS CAPITALS DIGITS "-._~!$&'()*+,=:@"

/* ---- what can be asked for ---- */

/* The label at `text`, of this length, behind which there may be others. */
static bool is_label(const char *text, size_t len)
{
	return REQUIRE(fetched_label_min, len > 0) &&
	       REQUIRE(fetched_label_max, len <= LABEL_MAX) &&
	       REQUIRE(fetched_label_first, text[0] != '-') &&
	       REQUIRE(fetched_label_last, text[len - 1] != '-');
}

bool fetched_is_hostname(const char *text)
{
	size_t len = strlen(text), label;
	const char *at = text;

	if (REFUSE(fetched_host_max,
		len >= sizeof(((struct hm_fetched *)0)->hostname)))
		return false;
	for (;; at += label + 1) {
		label = strspn(at, LETTERS DIGITS "-");
		if (!is_label(at, label))
			return false;
		if (at[label] != '.')
			break;
	}
	/* An address ends in digits, a name does not (RFC 3696, 2). */
	return REQUIRE(fetched_host_end, at[label] == '\0') &&
	       REQUIRE(fetched_host_address, strspn(at, DIGITS) < label);
}

/* A segment is not empty unless it is the last one, and not of dots only. */
static bool is_segment(const char *text, size_t len, bool is_last)
{
	return REQUIRE(fetched_segment_empty, len > 0 || is_last) &&
	       REQUIRE(
		   fetched_segment_dots, len == 0 || strspn(text, ".") < len);
}

static bool is_query(const char *text)
{
	static const char hex[] = DIGITS "abcdefABCDEF";

	while (*(text += strspn(text, PCHAR ";/?")) == '%') {
		if (REFUSE(fetched_escape, strspn(text + 1, hex) < 2))
			return false;
		text += 3;
	}
	return REQUIRE(fetched_query_end, *text == '\0');
}

bool fetched_is_path(const char *text)
{
	const char *at = text;

	if (REFUSE(fetched_path_max, strlen(text) >= HM_FETCHED_PATH_MAX) ||
	    REFUSE(fetched_path_begin, text[0] != '/'))
		return false;
	while (*at == '/') {
		size_t len = strspn(++at, PCHAR);

		if (!is_segment(at, len, at[len] != '/'))
			return false;
		at += len;
	}
	if (*at == '?')
		return is_query(at + 1);
	return REQUIRE(fetched_path_end, *at == '\0');
}

/* ---- whether it holds together ---- */

static bool is_time(int64_t ms)
{
	return ms >= 0 && ms <= ITEM_INTEGER_MAX;
}

static bool makes_sense(const struct hm_fetched *f)
{
	return fetched_is_hostname(f->hostname) && fetched_is_path(f->path) &&
	       REQUIRE(fetched_port_0, f->port > 0) &&
	       REQUIRE(fetched_port_max, f->port <= 65535) &&
	       REQUIRE(fetched_status_min, f->status >= 200) &&
	       REQUIRE(fetched_status_max, f->status <= 599) &&
	       REQUIRE(fetched_body_max, f->body_len <= HM_FETCHED_BODY_MAX) &&
	       REQUIRE(fetched_date, f->date_ms == -1 || is_time(f->date_ms)) &&
	       REQUIRE(fetched_time, is_time(f->fetched_ms));
}

/* ---- writing ---- */

static bool has_control(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < ' ' && bytes[i] != '\t' && bytes[i] != '\n' &&
		    bytes[i] != '\r')
			return true;
	return false; /* unnamed: a fact */
}

/* As text, or NULL: it is none. */
static json_t *text_of(const uint8_t *bytes, size_t len)
{
	if (has_control(bytes, len))
		return NULL;
	return json_stringn((const char *)bytes, len);
}

static json_t *base64_of(const uint8_t *bytes, size_t len)
{
	char *text = base64_encode(bytes, len);
	json_t *out = text != NULL ? json_string(text) : NULL;

	free(text);
	return out;
}

static json_t *tree_of(const struct hm_fetched *f)
{
	const uint8_t *body = f->body_len > 0 ? f->body : (const uint8_t *)"";
	json_t *text = text_of(body, f->body_len);
	uint8_t sha256[HM_SHA256_LEN];

	if (EVP_Digest(body, f->body_len, sha256, NULL, EVP_sha256(), NULL) !=
	    1) {
		json_decref(text);
		return NULL;
	}
	/* Where memory ended, json_pack() has a NULL and gives none. */
	return json_pack(
	    "{s:s, s:o, s:s, s:I, s:s, s:I, s:o, s:o, s:o, s:o, s:I, s:o}",
	    "format", FETCHED_FORMAT, "boot_id",
	    hex_json(f->boot_id, sizeof(f->boot_id)), "hostname", f->hostname,
	    "port", (json_int_t)f->port, "path", f->path, "status",
	    (json_int_t)f->status, text != NULL ? "body" : "body_b64",
	    text != NULL ? text : base64_of(body, f->body_len), "body_sha256",
	    hex_json(sha256, sizeof(sha256)), "tls_spki_sha256",
	    hex_json(f->tls_spki_sha256, HM_SHA256_LEN), "date_ms",
	    f->date_ms < 0 ? json_null() : json_integer(f->date_ms),
	    "fetched_ms", (json_int_t)f->fetched_ms, "config_sha256",
	    hex_json(f->config_sha256, HM_SHA256_LEN));
}

char *fetched_encode(const struct hm_fetched *fetched, size_t *len)
{
	json_t *tree = makes_sense(fetched) ? tree_of(fetched) : NULL;
	char *text = tree != NULL ? json_dumps(tree, JSON_COMPACT) : NULL;

	json_decref(tree);
	*len = text != NULL ? strlen(text) : 0;
	return text;
}

/* ---- reading: whatever is left unsaid here, the writer says ---- */

static int copy_body(struct hm_fetched *out, const char *text, size_t len)
{
	out->body = malloc(len + 1);
	if (out->body == NULL)
		return -1;
	memcpy(out->body, text, len);
	out->body[len] = '\0';
	out->body_len = len;
	return 0;
}

/* One of the two; with neither, or both, it is not as it was written. */
static int read_body(
    struct hm_fetched *out, const json_t *text, const json_t *base64)
{
	const char *coded = json_string_value(base64);
	uint8_t *bytes;
	size_t len;
	int status;

	if (json_is_string(text))
		return copy_body(
		    out, json_string_value(text), json_string_length(text));
	if (base64_decode(&bytes, &len, coded != NULL ? coded : "",
		json_string_length(base64)) != 0)
		return -1;
	status = copy_body(out, (const char *)bytes, len);
	free(bytes);
	return status;
}

/* -1 stands for null, and a number that is none for what no writer writes. */
static int64_t read_date(const json_t *date)
{
	/* unnamed: no refusal */
	if (json_is_null(date))
		return -1;
	return json_is_integer(date) ? json_integer_value(date) : -2;
}

/* tree may be NULL: not JSON. What is cut or wraps is not as it was written. */
static int read_tree(struct hm_fetched *out, json_t *tree)
{
	const char *format, *boot_id, *host, *path, *sha256, *spki, *config;
	json_int_t port, status, fetched_ms;
	json_t *text = NULL, *base64 = NULL, *date;
	int unpacked = json_unpack(tree,
	    "{s:s, s:s, s:s, s:I, s:s, s:I, s?o, s?o, s:s, s:s, s:o, s:I, s:s}",
	    "format", &format, "boot_id", &boot_id, "hostname", &host, "port",
	    &port, "path", &path, "status", &status, "body", &text, "body_b64",
	    &base64, "body_sha256", &sha256, "tls_spki_sha256", &spki,
	    "date_ms", &date, "fetched_ms", &fetched_ms, "config_sha256",
	    &config);

	if (REFUSE(fetched_members, unpacked != 0))
		return -1;
	snprintf(out->hostname, sizeof(out->hostname), "%s", host);
	snprintf(out->path, sizeof(out->path), "%s", path);
	out->port = (unsigned)port;
	out->status = (int)status;
	out->date_ms = read_date(date);
	out->fetched_ms = fetched_ms;
	hex_json_read(out->boot_id, sizeof(out->boot_id), boot_id);
	hex_json_read(out->body_sha256, HM_SHA256_LEN, sha256);
	hex_json_read(out->tls_spki_sha256, HM_SHA256_LEN, spki);
	hex_json_read(out->config_sha256, HM_SHA256_LEN, config);
	return read_body(out, text, base64);
}

/* With the body's own hash in it. */
static bool is_as_written(
    const struct hm_fetched *fetched, const char *text, size_t len)
{
	size_t again_len;
	char *again = fetched_encode(fetched, &again_len);
	bool same = again != NULL && again_len == len &&
		    memcmp(again, text, len) == 0;

	free(again);
	return REQUIRE(fetched_as_written, same);
}

int fetched_decode(struct hm_fetched *out, const char *text, size_t len)
{
	json_t *tree = NULL;
	bool ok;

	memset(out, 0, sizeof(*out));
	/* unnamed: what is so long would not have been written */
	if (len <= FETCHED_CONTENT_MAX)
		tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	ok = read_tree(out, tree) == 0 && is_as_written(out, text, len);
	json_decref(tree);
	if (!ok)
		hm_fetched_fini(out);
	return ok ? 0 : -1; /* unnamed: by what was wrong */
}

void hm_fetched_fini(struct hm_fetched *fetched)
{
	free(fetched->body);
	memset(fetched, 0, sizeof(*fetched));
}
