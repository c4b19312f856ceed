/* What a network's outputs mean: its values become probabilities, or values in the targets' units.
 * All functions are Local. */
#ifndef LS_TRAIN_MODEL_OUTPUTS_H
#define LS_TRAIN_MODEL_OUTPUTS_H

#include <stdint.h>

#include <lockstep/model.h>
#include <lockstep/status.h>

/* Returns K: the outputs of a row as ls_model_meaning() says. The network itself has one output for
 * two classes with bce. */
int ls_model_outputs_count(const ls_model *model);

/* Converts the network's own outputs of rows.
 * first      number of the first row, for messages
 * raw        [rows][outputs of the network]
 * y          [rows][K] on return as ls_model_meaning() says
 * predicted  [rows] on return the class of the largest output; NULL: not wanted
 * Errors: LS_ERR_NUMERIC if an output is not finite. */
ls_status ls_model_convert(const ls_model *model, int64_t first, int64_t rows, const float *raw,
                           float *y, int32_t *predicted) LS_MUST_CHECK;

#endif
