/* The history of a training: one row for each epoch, in metrics.csv and in checkpoints; and the
 * monitor, the column that early stopping watches. All functions are Local. */
#ifndef LOCKSTEP_METRICS_H
#define LOCKSTEP_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include <lockstep/score.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The columns of a metric, see LS_METRIC_LIST: of the training rows, measured in the steps, and of
 * the validation rows, measured after the epoch. NaN: unknown, no such rows, or too few classes. */
#define LS_METRICS_TRAINING(X, name, NAME, better, tasks, classes, help)   X(name)
#define LS_METRICS_VALIDATION(X, name, NAME, better, tasks, classes, help) X(val_##name)

/* All columns, in the order of metrics.csv. Files name their columns and are read by name. */
/*    column              meaning */
#define LS_METRICS_LIST(X)                                                                         \
    X(epoch) /* from 1 */                                                                          \
    LS_METRIC_FIRST(LS_METRICS_TRAINING, X)                                                        \
    LS_METRIC_FIRST(LS_METRICS_VALIDATION, X)                                                      \
    X(lr)      /* learning rate of the epoch's last step */                                        \
    X(seconds) /* exchange and steps, without validation and checkpoint; slowest rank */           \
    X(samples_per_second) /* training rows / seconds */                                            \
    X(compute_s)          /* gather, forward, backward, optimizer; mean over ranks */              \
    X(communicate_s)      /* reduction not hidden behind computing; mean over ranks */             \
    X(exchange_s)         /* moving samples at the epoch's start; mean over ranks */               \
    X(validation_s)       /* evaluating the validation rows; mean over ranks */                    \
    X(checkpoint_s)       /* saving the checkpoint after the epoch */                              \
    X(slowest_rank)       /* the rank that spent the most time computing */                        \
    LS_METRIC_LATER(LS_METRICS_TRAINING, X)                                                        \
    LS_METRIC_LATER(LS_METRICS_VALIDATION, X)

/* A row; all fields are doubles, so that a history is a table of numbers. */
typedef struct ls_metrics {
#define LS_METRICS_FIELD(name) double name;
    LS_METRICS_LIST(LS_METRICS_FIELD)
#undef LS_METRICS_FIELD
} ls_metrics;

enum { LS_METRICS_COLUMNS = sizeof(ls_metrics) / sizeof(double) };

/* Return the name of a column, from 0, and its value in a row. */
const char *ls_metrics_name(int column);
double ls_metrics_value(const ls_metrics *metrics, int column);

/* Sets the value of a column. */
void ls_metrics_set(ls_metrics *metrics, int column, double value);

/* Finds a column by its name of `length` bytes. Returns LS_METRICS_COLUMNS if there is none. */
int ls_metrics_find(const char *name, size_t length);

/* Returns the column of a metric, of the training rows or the validation rows. */
int ls_metrics_column(ls_metric metric, bool validation);

/* Sets the columns of all metrics, of the training rows or the validation rows.
 * classes  of the data set
 * score    of all ranks' rows; with 0 rows the columns become NaN */
void ls_metrics_set_score(ls_metrics *metrics, bool validation, int classes, const ls_score *score);

/* The columns that can decide early stopping and the best checkpoint: those of the metrics, first
 * of the validation rows.
 *    enumerator    name    one line of help */
#define LS_MONITOR_VALIDATION(X, name, NAME, better, tasks, classes, help)                         \
    X(LS_MONITOR_VAL_##NAME, "val_" #name, help ", of the validation rows")
#define LS_MONITOR_TRAINING(X, name, NAME, better, tasks, classes, help)                           \
    X(LS_MONITOR_##NAME, #name, help ", of the training rows")
#define LS_MONITOR_LIST(X)                                                                         \
    LS_METRIC_LIST(LS_MONITOR_VALIDATION, X) LS_METRIC_LIST(LS_MONITOR_TRAINING, X)

typedef enum ls_monitor {
#define LS_MONITOR_VALUE(value, name, help) value,
    LS_MONITOR_LIST(LS_MONITOR_VALUE)
#undef LS_MONITOR_VALUE
        LS_MONITORS /* their number */
} ls_monitor;

/* Returns the metric of a monitor. */
ls_metric ls_monitor_metric(ls_monitor monitor);

/* Returns true if a monitor is of the validation rows. */
bool ls_monitor_is_validation(ls_monitor monitor);

/* Returns the monitor of the same metric of the training rows. */
ls_monitor ls_monitor_of_training(ls_monitor monitor);

/* Return the name of a monitor's column, and its value in a row. */
const char *ls_monitor_name(ls_monitor monitor);
double ls_monitor_value(ls_monitor monitor, const ls_metrics *metrics);

#ifdef __cplusplus
}
#endif

#endif
