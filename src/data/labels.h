/* Classes of rows, or of the steps of each row: an integer for each, or a one-hot row of numbers.
 * All functions are Local. */
#ifndef LS_DATA_LABELS_H
#define LS_DATA_LABELS_H

#include "data/field.h"

typedef struct ls_labels {
    ls_field field;
    bool one_hot; /* a row has field.numbers numbers, of which that of its class is 1, others 0 */
    bool by_step; /* the field.numbers numbers of a row are the classes of its steps */
} ls_labels;

/* Return true for an integer type, and for a floating-point type, whose whole numbers are read as
 * labels, too. */
bool ls_labels_are_integers(ls_h5_type type);
bool ls_labels_are_floats(ls_h5_type type);

/* Finds out if the first rows, at most 100, are all one-hot; false without rows.
 * Errors: LS_ERR_DATA if they can't be read, LS_ERR_FAILURE. */
ls_status ls_labels_look_one_hot(const ls_labels *labels, bool *out) LS_MUST_CHECK;

/* Reads rows first .. first+count-1, and checks that each label is below `classes`.
 * out  [count] NULL: not stored there, as by step
 * to   NULL: not stored in samples; those of steps become the target's values
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; LS_INTERRUPTED, see base/interrupt.h. */
ls_status ls_labels_read(const ls_labels *labels, int64_t first, int64_t count, int classes,
                         int32_t *out, const ls_destination *to) LS_MUST_CHECK;

/* Reads the classes of rows whose target is one value: 1 above a half, else 0.
 * out  [count]
 * Errors: LS_ERR_DATA if they can't be read, LS_ERR_FAILURE; LS_INTERRUPTED. */
ls_status ls_labels_of_values(const ls_field *field, int64_t first, int64_t count,
                              int32_t *out) LS_MUST_CHECK;

/* Reads all rows for the largest label; -1 without rows.
 * Errors: as ls_labels_read(), also for a label that is not in 0 .. LS_MAX_CLASSES-1. */
ls_status ls_labels_find_largest(const ls_labels *labels, int32_t *out) LS_MUST_CHECK;

#endif
