/*
 * eif_pcrs: what the hypervisor measures of an image before it starts it.
 *
 *   PCR0  the image         kernel, command line, all ramdisks
 *   PCR1  kernel and boot   kernel, command line, the first ramdisk
 *   PCR2  application       the other ramdisks
 *   PCR8  signer            the signing certificate's DER; zeros if unsigned
 *
 * Each is SHA384(48 zero bytes || SHA384(data)), the data of the sections one
 * behind the other without headers or sizes. So moving bytes from the kernel's
 * end to the command line changes none of them, and moving bytes between the
 * first two ramdisks leaves PCR0: pin all three. Metadata, memory and CPUs are
 * not measured.
 */
#ifndef HALLMARK_VERIFIER_EIF_EIF_PCRS_H
#define HALLMARK_VERIFIER_EIF_EIF_PCRS_H

#include "verifier/eif/eif_format.h"
#include "verifier/hallmark.h"

#include <openssl/evp.h>

struct eif_pcrs {
	EVP_MD_CTX *image, *boot, *application; /* owned */
	EVP_MD_CTX *also; /* boot or application, for the section at hand */
	unsigned ramdisks;
};

/* 0 or -1: no memory; eif_pcrs_fini() either way. */
HM_MUST_CHECK int eif_pcrs_init(struct eif_pcrs *pcrs);
void eif_pcrs_fini(struct eif_pcrs *pcrs);

/* A section of that type begins; then its data, in any pieces. Those that are
 * not measured may come too. */
void eif_pcrs_begin(struct eif_pcrs *pcrs, unsigned type);
void eif_pcrs_update(struct eif_pcrs *pcrs, const uint8_t *bytes, size_t len);
/* PCR0, 1 and 2, once. */
void eif_pcrs_final(struct eif_pcrs *pcrs, uint8_t out[3][HM_PCR_LEN]);

/* A PCR that was zero and is extended with the hash of these bytes. */
void eif_pcrs_of(uint8_t pcr[HM_PCR_LEN], const uint8_t *bytes, size_t len);

#endif
