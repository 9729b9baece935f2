/*
 * signer: the key that never leaves, or only sealed (sealed_key.h). RSA-2048,
 * made at boot or opened then, its private parts in OpenSSL's secure heap
 * (locked, guarded, wiped); RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2) on
 * libuv's thread pool, because one signature takes 0.25 to 0.5 ms and the loop
 * serves others meanwhile.
 *
 * While it signs, OpenSSL also keeps numbers derived from the primes in
 * ordinary memory (they are wiped with the key): the secure heap narrows what
 * a leak of memory shows, it does not replace the enclave.
 *
 * OpenSSL's random generators of the pool's threads end with these threads: a
 * program that wants a clean leak check calls uv_library_shutdown() last.
 */
#ifndef HALLMARK_ORACLE_SIGNER_H
#define HALLMARK_ORACLE_SIGNER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define SIGNER_SIGNATURE_LEN 256 /* RSA-2048 */
#define SIGNER_SECURE_HEAP   (1u << 16)

struct signer;

/* Makes the key (about 50 ms), and before it the secure heap if the process
 * has none. Dies if that cannot be had; warns if it cannot be locked. */
struct signer *signer_new(void);
/* The key that signer_export() wrote; NULL if that is not one such. */
struct signer *signer_from_der(const uint8_t *der, size_t len);
/* No signature may be under way (asserted). NULL is fine. */
void signer_free(struct signer *signer);

/* SubjectPublicKeyInfo, borrowed. */
const uint8_t *signer_public_der(const struct signer *signer, size_t *len);
const char *signer_public_pem(const struct signer *signer);

/* The private key as PKCS#8 DER in the secure heap, to be sealed: free it with
 * OPENSSL_secure_clear_free(). Dies without memory. */
uint8_t *signer_export(const struct signer *signer, size_t *len);

/*
 * From the next moment without a signature under way on (perhaps at once, from
 * within), `signer` signs with the key of `next`, which is taken, and tells
 * `replaced`: what has begun ends with the key that it began with. One at a
 * time (asserted).
 */
void signer_replace(struct signer *signer, struct signer *next,
    void (*replaced)(void *data), void *data);

struct signer_op {  /* the caller's; lives until cb has fired */
	void *data; /* the caller's */
	uint8_t signature[SIGNER_SIGNATURE_LEN]; /* set when cb gets 0 */

	/* private */
	uv_work_t work;
	struct signer *signer;
	const void *bytes;
	size_t len;
	void (*cb)(struct signer_op *op, int status);
	int failed;
};

/* bytes are borrowed until cb fires, from the loop, exactly once, with 0 or a
 * negative uv error. Never before this has returned. */
void signer_sign(struct signer *signer, uv_loop_t *loop, struct signer_op *op,
    const void *bytes, size_t len,
    void (*cb)(struct signer_op *op, int status));

#endif
