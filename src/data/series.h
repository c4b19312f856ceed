/* The rows of a group, in one file or in several, one after the other. All functions are Local. */
#ifndef LS_DATA_SERIES_H
#define LS_DATA_SERIES_H

#include "data/fields.h"

typedef struct ls_series {
    int count;        /* of files that have the group */
    ls_fields *parts; /* [count] */
    int64_t *first;   /* [count] rows in the parts before */
    int64_t rows;
} ls_series;

/* Allocates a series for at most `most` files. `out` is owned: ls_series_close().
 * Errors: LS_ERR_FAILURE. */
ls_status ls_series_create(ls_series *out, int most) LS_MUST_CHECK;

/* Opens the inputs and targets of another file. There must be room for it.
 * Errors: as ls_fields_open(); the series is left alone. */
ls_status ls_series_append(ls_series *series, const ls_h5 *file,
                           const ls_fields_choice *choice) LS_MUST_CHECK;

/* As ls_fields_read(), but rows of the series. */
ls_status ls_series_read(const ls_series *series, int64_t first, int64_t count, int classes,
                         const ls_destination *to) LS_MUST_CHECK;

/* As ls_labels_read(), but rows of the series, whose targets are classes, or one value in each row,
 * see ls_labels_of_values(). */
ls_status ls_series_labels(const ls_series *series, int64_t first, int64_t count, int classes,
                           int32_t *labels) LS_MUST_CHECK;

/* Closes inputs and targets, as far as they are open. */
void ls_series_close(ls_series *series);

#endif
