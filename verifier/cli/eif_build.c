/* eif_build: `hallmark eif build`, an enclave image of its parts. */
#include "base/file.h"
#include "verifier/cli/command.h"
#include "verifier/cli/eif_options.h"
#include "verifier/cli/eif_write.h"
#include "verifier/cli/json_of.h"
#include "verifier/eif/eif_metadata.h"
#include "verifier/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define METADATA_FILE_MAX 65536 /* an image's description, by hand or tool */

static const char help[] =
    "usage: hallmark eif build --kernel FILE\n"
    "           --cmdline TEXT | --cmdline-file FILE\n"
    "           --ramdisk FILE [--ramdisk FILE ...] --output FILE\n"
    "           [--signing-certificate PEM --private-key PEM]\n"
    "           [--metadata FILE] [--name TEXT] [--image-version TEXT]\n"
    "           [--arch x86_64|arm64] [--memory MIB] [--cpus N]\n"
    "\n"
    "Makes an enclave image (EIF, version 4) that AWS Nitro Enclaves start, and\n"
    "prints what the hypervisor will measure, as nitro-cli prints it:\n"
    "\n"
    "  PCR0  kernel, command line, all ramdisks\n"
    "  PCR1  kernel, command line, the first ramdisk\n"
    "  PCR2  the other ramdisks\n"
    "  PCR8  the signing certificate; only if there is one\n"
    "\n"
    "Nothing else is measured: not the metadata, memory or CPUs. The same parts\n"
    "give the same bytes, today and on another machine. No clock is asked: the\n"
    "metadata's BuildTime is SOURCE_DATE_EPOCH (seconds), or 1970. A signature is\n"
    "another one each time (ECDSA); the PCRs, and all bytes before it but the\n"
    "header's, are not.\n"
    "\n"
    "--kernel FILE        bzImage (x86_64) or Image (arm64)\n"
    "--cmdline TEXT       at most 2047 bytes; --cmdline-file: one newline at\n"
    "                     the file's end is left out\n"
    "--ramdisk FILE       cpio, compressed or not; the first is \"boot\", in PCR1\n"
    "--metadata FILE      a JSON object. With keys of nitro-cli's (ImageName,\n"
    "                     BuildMetadata...) it is the whole section, as it is;\n"
    "                     with others it becomes CustomMetadata\n"
    "--private-key PEM    P-384, readable by you alone; must be the\n"
    "                     certificate's. Who may start the image is then a\n"
    "                     matter of PCR8\n"
    "\n"
    "FILE appears under its name when it is whole, and was read back and judged\n"
    "as hallmark pcrs does.\n"
    "\n"
    "Exit: 0, 1 (usage, a file), 2 (a part that no image may have).\n"
    "\n"
    "Example:\n"
    "  hallmark eif build --kernel bzImage --cmdline-file cmdline \\\n"
    "      --ramdisk init.cpio --ramdisk app.cpio --output oracle.eif\n"
    "  hallmark pcrs oracle.eif --policy 1.4.0 --config oracle.json > policy.json\n";

struct build {
	struct eif_options options;
	struct eif_plan plan;
	uint8_t *cmdline; /* owned */
	size_t cmdline_len;
	char *metadata; /* owned */
	struct eif_key key;
};

/* ---- the command line ---- */

static int read_cmdline(struct build *b)
{
	const struct eif_options *o = &b->options;

	if (o->cmdline_file) /* one more for the newline */
		return file_read(o->cmdline_file, EIF_CMDLINE_MAX + 1,
		    &b->cmdline, &b->cmdline_len);
	b->cmdline = (uint8_t *)strdup(o->cmdline);
	b->cmdline_len = strlen(o->cmdline);
	return b->cmdline ? 0 : -ENOMEM;
}

static int load_cmdline(struct build *b)
{
	const char *path = b->options.cmdline_file;
	int rc = read_cmdline(b);

	if (rc && rc != -EFBIG)
		return command_usage_error(&command_eif_build, "%.200s: %s",
		    path ? path : "--cmdline", strerror(-rc));
	if (rc == 0 && path && b->cmdline_len &&
	    b->cmdline[b->cmdline_len - 1] == '\n')
		b->cmdline_len--;
	if (rc == -EFBIG || b->cmdline_len > EIF_CMDLINE_MAX)
		return command_usage_error(&command_eif_build,
		    "the command line is longer than %d bytes, of which the "
		    "kernel would obey the first",
		    EIF_CMDLINE_MAX);
	return 0;
}

/* ---- metadata ---- */

/* "2026-11-01T00:00:00.000Z". */
static int build_time(char out[MOMENT_TEXT_MAX])
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	size_t digits;

	if (!text)
		text = "0";
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 12 || text[digits] ||
	    strtoll(text, NULL, 10) > MOMENT_MAX_MS / 1000)
		return command_usage_error(&command_eif_build,
		    "SOURCE_DATE_EPOCH=%.80s: wanted seconds since 1970", text);
	moment_format(strtoll(text, NULL, 10) * 1000, out);
	return 0;
}

static int make_metadata(struct build *b, const json_t *custom)
{
	char time[MOMENT_TEXT_MAX];
	int rc = build_time(time);

	if (rc)
		return rc;
	b->metadata = eif_metadata_make(&(struct eif_metadata){
	    .name = b->options.name,
	    .version = b->options.version,
	    .tool_version = HALLMARK_VERSION,
	    .time = time,
	    .custom = custom,
	});
	if (!b->metadata)
		return command_usage_error(&command_eif_build,
		    "--name, --image-version: not UTF-8, or no memory");
	return 0;
}

/* The hypervisor wants there to be metadata, and does not look at it. */
static int use_metadata(struct build *b, char *text, const json_t *object)
{
	const char *lacks = eif_metadata_lacks(object);

	if (!eif_metadata_is_whole(object)) {
		free(text);
		return make_metadata(b, object);
	}
	b->metadata = text;
	if (lacks)
		fprintf(stderr,
		    "hallmark eif build: note: the metadata has no %s, or of "
		    "another type: nitro-cli describe-eif will refuse it\n",
		    lacks);
	return 0;
}

static int load_metadata(struct build *b)
{
	const char *path = b->options.metadata;
	uint8_t *text = NULL;
	size_t len = 0;
	json_t *object;
	int rc;

	if (!path)
		return make_metadata(b, NULL);
	rc = file_read(path, METADATA_FILE_MAX, &text, &len);
	if (rc)
		return command_usage_error(
		    &command_eif_build, "%.200s: %s", path, strerror(-rc));
	object = eif_metadata_parse((const char *)text, len);
	if (!object) {
		free(text);
		return command_usage_error(&command_eif_build,
		    "%.200s: not one JSON object in UTF-8, no key twice", path);
	}
	rc = use_metadata(b, (char *)text, object);
	json_decref(object);
	return rc;
}

/* ---- the kernel ---- */

/* Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202 of a bzImage;
 * Documentation/arch/arm64/booting.rst: "ARM\x64" at 56 of an Image. */
static bool is_kernel(const char *path, bool arm64)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[4] = {0};
	bool right;

	if (fd < 0)
		return true; /* eif_write() will say why */
	right = pread(fd, magic, sizeof(magic), arm64 ? 56 : 0x202) == 4 &&
		memcmp(magic, arm64 ? "ARM\x64" : "HdrS", sizeof(magic)) == 0;
	close(fd);
	return right;
}

/* The measurements of what does not start are right too. */
static void note_kernel(const struct eif_options *o)
{
	if (is_kernel(o->kernel, o->arm64))
		return;
	fputs("hallmark eif build: note: ", stderr);
	command_put_plain(stderr, o->kernel);
	fprintf(stderr, " is no %s: an enclave on %s will not start it\n",
	    o->arm64 ? "Image" : "bzImage", o->arm64 ? "arm64" : "x86_64");
}

/* ---- all of it ---- */

static void add_part(struct build *b, struct eif_part part)
{
	b->plan.parts[b->plan.count++] = part;
}

static void make_plan(struct build *b)
{
	const struct eif_options *o = &b->options;

	b->plan.header.version = EIF_VERSION;
	b->plan.header.flags = o->arm64 ? EIF_FLAG_ARM64 : 0;
	b->plan.header.memory = o->memory_mib << 20;
	b->plan.header.cpus = o->cpu_count;
	b->plan.key = o->private_key ? &b->key : NULL;
	add_part(b, (struct eif_part){EIF_KERNEL, o->kernel, NULL, 0});
	add_part(b,
	    (struct eif_part){EIF_CMDLINE, NULL, b->cmdline, b->cmdline_len});
	add_part(b, (struct eif_part){
			EIF_METADATA, NULL, b->metadata, strlen(b->metadata)});
	for (unsigned i = 0; i < o->ramdisk_count; i++)
		add_part(
		    b, (struct eif_part){EIF_RAMDISK, o->ramdisks[i], NULL, 0});
}

static int load(struct build *b)
{
	const struct eif_options *o = &b->options;
	char error[EIF_KEY_ERROR_MAX];
	int rc = load_cmdline(b);

	if (rc == 0)
		rc = load_metadata(b);
	if (rc == 0 && o->private_key &&
	    eif_key_load(&b->key, o->certificate, o->private_key, error))
		rc = command_usage_error(&command_eif_build, "%s", error);
	return rc;
}

static int write_and_print(struct build *b)
{
	char error[EIF_WRITE_ERROR_MAX];
	struct eif_image image;
	int rc;

	make_plan(b);
	note_kernel(&b->options);
	rc = eif_write(&image, &b->plan, b->options.output, error);
	if (rc) {
		command_usage_error(&command_eif_build,
		    "%s. Nothing was written to %.200s", error,
		    b->options.output);
	} else if (json_of_print(json_pack("{s:o}", "Measurements",
		       eif_image_measurements(&image)))) {
		rc = COMMAND_USAGE;
	}
	eif_image_fini(&image);
	return rc;
}

static int run(int argc, char **argv)
{
	char error[EIF_OPTIONS_ERROR_MAX];
	struct build b = {0};
	int rc;

	if (eif_options_parse(&b.options, argc, argv, error))
		return command_usage_error(&command_eif_build, "%s", error);
	rc = load(&b);
	if (rc == 0)
		rc = write_and_print(&b);
	free(b.cmdline);
	free(b.metadata);
	eif_key_fini(&b.key);
	return rc;
}

const struct command command_eif_build = {
    .name = "eif build",
    .summary = "an enclave image of kernel, command line and ramdisks",
    .help = help,
    .run = run,
};
