/* policy_quote: see policy_quote.h. What is absent does not match, here too. */
#include "verifier/policy_quote.h"

#include "feeds/check.h"
#include "verifier/policy.h"

#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t len;
} kinds[POLICY_MEASURE_KINDS] = {
    [POLICY_MRENCLAVE] = {"mrenclave", HM_MRENCLAVE_LEN},
    [POLICY_MRSIGNER] = {"mrsigner", HM_MRENCLAVE_LEN},
    [POLICY_MRTD] = {"mrtd", HM_PCR_LEN},
    [POLICY_RTMR0] = {"rtmr0", HM_PCR_LEN},
    [POLICY_RTMR0 + 1] = {"rtmr1", HM_PCR_LEN},
    [POLICY_RTMR0 + 2] = {"rtmr2", HM_PCR_LEN},
    [POLICY_RTMR0 + 3] = {"rtmr3", HM_PCR_LEN},
};

void policy_quotes_fini(struct policy_quotes *quotes)
{
	sgx_collateral_free(quotes->collateral);
	free(quotes->memo);
	for (size_t i = 0; i < quotes->file_count; i++)
		free(quotes->files[i]);
}

void policy_measures_fini(struct policy_measures *measures)
{
	free(measures->list);
}

/* ---- measurements ---- */

const char *policy_measure_name(enum policy_measure_kind kind)
{
	return kinds[kind].name;
}

size_t policy_measure_len(enum policy_measure_kind kind)
{
	return kinds[kind].len;
}

struct slice policy_measure_of(
    const struct hm_quote *quote, enum policy_measure_kind kind)
{
	bool of_td = kind >= POLICY_MRTD;
	const uint8_t *at = quote->rtmrs[0];

	if (REFUSE(measure_absent, !quote->present || quote->is_td != of_td))
		return (struct slice){NULL, 0};
	if (kind == POLICY_MRENCLAVE)
		at = quote->mrenclave;
	else if (kind == POLICY_MRSIGNER)
		at = quote->mrsigner;
	else if (kind == POLICY_MRTD)
		at = quote->mrtd;
	else
		at = quote->rtmrs[kind - POLICY_RTMR0];
	return (struct slice){at, kinds[kind].len};
}

bool policy_measure_ok(const struct policy_measures *measures,
    const struct hm_quote *quote, enum policy_measure_kind kind)
{
	struct slice found = policy_measure_of(quote, kind);

	if ((measures->kinds & 1u << kind) == 0)
		return true;
	for (size_t i = 0; found.at != NULL && i < measures->count; i++)
		if (measures->list[i].kind == kind &&
		    memcmp(measures->list[i].value, found.at, found.len) == 0)
			return true;
	return false; /* unnamed: judge_measure's */
}

bool policy_measures_ok(
    const struct policy_measures *measures, const struct hm_quote *quote)
{
	bool by_signer = (measures->kinds & 1u << POLICY_MRSIGNER) != 0;

	if (REFUSE(measures_none, measures->kinds == 0))
		return false;
	for (unsigned i = 0; i < POLICY_MEASURE_KINDS; i++)
		if (!policy_measure_ok(measures, quote, i))
			return false;
	/* unnamed: judge_product's and judge_svn's */
	return !by_signer || (quote->product_id == measures->product_id &&
				 quote->svn >= measures->min_svn);
}

/* A release is of one kind of enclave: code, signer or domain. */
static bool goes_with(unsigned present, enum policy_measure_kind kind)
{
	unsigned td = ~(1u << POLICY_MRENCLAVE | 1u << POLICY_MRSIGNER);

	if (kind == POLICY_MRENCLAVE)
		return (present & ~(1u << POLICY_MRENCLAVE)) == 0;
	if (kind == POLICY_MRSIGNER)
		return present == 0;
	return (present & ~td) == 0;
}

static int add_measure(struct hm_policy *policy, int release_number,
    enum policy_measure_kind kind, const uint8_t *value)
{
	struct policy_measures *m;
	struct policy_measure *more;

	if (REFUSE(measure_release,
		release_number < 0 ||
		    (size_t)release_number >= policy->release_count))
		return -1;
	m = &policy->releases[release_number].measures;
	if (REFUSE(measures_max, m->count == POLICY_MEASURES_MAX) ||
	    REFUSE(measure_mixed, !goes_with(m->kinds, kind)))
		return -1;
	more = realloc(m->list, (m->count + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	m->list = more;
	memset(&more[m->count], 0, sizeof(*more));
	more[m->count].kind = kind;
	memcpy(more[m->count].value, value, kinds[kind].len);
	m->count++;
	m->kinds |= 1u << kind;
	return 0;
}

int hm_policy_add_mrenclave(struct hm_policy *policy, int release,
    const uint8_t value[HM_MRENCLAVE_LEN])
{
	return add_measure(policy, release, POLICY_MRENCLAVE, value);
}

int hm_policy_add_mrsigner(struct hm_policy *policy, int release,
    const uint8_t value[HM_MRENCLAVE_LEN], uint16_t product_id,
    uint16_t min_svn)
{
	struct policy_measures *m;

	if (add_measure(policy, release, POLICY_MRSIGNER, value) != 0)
		return -1;
	m = &policy->releases[release].measures;
	m->product_id = product_id;
	m->min_svn = min_svn;
	return 0;
}

int hm_policy_add_mrtd(
    struct hm_policy *policy, int release, const uint8_t value[HM_PCR_LEN])
{
	return add_measure(policy, release, POLICY_MRTD, value);
}

int hm_policy_add_rtmr(struct hm_policy *policy, int release, unsigned index,
    const uint8_t value[HM_PCR_LEN])
{
	if (REFUSE(rtmr_index, index >= HM_RTMR_COUNT))
		return -1;
	return add_measure(policy, release, POLICY_RTMR0 + index, value);
}

/* ---- statuses, collateral ---- */

unsigned policy_quote_statuses(const struct policy_quotes *quotes)
{
	return quotes->statuses != 0 ? quotes->statuses : 1u << SGX_UP_TO_DATE;
}

int hm_policy_accept_tcb(struct hm_policy *policy, const char *status)
{
	enum sgx_status parsed;

	if (REFUSE(tcb_unknown, sgx_status_parse(&parsed, status) != 0) ||
	    REFUSE(tcb_revoked, parsed == SGX_REVOKED))
		return -1;
	policy->quotes.statuses |= 1u << parsed;
	return 0;
}

int policy_add_collateral_file(struct hm_policy *policy, const char *path)
{
	struct policy_quotes *q = &policy->quotes;
	size_t len = strlen(path);

	if (REFUSE(collateral_files_max,
		q->file_count == POLICY_COLLATERAL_FILES_MAX) ||
	    REFUSE(collateral_file_empty, len == 0) ||
	    REFUSE(collateral_file_max, len > POLICY_PATH_MAX))
		return -1;
	q->files[q->file_count] = strdup(path);
	if (q->files[q->file_count] == NULL)
		return -1;
	q->file_count++;
	return 0;
}

const char *hm_policy_collateral_file(
    const struct hm_policy *policy, size_t index)
{
	return index < policy->quotes.file_count ? policy->quotes.files[index]
						 : NULL;
}

int hm_policy_add_collateral(struct hm_policy *policy, const uint8_t *bytes,
    size_t len, char error[HM_TEXT_MAX])
{
	struct policy_quotes *q = &policy->quotes;

	error[0] = '\0';
	if (q->collateral == NULL)
		q->collateral = sgx_collateral_new();
	if (q->collateral == NULL) {
		snprintf(error, HM_TEXT_MAX, "no memory");
		return -1; /* unnamed: no memory */
	}
	/* It may be newer, and worse. */
	if (q->memo != NULL)
		memset(q->memo, 0, sizeof(*q->memo));
	return sgx_collateral_add(q->collateral, bytes, len, error);
}

void hm_policy_insecure_without_collateral(struct hm_policy *policy)
{
	policy->quotes.insecure_without_collateral = true;
}

/* ---- roots ---- */

static int add_root(
    struct policy_quotes *q, const uint8_t *point, const char *name)
{
	struct sgx_root *root = &q->roots[q->root_count];

	for (size_t i = 0; i < q->root_count; i++)
		if (memcmp(q->roots[i].point, point, SGX_POINT_LEN) == 0)
			return 0;
	if (REFUSE(quote_roots_max, q->root_count == POLICY_QUOTE_ROOTS_MAX))
		return -1;
	if (q->memo == NULL)
		q->memo = calloc(1, sizeof(*q->memo));
	snprintf(q->names[q->root_count], HM_TEXT_MAX, "%s", name);
	root->name = q->names[q->root_count];
	memcpy(root->point, point, SGX_POINT_LEN);
	q->root_count++;
	return 0;
}

int policy_quote_add_intel(struct hm_policy *policy)
{
	return add_root(
	    &policy->quotes, sgx_intel_root.point, sgx_intel_root.name);
}

/* 04 || x || y */
static int point_of(const struct cert *cert, uint8_t out[SGX_POINT_LEN])
{
	EVP_PKEY *key = X509_get0_pubkey(cert->x509);
	size_t len = 0;

	/* unnamed: cert_parse_p256() has seen that it is such a key */
	return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY,
		   out, SGX_POINT_LEN, &len) == 1 &&
		       len == SGX_POINT_LEN
		   ? 0
		   : -1;
}

/* Intel's own certificates name their key as "intel-sgx" is named. */
static int name_root(const struct cert *cert, const uint8_t *point,
    bool (*name_taken)(const char *name), char out[HM_TEXT_MAX])
{
	if (memcmp(point, sgx_intel_root.point, SGX_POINT_LEN) == 0) {
		snprintf(out, HM_TEXT_MAX, "%s", sgx_intel_root.name);
		return 0;
	}
	cert_common_name(cert, out);
	if (REFUSE(quote_root_name, out[0] == '\0') ||
	    REFUSE(quote_root_taken,
		name_taken(out) || strcmp(out, "Intel SGX Root CA") == 0))
		return -1;
	return 0;
}

int policy_quote_add_root(struct hm_policy *policy, struct slice der,
    bool (*name_taken)(const char *name))
{
	uint8_t point[SGX_POINT_LEN];
	char name[HM_TEXT_MAX];
	struct cert cert;
	int status = -1;

	if (cert_parse_p256(&cert, der) != HM_VALID)
		return -1;
	if (REFUSE(quote_root_ca, !cert_is_ca(&cert, 1)) ||
	    REFUSE(quote_root_self_signed, !cert_is_self_signed(&cert)) ||
	    point_of(&cert, point) != 0)
		goto out;
	if (name_root(&cert, point, name_taken, name) == 0)
		status = add_root(&policy->quotes, point, name);
out:
	cert_fini(&cert);
	return status;
}
