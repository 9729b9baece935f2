/*
 * imds: one request to the instance metadata service, version 2 (AWS EC2 User
 * Guide, "Use the Instance Metadata Service"): plain HTTP/1.1 over a connection
 * of its own, that the service closes after its answer.
 */
#ifndef HALLMARK_BRIDGE_IMDS_H
#define HALLMARK_BRIDGE_IMDS_H

#include "base/endpoint.h"

#include <stdbool.h>
#include <stddef.h>

#define IMDS_ANSWER_MAX  16384 /* head and body */
#define IMDS_REQUEST_MAX 1024
#define IMDS_TIMEOUT_MS  2000 /* it answers from the same machine */
#define IMDS_PATH_MAX    256
#define IMDS_TOKEN_MAX   256 /* 56 today */

struct imds_request;

/* status 0 and the body, borrowed for the call and wiped after, with a NUL
 * behind it; or a negative uv error: UV_EPROTO for an answer that is not HTTP
 * 200 or no answer, UV_EMSGSIZE over the ceiling, UV_ETIMEDOUT. */
typedef void (*imds_cb)(int status, const char *body, size_t len, void *data);

/* PUT without a token asks for one; GET with it. Both are visible ASCII and
 * under their ceilings (asserted). cb fires exactly once, never before this has
 * returned, unless cancelled. */
struct imds_request *imds_start(uv_loop_t *loop, const struct endpoint *at,
    const char *path, const char *token, imds_cb cb, void *data);
/* Before cb: it never fires. */
void imds_cancel(struct imds_request *request);

/* The body of a whole HTTP/1.x answer of status 200 whose end is the end of the
 * connection; false: it is none. Pure. */
bool imds_body(
    const char *bytes, size_t len, const char **body, size_t *body_len);

#endif
