/* verify_measures: see verify_measures.h. */
#include "verifier/cli/verify_measures.h"

#include "feeds/hex.h"

#include <stdio.h>
#include <string.h>

#define TOO_MANY "is given too often"

static int fail(char error[static POLICY_FILE_ERROR_MAX], const char *name,
    const char *text, const char *why)
{
	snprintf(
	    error, POLICY_FILE_ERROR_MAX, "--%s %.120s: %s", name, text, why);
	return -1;
}

static int read_mrenclave(struct verify_measures *m, const char *text,
    char error[static POLICY_FILE_ERROR_MAX])
{
	size_t n = m->mrenclave_count;

	if (n == VERIFY_MEASURES_MAX)
		return fail(error, "mrenclave", text, TOO_MANY);
	if (hex_decode(m->mrenclaves[n], HM_MRENCLAVE_LEN, text, strlen(text)))
		return fail(error, "mrenclave", text, "wanted 64 hex digits");
	m->mrenclave_count++;
	return 0;
}

static int read_mrtd(struct verify_measures *m, const char *text,
    char error[static POLICY_FILE_ERROR_MAX])
{
	size_t n = m->mrtd_count;

	if (n == VERIFY_MEASURES_MAX)
		return fail(error, "mrtd", text, TOO_MANY);
	if (hex_decode(m->mrtds[n], HM_PCR_LEN, text, strlen(text)))
		return fail(error, "mrtd", text, "wanted 96 hex digits");
	m->mrtd_count++;
	return 0;
}

int verify_measures_read(struct verify_measures *out, int option,
    const char *text, char error[static POLICY_FILE_ERROR_MAX])
{
	if (option == 'm')
		return read_mrenclave(out, text, error);
	if (option == 't')
		return read_mrtd(out, text, error);
	if (out->collateral_count == VERIFY_COLLATERAL_MAX)
		return fail(error, "collateral", text, TOO_MANY);
	out->collateral[out->collateral_count++] = text;
	return 0;
}

bool verify_measures_given(const struct verify_measures *m)
{
	return m->mrenclave_count + m->mrtd_count + m->collateral_count > 0;
}

int verify_measures_add(struct hm_policy *policy, int release,
    const struct verify_measures *m, char error[static POLICY_FILE_ERROR_MAX])
{
	int rc = 0;

	for (size_t i = 0; i < m->mrenclave_count && !rc; i++)
		rc = hm_policy_add_mrenclave(policy, release, m->mrenclaves[i]);
	for (size_t i = 0; i < m->mrtd_count && !rc; i++)
		rc = hm_policy_add_mrtd(policy, release, m->mrtds[i]);
	if (rc) {
		snprintf(error, POLICY_FILE_ERROR_MAX,
		    "--mrenclave, --mrtd: the measurements cannot be used");
		return -1;
	}
	for (size_t i = 0; i < m->collateral_count && !rc; i++)
		rc = policy_file_add_collateral(
		    policy, m->collateral[i], error);
	return rc;
}
