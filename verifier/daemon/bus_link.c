/* bus_link: libnats's options, from ours. */
#include "verifier/daemon/bus_link.h"

#include "base/file.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_CA    "/etc/ssl/certs/ca-certificates.crt"
#define PASSWORD_MAX 1024 /* bytes of password_file */
#define FLUSH_MS     1000
#define OUT_BUFFER   (8 << 20) /* bytes that wait while no server is there */
#define PENDING_MAX  512       /* published, not acknowledged */
#define PINGS_MAX    2
#define EVER         -1

void bus_link_why(natsStatus status, char out[static BUS_ERROR_MAX])
{
	const char *more = nats_GetLastError(NULL);

	snprintf(out, BUS_ERROR_MAX, "%s%s%.180s", natsStatus_GetText(status),
	    more && more[0] ? ": " : "", more ? more : "");
}

/* ---- who we are ---- */

/* The file's first line. */
static natsStatus set_password(
    natsOptions *options, const struct bus_config *config)
{
	natsStatus s = NATS_INVALID_ARG;
	uint8_t *text = NULL;
	size_t len = 0;

	if (file_read(config->password_file, PASSWORD_MAX, &text, &len) == 0) {
		text[strcspn((char *)text, "\r\n")] = '\0';
		s = natsOptions_SetUserInfo(
		    options, config->user, (char *)text);
		OPENSSL_cleanse(text, len);
	}
	free(text);
	return s;
}

static natsStatus set_identity(
    natsOptions *options, const struct bus_config *config)
{
	natsStatus s = NATS_OK;

	if (config->user[0])
		s = set_password(options, config);
	if (s == NATS_OK && config->credentials[0])
		s = natsOptions_SetUserCredentialsFromFiles(
		    options, config->credentials, NULL);
	return s;
}

static natsStatus set_tls(natsOptions *options, const struct bus_config *config)
{
	const char *ca = config->tls_ca[0] ? config->tls_ca : SYSTEM_CA;
	natsStatus s;

	if (!config->tls)
		return NATS_OK;
	s = natsOptions_SetSecure(options, true);
	if (s == NATS_OK)
		s = natsOptions_LoadCATrustedCertificates(options, ca);
	if (s == NATS_OK && config->tls_cert[0])
		s = natsOptions_LoadCertificatesChain(
		    options, config->tls_cert, config->tls_key);
	return s;
}

/* ---- how long we wait ---- */

static natsStatus set_times(natsOptions *options)
{
	natsStatus s = natsOptions_SetTimeout(options, BUS_LINK_CONNECT_MS);

	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(options, EVER);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(options, BUS_LINK_RETRY_MS);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectJitter(
		    options, BUS_LINK_RETRY_MS, BUS_LINK_RETRY_MS);
	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(options, BUS_LINK_PING_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPingsOut(options, PINGS_MAX);
	if (s == NATS_OK)
		s = natsOptions_SetWriteDeadline(options, BUS_LINK_WRITE_MS);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectBufSize(options, OUT_BUFFER);
	return s;
}

static natsStatus set_all(
    natsOptions *options, const struct bus_config *config, const char *label)
{
	const char *urls[BUS_URLS_MAX];
	natsStatus s;

	for (size_t i = 0; i < config->url_count; i++)
		urls[i] = config->urls[i];
	s = natsOptions_SetServers(options, urls, (int)config->url_count);
	if (s == NATS_OK)
		s = natsOptions_SetName(options, label);
	if (s == NATS_OK)
		s = set_identity(options, config);
	if (s == NATS_OK)
		s = set_tls(options, config);
	if (s == NATS_OK)
		s = set_times(options);
	return s;
}

/* Without this libnats writes each error to stderr: whoever called hears of
 * it by the status of the call. */
static void on_error(natsConnection *connection, natsSubscription *sub,
    natsStatus status, void *data)
{
	(void)connection;
	(void)sub;
	(void)status;
	(void)data;
}

int bus_link_open(struct bus_link *out, const struct bus_config *config,
    const char *label, jsPubAckErrHandler failed, void *data,
    char why[static BUS_ERROR_MAX])
{
	natsOptions *options = NULL;
	jsOptions js;
	natsStatus s;

	memset(out, 0, sizeof(*out));
	s = natsOptions_Create(&options);
	if (s == NATS_OK)
		s = set_all(options, config, label);
	if (s == NATS_OK)
		s = natsOptions_SetErrorHandler(options, on_error, NULL);
	if (s == NATS_OK)
		s = natsConnection_Connect(&out->connection, options);
	if (s == NATS_OK)
		s = jsOptions_Init(&js);
	if (s == NATS_OK) {
		js.Wait = BUS_LINK_ANSWER_MS;
		js.PublishAsync.MaxPending = PENDING_MAX;
		js.PublishAsync.ErrHandler = failed;
		js.PublishAsync.ErrHandlerClosure = data;
		js.PublishAsync.StallWait = BUS_LINK_ANSWER_MS;
		s = natsConnection_JetStream(&out->js, out->connection, &js);
	}
	natsOptions_Destroy(options);
	if (s == NATS_OK)
		return 0;
	bus_link_why(s, why);
	bus_link_close(out);
	return -1;
}

bool bus_link_connected(const struct bus_link *link)
{
	return link->connection && natsConnection_Status(link->connection) ==
				       NATS_CONN_STATUS_CONNECTED;
}

void bus_link_close(struct bus_link *link)
{
	if (bus_link_connected(link))
		(void)natsConnection_FlushTimeout(link->connection, FLUSH_MS);
	jsCtx_Destroy(link->js);
	natsConnection_Destroy(link->connection);
	memset(link, 0, sizeof(*link));
}
