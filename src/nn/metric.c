#include "nn/metric.h"

#include "base/exact.h"

#include <assert.h>

/* The number of classes whose outputs come before the label's: larger ones and, of equals, those of
 * lower classes; NaN comes before all. */
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

static double mean(double sum, const ls_score *score)
{
    return sum / (double)score->rows;
}

static double loss(const ls_score *score)
{
    return mean(score->loss, score);
}

static double accuracy(const ls_score *score)
{
    return mean(score->correct, score);
}

static double top5(const ls_score *score)
{
    return mean(score->top5, score);
}

static const ls_metric_kind kinds[LS_METRICS] = {
#define KIND(X, name, NAME, better, tasks, classes, help)                                          \
    {#name, help, LS_BETTER_##better, LS_TASK_##tasks, classes, name},
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

/* A part of a sum, by the kind of the sum. */
static double part_of_REAL(double part, double quantum)
{
    return quantum > 0 ? ls_exact_round(part, quantum) : part;
}

static double part_of_COUNT(double part, double quantum)
{
    (void)quantum;
    return part;
}

void ls_score_add(ls_score *score, const ls_score *part, double quantum)
{
    score->rows += part->rows;
#define ADD(sum, kind) score->sum += part_of_##kind(part->sum, quantum);
    LS_SUM_LIST(ADD)
#undef ADD
}
