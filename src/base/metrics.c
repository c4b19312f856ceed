#include "base/metrics.h"

#include "base/exact.h"

#include <assert.h>
#include <math.h>
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
    score->correct += predicted == label;
    score->top5 += count_before(classes, y, label) < 5;
}

/* Returns the mean of a sum over the rows; of a task by step over the steps that count. */
static double mean_of(double sum, const ls_score *score, const ls_task *task)
{
    return sum / (task->kind == LS_TASK_STEPS ? score->steps : (double)score->rows);
}

static double metric_loss(const ls_score *score, const ls_task *task)
{
    (void)task;
    return score->weight > 0 ? score->loss / score->weight : score->loss;
}

static double metric_accuracy(const ls_score *score, const ls_task *task)
{
    const int decisions = task->kind == LS_TASK_MULTILABEL   ? task->outputs
                          : task->kind == LS_TASK_GENERATION ? 2
                                                             : 1;
    return mean_of(score->correct, score, task) / decisions;
}

static double metric_top5(const ls_score *score, const ls_task *task)
{
    return mean_of(score->top5, score, task);
}

static double metric_mae(const ls_score *score, const ls_task *task)
{
    return mean_of(score->absolute, score, task) * task->unit;
}

static double metric_rmse(const ls_score *score, const ls_task *task)
{
    return sqrt(mean_of(score->squares, score, task)) * task->unit;
}

static double metric_perplexity(const ls_score *score, const ls_task *task)
{
    return exp(metric_loss(score, task));
}

static double metric_generator_loss(const ls_score *score, const ls_task *task)
{
    (void)task;
    return score->generated > 0 ? score->generator_loss / score->generated : NAN;
}

static double metric_reconstruction(const ls_score *score, const ls_task *task)
{
    (void)task;
    return score->weight > 0 ? score->reconstruction / score->weight : score->reconstruction;
}

static double metric_kl(const ls_score *score, const ls_task *task)
{
    (void)task;
    return score->weight > 0 ? score->kl / score->weight : score->kl;
}

static double metric_elbo(const ls_score *score, const ls_task *task)
{
    return -(metric_reconstruction(score, task) + metric_kl(score, task));
}

static const ls_metric_kind kinds[LS_METRICS] = {
#define KIND(X, name, NAME, better, tasks, outputs, help)                                          \
    {#name, help, LS_BETTER_##better, LS_TASK_##tasks, outputs, metric_##name},
    LS_METRIC_TRAINED(KIND, )
#undef KIND
#define KIND(X, name, NAME, better, tasks, outputs, help)                                          \
    {#name, help, LS_BETTER_##better, LS_TASK_##tasks, outputs, NULL},
        LS_METRIC_EVALUATED(KIND, )
#undef KIND
};

unsigned ls_task_kinds(const ls_task *task)
{
    const bool two = task->kind == LS_TASK_CLASSIFICATION && task->outputs == 2;
    return task->kind | (two ? LS_TASK_OF_TWO : 0) |
           (task->variational ? (unsigned)LS_TASK_VARIATIONAL : 0);
}

const char *ls_task_name(unsigned kind)
{
#define NAME(enumerator, value, name)                                                              \
    if (kind == (value))                                                                           \
        return name;
    LS_TASK_LIST(NAME)
#undef NAME
    assert(!"an unknown task");
    return "";
}

const ls_metric_kind *ls_metric_describe(ls_metric metric)
{
    assert(metric >= 0 && metric < LS_METRICS);
    return &kinds[metric];
}

bool ls_metric_applies(ls_metric metric, const ls_task *task)
{
    const ls_metric_kind *kind = ls_metric_describe(metric);
    return (kind->tasks & ls_task_kinds(task)) != 0 && task->outputs >= kind->outputs;
}

double ls_metric_value(ls_metric metric, const ls_task *task, const ls_score *score)
{
    const ls_metric_kind *kind = ls_metric_describe(metric);
    return score->rows > 0 && kind->finish != NULL && ls_metric_applies(metric, task)
               ? kind->finish(score, task)
               : NAN;
}

void ls_score_add(ls_score *score, const ls_score *part)
{
    score->rows += part->rows;
#define ADD(sum, kind) score->sum += part->sum;
    LS_SUM_LIST(ADD)
#undef ADD
}

/* Adds a summand in two multiples of quanta. NaN and infinite numbers leave no rest. */
static void add_REAL(double *sum, double *rest, double part, const double quanta[2])
{
    const double rounded = ls_exact_round(part, quanta[0]), left = part - rounded;
    *sum += rounded;
    *rest += isfinite(left) ? ls_exact_round(left, quanta[1]) : 0;
}

static void add_COUNT(double *sum, double *rest, double part, const double quanta[2])
{
    (void)rest;
    (void)quanta;
    *sum += part;
}

void ls_score_add_exact(ls_score *score, ls_score *rest, const ls_score *part,
                        const double quanta[2])
{
    score->rows += part->rows;
#define ADD(sum, kind) add_##kind(&score->sum, &rest->sum, part->sum, quanta);
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
    static const size_t offset[2][LS_METRICS] = {
#define OFFSET(X, name, NAME, better, tasks, outputs, help) offsetof(ls_metrics, name),
        {LS_METRIC_TRAINED(OFFSET, )},
#undef OFFSET
#define OFFSET(X, name, NAME, better, tasks, outputs, help) offsetof(ls_metrics, val_##name),
        {LS_METRIC_LIST(OFFSET, )}
#undef OFFSET
    };
    assert(metric >= 0 && metric < LS_METRICS);
    return validation || metric < LS_METRICS_TRAINED
               ? (int)(offset[validation][metric] / sizeof(double))
               : (int)LS_METRICS_COLUMNS;
}

bool ls_metrics_has(int column, unsigned kinds_of_task)
{
    for (int m = 0; m < LS_METRICS; m++)
        if (column == ls_metrics_column((ls_metric)m, false) ||
            column == ls_metrics_column((ls_metric)m, true))
            return (ls_metric_describe((ls_metric)m)->tasks & kinds_of_task) != 0;
    return true;
}

void ls_metrics_set_score(ls_metrics *metrics, bool validation, const ls_task *task,
                          const ls_score *score)
{
    for (int m = 0; m < LS_METRICS_TRAINED; m++)
        ls_metrics_set(metrics, ls_metrics_column((ls_metric)m, validation),
                       ls_metric_value((ls_metric)m, task, score));
}

void ls_metrics_set_values(ls_metrics *metrics, const double *values)
{
    for (int m = 0; m < LS_METRICS; m++)
        ls_metrics_set(metrics, ls_metrics_column((ls_metric)m, true), values[m]);
}

ls_metric ls_monitor_metric(ls_monitor monitor)
{
    assert(monitor != LS_MONITOR_AUTO);
    return monitor == LS_MONITOR_EPOCH ? LS_METRICS : (ls_metric)(monitor % LS_METRICS);
}

ls_better ls_monitor_better(ls_monitor monitor)
{
    return monitor == LS_MONITOR_EPOCH ? LS_BETTER_MORE
                                       : ls_metric_describe(ls_monitor_metric(monitor))->better;
}

bool ls_monitor_is_validation(ls_monitor monitor)
{
    return (int)monitor < (int)LS_METRICS;
}

ls_monitor ls_monitor_of_training(ls_monitor monitor)
{
    const ls_metric metric = ls_monitor_metric(monitor);
    if (monitor == LS_MONITOR_EPOCH)
        return monitor;
    return metric < LS_METRICS_TRAINED ? (ls_monitor)(LS_METRICS + (int)metric) : LS_MONITORS;
}

static int monitor_column(ls_monitor monitor)
{
    if (monitor == LS_MONITOR_EPOCH)
        return 0;
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
