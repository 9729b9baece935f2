/* sgx_status: what a TCB is worth, in Intel's words (sgx_tcb.h). */
#include "verifier/sgx/sgx_tcb.h"

#include "feeds/check.h"

#include <string.h>

static const char *const names[SGX_STATUS_COUNT] = {
#define STATUS_NAME(c, name) [SGX_##c] = name,
    SGX_STATUSES(STATUS_NAME)
#undef STATUS_NAME
};

const char *sgx_status_name(enum sgx_status status)
{
	return status < SGX_STATUS_COUNT ? names[status] : "Unknown";
}

int sgx_status_parse(enum sgx_status *out, const char *name)
{
	for (int i = 0; i <= SGX_REVOKED; i++)
		if (strcmp(name, names[i]) == 0) {
			*out = (enum sgx_status)i;
			return 0;
		}
	*out = SGX_UNKNOWN;
	return -1; /* unnamed: the caller's to judge */
}

static bool is_outdated(enum sgx_status s)
{
	/* unnamed: a fact */
	return s == SGX_OUT_OF_DATE || s == SGX_OUT_OF_DATE_CONFIGURATION;
}

static bool needs_configuration(enum sgx_status s)
{
	/* unnamed: a fact */
	return s == SGX_CONFIGURATION ||
	       s == SGX_CONFIGURATION_AND_SW_HARDENING ||
	       s == SGX_OUT_OF_DATE_CONFIGURATION;
}

static bool needs_hardening(enum sgx_status s)
{
	/* unnamed: a fact */
	return s == SGX_SW_HARDENING || s == SGX_CONFIGURATION_AND_SW_HARDENING;
}

enum sgx_status sgx_status_join(enum sgx_status a, enum sgx_status b)
{
	bool configuration = needs_configuration(a) || needs_configuration(b);

	if (a == SGX_REVOKED || b == SGX_REVOKED)
		return SGX_REVOKED;
	if (a == SGX_NOT_SUPPORTED || b == SGX_NOT_SUPPORTED)
		return SGX_NOT_SUPPORTED;
	if (a >= SGX_UNKNOWN || b >= SGX_UNKNOWN)
		return SGX_UNKNOWN;
	if (is_outdated(a) || is_outdated(b))
		return configuration ? SGX_OUT_OF_DATE_CONFIGURATION
				     : SGX_OUT_OF_DATE;
	if (needs_hardening(a) || needs_hardening(b))
		return configuration ? SGX_CONFIGURATION_AND_SW_HARDENING
				     : SGX_SW_HARDENING;
	return configuration ? SGX_CONFIGURATION : SGX_UP_TO_DATE;
}
