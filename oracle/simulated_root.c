/* simulated_root: two files. See simulated_root.h. */
#include "oracle/simulated_root.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MODE  0600
#define CERT_MODE 0644

struct paths {
	char cert[PATH_MAX], key[PATH_MAX];
};

__attribute__((format(printf, 2, 3))) static int say(
    char error[ATTESTER_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, ATTESTER_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

static int make_paths(struct paths *paths, const char *directory)
{
	int cert = snprintf(paths->cert, sizeof(paths->cert), "%s/%s",
	    directory, SIMULATED_ROOT_CERT);
	int key = snprintf(paths->key, sizeof(paths->key), "%s/%s", directory,
	    SIMULATED_ROOT_KEY);

	return cert > 0 && cert < PATH_MAX && key > 0 && key < PATH_MAX ? 0
									: -1;
}

/* ---- reading ---- */

/* Nobody is there to be asked. */
static int no_passphrase(char *buf, int size, int rwflag, void *data)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)data;
	return -1;
}

static X509 *parse_cert(const uint8_t *bytes, size_t len)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	X509 *cert = bio != NULL
			 ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)
			 : NULL;

	BIO_free(bio);
	return cert;
}

static EVP_PKEY *parse_key(const uint8_t *bytes, size_t len)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(
					  bio, NULL, no_passphrase, NULL)
				    : NULL;

	BIO_free(bio);
	return key;
}

static int read_cert(struct simulated_chain_link *out, char *pem,
    const char *path, char error[ATTESTER_ERROR_MAX])
{
	uint8_t *bytes;
	size_t len;
	int rc = file_read(path, SIMULATED_ROOT_PEM_MAX - 1, &bytes, &len);

	if (rc != 0)
		return say(error, "%s: %s", path, strerror(-rc));
	out->cert = parse_cert(bytes, len);
	/* A policy gets this text: it must end where it seems to end. */
	if (out->cert != NULL && memchr(bytes, '\0', len) == NULL)
		memcpy(pem, bytes, len + 1);
	free(bytes);
	if (out->cert == NULL || pem[0] == '\0' ||
	    simulated_chain_describe(out) != 0)
		return say(
		    error, "no certificate of ours, delete it: %s", path);
	return 0;
}

static int read_key(struct simulated_chain_link *out, const char *path,
    char error[ATTESTER_ERROR_MAX])
{
	uint8_t *bytes;
	size_t len;
	int rc = file_read(path, SIMULATED_ROOT_PEM_MAX, &bytes, &len);

	if (rc != 0)
		return say(error,
		    "%s: %s; to start anew delete " SIMULATED_ROOT_CERT, path,
		    strerror(-rc));
	out->key = parse_key(bytes, len);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	if (out->key == NULL)
		return say(error,
		    "no key, delete it and " SIMULATED_ROOT_CERT ": %s", path);
	return 0;
}

static int load(struct simulated_chain_link *out, char *pem,
    const struct paths *paths, char error[ATTESTER_ERROR_MAX])
{
	if (read_cert(out, pem, paths->cert, error) != 0 ||
	    read_key(out, paths->key, error) != 0)
		return -1;
	if (X509_check_private_key(out->cert, out->key) != 1)
		return say(error,
		    "another root's key, delete it and " SIMULATED_ROOT_CERT
		    ": %s",
		    paths->key);
	return 0;
}

/* ---- making ---- */

static int write_pem(const char *path, BIO *bio, unsigned mode)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);

	return file_write(path, bytes, (size_t)len, mode);
}

static int write_key(const char *path, const EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
	int rc = -ENOMEM;

	if (bio != NULL &&
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		rc = write_pem(path, bio, KEY_MODE);
	BIO_free(bio);
	return rc;
}

static int write_cert(const char *path, X509 *cert, char *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -ENOMEM, len;

	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1)
		rc = write_pem(path, bio, CERT_MODE);
	if (rc == 0) {
		len = BIO_read(bio, pem, SIMULATED_ROOT_PEM_MAX - 1);
		pem[len > 0 ? len : 0] = '\0';
	}
	BIO_free(bio);
	return rc;
}

static int make(struct simulated_chain_link *out, char *pem,
    const struct paths *paths, int64_t now_s, char error[ATTESTER_ERROR_MAX])
{
	int rc;

	if (simulated_chain_make_root(out, now_s) != 0)
		return say(error, "cannot make a root certificate");
	rc = write_key(paths->key, out->key);
	if (rc != 0)
		return say(error, "%s: %s", paths->key, strerror(-rc));
	rc = write_cert(paths->cert, out->cert, pem);
	if (rc != 0)
		return say(error, "%s: %s", paths->cert, strerror(-rc));
	log_warn("simulated_root", "made", LOG_S("file", paths->cert));
	return 0;
}

/* ---- either ---- */

static int lock_directory(const char *directory, char error[ATTESTER_ERROR_MAX])
{
	int fd;

	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return say(error, "%s: %s", directory, strerror(errno));
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return say(error, "%s: %s", directory, strerror(errno));
	while (flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		say(error, "%s: %s", directory, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int simulated_root_open(struct simulated_chain_link *out,
    char pem[static SIMULATED_ROOT_PEM_MAX], const char *directory,
    int64_t now_s, char error[ATTESTER_ERROR_MAX])
{
	struct paths paths;
	int fd, rc;

	memset(out, 0, sizeof(*out));
	memset(pem, 0, SIMULATED_ROOT_PEM_MAX);
	if (make_paths(&paths, directory) != 0)
		return say(error, "the directory's name is too long");
	fd = lock_directory(directory, error);
	if (fd < 0)
		return -1;
	if (access(paths.cert, F_OK) == 0 || errno != ENOENT)
		rc = load(out, pem, &paths, error);
	else
		rc = make(out, pem, &paths, now_s, error);
	close(fd); /* and with it the lock */
	ERR_clear_error();
	if (rc != 0) {
		simulated_chain_link_fini(out);
		memset(pem, 0, SIMULATED_ROOT_PEM_MAX);
	}
	return rc;
}
