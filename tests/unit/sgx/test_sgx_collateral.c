/* sgx_collateral: each form that a file may have, what is none of them, and
 * what each part is judged to be. With it sgx_pem and sgx_json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sgx/quote_builder.h"

#include "feeds/hex.h"

#include "verifier/sgx/sgx_json.h"
#include "verifier/sgx/sgx_pem.h"

static struct quote_builder *b;
static struct sgx_collateral *c;
static char error[HM_TEXT_MAX];

static int set_up(void **state)
{
	(void)state;
	b = qb_new();
	c = sgx_collateral_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	qb_free(b);
	sgx_collateral_free(c);
	return 0;
}

static int add(const void *bytes, size_t len)
{
	/* of just that length, so that reading on is noticed */
	uint8_t *copy = malloc(len);
	int status;

	memcpy(copy, bytes, len);
	status = sgx_collateral_add(c, copy, len, error);
	free(copy);
	assert_int_equal(status != 0, error[0] != '\0');
	return status;
}

static int add_text(const char *text)
{
	return add(text, strlen(text));
}

static void refused(const void *bytes, size_t len)
{
	size_t before = sgx_collateral_count(c);

	if (add(bytes, len) == 0)
		fail_msg("taken: %.*s", (int)len, (const char *)bytes);
	assert_int_equal(sgx_collateral_count(c), before);
}

static void refused_text(const char *text)
{
	refused(text, strlen(text));
}

static struct sgx_part part_at(size_t index, int64_t at_ms)
{
	struct sgx_part part;

	assert_true(index < sgx_collateral_count(c));
	sgx_collateral_part(c, index, &b->trusted, 1, at_ms, &part);
	return part;
}

static char *hex_of(const struct qb_bytes *bytes)
{
	char *text = malloc(2 * bytes->len + 1);

	hex_encode(bytes->bytes, bytes->len, text);
	return text;
}

static struct qb_bytes pem_of(const struct qb_cert *cert)
{
	struct qb_bytes out = {0};

	qb_pem(cert, &out);
	return out;
}

static void test_empty(void **state)
{
	static uint8_t large[SGX_COLLATERAL_FILE_MAX + 1];

	(void)state;
	refused("", 0);
	refused_text("\n");
	refused_text("{}x");
	refused_text("[]");
	refused_text("0");
	refused_text("zz");
	refused_text("{\"tcbInfo\":{}");
	memset(large, ' ', sizeof(large));
	memcpy(large, "{}", 2);
	refused(large, sizeof(large));
	assert_int_equal(add(large, sizeof(large) - 1), 0);
	assert_int_equal(sgx_collateral_count(c), 0);
	sgx_collateral_free(NULL);
}

static void test_crl_forms(void **state)
{
	struct qb_bytes der, pem = {0};
	char *hex;

	(void)state;
	qb_crl(b, true, &der);
	hex = hex_of(&der);
	qb_put_pem(&pem, "X509 CRL", &der);
	assert_int_equal(add(der.bytes, der.len), 0);
	assert_int_equal(sgx_collateral_count(c), 1);
	/* the same once more is not another */
	assert_int_equal(add_text(hex), 0);
	assert_int_equal(add(pem.bytes, pem.len), 0);
	assert_int_equal(sgx_collateral_count(c), 1);
	assert_int_equal(part_at(0, QB_NOW_MS).verdict, HM_VALID);
	assert_string_equal(
	    part_at(0, QB_NOW_MS).what, "revocation list of Intel SGX Root CA");
	hex[0] = 'g';
	refused_text(hex);
	free(hex);
}

/* With C's end of a string, but with nothing else behind it. */
static void test_crl_end(void **state)
{
	struct qb_bytes der;

	(void)state;
	qb_crl(b, true, &der);
	qb_put(&der, "", 1);
	assert_int_equal(add(der.bytes, der.len), 0);
	qb_put(&der, "", 1);
	refused(der.bytes, der.len);
	der.len--;
	der.bytes[der.len - 1] = 1;
	refused(der.bytes, der.len);
	der.len -= 2;
	refused(der.bytes, der.len);
}

static X509_CRL *reopened(struct qb_bytes *der)
{
	const unsigned char *at = der->bytes;
	X509_CRL *crl;

	qb_crl(b, true, der);
	crl = d2i_X509_CRL(NULL, &at, (long)der->len);
	assert_non_null(crl);
	return crl;
}

static void refused_crl(X509_CRL *crl, struct qb_bytes *der)
{
	unsigned char *at = der->bytes;

	assert_true(X509_CRL_sign(crl, b->root_key, EVP_sha256()) > 0);
	der->len = (size_t)i2d_X509_CRL(crl, &at);
	refused(der->bytes, der->len);
	X509_CRL_free(crl);
}

/* One that is not for all certificates, and one that has no end. */
static void test_crl_profile(void **state)
{
	ASN1_TIME *odd = ASN1_TIME_new();
	struct qb_bytes der;
	X509_CRL *crl = reopened(&der);
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	(void)state;
	ASN1_INTEGER_set(number, 1);
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_delta_crl, number, 1, 0), 1);
	refused_crl(crl, &der);
	ASN1_INTEGER_free(number);
	crl = reopened(&der);
	/* RFC 5280 wants a UTCTime until 2049 */
	assert_int_equal(ASN1_TIME_set_string(odd, "20260101000000Z"), 1);
	X509_CRL_set1_nextUpdate(crl, odd);
	refused_crl(crl, &der);
	crl = reopened(&der);
	X509_CRL_set1_lastUpdate(crl, odd);
	refused_crl(crl, &der);
	ASN1_TIME_free(odd);
}

/* nextUpdate is optional (RFC 5280, 5.1.2.5 aside), but not to us. */
static void test_crl_without_end(void **state)
{
	struct qb_bytes der;
	uint8_t *at;

	(void)state;
	qb_crl(b, true, &der);
	/* the second UTCTime goes, and the lengths above with it */
	at = memmem(der.bytes, der.len, "\x17\x0d", 2);
	assert_non_null(at);
	memmove(at + 15, at + 30, der.len - (size_t)(at + 30 - der.bytes));
	der.len -= 15;
	assert_int_equal(der.bytes[1], 0x81);
	der.bytes[2] = (uint8_t)(der.bytes[2] - 15);
	if (der.bytes[4] == 0x81)
		der.bytes[5] = (uint8_t)(der.bytes[5] - 15);
	else
		der.bytes[4] = (uint8_t)(der.bytes[4] - 15);
	refused(der.bytes, der.len);
}

static void test_answers(void **state)
{
	char *tcb = qb_tcb_file(b), *identity = qb_identity_file(b);
	struct qb_bytes pem = pem_of(&b->signer);

	(void)state;
	assert_int_equal(add_text(tcb), 0);
	assert_int_equal(add_text(tcb), 0);
	assert_int_equal(sgx_collateral_count(c), 1);
	assert_int_equal(add_text(identity), 0);
	assert_int_equal(sgx_collateral_count(c), 2);
	assert_int_equal(part_at(0, QB_NOW_MS).verdict, HM_COLLATERAL_MISSING);
	assert_int_equal(add(pem.bytes, pem.len), 0);
	for (size_t i = 0; i < 3; i++) {
		struct sgx_part part = part_at(i, QB_NOW_MS);

		assert_int_equal(part.verdict, HM_VALID);
		assert_int_equal(part_at(i, part.not_before_ms - 1).verdict,
		    HM_COLLATERAL_NOT_YET_VALID);
		assert_int_equal(part_at(i, part.not_after_ms).verdict,
		    HM_COLLATERAL_EXPIRED);
	}
	assert_string_equal(part_at(0, QB_NOW_MS).what,
	    "SGX TCB info of platform 00606a000001");
	assert_string_equal(
	    part_at(1, QB_NOW_MS).what, "identity of the quoting enclave");
	free(tcb);
	free(identity);
}

/* An answer with one member more, or less, or none that it must have. */
static void test_answer_members(void **state)
{
	static const char *const wrong[] = {
	    "{\"tcbInfo\":{}}",
	    "{\"tcbInfo\":{},\"signature\":1}",
	    "{\"tcbInfo\":{},\"signature\":\"\"}",
	    "{\"signature\":\"\"}",
	    "{\"enclaveIdentity\":{},\"signature\":\"00\"}",
	    "{\"tcbInfo\":{},\"enclaveIdentity\":{},\"signature\":\"\"}",
	    "{\"tcbInfo\":{},\"tcbInfo\":{},\"signature\":\"\"}",
	};
	char *tcb = qb_tcb_file(b), *more;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused_text(wrong[i]);
	assert_true(asprintf(&more, "{\"x\":1,%s", tcb + 1) > 0);
	refused_text(more);
	free(more);
	assert_true(
	    asprintf(&more, "%.*s00\"}", (int)strlen(tcb) - 2, tcb) > 0);
	refused_text(more);
	free(more);
	free(tcb);
	json_object_del(b->tcb_info, "fmspc");
	tcb = qb_tcb_file(b);
	refused_text(tcb);
	free(tcb);
	json_object_del(b->identity, "mrsigner");
	tcb = qb_identity_file(b);
	refused_text(tcb);
	free(tcb);
}

/* A key that is written with an escape is the same key to a reader of JSON;
 * its text cannot be told. */
static void test_escaped_key(void **state)
{
	char *tcb = qb_tcb_file(b), *escaped;

	(void)state;
	assert_true(asprintf(&escaped, "{\"tcb\\u0049nfo%s", tcb + 9) > 0);
	refused_text(escaped);
	free(escaped);
	free(tcb);
}

/* Spaces around it do not matter; inside they are signed. */
static void test_exact_text(void **state)
{
	char *tcb = qb_tcb_file(b), *spaced, *at = strstr(tcb, ",\"signature");
	struct qb_bytes pem = pem_of(&b->signer);

	(void)state;
	qb_add(c, pem.bytes, pem.len);
	assert_true(asprintf(&spaced, "{ \"tcbInfo\"\n:\t%.*s \r\n%s\n",
			(int)(at - tcb) - 11, tcb + 11, at) > 0);
	assert_int_equal(add_text(spaced), 0);
	assert_int_equal(part_at(1, QB_NOW_MS).verdict, HM_VALID);
	free(spaced);
	assert_true(asprintf(&spaced, "{\"tcbInfo\":{ %s", tcb + 12) > 0);
	assert_int_equal(add_text(spaced), 0);
	assert_int_equal(
	    part_at(2, QB_NOW_MS).verdict, HM_COLLATERAL_SIGNATURE);
	free(spaced);
	free(tcb);
}

static void test_json_text(void **state)
{
	static const char json[] =
	    " {\"a\\\"\":\"}\\\\\",\"b\" : [{\"c\":\"]\"} ] ,\"c\":1,"
	    "\"d\":{\"e\":{}}}";
	static const struct {
		const char *key, *value;
	} rows[] = {{"a\\\"", "\"}\\\\\""}, {"b", "[{\"c\":\"]\"} ]"},
	    {"c", "1"}, {"d", "{\"e\":{}}"}};
	struct slice found;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
		    sgx_json_text(&found, json, strlen(json), rows[i].key), 0);
		assert_int_equal(found.len, strlen(rows[i].value));
		assert_memory_equal(found.at, rows[i].value, found.len);
	}
	assert_int_equal(sgx_json_text(&found, json, strlen(json), "e"), -1);
	assert_int_equal(sgx_json_text(&found, "{}", 2, "e"), -1);
	assert_int_equal(sgx_json_text(&found, "", 0, "e"), -1);
	/* no JSON: it ends all the same */
	for (size_t len = 0; len < strlen(json); len++) {
		char *copy = malloc(len);

		memcpy(copy, json, len);
		(void)!sgx_json_text(&found, copy, len, "d");
		free(copy);
	}
}

/* All in one, with each member left out in turn. */
static json_t *make_bundle(void)
{
	struct qb_bytes chain = pem_of(&b->signer), ca = pem_of(&b->ca), crl;
	char *tcb = json_dumps(b->tcb_info, JSON_COMPACT);
	char *identity = json_dumps(b->identity, JSON_COMPACT);
	uint8_t signature[SGX_SIGNATURE_LEN];
	char hex[2][2 * SGX_SIGNATURE_LEN + 1], *crls[2];
	json_t *out;

	qb_pem(&b->root, &chain);
	qb_pem(&b->root, &ca);
	qb_sign(b->signer_key, tcb, strlen(tcb), signature);
	hex_encode(signature, sizeof(signature), hex[0]);
	qb_sign(b->signer_key, identity, strlen(identity), signature);
	hex_encode(signature, sizeof(signature), hex[1]);
	for (int i = 0; i < 2; i++) {
		qb_crl(b, i == 0, &crl);
		crls[i] = hex_of(&crl);
	}
	out = json_pack("{s:s, s:s, s:s%, s:s, s:s, s:s%, s:s, s:s, s:s%}",
	    "tcb_info", tcb, "tcb_info_signature", hex[0],
	    "tcb_info_issuer_chain", chain.bytes, chain.len, "qe_identity",
	    identity, "qe_identity_signature", hex[1],
	    "qe_identity_issuer_chain", chain.bytes, chain.len, "root_ca_crl",
	    crls[0], "pck_crl", crls[1], "pck_crl_issuer_chain", ca.bytes,
	    ca.len);
	assert_non_null(out);
	free(tcb);
	free(identity);
	free(crls[0]);
	free(crls[1]);
	return out;
}

static int add_json(const json_t *json)
{
	char *text = json_dumps(json, 0);
	int status = add_text(text);

	free(text);
	return status;
}

static void test_bundle(void **state)
{
	json_t *bundle = make_bundle();

	(void)state;
	assert_int_equal(add_json(bundle), 0);
	assert_int_equal(sgx_collateral_count(c), 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(part_at(i, QB_NOW_MS).verdict, HM_VALID);
	json_decref(bundle);
}

static void test_bundle_members(void **state)
{
	static const char *const keys[] = {"tcb_info", "tcb_info_signature",
	    "tcb_info_issuer_chain", "qe_identity", "qe_identity_signature",
	    "qe_identity_issuer_chain", "root_ca_crl", "pck_crl",
	    "pck_crl_issuer_chain"};
	json_t *bundle = make_bundle();

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *without = json_deep_copy(bundle);
		bool in_pair = i % 3 != 2 && i < 6;

		json_object_set_new(without, keys[i], json_string("no good"));
		assert_int_equal(add_json(without), -1);
		json_object_set_new(without, keys[i], json_integer(1));
		assert_int_equal(add_json(without), -1);
		json_object_del(without, keys[i]);
		assert_int_equal(add_json(without), in_pair ? -1 : 0);
		json_object_set_new(without, keys[i], json_string(""));
		assert_int_equal(add_json(without), in_pair ? -1 : 0);
		json_decref(without);
	}
	json_object_set_new(bundle, "pck_crls", json_string(""));
	assert_int_equal(add_json(bundle), -1);
	json_decref(bundle);
}

/* Nothing of a file stays that is wrong at its end. */
static void test_atomic(void **state)
{
	json_t *bundle = make_bundle();

	(void)state;
	json_object_set_new(bundle, "qe_identity", json_string("{}"));
	assert_int_equal(add_json(bundle), -1);
	assert_int_equal(sgx_collateral_count(c), 0);
	json_decref(bundle);
}

static void test_certificates(void **state)
{
	struct qb_bytes pem = pem_of(&b->signer);
	struct qb_cert other = b->signer;

	(void)state;
	qb_pem(&b->ca, &pem);
	qb_pem(&b->root, &pem);
	assert_int_equal(add(pem.bytes, pem.len), 0);
	assert_int_equal(sgx_collateral_count(c), 2); /* the root is not kept */
	assert_int_equal(part_at(0, QB_NOW_MS).kind, SGX_PART_SIGNER);
	assert_int_equal(part_at(1, QB_NOW_MS).kind, SGX_PART_CA);
	assert_string_equal(part_at(1, QB_NOW_MS).what, b->ca.subject);
	refused_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
		     "-----END CERTIFICATE-----\n");
	other.subject = "Intel SGX PCK Certificate";
	pem = pem_of(&other);
	refused(pem.bytes, pem.len);
	other = b->signer;
	other.is_ca = true; /* of the signer's name */
	pem = pem_of(&other);
	refused(pem.bytes, pem.len);
	other = b->signer;
	other.by = b->ca_key; /* nobody vouches for it */
	pem = pem_of(&other);
	assert_int_equal(add(pem.bytes, pem.len), 0);
	assert_int_equal(
	    part_at(2, QB_NOW_MS).verdict, HM_COLLATERAL_SIGNATURE);
}

static void test_revoked_signer(void **state)
{
	struct qb_bytes pem = pem_of(&b->signer), crl;
	char *tcb = qb_tcb_file(b);

	(void)state;
	b->revoked_by_root = b->signer.serial;
	qb_crl(b, true, &crl);
	qb_add(c, pem.bytes, pem.len);
	qb_add(c, crl.bytes, crl.len);
	qb_add(c, tcb, strlen(tcb));
	assert_int_equal(part_at(0, QB_NOW_MS).verdict, HM_CERTIFICATE_REVOKED);
	assert_int_equal(part_at(2, QB_NOW_MS).verdict, HM_CERTIFICATE_REVOKED);
	free(tcb);
}

/* A PCK CA's list: by that CA, by another of its name, without any. */
static void test_ca_list(void **state)
{
	struct qb_bytes crl, pem = pem_of(&b->ca);
	EVP_PKEY *right = b->ca_key;

	(void)state;
	qb_crl(b, false, &crl);
	qb_add(c, crl.bytes, crl.len);
	assert_int_equal(part_at(0, QB_NOW_MS).verdict, HM_COLLATERAL_MISSING);
	qb_add(c, pem.bytes, pem.len);
	assert_int_equal(part_at(0, QB_NOW_MS).verdict, HM_VALID);
	b->ca_key = b->signer_key;
	qb_crl(b, false, &crl);
	b->ca_key = right;
	qb_add(c, crl.bytes, crl.len);
	assert_int_equal(
	    part_at(2, QB_NOW_MS).verdict, HM_COLLATERAL_SIGNATURE);
	assert_int_equal(part_at(1, QB_NOW_MS).verdict, HM_VALID);
}

static void test_no_root(void **state)
{
	struct sgx_root none = {"zeros", {0}};
	struct qb_bytes pem = pem_of(&b->signer);
	struct sgx_part part;

	(void)state;
	qb_add(c, pem.bytes, pem.len);
	sgx_collateral_part(c, 0, NULL, 0, QB_NOW_MS, &part);
	assert_int_equal(part.verdict, HM_COLLATERAL_SIGNATURE);
	sgx_collateral_part(c, 0, &sgx_intel_root, 1, QB_NOW_MS, &part);
	assert_int_equal(part.verdict, HM_COLLATERAL_SIGNATURE);
	sgx_collateral_part(c, 0, &none, 1, QB_NOW_MS, &part);
	assert_int_equal(part.verdict, HM_NO_MEMORY);
}

/* As in the headers of Intel's answers. */
static void test_percent(void **state)
{
	struct qb_bytes pem = pem_of(&b->signer), out = {0};

	(void)state;
	for (size_t i = 0; i < pem.len; i++) {
		char byte[4];

		if (strchr(" \n=+/", pem.bytes[i]) == NULL) {
			qb_put(&out, &pem.bytes[i], 1);
			continue;
		}
		snprintf(byte, sizeof(byte), "%%%02X", pem.bytes[i]);
		qb_put(&out, byte, 3);
	}
	assert_int_equal(add(out.bytes, out.len), 0);
	qb_put(&out, "\n", 1);
	assert_int_equal(add(out.bytes, out.len), 0);
	assert_int_equal(sgx_collateral_count(c), 1);
	out.len -= 2; /* %0 at the end */
	refused(out.bytes, out.len);
	out.len -= 1;
	refused(out.bytes, out.len);
	out.len -= 1;
	assert_int_equal(add(out.bytes, out.len), 0);
	out.bytes[11] = 'x'; /* BEGIN%x0 */
	refused(out.bytes, out.len);
}

/* The percent sign begins three bytes, of which the last two are digits. */
static void test_percent_digits(void **state)
{
	(void)state;
	refused_text("-----BEGIN%20CERTIFICATE-----%0g");
	refused_text("-----BEGIN%20CERTIFICATE-----%g0");
	refused_text("-----BEGIN%20CERTIFICATE-----%");
}

static void test_pem(void **state)
{
	struct qb_bytes pem = pem_of(&b->signer), more;
	size_t end = pem.len;

	(void)state;
	for (size_t len = 0; len < end - 1; len++)
		refused(pem.bytes, len);
	assert_int_equal(add(pem.bytes, end - 1), 0);
	for (size_t at = 0; at < end - 1; at++) {
		more = pem;
		memmove(more.bytes + at + 1, more.bytes + at, end - at);
		more.bytes[at] = '\n';
		more.len++;
		refused(more.bytes, more.len);
		more.bytes[at] = ' ';
		refused(more.bytes, more.len);
	}
	/* windows */
	more.len = 0;
	for (size_t i = 0; i < end; i++) {
		if (pem.bytes[i] == '\n')
			qb_put(&more, "\r", 1);
		qb_put(&more, &pem.bytes[i], 1);
	}
	refused(more.bytes, more.len);
}

/* Lines that are joined otherwise. */
static void test_pem_lines(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
	    {"-----BEGIN X-----\nAAAA\n-----END X-----\n", 0},
	    {"-----BEGIN X-----\nAAAA\n-----END X-----", 0},
	    {"-----BEGIN X-----\nAAAA\nAAAA\n-----END X-----\n", -1},
	    {"-----BEGIN X-----\n\nAAAA\n-----END X-----\n", -1},
	    {"-----BEGIN X-----\n"
	     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	     "\n-----END X-----\n",
		-1},
	    {"-----BEGIN X-----\n-----END X-----\n", -1},
	    {"-----BEGIN X-----\nAAA\n-----END X-----\n", -1},
	    {"-----BEGIN X-----\nAAAB=\n-----END X-----\n", -1},
	    {"-----BEGIN X-----\nAAAA-----END X-----\n", -1},
	    {"-----BEGIN Y-----\nAAAA\n-----END X-----\n", -1},
	    {"-----BEGIN X-----\nAAAA\n-----END Y-----\n", -1},
	    {"-----BEGIN X-----\nAAAA\n-----END X-----\r\n", -1},
	    {"-----BEGIN X-----\n"
	     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	     "AAAA\n-----END X-----\n",
		-1},
	    {"-----BEGIN X-----\n"
	     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	     "AAAA\n-----END X-----\n",
		0},
	};
	uint8_t *der;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = {
		    (const uint8_t *)rows[i].text, strlen(rows[i].text)};

		if (sgx_pem_next(&text, "X", &der, &len) != rows[i].status)
			fail_msg("row %zu", i);
		assert_int_equal(der != NULL, rows[i].status == 0);
		free(der);
	}
}

static void test_pem_max(void **state)
{
	struct slice text = {malloc(SGX_PEM_MAX + 1), SGX_PEM_MAX + 1};
	static const char block[] =
	    "-----BEGIN X-----\nAAAA\n-----END X-----\n";
	struct slice rest = text;
	uint8_t *der;
	size_t len;

	(void)state;
	memset((uint8_t *)text.at, 0, text.len);
	memcpy((uint8_t *)text.at, block, strlen(block));
	assert_int_equal(sgx_pem_next(&rest, "X", &der, &len), -1);
	rest = text;
	rest.len--;
	assert_int_equal(sgx_pem_next(&rest, "X", &der, &len), 0);
	assert_int_equal(rest.len, SGX_PEM_MAX - strlen(block));
	free(der);
	free((uint8_t *)text.at);
}

static void test_many(void **state)
{
	struct qb_bytes pem = {0}, crl;

	(void)state;
	for (int i = 0; i < 9; i++) {
		b->signer.serial = 100 + i;
		qb_pem(&b->signer, &pem);
		if (i == 7)
			assert_int_equal(add(pem.bytes, pem.len), 0);
	}
	refused(pem.bytes, pem.len);
	assert_int_equal(sgx_collateral_count(c), 8);
	for (int i = 0; sgx_collateral_count(c) < SGX_COLLATERAL_PARTS_MAX;
	     i++) {
		b->revoked_by_root = 1000 + i;
		qb_crl(b, true, &crl);
		qb_add(c, crl.bytes, crl.len);
	}
	qb_add(c, crl.bytes, crl.len);
	b->revoked_by_root = 1;
	qb_crl(b, true, &crl);
	refused(crl.bytes, crl.len);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_empty),
	    TEST(test_crl_forms),
	    TEST(test_crl_end),
	    TEST(test_crl_profile),
	    TEST(test_crl_without_end),
	    TEST(test_answers),
	    TEST(test_answer_members),
	    TEST(test_escaped_key),
	    TEST(test_exact_text),
	    TEST(test_json_text),
	    TEST(test_bundle),
	    TEST(test_bundle_members),
	    TEST(test_atomic),
	    TEST(test_certificates),
	    TEST(test_revoked_signer),
	    TEST(test_ca_list),
	    TEST(test_no_root),
	    TEST(test_percent),
	    TEST(test_percent_digits),
	    TEST(test_pem),
	    TEST(test_pem_lines),
	    TEST(test_pem_max),
	    TEST(test_many),
	};

	return cmocka_run_group_tests_name("sgx_collateral", tests, NULL, NULL);
}
