/* IDX files, the format of MNIST and similar data sets: a big-endian header
 * (0, 0, element type, number of dimensions, the dimensions) and the elements. Gzip or plain. */
#ifndef LS_SOURCES_IDX_H
#define LS_SOURCES_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

typedef struct ls_idx ls_idx; /* a file being read from its beginning to its end */

typedef enum ls_idx_type { LS_IDX_U8 = 0x08, LS_IDX_I16 = 0x0b, LS_IDX_I32 = 0x0c } ls_idx_type;

enum { LS_IDX_MAX_DIMS = 4, LS_SHA256_TEXT = 65 };

typedef struct ls_idx_header {
    ls_idx_type type;
    int dims; /* 1 .. LS_IDX_MAX_DIMS */
    int64_t dim[LS_IDX_MAX_DIMS];
    int64_t items;    /* elements in one row, the product of dim[1] .. */
    int64_t elements; /* elements in the file, items * dim[0] */
} ls_idx_header;

/* Returns the name of a type: "uint8", "int16", "int32". Local. */
const char *ls_idx_type_name(ls_idx_type type);

/* Opens a file and reads its header. Local.
 * Errors: LS_ERR_DATA if the file is missing, not IDX, of another element type, too large, or
 * claims more elements than it can hold; *out is left alone. */
ls_status ls_idx_open(ls_idx **out, const char *path) LS_MUST_CHECK;

/* Returns the header; borrowed. Local. */
const ls_idx_header *ls_idx_describe(const ls_idx *idx);

/* Reads the next `count` elements of a uint8 file. Local.
 * Errors: LS_ERR_DATA if the file ends before. */
ls_status ls_idx_read_u8(ls_idx *idx, int64_t count, uint8_t *out) LS_MUST_CHECK;

/* Reads the next `count` elements, of any type, as int32. Local. Errors: as ls_idx_read_u8(). */
ls_status ls_idx_read_i32(ls_idx *idx, int64_t count, int32_t *out) LS_MUST_CHECK;

/* Reads and drops the remaining elements, checks that the file ends there, and returns the SHA-256
 * of the whole uncompressed file as hex digits. Local.
 * Errors: LS_ERR_DATA if the file is too short or too long. */
ls_status ls_idx_finish(ls_idx *idx, char sha256[LS_SHA256_TEXT]) LS_MUST_CHECK;

/* Closes, frees and sets *idx to NULL; accepts NULL. Local. */
void ls_idx_close(ls_idx **idx);

#endif
