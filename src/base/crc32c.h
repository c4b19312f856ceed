/* CRC-32C (Castagnoli), the checksum of TensorFlow's record files. */
#ifndef LS_BASE_CRC32C_H
#define LS_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC-32C of bytes, as RFC 3720, appendix B.4, defines it. Local. */
uint32_t ls_crc32c(const void *bytes, size_t length);

#endif
