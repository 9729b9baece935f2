/* replay_options: reads the arguments of `hallmark replay`. */
#include "verifier/cli/replay_options.h"

#include "base/file.h"
#include "verifier/archive/replay.h"
#include "verifier/cli/options.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_jobs(struct replay_command *o, const char *text, char *error)
{
	size_t len = strspn(text, "0123456789");
	unsigned long jobs = strtoul(text, NULL, 10);

	if (len < 1 || len > 3 || text[len] != '\0' || jobs < 1 ||
	    jobs > REPLAY_JOBS_MAX)
		return verify_options_fail(error,
		    "--jobs %.120s: wanted 1 to %d", text, REPLAY_JOBS_MAX);
	o->jobs = (unsigned)jobs;
	return 0;
}

static int read_at(struct replay_command *o, const char *text, char *error)
{
	o->live = strcmp(text, "now") == 0;
	if (!o->live && strcmp(text, "published") != 0)
		return verify_options_fail(
		    error, "--at %.120s: wanted published or now", text);
	return 0;
}

static int read_option(void *data, int option, const char *text, char *error)
{
	struct replay_command *o = data;

	switch (option) {
	case 'g':
		if (o->config)
			return verify_options_fail(
			    error, "--config is given twice");
		o->config = text;
		return 0;
	case 'w':
		return read_jobs(o, text, error);
	case 'a':
		return read_at(o, text, error);
	case 'j':
		o->json = true;
		return 0;
	case 'x':
		o->no_prices = true;
		return 0;
	default:
		o->has_trust = true;
		return verify_options_trust(&o->trust, option, text, error);
	}
}

static int check_whole(struct replay_command *o, char *error)
{
	if (o->archive_count == 0)
		return verify_options_fail(error, "which ARCHIVE?");
	if (o->config && o->no_prices)
		return verify_options_fail(error,
		    "--config is for the prices that "
		    "--no-prices leaves out");
	/* One archive may be a bundle, which brings its own. */
	if (!o->has_trust && o->archive_count == 1)
		return 0;
	return verify_options_check_trust(&o->trust, error);
}

int replay_options_parse(struct replay_command *out, int argc, char **argv,
    char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"config", required_argument, NULL, 'g'},
	    {"jobs", required_argument, NULL, 'w'},
	    {"at", required_argument, NULL, 'a'},
	    {"json", no_argument, NULL, 'j'},
	    {"no-prices", no_argument, NULL, 'x'},
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, read_option, out, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	out->archives = argv + optind;
	out->archive_count = (size_t)(argc - optind);
	return check_whole(out, error);
}

int replay_options_config(struct feed_set *out, uint8_t sha256[HM_SHA256_LEN],
    const char *path, char error[static POLICY_FILE_ERROR_MAX])
{
	char why[FEED_CONFIG_ERROR_MAX] = "is not JSON";
	uint8_t *bytes = NULL;
	json_t *root;
	size_t len;
	int rc = file_read(path, REPLAY_CONFIG_MAX, &bytes, &len);

	if (rc)
		return verify_options_fail(
		    error, "%.500s: %s", path, strerror(-rc));
	root = json_loadb(
	    (const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
	rc = !root ||
	     EVP_Digest(bytes, len, sha256, NULL, EVP_sha256(), NULL) != 1 ||
	     feed_set_parse(out, json_object_get(root, "feeds"), why);
	json_decref(root);
	free(bytes);
	return rc ? verify_options_fail(error, "%.500s: %s", path, why) : 0;
}
