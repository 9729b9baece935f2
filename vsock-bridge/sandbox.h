/*
 * sandbox: what the bridge gives up once it listens, so that who takes it over
 * has gained little: it holds nothing that is worth much, and this keeps it
 * from what the parent instance holds.
 *
 *   no_new_privs, no capability  (sandbox.c)
 *   Landlock: reads what looking up names and the allow-lists need; writes
 *     nothing but beneath the keeper's directory, binds no TCP port
 *     (sandbox_files.c)
 *   seccomp: the calls that it makes and no others  (sandbox_calls.c)
 *
 * One call, at the end of the start: threads that exist already would not be
 * bound by it.
 */
#ifndef HALLMARK_BRIDGE_SANDBOX_H
#define HALLMARK_BRIDGE_SANDBOX_H

#include "vsock-bridge/bridge_config.h"

/* Before the first loop is made: no io_uring, whose operations no filter sees.
 * libuv from 1.45 on makes a ring with each loop where it can, and ends the
 * process if it must not use it later. */
void sandbox_prepare(void);

/* Returns 0, or -1 and why; the process may then have given up a part. A
 * kernel without Landlock is no failure: a log line says so. */
__attribute__((warn_unused_result)) int sandbox_enter(
    const struct bridge_config *config,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* ---- the parts, for sandbox.c ---- */

/* Returns the ABI that holds now, 0: the kernel has no Landlock, or -1 and
 * why. */
__attribute__((warn_unused_result)) int sandbox_files(
    const struct bridge_config *config,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* keeps: there is a keeper, which writes files. */
__attribute__((warn_unused_result)) int sandbox_calls(
    bool keeps, char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Whether this build's sanitizer needs more than the program does. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

#endif
