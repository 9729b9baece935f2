/*
 * Collateral: any file is safe, a refusal says why and adds nothing, and
 * whatever was read can be asked, told and freed. Each input is tried as a file
 * and as the text of a TCB info and of an identity.
 */
#include "tests/fuzz/openssl_errors.h"
#include "verifier/sgx/sgx_collateral.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	openssl_errors_init();
	return 0;
}

static void ask_info(const char *text, size_t size)
{
	const struct sgx_platform platform = {.components = {255, 3}};
	const struct sgx_td td = {.tee_tcb_svn = {4, 1, 7}};
	char error[HM_TEXT_MAX], name[32];
	struct sgx_tcb_info *info = sgx_tcb_info_parse(text, size, error);
	struct sgx_level level;

	must((info == NULL) == (error[0] != '\0'));
	if (info == NULL)
		return;
	sgx_tcb_info_platform(info, &platform, NULL, &level);
	must(level.status < SGX_UNKNOWN);
	sgx_tcb_info_platform(info, &platform, &td, &level);
	must(strlen(level.advisories) < sizeof(level.advisories));
	if (sgx_tcb_info_module(info, &td, &level, name) != HM_VALID)
		must(level.status == SGX_UNKNOWN);
	sgx_tcb_info_free(info);
}

static void ask_identity(const char *text, size_t size)
{
	const struct sgx_report qe = {.isv_svn = 8, .isv_prod_id = 1};
	char error[HM_TEXT_MAX];
	struct sgx_qe_identity *identity = sgx_qe_identity_parse(
	    text, size, error);
	struct sgx_level level;
	const char *why;

	must((identity == NULL) == (error[0] != '\0'));
	if (identity == NULL)
		return;
	if (sgx_qe_identity_judge(identity, &qe, &level, &why) != HM_VALID)
		must(why != NULL && level.status == SGX_UNKNOWN);
	sgx_qe_identity_free(identity);
}

/* Nobody has signed anything under Intel's root here. */
static void add(const uint8_t *data, size_t size)
{
	struct sgx_collateral *c = sgx_collateral_new();
	char error[HM_TEXT_MAX];
	struct sgx_part part;
	int status = sgx_collateral_add(c, data, size, error);

	must((status == 0) == (error[0] == '\0'));
	must(status == 0 || sgx_collateral_count(c) == 0);
	for (size_t i = 0; i < sgx_collateral_count(c); i++) {
		sgx_collateral_part(c, i, &sgx_intel_root, 1, 0, &part);
		must(part.verdict != HM_VALID);
		must(strlen(part.what) < sizeof(part.what));
	}
	sgx_collateral_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ask_info((const char *)data, size);
	ask_identity((const char *)data, size);
	add(data, size);
	ERR_clear_error();
	return 0;
}
