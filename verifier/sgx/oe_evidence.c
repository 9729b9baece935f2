/* oe_evidence: see oe_evidence.h. */
#include "verifier/sgx/oe_evidence.h"

#include "feeds/check.h"

#include <string.h>

#define REPORT_VERSION   1
#define REPORT_REMOTE    2
#define REPORT_HEADER    16
#define EVIDENCE_LEGACY  2 /* a report inside */
#define EVIDENCE_VERSION 3
#define EVIDENCE_PACKED  28 /* of a packed header */
#define EVIDENCE_HEADER  32
#define CLAIMS_VERSION   1
#define CLAIMS_HEADER    16
#define CLAIM_HEADER     16
#define TEE_TDX          0x81
#define QUOTE_HEADER     48
#define QUOTE_SGX        (QUOTE_HEADER + 384)
#define QUOTE_TD         (QUOTE_HEADER + 584)
#define QUOTE_5_BODY     54 /* header, type and size of the body */

static const struct format {
	const char *name;
	uint8_t id[OE_UUID_LEN];
} formats[] = {
    {"SGX_ECDSA", {0xa3, 0xa2, 0x1e, 0x87, 0x1b, 0x4d, 0x40, 0x14, 0xb7, 0x0a,
		      0xa1, 0x25, 0xd2, 0xfb, 0xcd, 0x8c}},
    {"LEGACY_REPORT_REMOTE",
	{0xc8, 0x30, 0x34, 0x54, 0xd9, 0x23, 0x4c, 0x2c, 0xa6, 0x91, 0xdf, 0x7d,
	    0xef, 0x46, 0x0a, 0x76}},
    {"RAW_SGX_QUOTE_ECDSA",
	{0x19, 0x23, 0xd9, 0x1e, 0x12, 0xd2, 0x4c, 0x72, 0xb2, 0x20, 0x25, 0xcd,
	    0x8d, 0xac, 0xe8, 0x71}},
};

/* Little-endian; the caller has seen that they are there. */
static uint64_t number(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static struct slice from(struct slice bytes, size_t offset)
{
	return (struct slice){bytes.at + offset, bytes.len - offset};
}

static int fail(struct oe_evidence *out, const char **why, const char *text)
{
	memset(out, 0, sizeof(*out));
	*why = text;
	return -1; /* unnamed: the caller's to judge */
}

/* Where the u32 length of the signature data stands; 0: nowhere. */
static size_t length_at(struct slice bytes)
{
	uint64_t version, body;

	if (bytes.len < QUOTE_5_BODY)
		return 0;
	version = number(bytes.at, 2);
	if (version == 3)
		return QUOTE_SGX;
	if (version == 4)
		return number(bytes.at + 4, 4) == TEE_TDX ? QUOTE_TD
							  : QUOTE_SGX;
	body = number(bytes.at + 50, 4);
	return version == 5 && body <= bytes.len ? QUOTE_5_BODY + (size_t)body
						 : 0;
}

/* Splits a quote from what is behind it, by its own lengths. A quote that has
 * none that make sense is all of it: its reader says why. */
static void split(struct oe_evidence *out, struct slice bytes)
{
	size_t at = length_at(bytes), len;

	out->quote = bytes;
	if (at == 0 || bytes.len < 4 || at > bytes.len - 4)
		return;
	len = (size_t)number(bytes.at + at, 4);
	if (len >= bytes.len - at - 4)
		return;
	out->quote.len = at + 4 + len;
	out->held = from(bytes, out->quote.len);
}

static int open_report(
    struct oe_evidence *out, struct slice bytes, const char **why)
{
	uint64_t size;

	if (REFUSE(oe_report_short, bytes.len < REPORT_HEADER))
		return fail(out, why, "an Open Enclave report that is cut");
	if (REFUSE(oe_report_kind, number(bytes.at + 4, 4) != REPORT_REMOTE))
		return fail(out, why,
		    "an Open Enclave report that holds no remote quote");
	size = number(bytes.at + 8, 8);
	if (REFUSE(oe_report_size, size > bytes.len - REPORT_HEADER))
		return fail(
		    out, why, "an Open Enclave report shorter than it says");
	out->quote = (struct slice){bytes.at + REPORT_HEADER, (size_t)size};
	if (size < bytes.len - REPORT_HEADER)
		out->held = from(bytes, REPORT_HEADER + (size_t)size);
	return 0;
}

static void name_format(struct oe_evidence *out)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (memcmp(formats[i].id, out->format_id, OE_UUID_LEN) == 0)
			out->format = formats[i].name;
}

/* How long the header is; 0: it is none. */
static size_t evidence_header(struct slice bytes)
{
	if (bytes.len > EVIDENCE_HEADER &&
	    number(bytes.at + 24, 8) == bytes.len - EVIDENCE_HEADER)
		return EVIDENCE_HEADER;
	if (bytes.len > EVIDENCE_PACKED &&
	    number(bytes.at + 20, 8) == bytes.len - EVIDENCE_PACKED)
		return EVIDENCE_PACKED;
	return 0;
}

static int open_evidence(
    struct oe_evidence *out, struct slice bytes, const char **why)
{
	size_t header = evidence_header(bytes);
	struct slice data;

	if (REFUSE(oe_evidence_size, header == 0))
		return fail(out, why,
		    "an Open Enclave evidence of another length than it says");
	data = from(bytes, header);
	out->form = OE_EVIDENCE;
	memcpy(out->format_id, bytes.at + 4, OE_UUID_LEN);
	name_format(out);
	if (number(bytes.at, 4) == EVIDENCE_LEGACY ||
	    (data.len >= 4 && number(data.at, 4) == REPORT_VERSION))
		return open_report(out, data, why);
	split(out, data);
	return 0;
}

/* A quote begins with its version and the type of its key, which is never 0;
 * the headers of Open Enclave with their version in four bytes. */
int oe_evidence_open(
    struct oe_evidence *out, struct slice bytes, const char **why)
{
	uint64_t version = bytes.len >= 4 ? number(bytes.at, 4) : 0;

	memset(out, 0, sizeof(*out));
	*why = NULL;
	if (version == REPORT_VERSION) {
		out->form = OE_REPORT;
		return open_report(out, bytes, why);
	}
	if (version == EVIDENCE_LEGACY || version == EVIDENCE_VERSION)
		return open_evidence(out, bytes, why);
	out->quote = bytes;
	return 0;
}

/* ---- custom claims ---- */

static bool name_ok(struct slice name)
{
	if (REFUSE(oe_name_len, name.len == 0 || name.len > OE_CLAIM_NAME_MAX))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (REFUSE(
			oe_name_chars, name.at[i] < 0x20 || name.at[i] > 0x7e))
			return false;
	return true;
}

/* One claim off the front. */
static int read_claim(struct slice *rest, struct oe_claim *out)
{
	uint64_t name, value;

	if (REFUSE(oe_claim_short, rest->len < CLAIM_HEADER))
		return -1;
	name = number(rest->at, 8);
	value = number(rest->at + 8, 8);
	*rest = from(*rest, CLAIM_HEADER);
	/* Each against what is left: their sum may be anything. */
	if (REFUSE(oe_claim_name, name == 0 || name > rest->len) ||
	    REFUSE(oe_claim_value, value > rest->len - name) ||
	    REFUSE(oe_claim_nul, rest->at[name - 1] != '\0'))
		return -1;
	out->name = (struct slice){rest->at, (size_t)name - 1};
	*rest = from(*rest, (size_t)name);
	out->value = (struct slice){rest->at, (size_t)value};
	*rest = from(*rest, (size_t)value);
	return name_ok(out->name) ? 0 : -1;
}

int oe_claims_read(
    struct slice held, struct oe_claim out[OE_CLAIMS_MAX], size_t *count)
{
	uint64_t claims;

	*count = 0;
	if (REFUSE(oe_claims_short, held.len < CLAIMS_HEADER) ||
	    REFUSE(oe_claims_version, number(held.at, 8) != CLAIMS_VERSION))
		return -1;
	claims = number(held.at + 8, 8);
	if (REFUSE(oe_claims_max, claims > OE_CLAIMS_MAX))
		return -1;
	held = from(held, CLAIMS_HEADER);
	for (size_t i = 0; i < claims; i++)
		if (read_claim(&held, &out[i]) != 0)
			return -1;
	if (REFUSE(oe_claims_end, held.len != 0))
		return -1;
	*count = (size_t)claims;
	return 0;
}
