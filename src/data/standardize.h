/* Standardisation of inputs and targets by column, (x - mean) / std: a column is a channel of the
 * inputs, or a value of the target. All functions are Local. */
#ifndef LS_DATA_STANDARDIZE_H
#define LS_DATA_STANDARDIZE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/status.h>

/* Statistics of some columns, and what follows from them. */
typedef struct ls_columns {
    int64_t count; /* 0: no standardisation */
    double *mean;  /* [count] owned, with all that follows */
    double *std;   /* [count] of the population; 1 for a column of equal numbers */
    float *centre; /* [count] mean */
    float *factor; /* [count] 1 / std */
} ls_columns;

typedef struct ls_standardization {
    ls_columns inputs, targets;
} ls_standardization;

/* Allocates the statistics of `count` columns, mean 0 and std 1.
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_columns_create(ls_columns *out, int64_t count) LS_MUST_CHECK;

/* Computes centre and factor from mean and std. A std of 0 becomes 1. Returns the number of such
 * columns. */
int64_t ls_columns_complete(ls_columns *columns);

/* Returns the first column by which no floats can be standardised: its mean or 1 / std is no finite
 * float, or 1 / std is below the smallest; a std of 0 counts as 1. -1: there is none. */
int64_t ls_columns_find_impossible(const ls_columns *columns);

/* Returns true if the statistics are the same. */
bool ls_columns_equal(const ls_columns *a, const ls_columns *b);

/* Copies the statistics. Errors: as ls_columns_create(). */
ls_status ls_columns_copy(ls_columns *out, const ls_columns *from) LS_MUST_CHECK;

/* Frees the statistics. */
void ls_columns_destroy(ls_columns *columns);
void ls_standardization_destroy(ls_standardization *standardization);

/* Standardise a batch in place: its images [channels][pixels]; the values of its targets. */
void ls_standardize_inputs(const ls_columns *inputs, ls_batch *batch, int64_t channels,
                           int64_t pixels);
void ls_standardize_targets(const ls_columns *targets, ls_batch *batch);

/* Sums for the statistics of columns, over rows that are divided among ranks. There are two passes
 * over the rows: the first finds each column's least and largest number. The second adds the
 * numbers' differences from the middle between them, and the squares, rounded to multiples of a
 * quantum that follows from the range: such sums have the same bits in any order of addition. */
typedef struct ls_column_sums {
    int64_t columns;
    double *extremes; /* [2 * columns] -least, then largest; combined over ranks by the maximum */
    double *sums;     /* [2 * columns] of differences, then of squares; added over ranks */
    double *middle;   /* [columns] like the next two, set between the passes */
    double *quantum, *square_quantum;
} ls_column_sums;

/* Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_column_sums_create(ls_column_sums *out, int64_t columns) LS_MUST_CHECK;
void ls_column_sums_destroy(ls_column_sums *sums);

/* First pass: adds a row.
 * x  [columns][pixels] */
void ls_column_sums_extend(ls_column_sums *sums, int64_t pixels, const float *x);

/* Prepares the second pass, when `extremes` are those of all ranks' rows.
 * numbers  in each column, over all ranks */
void ls_column_sums_middle(ls_column_sums *sums, int64_t numbers);

/* Second pass: adds a row. */
void ls_column_sums_add(ls_column_sums *sums, int64_t pixels, const float *x);

/* Computes mean and standard deviation, when `sums` are those of all ranks' rows. */
void ls_column_sums_finish(const ls_column_sums *sums, int64_t numbers, ls_columns *out);

#endif
