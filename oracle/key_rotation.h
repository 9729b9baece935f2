/*
 * key_rotation: the next signing key, in time, while the last one signs on.
 *
 *   retire_ms - overlap   the next key is made, sealed and kept (kms_key), and
 *                         a document attests it; `announced` tells that
 *   retire_ms             between two signatures it takes the last one's place;
 *                         `switched` tells that
 *
 * So who holds a reference to the next document has it before the first item
 * under it. What is away meanwhile is asked again; then the last key signs on
 * beyond its time, in this run only: a restart does not take it up again.
 */
#ifndef HALLMARK_ORACLE_KEY_ROTATION_H
#define HALLMARK_ORACLE_KEY_ROTATION_H

#include "oracle/identity.h"

#include <openssl/ssl.h>

#define KEY_ROTATION_LOOK_MS      30000 /* at the clock; it may be set */
#define KEY_ROTATION_RETRY_MAX_MS 60000

struct key_rotation;

struct key_rotation_options {
	uv_loop_t *loop;
	struct identity *identity; /* borrowed: its signer, its documents */
	SSL_CTX *tls;              /* borrowed */
	/* The next key's document, its PEM and its epoch; borrowed. */
	void (*announced)(const struct attestation_document *document,
	    const char *public_key_pem, uint64_t epoch, void *data);
	void (*switched)(
	    const struct attestation_document *document, void *data);
	void *data;
};

/* NULL: the key does not retire, there is nothing to do. */
struct key_rotation *key_rotation_start(
    const struct key_rotation_options *options);
struct key_rotation_stats {
	int64_t retire_ms; /* of the key that signs; Unix */
	uint64_t failures; /* since the start: the next key was not to be had */
};
void key_rotation_stats(
    const struct key_rotation *rotation, struct key_rotation_stats *out);

/* Before attestation_stop(); it frees itself when that has answered. NULL is
 * fine. */
void key_rotation_stop(struct key_rotation *rotation);

#endif
