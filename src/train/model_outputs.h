/* What a network's outputs mean: its values become probabilities, or values in the targets' units.
 * All functions are Local. */
#ifndef LS_TRAIN_MODEL_OUTPUTS_H
#define LS_TRAIN_MODEL_OUTPUTS_H

#include <stdint.h>

#include <lockstep/model.h>
#include <lockstep/status.h>

/* Returns K: the outputs of a row, or step, as ls_model_meaning() says. The network itself has one
 * output for two classes with bce. */
int ls_model_outputs_count(const ls_model *model);

/* Returns T, the steps of a row's outputs; 1: the task is not by step. */
int64_t ls_model_steps(const ls_model *model);

/* Converts the network's own outputs of rows.
 * first      number of the first row, for messages
 * raw        [rows][T][outputs of the network]
 * y          [rows][T][K] on return as ls_model_meaning() says
 * predicted  [rows][T] on return the class of the largest output; NULL: not wanted
 * Errors: LS_ERR_NUMERIC if an output is not finite. */
ls_status ls_model_convert(const ls_model *model, int64_t first, int64_t rows, const float *raw,
                           float *y, int32_t *predicted) LS_MUST_CHECK;

/* Converts the network's own outputs of a batch to predictions, see ls_predictions: as above; by
 * step y is [rows][T] the probability of each step's class. From a row's length on the classes are
 * -1 and y is 0. Errors: as above. */
ls_status ls_model_predict_batch(const ls_model *model, int64_t first, const ls_batch *batch,
                                 const float *raw, float *y, int32_t *predicted) LS_MUST_CHECK;

/* Returns the numbers of a row's y in predictions: K, by step T. */
static inline int64_t ls_model_prediction_size(const ls_model *model)
{
    const int64_t steps = ls_model_steps(model);
    return steps > 1 ? steps : ls_model_outputs_count(model);
}

#endif
