/*
 * sgx_tcb: what Intel says about platforms and about its own enclaves: the TCB
 * info of a family (FMSPC), with the levels of its patches and what each is
 * worth, and the identity of a quoting enclave (Intel PCS, API v4, "Get TCB
 * Info", "Get Quoting Enclave Identity"). Both are JSON objects under a
 * signature; here the text of the object is read and asked, signatures are
 * sgx_collateral's.
 *
 * Members that we do not know are passed over: Intel adds some, and what is
 * signed by Intel cannot be misspelt by somebody else. Duplicates are refused.
 */
#ifndef HALLMARK_VERIFIER_SGX_TCB_H
#define HALLMARK_VERIFIER_SGX_TCB_H

#include "verifier/sgx/sgx_pck.h"

#define SGX_TCB_LEVELS_MAX     128
#define SGX_TCB_MODULES_MAX    16
#define SGX_TCB_ADVISORIES_MAX 1024 /* bytes of their names */
#define SGX_TCB_JSON_MAX       262144

/* From good to bad as far as there is an order; the names are Intel's, but for
 * UNKNOWN (there was no collateral) and NOT_SUPPORTED (no level fits). */
#define SGX_STATUSES(X)                                                        \
	X(UP_TO_DATE, "UpToDate")                                              \
	X(SW_HARDENING, "SWHardeningNeeded")                                   \
	X(CONFIGURATION, "ConfigurationNeeded")                                \
	X(CONFIGURATION_AND_SW_HARDENING, "ConfigurationAndSWHardeningNeeded") \
	X(OUT_OF_DATE, "OutOfDate")                                            \
	X(OUT_OF_DATE_CONFIGURATION, "OutOfDateConfigurationNeeded")           \
	X(REVOKED, "Revoked")                                                  \
	X(NOT_SUPPORTED, "NotSupported")                                       \
	X(UNKNOWN, "Unknown")

enum sgx_status {
#define SGX_STATUS_ENUM(c, name) SGX_##c,
	SGX_STATUSES(SGX_STATUS_ENUM)
#undef SGX_STATUS_ENUM
	SGX_STATUS_COUNT
};

const char *sgx_status_name(enum sgx_status status);
/* Those of Intel that a policy may name: the first seven, of which
 * SGX_REVOKED is none that one should. 0 or -1. */
HM_MUST_CHECK int sgx_status_parse(enum sgx_status *out, const char *name);

/*
 * A platform and something else on it (its TDX module, its quoting enclave),
 * as Intel's verification library joins them: the worse of both, where out of
 * date and in need of configuration is OutOfDateConfigurationNeeded. UNKNOWN
 * joined with anything that is not REVOKED is UNKNOWN.
 */
enum sgx_status sgx_status_join(enum sgx_status a, enum sgx_status b);

/* What a level says, and what is found out with it. */
struct sgx_level {
	enum sgx_status status;
	int64_t tcb_date_ms; /* 0: none */
	/* "INTEL-SA-00615 INTEL-SA-00657"; ends with " ..." if that is not all
	 */
	char advisories[SGX_TCB_ADVISORIES_MAX];
};

struct sgx_tcb_info;

/* Facts that say what it is about. */
struct sgx_tcb_about {
	bool is_td;
	uint8_t fmspc[SGX_FMSPC_LEN], pceid[SGX_PCEID_LEN];
	int64_t issued_ms, next_ms;
	int64_t evaluation; /* tcbEvaluationDataNumber */
};

/* The text of a "tcbInfo" object (versions 2 and 3). NULL: malformed or no
 * memory, and `error` says what. */
struct sgx_tcb_info *sgx_tcb_info_parse(
    const char *json, size_t len, char error[HM_TEXT_MAX]);
void sgx_tcb_info_free(struct sgx_tcb_info *info);
const struct sgx_tcb_about *sgx_tcb_info_about(const struct sgx_tcb_info *info);

/* The platform's level: the first in order that it reaches. td: NULL for an
 * enclave. Never fails; without a level it is SGX_NOT_SUPPORTED. */
void sgx_tcb_info_platform(const struct sgx_tcb_info *info,
    const struct sgx_platform *platform, const struct sgx_td *td,
    struct sgx_level *out);
/* The TDX module's: HM_VALID or HM_TDX_MODULE if it is not one that Intel
 * names. `name` (32 bytes) gets "TDX_01" or "TDX". */
HM_MUST_CHECK enum hm_verdict sgx_tcb_info_module(
    const struct sgx_tcb_info *info, const struct sgx_td *td,
    struct sgx_level *out, char name[32]);

struct sgx_qe_identity;

struct sgx_qe_about {
	bool is_td; /* "TD_QE", else "QE" */
	int64_t issued_ms, next_ms;
	int64_t evaluation;
};

/* The text of an "enclaveIdentity" object (version 2). */
struct sgx_qe_identity *sgx_qe_identity_parse(
    const char *json, size_t len, char error[HM_TEXT_MAX]);
void sgx_qe_identity_free(struct sgx_qe_identity *identity);
const struct sgx_qe_about *sgx_qe_identity_about(
    const struct sgx_qe_identity *identity);
/* HM_VALID, or HM_QE_IDENTITY if the QE is another enclave than that (`why`
 * gets the member that differs). *out is its level. */
HM_MUST_CHECK enum hm_verdict sgx_qe_identity_judge(
    const struct sgx_qe_identity *identity, const struct sgx_report *qe,
    struct sgx_level *out, const char **why);

#endif
