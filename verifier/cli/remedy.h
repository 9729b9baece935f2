/* remedy: for each verdict one sentence on what it means and one on what to do
 * about it. */
#ifndef HALLMARK_VERIFIER_CLI_REMEDY_H
#define HALLMARK_VERIFIER_CLI_REMEDY_H

#include "verifier/hallmark.h"

struct remedy {
	const char *meaning, *remedy;
};

/* Never NULL, nor are its texts. */
const struct remedy *remedy_of(enum hm_verdict verdict);

#endif
