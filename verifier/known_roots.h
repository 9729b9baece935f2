/* known_roots: the roots that a policy may name without bringing a file. */
#ifndef HALLMARK_VERIFIER_KNOWN_ROOTS_H
#define HALLMARK_VERIFIER_KNOWN_ROOTS_H

#include "verifier/hallmark.h"

struct known_root {
	const char *name;
	const char *pem;
	uint8_t sha256[HM_SHA256_LEN]; /* of the DER, as published */
};

extern const struct known_root known_roots[]; /* ended by a NULL name */

#endif
