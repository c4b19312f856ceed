#include "cli/metric_text.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>

/* Digits that are written: of a fraction, after the point; of other numbers, all of them. */
enum { OF_FRACTION = 4, OF_LOSS = 5, OF_ERROR = 6 };

static ls_words any_magnitude(double value, int digits)
{
    ls_words words;
    snprintf(words.text, sizeof words.text, "%.*g", digits, ls_plain_number(value));
    return words;
}

/* Returns true for the terms of a variational autoencoder's loss. */
static bool is_term(ls_metric metric)
{
    return metric == LS_METRIC_RECONSTRUCTION || metric == LS_METRIC_KL || metric == LS_METRIC_ELBO;
}

ls_words ls_metric_text(ls_metric metric, unsigned task, double value)
{
    const double large = 1e4; /* as an R2 far below 0 can be */
    ls_words words;
    if (metric == LS_METRIC_PERPLEXITY || metric == LS_METRIC_ACTIVE_UNITS || is_term(metric))
        return any_magnitude(value, OF_LOSS);
    if (metric == LS_METRIC_MAE || metric == LS_METRIC_RMSE)
        return any_magnitude(value, OF_ERROR);
    if ((metric == LS_METRIC_LOSS && task == LS_TASK_REGRESSION) || fabs(value) >= large)
        return any_magnitude(value, OF_LOSS);
    snprintf(words.text, sizeof words.text, "%.*f", OF_FRACTION, ls_plain_number(value));
    return words;
}

ls_words ls_column_text(int column, unsigned task, double value)
{
    for (int m = 0; m < LS_METRICS; m++)
        if (column == ls_metrics_column((ls_metric)m, false) ||
            column == ls_metrics_column((ls_metric)m, true))
            return ls_metric_text((ls_metric)m, task, value);
    return any_magnitude(value, OF_LOSS);
}
