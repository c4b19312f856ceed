/* Images and labels as they lie in a group of a data file: which shapes and types there may be, and
 * how they become samples. Local, all of it. */
#ifndef LS_DATA_FIELDS_H
#define LS_DATA_FIELDS_H

#include <lockstep/dataset.h>

#include "data/h5.h"
#include "data/samples.h"

typedef struct ls_fields {
    const ls_h5 *file; /* borrowed */
    const char *group; /* "train", borrowed */
    ls_h5_table *images, *labels;
    int64_t rows, channels, height, width;
    int64_t stride[LS_H5_MAX_RANK]; /* of each dimension of /images, in a sample's pixels */
    bool doubtful;                  /* [N,C,H,W] by its layout, but it looks like [N,H,W,C] */
} ls_fields;

/* The line for a file whose layout is not that of a data set: the text, and where to read about the
 * layout. Returns LS_ERR_DATA. */
ls_status ls_fields_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens /group/images and /group/labels and checks shapes and types.
 * layout  LS_LAYOUT_AUTO: a doubtful one is refused
 * Errors: LS_ERR_DATA; LS_ERR_USAGE for a layout that must be told. *out is left alone. */
ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const char *group,
                         ls_layout_order layout) LS_MUST_CHECK;

/* Bytes of the images and labels in the file, unpacked. */
int64_t ls_fields_bytes(const ls_fields *fields);

/* Some of the rows, in their order: tells how many of them lie before row `row` of the group. */
typedef struct ls_pick {
    int64_t (*before)(const void *user, int64_t row);
    const void *user; /* handed to it */
} ls_pick;

/* Reads rows first .. first+count-1 of the group into the pixels and labels of samples 0 ..
 * count-1, and checks that the labels are below `classes`.
 * pick     only these of them, into the first samples; NULL: all
 * samples  of room for them; NULL: they are read and checked only
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; LS_INTERRUPTED, see base/interrupt.h. */
ls_status ls_fields_read(const ls_fields *fields, int64_t first, int64_t count, int classes,
                         const ls_pick *pick, ls_samples *samples) LS_MUST_CHECK;

/* Reads labels only. labels: [count]. Errors: as above. */
ls_status ls_fields_labels(const ls_fields *fields, int64_t first, int64_t count, int classes,
                           int32_t *labels) LS_MUST_CHECK;

/* Closes both; what was never opened is left alone. */
void ls_fields_close(ls_fields *fields);

#endif
