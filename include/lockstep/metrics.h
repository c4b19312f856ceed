/* Scores, metrics and the history of a training.
 *
 * A score has sums over rows; scores are added over rows, batches and ranks. A metric is a function
 * of the score of all rows, so metrics are exact on any number of ranks. The history has one row
 * for each epoch, in metrics.csv and in checkpoints; the monitor is the column that early stopping
 * watches. All functions are Local. */
#ifndef LOCKSTEP_METRICS_H
#define LOCKSTEP_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/choice.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The sums of a score.
 *    sum      kind: COUNT, a number of rows; REAL, any number */
#define LS_SUM_LIST(X)                                                                             \
    X(loss, REAL)     /* the rows' losses */                                                       \
    X(correct, COUNT) /* rows whose largest output, of equals the first, is the label's */         \
    X(top5, COUNT)    /* rows whose label is among the five largest outputs */

/* The score of a number of rows. All zeros: the score of no rows. */
typedef struct ls_score {
    int64_t rows;
#define LS_SUM_FIELD(sum, kind) double sum;
    LS_SUM_LIST(LS_SUM_FIELD)
#undef LS_SUM_FIELD
} ls_score;

#define LS_SUM_AT(sum, kind) LS_SUM_AT_##sum,
enum { LS_SUM_LIST(LS_SUM_AT) LS_SUMS /* their number */ };
#undef LS_SUM_AT

/* ls_score_get() copies the sums of a score to an array, in the order of the list; ls_score_set()
 * copies them back. Local. */
static inline void ls_score_get(const ls_score *score, double sums[LS_SUMS])
{
#define LS_SUM_GET(sum, kind) *sums++ = score->sum;
    LS_SUM_LIST(LS_SUM_GET)
#undef LS_SUM_GET
}
static inline void ls_score_set(ls_score *score, const double sums[LS_SUMS])
{
#define LS_SUM_SET(sum, kind) score->sum = *sums++;
    LS_SUM_LIST(LS_SUM_SET)
#undef LS_SUM_SET
}

/* Adds the score of other rows. Local.
 * quantum  REAL sums of `part` are rounded to multiples of the quantum, so that the result does not
 *          depend on the order of addition, see base/exact.h; 0: no rounding */
void ls_score_add(ls_score *score, const ls_score *part, double quantum);

typedef enum ls_better { LS_BETTER_LESS, LS_BETTER_MORE } ls_better;

/* Tasks of networks; a metric is defined for some of them. */
enum { LS_TASK_CLASSIFICATION = 1 };

/* The metrics. Each metric has two columns in ls_metrics: NAME, for training rows, and val_NAME,
 * for validation rows. The columns of the second list come after all others: add new metrics to the
 * second list, so that existing columns keep their places.
 *    name, NAME        better  tasks           classes (minimum)  one line of help
 * M is called with X, another macro or nothing, as its first argument, so that a list can be made
 * of each metric's name: with #define COLUMN(X, name, NAME, better, tasks, classes, help) X(name)
 * LS_METRIC_LIST(COLUMN, X) becomes X(loss) X(accuracy) X(top5). */
#define LS_METRIC_FIRST(M, X)                                                                      \
    M(X, loss, LOSS, LESS, CLASSIFICATION, 2, "mean loss of a row")                                \
    M(X, accuracy, ACCURACY, MORE, CLASSIFICATION, 2,                                              \
      "fraction of the rows whose largest output is the label's")
#define LS_METRIC_LATER(M, X)                                                                      \
    M(X, top5, TOP5, MORE, CLASSIFICATION, 6,                                                      \
      "fraction of the rows whose label is among the five largest outputs")
#define LS_METRIC_LIST(M, X) LS_METRIC_FIRST(M, X) LS_METRIC_LATER(M, X)

typedef enum ls_metric {
#define LS_METRIC_VALUE(X, name, NAME, better, tasks, classes, help) LS_METRIC_##NAME,
    LS_METRIC_LIST(LS_METRIC_VALUE, )
#undef LS_METRIC_VALUE
        LS_METRICS /* their number */
} ls_metric;

/* One metric. */
typedef struct ls_metric_kind {
    const char *name;                        /* name of the column */
    const char *help;                        /* one line */
    ls_better better;                        /* direction of improvement */
    unsigned tasks;                          /* LS_TASK_... for which the metric is defined */
    int classes;                             /* minimum number of classes */
    double (*finish)(const ls_score *score); /* value for the score of one row or more */
} ls_metric_kind;

/* Returns a metric's row of the table. Local. */
const ls_metric_kind *ls_metric_describe(ls_metric metric);

/* Returns the value of a metric; NaN if the score has no rows or the metric needs more classes.
 * Local.
 * classes  number of classes of the data set */
double ls_metric_value(ls_metric metric, int classes, const ls_score *score);

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

/* Direction of improvement of the monitor. */
#define LS_MODE_LIST(X)                                                                            \
    X(LS_MODE_AUTO, "auto", "a loss is minimised, an accuracy maximised")                          \
    X(LS_MODE_MIN, "min", "smaller is better")                                                     \
    X(LS_MODE_MAX, "max", "larger is better")

typedef enum ls_mode { LS_MODE_LIST(LS_CHOICE_ENUM) } ls_mode;

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
