/* policy_quote_json: see policy_quote_json.h. As strict as policy_json.c: a
 * member of the wrong form is never a check that is not made. */
#include "verifier/policy_quote_json.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/policy.h"

#include <stdio.h>
#include <string.h>

#define SVN_MAX 65535 /* ISVPRODID and ISVSVN have two bytes */

static int fail(char error[HM_TEXT_MAX], const char *what, const char *why)
{
	snprintf(error, HM_TEXT_MAX, "%s: %s", what, why);
	return -1; /* unnamed: the caller's to judge */
}

static int read_files(
    struct hm_policy *policy, const json_t *files, char error[HM_TEXT_MAX])
{
	const json_t *entry;
	size_t i;

	if (REFUSE(
		json_collateral_array, files != NULL && !json_is_array(files)))
		return fail(error, "collateral_files", "not an array");
	json_array_foreach(files, i, entry)
	{
		const char *path = json_string_value(entry);

		if (REFUSE(json_collateral_string, path == NULL) ||
		    policy_add_collateral_file(policy, path) != 0)
			return fail(error, "collateral_files",
			    "not a file name, or too many");
	}
	return 0;
}

static int read_statuses(
    struct hm_policy *policy, const json_t *statuses, char error[HM_TEXT_MAX])
{
	static const char why[] =
	    "not statuses that a policy may name, at least one";
	const json_t *entry;
	size_t i;

	if (statuses == NULL)
		return 0;
	/* None would be the default again, which is not what it says. */
	if (REFUSE(json_tcb_array, json_array_size(statuses) == 0))
		return fail(error, "tcb_statuses", why);
	json_array_foreach(statuses, i, entry)
	{
		const char *status = json_string_value(entry);

		if (REFUSE(json_tcb_string, status == NULL) ||
		    REFUSE(json_tcb_status,
			hm_policy_accept_tcb(policy, status) != 0))
			return fail(error, "tcb_statuses", why);
	}
	return 0;
}

int policy_json_read_quotes(struct hm_policy *policy,
    const struct policy_json_quotes *m, char error[HM_TEXT_MAX])
{
	if (read_files(policy, m->collateral_files, error) != 0 ||
	    read_statuses(policy, m->tcb_statuses, error) != 0)
		return -1;
	policy->quotes.insecure_without_collateral =
	    m->insecure_without_collateral != 0;
	return 0;
}

/* ---- a release ---- */

struct reader {
	struct hm_policy *policy;
	int release;
	uint16_t product_id, min_svn;
};

static int add(const struct reader *r, enum policy_measure_kind kind,
    const uint8_t value[HM_PCR_LEN])
{
	if (kind == POLICY_MRENCLAVE)
		return hm_policy_add_mrenclave(r->policy, r->release, value);
	if (kind == POLICY_MRSIGNER)
		return hm_policy_add_mrsigner(
		    r->policy, r->release, value, r->product_id, r->min_svn);
	if (kind == POLICY_MRTD)
		return hm_policy_add_mrtd(r->policy, r->release, value);
	return hm_policy_add_rtmr(
	    r->policy, r->release, kind - POLICY_RTMR0, value);
}

static int add_text(
    const struct reader *r, enum policy_measure_kind kind, const json_t *value)
{
	uint8_t bytes[HM_PCR_LEN];
	/* The length of what is no string is 0. */
	int status = hex_decode(bytes, policy_measure_len(kind),
	    json_string_value(value), json_string_length(value));

	if (REFUSE(json_measure_hex, status != 0))
		return -1;
	return add(r, kind, bytes);
}

/* One value, or an array of alternatives, at least one. */
static int read_measure(const struct reader *r, enum policy_measure_kind kind,
    const json_t *value, char error[HM_TEXT_MAX])
{
	int status = value == NULL ? 0 : -1;
	const json_t *entry;
	size_t i;

	if (json_is_string(value) || (kind == POLICY_MRSIGNER && value != NULL))
		status = add_text(r, kind, value);
	else
		json_array_foreach(value, i, entry)
		{
			status = add_text(r, kind, entry);
			if (status != 0)
				break;
		}
	if (status == 0)
		return 0;
	snprintf(error, HM_TEXT_MAX,
	    "%s: not %zu hexadecimal digits, or beside another platform's",
	    policy_measure_name(kind), 2 * policy_measure_len(kind));
	return -1; /* unnamed: add_text()'s and add_measure()'s */
}

static int read_number(const json_t *value, const char *name, uint16_t *out,
    char error[HM_TEXT_MAX])
{
	json_int_t number = json_integer_value(value);

	if (REFUSE(json_svn_integer, !json_is_integer(value)) ||
	    REFUSE(json_svn_range, number < 0 || number > SVN_MAX))
		return fail(error, name, "not 0 to 65535 (goes with mrsigner)");
	*out = (uint16_t)number;
	return 0;
}

/* All three, or none: who signs one enclave mostly signs others. */
static int read_signer(struct reader *r, const struct policy_json_measures *m,
    char error[HM_TEXT_MAX])
{
	bool any = m->mrsigner != NULL || m->product_id != NULL ||
		   m->min_svn != NULL;

	if (!any)
		return 0;
	if (REFUSE(json_signer, m->mrsigner == NULL))
		return fail(error, "mrsigner", "goes with product_id, min_svn");
	if (read_number(m->product_id, "product_id", &r->product_id, error) !=
		0 ||
	    read_number(m->min_svn, "min_svn", &r->min_svn, error) != 0)
		return -1;
	return read_measure(r, POLICY_MRSIGNER, m->mrsigner, error);
}

/* {"0": hex, "1": [hex, hex]} */
static int read_rtmrs(
    const struct reader *r, json_t *rtmrs, char error[HM_TEXT_MAX])
{
	const char *key;
	json_t *value;

	if (rtmrs == NULL)
		return 0;
	if (REFUSE(json_rtmrs, !json_is_object(rtmrs)))
		return fail(error, "rtmrs", "not an object");
	json_object_foreach(rtmrs, key, value)
	{
		unsigned index = (unsigned)(key[0] - '0');

		if (REFUSE(json_rtmr_index,
			index >= HM_RTMR_COUNT || key[1] != '\0'))
			return fail(error, "rtmrs", "not \"0\" to \"3\"");
		if (read_measure(r, POLICY_RTMR0 + index, value, error) != 0)
			return -1;
	}
	return 0;
}

int policy_json_read_measures(struct hm_policy *policy, int release,
    const struct policy_json_measures *m, char error[HM_TEXT_MAX])
{
	struct reader r = {.policy = policy, .release = release};

	if (read_measure(&r, POLICY_MRENCLAVE, m->mrenclave, error) != 0 ||
	    read_signer(&r, m, error) != 0 ||
	    read_measure(&r, POLICY_MRTD, m->mrtd, error) != 0)
		return -1;
	return read_rtmrs(&r, m->rtmrs, error);
}
