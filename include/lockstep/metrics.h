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
 *    sum      kind: REAL, any number; COUNT, a number of rows, or of multiples of one power of two,
 *             whose sums are exact
 * A row is correct if its largest output, of equal ones the first, is the label's; of a binary or
 * multi-label task right outputs are counted. Of a task by step the first sums are of steps that
 * count, those below a row's length, each with the weight of its row. Of a GAN the first sums are
 * the discriminator's, of pairs of a row of the data and a generated one. */
#define LS_SUM_LIST(X)                                                                             \
    X(loss, REAL)           /* the rows' losses, each times the row's weight */                    \
    X(correct, COUNT)       /* rows, or outputs, that are right */                                 \
    X(top5, COUNT)          /* rows whose label is among the five largest outputs */               \
    X(weight, COUNT)        /* the rows' weights; without weights the number of rows */            \
    X(absolute, REAL)       /* regression: mean over the outputs of |error|, see ls_task */        \
    X(squares, REAL)        /* regression: mean over the outputs of error^2 */                     \
    X(steps, COUNT)         /* by step: steps that count; else 0 */                                \
    X(reconstruction, REAL) /* variational: the rows' losses without the divergence */             \
    X(kl, REAL)             /* variational: of the latent variables, in nats */                    \
    X(generator_loss, REAL) /* of a GAN: the generator's losses */                                 \
    X(generated, COUNT)     /* of so many rows */

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

/* Adds the score of other rows. Local. */
void ls_score_add(ls_score *score, const ls_score *part);

/* Adds the score of other rows so that the result does not depend on the order of addition: REAL
 * sums are rounded to multiples of the quantum, and what that leaves, rounded to multiples of the
 * finer quantum, is added to *rest; the sums are those of score and rest together. Local.
 * quanta  [2] of sums, and of at most half of the first each: of rests, see base/exact.h */
void ls_score_add_exact(ls_score *score, ls_score *rest, const ls_score *part,
                        const double quanta[2]);

typedef enum ls_better { LS_BETTER_LESS, LS_BETTER_MORE } ls_better;

/* Tasks of networks, by the loss and the targets, see ls_loss_task(); a metric is defined for some
 * of them.
 *    enumerator                  value  name */
#define LS_TASK_LIST(X)                                                                            \
    X(LS_TASK_CLASSIFICATION, 1, "classification") /* one of the classes */                        \
    X(LS_TASK_BINARY, 2, "binary")                 /* one output: true if it is above 0 */         \
    X(LS_TASK_MULTILABEL, 4, "multi-label")        /* several outputs: each true if above 0 */     \
    X(LS_TASK_REGRESSION, 8, "regression")         /* values */                                    \
    X(LS_TASK_STEPS, 16, "by step")         /* one of the classes in each step of a sequence */    \
    X(LS_TASK_GENERATION, 32, "generation") /* a GAN */
#define LS_TASK_ENUM(enumerator, value, name) enumerator = (value),
enum {
    LS_TASK_LIST(LS_TASK_ENUM) LS_TASK_ONE_OF = LS_TASK_CLASSIFICATION | LS_TASK_STEPS,
    LS_TASK_LABELS = LS_TASK_ONE_OF | LS_TASK_BINARY | LS_TASK_MULTILABEL,
    LS_TASK_ANY = LS_TASK_LABELS | LS_TASK_REGRESSION | LS_TASK_GENERATION,
    LS_TASK_RIGHT = LS_TASK_LABELS | LS_TASK_GENERATION, /* something is right or wrong */
    LS_TASK_OF_TWO = 64, /* also a kind of a classification of two classes, see ls_task_kinds() */
    LS_TASK_RANKED = LS_TASK_BINARY | LS_TASK_OF_TWO, /* rows are true or false, with a score */
    LS_TASK_VARIATIONAL = 128, /* also a kind of a regression: of a variational autoencoder */
    LS_TASK_GENERATED = LS_TASK_GENERATION | LS_TASK_VARIATIONAL /* rows can be generated */
};
#undef LS_TASK_ENUM

/* A task, and what the metrics need to know about its outputs. */
typedef struct ls_task {
    unsigned kind; /* one of LS_TASK_... */
    int outputs;   /* of the network, of each step; of a classification its classes */
    /* Regression: the sums `absolute` and `squares` are of errors in this unit: in the targets'
     * units, an error of 1 there is one of `unit`. */
    double unit;
    bool variational; /* there are latent variables, see ls_network_latent() */
} ls_task;

/* Returns the kinds of a task, a set: its kind; LS_TASK_OF_TWO of a classification of two classes,
 * whose score of a row is the output of class 1 minus that of class 0; LS_TASK_VARIATIONAL. Local.
 */
unsigned ls_task_kinds(const ls_task *task);

/* Returns the name of a kind of task, "regression". Local. */
const char *ls_task_name(unsigned kind);

/* The metrics. A metric has one or two columns in ls_metrics: NAME, for training rows, and
 * val_NAME, for validation rows; those of the last list only val_NAME: they are no functions of a
 * score, the evaluation computes them. The columns of a list come after those of the lists before
 * it: add new metrics to the last two lists, so that existing columns keep their places.
 *    name, NAME        better  tasks           outputs (minimum)  one line of help
 * M is called with X, another macro or nothing, as its first argument, so that a list can be made
 * of each metric's name: with #define COLUMN(X, name, NAME, better, tasks, outputs, help) X(name)
 * LS_METRIC_FIRST(COLUMN, X) becomes X(loss) X(accuracy). */
#define LS_METRIC_FIRST(M, X)                                                                      \
    M(X, loss, LOSS, LESS, ANY, 1,                                                                 \
      "mean loss of a row, or of a step; of a GAN the "                                            \
      "discriminator's")                                                                           \
    M(X, accuracy, ACCURACY, MORE, RIGHT, 1,                                                       \
      "fraction of the rows, or steps, whose largest output is the label's; with bce of right "    \
      "outputs; of a GAN of the discriminator's judgements")
#define LS_METRIC_LATER(M, X)                                                                      \
    M(X, top5, TOP5, MORE, ONE_OF, 6,                                                              \
      "fraction of the rows, or steps, whose label is among the five largest outputs")
#define LS_METRIC_VALUES(M, X)                                                                     \
    M(X, mae, MAE, LESS, REGRESSION, 1, "mean absolute error, in the targets' units")              \
    M(X, rmse, RMSE, LESS, REGRESSION, 1, "root of the mean squared error, in the targets' units") \
    M(X, perplexity, PERPLEXITY, LESS, STEPS, 1, "exp of the mean loss of a step")                 \
    M(X, generator_loss, GENERATOR_LOSS, LESS, GENERATION, 1, "mean loss of the generator")        \
    M(X, reconstruction, RECONSTRUCTION, LESS, VARIATIONAL, 1,                                     \
      "mean loss of a row without the divergence of its latent variables")                         \
    M(X, kl, KL, LESS, VARIATIONAL, 1,                                                             \
      "mean divergence of a row's latent variables from the normal distribution, in nats")         \
    M(X, elbo, ELBO, MORE, VARIATIONAL, 1, "evidence lower bound: minus reconstruction and kl")
#define LS_METRIC_EVALUATED(M, X)                                                                  \
    M(X, balanced_accuracy, BALANCED_ACCURACY, MORE, LABELS, 1,                                    \
      "mean over the classes of the fraction of their rows that is right")                         \
    M(X, macro_f1, MACRO_F1, MORE, LABELS, 1, "mean over the classes of F1")                       \
    M(X, auc, AUC, MORE, RANKED, 1, "two classes: area under the ROC curve")                       \
    M(X, r2, R2, MORE, REGRESSION, 1, "coefficient of determination, mean over the outputs")       \
    M(X, score, SCORE, MORE, GENERATED, 1,                                                         \
      "generated rows by --score: exp of the mean divergence of their classes, 1 to the number")   \
    M(X, frechet, FRECHET, LESS, GENERATED, 1,                                                     \
      "generated rows by --score: Frechet distance of their features from the data's")             \
    M(X, least_class, LEAST_CLASS, MORE, GENERATED, 1,                                             \
      "generated rows by --score: fraction of the rarest class")                                   \
    M(X, nearest, NEAREST, MORE, GENERATED, 1,                                                     \
      "generated rows: mean distance from the nearest training row, over that of the data's")      \
    M(X, active_units, ACTIVE_UNITS, MORE, VARIATIONAL, 1,                                         \
      "latent variables whose mean varies between rows, by a variance above 0.01")
/* Those of training and validation rows, and all. */
#define LS_METRIC_TRAINED(M, X) LS_METRIC_FIRST(M, X) LS_METRIC_LATER(M, X) LS_METRIC_VALUES(M, X)
#define LS_METRIC_LIST(M, X)    LS_METRIC_TRAINED(M, X) LS_METRIC_EVALUATED(M, X)

#define LS_METRIC_VALUE(X, name, NAME, better, tasks, outputs, help) LS_METRIC_##NAME,
typedef enum ls_metric {
    LS_METRIC_LIST(LS_METRIC_VALUE, ) LS_METRICS,    /* their number */
    LS_METRICS_TRAINED = LS_METRIC_BALANCED_ACCURACY /* the first of LS_METRIC_EVALUATED */
} ls_metric;
#undef LS_METRIC_VALUE

/* One metric. */
typedef struct ls_metric_kind {
    const char *name; /* name of the column */
    const char *help; /* one line */
    ls_better better; /* direction of improvement */
    unsigned tasks;   /* LS_TASK_... for which the metric is defined */
    int outputs;      /* minimum number of outputs */
    /* value for the score of one row or more; NULL: only the evaluation computes it */
    double (*finish)(const ls_score *score, const ls_task *task);
} ls_metric_kind;

/* Returns a metric's row of the table. Local. */
const ls_metric_kind *ls_metric_describe(ls_metric metric);

/* Returns true if a metric is defined for a task. Local. */
bool ls_metric_applies(ls_metric metric, const ls_task *task);

/* Returns the value of a metric; NaN if the score has no rows, the metric is not defined for the
 * task, or it is no function of a score. Local. */
double ls_metric_value(ls_metric metric, const ls_task *task, const ls_score *score);

/* The columns of a metric, see LS_METRIC_LIST: of the training rows, measured in the steps, and of
 * the validation rows, measured after the epoch. NaN: unknown, no such rows, or not defined for the
 * task. */
#define LS_METRICS_TRAINING(X, name, NAME, better, tasks, outputs, help)   X(name)
#define LS_METRICS_VALIDATION(X, name, NAME, better, tasks, outputs, help) X(val_##name)

/* All columns, in the order of metrics.csv, which has those of the run's task. Files name their
 * columns and are read by name. */
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
    LS_METRIC_LATER(LS_METRICS_VALIDATION, X)                                                      \
    LS_METRIC_VALUES(LS_METRICS_TRAINING, X)                                                       \
    LS_METRIC_VALUES(LS_METRICS_VALIDATION, X)                                                     \
    LS_METRIC_EVALUATED(LS_METRICS_VALIDATION, X)

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

/* Returns the column of a metric, of the training rows or the validation rows;
 * LS_METRICS_COLUMNS if there is none. */
int ls_metrics_column(ls_metric metric, bool validation);

/* Returns true if a column belongs to a task: it is of no metric, or of one that is defined for the
 * task, with any number of outputs.
 * kinds  LS_TASK_..., of ls_task_kinds() */
bool ls_metrics_has(int column, unsigned kinds);

/* Sets the columns of all metrics that are functions of a score, of the training rows or the
 * validation rows.
 * score  of all ranks' rows; with 0 rows the columns become NaN */
void ls_metrics_set_score(ls_metrics *metrics, bool validation, const ls_task *task,
                          const ls_score *score);

/* Sets the columns of all metrics, of the validation rows.
 * values  [LS_METRICS] */
void ls_metrics_set_values(ls_metrics *metrics, const double *values);

/* The columns that can decide early stopping and the best checkpoint: those of the metrics, first
 * of the validation rows, the number of the epoch, and the choice of one of them by the task.
 *    enumerator    name    one line of help */
#define LS_MONITOR_VALIDATION(X, name, NAME, better, tasks, outputs, help)                         \
    X(LS_MONITOR_VAL_##NAME, "val_" #name, help ", of the validation rows")
#define LS_MONITOR_TRAINING(X, name, NAME, better, tasks, outputs, help)                           \
    X(LS_MONITOR_##NAME, #name, help ", of the training rows")
#define LS_MONITOR_LIST(X)                                                                         \
    LS_METRIC_LIST(LS_MONITOR_VALIDATION, X)                                                       \
    LS_METRIC_TRAINED(LS_MONITOR_TRAINING, X)                                                      \
    X(LS_MONITOR_EPOCH, "epoch", "number of the epoch: the latest is the best")                    \
    X(LS_MONITOR_AUTO, "auto", "val_loss; of a GAN val_score with --score, else epoch")

typedef enum ls_monitor {
#define LS_MONITOR_VALUE(value, name, help) value,
    LS_MONITOR_LIST(LS_MONITOR_VALUE)
#undef LS_MONITOR_VALUE
        LS_MONITORS /* their number */
} ls_monitor;

/* Direction of improvement of the monitor. */
#define LS_MODE_LIST(X)                                                                            \
    X(LS_MODE_AUTO, "auto", "a loss or an error is minimised, the others maximised")               \
    X(LS_MODE_MIN, "min", "smaller is better")                                                     \
    X(LS_MODE_MAX, "max", "larger is better")

typedef enum ls_mode { LS_MODE_LIST(LS_CHOICE_ENUM) } ls_mode;

/* The monitor of these functions is a column, not LS_MONITOR_AUTO. Returns the metric of a monitor;
 * LS_METRICS of LS_MONITOR_EPOCH. */
ls_metric ls_monitor_metric(ls_monitor monitor);

/* Returns the direction of improvement of a monitor. */
ls_better ls_monitor_better(ls_monitor monitor);

/* Returns true if a monitor is of the validation rows. */
bool ls_monitor_is_validation(ls_monitor monitor);

/* Returns the monitor of the same metric of the training rows; LS_MONITORS if there is none. */
ls_monitor ls_monitor_of_training(ls_monitor monitor);

/* Return the name of a monitor's column, and its value in a row. */
const char *ls_monitor_name(ls_monitor monitor);
double ls_monitor_value(ls_monitor monitor, const ls_metrics *metrics);

#ifdef __cplusplus
}
#endif

#endif
