/* eif_key: see eif_key.h. */
#include "verifier/cli/eif_key.h"

#include "base/file.h"
#include "verifier/eif/eif_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_TEXT_MAX 8192 /* of a P-384 key: 400 */

static int fail(
    char error[static EIF_KEY_ERROR_MAX], const char *path, const char *why)
{
	snprintf(error, EIF_KEY_ERROR_MAX, "%.200s: %s", path, why);
	return -1;
}

/* Asked for a pass phrase, there is none: a build asks nobody anything. */
static int no_pass_phrase(char *out, int size, int writing, void *data)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)data;
	return -1;
}

/* NULL, or what is wrong with who may read the file. */
static const char *judge_access(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "a private key is read from a regular file only";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "this private key belongs to another user; sign with "
		       "a key of your own";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "others can read or change this private key; chmod 600 "
		       "it, and make a new one if others had access";
	return NULL;
}

static EVP_PKEY *decode_key(const char *text, int len)
{
	BIO *bio = BIO_new_mem_buf(text, len);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* Not by file_read(), which leaves copies behind in freed memory. */
static int load_key(
    EVP_PKEY **out, const char *path, char error[static EIF_KEY_ERROR_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *why = fd < 0 ? strerror(errno) : judge_access(fd);
	char text[KEY_TEXT_MAX];
	ssize_t n = 0;

	if (why == NULL) {
		n = read(fd, text, sizeof(text));
		if (n < 0)
			why = strerror(errno);
	}
	if (why == NULL)
		*out = decode_key(text, (int)n);
	if (why == NULL && *out == NULL)
		why = "is not one private key in PEM without a pass phrase "
		      "(openssl genpkey -algorithm EC -pkeyopt "
		      "ec_paramgen_curve:P-384 makes one)";
	OPENSSL_cleanse(text, sizeof(text));
	if (fd >= 0)
		close(fd);
	return why ? fail(error, path, why) : 0;
}

static int load_certificate(struct eif_key *out, X509 **x509, const char *path,
    char error[static EIF_KEY_ERROR_MAX])
{
	int rc = file_read(path, EIF_PEM_MAX, &out->pem, &out->pem_len);
	uint8_t pcr8[HM_PCR_LEN];
	enum eif_fault fault;

	if (rc == -EFBIG)
		return fail(error, path, "too large for one certificate");
	if (rc)
		return fail(error, path, strerror(-rc));
	fault = eif_signature_certificate(
	    x509, pcr8, (struct slice){out->pem, out->pem_len});
	return fault ? fail(error, path, eif_fault_text(fault)) : 0;
}

int eif_key_load(struct eif_key *out, const char *certificate_path,
    const char *key_path, char error[static EIF_KEY_ERROR_MAX])
{
	X509 *x509 = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = load_certificate(out, &x509, certificate_path, error);
	if (rc == 0)
		rc = load_key(&out->key, key_path, error);
	if (rc == 0 && X509_check_private_key(x509, out->key) != 1)
		rc = fail(error, key_path,
		    "is not the key of the signing certificate");
	ERR_clear_error();
	X509_free(x509);
	if (rc)
		eif_key_fini(out);
	return rc;
}

void eif_key_fini(struct eif_key *key)
{
	free(key->pem);
	EVP_PKEY_free(key->key); /* which wipes it */
	memset(key, 0, sizeof(*key));
}
