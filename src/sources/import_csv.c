/* Tables in text: some columns are the targets, the others are the inputs. */
#include <lockstep/import.h>

#include "base/memory.h"
#include "sources/csv_layout.h"
#include "sources/import_common.h"

#include <math.h>
#include <string.h>

enum { SPLITS = 2 };

/* A split that is being read. */
typedef struct table {
    ls_csv *csv;
    const ls_csv_layout *layout;
    int64_t rows, next;
    int32_t *label; /* [rows] of classes */
    float *targets; /* [rows][targets] of values */
} table;

/* Reads a field as a float. */
static ls_status read_value(const ls_csv_layout *l, const ls_csv *csv, int64_t column, float *out)
{
    char where[LS_CSV_PLACE];
    double value;
    const char *text = ls_csv_field(csv, column);
    const bool number = ls_csv_number(text, &value);
    *out = (float)value;
    if (number && isfinite(*out))
        return LS_OK;
    ls_csv_place(l, csv, column, where);
    if (text[strspn(text, " \t")] == '\0')
        return ls_fail(LS_ERR_DATA, "%s: %s: no value", ls_csv_path(csv), where);
    return ls_fail(LS_ERR_DATA, "%s: %s: '%.40s' is %s", ls_csv_path(csv), where, text,
                   !number           ? "not a number (documents become tokens with --text)"
                   : isfinite(value) ? "too large for float32"
                                     : "not finite");
}

static ls_status read_targets(table *t)
{
    const ls_csv_layout *l = t->layout;
    ls_status status = LS_OK;
    if (l->kind != LS_CSV_VALUES)
        return ls_csv_label(l, t->csv, &t->label[t->next]);
    for (int64_t k = 0; status == LS_OK && k < l->targets; k++)
        status = read_value(l, t->csv, l->target[k], &t->targets[t->next * l->targets + k]);
    return status;
}

static ls_status csv_read_rows(void *user, int64_t rows, void *inputs)
{
    table *t = user;
    const ls_csv_layout *l = t->layout;
    float *to = inputs;
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < rows; i++, t->next++) {
        bool end = false;
        status = ls_csv_next_row(l, t->csv, &end);
        if (status == LS_OK && end)
            status = ls_fail(LS_ERR_DATA, "%s: changed while it was read", ls_csv_path(t->csv));
        for (int64_t column = 0; status == LS_OK && column < l->columns; column++)
            if (!l->is_target[column])
                status = read_value(l, t->csv, column, to++);
        if (status == LS_OK)
            status = read_targets(t);
    }
    return status;
}

/* Allocates the targets and moves to the first row. */
static ls_status table_begin(table *t)
{
    const ls_csv_layout *l = t->layout;
    if (l->kind == LS_CSV_VALUES)
        t->targets = ls_alloc(t->rows * l->targets, sizeof *t->targets);
    else
        t->label = ls_alloc(t->rows, sizeof *t->label);
    if (t->targets == NULL && t->label == NULL)
        return LS_ERR_FAILURE;
    return ls_csv_first_row(l, t->csv);
}

static ls_status write_tables(const ls_import *import, const ls_csv_source *source, table *t,
                              int splits, const char *path)
{
    static const char *const groups[SPLITS] = {"train", "test"};
    const ls_csv_layout *l = t->layout;
    ls_split_source split[SPLITS];
    ls_text_list paths = {0};
    ls_status status = ls_text_list_add(&paths, source->train);
    if (status == LS_OK && splits > 1)
        status = ls_text_list_add(&paths, source->test);
    for (int k = 0; status == LS_OK && k < splits; k++) {
        status = table_begin(&t[k]);
        split[k] = (ls_split_source){.group = groups[k],
                                     .rows = t[k].rows,
                                     .type = LS_H5_F32,
                                     .dims = 1,
                                     .image = {l->columns - l->targets},
                                     .label = t[k].label,
                                     .targets = t[k].targets,
                                     .values = l->targets,
                                     .source = &t[k],
                                     .read = csv_read_rows};
    }
    ls_dataset_content content = ls_import_content(import, split, splits);
    content.classes = l->classes;
    content.class_names = &l->classes_by_name;
    content.user = &paths;
    content.digest = ls_import_digest;
    if (status == LS_OK)
        status = ls_dataset_write(&content, path);
    ls_text_list_free(&paths);
    return status;
}

/* Opens both files and learns all about them. */
static ls_status learn(const ls_import *import, const ls_csv_source *source, ls_csv_layout *l,
                       table *t)
{
    int64_t rows = 0, test_rows = 0;
    ls_status status = ls_csv_open(&t[0].csv, source->train);
    if (status == LS_OK)
        status = ls_csv_learn(l, t[0].csv, source, import->classes, &rows);
    if (status == LS_OK && source->test != NULL)
        status = ls_csv_open(&t[1].csv, source->test);
    if (status == LS_OK && source->test != NULL)
        status = ls_csv_check(l, t[1].csv, &test_rows);
    t[0].rows = ls_import_rows(rows, import->limit);
    t[1].rows = ls_import_rows(test_rows, import->limit_test);
    return status;
}

ls_status ls_import_csv(const ls_import *import, const ls_csv_source *source, const char *path)
{
    ls_csv_layout l = {.columns = 0};
    table t[SPLITS] = {{.layout = &l}, {.layout = &l}};
    if (*source->target == '\0')
        return ls_fail(LS_ERR_USAGE, "%s: --target must name the column to predict, or its number",
                       source->train);
    ls_status status = learn(import, source, &l, t);
    if (status == LS_OK)
        status = write_tables(import, source, t, source->test != NULL ? SPLITS : 1, path);
    for (int k = 0; k < SPLITS; k++) {
        ls_csv_close(&t[k].csv);
        ls_free(t[k].label);
        ls_free(t[k].targets);
    }
    ls_csv_layout_free(&l);
    return status;
}
