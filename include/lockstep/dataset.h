/* A data set: images and labels in an HDF5 file.
 *
 *     /train/images       uint8 [N,H,W] or [N,C,H,W], or, if that is said, [N,H,W,C]
 *     /train/labels       integers [N] or [N,1], of 8 to 64 bits, signed or not, or h5py's bool
 *     /test/...           the same, optional
 *     /validation/...     the same, optional
 *     attributes          format = "lockstep-dataset", version = 1, classes; optional: name,
 *                         source_sha256
 */
#ifndef LOCKSTEP_DATASET_H
#define LOCKSTEP_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_dataset ls_dataset; /* an open data file */
typedef struct ls_samples ls_samples; /* rows of it in memory */

#define LS_SPLIT_LIST(X)                                                                           \
    X(LS_TRAIN, "train", "training rows")                                                          \
    X(LS_VALIDATION, "validation", "validation rows: /validation, or those held out")              \
    X(LS_TEST, "test", "test rows")

typedef enum ls_split { LS_SPLIT_LIST(LS_CHOICE_ENUM) LS_SPLITS } ls_split;

enum { LS_MAX_CLASSES = 1 << 20 };

/* Which training rows are held out for validation. */
#define LS_HOLD_OUT_LIST(X)                                                                        \
    X(LS_HOLD_OUT_LAST, "last", "the last rows")                                                   \
    X(LS_HOLD_OUT_RANDOM, "random", "any rows, drawn by --seed")                                   \
    X(LS_HOLD_OUT_STRATIFIED, "stratified", "of each class in proportion, drawn by --seed")

typedef enum ls_hold_out { LS_HOLD_OUT_LIST(LS_CHOICE_ENUM) } ls_hold_out;

/* Order of the dimensions of images in a file. In memory they are [C,H,W]. With auto a file that
 * looks like [N,H,W,C] (1, 3 or 4 are its last dimension, and more its second) is refused, with a
 * line that asks. */
#define LS_LAYOUT_LIST(X)                                                                          \
    X(LS_LAYOUT_AUTO, "auto", "nchw, unless it looks like nhwc: then say which")                   \
    X(LS_LAYOUT_NCHW, "nchw", "[N,C,H,W]")                                                         \
    X(LS_LAYOUT_NHWC, "nhwc", "[N,H,W,C]")

typedef enum ls_layout_order { LS_LAYOUT_LIST(LS_CHOICE_ENUM) } ls_layout_order;

/* How a data file is to be read. Zeroed: nothing is held out. */
typedef struct ls_dataset_options {
    /* 0 <= validation < 1: where the file has no /validation, this fraction of the training rows is
     * held out. The count is rounded down. */
    double validation;
    ls_hold_out hold_out;
    uint64_t seed; /* of the draw, where there is one */
    ls_layout_order layout;
} ls_dataset_options;

typedef struct ls_dataset_info {
    char name[64];          /* "" where the file gives none */
    char source_sha256[65]; /* "" where the file gives none */
    int classes;            /* 2 .. LS_MAX_CLASSES; labels are 0 .. classes-1 */
    int64_t channels, height, width;
    int64_t features;        /* channels * height * width */
    int64_t rows[LS_SPLITS]; /* 0 where there is no such split */
    bool held_out;           /* the validation rows, if any, are some of /train's */
    bool doubtful;           /* the images were taken for [N,C,H,W] but look like [N,H,W,C] */
} ls_dataset_info;

/* Opens a data file for reading and checks its layout: names, shapes, types. Local.
 * options  NULL: zeroed ones
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE when memory is short; LS_ERR_USAGE if the layout must be
 * told; *out is left alone. */
ls_status ls_dataset_open(ls_dataset **out, const char *path,
                          const ls_dataset_options *options) LS_MUST_CHECK;

/* What the file holds; borrowed, valid as long as the data set. Local. */
const ls_dataset_info *ls_dataset_describe(const ls_dataset *dataset);

/* "train", "validation", "test". Local. */
const char *ls_split_name(ls_split split);

/* Reads rows first .. first+count-1 of a split and checks their labels. Local.
 * capacity  room to leave in *out, at least count
 * Errors: LS_ERR_DATA if they can't be read or a label is out of range; *out is left alone. */
ls_status ls_dataset_read(const ls_dataset *dataset, ls_split split, int64_t first, int64_t count,
                          int64_t capacity, ls_samples **out) LS_MUST_CHECK;

/* The same into samples that are there; what they held is lost. May be called on a thread while
 * others use other files. Local. samples: of room for `count` rows or more, as large as the data
 * set's. Errors: as above; then there are no rows in it. */
ls_status ls_dataset_read_into(const ls_dataset *dataset, ls_split split, int64_t first,
                               int64_t count, ls_samples *samples) LS_MUST_CHECK;

/* Adds the rows of a split to the counts of their classes; reads labels only. Local.
 * counts  [classes]
 * Errors: as above. */
ls_status ls_dataset_count_classes(const ls_dataset *dataset, ls_split split,
                                   int64_t *counts) LS_MUST_CHECK;

/* Makes sure that a data file can be opened, and with `content` that all of it can be read, in a
 * child process: the HDF5 library crashes on some damaged files. To be called before the file is
 * opened; one process of a job is enough. Local.
 * Errors: LS_ERR_DATA. */
ls_status ls_dataset_try(const char *path, bool content) LS_MUST_CHECK;

/* Makes sure that a data file is what it was when it was made, or, if it carries no digest, that
 * all of it can be read; in a child process, as above. Local. Errors: LS_ERR_DATA. */
ls_status ls_dataset_check(const char *path) LS_MUST_CHECK;

/* Reads all rows of all splits once, in pieces, and keeps none: labels are in range, and chunks
 * with checksums agree with them. Local. Errors: as ls_dataset_read(). */
ls_status ls_dataset_verify(const ls_dataset *dataset) LS_MUST_CHECK;

/* Frees samples and sets *samples to NULL; accepts NULL. Local. */
void ls_samples_destroy(ls_samples **samples);

/* Closes the file, frees, and sets *dataset to NULL; accepts NULL. Local. */
void ls_dataset_close(ls_dataset **dataset);

/* The version of the HDF5 library, "1.10.8". Local. */
const char *ls_dataset_library_version(void);

#ifdef __cplusplus
}
#endif

#endif
