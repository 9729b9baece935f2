/*
 * keeper_store: blobs by name in one directory, every version of each: NAME.1,
 * NAME.2 ... and the highest is the one that counts. What was written is never
 * written again; an operator who wants the one before takes the last away.
 * These calls block, for as long as a disk takes to sync.
 */
#ifndef HALLMARK_BRIDGE_KEEPER_STORE_H
#define HALLMARK_BRIDGE_KEEPER_STORE_H

#include <stddef.h>
#include <stdint.h>

#define KEEPER_BLOB_MAX 16384
#define KEEPER_NAME_MAX 64
/* Of all names: an enclave could fill the disk, and this is 64 MiB. */
#define KEEPER_FILES_MAX 4096

/* name: 1 to KEEPER_NAME_MAX of a-z, 0-9 and '-'. 0 and the newest version, the
 * caller's to free; -ENOENT: there is none; or -errno. */
__attribute__((warn_unused_result)) int keeper_store_get(
    const char *directory, const char *name, uint8_t **blob, size_t *len);

/* Durable when it returns 0; one that is as the newest is not written again.
 * -EDQUOT: KEEPER_FILES_MAX are there; or -errno. */
__attribute__((warn_unused_result)) int keeper_store_put(
    const char *directory, const char *name, const void *blob, size_t len);

#endif
