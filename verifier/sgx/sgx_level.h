/* sgx_level: the list "tcbLevels" that a TCB info, a TDX module and a quoting
 * enclave's identity have alike: what is needed for a level, and what it is
 * worth. The first level that is reached counts. */
#ifndef HALLMARK_VERIFIER_SGX_LEVEL_H
#define HALLMARK_VERIFIER_SGX_LEVEL_H

#include "verifier/sgx/sgx_tcb.h"

#include <jansson.h>

enum sgx_need {                 /* what "tcb" has in it */
	SGX_NEED_COMPONENTS_V2, /* sgxtcbcomp01svn ..., pcesvn */
	SGX_NEED_COMPONENTS,    /* sgxtcbcomponents, pcesvn */
	SGX_NEED_TDX,           /* and tdxtcbcomponents */
	SGX_NEED_ISVSVN         /* isvsvn */
};

struct sgx_level_row {
	uint8_t components[SGX_SVN_COUNT], td_components[SGX_SVN_COUNT];
	uint16_t pcesvn, isvsvn;
	enum sgx_status status;
	int64_t tcb_date_ms;      /* 0: none */
	const json_t *advisories; /* borrowed from the JSON; NULL: none */
};

struct sgx_levels {
	struct sgx_level_row *rows; /* owned */
	size_t count;
};

/* Reads `object`'s "tcbLevels", which must outlive *out. 0, or -1 (malformed
 * or no memory) and nothing is owned. */
HM_MUST_CHECK int sgx_levels_read(
    struct sgx_levels *out, const json_t *object, enum sgx_need need);
void sgx_levels_fini(struct sgx_levels *levels);

/* row NULL: not supported. */
void sgx_level_of(const struct sgx_level_row *row, struct sgx_level *out);
/* The first level that this SVN reaches. */
void sgx_levels_isvsvn(
    const struct sgx_levels *levels, unsigned isvsvn, struct sgx_level *out);

#endif
