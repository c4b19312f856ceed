/* What the figures of an evaluation show: of a regression predicted against true values, and
 * residuals, of the outputs with the lowest R2; of a binary task the ROC curve. All functions are
 * Local. */
#ifndef LS_CLI_EVAL_PLOTS_H
#define LS_CLI_EVAL_PLOTS_H

#include <stdint.h>

#include <lockstep/model.h>
#include <lockstep/prediction.h>
#include <lockstep/status.h>

struct json_t;
typedef struct ls_eval_plots ls_eval_plots;

/* Prepares for the rows of an evaluation, whose score and outputs are known.
 * task   a regression or a binary task
 * found  borrowed during the call
 * Errors: LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_eval_plots_create(ls_eval_plots **out, const ls_task *task,
                               const ls_evaluated *found) LS_MUST_CHECK;

/* Adds predictions; all rows must be added, in their order. */
void ls_eval_plots_add(ls_eval_plots *plots, const ls_predictions *rows);

/* Adds `plots` or `roc` to an object:
 *
 *     plots  list of {output, points: [[true, predicted], ...] of rows spread evenly over all,
 *            residuals: {from, step, counts}}; the first and the last count include all below and
 *            above
 *     roc    [[false positive rate, true positive rate], ...] from [0, 0] to [1, 1]; without rows
 *            of either kind not added */
void ls_eval_plots_json(const ls_eval_plots *plots, struct json_t *object);

/* Frees and sets *plots to NULL; accepts NULL. */
void ls_eval_plots_destroy(ls_eval_plots **plots);

#endif
