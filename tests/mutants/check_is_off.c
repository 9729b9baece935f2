/*
 * check_is_off: what feeds/check.h asks in the build of `make mutants`. The
 * environment says which check is off (HM_MUTANT), and into which file goes
 * the name of each check that refused something (HM_MUTANT_LOG).
 */
#include "feeds/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX 1024

/* Each name once for each program. */
static void note(const char *name)
{
	static const char *noted[NAMES_MAX];
	const char *path = getenv("HM_MUTANT_LOG");
	size_t i = 0;
	int fd;

	if (path == NULL)
		return;
	while (i < NAMES_MAX && noted[i] != NULL && noted[i] != name)
		i++;
	if (i == NAMES_MAX)
		abort();
	if (noted[i] == name)
		return;
	noted[i] = name;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || write(fd, name, strlen(name)) < 0 ||
	    write(fd, "\n", 1) < 0)
		abort();
	close(fd);
}

bool check_is_off(const char *name)
{
	const char *off = getenv("HM_MUTANT");

	note(name);
	return off != NULL && strcmp(off, name) == 0;
}

/* A check that refuses something in every program, and whose answer nobody
 * wants: the gate must find that no test misses it. */
__attribute__((constructor)) static void plant(void)
{
	(void)REFUSE(planted_useless, true);
}
