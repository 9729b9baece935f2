/* seal: `hallmark seal`, a secret for an enclave and nobody on the way. */
#include "base/now.h"
#include "feeds/hex.h"
#include "verifier/cli/command.h"
#include "verifier/cli/remedy.h"
#include "verifier/cli/seal_cms.h"
#include "verifier/cli/seal_delivery.h"
#include "verifier/cli/seal_options.h"
#include "verifier/daemon/channel.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_FORGED 3 /* as a signature that is wrong */

static const char help[] =
    "usage: hallmark seal URL (--policy POLICY | --root ROOT --pcr N:HEX "
    "...)\n"
    "           --token-file FILE NAME < SECRET\n"
    "\n"
    "Hands a secret, such as the key of a paid API, to an oracle's enclave.\n"
    "First the oracle is attested, with a fresh nonce: the document must be\n"
    "one that your policy accepts, and it holds the key that the secret is\n"
    "encrypted to (CMS AuthEnvelopedData: RSAES-OAEP with SHA-256,\n"
    "AES-256-GCM). Whoever relays the message, or terminates the TLS of an\n"
    "https:// address, learns nothing and can change nothing. The enclave\n"
    "takes it if it knows the token's SHA-256 from its configuration, and\n"
    "signs that it has.\n"
    "\n"
    "  URL               of the oracle: http://, https://, unix:// or\n"
    "                    https+attested://\n"
    "  --policy POLICY   which enclaves may know it, as JSON\n"
    "  --root, --pcr     instead of it, see hallmark verify --help\n"
    "  --token-file FILE the token, 32 to 128 visible ASCII characters\n"
    "  NAME              one of \"names\" in the configuration's \"secrets\"\n"
    "  SECRET            1 to 512 visible ASCII characters; a line end behind\n"
    "                    it is not part of it\n"
    "\n"
    "An oracle forgets its secrets when it stops: seal them again after each\n"
    "start. The same NAME again replaces the secret.\n"
    "\n"
    "Exit: 0 the enclave has taken it; 1 usage, or no answer; 3 a receipt that\n"
    "the enclave has not signed; 5 refused (a wrong token ...); else the class\n"
    "of the verdict on the document, as of hallmark verify: nothing was sent.\n"
    "\n"
    "Examples:\n"
    "  openssl rand -hex 32 > token; tr -d '\\n' < token | sha256sum\n"
    "  hallmark seal http://127.0.0.1:8090 --policy policy.json \\\n"
    "      --token-file token coinmarketcap_api_key < key\n";

static int complain(const char *text)
{
	fputs("hallmark seal: ", stderr);
	command_put_plain(stderr, text);
	putc('\n', stderr);
	return COMMAND_USAGE;
}

/* NULL: the key is none that can be used. */
static uint8_t *make_message(struct seal_options *options,
    const struct channel_facts *facts, size_t *len)
{
	struct secret_message *message = &options->message;
	char text[SECRET_MESSAGE_MAX];
	uint8_t *der = NULL;
	size_t text_len;

	memcpy(message->boot_id, facts->attested.boot_id,
	    sizeof(message->boot_id));
	message->sealed_ms = now_unix_ms();
	text_len = secret_message_encode(message, text);
	if (text_len > 0)
		der = seal_cms(len, facts->seal_public_key, text, text_len);
	OPENSSL_cleanse(text, sizeof(text));
	return der;
}

static int tell(enum seal_delivery_end end, const struct seal_options *options,
    const struct channel_facts *facts, const char *error)
{
	char boot_id[2 * sizeof(facts->attested.boot_id) + 1];

	if (end == SEAL_NO_ANSWER)
		return complain(error);
	if (end != SEAL_TAKEN) {
		printf("%s ", end == SEAL_FORGED ? "FORGED" : "REFUSED");
		command_put_plain(stdout, error);
		putchar('\n');
		return end == SEAL_FORGED ? EXIT_FORGED : COMMAND_POLICY;
	}
	hex_encode(
	    facts->attested.boot_id, sizeof(facts->attested.boot_id), boot_id);
	printf("SEALED %s to boot %s of %s, release ", options->message.name,
	    boot_id, facts->document.module_id);
	command_put_plain(stdout, facts->document.release);
	putchar('\n');
	return COMMAND_OK;
}

static int seal(struct seal_options *options, const struct channel_facts *facts)
{
	char error[SEAL_DELIVERY_ERROR_MAX] = "";
	enum seal_delivery_end end;
	uint8_t *der;
	size_t len;

	if (!facts->attested.has_seal || !facts->seal_public_key[0])
		return complain("this oracle takes no secrets: its "
				"configuration has no \"secrets\"");
	der = make_message(options, facts, &len);
	if (!der)
		return complain("the attested key cannot be encrypted to");
	end = seal_deliver(
	    &options->address, options->message.name, facts, der, len, error);
	free(der);
	return tell(end, options, facts, error);
}

static int attest_and_seal(
    struct seal_options *options, const struct hm_policy *policy)
{
	static struct channel_facts facts; /* large */
	struct channel_failure why;

	if (channel_attest(&facts, &options->address, policy, NULL, NULL, 0,
		NULL, &why) == 0)
		return seal(options, &facts);
	if (why.verdict == HM_VALID) /* it did not come to one */
		return complain(why.text);
	printf("REFUSED %s (exit %d), nothing was sent: %s\n",
	    hm_verdict_name(why.verdict), hm_verdict_class(why.verdict),
	    remedy_of(why.verdict)->meaning);
	return hm_verdict_class(why.verdict);
}

static int run(int argc, char **argv)
{
	static struct seal_options options; /* large */
	char error[POLICY_FILE_ERROR_MAX];
	struct hm_policy *policy = NULL;
	int code;

	if (seal_options_parse(&options, argc, argv, "-", error) != 0 ||
	    verify_options_policy(&policy, &options.verify, error) != 0)
		code = command_usage_error(&command_seal, "%s", error);
	else
		code = attest_and_seal(&options, policy);
	seal_options_wipe(&options);
	hm_policy_free(policy);
	return fflush(stdout) ? COMMAND_USAGE : code;
}

const struct command command_seal = {
    .name = "seal",
    .summary = "hands a secret to an oracle's enclave",
    .help = help,
    .run = run,
};
