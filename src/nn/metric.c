#include "nn/metric.h"

#include "base/exact.h"

#include <assert.h>

/* The number of classes that rank before the label: those with larger outputs, with equal outputs
 * and a lower class number, or with NaN. */
static int count_before(int classes, const float *y, int32_t label)
{
    int before = 0;
    for (int32_t k = 0; k < classes; k++)
        before += k < label ? !(y[k] < y[label]) : k > label && !(y[k] <= y[label]);
    return before;
}

void ls_metric_add_row(ls_score *score, int classes, const float *y, int32_t label,
                       int32_t predicted)
{
    score->rows++;
    score->correct += predicted == label;
    score->top5 += count_before(classes, y, label) < 5;
}

static double mean_per_row(double sum, const ls_score *score)
{
    return sum / (double)score->rows;
}

static double metric_loss(const ls_score *score)
{
    return mean_per_row(score->loss, score);
}

static double metric_accuracy(const ls_score *score)
{
    return mean_per_row(score->correct, score);
}

static double metric_top5(const ls_score *score)
{
    return mean_per_row(score->top5, score);
}

static const ls_metric_kind kinds[LS_METRICS] = {
#define KIND(X, name, NAME, better, tasks, classes, help)                                          \
    {#name, help, LS_BETTER_##better, LS_TASK_##tasks, classes, metric_##name},
    LS_METRIC_LIST(KIND, )
#undef KIND
};

const ls_metric_kind *ls_metric_describe(ls_metric metric)
{
    assert(metric >= 0 && metric < LS_METRICS);
    return &kinds[metric];
}

double ls_metric_value(ls_metric metric, int classes, const ls_score *score)
{
    const ls_metric_kind *kind = ls_metric_describe(metric);
    return score->rows > 0 && classes >= kind->classes ? kind->finish(score) : NAN;
}

/* A summand, rounded to the quantum if the sum is REAL and the quantum above 0. */
static double quantised_REAL(double part, double quantum)
{
    return quantum > 0 ? ls_exact_round(part, quantum) : part;
}

static double quantised_COUNT(double part, double quantum)
{
    (void)quantum;
    return part;
}

void ls_score_add(ls_score *score, const ls_score *part, double quantum)
{
    score->rows += part->rows;
#define ADD(sum, kind) score->sum += quantised_##kind(part->sum, quantum);
    LS_SUM_LIST(ADD)
#undef ADD
}
