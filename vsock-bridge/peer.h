/* peer: who is at the other end of a connected socket, for log lines. */
#ifndef HALLMARK_BRIDGE_PEER_H
#define HALLMARK_BRIDGE_PEER_H

#define PEER_TEXT_MAX 64

/* "vsock:16:1025", "127.0.0.1:40312", "[::1]:40312", "unix:pid=12,uid=0", or
 * "unknown". */
void peer_describe(int fd, char out[static PEER_TEXT_MAX]);

#endif
