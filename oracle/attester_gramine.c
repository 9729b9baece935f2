/* attester_gramine: see attester_gramine.h. */
#include "oracle/attester_gramine.h"

#include "base/file.h"
#include "base/log.h"
#include "verifier/sgx/sgx_quote.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define PATH_LEN 512
#define TYPE_MAX 64 /* bytes of attestation_type */

struct gramine {
	struct attester base;
	uv_mutex_t lock; /* from the write to the end of the read */
	char report_data[PATH_LEN], quote[PATH_LEN];
};

__attribute__((format(printf, 2, 3))) static int fail(
    char error[ATTESTER_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, ATTESTER_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

/* In one write: Gramine takes what it gets at close, whatever its length. */
static int write_report_data(struct gramine *g,
    const uint8_t data[SGX_REPORT_DATA_LEN], char error[ATTESTER_ERROR_MAX])
{
	int fd = open(g->report_data, O_WRONLY | O_CLOEXEC), closed;
	ssize_t n;

	if (fd < 0)
		return fail(
		    error, "%.100s: %s", g->report_data, strerror(errno));
	do {
		n = write(fd, data, SGX_REPORT_DATA_LEN);
	} while (n < 0 && errno == EINTR);
	closed = close(fd);
	if (n != SGX_REPORT_DATA_LEN || closed != 0)
		return fail(
		    error, "%.100s: took %zd of 64 bytes", g->report_data, n);
	return 0;
}

/* Whether the bytes are a quote, and for this. */
static int check_quote(const struct gramine *g,
    const uint8_t data[SGX_REPORT_DATA_LEN], const uint8_t *bytes, size_t len,
    char error[ATTESTER_ERROR_MAX])
{
	struct sgx_quote quote;
	const char *why;

	if (sgx_quote_parse(&quote, bytes, len, &why) != HM_VALID)
		return fail(error, "%.60s: not a quote: %s", g->quote, why);
	if (quote.is_td)
		return fail(error, "%.60s: of no SGX enclave", g->quote);
	if (memcmp(quote.report_data, data, SGX_REPORT_DATA_LEN) != 0)
		return fail(
		    error, "%.60s: was made for something else", g->quote);
	return 0;
}

static int read_quote(struct gramine *g,
    const uint8_t data[SGX_REPORT_DATA_LEN], uint8_t *out, size_t *out_len,
    char error[ATTESTER_ERROR_MAX])
{
	uint8_t *bytes;
	size_t len;
	int rc = file_read(g->quote, ATTESTER_GRAMINE_QUOTE_MAX, &bytes, &len);

	if (rc != 0)
		return fail(error, "%.100s: %s", g->quote, strerror(-rc));
	rc = check_quote(g, data, bytes, len, error);
	if (rc == 0) {
		memcpy(out, bytes, len);
		*out_len = len;
	}
	free(bytes);
	return rc;
}

static int gramine_attest(struct attester *a,
    const struct attester_request *request, uint8_t *out, size_t *out_len,
    char error[ATTESTER_ERROR_MAX])
{
	struct gramine *g = (struct gramine *)a;
	uint8_t data[SGX_REPORT_DATA_LEN] = {0};
	int rc;

	*out_len = 0;
	if (request->nonce != NULL)
		return fail(error, "an SGX quote has no room for a nonce");
	if (request->public_key == NULL)
		return fail(error, "an SGX quote is made for a public key");
	if (EVP_Digest(request->public_key, request->public_key_len, data, NULL,
		EVP_sha256(), NULL) != 1)
		return fail(error, "no memory");
	uv_mutex_lock(&g->lock);
	rc = write_report_data(g, data, error);
	if (rc == 0)
		rc = read_quote(g, data, out, out_len, error);
	uv_mutex_unlock(&g->lock);
	return rc;
}

/* Intel's. */
static const char *gramine_root_pem(struct attester *a)
{
	(void)a;
	return NULL;
}

static void gramine_close(struct attester *a)
{
	struct gramine *g = (struct gramine *)a;

	uv_mutex_destroy(&g->lock);
	free(g);
}

static const struct attester_ops gramine_ops = {
    .platform = "sgx-dcap",
    .attest = gramine_attest,
    .root_pem = gramine_root_pem,
    .close = gramine_close,
};

/* "dcap", with or without a newline. */
static int check_type(const char *directory, char error[ATTESTER_ERROR_MAX])
{
	char path[PATH_LEN];
	uint8_t *text;
	size_t len;
	bool dcap;
	int rc;

	snprintf(path, sizeof(path), "%s/attestation_type", directory);
	rc = file_read(path, TYPE_MAX, &text, &len);
	if (rc != 0)
		return fail(error, "%.80s: %s; does it run under gramine-sgx?",
		    path, strerror(-rc));
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\0'))
		text[--len] = '\0';
	dcap = strcmp((const char *)text, "dcap") == 0;
	free(text);
	if (!dcap)
		return fail(error,
		    "%.60s is not dcap: the manifest needs "
		    "sgx.remote_attestation = \"dcap\"",
		    path);
	return 0;
}

struct attester *attester_gramine_open(
    const char *directory, char error[ATTESTER_ERROR_MAX])
{
	struct gramine *g;

	error[0] = '\0';
	if (strlen(directory) > PATH_LEN - sizeof("/user_report_data")) {
		fail(error, "the directory's path is too long");
		return NULL;
	}
	if (check_type(directory, error) != 0)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (g == NULL || uv_mutex_init(&g->lock) != 0)
		log_die("attester_gramine", "out of memory");
	g->base.ops = &gramine_ops;
	snprintf(g->report_data, PATH_LEN, "%s/user_report_data", directory);
	snprintf(g->quote, PATH_LEN, "%s/quote", directory);
	return &g->base;
}
