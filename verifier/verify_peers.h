/* verify_peers: what an oracle says of its peers (GET /peers), judged; the
 * functions are hallmark.h's. oracle/peers_status.h has the content's form. */
#ifndef HALLMARK_VERIFIER_VERIFY_PEERS_H
#define HALLMARK_VERIFIER_VERIFY_PEERS_H

#define PEERS_STATUS_FORMAT "hallmark-peers/1"

#endif
