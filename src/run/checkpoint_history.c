#include "run/checkpoint_history.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAMES = 32 * LS_METRICS_COLUMNS };

ls_status ls_history_write(ls_h5 *file, const ls_metrics *history, int64_t epochs)
{
    char names[NAMES] = "";
    const ls_h5_shape shape = {.type = LS_H5_F64, .rank = 2, .dims = {epochs, LS_METRICS_COLUMNS}};
    for (int i = 0; i < LS_METRICS_COLUMNS; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i > 0 ? "," : "",
                 ls_metrics_name(i));
    ls_status status = ls_h5_put_text(file, "columns", names);
    if (status == LS_OK)
        status = ls_h5_create_dataset(file, "metrics", &shape, false);
    if (status == LS_OK)
        status = ls_h5_write(file, "metrics", LS_H5_F64, 0, epochs, history);
    return status;
}

/* Finds the column of the first name of a list, LS_METRICS_COLUMNS if it is unknown. Returns the
 * rest of the list; NULL after the last name. */
static const char *next_column(const char *names, int *column)
{
    const size_t length = strcspn(names, ",");
    *column = ls_metrics_find(names, length);
    return names[length] == ',' ? names + length + 1 : NULL;
}

/* Returns the number of names in a list; 0 if the epoch is missing. */
static int64_t count_columns(const char *names)
{
    int64_t count = 0;
    bool has_epoch = false;
    for (int column; names != NULL; count++) {
        names = next_column(names, &column);
        has_epoch = has_epoch || column == 0;
    }
    return has_epoch ? count : 0;
}

ls_status ls_history_check(const ls_h5 *file, int64_t epochs)
{
    char *names = NULL;
    ls_h5_shape shape = {0};
    ls_status status = ls_h5_get_text(file, "columns", &names);
    if (status == LS_OK)
        status = ls_h5_describe(file, "metrics", &shape);
    if (status == LS_OK &&
        !(shape.type == LS_H5_F64 && shape.rank == 2 && shape.dims[0] == epochs &&
          shape.dims[1] > 0 && shape.dims[1] == count_columns(names)))
        status = ls_fail(LS_ERR_DATA, "%s: its progress and its metrics contradict each other",
                         ls_h5_path(file));
    ls_free(names);
    return status;
}

/* Fills the history from a table [epochs][columns]. */
static void fill_history(const char *names, const double *table, int64_t columns,
                         ls_metrics *history, int64_t epochs)
{
    for (int64_t e = 0; e < epochs; e++)
        for (int i = 0; i < LS_METRICS_COLUMNS; i++)
            ls_metrics_set(&history[e], i, NAN);
    for (int64_t at = 0; names != NULL; at++) {
        int column;
        names = next_column(names, &column);
        for (int64_t e = 0; column < LS_METRICS_COLUMNS && e < epochs; e++)
            ls_metrics_set(&history[e], column, table[e * columns + at]);
    }
}

ls_status ls_history_read(const ls_h5 *file, ls_metrics *history, int64_t epochs)
{
    char *names = NULL;
    double *table = NULL;
    int64_t columns = 0;
    ls_status status = ls_h5_get_text(file, "columns", &names);
    if (status == LS_OK) {
        columns = count_columns(names);
        table = ls_alloc(epochs, (size_t)columns * sizeof *table);
        status = table == NULL ? LS_ERR_FAILURE : LS_OK;
    }
    if (status == LS_OK)
        status = ls_h5_read(file, "metrics", LS_H5_F64, 0, epochs, table);
    if (status == LS_OK)
        fill_history(names, table, columns, history, epochs);
    ls_free(table);
    ls_free(names);
    return status;
}
