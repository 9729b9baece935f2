/* simulated_chain: five certificates. See simulated_chain.h. */
#include "oracle/simulated_chain.h"

#include "feeds/hex.h"

#include <assert.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOUR 3600
#define DAY  (24 * HOUR)

#define CA_USAGE     "critical,digitalSignature,keyCertSign,cRLSign"
#define ROOT_NAME    "simulated.nitro-enclaves"
#define SERIAL_BYTES 16
#define CN_MAX       65 /* RFC 5280, A.1: ub-common-name, and a NUL */

/* What AWS's certificates of each level say. The leaf has no key identifiers
 * and its keyUsage is not critical. */
static const struct profile {
	int64_t lifetime_s;
	const char *basic_constraints, *key_usage;
	bool subject_key_id, authority_key_id;
} profiles[SIMULATED_CHAIN_LEVELS] = {
    [SIMULATED_CHAIN_ROOT] = {INT64_C(10958) * DAY, /* 30 years */
	"critical,CA:TRUE", CA_USAGE, true, false},
    [SIMULATED_CHAIN_REGIONAL] = {20 * DAY + HOUR, "critical,CA:TRUE,pathlen:2",
	CA_USAGE, true, true},
    [SIMULATED_CHAIN_ZONAL] = {6 * DAY, "critical,CA:TRUE,pathlen:1", CA_USAGE,
	true, true},
    [SIMULATED_CHAIN_INSTANCE] = {DAY, "critical,CA:TRUE,pathlen:0",
	"critical,keyCertSign", true, true},
    [SIMULATED_CHAIN_LEAF] = {3 * HOUR + 3, "critical,CA:FALSE",
	"digitalSignature,nonRepudiation", false, false},
};

/* ---- one certificate ---- */

static int set_serial(X509 *cert)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *number = NULL;
	int rc = -1;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -1;
	/* RFC 5280, 4.1.2.2: positive, not zero. */
	bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL)
		rc = 0;
	BN_free(number);
	return rc;
}

static int set_times(X509 *cert, int64_t not_before_s, int64_t lifetime_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(cert), not_before_s) != NULL &&
		       ASN1_TIME_set(X509_getm_notAfter(cert),
			   not_before_s + lifetime_s) != NULL
		   ? 0
		   : -1;
}

static int set_name(X509 *cert, const char *common_name)
{
	const struct {
		const char *type, *value;
	} parts[] = {
	    {"O", "Hallmark"}, {"OU", "simulated"}, {"CN", common_name}};
	X509_NAME *name = X509_get_subject_name(cert);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (X509_NAME_add_entry_by_txt(name, parts[i].type,
			MBSTRING_ASC, (const uint8_t *)parts[i].value, -1, -1,
			0) != 1)
			return -1;
	return 0;
}

static int add_extension(
    X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	int rc = extension != NULL && X509_add_ext(cert, extension, -1) == 1
		     ? 0
		     : -1;

	X509_EXTENSION_free(extension);
	return rc;
}

static int add_extensions(
    X509 *cert, X509 *issuer, const struct profile *profile)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if (add_extension(cert, &ctx, NID_basic_constraints,
		profile->basic_constraints) != 0 ||
	    add_extension(cert, &ctx, NID_key_usage, profile->key_usage) != 0)
		return -1;
	if (profile->subject_key_id &&
	    add_extension(cert, &ctx, NID_subject_key_identifier, "hash") != 0)
		return -1;
	if (profile->authority_key_id &&
	    add_extension(
		cert, &ctx, NID_authority_key_identifier, "keyid:always") != 0)
		return -1;
	return 0;
}

/* A certificate for a new key in *out; issuer NULL: self-signed. */
static int make_link(struct simulated_chain_link *out,
    const struct simulated_chain_link *issuer, const struct profile *profile,
    const char *common_name, int64_t now_s)
{
	X509 *signer;

	memset(out, 0, sizeof(*out));
	out->key = EVP_EC_gen("P-384");
	out->cert = X509_new();
	if (out->key == NULL || out->cert == NULL)
		goto out;
	signer = issuer != NULL ? issuer->cert : out->cert;
	if (X509_set_version(out->cert, X509_VERSION_3) != 1 ||
	    set_serial(out->cert) != 0 ||
	    set_times(out->cert, now_s - SIMULATED_CHAIN_BACKDATE_S,
		profile->lifetime_s) != 0 ||
	    set_name(out->cert, common_name) != 0 ||
	    X509_set_issuer_name(out->cert, X509_get_subject_name(signer)) !=
		1 ||
	    X509_set_pubkey(out->cert, out->key) != 1 ||
	    add_extensions(out->cert, signer, profile) != 0 ||
	    X509_sign(out->cert, issuer != NULL ? issuer->key : out->key,
		EVP_sha384()) <= 0 ||
	    simulated_chain_describe(out) != 0)
		goto out;
	return 0;
out:
	simulated_chain_link_fini(out);
	return -1;
}

static int seconds_of(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return -1;
	*out = (int64_t)timegm(&tm);
	return 0;
}

int simulated_chain_describe(struct simulated_chain_link *link)
{
	uint8_t *end = link->der;
	int len = i2d_X509(link->cert, NULL);

	if (len <= 0 || len > SIMULATED_CHAIN_CERT_MAX)
		return -1;
	link->der_len = (size_t)i2d_X509(link->cert, &end);
	if (seconds_of(X509_get0_notBefore(link->cert), &link->not_before_s) !=
	    0)
		return -1;
	return seconds_of(X509_get0_notAfter(link->cert), &link->not_after_s);
}

void simulated_chain_link_fini(struct simulated_chain_link *link)
{
	X509_free(link->cert);
	EVP_PKEY_free(link->key); /* wipes the private number */
	memset(link, 0, sizeof(*link));
}

int simulated_chain_make_root(struct simulated_chain_link *out, int64_t now_s)
{
	return make_link(
	    out, NULL, &profiles[SIMULATED_CHAIN_ROOT], ROOT_NAME, now_s);
}

/* ---- the chain ---- */

int simulated_chain_init(struct simulated_chain *chain,
    struct simulated_chain_link *root, int64_t started_ms)
{
	uint8_t random[11];
	char instance[2 * 9 + 1], tail[2 * 2 + 1];

	memset(chain, 0, sizeof(*chain));
	if (RAND_bytes(random, sizeof(random)) != 1)
		return -1;
	hex_encode(random, 9, instance);
	hex_encode(random + 9, 2, tail);
	/* The first 48 bits after -enc: Unix ms of the start. */
	snprintf(chain->module_id, sizeof(chain->module_id),
	    "i-%.17s-enc%012llx%s", instance,
	    (unsigned long long)started_ms & 0xffffffffffffULL, tail);
	chain->links[SIMULATED_CHAIN_ROOT] = *root;
	memset(root, 0, sizeof(*root));
	return 0;
}

void simulated_chain_fini(struct simulated_chain *chain)
{
	for (unsigned i = 0; i < SIMULATED_CHAIN_LEVELS; i++)
		simulated_chain_link_fini(&chain->links[i]);
	memset(chain, 0, sizeof(*chain));
}

static int common_name(const struct simulated_chain *chain,
    enum simulated_chain_level level, char out[CN_MAX])
{
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];
	int len = 0;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -1;
	hex_encode(random, sizeof(random), hex);
	if (level == SIMULATED_CHAIN_REGIONAL)
		len = snprintf(out, CN_MAX,
		    "%s." SIMULATED_CHAIN_REGION "." ROOT_NAME, hex);
	else if (level == SIMULATED_CHAIN_ZONAL)
		len = snprintf(out, CN_MAX,
		    "%s.zonal." SIMULATED_CHAIN_REGION "." ROOT_NAME, hex);
	else if (level == SIMULATED_CHAIN_INSTANCE)
		len = snprintf(out, CN_MAX,
		    "%.19s." SIMULATED_CHAIN_REGION "." ROOT_NAME,
		    chain->module_id);
	else
		len = snprintf(out, CN_MAX, "%s." SIMULATED_CHAIN_REGION ".aws",
		    chain->module_id);
	assert(len > 0 && len < CN_MAX);
	return 0;
}

static bool covers(
    const struct simulated_chain_link *link, int64_t now_s, int64_t to_s)
{
	return link->cert != NULL && link->not_before_s <= now_s &&
	       link->not_after_s >= to_s;
}

/* The highest level that must be made so that a new leaf, and each new one
 * above it, ends before what signs it; LEVELS: none is needed. A clock that
 * went back behind a notBefore makes new ones as well. */
static unsigned first_to_make(
    const struct simulated_chain *chain, int64_t now_s)
{
	int64_t from_s = now_s - SIMULATED_CHAIN_BACKDATE_S;
	unsigned level = SIMULATED_CHAIN_LEAF;

	if (covers(&chain->links[level], now_s,
		now_s + SIMULATED_CHAIN_MARGIN_S + 1))
		return SIMULATED_CHAIN_LEVELS;
	while (level > SIMULATED_CHAIN_ROOT &&
	       !covers(&chain->links[level - 1], now_s,
		   from_s + profiles[level].lifetime_s))
		level--;
	return level;
}

int simulated_chain_renew(struct simulated_chain *chain, int64_t now_s)
{
	struct simulated_chain_link made[SIMULATED_CHAIN_LEVELS];
	unsigned first = first_to_make(chain, now_s), level;
	char name[CN_MAX];

	if (first == SIMULATED_CHAIN_ROOT)
		return -1;
	memset(made, 0, sizeof(made));
	for (level = first; level < SIMULATED_CHAIN_LEVELS; level++)
		if (common_name(chain, level, name) != 0 ||
		    make_link(&made[level],
			level == first ? &chain->links[level - 1]
				       : &made[level - 1],
			&profiles[level], name, now_s) != 0)
			goto out;
	for (level = first; level < SIMULATED_CHAIN_LEVELS; level++) {
		simulated_chain_link_fini(&chain->links[level]);
		chain->links[level] = made[level];
	}
	return 0;
out:
	while (level-- > first)
		simulated_chain_link_fini(&made[level]);
	return -1;
}
