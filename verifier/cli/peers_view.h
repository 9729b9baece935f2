/* peers_view: what an oracle says of its peers, for people and for scripts. */
#ifndef HALLMARK_VERIFIER_CLI_PEERS_VIEW_H
#define HALLMARK_VERIFIER_CLI_PEERS_VIEW_H

#include "verifier/hallmark.h"

#include <jansson.h>
#include <stdio.h>

/* "VALID peers of BOOT ..." and a line for each peer, and for each feed that
 * they disagree in. content: the verified envelope's. */
void peers_view_lines(
    FILE *out, const struct hm_peers *peers, const json_t *content);

/* The content, with the document. A new reference; NULL: no memory. */
json_t *peers_view_json(const struct hm_peers *peers, const json_t *content);

#endif
