#include "base/metrics.h"

#include "base/exact.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

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

static const char *const names[LS_METRICS_COLUMNS] = {
#define NAME(name) #name,
    LS_METRICS_LIST(NAME)
#undef NAME
};

const char *ls_metrics_name(int column)
{
    assert(column >= 0 && column < LS_METRICS_COLUMNS);
    return names[column];
}

double ls_metrics_value(const ls_metrics *metrics, int column)
{
    assert(column >= 0 && column < LS_METRICS_COLUMNS);
    return ((const double *)(const void *)metrics)[column];
}

void ls_metrics_set(ls_metrics *metrics, int column, double value)
{
    assert(column >= 0 && column < LS_METRICS_COLUMNS);
    ((double *)(void *)metrics)[column] = value;
}

int ls_metrics_find(const char *name, size_t length)
{
    int column = 0;
    while (column < LS_METRICS_COLUMNS &&
           (strlen(names[column]) != length || memcmp(names[column], name, length) != 0))
        column++;
    return column;
}

int ls_metrics_column(ls_metric metric, bool validation)
{
    static const size_t offset[LS_METRICS][2] = {
#define OFFSETS(X, name, NAME, better, tasks, classes, help)                                       \
    {offsetof(ls_metrics, name), offsetof(ls_metrics, val_##name)},
        LS_METRIC_LIST(OFFSETS, )
#undef OFFSETS
    };
    assert(metric >= 0 && metric < LS_METRICS);
    return (int)(offset[metric][validation] / sizeof(double));
}

void ls_metrics_set_score(ls_metrics *metrics, bool validation, int classes, const ls_score *score)
{
    for (int m = 0; m < LS_METRICS; m++)
        ls_metrics_set(metrics, ls_metrics_column((ls_metric)m, validation),
                       ls_metric_value((ls_metric)m, classes, score));
}

ls_metric ls_monitor_metric(ls_monitor monitor)
{
    return (ls_metric)(monitor % LS_METRICS);
}

bool ls_monitor_is_validation(ls_monitor monitor)
{
    return (int)monitor < (int)LS_METRICS;
}

ls_monitor ls_monitor_of_training(ls_monitor monitor)
{
    return (ls_monitor)(LS_METRICS + (int)ls_monitor_metric(monitor));
}

static int monitor_column(ls_monitor monitor)
{
    return ls_metrics_column(ls_monitor_metric(monitor), ls_monitor_is_validation(monitor));
}

const char *ls_monitor_name(ls_monitor monitor)
{
    return ls_metrics_name(monitor_column(monitor));
}

double ls_monitor_value(ls_monitor monitor, const ls_metrics *metrics)
{
    return ls_metrics_value(metrics, monitor_column(monitor));
}
