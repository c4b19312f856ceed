/* Scoring of rows that the caller has, see ls_scoring_open(). Features are what the classifier's
 * last layer with parameters reads. All sums over rows are exact. */
#ifndef LS_TRAIN_SCORING_H
#define LS_TRAIN_SCORING_H

#include <lockstep/comm.h>
#include <lockstep/model.h>
#include <lockstep/status.h>

/* Adds rows of this rank to those that are scored next. Local.
 * rows  [count][channels][height][width] in the units of the data set
 * Errors: LS_ERR_NUMERIC if an output of the classifier is not finite. */
ls_status ls_scoring_add(ls_scoring *scoring, int64_t count, const float *rows) LS_MUST_CHECK;

/* Computes the scores of all ranks' rows since the previous call. Collective.
 * real  true: they are real rows, from which later rows' distance is measured
 * out   on return the same on all ranks
 * Errors, on all ranks alike: LS_ERR_FAILURE, LS_ERR_NUMERIC. */
ls_status ls_scoring_finish(ls_scoring *scoring, bool real, ls_row_scores *out) LS_MUST_CHECK;

#endif
