/* Writes HDF5 data sets: from IDX files, or synthetic. */
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
    const char *test_images; /* NULL, as test_labels, for a data set without a test split */
    const char *test_labels;
    const char *name;   /* the data set's name, "" for none */
    int64_t limit;      /* maximum number of training rows; 0 for all */
    int64_t limit_test; /* maximum number of test rows; 0 for all */
    int64_t classes;    /* 0: one more than the largest label */
    bool compress;      /* chunked, deflated, checksummed; else contiguous */
    bool force;         /* replace an existing data set of different content */
} ls_import;

/* Writes a data set from IDX files. Local. The file appears at `path` only when complete: it is
 * written to a temporary file in the same folder, sealed, synchronised and renamed.
 * Errors: LS_ERR_DATA if an IDX file is missing, malformed or doesn't match the others;
 * LS_ERR_USAGE if `path` is a file of another kind, or, without `force`, a data set of different
 * rows, classes, name or sources; LS_ERR_FAILURE if the file can't be written. An existing file at
 * `path` is then left alone. */
ls_status ls_import_idx(const ls_import *import, const char *path) LS_MUST_CHECK;

/* Settings of a synthetic data set, for benchmarks and for learning the program. Each class is a
 * pattern of waves, shifted by a few pixels and with noise added, so that classes can be
 * distinguished. The same settings give the same images on every machine. */
typedef struct ls_synthetic {
    int64_t rows; /* of the training split, 1 or more; the test split has a sixth, rounded up */
    int64_t channels, height, width;
    int64_t classes; /* 2 or more */
    uint64_t seed;
    const char *name; /* the data set's name, "" for none */
    bool compress;    /* as in ls_import */
    bool force;       /* as in ls_import */
} ls_synthetic;

/* Writes a synthetic data set, as ls_import_idx() does. Local.
 * Errors: LS_ERR_USAGE if the shape is not possible, and as ls_import_idx(); LS_ERR_FAILURE if the
 * file can't be written. */
ls_status ls_import_synthetic(const ls_synthetic *wanted, const char *path) LS_MUST_CHECK;

/* Finds one of the four IDX files in a folder, by its usual names: train-images-idx3-ubyte or
 * train-images.idx3-ubyte, with or without .gz. Local.
 * stem  "train-images", "train-labels", "t10k-images" or "t10k-labels"
 * out   [size] bytes, the path found
 * Errors: LS_ERR_DATA if there is no such file, LS_ERR_USAGE if the path does not fit into
 * `out`. */
ls_status ls_import_find(const char *folder, const char *stem, char *out, int size) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
