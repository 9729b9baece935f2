/* chain: see chain.h. */
#include "verifier/chain.h"

#include "feeds/check.h"

#include <openssl/x509_vfy.h>
#include <string.h>

static const struct cert *leaf_of(const struct chain *chain)
{
	return &chain->certs[chain->count - 1];
}

static bool leaf_belongs_to(const struct cert *leaf, const char *module_id)
{
	char name[HM_TEXT_MAX];
	size_t len = strlen(module_id);

	cert_common_name(leaf, name);
	return REQUIRE(leaf_name, strncmp(name, module_id, len) == 0) &&
	       REQUIRE(leaf_name_dot, name[len] == '.') &&
	       REQUIRE(leaf_name_region, name[len + 1] != '\0');
}

static bool profile_ok(const struct chain *chain, const char *module_id)
{
	size_t cas = chain->count - 1;

	for (size_t i = 0; i < cas; i++)
		if (REFUSE(chain_ca,
			!cert_is_ca(&chain->certs[i], (unsigned)(cas - 1 - i))))
			return false;
	return REQUIRE(chain_leaf, cert_is_leaf(leaf_of(chain))) &&
	       leaf_belongs_to(leaf_of(chain), module_id);
}

static int find_paths(struct chain *chain, const struct slice *ders)
{
	for (size_t i = 0; i < chain->count; i++)
		if (cert_path(chain->path_sha256[i],
			i == 0 ? NULL : chain->path_sha256[i - 1],
			ders[i]) != 0)
			return -1;
	return 0;
}

/* From the leaf up: the lowest known one vouches for all above it, whether
 * they are still there or have to be parsed; and what is asked for last, the
 * root, is the last to make room. */
static enum hm_verdict fill(struct chain *chain, const struct slice *ders,
    const struct cert *root, struct cert_cache *known)
{
	for (size_t i = chain->count; i-- > 0;) {
		struct cert *cert = &chain->certs[i];
		enum hm_verdict verdict = HM_VALID;

		if (known != NULL &&
		    cert_cache_find(known, chain->path_sha256[i], cert)) {
			if (chain->known == 0)
				chain->known = i + 1;
		} else if (i == 0 && root != NULL && root->x509 != NULL) {
			cert_share(cert, root);
		} else {
			verdict = cert_parse(cert, ders[i]);
		}
		if (REFUSE(chain_cert, verdict != HM_VALID))
			return verdict;
	}
	return HM_VALID;
}

enum hm_verdict chain_open(struct chain *out,
    const struct document_certs *certs, const char *module_id,
    const struct cert *root, struct cert_cache *known)
{
	struct slice ders[CHAIN_MAX];
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < certs->cabundle_count; i++)
		ders[out->count++] = certs->cabundle[i];
	ders[out->count++] = certs->leaf;
	if (known != NULL && find_paths(out, ders) != 0)
		return HM_NO_MEMORY;
	verdict = fill(out, ders, root, known);
	if (verdict == HM_VALID &&
	    REFUSE(chain_profile, !profile_ok(out, module_id)))
		verdict = HM_CERTIFICATE_PROFILE;
	if (verdict != HM_VALID)
		chain_close(out);
	return verdict;
}

void chain_close(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		cert_fini(&chain->certs[i]);
	memset(chain, 0, sizeof(*chain));
}

/* The lowest certificate that needs no verification: the root at least. */
static size_t anchor_of(const struct chain *chain)
{
	return chain->known > 0 ? chain->known - 1 : 0;
}

size_t chain_unknown_links(const struct chain *chain)
{
	return chain->count - 1 - anchor_of(chain);
}

/* The certificates between anchor and leaf; borrowed. NULL: no memory. */
static STACK_OF(X509) * between(const struct chain *chain)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	size_t i = anchor_of(chain) + 1;

	for (; stack != NULL && i + 1 < chain->count; i++)
		if (sk_X509_push(stack, chain->certs[i].x509) == 0) {
			sk_X509_free(stack);
			return NULL;
		}
	return stack;
}

/* A store that trusts this certificate and looks nowhere else. */
static X509_STORE *store_of(const struct cert *anchor)
{
	X509_STORE *store = X509_STORE_new();

	if (store != NULL && X509_STORE_add_cert(store, anchor->x509) != 1) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

/* OpenSSL lists the leaf first. */
static bool path_is(const struct chain *chain, STACK_OF(X509) * path)
{
	size_t count = chain->count - anchor_of(chain);

	/* unnamed: what was verified has one */
	if (path == NULL ||
	    REFUSE(path_length, (size_t)sk_X509_num(path) != count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (REFUSE(path_order,
			X509_cmp(sk_X509_value(path, (int)i),
			    chain->certs[chain->count - 1 - i].x509) != 0))
			return false;
	return true;
}

static enum hm_verdict run(
    const struct chain *chain, X509_STORE_CTX *ctx, const char **why)
{
	/* The times are judged by the caller, and never by this machine's
	 * clock. */
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
	/* Only a path that was verified down to it makes an anchor of a
	 * certificate that is no root. */
	if (anchor_of(chain) > 0)
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_CTX_set_depth(ctx, CHAIN_MAX);
	if (REFUSE(chain_verifies, X509_verify_cert(ctx) != 1)) {
		int error = X509_STORE_CTX_get_error(ctx);

		*why = X509_verify_cert_error_string(error);
		return error == X509_V_ERR_OUT_OF_MEM ? HM_NO_MEMORY
						      : HM_CHAIN_BROKEN;
	}
	if (REFUSE(
		chain_path, !path_is(chain, X509_STORE_CTX_get0_chain(ctx)))) {
		*why = "not the path that was given";
		return HM_CHAIN_BROKEN;
	}
	return HM_VALID;
}

static enum hm_verdict verify_rest(const struct chain *chain, const char **why)
{
	enum hm_verdict verdict = HM_NO_MEMORY;
	X509_STORE *store = store_of(&chain->certs[anchor_of(chain)]);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *untrusted = between(chain);

	if (store != NULL && ctx != NULL && untrusted != NULL &&
	    X509_STORE_CTX_init(ctx, store, leaf_of(chain)->x509, untrusted) ==
		1)
		verdict = run(chain, ctx, why);
	X509_STORE_CTX_free(ctx);
	sk_X509_free(untrusted);
	X509_STORE_free(store);
	return verdict;
}

enum hm_verdict chain_verify(const struct chain *chain, const char **why)
{
	const char *text = NULL;
	enum hm_verdict verdict = HM_VALID;

	if (chain->known < chain->count)
		verdict = verify_rest(chain, &text);
	if (why != NULL)
		*why = text;
	return verdict;
}

void chain_remember(const struct chain *chain, struct cert_cache *known)
{
	for (size_t i = chain->count; i-- > 0;)
		cert_cache_put(known, chain->path_sha256[i], &chain->certs[i]);
}

void chain_read_facts(const struct chain *chain, struct chain_facts *out)
{
	memset(out, 0, sizeof(*out));
	out->not_before_ms = INT64_MIN;
	out->not_after_ms = INT64_MAX;
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *cert = &chain->certs[i];
		struct chain_link *link;

		if (cert->not_before_ms > out->not_before_ms)
			out->not_before_ms = cert->not_before_ms;
		if (cert->not_after_ms < out->not_after_ms)
			out->not_after_ms = cert->not_after_ms;
		if (i == 0)
			continue;
		link = &out->links[out->link_count++];
		memcpy(link->issuer_spki_sha256,
		    chain->certs[i - 1].spki_sha256, HM_SHA256_LEN);
		memcpy(link->serial, cert->serial, cert->serial_len);
		link->serial_len = cert->serial_len;
	}
}

EVP_PKEY *chain_leaf_key(const struct chain *chain)
{
	return X509_get0_pubkey(leaf_of(chain)->x509);
}
