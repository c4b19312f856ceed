#include "sources/csv_layout.h"

#include <lockstep/dataset.h>

#include "base/memory.h"
#include "base/show.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the fields of a single target column have in common. */
typedef struct facts {
    int64_t rows, numbers;
    bool integers; /* all are written as integers */
    bool whole;    /* all are whole numbers */
    double least, largest;
} facts;

const char *ls_csv_place(const ls_csv_layout *l, const ls_csv *csv, int64_t column,
                         char out[LS_CSV_PLACE])
{
    const int length = snprintf(out, LS_CSV_PLACE, "line %lld, column %lld",
                                (long long)ls_csv_line(csv), (long long)column + 1);
    if (column < l->names.count && length > 0 && length < LS_CSV_PLACE)
        snprintf(out + length, (size_t)(LS_CSV_PLACE - length), " (%.60s)", l->names.text[column]);
    return out;
}

bool ls_csv_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    return *end == '\0';
}

/* Removes blanks around a name, in place. */
static const char *trim(char *text)
{
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

char *ls_csv_name(const ls_csv *csv, int64_t column)
{
    char *copy = ls_strdup(ls_csv_field(csv, column));
    if (copy == NULL)
        return NULL;
    const char *name = trim(copy);
    memmove(copy, name, strlen(name) + 1);
    return copy;
}

/* Returns true if the word is the number of a column: digits. */
static bool is_column_number(const char *word)
{
    return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* Decides if the first record is a header: if a target is named, or if no field is a number. */
static bool is_header(const ls_csv *csv, const ls_text_list *wanted)
{
    double value;
    for (int64_t i = 0; i < wanted->count; i++)
        if (!is_column_number(wanted->text[i]))
            return true;
    for (int64_t i = 0; i < ls_csv_fields(csv); i++)
        if (ls_csv_number(ls_csv_field(csv, i), &value))
            return false;
    return true;
}

ls_status ls_csv_find_column(const ls_csv_layout *l, const ls_csv *csv, const char *option,
                             const char *wanted, int64_t *out)
{
    for (int64_t i = 0; i < l->names.count; i++)
        if (strcmp(l->names.text[i], wanted) == 0) {
            *out = i;
            return LS_OK;
        }
    const long long number = is_column_number(wanted) ? strtoll(wanted, NULL, 10) : 0;
    if (number >= 1 && number <= l->columns) {
        *out = number - 1;
        return LS_OK;
    }
    return ls_fail(LS_ERR_USAGE,
                   "%s: has no column '%.60s' for --%s; the last of its %lld is %.60s",
                   ls_csv_path(csv), wanted, option, (long long)l->columns,
                   l->names.count > 0 ? l->names.text[l->columns - 1] : "called by its number");
}

/* Learns the columns from the first record. */
static ls_status learn_columns(ls_csv_layout *l, const ls_csv *csv, const ls_text_list *wanted)
{
    ls_status status = LS_OK;
    l->header = is_header(csv, wanted);
    l->columns = ls_csv_fields(csv);
    for (int64_t i = 0; status == LS_OK && l->header && i < l->columns; i++) {
        char *name = ls_csv_name(csv, i);
        status = name != NULL ? ls_text_list_add(&l->names, name) : LS_ERR_FAILURE;
        ls_free(name);
    }
    l->targets = wanted->count;
    l->is_target = ls_alloc(l->columns, sizeof *l->is_target);
    l->target = ls_alloc(l->targets, sizeof *l->target);
    if (l->is_target == NULL || l->target == NULL)
        return LS_ERR_FAILURE;
    for (int64_t k = 0; status == LS_OK && k < wanted->count; k++) {
        status = ls_csv_find_column(l, csv, "target", wanted->text[k], &l->target[k]);
        if (status == LS_OK && l->is_target[l->target[k]])
            status = ls_fail(LS_ERR_USAGE, "--target names column '%.60s' twice", wanted->text[k]);
        if (status == LS_OK)
            l->is_target[l->target[k]] = true;
    }
    if (status == LS_OK && l->targets == l->columns)
        status = ls_fail(LS_ERR_DATA, "%s: has no columns beside the targets", ls_csv_path(csv));
    return status;
}

/* Checks that a file has the same columns as the training file. */
static ls_status check_header(const ls_csv_layout *l, const ls_csv *csv)
{
    for (int64_t i = 0; i < l->names.count && i < ls_csv_fields(csv); i++) {
        char *name = ls_csv_name(csv, i);
        const bool same = name != NULL && strcmp(name, l->names.text[i]) == 0;
        ls_status status =
            same           ? LS_OK
            : name == NULL ? LS_ERR_FAILURE
                           : ls_fail(LS_ERR_DATA,
                                     "%s: column %lld is '%.60s', but '%.60s' in "
                                     "the training file",
                                     ls_csv_path(csv), (long long)i + 1, name, l->names.text[i]);
        ls_free(name);
        if (status != LS_OK)
            return status;
    }
    return LS_OK;
}

ls_status ls_csv_next_row(const ls_csv_layout *l, ls_csv *csv, bool *end)
{
    ls_status status = ls_csv_next(csv, end);
    if (status != LS_OK || *end || ls_csv_fields(csv) == l->columns)
        return status;
    return ls_fail(LS_ERR_DATA, "%s: line %lld has %s, not %lld", ls_csv_path(csv),
                   (long long)ls_csv_line(csv), ls_counted(ls_csv_fields(csv), "field").text,
                   (long long)l->columns);
}

/* Adds the target of a row to the facts, if there is one target. */
static ls_status add_facts(const ls_csv_layout *l, const ls_csv *csv, void *to)
{
    facts *f = to;
    if (l->targets != 1)
        return LS_OK;
    char where[LS_CSV_PLACE];
    double value;
    const char *text = ls_csv_field(csv, l->target[0]);
    const bool number = ls_csv_number(text, &value);
    if (text[strspn(text, " \t")] == '\0')
        return ls_fail(LS_ERR_DATA, "%s: %s: no value", ls_csv_path(csv),
                       ls_csv_place(l, csv, l->target[0], where));
    if (f->rows > 0 && number != (f->numbers > 0))
        return ls_fail(LS_ERR_DATA, "%s: %s: '%.40s' is %s number, unlike the rows before",
                       ls_csv_path(csv), ls_csv_place(l, csv, l->target[0], where), text,
                       number ? "a" : "not a");
    f->rows++;
    f->numbers += number;
    f->integers = f->integers && number && text[strspn(text, " +-0123456789")] == '\0';
    f->whole = f->whole && number && value == floor(value);
    f->least = number ? fmin(f->least, value) : f->least;
    f->largest = number ? fmax(f->largest, value) : f->largest;
    return LS_OK;
}

ls_status ls_csv_first_row(const ls_csv_layout *l, ls_csv *csv)
{
    bool end = false;
    const ls_status status = ls_csv_rewind(csv);
    return status == LS_OK && l->header ? ls_csv_next_row(l, csv, &end) : status;
}

/* Calls visit() for each row, until it fails; counts the rows. */
static ls_status for_each_row(const ls_csv_layout *l, ls_csv *csv,
                              ls_status (*visit)(const ls_csv_layout *l, const ls_csv *csv,
                                                 void *to),
                              void *to, int64_t *rows)
{
    bool end = false;
    ls_status status = ls_csv_first_row(l, csv);
    for (*rows = 0; status == LS_OK; ++*rows) {
        status = ls_csv_next_row(l, csv, &end);
        if (status != LS_OK || end)
            return status;
        status = visit(l, csv, to);
    }
    return status;
}

/* Adds the name of a row's class to a list. */
static ls_status add_name(const ls_csv_layout *l, const ls_csv *csv, void *list)
{
    ls_text_list *names = list;
    char *name = ls_csv_name(csv, l->target[0]);
    const ls_status status = name != NULL ? ls_text_list_insert(names, name) : LS_ERR_FAILURE;
    ls_free(name);
    if (status == LS_OK && names->count > LS_MAX_CLASSES)
        return ls_fail(LS_ERR_DATA, "%s: line %lld: the maximum is %d classes", ls_csv_path(csv),
                       (long long)ls_csv_line(csv), LS_MAX_CLASSES);
    return status;
}

/* Reads all rows: counts them, and learns the facts of a single target. */
static ls_status scan(const ls_csv_layout *l, ls_csv *csv, facts *f, int64_t *rows)
{
    const ls_status status = for_each_row(l, csv, add_facts, f, rows);
    if (status == LS_OK && *rows == 0)
        return ls_fail(LS_ERR_DATA, "%s: has no rows", ls_csv_path(csv));
    return status;
}

/* Determines the number of classes that are given by number. */
static ls_status count_labels(ls_csv_layout *l, const ls_csv *csv, int64_t classes, const facts *f)
{
    const char *path = ls_csv_path(csv);
    if (f->least < 0)
        return ls_fail(
            LS_ERR_DATA,
            "%s: the target column has %.15g, and classes count from 0: give --values if "
            "it has values",
            path, f->least);
    if (f->largest >= LS_MAX_CLASSES ||
        (classes == 0 && f->largest > 1 && f->largest >= (double)f->rows))
        return ls_fail(
            LS_ERR_DATA,
            "%s: the target column has integers up to %.15g in %s: give --values if they "
            "are values, --classes K if they are classes",
            path, f->largest, ls_counted(f->rows, "row").text);
    l->classes = classes > 0 ? classes : (int64_t)fmax(f->largest, 1) + 1;
    if (f->largest >= (double)l->classes)
        return ls_fail(LS_ERR_DATA, "%s: the target column has %.0f: too large for --classes %lld",
                       path, f->largest, (long long)l->classes);
    return LS_OK;
}

/* Chooses the kind of targets. */
static ls_status choose_kind(ls_csv_layout *l, ls_csv *csv, const ls_csv_source *source,
                             int64_t classes, const facts *f)
{
    const bool labels = f->integers || (f->whole && classes > 0);
    const bool texts = l->targets == 1 && f->numbers == 0;
    l->kind = source->values || l->targets > 1 || (!labels && !texts) ? LS_CSV_VALUES
              : texts                                                 ? LS_CSV_NAMES
                                                                      : LS_CSV_LABELS;
    if (l->kind == LS_CSV_LABELS)
        return count_labels(l, csv, classes, f);
    if (classes > 0)
        return ls_fail(LS_ERR_USAGE, "--classes %lld: the targets are %s", (long long)classes,
                       l->kind == LS_CSV_NAMES ? "classes by name" : "values");
    if (l->kind == LS_CSV_VALUES)
        return l->targets <= LS_MAX_VALUES
                   ? LS_OK
                   : ls_fail(LS_ERR_USAGE, "--target: the maximum is %d columns", LS_MAX_VALUES);
    int64_t rows = 0;
    ls_status status = for_each_row(l, csv, add_name, &l->classes_by_name, &rows);
    l->classes = l->classes_by_name.count;
    if (status == LS_OK && l->classes < 2)
        status = ls_fail(LS_ERR_DATA, "%s: all rows have the same class, '%.40s'", ls_csv_path(csv),
                         l->classes_by_name.text[0]);
    return status;
}

static ls_status first_record(ls_csv *csv)
{
    bool end = false;
    const ls_status status = ls_csv_next(csv, &end);
    return status == LS_OK && end ? ls_fail(LS_ERR_DATA, "%s: is empty", ls_csv_path(csv)) : status;
}

ls_status ls_csv_learn(ls_csv_layout *l, ls_csv *csv, const ls_csv_source *source, int64_t classes,
                       int64_t *rows)
{
    facts f = {.integers = true, .whole = true};
    ls_text_list wanted = {0};
    ls_status status = ls_text_list_split(&wanted, source->target);
    if (status == LS_OK)
        status = first_record(csv);
    if (status == LS_OK)
        status = learn_columns(l, csv, &wanted);
    if (status == LS_OK)
        status = scan(l, csv, &f, rows);
    if (status == LS_OK)
        status = choose_kind(l, csv, source, classes, &f);
    ls_text_list_free(&wanted);
    return status;
}

ls_status ls_csv_check(const ls_csv_layout *l, ls_csv *csv, int64_t *rows)
{
    facts f = {.integers = true};
    ls_status status = first_record(csv);
    if (status == LS_OK)
        status = check_header(l, csv);
    return status == LS_OK ? scan(l, csv, &f, rows) : status;
}

ls_status ls_csv_label(const ls_csv_layout *l, const ls_csv *csv, int32_t *out)
{
    char where[LS_CSV_PLACE];
    double value;
    const int64_t column = l->target[0];
    if (l->kind == LS_CSV_NAMES) {
        char *name = ls_csv_name(csv, column);
        *out = name != NULL ? (int32_t)ls_text_list_find(&l->classes_by_name, name) : 0;
        const bool known = *out >= 0;
        ls_free(name);
        return name == NULL ? LS_ERR_FAILURE
               : known      ? LS_OK
                       : ls_fail(LS_ERR_DATA, "%s: %s: '%.40s' is no class of the training rows",
                                 ls_csv_path(csv), ls_csv_place(l, csv, column, where),
                                 ls_csv_field(csv, column));
    }
    if (ls_csv_number(ls_csv_field(csv, column), &value) && value >= 0 &&
        value < (double)l->classes && value == floor(value)) {
        *out = (int32_t)value;
        return LS_OK;
    }
    return ls_fail(LS_ERR_DATA, "%s: %s: '%.40s' is not a class from 0 to %lld", ls_csv_path(csv),
                   ls_csv_place(l, csv, column, where), ls_csv_field(csv, column),
                   (long long)l->classes - 1);
}

void ls_csv_layout_free(ls_csv_layout *l)
{
    ls_text_list_free(&l->names);
    ls_text_list_free(&l->classes_by_name);
    ls_free(l->is_target);
    ls_free(l->target);
}
