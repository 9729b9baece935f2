/* policy_summary: see policy_summary.h. */
#include "verifier/daemon/policy_summary.h"

#include "base/log.h"
#include "verifier/hex_json.h"
#include "verifier/known_roots.h"
#include "verifier/moment.h"
#include "verifier/policy.h"

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static json_t *or_die(json_t *value)
{
	if (!value)
		log_die("policy_summary", "out of memory");
	return value;
}

static json_t *hex(const uint8_t *bytes, size_t len)
{
	return or_die(hex_json(bytes, len));
}

static json_t *moment_or_null(int64_t ms, int64_t none)
{
	char text[MOMENT_TEXT_MAX];

	if (ms == none)
		return json_null();
	moment_format(ms, text);
	return or_die(json_string(text));
}

static json_t *bytes_or_null(const struct hm_bytes *bytes)
{
	return bytes->present ? hex(bytes->bytes, bytes->len) : json_null();
}

/* ---- roots ---- */

static bool is_known(const char *name)
{
	for (const struct known_root *r = known_roots; r->name != NULL; r++)
		if (strcmp(r->name, name) == 0)
			return true;
	return false;
}

static json_t *pem(const struct cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	json_t *text;
	char *at;
	long len;

	if (!bio || PEM_write_bio_X509(bio, cert->x509) != 1)
		log_die("policy_summary", "out of memory");
	len = BIO_get_mem_data(bio, &at);
	text = or_die(json_stringn(at, (size_t)len));
	BIO_free(bio);
	return text;
}

static void add_roots(
    const struct hm_policy *policy, json_t *names, json_t *files, json_t *pems)
{
	char file[32];

	for (size_t i = 0; i < policy->root_count; i++) {
		const struct policy_root *root = &policy->roots[i];

		if (is_known(root->name)) {
			json_array_append_new(
			    names, or_die(json_string(root->name)));
			continue;
		}
		snprintf(file, sizeof(file), "root-%zu.pem", i);
		json_array_append_new(files, or_die(json_string(file)));
		json_array_append_new(pems, pem(&root->cert));
	}
}

/* ---- releases and what is revoked ---- */

static json_t *pins(const struct policy_release *release)
{
	json_t *out = or_die(json_object());
	char index[4];

	for (size_t i = 0; i < release->pin_count; i++) {
		const struct policy_pin *pin = &release->pins[i];
		json_t *values;

		snprintf(index, sizeof(index), "%u", pin->index % HM_PCR_COUNT);
		values = json_object_get(out, index);
		if (!values) {
			values = or_die(json_array());
			json_object_set_new(out, index, values);
		}
		json_array_append_new(values, hex(pin->value, HM_PCR_LEN));
	}
	return out;
}

static json_t *releases(const struct hm_policy *policy)
{
	json_t *out = or_die(json_array());

	for (size_t i = 0; i < policy->release_count; i++) {
		const struct policy_release *r = &policy->releases[i];

		/* The dashboard judges no quotes. */
		if (r->measures.kinds != 0)
			continue;
		json_array_append_new(
		    out, or_die(json_pack("{s:s, s:o, s:o, s:o}", "name",
			     r->name, "pcrs", pins(r), "not_before",
			     moment_or_null(r->not_before_ms, INT64_MIN),
			     "not_after",
			     moment_or_null(r->not_after_ms, INT64_MAX))));
	}
	return out;
}

static json_t *revoked(const struct hm_policy *policy)
{
	json_t *out = or_die(json_array());

	for (size_t i = 0; i < policy->revoked_count; i++) {
		const struct policy_revoked *r = &policy->revoked[i];

		json_array_append_new(
		    out, or_die(json_pack("{s:o, s:o}", "issuer_spki_sha256",
			     hex(r->issuer_spki_sha256, HM_SHA256_LEN),
			     "serial", hex(r->serial, r->serial_len))));
	}
	return out;
}

char *policy_summary_json(const struct hm_policy *policy)
{
	json_t *names = or_die(json_array()), *files = or_die(json_array());
	json_t *pems = or_die(json_array()), *root;
	char *text;

	add_roots(policy, names, files, pems);
	root = or_die(json_pack(
	    "{s:{s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:i},"
	    " s:o}",
	    "policy", "roots", names, "root_files", files, "releases",
	    releases(policy), "max_age_s",
	    (json_int_t)(policy->max_age_ms / 1000), "max_future_s",
	    (json_int_t)(policy->max_future_ms / 1000), "max_enclave_age_s",
	    policy->max_enclave_age_ms < 0
		? json_null()
		: json_integer(policy->max_enclave_age_ms / 1000),
	    "booted_after", moment_or_null(policy->booted_after_ms, INT64_MIN),
	    "nonce", bytes_or_null(&policy->nonce), "user_data",
	    bytes_or_null(&policy->user_data), "revoked", revoked(policy),
	    "insecure_allow_debug", policy->allow_debug, "min_key_epoch",
	    (json_int_t)policy->min_key_epoch, "quorum", (int)policy->quorum,
	    "root_pems", pems));
	text = json_dumps(root, JSON_COMPACT);
	if (!text)
		log_die("policy_summary", "out of memory");
	json_decref(root);
	return text;
}
