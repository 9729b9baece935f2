/* eif_pcrs: see eif_pcrs.h. */
#include "verifier/eif/eif_pcrs.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

/* SHA-384 of what is in memory fails for want of memory only, and that was
 * had when the context was made. */
static void must(int done)
{
	assert(done == 1);
}

int eif_pcrs_init(struct eif_pcrs *pcrs)
{
	EVP_MD_CTX **each[] = {&pcrs->image, &pcrs->boot, &pcrs->application};

	memset(pcrs, 0, sizeof(*pcrs));
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		*each[i] = EVP_MD_CTX_new();
		if (*each[i] == NULL ||
		    EVP_DigestInit_ex(*each[i], EVP_sha384(), NULL) != 1)
			return -1;
	}
	return 0;
}

void eif_pcrs_fini(struct eif_pcrs *pcrs)
{
	EVP_MD_CTX_free(pcrs->image);
	EVP_MD_CTX_free(pcrs->boot);
	EVP_MD_CTX_free(pcrs->application);
	memset(pcrs, 0, sizeof(*pcrs));
}

void eif_pcrs_begin(struct eif_pcrs *pcrs, unsigned type)
{
	pcrs->also = NULL;
	if (type == EIF_KERNEL || type == EIF_CMDLINE)
		pcrs->also = pcrs->boot;
	if (type == EIF_RAMDISK)
		pcrs->also = pcrs->ramdisks++ ? pcrs->application : pcrs->boot;
}

void eif_pcrs_update(struct eif_pcrs *pcrs, const uint8_t *bytes, size_t len)
{
	if (pcrs->also == NULL)
		return;
	must(EVP_DigestUpdate(pcrs->image, bytes, len));
	must(EVP_DigestUpdate(pcrs->also, bytes, len));
}

static void extend_zero(
    uint8_t pcr[HM_PCR_LEN], const uint8_t digest[HM_PCR_LEN])
{
	uint8_t both[2 * HM_PCR_LEN] = {0};

	memcpy(both + HM_PCR_LEN, digest, HM_PCR_LEN);
	must(SHA384(both, sizeof(both), pcr) != NULL);
}

void eif_pcrs_final(struct eif_pcrs *pcrs, uint8_t out[3][HM_PCR_LEN])
{
	EVP_MD_CTX *each[] = {pcrs->image, pcrs->boot, pcrs->application};
	uint8_t digest[HM_PCR_LEN];

	for (size_t i = 0; i < 3; i++) {
		must(EVP_DigestFinal_ex(each[i], digest, NULL));
		extend_zero(out[i], digest);
	}
}

void eif_pcrs_of(uint8_t pcr[HM_PCR_LEN], const uint8_t *bytes, size_t len)
{
	uint8_t digest[HM_PCR_LEN];

	must(SHA384(bytes, len, digest) != NULL);
	extend_zero(pcr, digest);
}
