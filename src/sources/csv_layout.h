/* The columns of a table in text: which are targets, and of what kind. All functions are Local. */
#ifndef LS_SOURCES_CSV_LAYOUT_H
#define LS_SOURCES_CSV_LAYOUT_H

#include <lockstep/import.h>

#include "base/text_list.h"
#include "sources/csv.h"

enum { LS_CSV_PLACE = 192 };

typedef enum ls_csv_kind {
    LS_CSV_VALUES, /* numbers to predict */
    LS_CSV_LABELS, /* classes by number */
    LS_CSV_NAMES   /* classes by name */
} ls_csv_kind;

/* What is the same in all files of a data set. */
typedef struct ls_csv_layout {
    bool header;        /* the first record has the names of columns */
    ls_text_list names; /* of all columns; empty without a header */
    int64_t columns;
    bool *is_target; /* [columns] */
    int64_t *target; /* [targets] columns, in the order of --target */
    int64_t targets;
    ls_csv_kind kind;
    int64_t classes;              /* 0 of values */
    ls_text_list classes_by_name; /* sorted; empty unless classes have names */
} ls_csv_layout;

/* Learns the layout from a file that was just opened, by reading all of it.
 * layout   zeroed
 * classes  0: to be counted
 * rows     on return the number of rows
 * Errors: LS_ERR_USAGE, LS_ERR_DATA, LS_ERR_FAILURE, as ls_import_csv(); the layout is to be freed
 * nevertheless. */
ls_status ls_csv_learn(ls_csv_layout *layout, ls_csv *csv, const ls_csv_source *source,
                       int64_t classes, int64_t *rows) LS_MUST_CHECK;

/* Checks that another file has the same columns, by reading all of it.
 * rows  on return the number of its rows
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_csv_check(const ls_csv_layout *layout, ls_csv *csv, int64_t *rows) LS_MUST_CHECK;

/* Goes to the first row, behind the header. */
ls_status ls_csv_first_row(const ls_csv_layout *layout, ls_csv *csv) LS_MUST_CHECK;

/* Reads the next record, as ls_csv_next(), and checks its number of fields. */
ls_status ls_csv_next_row(const ls_csv_layout *layout, ls_csv *csv, bool *end) LS_MUST_CHECK;

/* Reads the class of the latest row, of a layout of labels or names.
 * Errors: LS_ERR_DATA for none of the layout's classes; LS_ERR_FAILURE. */
ls_status ls_csv_label(const ls_csv_layout *layout, const ls_csv *csv, int32_t *out) LS_MUST_CHECK;

/* Finds a column by its name, else by its number from 1.
 * option  "target", for the message
 * Errors: LS_ERR_USAGE. */
ls_status ls_csv_find_column(const ls_csv_layout *layout, const ls_csv *csv, const char *option,
                             const char *wanted, int64_t *out) LS_MUST_CHECK;

/* Describes the place of a field of the latest record: "line 7, column 3 (width)". Returns out. */
const char *ls_csv_place(const ls_csv_layout *layout, const ls_csv *csv, int64_t column,
                         char out[LS_CSV_PLACE]);

/* Reads a text that is a number, with or without blanks around it; false if it is not. */
bool ls_csv_number(const char *text, double *out);

/* Returns a field of the latest record without blanks around it; owned by the caller: ls_free().
 * Errors: NULL, as ls_alloc(). */
char *ls_csv_name(const ls_csv *csv, int64_t column);

/* Frees what a layout holds. */
void ls_csv_layout_free(ls_csv_layout *layout);

#endif
