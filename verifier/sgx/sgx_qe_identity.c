/* sgx_qe_identity: which enclave may quote, and what its version is worth
 * (sgx_tcb.h). */
#include "verifier/sgx/sgx_tcb.h"

#include "feeds/check.h"
#include "verifier/sgx/sgx_json.h"
#include "verifier/sgx/sgx_level.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sgx_qe_identity {
	struct sgx_qe_about about;
	json_t *json; /* owned; the levels borrow from it */
	uint8_t mrsigner[32];
	uint8_t misc_select[4], misc_mask[4];
	uint8_t attributes[16], attributes_mask[16];
	int64_t isv_prod_id;
	struct sgx_levels levels;
};

static int read_kind(struct sgx_qe_identity *out)
{
	const char *id = json_string_value(json_object_get(out->json, "id"));
	int64_t version;

	if (sgx_json_number(out->json, "version", 2, &version) != 0 ||
	    REFUSE(identity_version, version != 2) ||
	    REFUSE(identity_id_string, id == NULL))
		return -1;
	out->about.is_td = strcmp(id, "TD_QE") == 0;
	if (REFUSE(identity_id, !out->about.is_td && strcmp(id, "QE") != 0))
		return -1;
	return 0;
}

static int read_identity(struct sgx_qe_identity *out)
{
	struct sgx_qe_about *about = &out->about;
	const json_t *json = out->json;

	if (read_kind(out) != 0 ||
	    sgx_json_time(json, "issueDate", &about->issued_ms) != 0 ||
	    sgx_json_time(json, "nextUpdate", &about->next_ms) != 0 ||
	    sgx_json_number(json, "tcbEvaluationDataNumber", INT32_MAX,
		&about->evaluation) != 0 ||
	    sgx_json_hex(json, "mrsigner", out->mrsigner, 32) != 0 ||
	    sgx_json_hex(json, "miscselect", out->misc_select, 4) != 0 ||
	    sgx_json_hex(json, "miscselectMask", out->misc_mask, 4) != 0 ||
	    sgx_json_hex(json, "attributes", out->attributes, 16) != 0 ||
	    sgx_json_hex(json, "attributesMask", out->attributes_mask, 16) !=
		0 ||
	    sgx_json_number(json, "isvprodid", 65535, &out->isv_prod_id) != 0)
		return -1;
	return sgx_levels_read(&out->levels, json, SGX_NEED_ISVSVN);
}

struct sgx_qe_identity *sgx_qe_identity_parse(
    const char *json, size_t len, char error[HM_TEXT_MAX])
{
	struct sgx_qe_identity *identity = calloc(1, sizeof(*identity));
	json_error_t why = {.text = "too long"};

	error[0] = '\0';
	if (identity != NULL && REQUIRE(identity_max, len <= SGX_TCB_JSON_MAX))
		identity->json = json_loadb(
		    json, len, JSON_REJECT_DUPLICATES, &why);
	if (identity == NULL || identity->json == NULL)
		snprintf(error, HM_TEXT_MAX, "QE identity: %.100s",
		    identity == NULL ? "no memory" : why.text);
	else if (read_identity(identity) != 0)
		snprintf(error, HM_TEXT_MAX,
		    "QE identity: a member is missing or malformed");
	if (error[0] == '\0')
		return identity;
	sgx_qe_identity_free(identity);
	return NULL;
}

void sgx_qe_identity_free(struct sgx_qe_identity *identity)
{
	if (identity == NULL)
		return;
	sgx_levels_fini(&identity->levels);
	json_decref(identity->json);
	free(identity);
}

const struct sgx_qe_about *sgx_qe_identity_about(
    const struct sgx_qe_identity *identity)
{
	return &identity->about;
}

static bool masked_same(const uint8_t *found, const uint8_t *mask,
    const uint8_t *wanted, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (REFUSE(identity_mask, (found[i] & mask[i]) != wanted[i]))
			return false;
	return true;
}

/* The member that differs, or NULL. */
static const char *difference(
    const struct sgx_qe_identity *id, const struct sgx_report *qe)
{
	int order = memcmp(id->mrsigner, qe->mrsigner, sizeof(id->mrsigner));

	if (REFUSE(identity_mrsigner, order != 0))
		return "another MRSIGNER";
	if (REFUSE(identity_prod_id, qe->isv_prod_id != id->isv_prod_id))
		return "another ISVPRODID";
	if (!masked_same(qe->misc_select, id->misc_mask, id->misc_select, 4))
		return "another MISCSELECT";
	if (!masked_same(
		qe->attributes, id->attributes_mask, id->attributes, 16))
		return "other ATTRIBUTES";
	return NULL;
}

enum hm_verdict sgx_qe_identity_judge(const struct sgx_qe_identity *identity,
    const struct sgx_report *qe, struct sgx_level *out, const char **why)
{
	memset(out, 0, sizeof(*out));
	out->status = SGX_UNKNOWN;
	*why = difference(identity, qe);
	if (*why != NULL)
		return HM_QE_IDENTITY; /* unnamed: difference() names them */
	sgx_levels_isvsvn(&identity->levels, qe->isv_svn, out);
	return HM_VALID;
}
