/* Inputs and targets of a group of a data file: accepted shapes and types, and conversion to
 * samples. All functions are Local. */
#ifndef LS_DATA_FIELDS_H
#define LS_DATA_FIELDS_H

#include <lockstep/dataset.h>

#include "data/field.h"

typedef struct ls_fields {
    const ls_h5 *file; /* borrowed */
    const char *group; /* "train", borrowed */
    ls_field inputs;
    ls_h5_table *labels; /* classes; NULL: the targets are values */
    ls_field targets;    /* values; not open with labels */
    int values;          /* of a row; 0 with labels */
    int64_t rows, channels, height, width;
    bool doubtful; /* read as [N,C,H,W], but the shape looks like [N,H,W,C] */
} ls_fields;

/* Opens /group/images or /group/inputs, and /group/labels or /group/targets, and checks shapes and
 * types.
 * layout  LS_LAYOUT_AUTO: an ambiguous shape is refused
 * Errors: LS_ERR_DATA; LS_ERR_USAGE for an ambiguous shape. *out is left alone. */
ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const char *group,
                         ls_layout_order layout) LS_MUST_CHECK;

/* Returns the bytes of the group's inputs and targets, unpacked. */
int64_t ls_fields_bytes(const ls_fields *fields);

/* Reads rows first .. first+count-1 of the group into samples 0 .. count-1, and checks that labels
 * are below `classes`, and that inputs and values are finite.
 * pick     reads only the selected rows, into the first samples; NULL: all rows
 * samples  room for the rows; NULL: rows are only read and checked
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; LS_INTERRUPTED, see base/interrupt.h. */
ls_status ls_fields_read(const ls_fields *fields, int64_t first, int64_t count, int classes,
                         const ls_pick *pick, ls_samples *samples) LS_MUST_CHECK;

/* Reads and checks labels only, of targets that are classes.
 * labels  [count]
 * Errors: as ls_fields_read(). */
ls_status ls_fields_labels(const ls_fields *fields, int64_t first, int64_t count, int classes,
                           int32_t *labels) LS_MUST_CHECK;

/* Closes inputs and targets, as far as they are open. */
void ls_fields_close(ls_fields *fields);

#endif
