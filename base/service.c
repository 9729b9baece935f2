/* service: see service.h. */
#include "base/service.h"

#include "base/gzip.h"
#include "base/log.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service {
	struct http_route *routes;
	char *document;
	uint8_t *gzip;
	size_t gzip_len;
	char etag[2 * 32 + 3];
};

static void *need(void *memory)
{
	if (!memory)
		log_die("service", "out of memory");
	return memory;
}

/* The names, NULL-ended, or NULL. */
static const char *const *names_of(const struct service_param *params)
{
	const char **names;
	size_t n = 0;

	if (!params)
		return NULL;
	while (params[n].name)
		n++;
	names = need(calloc(n + 1, sizeof(*names)));
	for (size_t i = 0; i < n; i++)
		names[i] = params[i].name;
	return names;
}

static struct http_route *make_routes(const struct service_route *list)
{
	struct http_route *routes, *out;
	size_t n = 0;

	while (list[n].method)
		n++;
	out = routes = need(calloc(n + 1, sizeof(*routes)));
	for (const struct service_route *r = list; r->method; r++)
		*out++ = (struct http_route){
		    r->method, r->path, names_of(r->params), r->handler};
	return routes;
}

static void put_etag(struct service *service)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	char *out = service->etag;

	if (EVP_Digest(service->document, strlen(service->document), hash, NULL,
		EVP_sha256(), NULL) != 1)
		log_die("service", "SHA-256 failed");
	*out++ = '"';
	for (size_t i = 0; i < 32; i++, out += 2)
		snprintf(out, 3, "%02x", hash[i]);
	snprintf(out, 2, "\"");
}

struct service *service_new(
    const char *title, const struct service_route *const *tables)
{
	struct service *service = need(calloc(1, sizeof(*service)));
	struct service_route *list = service_flatten(tables);
	struct gzip *gzip = gzip_new();

	service->routes = make_routes(list);
	service->document = service_describe(title, list);
	service_flat_free(list);
	service->gzip = gzip_pack(gzip, service->document,
	    strlen(service->document), &service->gzip_len);
	gzip_free(gzip);
	put_etag(service);
	return service;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	for (struct http_route *r = service->routes; r->method; r++)
		free((void *)r->params);
	free(service->routes);
	free(service->document);
	free(service->gzip);
	free(service);
}

const struct http_route *service_routes(const struct service *service)
{
	return service->routes;
}

const char *service_document(const struct service *service)
{
	return service->document;
}

void service_serve_document(
    const struct service *service, struct http_request *req)
{
	http_reply(req, &(struct http_reply){.status = 200,
			    .content_type = "application/json",
			    .body = service->document,
			    .len = strlen(service->document),
			    .cache_control = "public, max-age=60",
			    .etag = service->etag,
			    .has_gzip = true,
			    .gzip = service->gzip,
			    .gzip_len = service->gzip_len});
}
