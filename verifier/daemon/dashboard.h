/*
 * dashboard: a page that shows what this daemon serves and verifies each item
 * in the browser.
 *
 *   GET /            the page
 *   GET /web/{file}  what it is made of (web_files.h)
 *   GET /policy      what this daemon accepts, for those who want to make the
 *                    same checks (policy_summary.h)
 */
#ifndef HALLMARK_VERIFIER_DAEMON_DASHBOARD_H
#define HALLMARK_VERIFIER_DAEMON_DASHBOARD_H

#include "base/http_server.h"

/* For http_route; data is a struct verifierd. */
void dashboard_serve_page(struct http_request *req, void *data);
void dashboard_serve_file(struct http_request *req, void *data);
void dashboard_serve_policy(struct http_request *req, void *data);

#endif
