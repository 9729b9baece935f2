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

int options_each(int argc, char **argv, const struct option *known,
    options_take take, void *data, char *error, size_t error_max)
{
	int option, rc = 0;

	options_begin();
	while (!rc && (option = options_next(
			   argc, argv, known, error, error_max)) >= 0)
		rc = take(data, option, optarg, error);
	return rc ? rc : option == OPTIONS_BAD ? OPTIONS_BAD : 0;
}
