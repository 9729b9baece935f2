/*
 * eif_image: an enclave image from a file, read in pieces, measured and
 * judged: the format (eif_reader.h), the metadata, the signature.
 */
#ifndef HALLMARK_VERIFIER_CLI_EIF_IMAGE_H
#define HALLMARK_VERIFIER_CLI_EIF_IMAGE_H

#include "verifier/eif/eif_reader.h"

#include <jansson.h>
#include <openssl/x509.h>

struct eif_image {
	struct eif_reader reader;
	json_t *metadata;         /* owned; NULL before version 4 */
	X509 *certificate;        /* owned; NULL: not signed */
	uint8_t pcr8[HM_PCR_LEN]; /* zeros: not signed */
	enum eif_fault fault;
};

/* From the file's beginning, whatever its place. 0, or -errno; then
 * eif_image_fini() either way. */
HM_MUST_CHECK int eif_image_read(struct eif_image *image, int fd);
/* "-" is standard input. */
HM_MUST_CHECK int eif_image_open(struct eif_image *image, const char *path);
void eif_image_fini(struct eif_image *image);

/* The section that a fault is about, or -1. */
int eif_image_section_at_fault(const struct eif_image *image);

/* In nitro-cli's shape: HashAlgorithm, PCR0, PCR1, PCR2, and PCR8 if signed. A
 * new reference. */
json_t *eif_image_measurements(const struct eif_image *image);

#endif
