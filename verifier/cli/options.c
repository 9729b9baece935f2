/* options: see options.h. */
#include "verifier/cli/options.h"

#include <stdio.h>

void options_begin(void)
{
	optind = 0; /* getopt(3): begin anew, its own errors not printed */
	opterr = 0;
}

int options_next(int argc, char **argv, const struct option *known, char *error,
    size_t error_max)
{
	int option = getopt_long(argc, argv, ":", known, NULL);

	if (option != '?' && option != ':')
		return option;
	snprintf(error, error_max, "%.120s%s", argv[optind - 1],
	    option == '?' ? ": no such option" : " needs a value");
	return OPTIONS_BAD;
}
