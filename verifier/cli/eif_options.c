/* eif_options: reads the arguments of `hallmark eif build`. */
#include "verifier/cli/eif_options.h"

#include "verifier/cli/options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MIB_MAX (1u << 24) /* 16 TiB */
#define CPUS_MAX       1024

#define RAMDISK 1000 /* the one option that may be repeated */

/* Options with one text each; their number in here is getopt's. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
#define TEXT(option, field)                                 \
	{                                                   \
		option, offsetof(struct eif_options, field) \
	}
    TEXT("kernel", kernel),
    TEXT("cmdline", cmdline),
    TEXT("cmdline-file", cmdline_file),
    TEXT("metadata", metadata),
    TEXT("name", name),
    TEXT("image-version", version),
    TEXT("signing-certificate", certificate),
    TEXT("private-key", private_key),
    TEXT("arch", arch),
    TEXT("memory", memory),
    TEXT("cpus", cpus),
    TEXT("output", output),
#undef TEXT
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

__attribute__((format(printf, 2, 3))) static int fail(
    char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, EIF_OPTIONS_ERROR_MAX, format, args);
	va_end(args);
	return -1;
}

static int read_text(void *data, int option, const char *value, char *error)
{
	struct eif_options *out = data;
	const char **place;

	if (option == RAMDISK) {
		if (out->ramdisk_count == EIF_RAMDISKS_MAX)
			return fail(
			    error, "--ramdisk: more than %d", EIF_RAMDISKS_MAX);
		out->ramdisks[out->ramdisk_count++] = value;
		return 0;
	}
	place = (const char **)((char *)out + texts[option].offset);
	if (*place != NULL)
		return fail(error, "--%s is given twice", texts[option].name);
	*place = value;
	return 0;
}

static int read_number(uint64_t *out, const char *text, const char *name,
    uint64_t max, char *error)
{
	size_t digits = strspn(text, "0123456789");

	*out = strtoull(text, NULL, 10);
	if (digits == 0 || digits > 9 || text[digits] || !*out || *out > max)
		return fail(error, "--%s %.80s: wanted a number from 1 to %u",
		    name, text, (unsigned)max);
	return 0;
}

static int read_values(struct eif_options *o, char *error)
{
	const char *arch = o->arch ? o->arch : "x86_64";

	o->arm64 = strcmp(arch, "arm64") == 0 || strcmp(arch, "aarch64") == 0;
	if (!o->arm64 && strcmp(arch, "x86_64") != 0)
		return fail(
		    error, "--arch %.80s: wanted x86_64 or arm64", arch);
	if (!o->name)
		o->name = "hallmark";
	if (!o->version)
		o->version = HALLMARK_VERSION;
	/* nitro-cli writes these too: 1 GiB, 2 CPUs */
	if (read_number(&o->memory_mib, o->memory ? o->memory : "1024",
		"memory", MEMORY_MIB_MAX, error))
		return -1;
	return read_number(
	    &o->cpu_count, o->cpus ? o->cpus : "2", "cpus", CPUS_MAX, error);
}

static int check_whole(const struct eif_options *o, char *error)
{
	if (!o->kernel)
		return fail(error, "which --kernel FILE?");
	if (!o->cmdline && !o->cmdline_file)
		return fail(error, "--cmdline TEXT or --cmdline-file FILE is "
				   "needed: the kernel's command line");
	if (o->cmdline && o->cmdline_file)
		return fail(error, "either --cmdline or --cmdline-file");
	if (!o->ramdisk_count)
		return fail(error, "at least one --ramdisk FILE is needed: "
				   "what the kernel starts is in there");
	if (!o->output)
		return fail(error, "which --output FILE?");
	if (!o->certificate != !o->private_key)
		return fail(error, "--signing-certificate and --private-key "
				   "go together");
	return 0;
}

int eif_options_parse(struct eif_options *out, int argc, char **argv,
    char error[static EIF_OPTIONS_ERROR_MAX])
{
	struct option known[TEXT_COUNT + 2] = {
	    {"ramdisk", required_argument, NULL, RAMDISK}};

	for (size_t i = 0; i < TEXT_COUNT; i++)
		known[i + 1] = (struct option){
		    texts[i].name, required_argument, NULL, (int)i};
	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, read_text, out, error,
		EIF_OPTIONS_ERROR_MAX))
		return -1;
	if (optind < argc)
		return fail(error, "%.120s: every file has an option before it",
		    argv[optind]);
	if (check_whole(out, error))
		return -1;
	return read_values(out, error);
}
