/*
 * secret_message: what `hallmark seal` encrypts to an oracle's enclave, and
 * what that signs when it has taken it. Compact JSON, its values all texts:
 *
 *   {"format":"hallmark-secret/1","name":"coinmarketcap_api_key",
 *    "token":...,"secret_b64":...,"boot_id":HEX,"sealed_ms":"1795..."}
 *
 * The token is in it, so that who relays the message never sees it; the name
 * and the boot_id are, so that it cannot be sent on to another place; the
 * time is, so that an old one cannot be sent again after a newer one.
 *
 *   {"format":"hallmark-secret-receipt/1","boot_id":HEX,"name":...,
 *    "cms_sha256":HEX}
 *
 * is the receipt: of all that it says the sender knows every letter before, so
 * nobody has to read it.
 */
#ifndef HALLMARK_VERIFIER_SECRET_MESSAGE_H
#define HALLMARK_VERIFIER_SECRET_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define SECRET_NAME_MAX 64 /* a name and a NUL: a to z, 0 to 9 and _ */
/* Visible ASCII. Its SHA-256 stands in a configuration that anybody may read,
 * so a short one could be guessed: 32 characters at least. */
#define SECRET_TOKEN_MIN   32
#define SECRET_TOKEN_MAX   128
#define SECRET_MAX         512 /* visible ASCII: it goes into a header */
#define SECRET_MESSAGE_MAX 1280
#define SECRET_RECEIPT_MAX 320

struct secret_message { /* OPENSSL_cleanse() it */
	char name[SECRET_NAME_MAX];
	char token[SECRET_TOKEN_MAX + 1];
	char secret[SECRET_MAX + 1];
	uint8_t boot_id[16];
	int64_t sealed_ms; /* Unix ms, > 0, by the sender's clock */
};

/* The text's length, a NUL behind it; 0 if a part is not as it must be. */
size_t secret_message_encode(
    const struct secret_message *message, char out[static SECRET_MESSAGE_MAX]);

/* 0, or -1 and *out wiped. */
__attribute__((warn_unused_result)) int secret_message_decode(
    struct secret_message *out, const char *text, size_t len);

/* Its length. */
size_t secret_receipt_format(char out[static SECRET_RECEIPT_MAX],
    const uint8_t boot_id[16], const char *name, const uint8_t cms_sha256[32]);

#endif
