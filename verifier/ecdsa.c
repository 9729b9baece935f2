/* ecdsa: see ecdsa.h. */
#include "verifier/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>

int ecdsa_der(const uint8_t *raw, size_t scalar_len, uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, (int)scalar_len, NULL);
	BIGNUM *s = BN_bin2bn(raw + scalar_len, (int)scalar_len, NULL);
	int len = -1;

	*der = NULL;
	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1)
		goto out;
	r = s = NULL;
	len = i2d_ECDSA_SIG(sig, der);
out:
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len;
}
