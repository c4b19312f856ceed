#include "base/mac.h"

#include <sha2.h>
#include <string.h>

/* SHA-256 of the key, padded to a block and combined with `pad`, followed by the data. */
static void hash_with_key(const uint8_t key[LS_MAC_KEY], uint8_t pad, const void *data,
                          size_t bytes, uint8_t out[SHA256_DIGEST_LENGTH])
{
    uint8_t block[SHA256_BLOCK_LENGTH];
    SHA2_CTX context;
    memset(block, pad, sizeof block);
    for (int i = 0; i < LS_MAC_KEY; i++)
        block[i] ^= key[i];
    SHA256Init(&context);
    SHA256Update(&context, block, sizeof block);
    SHA256Update(&context, data, bytes);
    SHA256Final(out, &context);
}

void ls_mac(const uint8_t key[LS_MAC_KEY], const void *data, size_t bytes,
            uint8_t out[LS_MAC_BYTES])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    hash_with_key(key, 0x36, data, bytes, digest);
    hash_with_key(key, 0x5c, digest, sizeof digest, digest);
    memcpy(out, digest, LS_MAC_BYTES);
}
