/*
 * nsm_core: see nsm_core.h.
 *
 * A request is read into one struct, whatever its kind; each kind then takes
 * the fields it has. What an NSM refuses it names: InvalidIndex above PCR31,
 * ReadOnlyIndex for a locked one, InputTooLarge, and InvalidOperation for what
 * is no request (AWS aws-nitro-enclaves-nsm-api, src/api/mod.rs, ErrorCode).
 */
#include "tests/vm/nsm_core.h"

#include "oracle/cbor_writer.h"
#include "verifier/cose.h"
#include "verifier/document.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define PCRS         32
#define RANDOM_BYTES 256
#define NAME_MAX_LEN 32   /* of a kind or a field; the longest has 13 */
#define ABSENT       9999 /* an index or range that was not given */

struct asked { /* borrowed from the request's bytes */
	struct slice name;
	bool bare; /* a name without fields */
	uint64_t index, range;
	struct slice data, nonce, user_data, public_key; /* null: at NULL */
};

/* ---- requests ---- */

static int read_optional(struct cursor *c, struct slice *out)
{
	return cursor_take_null(c) ? 0 : cursor_bytes(c, out, 0, SIZE_MAX);
}

static int read_field(struct cursor *c, struct asked *q)
{
	struct slice name;

	if (cursor_text(c, &name, 1, NAME_MAX_LEN) != 0)
		return -1;
	if (slice_is(name, "index"))
		return cursor_uint(c, &q->index);
	if (slice_is(name, "range"))
		return cursor_uint(c, &q->range);
	if (slice_is(name, "data"))
		return cursor_bytes(c, &q->data, 0, SIZE_MAX);
	if (slice_is(name, "nonce"))
		return read_optional(c, &q->nonce);
	if (slice_is(name, "user_data"))
		return read_optional(c, &q->user_data);
	if (slice_is(name, "public_key"))
		return read_optional(c, &q->public_key);
	return -1;
}

static int read_map(struct cursor *c, struct asked *q)
{
	struct cursor_map map;
	int more;

	if (cursor_map(c, &map, false) != 0 || map.left != 1 ||
	    cursor_text(c, &q->name, 1, NAME_MAX_LEN) != 0 ||
	    cursor_map(c, &map, false) != 0)
		return -1;
	while ((more = cursor_map_next(c, &map)) == 1)
		if (read_field(c, q) != 0)
			return -1;
	return more;
}

static int read_request(struct asked *q, struct slice bytes)
{
	struct cursor c;

	*q = (struct asked){.index = ABSENT, .range = ABSENT};
	cursor_init(&c, bytes);
	q->bare = cursor_text(&c, &q->name, 1, NAME_MAX_LEN) == 0;
	if (q->bare)
		return cursor_end(&c);
	cursor_init(&c, bytes);
	return read_map(&c, q) == 0 ? cursor_end(&c) : -1;
}

/* ---- answers ---- */

static void say_error(struct writer *w, const char *why)
{
	writer_map(w, 1);
	writer_text(w, "Error");
	writer_text(w, why);
}

static void say_bytes(struct writer *w, const char *name, const char *field,
    const uint8_t *bytes, size_t len)
{
	writer_map(w, 1);
	writer_text(w, name);
	writer_map(w, 1);
	writer_text(w, field);
	writer_bytes(w, bytes, len);
}

static bool is_locked(const struct nsm_core *core, unsigned index,
    uint8_t value[ATTESTER_PCR_LEN])
{
	char error[ATTESTER_ERROR_MAX];
	int locked = 0;

	(void)core->attester->ops->describe_pcr(
	    core->attester, index, value, &locked, error);
	return locked != 0;
}

static void describe_nsm(struct nsm_core *core, struct writer *w)
{
	uint8_t value[ATTESTER_PCR_LEN];
	size_t locked = 0;

	for (unsigned i = 0; i < PCRS; i++)
		locked += is_locked(core, i, value);
	writer_map(w, 1);
	writer_text(w, "DescribeNSM");
	writer_map(w, 7);
	writer_text(w, "version_major");
	writer_uint(w, 1);
	writer_text(w, "version_minor");
	writer_uint(w, 0);
	writer_text(w, "version_patch");
	writer_uint(w, 0);
	writer_text(w, "module_id");
	writer_text(w, core->module_id);
	writer_text(w, "max_pcrs");
	writer_uint(w, PCRS);
	writer_text(w, "locked_pcrs");
	writer_array(w, locked);
	for (unsigned i = 0; i < PCRS; i++)
		if (is_locked(core, i, value))
			writer_uint(w, i);
	writer_text(w, "digest");
	writer_text(w, "SHA384");
}

static void get_random(struct writer *w)
{
	uint8_t bytes[RANDOM_BYTES];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		say_error(w, "InternalError");
	else
		say_bytes(w, "GetRandom", "random", bytes, sizeof(bytes));
}

static void attest(
    struct nsm_core *core, const struct asked *q, struct writer *w)
{
	const struct attester_request request = {
	    .public_key = q->public_key.at,
	    .public_key_len = q->public_key.len,
	    .user_data = q->user_data.at,
	    .user_data_len = q->user_data.len,
	    .nonce = q->nonce.at,
	    .nonce_len = q->nonce.len,
	};
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	char error[ATTESTER_ERROR_MAX];
	size_t len;

	if (core->attester->ops->attest(
		core->attester, &request, document, &len, error) == 0)
		say_bytes(w, "Attestation", "document", document, len);
	else
		say_error(w, strstr(error, "InputTooLarge") != NULL
				 ? "InputTooLarge"
				 : "InternalError");
}

/* Locks what is below it; what is locked already stays so. */
static void lock_range(
    struct nsm_core *core, const struct asked *q, struct writer *w)
{
	char error[ATTESTER_ERROR_MAX];

	if (q->range > PCRS) {
		say_error(w, "InvalidIndex");
		return;
	}
	for (unsigned i = 0; i < q->range; i++)
		(void)core->attester->ops->lock_pcr(core->attester, i, error);
	writer_text(w, "LockPCRs");
}

static void describe_pcr(
    const uint8_t value[ATTESTER_PCR_LEN], bool locked, struct writer *w)
{
	writer_map(w, 1);
	writer_text(w, "DescribePCR");
	writer_map(w, 2);
	writer_text(w, "lock");
	writer_bool(w, locked);
	writer_text(w, "data");
	writer_bytes(w, value, ATTESTER_PCR_LEN);
}

/* What is about one PCR: DescribePCR, ExtendPCR, LockPCR. */
static void answer_pcr(
    struct nsm_core *core, const struct asked *q, struct writer *w)
{
	struct attester *attester = core->attester;
	unsigned index = (unsigned)q->index;
	uint8_t value[ATTESTER_PCR_LEN];
	char error[ATTESTER_ERROR_MAX];
	bool locked;
	int rc;

	if (q->index >= PCRS) {
		say_error(w, "InvalidIndex");
		return;
	}
	locked = is_locked(core, index, value);
	if (slice_is(q->name, "DescribePCR")) {
		describe_pcr(value, locked, w);
	} else if (locked) {
		say_error(w, "ReadOnlyIndex");
	} else if (slice_is(q->name, "LockPCR")) {
		rc = attester->ops->lock_pcr(attester, index, error);
		if (rc == 0)
			writer_text(w, "LockPCR");
		else
			say_error(w, "InternalError");
	} else {
		rc = attester->ops->extend_pcr(
		    attester, index, q->data.at, q->data.len, error);
		(void)is_locked(core, index, value);
		if (rc == 0)
			say_bytes(w, "ExtendPCR", "data", value, sizeof(value));
		else
			say_error(w, "InternalError");
	}
}

static void answer_bare(
    struct nsm_core *core, const struct asked *q, struct writer *w)
{
	if (slice_is(q->name, "DescribeNSM"))
		describe_nsm(core, w);
	else if (slice_is(q->name, "GetRandom"))
		get_random(w);
	else
		say_error(w, "InvalidOperation");
}

static bool is_about_pcr(const struct asked *q)
{
	return slice_is(q->name, "DescribePCR") ||
	       slice_is(q->name, "LockPCR") ||
	       (slice_is(q->name, "ExtendPCR") && q->data.at != NULL);
}

static void answer_with_fields(
    struct nsm_core *core, const struct asked *q, struct writer *w)
{
	if (slice_is(q->name, "Attestation"))
		attest(core, q, w);
	else if (slice_is(q->name, "LockPCRs"))
		lock_range(core, q, w);
	else if (is_about_pcr(q))
		answer_pcr(core, q, w);
	else
		say_error(w, "InvalidOperation");
}

size_t nsm_core_answer(struct nsm_core *core, const uint8_t *request,
    size_t len, uint8_t out[static NSM_MESSAGE_ANSWER_MAX])
{
	struct asked q;
	struct writer w;

	writer_init(&w, out, NSM_MESSAGE_ANSWER_MAX);
	if (read_request(&q, (struct slice){request, len}) != 0)
		say_error(&w, "InvalidOperation");
	else if (q.bare)
		answer_bare(core, &q, &w);
	else
		answer_with_fields(core, &q, &w);
	return writer_end(&w);
}

/* ---- start ---- */

int nsm_core_init(struct nsm_core *core, struct attester *attester,
    char error[ATTESTER_ERROR_MAX])
{
	const struct attester_request nothing = {.public_key = NULL};
	uint8_t bytes[ATTESTER_DOCUMENT_MAX];
	struct document_certs certs;
	struct hm_document document;
	struct cose cose;
	size_t len;

	*core = (struct nsm_core){.attester = attester};
	if (attester->ops->attest(attester, &nothing, bytes, &len, error) != 0)
		return -1;
	if (cose_parse(&cose, bytes, len) != HM_VALID ||
	    document_parse(&document, &certs, cose.payload) != HM_VALID) {
		snprintf(error, ATTESTER_ERROR_MAX, "no document of ours");
		return -1;
	}
	memcpy(core->module_id, document.module_id, sizeof(core->module_id));
	return 0;
}
