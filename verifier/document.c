/* document: one reader for each field, and a table that makes each of them
 * come at most once. */
#include "verifier/document.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/attested_data.h"
#include "verifier/moment.h"

#include <string.h>

#define PCRS_ALWAYS 16 /* PCR0..15 are locked at boot, so always there */
#define ENC_MARK    "-enc"
#define ENC_DIGITS  16
#define KEY_MAX     32 /* bytes of a key we look at; the longest has 13 */

struct parse {
	struct cursor cursor;
	struct hm_document *out;
	struct document_certs *certs;
};

static bool is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_id_char(uint8_t c)
{
	return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* "i-<17 hex>-enc<16 hex>": what stands before the mark is AWS's affair, as
 * long as it is the kind of text that can stand in a host name. */
static bool is_enclave_id(const char *id)
{
	const char *mark = strstr(id, ENC_MARK);
	const char *digits;

	if (REFUSE(enclave_id_mark, mark == NULL) ||
	    REFUSE(enclave_id_start, mark == id))
		return false;
	digits = mark + strlen(ENC_MARK);
	if (REFUSE(enclave_id_len, strlen(digits) != ENC_DIGITS))
		return false;
	for (const char *p = digits; *p != '\0'; p++)
		if (REFUSE(enclave_id_hex, !is_lower_hex(*p)))
			return false;
	return true;
}

static int read_module_id(struct parse *p)
{
	struct slice text;

	if (REFUSE(module_id_text,
		cursor_text(&p->cursor, &text, 1, HM_TEXT_MAX - 1) != 0))
		return -1;
	for (size_t i = 0; i < text.len; i++)
		if (REFUSE(module_id_chars, !is_id_char(text.at[i])))
			return -1;
	memcpy(p->out->module_id, text.at, text.len);
	return 0;
}

static int read_timestamp(struct parse *p)
{
	uint64_t ms;

	if (cursor_uint(&p->cursor, &ms) != 0 ||
	    REFUSE(timestamp_zero, ms == 0) ||
	    REFUSE(timestamp_max, ms > MOMENT_MAX_MS))
		return -1;
	p->out->timestamp_ms = (int64_t)ms;
	return 0;
}

static int read_digest(struct parse *p)
{
	struct slice text;

	if (cursor_text(&p->cursor, &text, 6, 6) != 0 ||
	    REFUSE(digest, !slice_is(text, "SHA384")))
		return -1;
	return 0;
}

static int read_pcr(struct parse *p)
{
	struct hm_document *out = p->out;
	struct slice value;
	uint64_t index;
	int status;

	if (cursor_uint(&p->cursor, &index) != 0 ||
	    REFUSE(pcr_index, index >= HM_PCR_COUNT) ||
	    REFUSE(pcr_twice, (out->pcr_mask & (1u << index)) != 0))
		return -1;
	status = cursor_bytes(&p->cursor, &value, HM_PCR_LEN, HM_PCR_LEN);
	if (REFUSE(pcr_len, status != 0))
		return -1;
	memcpy(out->pcrs[index], value.at, HM_PCR_LEN);
	out->pcr_mask |= 1u << index;
	return 0;
}

static int read_pcrs(struct parse *p)
{
	const uint32_t always = (1u << PCRS_ALWAYS) - 1;
	struct cursor_map map;
	int more;

	if (cursor_map(&p->cursor, &map, false) != 0)
		return -1;
	while ((more = cursor_map_next(&p->cursor, &map)) == 1)
		if (read_pcr(p) != 0)
			return -1;
	if (REFUSE(pcrs_always, (p->out->pcr_mask & always) != always))
		return -1;
	return more;
}

static int read_certificate(struct parse *p)
{
	int status = cursor_bytes(
	    &p->cursor, &p->certs->leaf, 1, DOCUMENT_CERTIFICATE_MAX);

	return REQUIRE(certificate_len, status == 0) ? 0 : -1;
}

static int read_cabundle(struct parse *p)
{
	uint64_t count;

	if (cursor_array(&p->cursor, &count) != 0 ||
	    REFUSE(cabundle_empty, count == 0) ||
	    REFUSE(cabundle_max, count > DOCUMENT_CABUNDLE_MAX))
		return -1;
	for (size_t i = 0; i < count; i++) {
		int status = cursor_bytes(&p->cursor, &p->certs->cabundle[i], 1,
		    DOCUMENT_CERTIFICATE_MAX);

		if (REFUSE(cabundle_certificate_len, status != 0))
			return -1;
	}
	p->certs->cabundle_count = (size_t)count;
	return 0;
}

static int read_optional(struct parse *p, struct hm_bytes *out)
{
	struct slice value;

	if (cursor_take_null(&p->cursor))
		return 0;
	if (REFUSE(optional_bytes,
		cursor_bytes(&p->cursor, &value, 0, DOCUMENT_FIELD_MAX) != 0))
		return -1;
	out->present = true;
	out->len = value.len;
	if (value.len > 0)
		memcpy(out->bytes, value.at, value.len);
	return 0;
}

static int read_public_key(struct parse *p)
{
	return read_optional(p, &p->out->public_key);
}

static int read_user_data(struct parse *p)
{
	return read_optional(p, &p->out->user_data);
}

static int read_nonce(struct parse *p)
{
	return read_optional(p, &p->out->nonce);
}

static const struct field {
	const char *key;
	int (*read)(struct parse *p);
	bool mandatory;
} fields[] = {
    {"module_id", read_module_id, true},
    {"timestamp", read_timestamp, true},
    {"digest", read_digest, true},
    {"pcrs", read_pcrs, true},
    {"certificate", read_certificate, true},
    {"cabundle", read_cabundle, true},
    {"public_key", read_public_key, false},
    {"user_data", read_user_data, false},
    {"nonce", read_nonce, false},
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static size_t find_field(struct slice key)
{
	size_t i = 0;

	while (i < FIELDS && !slice_is(key, fields[i].key))
		i++;
	return i;
}

static bool all_mandatory(uint32_t seen)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (fields[i].mandatory && (seen & (1u << i)) == 0)
			return false;
	return true;
}

static enum hm_verdict read_fields(struct parse *p)
{
	struct cursor_map map;
	uint32_t seen = 0;
	int more;

	if (cursor_map(&p->cursor, &map, true) != 0)
		return HM_DOCUMENT_MALFORMED;
	while ((more = cursor_map_next(&p->cursor, &map)) == 1) {
		struct slice key;
		size_t i;

		if (cursor_text(&p->cursor, &key, 1, KEY_MAX) != 0)
			return HM_DOCUMENT_MALFORMED;
		if (REFUSE(document_tpm, slice_is(key, "nitrotpm_pcrs")))
			return HM_NOT_AN_ENCLAVE;
		i = find_field(key);
		if (REFUSE(document_key_unknown, i == FIELDS) ||
		    REFUSE(document_key_twice, (seen & (1u << i)) != 0) ||
		    fields[i].read(p) != 0)
			return HM_DOCUMENT_MALFORMED;
		seen |= 1u << i;
	}
	if (REFUSE(document_map_cut, more != 0) ||
	    REFUSE(document_mandatory, !all_mandatory(seen)) ||
	    REFUSE(document_end, cursor_end(&p->cursor) != 0))
		return HM_DOCUMENT_MALFORMED;
	if (REFUSE(enclave_id, !is_enclave_id(p->out->module_id)))
		return HM_NOT_AN_ENCLAVE;
	return HM_VALID;
}

/* AWS says "entirely of zeros" of a debug enclave's PCRs, but PCR3 and PCR4
 * are not: a test of all PCRs together would never fire. */
static bool is_debug(const struct hm_document *document)
{
	static const uint8_t zero[HM_PCR_LEN];

	for (unsigned i = 0; i <= 2; i++)
		if (memcmp(document->pcrs[i], zero, HM_PCR_LEN) == 0)
			return true;
	return false; /* unnamed: a fact */
}

/* User data that are no oracle's say nothing of it. */
static uint64_t key_epoch(const struct hm_document *document)
{
	const struct hm_bytes *bytes = &document->user_data;
	struct attested_data data;
	int status = attested_data_parse(
	    &data, (struct slice){bytes->bytes, bytes->len});

	return status == 0 ? data.key_epoch : 0;
}

enum hm_verdict document_parse(
    struct hm_document *out, struct document_certs *certs, struct slice payload)
{
	struct parse p = {.out = out, .certs = certs};
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	memset(certs, 0, sizeof(*certs));
	cursor_init(&p.cursor, payload);
	verdict = read_fields(&p);
	if (verdict != HM_VALID) {
		memset(out, 0, sizeof(*out));
		memset(certs, 0, sizeof(*certs));
		return verdict;
	}
	out->debug = is_debug(out);
	out->key_epoch = key_epoch(out);
	return HM_VALID;
}

int64_t document_enclave_start_ms(const struct hm_document *document)
{
	const char *digits = strstr(document->module_id, ENC_MARK) +
			     strlen(ENC_MARK);
	uint8_t bytes[ENC_DIGITS / 2] = {0};
	int64_t ms = 0;

	if (hex_decode(bytes, sizeof(bytes), digits, ENC_DIGITS) != 0)
		return 0;
	for (size_t i = 0; i < 6; i++)
		ms = ms << 8 | bytes[i];
	return ms;
}
