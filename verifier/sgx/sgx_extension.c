/* sgx_extension: see sgx_extension.h. */
#include "verifier/sgx/sgx_extension.h"

#include "feeds/check.h"
#include "verifier/der.h"

#include <string.h>

#define TAG_INTEGER  0x02
#define TAG_OCTETS   0x04
#define TAG_OID      0x06
#define TAG_SEQUENCE 0x30

/* Members of the extension, by the last number of their OID. */
enum {
	OWN_TCB = 2,
	OWN_PCEID = 3,
	OWN_FMSPC = 4,
	OWN_MAX = 31
};
/* Of the TCB: 1 to 16 the components. */
enum {
	TCB_PCESVN = 17,
	TCB_CPUSVN = 18,
	TCB_MAX = 18
};

static const char oid_text[] = "1.2.840.113741.1.13.1";
/* The same in DER, without tag and length. */
static const uint8_t oid_own[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
static const uint8_t oid_tcb[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x02};

/* A SEQUENCE of an OID under `prefix` and one value, which `rest` gets: the
 * OID's last number. Each number may come once. */
static int take_member(struct slice *in, struct slice prefix, unsigned max,
    uint32_t *seen, unsigned *number, struct slice *rest)
{
	struct slice oid;

	if (der_take(in, TAG_SEQUENCE, rest) != 0 ||
	    der_take(rest, TAG_OID, &oid) != 0)
		return -1;
	if (REFUSE(extension_oid_len, oid.len != prefix.len + 1) ||
	    REFUSE(extension_oid, memcmp(oid.at, prefix.at, prefix.len) != 0))
		return -1;
	*number = oid.at[prefix.len];
	if (REFUSE(extension_number, *number < 1 || *number > max) ||
	    REFUSE(extension_again, (*seen >> *number & 1) != 0))
		return -1;
	*seen |= 1u << *number;
	return 0;
}

/* A whole number of at most 16 bits, alone. */
static int only_number(struct slice in, unsigned max, unsigned *out)
{
	struct slice value;

	if (der_take(&in, TAG_INTEGER, &value) != 0 ||
	    REFUSE(extension_number_end, in.len != 0))
		return -1;
	if (REFUSE(extension_number_len, value.len < 1 || value.len > 3) ||
	    REFUSE(extension_negative, (value.at[0] & 0x80) != 0))
		return -1;
	*out = 0;
	for (size_t i = 0; i < value.len; i++)
		*out = *out << 8 | value.at[i];
	return REQUIRE(extension_number_max, *out <= max) ? 0 : -1;
}

static int only_octets(struct slice in, uint8_t *out, size_t len)
{
	struct slice value;

	if (der_take(&in, TAG_OCTETS, &value) != 0 ||
	    REFUSE(extension_octets_end, in.len != 0) ||
	    REFUSE(extension_octets_len, value.len != len))
		return -1;
	memcpy(out, value.at, len);
	return 0;
}

/* CPUSVN is the components once more, in the CPU's own form. */
static int read_tcb(struct sgx_platform *out, struct slice in)
{
	const struct slice prefix = {oid_tcb, sizeof(oid_tcb)};
	struct slice members, rest;
	uint32_t seen = 0;
	unsigned number, value;

	if (der_take(&in, TAG_SEQUENCE, &members) != 0 ||
	    REFUSE(extension_tcb_end, in.len != 0))
		return -1;
	while (members.len > 0) {
		if (take_member(
			&members, prefix, TCB_MAX, &seen, &number, &rest) != 0)
			return -1;
		if (number == TCB_CPUSVN)
			continue;
		if (only_number(
			rest, number == TCB_PCESVN ? 65535 : 255, &value) != 0)
			return -1;
		if (number == TCB_PCESVN)
			out->pcesvn = (uint16_t)value;
		else
			out->components[number - 1] = (uint8_t)value;
	}
	/* 1 to 17 */
	return REQUIRE(extension_tcb_all, (seen & 0x3fffe) == 0x3fffe) ? 0 : -1;
}

static int read_own(struct sgx_platform *out, unsigned number, struct slice in)
{
	switch (number) {
	case OWN_TCB:
		return read_tcb(out, in);
	case OWN_PCEID:
		return only_octets(in, out->pceid, sizeof(out->pceid));
	case OWN_FMSPC:
		return only_octets(in, out->fmspc, sizeof(out->fmspc));
	default: /* PPID, type, instance, configuration: not asked for */
		return 0;
	}
}

int sgx_extension_parse(struct sgx_platform *out, struct slice der)
{
	const struct slice prefix = {oid_own, sizeof(oid_own)};
	const uint32_t needed = 1u << OWN_TCB | 1u << OWN_PCEID |
				1u << OWN_FMSPC;
	struct slice members, rest;
	uint32_t seen = 0;
	unsigned number;

	if (der_take(&der, TAG_SEQUENCE, &members) != 0 ||
	    REFUSE(extension_end, der.len != 0))
		return -1;
	while (members.len > 0)
		if (take_member(&members, prefix, OWN_MAX, &seen, &number,
			&rest) != 0 ||
		    read_own(out, number, rest) != 0)
			return -1;
	return REQUIRE(extension_all, (seen & needed) == needed) ? 0 : -1;
}

int sgx_extension_read(struct sgx_platform *out, const X509 *x509)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(oid_text, 1);
	const ASN1_OCTET_STRING *value = NULL;
	int at = oid != NULL ? X509_get_ext_by_OBJ(x509, oid, -1) : -1;

	ASN1_OBJECT_free(oid);
	if (at >= 0)
		value = X509_EXTENSION_get_data(X509_get_ext(x509, at));
	if (REFUSE(extension_missing, value == NULL))
		return -1;
	return sgx_extension_parse(
	    out, (struct slice){ASN1_STRING_get0_data(value),
		     (size_t)ASN1_STRING_length(value)});
}
