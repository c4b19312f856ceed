/* Adds rows to a score. */
#ifndef LS_BASE_METRICS_H
#define LS_BASE_METRICS_H

#include <stdint.h>

#include <lockstep/metrics.h>

/* Adds a row of a classification to the score's counts of right rows. Local.
 * y          [classes] the row's outputs
 * predicted  the class of the row's largest output */
void ls_metric_add_row(ls_score *score, int classes, const float *y, int32_t label,
                       int32_t predicted);

#endif
