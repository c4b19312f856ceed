/* The sums of a score, row by row. */
#ifndef LS_NN_METRIC_H
#define LS_NN_METRIC_H

#include <stdint.h>

#include <lockstep/score.h>

/* Adds a row to a score, but for its loss, which is the loss function's to add. Local.
 * y          [classes] the row's outputs
 * predicted  the class of the largest of them */
void ls_metric_add_row(ls_score *score, int classes, const float *y, int32_t label,
                       int32_t predicted);

#endif
