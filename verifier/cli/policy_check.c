/* policy_check: `hallmark policy check`. */
#include "verifier/cli/command.h"
#include "verifier/daemon/policy_file.h"

#include <stdio.h>

static const char help[] =
    "usage: hallmark policy check FILE\n"
    "\n"
    "Reads a policy and the root certificates it names, and says whether it\n"
    "can be used: known keys only, a root, a release, and at least one of\n"
    "PCR0, PCR1, PCR2 in each.\n"
    "\n"
    "Exit: 0 usable, 5 not.\n"
    "\n"
    "Example:\n"
    "  hallmark policy check deploy/policy.example.json\n";

static int run(int argc, char **argv)
{
	const char *file = command_only_file(&command_policy_check, argc, argv);
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy;

	if (!file)
		return COMMAND_USAGE;
	if (policy_file_load(&policy, file, error)) {
		fprintf(stderr, "REFUSED %s\n", error);
		return COMMAND_POLICY;
	}
	hm_policy_free(policy);
	return printf("ok    %s\n", file) < 0 ? COMMAND_USAGE : COMMAND_OK;
}

const struct command command_policy_check = {
    .name = "policy check",
    .summary = "can this policy be used?",
    .help = help,
    .run = run,
};
