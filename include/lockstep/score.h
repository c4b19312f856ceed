/* Scores: sums over rows; and metrics: functions of a score.
 *
 * Scores are added over rows, batches and ranks; a metric is a function of the score of all rows.
 * So metrics are exact for any number of ranks. */
#ifndef LOCKSTEP_SCORE_H
#define LOCKSTEP_SCORE_H

#include <stdint.h>

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
 * M is called with X, another macro or nothing, as its first argument. */
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

#ifdef __cplusplus
}
#endif

#endif
