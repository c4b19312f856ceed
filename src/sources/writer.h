/* Data set writer, used by all importers. */
#ifndef LS_SOURCES_WRITER_H
#define LS_SOURCES_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#include "base/text_list.h"
#include "data/h5.h"

enum { LS_SOURCE_DIGEST = 65 }; /* a SHA-256 as hex digits, with a final zero byte */

/* A split to write. */
typedef struct ls_split_source {
    const char *group; /* "train", "test" */
    int64_t rows;      /* 1 or more */
    ls_h5_type type;   /* of the inputs in the file and in memory; zeroed: uint8 */
    int dims; /* of a row: 1: numbers; 2: an image (height, width); 3: with channels first */
    int64_t image[3]; /* [dims] */
    /* Targets, borrowed; none if both are NULL. They are written after the inputs, so that `read`
     * may fill them in. */
    const int32_t *label; /* [rows], 0 .. classes-1; NULL if the targets are values */
    const float *targets; /* [rows][values] */
    int64_t values;
    const int32_t *length; /* [rows] steps of each row's sequence, borrowed; NULL: all */
    void *source;          /* passed to `read` */
    ls_status (*read)(void *source, int64_t rows, void *inputs); /* reads the next rows */
    /* Reads the class of each step of the next rows, int32 [rows][steps], of image[0] steps: then
     * these are the targets. NULL: they are not. */
    ls_status (*read_labels)(void *source, int64_t rows, void *labels);
} ls_split_source;

typedef struct ls_dataset_content {
    const ls_split_source *split; /* [splits] */
    int splits;
    int64_t classes;                 /* 0 if the targets are values */
    const ls_text_list *class_names; /* NULL or empty: none; else `classes` of them */
    const ls_text_list *vocabulary;  /* texts of the tokens that the inputs are; NULL: no tokens */
    const char *name;                /* of the data set, "" for none */
    bool compress;                   /* chunked, deflated, checksummed; else contiguous */
    bool force;                      /* replace a data set of different content */

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
