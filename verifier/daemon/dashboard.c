/* dashboard: see dashboard.h. */
#include "verifier/daemon/dashboard.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/daemon/policy_summary.h"
#include "verifier/daemon/verifierd.h"
#include "verifier/daemon/web_files.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static void serve(struct http_request *req, const struct web_file *file)
{
	char hex[2 * HM_SHA256_LEN + 1], etag[sizeof(hex) + 2];
	uint8_t sha256[HM_SHA256_LEN];

	if (EVP_Digest(
		file->bytes, file->len, sha256, NULL, EVP_sha256(), NULL) != 1)
		log_die("dashboard", "SHA-256 failed");
	hex_encode(sha256, sizeof(sha256), hex);
	snprintf(etag, sizeof(etag), "\"%s\"", hex);
	/* no-cache: asked for again each time, and answered with 304, so that
	 * a page is never made of files of two releases. */
	http_reply(req, &(struct http_reply){
			    .status = 200,
			    .content_type = file->content_type,
			    .body = file->bytes,
			    .len = file->len,
			    .cache_control = "no-cache",
			    .etag = etag,
			    .security_policy = web_files_policy,
			});
}

void dashboard_serve_page(struct http_request *req, void *data)
{
	(void)data;
	serve(req, web_files_find("index.html"));
}

void dashboard_serve_file(struct http_request *req, void *data)
{
	const struct web_file *file = web_files_find(http_path_param(req));

	(void)data;
	if (file)
		serve(req, file);
	else
		http_problem(req, 404, "NOT_FOUND",
		    "the dashboard has no such file", NULL);
}

void dashboard_serve_policy(struct http_request *req, void *data)
{
	const struct verifierd *d = data;
	char *json = policy_summary_json(d->policy);

	http_reply_json(req, json);
	free(json);
}
