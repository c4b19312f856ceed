/* Values of metrics as texts for people. All functions are Local. */
#ifndef LS_CLI_METRIC_TEXT_H
#define LS_CLI_METRIC_TEXT_H

#include <lockstep/metrics.h>

#include "base/show.h"

/* Returns the value of a metric: fractions with four digits behind the point, 0.9812; errors, which
 * are of any magnitude, with six digits, 12345.6; losses of a regression with five, else as
 * fractions.
 * task  LS_TASK_... */
ls_words ls_metric_text(ls_metric metric, unsigned task, double value);

/* Returns the value of a column of the history, see ls_metrics_find(), in the same way. */
ls_words ls_column_text(int column, unsigned task, double value);

#endif
