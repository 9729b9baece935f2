/*
 * attester: who vouches for this process. One small interface, three platforms
 * so far: `nsm` (AWS Nitro, /dev/nsm), `gramine` (Intel SGX,
 * attester_gramine.h) and `simulated` (a chain of the first one's profile under
 * a root of its own, which no verifier accepts unless its policy names that
 * root). Calls block (the NSM may take seconds): use them at start
 * or on the thread pool, one at a time.
 */
#ifndef HALLMARK_ORACLE_ATTESTER_H
#define HALLMARK_ORACLE_ATTESTER_H

#include <stddef.h>
#include <stdint.h>

#define ATTESTER_DOCUMENT_MAX 12288 /* 0x3000, NSM_RESPONSE_MAX_SIZE */
#define ATTESTER_ERROR_MAX    160
#define ATTESTER_PCR_LEN      48

/* AWS nitro-enclaves-nsm-api, attestation_process.md, 3.2.2 */
#define ATTESTER_PUBLIC_KEY_MAX 1024
#define ATTESTER_USER_DATA_MAX  512
#define ATTESTER_NONCE_MAX      512

struct attester;

struct attester_request { /* each may be NULL */
	const uint8_t *public_key;
	size_t public_key_len; /* at most ATTESTER_PUBLIC_KEY_MAX */
	const uint8_t *user_data;
	size_t user_data_len; /* at most 512 */
	const uint8_t *nonce;
	size_t nonce_len; /* at most 512 */
};

struct attester_ops {
	const char *platform; /* "aws-nitro", "sgx-dcap", "simulated" */
	/* These three are NULL where there are no PCRs. */
	/* PCR `index` becomes SHA384(PCR || data). 0 or -1. */
	int (*extend_pcr)(struct attester *a, unsigned index,
	    const uint8_t *data, size_t len, char error[ATTESTER_ERROR_MAX]);
	int (*lock_pcr)(
	    struct attester *a, unsigned index, char error[ATTESTER_ERROR_MAX]);
	int (*describe_pcr)(struct attester *a, unsigned index,
	    uint8_t out[ATTESTER_PCR_LEN], int *locked,
	    char error[ATTESTER_ERROR_MAX]);
	/* Writes a document of at most ATTESTER_DOCUMENT_MAX bytes. 0 or -1. */
	int (*attest)(struct attester *a, const struct attester_request *req,
	    uint8_t *out, size_t *out_len, char error[ATTESTER_ERROR_MAX]);
	/* PEM of the root a verifier must name, or NULL: AWS's. */
	const char *(*root_pem)(struct attester *a);
	void (*close)(struct attester *a);
};

struct attester { /* embedded first in each platform's struct */
	const struct attester_ops *ops;
};

/* device: "/dev/nsm". NULL and an error text on failure. */
struct attester *attester_nsm_open(
    const char *device, char error[ATTESTER_ERROR_MAX]);

/*
 * directory: made if absent; keeps simulated-root.pem and
 * simulated-root-key.pem, made if absent, so that a policy goes on naming the
 * same root after a restart. Two that disagree are an error, not remade. The
 * other certificates are made at each start and again before they expire.
 * PCR0, 1, 2 are SHA-384 of "hallmark simulated pcr0" and so on.
 */
struct attester *attester_simulated_open(
    const char *directory, char error[ATTESTER_ERROR_MAX]);

#endif
