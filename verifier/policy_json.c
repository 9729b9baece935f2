/*
 * policy_json: reads a policy's JSON (README, "The policy") into struct
 * hm_policy. Strict: a key that is misspelt must not become a check that is
 * not made, so unknown keys are errors, and so are duplicates and numbers out
 * of range. The error text names the place: "releases[0].pcrs.16: ...".
 */
#include "verifier/moment.h"
#include "verifier/policy.h"
#include "verifier/policy_quote_json.h"

#include "feeds/check.h"
#include "feeds/hex.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct hm_policy *policy;
	char *error; /* HM_TEXT_MAX bytes */
};

/* Always -1, so that it can stand in a return. */
__attribute__((format(printf, 2, 3))) static int fail(
    const struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, HM_TEXT_MAX, format, args);
	va_end(args);
	return -1; /* unnamed: the caller's to judge */
}

/* "" for absent, so that the caller loops over nothing. */
static int array_or_absent(
    const struct reader *r, const json_t *value, const char *name)
{
	if (REFUSE(json_array, value != NULL && !json_is_array(value)))
		return fail(r, "%s: not an array", name);
	return 0;
}

static int read_roots(
    const struct reader *r, const json_t *names, const json_t *files)
{
	const json_t *entry;
	size_t i;

	if (array_or_absent(r, names, "roots") != 0 ||
	    array_or_absent(r, files, "root_files") != 0)
		return -1;
	json_array_foreach(names, i, entry)
	{
		const char *name = json_string_value(entry);

		if (REFUSE(json_root_string, name == NULL) ||
		    REFUSE(json_root_known,
			hm_policy_add_root_name(r->policy, name) != 0))
			return fail(r, "roots[%zu]: not a known root", i);
	}
	json_array_foreach(files, i, entry)
	{
		const char *path = json_string_value(entry);

		if (REFUSE(json_file_string, path == NULL) ||
		    REFUSE(json_file_path,
			policy_add_root_file(r->policy, path) != 0))
			return fail(r, "root_files[%zu]: not a file name", i);
	}
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "0".."99", no leading zero; -1 otherwise. Above 31 is hm_policy_add_pcr()'s
 * to refuse. */
static int pcr_index(const char *key)
{
	int index;

	if (REFUSE(json_pcr_digit, !is_digit(key[0])))
		return -1;
	index = key[0] - '0';
	if (key[1] == '\0')
		return index;
	if (REFUSE(json_pcr_zero, index == 0) ||
	    REFUSE(json_pcr_digit_2, !is_digit(key[1])) ||
	    REFUSE(json_pcr_digits, key[2] != '\0'))
		return -1;
	index = index * 10 + (key[1] - '0');
	return index;
}

static int add_pcr_text(
    const struct reader *r, int release, unsigned index, const json_t *value)
{
	const char *text = json_string_value(value);
	uint8_t pcr[HM_PCR_LEN];
	int status;

	/* The length of what is no string is 0. */
	status = hex_decode(pcr, sizeof(pcr), text, json_string_length(value));
	if (REFUSE(json_pcr_hex, status != 0))
		return -1;
	return hm_policy_add_pcr(r->policy, release, index, pcr);
}

/* One value, or an array of alternatives, at least one. */
static int read_pcr(
    const struct reader *r, int release, const char *key, const json_t *value)
{
	int index = pcr_index(key);
	const json_t *entry;
	size_t i;

	if (index < 0)
		return -1;
	if (!json_is_array(value))
		return add_pcr_text(r, release, (unsigned)index, value);
	if (REFUSE(json_pcr_none, json_array_size(value) == 0))
		return -1;
	json_array_foreach(value, i, entry)
	{
		if (add_pcr_text(r, release, (unsigned)index, entry) != 0)
			return -1;
	}
	return 0;
}

static int read_pcrs(
    const struct reader *r, size_t number, int release, json_t *pcrs)
{
	const char *key;
	json_t *value;

	if (REFUSE(json_pcrs, !json_is_object(pcrs)))
		return fail(r, "releases[%zu].pcrs: not an object", number);
	json_object_foreach(pcrs, key, value)
	{
		if (read_pcr(r, release, key, value) != 0)
			return fail(r,
			    "releases[%zu].pcrs.%.16s: not a PCR 0..31 with 96 "
			    "hexadecimal digits, or an array of such",
			    number, key);
	}
	return 0;
}

/* A missing or null bound is none. */
static int read_bound(int64_t *out, const json_t *value, int64_t none)
{
	*out = none;
	if (value == NULL || json_is_null(value))
		return 0;
	if (REFUSE(json_time_string, !json_is_string(value)))
		return -1;
	return moment_parse_rfc3339(out, json_string_value(value));
}

static int read_release(const struct reader *r, size_t number, json_t *entry)
{
	json_t *not_before = NULL, *not_after = NULL, *pcrs = NULL;
	struct policy_json_measures m = {.mrenclave = NULL};
	char measure[HM_TEXT_MAX];
	int64_t from, until;
	json_error_t why;
	const char *name;
	int release, status;

	status = json_unpack_ex(entry, &why, 0,
	    "{s:s, s?o, s?o, s?o, s?o, s?o, s?o, s?o, s?o, s?o !}", "name",
	    &name, "pcrs", &pcrs, "not_before", &not_before, "not_after",
	    &not_after, "mrenclave", &m.mrenclave, "mrsigner", &m.mrsigner,
	    "product_id", &m.product_id, "min_svn", &m.min_svn, "mrtd", &m.mrtd,
	    "rtmrs", &m.rtmrs);
	if (REFUSE(json_release_keys, status != 0))
		return fail(r, "releases[%zu]: %.100s", number, why.text);
	if (REFUSE(json_not_before,
		read_bound(&from, not_before, INT64_MIN) != 0) ||
	    REFUSE(
		json_not_after, read_bound(&until, not_after, INT64_MAX) != 0))
		return fail(
		    r, "releases[%zu]: a time is not RFC 3339 in UTC", number);
	release = hm_policy_add_release(r->policy, name, from, until);
	if (REFUSE(json_release, release < 0))
		return fail(r,
		    "releases[%zu]: a name that is empty, overlong or there "
		    "already, an empty window, or one release too many",
		    number);
	if (policy_json_read_measures(r->policy, release, &m, measure) != 0)
		return fail(r, "releases[%zu].%.140s", number, measure);
	if (pcrs != NULL)
		return read_pcrs(r, number, release, pcrs);
	if (REFUSE(json_pins, r->policy->releases[release].measures.kinds == 0))
		return fail(r,
		    "releases[%zu]: no pcrs, and no mrenclave, mrsigner or "
		    "mrtd",
		    number);
	return 0;
}

static int read_releases(const struct reader *r, const json_t *releases)
{
	json_t *entry;
	size_t i;

	if (array_or_absent(r, releases, "releases") != 0)
		return -1;
	json_array_foreach(releases, i, entry)
	{
		if (read_release(r, i, entry) != 0)
			return -1;
	}
	return 0;
}

/* 1..40 digits; zeros in front go, and an odd number gets one. */
static int parse_serial(struct policy_revoked *out, const char *text)
{
	char even[2 * CERT_SERIAL_MAX + 1] = "0";
	size_t len, odd;

	text += strspn(text, "0");
	len = strlen(text);
	odd = len % 2;
	if (REFUSE(json_serial_zero, len == 0) ||
	    REFUSE(json_serial_max, len > 2 * CERT_SERIAL_MAX))
		return -1;
	memcpy(even + odd, text, len);
	out->serial_len = (len + odd) / 2;
	return hex_decode(out->serial, out->serial_len, even, len + odd);
}

static int read_revoked(const struct reader *r, const json_t *list)
{
	struct policy_revoked revoked;
	const char *spki, *serial;
	json_error_t why;
	json_t *entry;
	int status;
	size_t i;

	if (array_or_absent(r, list, "revoked") != 0)
		return -1;
	json_array_foreach(list, i, entry)
	{
		memset(&revoked, 0, sizeof(revoked));
		if (json_unpack_ex(entry, &why, 0, "{s:s, s:s !}",
			"issuer_spki_sha256", &spki, "serial", &serial) != 0)
			return fail(r, "revoked[%zu]: %.100s", i, why.text);
		status = hex_decode(revoked.issuer_spki_sha256, HM_SHA256_LEN,
		    spki, strlen(spki));
		if (REFUSE(json_issuer, status != 0) ||
		    REFUSE(json_serial, parse_serial(&revoked, serial) != 0) ||
		    REFUSE(json_revoked_max,
			policy_add_revoked(r->policy, &revoked) != 0))
			return fail(r,
			    "revoked[%zu]: not hexadecimal, or too "
			    "many",
			    i);
	}
	return 0;
}

static int read_age(
    const struct reader *r, const json_t *value, const char *name, int64_t *ms)
{
	json_int_t seconds = json_integer_value(value);

	if (value == NULL)
		return 0;
	if (REFUSE(json_age_integer, !json_is_integer(value)) ||
	    REFUSE(json_age_negative, seconds < 0) ||
	    REFUSE(json_age_max, seconds > POLICY_AGE_MAX_S))
		return fail(r, "%s: not a number of seconds", name);
	*ms = seconds * 1000;
	return 0;
}

/* null and absent: not asked for. An empty one would match nobody's question,
 * so it is no answer to "which?". */
static int read_hex(const struct reader *r, const json_t *value,
    const char *name, struct hm_bytes *out)
{
	size_t digits = json_string_length(value); /* 0: not a string */
	const char *text = json_string_value(value);

	if (value == NULL || json_is_null(value))
		return 0;
	if (REFUSE(json_hex_empty, digits < 2) ||
	    REFUSE(json_hex_max, digits > 2 * HM_NONCE_MAX) ||
	    REFUSE(json_hex,
		hex_decode(out->bytes, digits / 2, text, digits) != 0))
		return fail(r, "%s: not 1 to %d bytes in hexadecimal", name,
		    HM_NONCE_MAX);
	out->present = true;
	out->len = digits / 2;
	return 0;
}

/* How many enclaves besides the one that published; absent: none. */
static int read_quorum(const struct reader *r, const json_t *value)
{
	if (value == NULL)
		return 0;
	if (REFUSE(json_quorum, !json_is_integer(value)) ||
	    hm_policy_set_quorum(r->policy, json_integer_value(value)) != 0)
		return fail(r, "quorum: not 0 to %d other enclaves",
		    HM_COSIGNATURES_MAX);
	return 0;
}

/* The number of the first key that will do; absent: any key. */
static int read_min_key_epoch(const struct reader *r, const json_t *value)
{
	json_int_t epoch = json_integer_value(value);

	if (value == NULL)
		return 0;
	if (REFUSE(json_key_epoch, !json_is_integer(value)) ||
	    hm_policy_set_min_key_epoch(r->policy, epoch) != 0)
		return fail(r, "min_key_epoch: not the number of a key");
	return 0;
}

struct members { /* of the file; NULL: absent */
	json_t *roots, *root_files, *releases, *max_age, *max_future;
	json_t *max_enclave_age, *booted_after, *nonce, *user_data, *revoked;
	json_t *quorum, *min_key_epoch;
	struct policy_json_quotes quotes;
	int allow_debug;
};

static int read_members(const struct reader *r, struct members *m, json_t *root)
{
	json_error_t why;
	int status;

	memset(m, 0, sizeof(*m));
	status = json_unpack_ex(root, &why, 0,
	    "{s?o, s?o, s:o, s?o, s?o, s?o, s?o, s?o, s?o, s?o, s?b, s?o, s?o,"
	    " s?o, s?o, s?b !}",
	    "roots", &m->roots, "root_files", &m->root_files, "releases",
	    &m->releases, "max_age_s", &m->max_age, "max_future_s",
	    &m->max_future, "max_enclave_age_s", &m->max_enclave_age,
	    "booted_after", &m->booted_after, "nonce", &m->nonce, "user_data",
	    &m->user_data, "revoked", &m->revoked, "insecure_allow_debug",
	    &m->allow_debug, "quorum", &m->quorum, "min_key_epoch",
	    &m->min_key_epoch, "collateral_files", &m->quotes.collateral_files,
	    "tcb_statuses", &m->quotes.tcb_statuses,
	    "insecure_without_collateral",
	    &m->quotes.insecure_without_collateral);
	if (REFUSE(json_keys, status != 0))
		return fail(r, "%.140s", why.text);
	if (json_is_null(m->max_enclave_age))
		m->max_enclave_age = NULL;
	return 0;
}

static int read_policy(const struct reader *r, json_t *root)
{
	struct hm_policy *p = r->policy;
	struct members m;

	if (read_members(r, &m, root) != 0 ||
	    read_roots(r, m.roots, m.root_files) != 0 ||
	    read_releases(r, m.releases) != 0 ||
	    read_age(r, m.max_age, "max_age_s", &p->max_age_ms) != 0 ||
	    read_age(r, m.max_future, "max_future_s", &p->max_future_ms) != 0 ||
	    read_age(r, m.max_enclave_age, "max_enclave_age_s",
		&p->max_enclave_age_ms) != 0 ||
	    read_hex(r, m.nonce, "nonce", &p->nonce) != 0 ||
	    read_hex(r, m.user_data, "user_data", &p->user_data) != 0 ||
	    read_revoked(r, m.revoked) != 0 || read_quorum(r, m.quorum) != 0 ||
	    read_min_key_epoch(r, m.min_key_epoch) != 0 ||
	    policy_json_read_quotes(p, &m.quotes, r->error) != 0)
		return -1;
	if (REFUSE(json_booted_after, read_bound(&p->booted_after_ms,
					  m.booted_after, INT64_MIN) != 0))
		return fail(r, "booted_after: not RFC 3339 in UTC");
	p->allow_debug = m.allow_debug != 0;
	return 0;
}

int hm_policy_parse(struct hm_policy **out, const char *json, size_t len,
    char error[HM_TEXT_MAX])
{
	struct reader r = {.policy = NULL, .error = error};
	json_t *root = NULL;
	json_error_t why;
	int status = -1;

	*out = NULL;
	error[0] = '\0';
	if (REFUSE(json_max, len > POLICY_JSON_MAX))
		return fail(&r, "longer than %d bytes", POLICY_JSON_MAX);
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	if (REFUSE(json_text, root == NULL))
		return fail(&r, "line %d: %.120s", why.line, why.text);
	r.policy = hm_policy_new();
	if (r.policy == NULL)
		status = fail(&r, "no memory");
	else
		status = read_policy(&r, root);
	json_decref(root);
	if (status != 0) {
		hm_policy_free(r.policy);
		return -1;
	}
	*out = r.policy;
	return 0;
}
