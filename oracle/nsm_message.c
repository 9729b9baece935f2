/*
 * nsm_message: requests out, answers in. See nsm_message.h.
 *
 * Answers are read with one table: the fields that each kind has, all of them
 * needed, the type of each and where in the struct its value goes.
 */
#include "oracle/nsm_message.h"

#include "oracle/decoder.h"
#include "oracle/encoder.h"

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
    struct encoder *e, const struct attester_request *attest)
{
	encoder_map(e, 3);
	encoder_text(e, "user_data");
	encoder_bytes_or_null(e, attest->user_data, attest->user_data_len);
	encoder_text(e, "nonce");
	encoder_bytes_or_null(e, attest->nonce, attest->nonce_len);
	encoder_text(e, "public_key");
	encoder_bytes_or_null(e, attest->public_key, attest->public_key_len);
}

static void encode_number(struct encoder *e, const char *name, uint16_t value)
{
	encoder_map(e, 1);
	encoder_text(e, name);
	encoder_uint(e, value);
}

static void encode_extend(
    struct encoder *e, const struct nsm_message_request *request)
{
	encoder_map(e, 2);
	encoder_text(e, "index");
	encoder_uint(e, request->index);
	encoder_text(e, "data");
	encoder_bytes(e, request->data, request->len);
}

static void encode_fields(
    struct encoder *e, const struct nsm_message_request *request)
{
	if (request->kind == NSM_MESSAGE_ATTESTATION)
		encode_attestation(e, &request->attest);
	else if (request->kind == NSM_MESSAGE_EXTEND_PCR)
		encode_extend(e, request);
	else if (request->kind == NSM_MESSAGE_LOCK_PCRS)
		encode_number(e, "range", request->range);
	else
		encode_number(e, "index", request->index);
}

size_t nsm_message_encode(const struct nsm_message_request *request,
    uint8_t out[static NSM_MESSAGE_REQUEST_MAX])
{
	struct encoder e;

	assert(request->kind < NSM_MESSAGE_ERROR);
	encoder_init(&e, out, NSM_MESSAGE_REQUEST_MAX);
	if (request->kind == NSM_MESSAGE_DESCRIBE_NSM ||
	    request->kind == NSM_MESSAGE_GET_RANDOM) {
		encoder_text(&e, kind_names[request->kind]);
	} else {
		encoder_map(&e, 1);
		encoder_text(&e, kind_names[request->kind]);
		encode_fields(&e, request);
	}
	return encoder_end(&e);
}

/* ---- answers ---- */

#define TO(member) offsetof(struct nsm_message_answer, member)

/* A kind that is not here (LockPCR) is a bare text. */
static const struct field {
	enum nsm_message_kind kind;
	const char *name;
	enum {
		U16,
		BOOL,
		BYTES,
		TEXT,
		PCR_MASK
	} type;
	size_t to;
} fields[] = {
    {NSM_MESSAGE_DESCRIBE_PCR, "lock", BOOL, TO(lock)},
    {NSM_MESSAGE_DESCRIBE_PCR, "data", BYTES, TO(data)},
    {NSM_MESSAGE_EXTEND_PCR, "data", BYTES, TO(data)},
    {NSM_MESSAGE_ATTESTATION, "document", BYTES, TO(data)},
    {NSM_MESSAGE_GET_RANDOM, "random", BYTES, TO(data)},
    {NSM_MESSAGE_DESCRIBE_NSM, "version_major", U16, TO(version_major)},
    {NSM_MESSAGE_DESCRIBE_NSM, "version_minor", U16, TO(version_minor)},
    {NSM_MESSAGE_DESCRIBE_NSM, "version_patch", U16, TO(version_patch)},
    {NSM_MESSAGE_DESCRIBE_NSM, "module_id", TEXT, TO(module_id)},
    {NSM_MESSAGE_DESCRIBE_NSM, "max_pcrs", U16, TO(max_pcrs)},
    {NSM_MESSAGE_DESCRIBE_NSM, "locked_pcrs", PCR_MASK, TO(locked_mask)},
    {NSM_MESSAGE_DESCRIBE_NSM, "digest", TEXT, TO(digest)},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* Bit i: fields[i] belongs to this kind. */
static unsigned fields_of(enum nsm_message_kind kind)
{
	unsigned mask = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (fields[i].kind == kind)
			mask |= 1u << i;
	return mask;
}

static enum nsm_message_status next(
    struct decoder *d, struct decoder_item *item)
{
	enum decoder_status status = decoder_next(d, item);

	if (status == DECODER_OK)
		return NSM_MESSAGE_OK;
	return status == DECODER_TRUNCATED ? NSM_MESSAGE_TRUNCATED
					   : NSM_MESSAGE_MALFORMED;
}

static bool is_text(const struct decoder_item *item, const char *text)
{
	return item->kind == DECODER_TEXT && item->len == strlen(text) &&
	       memcmp(item->bytes, text, item->len) == 0;
}

/* Texts end up in logs and messages: printable ASCII, or it is no text of an
 * NSM. */
static enum nsm_message_status read_text(
    const struct decoder_item *item, char out[NSM_MESSAGE_TEXT_MAX])
{
	if (item->kind != DECODER_TEXT)
		return NSM_MESSAGE_WRONG_TYPE;
	if (item->len >= NSM_MESSAGE_TEXT_MAX)
		return NSM_MESSAGE_OUT_OF_RANGE;
	for (size_t i = 0; i < item->len; i++)
		if (item->bytes[i] < 0x20 || item->bytes[i] > 0x7e)
			return NSM_MESSAGE_OUT_OF_RANGE;
	memcpy(out, item->bytes, item->len);
	out[item->len] = '\0';
	return NSM_MESSAGE_OK;
}

static enum nsm_message_status read_u16(
    const struct decoder_item *item, uint16_t *out)
{
	if (item->kind != DECODER_UINT)
		return NSM_MESSAGE_WRONG_TYPE;
	if (item->value > UINT16_MAX)
		return NSM_MESSAGE_OUT_OF_RANGE;
	*out = (uint16_t)item->value;
	return NSM_MESSAGE_OK;
}

/* Is there one more item (or pair) of this array (or map)? A break ends an
 * indefinite one and is consumed. The head of what follows is in *item. */
static enum nsm_message_status next_of(
    struct decoder *d, uint64_t *left, struct decoder_item *item, bool *ended)
{
	enum nsm_message_status status;

	*ended = *left == 0;
	if (*ended)
		return NSM_MESSAGE_OK;
	status = next(d, item);
	if (status != NSM_MESSAGE_OK)
		return status;
	if (*left != DECODER_INDEFINITE)
		(*left)--;
	else
		*ended = item->kind == DECODER_BREAK;
	return NSM_MESSAGE_OK;
}

static enum nsm_message_status read_pcr_mask(
    struct decoder *d, const struct decoder_item *array, uint32_t *mask)
{
	uint64_t left = array->value;
	struct decoder_item item;
	bool ended;

	if (array->kind != DECODER_ARRAY)
		return NSM_MESSAGE_WRONG_TYPE;
	for (;;) {
		enum nsm_message_status status = next_of(
		    d, &left, &item, &ended);

		if (status != NSM_MESSAGE_OK || ended)
			return status;
		if (item.kind != DECODER_UINT)
			return NSM_MESSAGE_WRONG_TYPE;
		if (item.value >= PCRS || (*mask >> item.value & 1) != 0)
			return NSM_MESSAGE_OUT_OF_RANGE;
		*mask |= UINT32_C(1) << item.value;
	}
}

static enum nsm_message_status read_value(
    struct decoder *d, const struct field *field, struct nsm_message_answer *a)
{
	void *to = (char *)a + field->to;
	struct nsm_message_slice *slice = to;
	enum nsm_message_status status;
	struct decoder_item item;

	status = next(d, &item);
	if (status != NSM_MESSAGE_OK)
		return status;
	switch (field->type) {
	case U16:
		return read_u16(&item, to);
	case TEXT:
		return read_text(&item, to);
	case PCR_MASK:
		return read_pcr_mask(d, &item, to);
	case BOOL:
		if (item.kind != DECODER_BOOL)
			return NSM_MESSAGE_WRONG_TYPE;
		*(bool *)to = item.value != 0;
		return NSM_MESSAGE_OK;
	case BYTES:
		if (item.kind != DECODER_BYTES)
			return NSM_MESSAGE_WRONG_TYPE;
		*slice = (struct nsm_message_slice){item.bytes, item.len};
		return NSM_MESSAGE_OK;
	}
	assert(0); /* no type of field */
	return NSM_MESSAGE_MALFORMED;
}

/* One pair, whose key is *key: a field of this kind that is not seen yet. */
static enum nsm_message_status read_pair(struct decoder *d,
    const struct decoder_item *key, struct nsm_message_answer *a,
    unsigned *missing)
{
	unsigned mine = fields_of(a->kind);

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if ((mine >> i & 1) == 0 || !is_text(key, fields[i].name))
			continue;
		if ((*missing >> i & 1) == 0)
			return NSM_MESSAGE_DUPLICATE_FIELD;
		*missing &= ~(1u << i);
		return read_value(d, &fields[i], a);
	}
	return NSM_MESSAGE_UNKNOWN_FIELD;
}

static enum nsm_message_status read_fields(
    struct decoder *d, struct nsm_message_answer *a)
{
	unsigned missing = fields_of(a->kind);
	enum nsm_message_status status;
	struct decoder_item item;
	uint64_t left;
	bool ended;

	status = next(d, &item);
	if (status != NSM_MESSAGE_OK)
		return status;
	if (item.kind != DECODER_MAP || missing == 0)
		return NSM_MESSAGE_WRONG_TYPE;
	left = item.value;
	for (;;) {
		status = next_of(d, &left, &item, &ended);
		if (status != NSM_MESSAGE_OK)
			return status;
		if (ended)
			return missing == 0 ? NSM_MESSAGE_OK
					    : NSM_MESSAGE_MISSING_FIELD;
		status = read_pair(d, &item, a, &missing);
		if (status != NSM_MESSAGE_OK)
			return status;
	}
}

static enum nsm_message_status read_error(
    struct decoder *d, struct nsm_message_answer *a)
{
	struct decoder_item item;
	enum nsm_message_status status = next(d, &item);

	return status == NSM_MESSAGE_OK ? read_text(&item, a->error) : status;
}

/* The name of an answer: the kind that was asked for, or Error. */
static enum nsm_message_status read_name(struct decoder *d,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	enum nsm_message_status status;
	struct decoder_item item;
	unsigned i = 0;

	status = next(d, &item);
	if (status != NSM_MESSAGE_OK)
		return status;
	while (i < NSM_MESSAGE_KIND_COUNT && !is_text(&item, kind_names[i]))
		i++;
	if (i == NSM_MESSAGE_KIND_COUNT)
		return NSM_MESSAGE_UNKNOWN_ANSWER;
	a->kind = (enum nsm_message_kind)i;
	return a->kind == wanted || a->kind == NSM_MESSAGE_ERROR
		   ? NSM_MESSAGE_OK
		   : NSM_MESSAGE_WRONG_ANSWER;
}

static enum nsm_message_status read_bare(struct decoder *d,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	enum nsm_message_status status = read_name(d, a, wanted);

	if (status != NSM_MESSAGE_OK)
		return status;
	return a->kind == NSM_MESSAGE_ERROR || fields_of(a->kind) != 0
		   ? NSM_MESSAGE_MISSING_FIELD
		   : NSM_MESSAGE_OK;
}

static enum nsm_message_status read_map(struct decoder *d,
    struct nsm_message_answer *a, enum nsm_message_kind wanted)
{
	enum nsm_message_status status;
	struct decoder_item item;
	uint64_t pairs;

	status = next(d, &item);
	if (status != NSM_MESSAGE_OK)
		return status;
	pairs = item.value;
	if (pairs != 1 && pairs != DECODER_INDEFINITE)
		return NSM_MESSAGE_UNKNOWN_ANSWER;
	status = read_name(d, a, wanted);
	if (status != NSM_MESSAGE_OK)
		return status;
	status = a->kind == NSM_MESSAGE_ERROR ? read_error(d, a)
					      : read_fields(d, a);
	if (status != NSM_MESSAGE_OK || pairs == 1)
		return status;
	status = next(d, &item);
	if (status == NSM_MESSAGE_OK && item.kind != DECODER_BREAK)
		status = NSM_MESSAGE_UNKNOWN_ANSWER;
	return status;
}

enum nsm_message_status nsm_message_decode(struct nsm_message_answer *out,
    enum nsm_message_kind wanted, const uint8_t *bytes, size_t len)
{
	struct decoder d = {bytes, len}, peek = d;
	enum nsm_message_status status;
	struct decoder_item first;

	memset(out, 0, sizeof(*out));
	status = next(&peek, &first);
	if (status != NSM_MESSAGE_OK)
		return status;
	status = first.kind == DECODER_MAP ? read_map(&d, out, wanted)
					   : read_bare(&d, out, wanted);
	if (status == NSM_MESSAGE_OK && d.left != 0)
		status = NSM_MESSAGE_TRAILING;
	if (status != NSM_MESSAGE_OK)
		memset(out, 0, sizeof(*out));
	return status;
}
