/* path_beside: a path that a file names is relative to that file. */
#ifndef HALLMARK_VERIFIER_DAEMON_PATH_BESIDE_H
#define HALLMARK_VERIFIER_DAEMON_PATH_BESIDE_H

#include <stddef.h>

#define PATH_BESIDE_MAX 1024 /* bytes of a path and a NUL */

/* `path` itself when it is absolute or "-", else the folder of `file` and
 * `path`. 0, or -1 when it does not fit; out is then "". */
__attribute__((warn_unused_result)) int path_beside(
    char out[static PATH_BESIDE_MAX], const char *file, const char *path);

#endif
