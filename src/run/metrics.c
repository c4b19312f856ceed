#include <lockstep/metrics.h>

#include <assert.h>
#include <stddef.h>
#include <string.h>

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
