/* Writes a data set in Lockstep's layout: what every importer ends in. */
#ifndef LS_DATA_WRITER_H
#define LS_DATA_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

enum { LS_SOURCE_DIGEST = 65 }; /* a SHA-256 as hex digits, with its end */

/* A split on its way into the file. */
typedef struct ls_split_source {
    const char *group;    /* "train", "test" */
    int64_t rows;         /* 1 or more */
    int dims;             /* of an image: 2, height and width, or 3, channels before them */
    int64_t image[3];     /* these dimensions */
    const int32_t *label; /* [rows], 0 .. classes-1; borrowed */
    void *source;         /* handed to the next */
    ls_status (*read)(void *source, int64_t rows, uint8_t *pixels); /* the next rows' pixels */
} ls_split_source;

typedef struct ls_dataset_content {
    const ls_split_source *split; /* [splits] */
    int splits;
    int64_t classes;
    const char *name; /* of the data set, "" for none */
    bool compress;    /* chunked, deflated, checksummed; else contiguous */
    bool force;       /* a data set of other content may be replaced */

    /* The digest of the sources, once all is read; NULL: they have none. */
    void *user;
    ls_status (*digest)(void *user, char digest[LS_SOURCE_DIGEST]);
} ls_dataset_content;

/* Local. The file appears under its name only when it is complete: it is written beside it, sealed,
 * synchronised and renamed.
 * Errors: those of the sources; LS_ERR_USAGE if a file lies there that is no data set, or, without
 * `force`, one of other content;
 * LS_ERR_FAILURE if the file can't be written. What lay at `path` before is then left alone. */
ls_status ls_dataset_write(const ls_dataset_content *content, const char *path) LS_MUST_CHECK;

#endif
