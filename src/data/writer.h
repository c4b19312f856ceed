/* Data set writer, used by all importers. */
#ifndef LS_DATA_WRITER_H
#define LS_DATA_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

enum { LS_SOURCE_DIGEST = 65 }; /* a SHA-256 as hex digits, with a final zero byte */

/* A split to write. */
typedef struct ls_split_source {
    const char *group;    /* "train", "test" */
    int64_t rows;         /* 1 or more */
    int dims;             /* of an image: 2 (height, width) or 3 (channels, height, width) */
    int64_t image[3];     /* [dims] */
    const int32_t *label; /* [rows], 0 .. classes-1; borrowed */
    void *source;         /* passed to `read` */
    ls_status (*read)(void *source, int64_t rows,
                      uint8_t *pixels); /* reads the next rows' pixels */
} ls_split_source;

typedef struct ls_dataset_content {
    const ls_split_source *split; /* [splits] */
    int splits;
    int64_t classes;
    const char *name; /* of the data set, "" for none */
    bool compress;    /* chunked, deflated, checksummed; else contiguous */
    bool force;       /* replace a data set of different content */

    /* Returns the digest of the sources, after all rows are read; NULL: no digest. */
    void *user;
    ls_status (*digest)(void *user, char digest[LS_SOURCE_DIGEST]);
} ls_dataset_content;

/* Writes a data set. Local. The file appears at `path` only when complete: it is written to a
 * temporary file in the same folder, sealed, synchronised and renamed.
 * Errors: those of the sources; LS_ERR_USAGE if `path` is a file that is not a data set, or,
 * without `force`, a data set of different content; LS_ERR_FAILURE if the file can't be written. An
 * existing file at `path` is then left alone. */
ls_status ls_dataset_write(const ls_dataset_content *content, const char *path) LS_MUST_CHECK;

#endif
