#include "nn/metric.h"

#include "base/exact.h"

#include <assert.h>

void ls_metric_add_row(ls_score *score, int classes, const float *y, int32_t label,
                       int32_t predicted)
{
    (void)classes;
    (void)y;
    score->rows++;
    score->correct += predicted == label;
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
