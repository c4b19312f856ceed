/* Division of the rows of a group into training, validation and test rows: a few runs of rows, or,
 * if rows are drawn, two bits for each row. A pure function of (plan, labels, number of rows), so
 * the same wherever the file is opened. All functions are Local.
 *
 * Rows are drawn sequentially (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S, with
 * several parts): all remaining rows are equally likely, and the totals are exact. Stratified draws
 * do this per class. */
#ifndef LS_DATA_DIVISION_H
#define LS_DATA_DIVISION_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/dataset.h>
#include <lockstep/status.h>

/* What is wanted. */
typedef struct ls_division_plan {
    ls_hold_out how;
    uint64_t seed;
    double validation; /* fraction of all rows but `fixed` that are validation rows */
    double test;       /* fraction of all rows that are drawn as test rows; then fixed is 0 */
    int64_t fixed;     /* test rows that are not drawn; INT64_MAX: all */
    bool fixed_first;  /* they are the first rows, not the last */
    int fold, folds;   /* the validation rows are fold 1 .. folds of all rows but `fixed`,
                                 which replaces `validation`; folds 0: no folds */
} ls_division_plan;

enum { LS_FOLDS_MOST = 1000 };

/* Makes the plan of the options. Errors: LS_ERR_USAGE. */
ls_status ls_division_plan_make(ls_division_plan *out,
                                const ls_dataset_options *options) LS_MUST_CHECK;

typedef struct ls_division ls_division;

/* Source of labels: reads rows first .. first+count-1 of the group, each label 0 .. classes-1. */
typedef struct ls_label_reader {
    const void *user; /* passed to `read` */
    ls_status (*read)(const void *user, int64_t first, int64_t count, int32_t *labels);
} ls_label_reader;

/* Divides rows. Stratified, a split has each class's share, rounded down or up, but never all rows
 * of a class, so that small classes may reduce the total; folds have a class's rows evenly.
 * labels  read with LS_HOLD_OUT_STRATIFIED only, twice, in pieces
 * Errors: those of `labels`; LS_ERR_USAGE if there are fewer rows than the plan wants, or more
 * classes times folds than 2^26, which take memory;
 * LS_ERR_FAILURE if memory is short. *out is left alone. */
ls_status ls_division_make(ls_division **out, const ls_division_plan *plan, int64_t rows,
                           int classes, ls_label_reader labels) LS_MUST_CHECK;

/* Returns the number of rows of a split. */
int64_t ls_division_count(const ls_division *division, ls_split split);

/* Returns the split of a row. */
ls_split ls_division_split(const ls_division *division, int64_t row);

/* ls_division_row() returns the row of the group that is row `index` of a split;
 * ls_division_before() the number of the split's rows before row `row`, 0 .. rows. */
int64_t ls_division_row(const ls_division *division, ls_split split, int64_t index);
int64_t ls_division_before(const ls_division *division, ls_split split, int64_t row);

/* Frees and sets *division to NULL; accepts NULL. */
void ls_division_destroy(ls_division **division);

#endif
