/*
 * nsm_core: a Nitro Security Module for tests, as bytes: a request in, an
 * answer out, in the form that oracle/nsm_message.h describes. PCRs and
 * documents are the simulated attester's, so that there is one maker of
 * chains; this is only the other side of the conversation. No device here:
 * nsm_cuse.c is one.
 */
#ifndef HALLMARK_TESTS_NSM_CORE_H
#define HALLMARK_TESTS_NSM_CORE_H

#include "oracle/attester.h"
#include "oracle/nsm_message.h"
#include "verifier/hallmark.h"

struct nsm_core {
	struct attester *attester; /* borrowed */
	char module_id[HM_TEXT_MAX];
};

/* Asks the attester for a document, to see its module_id. 0, or -1 and why. */
__attribute__((warn_unused_result)) int nsm_core_init(struct nsm_core *core,
    struct attester *attester, char error[ATTESTER_ERROR_MAX]);

/* Writes the answer to a request, whatever bytes those are; never 0. */
size_t nsm_core_answer(struct nsm_core *core, const uint8_t *request,
    size_t len, uint8_t out[static NSM_MESSAGE_ANSWER_MAX]);

#endif
