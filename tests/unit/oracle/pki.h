/*
 * pki: certificates made in a test: a CA and leaves that are good or wrong in
 * one way. P-256 keys, because they are made fast. Static functions, so that a
 * test stays one program.
 */
#ifndef HALLMARK_TESTS_PKI_H
#define HALLMARK_TESTS_PKI_H

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PKI_UNUSED __attribute__((unused))
#define PKI_DAY    (24 * 3600L)

struct pki_cert {
	X509 *cert;
	EVP_PKEY *key;
};

struct pki {
	struct pki_cert ca;
	char ca_path[32]; /* PEM; pki_fini() removes it */
};

struct pki_wish {
	const char *san; /* "DNS:localhost", or NULL: none */
	const char *cn;
	long not_before_s, not_after_s; /* from now */
	bool is_ca, self_signed;
};

static void pki_need(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "pki: %s\n", what);
		abort();
	}
}

static void pki_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	pki_need(ext != NULL && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

static X509 *pki_blank(const struct pki_wish *wish, EVP_PKEY *key)
{
	static long serial = 1;
	X509 *cert = X509_new();

	pki_need(cert != NULL, "certificate");
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), wish->not_before_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), wish->not_after_s);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)wish->cn, -1, -1, 0);
	return cert;
}

/* Signed by `ca`, or by itself when ca is NULL or the wish says so. */
static struct pki_cert pki_issue(
    const struct pki_cert *ca, const struct pki_wish *wish)
{
	struct pki_cert made = {.key = EVP_EC_gen("P-256")};
	pki_need(made.key != NULL, "key");
	made.cert = pki_blank(wish, made.key);
	if (ca == NULL || wish->self_signed)
		ca = &made;
	X509_set_issuer_name(made.cert, X509_get_subject_name(ca->cert));
	pki_extend(made.cert, ca->cert, NID_basic_constraints,
	    wish->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish->san != NULL)
		pki_extend(
		    made.cert, ca->cert, NID_subject_alt_name, wish->san);
	pki_need(X509_sign(made.cert, ca->key, EVP_sha256()) > 0, "signature");
	return made;
}

static PKI_UNUSED struct pki_cert pki_leaf(
    const struct pki *pki, const char *san)
{
	return pki_issue(&pki->ca, &(struct pki_wish){.san = san,
				       .cn = "leaf",
				       .not_before_s = -PKI_DAY,
				       .not_after_s = PKI_DAY});
}

static PKI_UNUSED void pki_cert_fini(struct pki_cert *cert)
{
	X509_free(cert->cert);
	EVP_PKEY_free(cert->key);
	*cert = (struct pki_cert){0};
}

static PKI_UNUSED void pki_init(struct pki *pki)
{
	snprintf(pki->ca_path, sizeof(pki->ca_path), "/tmp/pki-XXXXXX");
	int fd = mkstemp(pki->ca_path);
	pki_need(fd >= 0, "file");
	FILE *file = fdopen(fd, "w");
	pki->ca = pki_issue(NULL, &(struct pki_wish){.cn = "test root",
				      .is_ca = true,
				      .not_before_s = -10 * PKI_DAY,
				      .not_after_s = 10 * PKI_DAY});
	pki_need(file != NULL && PEM_write_X509(file, pki->ca.cert) == 1 &&
		     fclose(file) == 0,
	    pki->ca_path);
}

static PKI_UNUSED void pki_fini(struct pki *pki)
{
	unlink(pki->ca_path);
	pki_cert_fini(&pki->ca);
}

/* A server's context with this leaf; max_version 0: the newest. */
static PKI_UNUSED SSL_CTX *pki_server(
    const struct pki_cert *leaf, int max_version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	pki_need(context != NULL, "server context");
	SSL_CTX_set_security_level(context, 0); /* old versions, too */
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(context, max_version);
	pki_need(SSL_CTX_use_certificate(context, leaf->cert) == 1 &&
		     SSL_CTX_use_PrivateKey(context, leaf->key) == 1,
	    "server certificate");
	return context;
}

#endif
