/* Inputs and labels of a group of a data file: accepted shapes and types, and conversion to
 * samples. All functions are Local. */
#ifndef LS_DATA_FIELDS_H
#define LS_DATA_FIELDS_H

#include <lockstep/dataset.h>

#include "data/h5.h"
#include "data/samples.h"

typedef struct ls_fields {
    const ls_h5 *file; /* borrowed */
    const char *group; /* "train", borrowed */
    ls_h5_table *inputs, *labels;
    const char *what; /* name of the inputs in the group: "images" or "inputs" */
    ls_element element;
    bool rounded; /* the inputs are float64 in the file */
    int64_t rows, channels, height, width;
    int64_t stride[LS_H5_MAX_RANK]; /* of each dimension of the inputs, in a sample's numbers */
    bool doubtful;                  /* read as [N,C,H,W], but the shape looks like [N,H,W,C] */
} ls_fields;

/* Fails for a file that does not have the layout of a data set: appends a hint at the description
 * of the layout to the text. Errors: LS_ERR_DATA, always. */
ls_status ls_fields_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens /group/images or /group/inputs, and /group/labels, and checks shapes and types.
 * layout  LS_LAYOUT_AUTO: an ambiguous shape is refused
 * Errors: LS_ERR_DATA; LS_ERR_USAGE for an ambiguous shape. *out is left alone. */
ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const char *group,
                         ls_layout_order layout) LS_MUST_CHECK;

/* Returns the bytes of the group's inputs and labels, unpacked. */
int64_t ls_fields_bytes(const ls_fields *fields);

/* A selection of rows, in their order. `before` returns the number of selected rows before row
 * `row` of the group. */
typedef struct ls_pick {
    int64_t (*before)(const void *user, int64_t row);
    const void *user; /* passed to `before` */
} ls_pick;

/* Reads rows first .. first+count-1 of the group into the inputs and labels of samples 0 ..
 * count-1, and checks that the labels are below `classes`.
 * pick     reads only the selected rows, into the first samples; NULL: all rows
 * samples  room for the rows; NULL: rows are only read and checked
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; LS_INTERRUPTED, see base/interrupt.h. */
ls_status ls_fields_read(const ls_fields *fields, int64_t first, int64_t count, int classes,
                         const ls_pick *pick, ls_samples *samples) LS_MUST_CHECK;

/* Reads and checks labels only.
 * labels  [count]
 * Errors: as ls_fields_read(). */
ls_status ls_fields_labels(const ls_fields *fields, int64_t first, int64_t count, int classes,
                           int32_t *labels) LS_MUST_CHECK;

/* Closes inputs and labels, as far as they are open. */
void ls_fields_close(ls_fields *fields);

#endif
