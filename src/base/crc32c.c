#include "base/crc32c.h"

/* The polynomial, bits reversed. */
#define POLYNOMIAL UINT32_C(0x82F63B78)

uint32_t ls_crc32c(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    }
    return ~crc;
}
