/* Message authentication code, which only owners of the key can compute: HMAC-SHA-256 (RFC
 * 2104). */
#ifndef LS_BASE_MAC_H
#define LS_BASE_MAC_H

#include <stddef.h>
#include <stdint.h>

enum { LS_MAC_KEY = 32, LS_MAC_BYTES = 16 };

/* Computes the first LS_MAC_BYTES bytes of the HMAC of `bytes` bytes of data. Local. */
void ls_mac(const uint8_t key[LS_MAC_KEY], const void *data, size_t bytes,
            uint8_t out[LS_MAC_BYTES]);

#endif
