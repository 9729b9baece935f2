/* cert: see cert.h. */
#include "verifier/cert.h"

#include "feeds/check.h"
#include "verifier/der.h"
#include "verifier/moment.h"
#include "verifier/spki.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define EXTENSIONS_MAX 16
#define PATHLEN_MAX    16 /* no chain of ours is longer */

/* What a maker signs with, and of which curve its keys are. */
struct kind {
	int signature, curve; /* NIDs */
};
static const struct kind aws = {NID_ecdsa_with_SHA384, NID_secp384r1};
static const struct kind intel = {NID_ecdsa_with_SHA256, NID_X9_62_prime256v1};

static bool is_signed_so(const X509_ALGOR *alg, const struct kind *kind)
{
	const ASN1_OBJECT *oid;
	int parameter;

	X509_ALGOR_get0(&oid, &parameter, NULL, alg);
	/* RFC 5758, 3.2: "the parameters field MUST be absent" */
	return REQUIRE(cert_alg, OBJ_obj2nid(oid) == kind->signature) &&
	       REQUIRE(cert_alg_parameter, parameter == V_ASN1_UNDEF);
}

/* A key or a signature that leaves bits of its last byte unused: OpenSSL reads
 * it as if it did not, so one value would have two encodings. */
static bool is_whole_bytes(const ASN1_BIT_STRING *bits)
{
	return bits != NULL && (bits->flags & 0x07) == 0;
}

static bool signature_form_ok(const X509 *x509, const struct kind *kind)
{
	const X509_ALGOR *outer;
	const ASN1_BIT_STRING *signature;

	X509_get0_signature(&signature, &outer, x509);
	return REQUIRE(cert_signature_bits, is_whole_bytes(signature)) &&
	       REQUIRE(cert_alg_outer, is_signed_so(outer, kind)) &&
	       REQUIRE(cert_alg_inner,
		   is_signed_so(X509_get0_tbs_sigalg(x509), kind));
}

/* By name: explicit parameters may describe a curve of the attacker's making
 * (CVE-2020-0601). Uncompressed, as AWS writes it. */
static bool key_ok(const X509 *x509, const struct kind *kind)
{
	X509_PUBKEY *pub = X509_get_X509_PUBKEY(x509);
	ASN1_OBJECT *oid;
	const ASN1_OBJECT *curve;
	const unsigned char *point;
	const void *parameter;
	X509_ALGOR *alg;
	int point_len, type;
	bool is_kind;

	/* unnamed: a getter */
	if (X509_PUBKEY_get0_param(&oid, &point, &point_len, &alg, pub) != 1)
		return false;
	X509_ALGOR_get0(NULL, &type, &parameter, alg);
	curve = parameter;
	is_kind = OBJ_obj2nid(oid) == NID_X9_62_id_ecPublicKey &&
		  type == V_ASN1_OBJECT && OBJ_obj2nid(curve) == kind->curve;
	/* X509_get0_pubkey() fails for a point that is not on the curve. */
	return REQUIRE(cert_key_curve, is_kind) &&
	       REQUIRE(cert_key_bits,
		   is_whole_bytes(X509_get0_pubkey_bitstr(x509))) &&
	       REQUIRE(cert_point, X509_get0_pubkey(x509) != NULL) &&
	       REQUIRE(cert_point_form, point[0] == 0x04);
}

/* X.690, 11.2.2: of a list of named bits "the bitstring shall have all trailing
 * 0 bits removed". `value` is DER; keyUsage has nine bits, in one byte or two.
 */
static bool usage_form_ok(struct slice value)
{
	return value.len >= 4 && value.len <= 5 &&
	       (value.at[value.len - 1] >> (value.at[2] & 7) & 1) != 0;
}

static bool extension_ok(X509_EXTENSION *extension)
{
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
	struct slice value = {
	    ASN1_STRING_get0_data(data), (size_t)ASN1_STRING_length(data)};
	bool critical = X509_EXTENSION_get_critical(extension);

	switch (OBJ_obj2nid(X509_EXTENSION_get_object(extension))) {
	case NID_basic_constraints:
		return REQUIRE(constraints_der, der_check(value) == 0);
	case NID_key_usage:
		return REQUIRE(usage_der, der_check(value) == 0) &&
		       REQUIRE(usage_form, usage_form_ok(value));
	case NID_subject_key_identifier:
	case NID_authority_key_identifier:
	case NID_crl_distribution_points:
		return REQUIRE(extension_known_der, der_check(value) == 0) &&
		       REQUIRE(extension_known_critical, !critical);
	case NID_ext_key_usage:
	case NID_name_constraints:
	case NID_certificate_policies:
	case NID_policy_mappings:
	case NID_policy_constraints:
	case NID_inhibit_any_policy:
	case NID_proxyCertInfo:
		return REQUIRE(extension_forbidden, false);
	default:
		/* RFC 5280, 4.2: a system "MUST reject the certificate if it
		 * encounters a critical extension it does not recognize" */
		return REQUIRE(extension_critical, !critical);
	}
}

static bool is_duplicate(const X509 *x509, int index)
{
	const ASN1_OBJECT *oid = X509_EXTENSION_get_object(
	    X509_get_ext(x509, index));

	return X509_get_ext_by_OBJ(x509, oid, index) != -1;
}

static bool extensions_ok(X509 *x509)
{
	int count = X509_get_ext_count(x509);

	if (REFUSE(extensions_max, count > EXTENSIONS_MAX))
		return false;
	for (int i = 0; i < count; i++)
		if (!extension_ok(X509_get_ext(x509, i)) ||
		    REFUSE(extension_twice, is_duplicate(x509, i)))
			return false;
	/* unnamed: no test needs it as long as X509_get_key_usage() says 0 for
	 * such a certificate, which OpenSSL does not promise. */
	return (X509_get_extension_flags(x509) & EXFLAG_INVALID) == 0;
}

static bool read_serial(struct cert *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert->x509);
	int len = ASN1_STRING_length(serial);

	/* unnamed: der_check() refuses an empty one */
	if (REFUSE(
		serial_negative, ASN1_STRING_type(serial) != V_ASN1_INTEGER) ||
	    len < 1 || REFUSE(serial_max, len > CERT_SERIAL_MAX))
		return false;
	cert->serial_len = (size_t)len;
	memcpy(cert->serial, ASN1_STRING_get0_data(serial), cert->serial_len);
	return REQUIRE(serial_zero, cert->serial[0] != 0);
}

static bool read_validity(struct cert *cert)
{
	int from = moment_from_asn1(
	    &cert->not_before_ms, X509_get0_notBefore(cert->x509));
	int until = moment_from_asn1(
	    &cert->not_after_ms, X509_get0_notAfter(cert->x509));

	return REQUIRE(cert_not_before, from == 0) &&
	       REQUIRE(cert_not_after, until == 0);
}

/* RFC 5280, 4.1.2.8: conforming CAs "MUST NOT generate certificates with unique
 * identifiers". */
static bool has_unique_id(const X509 *x509)
{
	const ASN1_BIT_STRING *issuer, *subject;

	X509_get0_uids(x509, &issuer, &subject);
	return issuer != NULL || subject != NULL;
}

static bool profile_ok(struct cert *cert, const struct kind *kind)
{
	X509 *x509 = cert->x509;

	return REQUIRE(
		   cert_version, X509_get_version(x509) == X509_VERSION_3) &&
	       REQUIRE(cert_unique_id, !has_unique_id(x509)) &&
	       signature_form_ok(x509, kind) && key_ok(x509, kind) &&
	       extensions_ok(x509) && read_serial(cert) &&
	       spki_of_cert(x509, cert->spki_sha256) == 0 &&
	       read_validity(cert);
}

static enum hm_verdict parse(
    struct cert *out, struct slice der, const struct kind *kind)
{
	const unsigned char *at = der.at;

	memset(out, 0, sizeof(*out));
	if (REFUSE(cert_der, der_check(der) != 0))
		return HM_CERTIFICATE_PROFILE;
	out->x509 = d2i_X509(NULL, &at, (long)der.len);
	if (REFUSE(cert_x509, out->x509 == NULL))
		return HM_CERTIFICATE_PROFILE;
	/* der_check() made sure that nothing follows. */
	if (!profile_ok(out, kind)) {
		cert_fini(out);
		return HM_CERTIFICATE_PROFILE;
	}
	return HM_VALID;
}

enum hm_verdict cert_parse(struct cert *out, struct slice der)
{
	return parse(out, der, &aws);
}

enum hm_verdict cert_parse_p256(struct cert *out, struct slice der)
{
	return parse(out, der, &intel);
}

void cert_fini(struct cert *cert)
{
	X509_free(cert->x509);
	memset(cert, 0, sizeof(*cert));
}

/* A critical basicConstraints, or NULL. */
static BASIC_CONSTRAINTS *basic_constraints(const struct cert *cert)
{
	int critical = 0;
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(
	    cert->x509, NID_basic_constraints, &critical, NULL);

	if (REFUSE(constraints_critical, bc != NULL && critical != 1)) {
		BASIC_CONSTRAINTS_free(bc);
		return NULL;
	}
	return bc;
}

/* X509_get_pathlen() says "none" for a number that does not fit; here such a
 * number is an error. */
static bool pathlen_allows(const ASN1_INTEGER *pathlen, unsigned cas_below)
{
	int64_t value;

	if (pathlen == NULL)
		return true;
	return REQUIRE(pathlen_integer,
		   ASN1_INTEGER_get_int64(&value, pathlen) == 1) &&
	       REQUIRE(pathlen_max, value <= PATHLEN_MAX) &&
	       REQUIRE(pathlen, value >= (int64_t)cas_below);
}

/* 0 if there is none: X509_get_key_usage() would say "all". */
static uint32_t key_usage(const struct cert *cert)
{
	uint32_t flags = X509_get_extension_flags(cert->x509);

	if (REFUSE(usage_absent, (flags & EXFLAG_KUSAGE) == 0))
		return 0;
	return X509_get_key_usage(cert->x509);
}

bool cert_is_ca(const struct cert *cert, unsigned cas_below)
{
	BASIC_CONSTRAINTS *bc = basic_constraints(cert);
	uint32_t usage = key_usage(cert);
	bool ok = REQUIRE(ca_constraints, bc != NULL) &&
		  REQUIRE(ca_flag, bc->ca != 0) &&
		  pathlen_allows(bc->pathlen, cas_below) &&
		  REQUIRE(ca_usage, (usage & KU_KEY_CERT_SIGN) != 0);

	BASIC_CONSTRAINTS_free(bc);
	return ok;
}

/* S1, 3.2.3: digitalSignature, pathLen undefined. */
bool cert_is_leaf(const struct cert *cert)
{
	BASIC_CONSTRAINTS *bc = basic_constraints(cert);
	uint32_t usage = key_usage(cert);
	bool ok = REQUIRE(leaf_constraints, bc != NULL) &&
		  REQUIRE(leaf_ca, bc->ca == 0) &&
		  REQUIRE(leaf_pathlen, bc->pathlen == NULL) &&
		  REQUIRE(leaf_usage, (usage & KU_DIGITAL_SIGNATURE) != 0) &&
		  REQUIRE(leaf_usage_ca,
		      (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0);

	BASIC_CONSTRAINTS_free(bc);
	return ok;
}

bool cert_is_self_signed(const struct cert *cert)
{
	X509 *x509 = cert->x509;
	int order = X509_NAME_cmp(
	    X509_get_subject_name(x509), X509_get_issuer_name(x509));

	return REQUIRE(root_names, order == 0) &&
	       REQUIRE(root_signature,
		   X509_verify(x509, X509_get0_pubkey(x509)) == 1);
}

void cert_common_name(const struct cert *cert, char out[HM_TEXT_MAX])
{
	const X509_NAME *subject = X509_get_subject_name(cert->x509);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *text;
	int next, len;

	out[0] = '\0';
	if (at < 0)
		return;
	next = X509_NAME_get_index_by_NID(subject, NID_commonName, at);
	if (REFUSE(name_twice, next >= 0))
		return;
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	len = ASN1_STRING_length(text);
	if (REFUSE(name_max, len >= HM_TEXT_MAX))
		return;
	for (int i = 0; i < len; i++) {
		unsigned char c = ASN1_STRING_get0_data(text)[i];

		/* Printable ASCII, in one of the one-byte string types. */
		if (REFUSE(name_chars, c < 0x20 || c > 0x7e)) {
			out[0] = '\0';
			return;
		}
		out[i] = (char)c;
	}
	out[len] = '\0';
}
