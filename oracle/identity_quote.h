/* identity_quote: the policy of an oracle whose documents are quotes, under
 * which it checks its own items: this root, the MRENCLAVE of a quote that it
 * asks for now. Without collateral: what Intel says of the platform is for
 * verifiers to hold against it, with newer files than an enclave could have. */
#ifndef HALLMARK_ORACLE_IDENTITY_QUOTE_H
#define HALLMARK_ORACLE_IDENTITY_QUOTE_H

#include "oracle/attester.h"
#include "oracle/config.h"
#include "verifier/hallmark.h"

/* Dies with a reason if there is no quote. */
struct hm_policy *identity_quote_policy(
    struct attester *attester, const struct config *config);

#endif
