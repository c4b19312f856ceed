/* Statistics of the training rows for --standardize, the same bits on any number of ranks. */
#ifndef LS_TRAIN_STATISTICS_H
#define LS_TRAIN_STATISTICS_H

#include <lockstep/comm.h>
#include <lockstep/status.h>

#include "data/samples.h"
#include "data/standardize.h"
#include "train/rows.h"

/* What is standardised, and how. */
typedef struct ls_statistics_plan {
    const char *inputs; /* "none", "fit", or "file:STATS.h5:/mean,/std"; borrowed */
    bool targets;       /* by the training rows */
} ls_statistics_plan;

/* Columns of equal numbers, whose standard deviation is 0. */
typedef struct ls_constant_columns {
    int64_t count;
    char first[96]; /* the first of them: "inputs 2, 5, targets 0" */
} ls_constant_columns;

/* Checks --standardize's text. Errors: LS_ERR_USAGE. Local. */
ls_status ls_statistics_check(const char *inputs) LS_MUST_CHECK;

/* Finds the statistics of the inputs' channels and of the targets' values, by the training rows of
 * all ranks or from a file that rank 0 reads. Collective.
 * rows           this rank's training rows
 * normalization  applied to the inputs before
 * out            all zeros on entry; owned by the caller, also after an error
 * constant       on return the columns of equal numbers
 * Errors, on all ranks alike: those of reading rows; LS_ERR_DATA for a file that does not fit;
 * LS_ERR_FAILURE when memory is short. */
ls_status ls_statistics_find(ls_standardization *out, ls_comm *comm, const ls_statistics_plan *plan,
                             const ls_dataset_info *dataset, const ls_rows_origin *rows,
                             ls_normalization normalization,
                             ls_constant_columns *constant) LS_MUST_CHECK;

#endif
