/* eif_signature: what is made is good, for this image and by this key alone;
 * each form that nitro-cli does not write is refused. */
#include "eif_fixture.h"
#include "eif_signer.h"

#include "verifier/eif/eif_signature.h"

static struct signer signer, other, p256;
static const uint8_t pcr0[HM_PCR_LEN] = {1, 2, 3, 0, 24, 255};
static uint8_t *section;
static size_t section_len;

static struct slice pem_of(const struct signer *s)
{
	return (struct slice){(const uint8_t *)s->pem, strlen(s->pem)};
}

static int group_setup(void **state)
{
	(void)state;
	signer_init(&signer, "P-384");
	signer_init(&other, "P-384");
	signer_init(&p256, "P-256");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	signer_fini(&signer);
	signer_fini(&other);
	signer_fini(&p256);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return eif_signature_make(
	    &section, &section_len, pem_of(&signer), signer.key, pcr0);
}

static int teardown(void **state)
{
	(void)state;
	free(section);
	return 0;
}

static enum eif_fault judge_all(
    const uint8_t *bytes, size_t len, const uint8_t *measured)
{
	uint8_t *copy = malloc(len + 1), pcr8[HM_PCR_LEN];
	enum eif_fault fault;
	X509 *x509;

	memcpy(copy, bytes, len);
	copy = realloc(copy, len ? len : 1); /* so that ASan sees its end */
	fault = eif_signature_verify(
	    &x509, pcr8, (struct slice){copy, len}, measured);
	assert_int_equal(x509 != NULL, fault == EIF_NONE);
	X509_free(x509);
	free(copy);
	return fault;
}

static enum eif_fault judge(void)
{
	return judge_all(section, section_len, pcr0);
}

static void test_good(void **state)
{
	uint8_t pcr8[HM_PCR_LEN], both[2 * HM_PCR_LEN] = {0};
	uint8_t wanted[HM_PCR_LEN];
	X509 *x509;

	(void)state;
	assert_int_equal(eif_signature_verify(&x509, pcr8,
			     (struct slice){section, section_len}, pcr0),
	    EIF_NONE);
	X509_free(x509);
	EVP_Digest(signer.der, (size_t)signer.der_len, both + HM_PCR_LEN, NULL,
	    EVP_sha384(), NULL);
	EVP_Digest(both, sizeof(both), wanted, NULL, EVP_sha384(), NULL);
	assert_memory_equal(pcr8, wanted, HM_PCR_LEN);
}

/* As the specification draws it. */
static void test_form(void **state)
{
	size_t len = strlen(signer.pem);

	(void)state;
	assert_memory_equal(section, "\x81\xa2\x73signing_certificate\x99", 23);
	assert_int_equal(fixture_take(section + 23, 2), len);
	/* "-" is 45: a number of two bytes */
	assert_memory_equal(section + 25, "\x18\x2d\x18\x2d", 4);
	assert_true(section_len > 2 * len + 300);
}

static void test_other_image(void **state)
{
	uint8_t measured[HM_PCR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(measured); i++) {
		memcpy(measured, pcr0, sizeof(measured));
		measured[i] ^= 1;
		assert_int_equal(judge_all(section, section_len, measured),
		    EIF_SIGNED_OTHER);
	}
}

static void remake(struct slice pem, EVP_PKEY *key)
{
	free(section);
	section = NULL;
	assert_int_equal(
	    eif_signature_make(&section, &section_len, pem, key, pcr0), 0);
}

static void test_other_key(void **state)
{
	(void)state;
	remake(pem_of(&signer), other.key);
	assert_int_equal(judge(), EIF_SIGNATURE_WRONG);
	remake(pem_of(&other), other.key);
	assert_int_equal(judge(), EIF_NONE);
}

/* ---- certificates ---- */

static enum eif_fault judge_pem(const char *before, const char *after)
{
	char text[EIF_PEM_MAX];
	uint8_t pcr8[HM_PCR_LEN];
	enum eif_fault fault;
	X509 *x509;

	snprintf(text, sizeof(text), "%s%s%s", before, signer.pem, after);
	fault = eif_signature_certificate(
	    &x509, pcr8, (struct slice){(uint8_t *)text, strlen(text)});
	assert_int_equal(x509 != NULL, fault == EIF_NONE);
	X509_free(x509);
	return fault;
}

static void test_pem(void **state)
{
	uint8_t pcr8[HM_PCR_LEN];
	X509 *x509;

	(void)state;
	assert_int_equal(judge_pem("", ""), EIF_NONE);
	assert_int_equal(judge_pem("", "\r\n \n"), EIF_NONE);
	assert_int_equal(judge_pem("\n", ""), EIF_NONE);
	assert_int_equal(judge_pem("", "\x0e"), EIF_CERTIFICATE);
	assert_int_equal(judge_pem("subject=x\n", ""), EIF_CERTIFICATE);
	assert_int_equal(judge_pem("", "x"), EIF_CERTIFICATE);
	assert_int_equal(judge_pem("", other.pem), EIF_CERTIFICATE);
	assert_int_equal(judge_pem("", other.key_pem), EIF_CERTIFICATE);
	assert_int_equal(judge_pem(other.key_pem, ""), EIF_CERTIFICATE);
	assert_int_equal(eif_signature_certificate(
			     &x509, pcr8, (struct slice){(uint8_t *)"", 0}),
	    EIF_CERTIFICATE);
	assert_int_equal(eif_signature_certificate(&x509, pcr8, pem_of(&p256)),
	    EIF_CERTIFICATE);
}

static enum eif_fault judge_der(const uint8_t *der, long len, const char *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	uint8_t pcr8[HM_PCR_LEN];
	enum eif_fault fault;
	X509 *x509;
	char *text;

	PEM_write_bio(bio, name, "", der, len);
	text = signer_text(bio);
	fault = eif_signature_certificate(
	    &x509, pcr8, (struct slice){(uint8_t *)text, strlen(text)});
	X509_free(x509);
	free(text);
	return fault;
}

/* Two readers must not find two certificates in it. */
static void test_der(void **state)
{
	uint8_t bytes[2048] = {0};
	size_t len = (size_t)signer.der_len;

	(void)state;
	memcpy(bytes, signer.der, len);
	assert_int_equal(judge_der(bytes, (long)len, "CERTIFICATE"), EIF_NONE);
	assert_int_equal(
	    judge_der(bytes, (long)len, "X509 CERTIFICATE"), EIF_CERTIFICATE);
	assert_int_equal(
	    judge_der(bytes, (long)len + 1, "CERTIFICATE"), EIF_CERTIFICATE);
	assert_int_equal(
	    judge_der(bytes, (long)len - 1, "CERTIFICATE"), EIF_CERTIFICATE);
	/* the same with a length that is longer than it must be: BER */
	assert_int_equal(bytes[1], 0x82);
	memmove(bytes + 5, bytes + 4, len - 4);
	memmove(bytes + 3, bytes + 2, 2);
	bytes[1] = 0x83;
	bytes[2] = 0;
	assert_int_equal(
	    judge_der(bytes, (long)len + 1, "CERTIFICATE"), EIF_CERTIFICATE);
}

/* The last group of base64 has bits that stand for nothing: of 65 bytes 4. A
 * DER of any length but a multiple of 3 would do as well. */
static void test_pad_bits(void **state)
{
	uint8_t pcr8[HM_PCR_LEN];
	X509 *x509;
	char *pad;

	(void)state;
	while (signer.der_len % 3 == 0) { /* signatures differ in length */
		signer_fini(&signer);
		signer_init(&signer, "P-384");
	}
	pad = strchr(signer.pem, '=');
	assert_non_null(pad);
	pad[-1]++; /* A, Q, g, w: with another bit it stands for the same */
	assert_int_equal(
	    eif_signature_certificate(&x509, pcr8, pem_of(&signer)),
	    EIF_CERTIFICATE);
	pad[-1]--;
	assert_int_equal(
	    eif_signature_certificate(&x509, pcr8, pem_of(&signer)), EIF_NONE);
	X509_free(x509);
}

/* ---- CBOR ---- */

/* Of what is in the arrays of numbers, made anew around it. */
struct forged {
	uint8_t bytes[EIF_SIGNATURE_MAX];
	size_t len;
};

static void put(struct forged *f, const void *bytes, size_t len)
{
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void put_octets(struct forged *f, const uint8_t *bytes, size_t len)
{
	uint8_t head[3] = {0x99, (uint8_t)(len >> 8), (uint8_t)len};

	if (len < 256) {
		head[0] = 0x98;
		head[1] = (uint8_t)len;
	}
	put(f, head, len < 256 ? 2 : 3);
	for (size_t i = 0; i < len; i++) {
		uint8_t octet[2] = {0x18, bytes[i]};

		put(f, bytes[i] < 24 ? octet + 1 : octet,
		    bytes[i] < 24 ? 1 : 2);
	}
}

/* The COSE_Sign1 that was made. */
static size_t cose_of(uint8_t out[EIF_COSE_MAX])
{
	const uint8_t *end = section + section_len;
	const uint8_t *at = memmem(section, section_len, "\x69signature", 10);
	size_t n = 0;

	assert_non_null(at);
	for (at += at[10] == 0x98 ? 12 : 13; at < end; at++)
		out[n++] = *at == 0x18 ? *++at : *at;
	return n;
}

enum forgery {
	AS_IT_IS,
	TWO_ENTRIES,
	OTHER_ORDER,
	KEY_TWICE,
	THIRD_KEY,
	THIRD_KEY_MISSING,
	WRONG_KEY,
	BYTES_BEHIND,
	EMPTY_CERTIFICATE,
	LARGE_SIGNATURE,
	LARGE_NUMBER,
	LONG_HEAD,
	BYTE_STRING,
	OTHER_REGISTER,
	SHORT_REGISTER,
	LONG_REGISTER,
	BEHIND_PAYLOAD,
	PAYLOAD_KEY_MISSING,
	TAGGED_PAYLOAD,
	FORGERY_COUNT
};

/* PCR0 ends with zeros, each a number of one byte. */
static size_t resize_payload(uint8_t *cose, size_t len, int by)
{
	size_t end = 9 + (size_t)cose[8];

	assert_int_equal(cose[7], 0x58); /* a length of one byte */
	cose[8] = (uint8_t)(cose[8] + by);
	memmove(cose + end + by, cose + end, len - end);
	if (by > 0)
		cose[end] = 0;
	return by > 0 ? len + 1 : len - 1;
}

static void forge_cose(struct forged *f, enum forgery forgery)
{
	uint8_t cose[EIF_COSE_MAX], *at;
	size_t len = cose_of(cose);

	if (forgery == OTHER_REGISTER) {
		at = memmem(cose, len, "register_index", 14);
		at[14] = 1;
	}
	at = memmem(cose, len, "register_value", 14);
	if (forgery == SHORT_REGISTER)
		at[15]--;
	if (forgery == LONG_REGISTER)
		at[15]++;
	if (forgery == SHORT_REGISTER)
		len = resize_payload(cose, len, -1);
	if (forgery == LONG_REGISTER || forgery == BEHIND_PAYLOAD)
		len = resize_payload(cose, len, 1);
	if (forgery == PAYLOAD_KEY_MISSING)
		cose[9] = 0xa3;
	if (forgery == TAGGED_PAYLOAD) {
		at = memmem(cose, len, "\xa2\x6eregister_index", 16);
		at[0] = 0xc2;
	}
	put_octets(f, cose, len);
}

static void forge(struct forged *f, enum forgery forgery)
{
	const uint8_t *pem = (const uint8_t *)signer.pem;
	static const uint8_t zeros[EIF_COSE_MAX + 1];
	size_t len = strlen(signer.pem);

	f->len = 0;
	put(f, forgery == TWO_ENTRIES ? "\x82" : "\x81", 1);
	put(f,
	    forgery == THIRD_KEY || forgery == THIRD_KEY_MISSING ? "\xa3"
								 : "\xa2",
	    1);
	if (forgery == OTHER_ORDER) {
		put(f, "\x69signature", 10);
		forge_cose(f, forgery);
	}
	put(f,
	    forgery == WRONG_KEY ? "\x73signing_Certificate"
				 : "\x73signing_certificate",
	    20);
	if (forgery == EMPTY_CERTIFICATE)
		put(f, "\x80", 1);
	else if (forgery == LARGE_NUMBER)
		put(f, "\x81\x19\x01\x2d", 4);
	else if (forgery == LONG_HEAD)
		put(f, "\x81\x19\x00\x2d", 4);
	else if (forgery == BYTE_STRING)
		put(f, "\x41\x2d", 2);
	else
		put_octets(f, pem, len);
	if (forgery == OTHER_ORDER)
		return;
	put(f,
	    forgery == KEY_TWICE ? "\x73signing_certificate" : "\x69signature",
	    forgery == KEY_TWICE ? 20 : 10);
	if (forgery == LARGE_SIGNATURE)
		put_octets(f, zeros, sizeof(zeros));
	else
		forge_cose(f, forgery);
	if (forgery == THIRD_KEY)
		put(f, "\x61x\x00", 3);
	if (forgery == TWO_ENTRIES)
		put(f, "\xa0", 1);
	if (forgery == BYTES_BEHIND)
		put(f, "\x00", 1);
}

static void test_forgeries(void **state)
{
	struct forged *f = calloc(1, sizeof(*f));

	(void)state;
	forge(f, AS_IT_IS);
	assert_int_equal(f->len, section_len);
	assert_memory_equal(f->bytes, section, section_len);
	for (int i = AS_IT_IS + 1; i < FORGERY_COUNT; i++) {
		forge(f, (enum forgery)i);
		if (judge_all(f->bytes, f->len, pcr0) != EIF_SIGNATURE_FORM)
			fail_msg("forgery %d: %s", i,
			    eif_fault_name(judge_all(f->bytes, f->len, pcr0)));
	}
	free(f);
}

static void test_every_end(void **state)
{
	(void)state;
	for (size_t len = 0; len < section_len; len++)
		assert_int_equal(
		    judge_all(section, len, pcr0), EIF_SIGNATURE_FORM);
}

/* Nobody has signed the certificate here but itself, so that its own signature
 * may be another: that is another certificate, and another PCR8. */
static void test_every_byte(void **state)
{
	uint8_t wanted[HM_PCR_LEN], pcr8[HM_PCR_LEN];
	const struct slice all = {section, section_len};
	X509 *x509;

	(void)state;
	assert_int_equal(
	    eif_signature_verify(&x509, wanted, all, pcr0), EIF_NONE);
	X509_free(x509);
	for (size_t i = 0; i < section_len; i++) {
		section[i] ^= (uint8_t)(1 << i % 8);
		if (eif_signature_verify(&x509, pcr8, all, pcr0) == EIF_NONE)
			assert_memory_not_equal(pcr8, wanted, HM_PCR_LEN);
		X509_free(x509);
		section[i] ^= (uint8_t)(1 << i % 8);
	}
}

static void test_too_large(void **state)
{
	uint8_t *pem = malloc(EIF_SIGNATURE_MAX), *out;
	size_t len;

	(void)state;
	memset(pem, 'x', EIF_SIGNATURE_MAX);
	assert_int_equal(
	    eif_signature_make(&out, &len,
		(struct slice){pem, EIF_SIGNATURE_MAX / 2}, signer.key, pcr0),
	    -1);
	assert_null(out);
	assert_int_equal(
	    eif_signature_make(&out, &len, pem_of(&signer), NULL, pcr0), -1);
	free(pem);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_good),
	    TEST(test_form),
	    TEST(test_other_image),
	    TEST(test_other_key),
	    TEST(test_pem),
	    TEST(test_der),
	    TEST(test_pad_bits),
	    TEST(test_forgeries),
	    TEST(test_every_end),
	    TEST(test_every_byte),
	    TEST(test_too_large),
	};

	return cmocka_run_group_tests_name(
	    "eif_signature", tests, group_setup, group_teardown);
}
