/*
 * key_keeper: the two questions to the bridge's keeper (vsock-bridge/keeper.h),
 * each over a parent_call:
 *
 *   4 bytes, big-endian: how many follow
 *   'G' get or 'P' put, 1 byte: the name's length, the name, and to put: a blob
 *
 * answered by 'K' and the blob (get) or nothing (put), 'N' there is none, or
 * 'E' and what is wrong. Pure.
 */
#ifndef HALLMARK_ORACLE_KEY_KEEPER_H
#define HALLMARK_ORACLE_KEY_KEEPER_H

#include <stddef.h>
#include <stdint.h>

#define KEY_KEEPER_BLOB_MAX   16384
#define KEY_KEEPER_NAME_MAX   64
#define KEY_KEEPER_ANSWER_MAX (KEY_KEEPER_BLOB_MAX + 1)
#define KEY_KEEPER_ERROR_MAX  200

/* A new buffer, the caller's; blob NULL: get. Dies without memory. */
uint8_t *key_keeper_question(
    const char *name, const void *blob, size_t blob_len, size_t *len);

enum key_keeper_answer {
	KEY_KEEPER_KEPT,
	KEY_KEEPER_NONE,
	KEY_KEEPER_FAILED /* error says why */
};

/* *blob is borrowed from bytes. */
enum key_keeper_answer key_keeper_read(const uint8_t *bytes, size_t len,
    const uint8_t **blob, size_t *blob_len,
    char error[static KEY_KEEPER_ERROR_MAX]);

#endif
