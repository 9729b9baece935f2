/* seal_options: see seal_options.h. */
#include "verifier/cli/seal_options.h"

#include "base/file.h"
#include "verifier/cli/options.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static int read_option(void *data, int option, const char *text, char *error)
{
	struct seal_options *o = data;

	if (option != 't')
		return verify_options_trust(&o->verify, option, text, error);
	if (o->token_file)
		return verify_options_fail(error, "--token-file: given twice");
	o->token_file = text;
	return 0;
}

static size_t without_line_end(const uint8_t *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	return len;
}

/* One line of at most `max` bytes, without a NUL in it. */
static int read_line(char *out, size_t max, const char *what, const char *path,
    char error[static POLICY_FILE_ERROR_MAX])
{
	uint8_t *bytes;
	size_t read, len;
	int status = file_read(path, max + 2, &bytes, &read), result = 0;

	if (status == -EFBIG)
		return verify_options_fail(
		    error, "%s: more than %zu characters", what, max);
	if (status != 0)
		return verify_options_fail(
		    error, "%s: %.200s: %s", what, path, strerror(-status));
	len = without_line_end(bytes, read);
	if (len > max || memchr(bytes, '\0', len))
		result = verify_options_fail(error,
		    "%s: not one line of at most %zu characters", what, max);
	else
		memcpy(out, bytes, len);
	out[result == 0 ? len : 0] = '\0';
	OPENSSL_cleanse(bytes, read);
	free(bytes);
	return result;
}

/* What the enclave would refuse is not sent. */
static int check_message(const struct secret_message *message,
    char error[static POLICY_FILE_ERROR_MAX])
{
	struct secret_message whole = *message;
	char text[SECRET_MESSAGE_MAX];
	size_t len;

	whole.sealed_ms = 1;
	len = secret_message_encode(&whole, text);
	OPENSSL_cleanse(&whole, sizeof(whole));
	OPENSSL_cleanse(text, sizeof(text));
	if (len > 0)
		return 0;
	return verify_options_fail(error,
	    "NAME is a to z, 0 to 9 and _; a token %d to %d and a secret 1 to "
	    "%d visible ASCII characters (in a token no \" and no \\)",
	    SECRET_TOKEN_MIN, SECRET_TOKEN_MAX, SECRET_MAX);
}

static int read_secrets(struct seal_options *out, const char *name,
    const char *in, char error[static POLICY_FILE_ERROR_MAX])
{
	struct secret_message *message = &out->message;

	if (!out->token_file)
		return verify_options_fail(error,
		    "--token-file is needed: the token whose SHA-256 is in "
		    "the oracle's configuration");
	if (strlen(name) >= sizeof(message->name))
		return verify_options_fail(error, "NAME is too long");
	memcpy(message->name, name, strlen(name) + 1);
	if (read_line(message->token, SECRET_TOKEN_MAX, "the token",
		out->token_file, error) != 0 ||
	    read_line(message->secret, SECRET_MAX, "the secret", in, error) !=
		0)
		return -1;
	return check_message(message, error);
}

int seal_options_parse(struct seal_options *out, int argc, char **argv,
    const char *in, char error[static POLICY_FILE_ERROR_MAX])
{
	static const struct option known[] = {
	    VERIFY_OPTIONS_TRUST,
	    {"token-file", required_argument, NULL, 't'},
	    {NULL, 0, NULL, 0},
	};

	memset(out, 0, sizeof(*out));
	if (options_each(argc, argv, known, read_option, out, error,
		POLICY_FILE_ERROR_MAX))
		return -1;
	if (argc - optind != 2)
		return verify_options_fail(
		    error, "a URL and the NAME of a secret are needed");
	if (verify_options_oracle(&out->address, argv[optind], error) != 0)
		return -1;
	if (verify_options_check_trust(&out->verify, error) != 0)
		return -1;
	return read_secrets(out, argv[optind + 1], in, error);
}

void seal_options_wipe(struct seal_options *options)
{
	OPENSSL_cleanse(&options->message, sizeof(options->message));
}
