/* eif build with a key: PCR8, and each certificate and key that will not do. */
#include "eif_run.h"

#include "tests/unit/eif/eif_signer.h"

static void write_signer(const struct signer *s)
{
	write_text("certificate", s->pem);
	write_text("key", s->key_pem);
}

#define SIGNED \
	PARTS, "--signing-certificate", "certificate", "--private-key", "key"

static void test_signed(void **state)
{
	struct signer signer;
	uint8_t plain[3][HM_PCR_LEN], pcr8[HM_PCR_LEN];

	(void)state;
	GOOD(PARTS);
	read_image();
	memcpy(plain, image.reader.pcrs, sizeof(plain));
	signer_init(&signer, "P-384");
	write_signer(&signer);
	GOOD(SIGNED);
	check_measurements(true);
	read_image();
	assert_memory_equal(image.reader.pcrs, plain, sizeof(plain));
	assert_int_equal(image.reader.sections[5].type, EIF_SIGNATURE);
	eif_pcrs_of(pcr8, signer.der, (size_t)signer.der_len);
	assert_memory_equal(image.pcr8, pcr8, sizeof(pcr8));
	signer_fini(&signer);
}

static void test_bad_keys(void **state)
{
	struct signer signer, other, p256;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	(void)state;
	signer_init(&signer, "P-384");
	signer_init(&other, "P-384");
	signer_init(&p256, "P-256");
	write_signer(&signer);
	for (mode_t bit = 1; bit <= 040; bit <<= 1) {
		assert_int_equal(chmod("key", 0600 | bit), 0);
		BAD(COMMAND_USAGE, "key: others can read or change", SIGNED);
	}
	assert_int_equal(chmod("key", 0600), 0);
	write_text("key", other.key_pem);
	BAD(COMMAND_USAGE, "key: is not the key of", SIGNED);
	write_text("key", "no key");
	BAD(COMMAND_USAGE, "key: is not one private key", SIGNED);
	PEM_write_bio_PrivateKey(bio, signer.key, EVP_aes_128_cbc(),
	    (const unsigned char *)"secret", 6, NULL, NULL);
	text = signer_text(bio);
	write_text("key", text);
	free(text);
	BAD(COMMAND_USAGE, "without a pass phrase", SIGNED);
	unlink("key");
	BAD(COMMAND_USAGE, "key: No such file", SIGNED);
	assert_int_equal(mkdir("key", 0700), 0);
	BAD(COMMAND_USAGE, "a regular file only", SIGNED);
	assert_int_equal(rmdir("key"), 0);
	write_signer(&p256);
	BAD(COMMAND_USAGE, "certificate: the signing certificate is not one",
	    SIGNED);
	unlink("certificate");
	BAD(COMMAND_USAGE, "certificate: No such file", SIGNED);
	signer_fini(&signer);
	signer_fini(&other);
	signer_fini(&p256);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_signed),
	    TEST(test_bad_keys),
	};

	return cmocka_run_group_tests_name("eif sign", tests, NULL, NULL);
}
