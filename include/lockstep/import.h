/* Makes an HDF5 data set from IDX files, or of its own. */
#ifndef LOCKSTEP_IMPORT_H
#define LOCKSTEP_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_import {
    const char *train_images; /* paths of IDX files, gzip or plain; borrowed */
    const char *train_labels;
    const char *test_images; /* NULL, both of them, for a data set without a test split */
    const char *test_labels;
    const char *name;   /* the data set's name, "" for none */
    int64_t limit;      /* at most this many training rows; 0 for all */
    int64_t limit_test; /* the same of the test rows */
    int64_t classes;    /* 0: one more than the largest label */
    bool compress;      /* chunked, deflated, checksummed; else contiguous */
    bool force;         /* replace a data set of other content that lies there */
} ls_import;

/* Writes the data set. Local. The file appears under its name only when it is complete: it is
 * written beside it, sealed, synchronised and renamed.
 * Errors: LS_ERR_DATA if an IDX file is missing, malformed or doesn't fit the others;
 * LS_ERR_USAGE if another file lies there, or, without `force`, a data set of other rows, classes,
 * name or sources; LS_ERR_FAILURE if the file can't be written. What lay at `path` before is then
 * left alone. */
ls_status ls_import_idx(const ls_import *import, const char *path) LS_MUST_CHECK;

/* A data set that needs no data, to measure or to learn with: classes that can be told apart, by
 * patterns of waves that are moved a little and have noise on them. The same settings give the same
 * images everywhere. */
typedef struct ls_synthetic {
    int64_t rows; /* of the training split, 1 or more; the test split has a sixth as many */
    int64_t channels, height, width;
    int64_t classes; /* 2 or more */
    uint64_t seed;
    const char *name; /* the data set's name, "" for none */
    bool compress;    /* as above, and the next one, too */
    bool force;
} ls_synthetic;

/* Writes such a data set, as ls_import_idx() does. Local.
 * Errors: LS_ERR_USAGE if there can be none of this shape, and as above. LS_ERR_FAILURE if it can't
 * be written. */
ls_status ls_import_synthetic(const ls_synthetic *wanted, const char *path) LS_MUST_CHECK;

/* Finds one of the four files of a folder under the names they are published by, as
 * train-images-idx3-ubyte or train-images.idx3-ubyte, with or without .gz. Local.
 * stem  "train-images", "train-labels", "t10k-images" or "t10k-labels"
 * Errors: LS_ERR_DATA if there is none, LS_ERR_USAGE if the path is too long for `size` bytes. */
ls_status ls_import_find(const char *folder, const char *stem, char *out, int size) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
