/* A field: numbers of one dataset of a file that are inputs, or values of the target, of its rows.
 * All functions are Local. */
#ifndef LS_DATA_FIELD_H
#define LS_DATA_FIELD_H

#include <lockstep/dataset.h>

#include "base/range.h"
#include "data/h5_list.h"
#include "data/samples.h"
#include "data/selection.h"

enum { LS_FIELD_NAME = LS_SELECTION_NAME, LS_FIELD_SHAPE = LS_H5_SHAPE };

/* The range of numbers. */
typedef struct ls_limits {
    const char *expected; /* for the error of a number out of the range: a sentence, or of whole
                             numbers what they are, "a token"; NULL: any finite number */
    float least, most;
    bool whole;
    const char *column; /* what a column is, for errors; NULL: "column" */
} ls_limits;

typedef struct ls_field {
    const ls_h5 *file; /* borrowed */
    char name[LS_FIELD_NAME];
    ls_h5_table *table;
    ls_element element; /* type in memory, see ls_field_check_type() */
    bool rounded;       /* the file's type is float64 */
    int64_t rows;
    int64_t numbers;                /* of a row */
    ls_range part[LS_H5_MAX_RANK];  /* indices of each dimension that are read; all rows */
    int dims, dim[LS_H5_MAX_RANK];  /* the dimensions of a row: those that are not dropped */
    int64_t stride[LS_H5_MAX_RANK]; /* of each dimension, in numbers of a sample */
    int64_t first;                  /* number of a sample where the field begins */
    ls_limits limits;               /* of targets, and of tokens */
} ls_field;

/* Fails for a file that does not have the layout of a data set: appends a hint at the description
 * of the layout to the text. Errors: LS_ERR_DATA, always. */
ls_status ls_field_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How datasets are opened. */
typedef struct ls_field_view {
    const char *shapes; /* the accepted shapes, for the error of another number of dimensions */
    bool column_major;  /* their dimensions are in reverse order: the rows are the file's last */
    bool selected;      /* by options, not by the layout of data sets */
} ls_field_view;

/* Opens the selected part of a dataset of 1 to LS_H5_MAX_RANK dimensions. `out` is owned:
 * ls_field_close().
 * Errors: LS_ERR_DATA if there is no such dataset, or no such part. */
ls_status ls_field_open(ls_field *out, const ls_h5 *file, const ls_selection *selection,
                        ls_field_view view) LS_MUST_CHECK;

/* Sets the type in memory. Call before ls_field_read().
 * Errors: LS_ERR_DATA if the type in the file is none of ls_element. */
ls_status ls_field_check_type(ls_field *field) LS_MUST_CHECK;

/* Closes the dataset, if it is open. */
void ls_field_close(ls_field *field);

/* Returns the extent of a dimension of a row, 0 .. dims-1. */
static inline int64_t ls_field_extent(const ls_field *field, int dim)
{
    return field->part[field->dim[dim]].count;
}

/* Returns the shape of the dataset, rows first. */
const ls_h5_shape *ls_field_shape(const ls_field *field);

/* A selection of rows, in their order. `before` returns the number of selected rows before row
 * `row` of the file. */
typedef struct ls_pick {
    int64_t (*before)(const void *user, int64_t row);
    const void *user; /* passed to `before` */
} ls_pick;

/* Destination of rows: the first selected row from row `first` on becomes sample 0. */
typedef struct ls_destination {
    ls_samples *samples; /* NULL: rows are read and dropped */
    const ls_pick *pick; /* NULL: all rows */
    int64_t first;
    int64_t earlier; /* rows of earlier files: added to the number of a row, but not to `first` */
} ls_destination;

/* Returns the index of the first sample that is filled by this row or a later one. */
int64_t ls_destination_find(const ls_destination *to, int64_t row);

/* Returns the sample of a row; NULL: the row is not selected, or dropped.
 * at  ls_destination_find() of the row; on return, of the next row */
ls_sample *ls_destination_next(const ls_destination *to, int64_t row, int64_t *at);

/* Reads rows first .. first+count-1 into samples: their inputs, or with `targets` the values of
 * their target.
 * Errors: LS_ERR_DATA for rows that can't be read, and for NaN, infinite numbers and numbers out of
 * their limits;
 * LS_ERR_FAILURE; LS_INTERRUPTED, see base/interrupt.h. */
ls_status ls_field_read(const ls_field *field, bool targets, int64_t first, int64_t count,
                        const ls_destination *to) LS_MUST_CHECK;

#endif
