/* channel_keeper: see channel_keeper.h. */
#include "verifier/daemon/channel_keeper.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/daemon/channel_request.h"
#include "verifier/daemon/retry.h"

#include <stdio.h>
#include <stdlib.h>

struct channel_keeper {
	struct channel_keeper_options options;
	uv_timer_t timer; /* WAITING: the next try; .data points back */
	struct curl_transfer transfer;  /* ASKING: under way */
	struct channel_request request; /* of it; easy is NULL else */
	uint64_t backoff_ms;            /* before the next try */
	bool wanted;                    /* WAITING or ASKING */
	bool told;                      /* logged that it went wrong */
	char why[CHANNEL_ERROR_MAX];    /* it went wrong the last time; "" */
};

static void ask(uv_timer_t *timer);

static void wait_and_ask(struct channel_keeper *k)
{
	uv_timer_start(&k->timer, ask, retry_wait_ms(&k->backoff_ms), 0);
}

static void log_pinned(
    const struct channel_keeper *k, const struct channel_facts *facts)
{
	char boot_id[33], spki[2 * HM_SHA256_LEN + 1];

	hex_encode(facts->attested.boot_id, 16, boot_id);
	hex_encode(facts->attested.tls_spki_sha256, HM_SHA256_LEN, spki);
	log_info("channel", "attested",
	    LOG_S("oracle", k->options.address->text),
	    LOG_S("platform", facts->document.platform),
	    LOG_S("release", facts->document.release),
	    LOG_S("boot_id", boot_id), LOG_S("tls_spki_sha256", spki));
}

static void pinned(struct channel_keeper *k, const struct channel_facts *facts)
{
	oracle_address_pin(k->options.address, facts->attested.tls_spki_sha256);
	log_pinned(k, facts);
	k->wanted = false;
	k->told = false;
	k->why[0] = '\0';
	k->backoff_ms = RETRY_MIN_MS;
	k->options.attested(facts, k->options.data);
}

static void failed(struct channel_keeper *k, const struct channel_failure *why)
{
	if (!k->told)
		log_warn("channel", "not_attested",
		    LOG_S("oracle", k->options.address->text),
		    LOG_S("why", why->text));
	k->told = true;
	snprintf(k->why, sizeof(k->why), "%s", why->text);
	wait_and_ask(k);
	if (k->options.failed)
		k->options.failed(why, k->options.data);
}

static void on_done(struct curl_transfer *transfer, CURLcode result)
{
	static struct channel_facts facts; /* large */
	struct channel_keeper *k = transfer->data;
	struct channel_failure why;
	int rc = channel_request_judge(
	    &k->request, result, k->options.policy, NULL, NULL, &facts, &why);

	channel_request_fini(&k->request);
	if (rc == 0)
		pinned(k, &facts);
	else
		failed(k, &why);
}

static void ask(uv_timer_t *timer)
{
	struct channel_keeper *k = timer->data;

	channel_request_init(&k->request, k->options.address, NULL, 0);
	k->transfer.easy = k->request.easy;
	curl_loop_add(k->options.curl, &k->transfer);
}

struct channel_keeper *channel_keeper_start(
    const struct channel_keeper_options *options)
{
	struct channel_keeper *k = calloc(1, sizeof(*k));

	if (!k)
		log_die("channel", "out of memory");
	k->options = *options;
	k->backoff_ms = RETRY_MIN_MS;
	k->transfer.data = k->timer.data = k;
	k->transfer.done = on_done;
	k->wanted = true;
	uv_timer_init(options->loop, &k->timer);
	uv_timer_start(&k->timer, ask, 0, 0);
	return k;
}

void channel_keeper_doubt(struct channel_keeper *keeper)
{
	if (keeper->wanted)
		return;
	keeper->wanted = true;
	wait_and_ask(keeper);
}

const char *channel_keeper_why(const struct channel_keeper *keeper)
{
	if (!keeper->wanted)
		return NULL;
	return keeper->why[0] ? keeper->why : "no answer yet";
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void channel_keeper_stop(struct channel_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->request.easy)
		curl_loop_remove(keeper->options.curl, &keeper->transfer);
	channel_request_fini(&keeper->request);
	uv_close((uv_handle_t *)&keeper->timer, on_closed);
}
