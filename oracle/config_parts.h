/* config_parts: what the files of config share. Only config*.c include this. */
#ifndef HALLMARK_ORACLE_CONFIG_PARTS_H
#define HALLMARK_ORACLE_CONFIG_PARTS_H

#include "oracle/config.h"

#include <jansson.h>

/* Writes the reason; -1. */
__attribute__((format(printf, 2, 3))) int config_refuse(
    char error[static CONFIG_ERROR_MAX], const char *format, ...);

/* A path in the file is relative to the file. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_read_path(
    char out[static CONFIG_PATH_MAX], const char *key, const char *directory,
    const char *path, char error[static CONFIG_ERROR_MAX]);

/* An endpoint (base/endpoint.h), or unix://./PATH relative to the file. 0, or
 * -1 and why. */
__attribute__((warn_unused_result)) int config_read_endpoint(
    struct endpoint *out, const char *key, const char *directory,
    const char *text, char error[static CONFIG_ERROR_MAX]);

/* "gramine_dir" and "gramine_root"; NULL: absent. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_read_gramine(struct config *out,
    const char *dir, const char *root, const char *directory,
    char error[static CONFIG_ERROR_MAX]);
/* Once all is read: what an SGX quote, which has no room for more than a key,
 * cannot vouch for. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_check_gramine(
    const struct config *config, char error[static CONFIG_ERROR_MAX]);

/* The value of "exchanges"; NULL: there is none. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_read_pins(struct config *out,
    const json_t *exchanges, const char *directory,
    char error[static CONFIG_ERROR_MAX]);

/* The value of "key"; NULL: there is none. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_read_key(
    struct config *out, json_t *key, char error[static CONFIG_ERROR_MAX]);

/* The value of "secrets"; NULL: there is none. 0, or -1 and why. */
__attribute__((warn_unused_result)) int config_read_secrets(
    struct config *out, json_t *secrets, char error[static CONFIG_ERROR_MAX]);

/* The same for "fetch". */
__attribute__((warn_unused_result)) int config_read_fetch(
    struct config_fetch *out, json_t *fetch,
    char error[static CONFIG_ERROR_MAX]);

/* The values of "peers" (NULL: there is none) and "quorum". 0, or -1 and why.
 */
__attribute__((warn_unused_result)) int config_read_peers(struct config *out,
    json_t *peers, json_int_t quorum, const char *directory,
    char error[static CONFIG_ERROR_MAX]);

#endif
