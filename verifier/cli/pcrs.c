/* pcrs: `hallmark pcrs`, what an enclave image measures, and a policy that
 * accepts it. */
#include "verifier/cli/command.h"
#include "verifier/cli/config_pcr.h"
#include "verifier/cli/eif_image.h"
#include "verifier/cli/json_of.h"
#include "verifier/cli/options.h"
#include "verifier/cli/pcrs_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: hallmark pcrs IMAGE [--json]\n"
    "       hallmark pcrs IMAGE --policy NAME [--config CONFIG] [--root ROOT]\n"
    "\n"
    "Prints what the hypervisor measures of an enclave image (EIF): PCR0, PCR1,\n"
    "PCR2, and PCR8 if it is signed, whether signature and CRC are right, and\n"
    "what its metadata says. Nothing of the image is run. - is standard input.\n"
    "\n"
    "A file that two readers could take for two images is refused and nothing is\n"
    "printed: tables that differ from the sections, gaps, overlaps, a second\n"
    "kernel, bytes behind the end, a wrong CRC or signature.\n"
    "\n"
    "--json           the same as JSON, with the names of nitro-cli describe-eif\n"
    "--policy NAME    instead, a policy with a release of this name that accepts\n"
    "                 this image and no other\n"
    "--config CONFIG  and only with this configuration of the oracle (PCR16)\n"
    "--root ROOT      the policy's root: aws-nitro-g1, the default, or a PEM file\n"
    "                 (as the policy will find it, relative to itself)\n"
    "\n"
    "PCRs of a file that somebody gave you say what is in the file, not that it\n"
    "is good: build the image yourself and compare.\n"
    "\n"
    "Exit: 0, 1 (usage, a file that cannot be read), 2 (no image, or two),\n"
    "3 (its signature).\n"
    "\n"
    "Example:\n"
    "  hallmark pcrs oracle.eif\n"
    "  hallmark pcrs oracle.eif --policy 1.4.0 --config oracle.json > policy.json\n"
    "  hallmark policy check policy.json\n";

#define ERROR_MAX 160

struct options { /* borrowed from argv */
	const char *image, *policy, *config, *root;
	bool json;
};

static int usage(const char *what, const char *why)
{
	return command_usage_error(&command_pcrs, "%.200s%s", what, why);
}

static int once(const char **place, const char *value, const char *name)
{
	if (*place)
		return usage(name, " is given twice");
	*place = value;
	return 0;
}

static int read_option(void *data, int option, const char *value, char *error)
{
	struct options *out = data;

	(void)error; /* it says itself what is wrong */
	switch (option) {
	case 'p':
		return once(&out->policy, value, "--policy");
	case 'c':
		return once(&out->config, value, "--config");
	case 'r':
		return once(&out->root, value, "--root");
	default:
		out->json = true;
		return 0;
	}
}

static int check_whole(const struct options *o)
{
	if (!o->image)
		return usage("which IMAGE?", "");
	if (!o->policy && (o->config || o->root))
		return usage("--config and --root go with --policy", "");
	if (o->policy && o->json)
		return usage("either --json or --policy", "");
	return 0;
}

static int parse(struct options *out, int argc, char **argv)
{
	static const struct option known[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"policy", required_argument, NULL, 'p'},
	    {"config", required_argument, NULL, 'c'},
	    {"root", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	char error[ERROR_MAX];
	int rc;

	memset(out, 0, sizeof(*out));
	rc = options_each(
	    argc, argv, known, read_option, out, error, sizeof(error));
	if (rc == OPTIONS_BAD)
		rc = usage(error, "");
	if (rc == 0 && argc - optind > 1)
		rc = usage("more than one IMAGE", "");
	if (rc == 0 && optind < argc)
		out->image = argv[optind];
	return rc ? rc : check_whole(out);
}

/* Who, what, where, and what to do. */
static int refuse(const char *path, const struct eif_image *image)
{
	int section = eif_image_section_at_fault(image);

	fprintf(stderr, "hallmark pcrs: ");
	command_put_plain(stderr, path);
	fprintf(stderr, ": REFUSED");
	if (section >= 0)
		fprintf(stderr, " section %d (%s)", section,
		    eif_type_name(image->reader.sections[section].type));
	if (image->reader.fault != EIF_NONE)
		fprintf(stderr, " at byte %" PRIu64, image->reader.at);
	fprintf(stderr, ": %s (%s)\n", eif_fault_text(image->fault),
	    eif_fault_name(image->fault));
	fputs("Nothing is measured: loaders could start something else. Fetch "
	      "or build the image again.\n",
	    stderr);
	return eif_fault_class(image->fault);
}

static int print_policy(const struct options *o, const struct eif_image *image)
{
	uint8_t config[HM_PCR_LEN];
	char error[HM_TEXT_MAX];
	json_t *policy;

	if (o->config && config_pcr_of_file(config, o->config, &command_pcrs))
		return COMMAND_USAGE;
	policy = pcrs_policy(image, o->policy,
	    o->root ? o->root : "aws-nitro-g1", o->config ? config : NULL,
	    error);
	if (!policy)
		return usage("--policy, --root: ", error);
	return json_of_print(policy) ? COMMAND_USAGE : COMMAND_OK;
}

static int run(int argc, char **argv)
{
	struct options options;
	struct eif_image image;
	int rc = parse(&options, argc, argv);

	if (rc)
		return rc;
	rc = eif_image_open(&image, options.image);
	if (rc)
		rc = command_usage_error(
		    &command_pcrs, "%.200s: %s", options.image, strerror(-rc));
	else if (image.fault != EIF_NONE)
		rc = refuse(options.image, &image);
	else if (options.policy)
		rc = print_policy(&options, &image);
	else if (options.json)
		rc = json_of_print(pcrs_json(&image)) ? COMMAND_USAGE
						      : COMMAND_OK;
	else
		rc = pcrs_text(&image) ? COMMAND_USAGE : COMMAND_OK;
	eif_image_fini(&image);
	return rc;
}

const struct command command_pcrs = {
    .name = "pcrs",
    .summary = "what an enclave image measures, and a policy for it",
    .help = help,
    .run = run,
};
