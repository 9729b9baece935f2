/* path_beside: relative paths of a configuration file. */
#include "verifier/daemon/path_beside.h"

#include <stdio.h>
#include <string.h>

int path_beside(
    char out[static PATH_BESIDE_MAX], const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	int folder_len = slash ? (int)(slash - file) + 1 : 0;
	int n;

	if (path[0] == '/' || strcmp(path, "-") == 0)
		folder_len = 0;
	n = snprintf(out, PATH_BESIDE_MAX, "%.*s%s", folder_len, file, path);
	if (n >= 0 && n < PATH_BESIDE_MAX)
		return 0;
	out[0] = '\0';
	return -1;
}
