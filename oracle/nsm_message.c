/*
 * nsm_message: requests out, answers in. See nsm_message.h.
 *
 * Answers are read with one table: the fields that each kind has, all of them
 * needed, the function that reads each and where in the struct its value goes.
 */
#include "oracle/nsm_message.h"

#include "oracle/cbor_writer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define PCRS 32 /* AWS nitro-enclaves-nsm-api: max_pcrs */

static const char *const kind_names[NSM_MESSAGE_KIND_COUNT] = {
    [NSM_MESSAGE_DESCRIBE_PCR] = "DescribePCR",
    [NSM_MESSAGE_EXTEND_PCR] = "ExtendPCR",
    [NSM_MESSAGE_LOCK_PCR] = "LockPCR",
    [NSM_MESSAGE_LOCK_PCRS] = "LockPCRs",
    [NSM_MESSAGE_DESCRIBE_NSM] = "DescribeNSM",
    [NSM_MESSAGE_ATTESTATION] = "Attestation",
    [NSM_MESSAGE_GET_RANDOM] = "GetRandom",
    [NSM_MESSAGE_ERROR] = "Error",
};

static const char *const status_texts[] = {
#define NSM_MESSAGE_TEXT(c, text) [NSM_MESSAGE_##c] = (text),
    NSM_MESSAGE_STATUSES(NSM_MESSAGE_TEXT)
#undef NSM_MESSAGE_TEXT
};

const char *nsm_message_status_text(enum nsm_message_status status)
{
	assert(status < sizeof(status_texts) / sizeof(status_texts[0]));
	return status_texts[status];
}

/* ---- requests ---- */

static void encode_attestation(
    struct writer *w, const struct attester_request *attest)
{
	writer_map(w, 3);
	writer_text(w, "user_data");
	writer_bytes_or_null(w, attest->user_data, attest->user_data_len);
	writer_text(w, "nonce");
	writer_bytes_or_null(w, attest->nonce, attest->nonce_len);
	writer_text(w, "public_key");
	writer_bytes_or_null(w, attest->public_key, attest->public_key_len);
}

static void encode_number(struct writer *w, const char *name, uint16_t value)
{
	writer_map(w, 1);
	writer_text(w, name);
	writer_uint(w, value);
}

static void encode_extend(
    struct writer *w, const struct nsm_message_request *request)
{
	writer_map(w, 2);
	writer_text(w, "index");
	writer_uint(w, request->index);
	writer_text(w, "data");
	writer_bytes(w, request->data, request->len);
}

static void encode_fields(
    struct writer *w, const struct nsm_message_request *request)
{
	if (request->kind == NSM_MESSAGE_ATTESTATION)
		encode_attestation(w, &request->attest);
	else if (request->kind == NSM_MESSAGE_EXTEND_PCR)
		encode_extend(w, request);
	else if (request->kind == NSM_MESSAGE_LOCK_PCRS)
		encode_number(w, "range", request->range);
	else
		encode_number(w, "index", request->index);
}

size_t nsm_message_encode(const struct nsm_message_request *request,
    uint8_t out[static NSM_MESSAGE_REQUEST_MAX])
{
	struct writer w;

	assert(request->kind < NSM_MESSAGE_ERROR);
	writer_init(&w, out, NSM_MESSAGE_REQUEST_MAX);
	if (request->kind == NSM_MESSAGE_DESCRIBE_NSM ||
	    request->kind == NSM_MESSAGE_GET_RANDOM) {
		writer_text(&w, kind_names[request->kind]);
	} else {
		writer_map(&w, 1);
		writer_text(&w, kind_names[request->kind]);
		encode_fields(&w, request);
	}
	return writer_end(&w);
}

/* ---- answers: the values ---- */

static int read_bool(struct cursor *cursor, void *to)
{
	return cursor_bool(cursor, to);
}

static int read_u16(struct cursor *cursor, void *to)
{
	uint64_t value;

	if (cursor_uint(cursor, &value) != 0 || value > UINT16_MAX)
		return -1;
	*(uint16_t *)to = (uint16_t)value;
	return 0;
}

static int read_bytes(struct cursor *cursor, void *to)
{
	return cursor_bytes(cursor, to, 0, NSM_MESSAGE_ANSWER_MAX);
}

/* Texts end up in logs and messages: printable ASCII, or it is no text of an
 * NSM. */
static int read_text(struct cursor *cursor, void *to)
{
	struct slice text;
	char *out = to;

	if (cursor_text(cursor, &text, 0, NSM_MESSAGE_TEXT_MAX - 1) != 0)
		return -1;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < 0x20 || text.at[i] > 0x7e)
			return -1;
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
	return 0;
}

/* An array of the numbers of PCRs, each once, to a bit for each. */
static int read_pcrs(struct cursor *cursor, void *to)
{
	uint32_t *mask = to;
	uint64_t left, pcr;

	if (cursor_array(cursor, &left) != 0)
		return -1;
	for (; left > 0; left--) {
		if (cursor_uint(cursor, &pcr) != 0 || pcr >= PCRS ||
		    (*mask >> pcr & 1) != 0)
			return -1;
		*mask |= UINT32_C(1) << pcr;
	}
	return 0;
}

/* ---- answers: their fields ---- */

#define TO(member) offsetof(struct nsm_message_answer, member)

/* A kind that is not here (LockPCR) is a bare text. */
static const struct field {
	enum nsm_message_kind kind;
	const char *name;
	int (*read)(struct cursor *cursor, void *to); /* 0, or -1 */
	size_t to;
} fields[] = {
    {NSM_MESSAGE_DESCRIBE_PCR, "lock", read_bool, TO(lock)},
    {NSM_MESSAGE_DESCRIBE_PCR, "data", read_bytes, TO(data)},
    {NSM_MESSAGE_EXTEND_PCR, "data", read_bytes, TO(data)},
    {NSM_MESSAGE_ATTESTATION, "document", read_bytes, TO(data)},
    {NSM_MESSAGE_GET_RANDOM, "random", read_bytes, TO(data)},
    {NSM_MESSAGE_DESCRIBE_NSM, "version_major", read_u16, TO(version_major)},
    {NSM_MESSAGE_DESCRIBE_NSM, "version_minor", read_u16, TO(version_minor)},
    {NSM_MESSAGE_DESCRIBE_NSM, "version_patch", read_u16, TO(version_patch)},
    {NSM_MESSAGE_DESCRIBE_NSM, "module_id", read_text, TO(module_id)},
    {NSM_MESSAGE_DESCRIBE_NSM, "max_pcrs", read_u16, TO(max_pcrs)},
    {NSM_MESSAGE_DESCRIBE_NSM, "locked_pcrs", read_pcrs, TO(locked_mask)},
    {NSM_MESSAGE_DESCRIBE_NSM, "digest", read_text, TO(digest)},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Bit i: fields[i] belongs to this kind. */
static unsigned fields_of(enum nsm_message_kind kind)
{
	unsigned mask = 0;

	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].kind == kind)
			mask |= 1u << i;
	return mask;
}

static size_t find_field(enum nsm_message_kind kind, struct slice name)
{
	size_t i = 0;

	while (i < FIELDS &&
	       (fields[i].kind != kind || !slice_is(name, fields[i].name)))
		i++;
	return i;
}

static enum nsm_message_status read_field(
    struct cursor *cursor, struct nsm_message_answer *a, unsigned *missing)
{
	struct slice name;
	size_t i;

	if (cursor_text(cursor, &name, 0, NSM_MESSAGE_TEXT_MAX) != 0)
		return NSM_MESSAGE_MALFORMED;
	i = find_field(a->kind, name);
	if (i == FIELDS)
		return NSM_MESSAGE_UNKNOWN_FIELD;
	if ((*missing >> i & 1) == 0)
		return NSM_MESSAGE_DUPLICATE_FIELD;
	*missing &= ~(1u << i);
	if (fields[i].read(cursor, (char *)a + fields[i].to) != 0)
		return NSM_MESSAGE_BAD_VALUE;
	return NSM_MESSAGE_OK;
}

static enum nsm_message_status read_fields(
    struct cursor *cursor, struct nsm_message_answer *a)
{
	unsigned missing = fields_of(a->kind);
	struct cursor_map map;
	int more;

	if (missing == 0 || cursor_map(cursor, &map, true) != 0)
		return NSM_MESSAGE_MALFORMED;
	while ((more = cursor_map_next(cursor, &map)) == 1) {
		enum nsm_message_status status = read_field(
		    cursor, a, &missing);

		if (status != NSM_MESSAGE_OK)
			return status;
	}
	if (more != 0)
		return NSM_MESSAGE_MALFORMED;
	return missing == 0 ? NSM_MESSAGE_OK : NSM_MESSAGE_MISSING_FIELD;
}

/* ---- answers: a name, or a map of one name and what it holds ---- */

static enum nsm_message_status read_name(struct cursor *cursor,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	struct slice name;

	if (cursor_text(cursor, &name, 0, NSM_MESSAGE_TEXT_MAX) != 0)
		return NSM_MESSAGE_MALFORMED;
	if (slice_is(name, kind_names[wanted]))
		a->kind = wanted;
	else if (slice_is(name, kind_names[NSM_MESSAGE_ERROR]))
		a->kind = NSM_MESSAGE_ERROR;
	else
		return NSM_MESSAGE_WRONG_ANSWER;
	return NSM_MESSAGE_OK;
}

static enum nsm_message_status read_bare(struct cursor *cursor,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	enum nsm_message_status status = read_name(cursor, a, wanted);

	if (status != NSM_MESSAGE_OK)
		return status;
	if (a->kind == NSM_MESSAGE_ERROR || fields_of(a->kind) != 0)
		return NSM_MESSAGE_MISSING_FIELD;
	return NSM_MESSAGE_OK;
}

static enum nsm_message_status read_pair(struct cursor *cursor,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	enum nsm_message_status status = read_name(cursor, a, wanted);

	if (status != NSM_MESSAGE_OK)
		return status;
	if (a->kind != NSM_MESSAGE_ERROR)
		return read_fields(cursor, a);
	return read_text(cursor, a->error) == 0 ? NSM_MESSAGE_OK
						: NSM_MESSAGE_BAD_VALUE;
}

static enum nsm_message_status read_answer(struct cursor *cursor,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	struct cursor start = *cursor;
	enum nsm_message_status status;
	struct cursor_map map;

	if (cursor_map(cursor, &map, true) != 0) {
		*cursor = start;
		return read_bare(cursor, a, wanted);
	}
	if (cursor_map_next(cursor, &map) != 1)
		return NSM_MESSAGE_MALFORMED;
	status = read_pair(cursor, a, wanted);
	if (status != NSM_MESSAGE_OK)
		return status;
	return cursor_map_next(cursor, &map) == 0 ? NSM_MESSAGE_OK
						  : NSM_MESSAGE_MALFORMED;
}

enum nsm_message_status nsm_message_decode(struct nsm_message_answer *out,
    enum nsm_message_kind wanted, const uint8_t *bytes, size_t len)
{
	enum nsm_message_status status;
	struct cursor cursor;

	assert(wanted < NSM_MESSAGE_ERROR);
	memset(out, 0, sizeof(*out));
	cursor_init(&cursor, (struct slice){bytes, len});
	status = read_answer(&cursor, out, wanted);
	if (status == NSM_MESSAGE_OK && cursor_end(&cursor) != 0)
		status = NSM_MESSAGE_TRAILING;
	if (status != NSM_MESSAGE_OK)
		memset(out, 0, sizeof(*out));
	return status;
}
