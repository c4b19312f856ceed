/* K: outputs; t: targets, y: outputs of a row. */
#include "train/tally.h"

#include "base/exact.h"
#include "base/integer.h"
#include "base/memory.h"
#include "nn/loss.h"
#include "parallel/collectives.h"
#include "train/ranking.h"

#include <math.h>
#include <string.h>

/* Counts of rows, or steps, by class; of a multi-label task of each output's true rows. */
typedef struct counts {
    int64_t support, predicted, right;
} counts;

/* Sums of an output of a regression. The targets are measured from `origin`, one of them: the sum
 * of squares of large targets that hardly differ would lose all its digits. */
enum { ERROR, ERROR_SQUARE, TARGET, TARGET_SQUARE, ERROR_SUMS };

/* A sum in exact parts. */
typedef double exact_sum[LS_EXACT_PARTS];

struct ls_tally {
    const ls_network *network; /* borrowed */
    ls_task task;
    int64_t rows;
    exact_sum score[LS_SUMS];
    int classes;
    counts *of_class;                /* [classes] */
    exact_sum (*errors)[ERROR_SUMS]; /* [K] of a regression */
    double *origin;                  /* [K] of a regression */
    int64_t latent;                  /* variables of a variational autoencoder; else 0 */
    exact_sum (*means)[2];           /* [latent] of their means, and of the means' squares */
    ls_ranking *ranking;             /* of rows that are true or false; or NULL */
};

/* Returns the number of classes that are counted. */
static int classes_of(const ls_task *task)
{
    return task->kind == LS_TASK_REGRESSION ? 0 : task->kind == LS_TASK_BINARY ? 2 : task->outputs;
}

static ls_status allocate(ls_tally *t, int64_t rows)
{
    const int errors = t->task.kind == LS_TASK_REGRESSION ? t->task.outputs : 0;
    t->of_class = ls_alloc(t->classes, sizeof *t->of_class);
    t->errors = ls_alloc(errors, sizeof *t->errors);
    t->origin = ls_alloc(errors, sizeof *t->origin);
    t->means = ls_alloc(t->latent, sizeof *t->means);
    if (t->of_class == NULL || t->errors == NULL || t->origin == NULL || t->means == NULL)
        return LS_ERR_FAILURE;
    return (ls_task_kinds(&t->task) & LS_TASK_RANKED) != 0 ? ls_ranking_create(&t->ranking, rows)
                                                           : LS_OK;
}

ls_status ls_tally_create(ls_tally **out, const ls_network *network, int64_t values, int64_t rows)
{
    ls_tally *t = ls_alloc(1, sizeof *t);
    if (t == NULL)
        return LS_ERR_FAILURE;
    t->network = network;
    t->task = ls_network_task(network, values);
    t->classes = classes_of(&t->task);
    t->latent = ls_network_latent(network);
    const ls_status status = allocate(t, rows);
    if (status == LS_OK)
        *out = t;
    else
        ls_tally_destroy(&t);
    return status;
}

void ls_tally_destroy(ls_tally **tally)
{
    if (tally == NULL || *tally == NULL)
        return;
    ls_free((*tally)->of_class);
    ls_free((*tally)->errors);
    ls_free((*tally)->origin);
    ls_free((*tally)->means);
    ls_ranking_destroy(&(*tally)->ranking);
    ls_free(*tally);
    *tally = NULL;
}

void ls_tally_share_origin(ls_tally *t, ls_comm *comm, const ls_batch *batch)
{
    const int K = t->task.outputs;
    if (t->task.kind != LS_TASK_REGRESSION)
        return;
    for (int k = 0; k < K && batch->rows > 0; k++)
        t->origin[k] = (double)batch->targets[k];
    ls_broadcast(comm, t->origin, (size_t)K * sizeof *t->origin);
}

/* Adds a number; NaN and Inf, which have no exact parts, stay what they are. */
static void add_exact(double *sum, double x)
{
    if (isfinite(x))
        ls_exact_add(x, sum, 1);
    else
        sum[0] += x;
}

static double total_of(const double *sum)
{
    return isfinite(sum[0]) ? ls_exact_total(sum, 1) : sum[0];
}

static void add_score(ls_tally *t, const ls_score *score)
{
    double sums[LS_SUMS];
    ls_score_get(score, sums);
    t->rows += score->rows;
    for (int i = 0; i < LS_SUMS; i++)
        add_exact(t->score[i], sums[i]);
}

static void add_class(ls_tally *t, int32_t label, int32_t predicted)
{
    t->of_class[label].support++;
    t->of_class[predicted].predicted++;
    t->of_class[label].right += label == predicted;
}

static void add_labels(ls_tally *t, const ls_batch *batch, const float *y, const int32_t *predicted)
{
    for (int64_t i = 0; i < batch->rows; i++)
        add_class(t, batch->labels[i], predicted[i]);
    for (int64_t i = 0; t->ranking != NULL && i < batch->rows; i++)
        ls_ranking_add(t->ranking, y[2 * i + 1] - y[2 * i], batch->labels[i] == 1);
}

static void add_steps(ls_tally *t, const ls_batch *batch, const int32_t *predicted)
{
    const int64_t T = batch->values;
    for (int64_t i = 0; i < batch->rows * T; i++)
        if (predicted[i] >= 0)
            add_class(t, (int32_t)batch->targets[i], predicted[i]);
}

static void add_binary(ls_tally *t, const ls_batch *batch, const float *y, const int32_t *predicted)
{
    for (int64_t i = 0; i < batch->rows; i++) {
        const bool truth = batch->values > 0 ? batch->targets[i] > 0.5f : batch->labels[i] == 1;
        add_class(t, truth, predicted[i]);
        ls_ranking_add(t->ranking, y[i], truth);
    }
}

static void add_decisions(ls_tally *t, const ls_batch *batch, const float *y)
{
    const int64_t K = t->task.outputs;
    for (int64_t i = 0; i < batch->rows * K; i++) {
        const bool truth = batch->targets[i] > 0.5f, predicted = y[i] > 0;
        counts *c = &t->of_class[i % K];
        c->support += truth;
        c->predicted += predicted;
        c->right += truth && predicted;
    }
}

/* The sums of a batch are in the order of its rows: they are the same on any rank. */
static void add_errors(ls_tally *t, const ls_batch *batch, const float *y)
{
    const int K = t->task.outputs;
    const ls_loss loss = ls_network_loss_kind(t->network);
    for (int k = 0; k < K; k++) {
        double sum[ERROR_SUMS] = {0};
        for (int64_t i = 0; i < batch->rows; i++) {
            const double target = (double)batch->targets[i * K + k];
            const double error = ls_loss_value(loss, y[i * K + k]) - target,
                         above = target - t->origin[k];
            sum[ERROR] += fabs(error);
            sum[ERROR_SQUARE] += error * error;
            sum[TARGET] += above;
            sum[TARGET_SQUARE] += above * above;
        }
        for (int s = 0; s < ERROR_SUMS; s++)
            add_exact(t->errors[k][s], sum[s]);
    }
}

/* Adds the means of the latent variables. */
static void add_means(ls_tally *t, const ls_batch *batch)
{
    int64_t stride = 0;
    const float *means = t->latent > 0 ? ls_network_latent_means(t->network, &stride) : NULL;
    for (int64_t k = 0; k < t->latent; k++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < batch->rows; i++) {
            const double mean = (double)means[i * stride + k];
            sum += mean;
            squares += mean * mean;
        }
        add_exact(t->means[k][0], sum);
        add_exact(t->means[k][1], squares);
    }
}

void ls_tally_add(ls_tally *t, const ls_score *score, const ls_batch *batch, const float *y,
                  const int32_t *predicted)
{
    add_score(t, score);
    switch (t->task.kind) {
    case LS_TASK_CLASSIFICATION:
        add_labels(t, batch, y, predicted);
        break;
    case LS_TASK_STEPS:
        add_steps(t, batch, predicted);
        break;
    case LS_TASK_BINARY:
        add_binary(t, batch, y, predicted);
        break;
    case LS_TASK_MULTILABEL:
        add_decisions(t, batch, y);
        break;
    default:
        add_errors(t, batch, y);
        break;
    }
    add_means(t, batch);
}

void ls_tally_sum(ls_tally *t, ls_comm *comm)
{
    const int64_t errors = t->errors != NULL && t->task.kind == LS_TASK_REGRESSION
                               ? (int64_t)t->task.outputs * ERROR_SUMS * LS_EXACT_PARTS
                               : 0;
    ls_allreduce_integers(comm, &t->rows, 1);
    ls_allreduce_doubles(comm, t->score[0], LS_SUMS * LS_EXACT_PARTS);
    if (t->classes > 0)
        ls_allreduce_integers(comm, &t->of_class->support, ls_int(3 * (int64_t)t->classes));
    if (errors > 0)
        ls_allreduce_doubles(comm, t->errors[0][0], ls_int(errors));
    if (t->latent > 0)
        ls_allreduce_doubles(comm, t->means[0][0], ls_int(t->latent * 2 * LS_EXACT_PARTS));
    if (t->ranking != NULL)
        ls_ranking_sum(t->ranking, comm);
}

ls_score ls_tally_score(const ls_tally *t)
{
    ls_score score = {.rows = t->rows};
    double sums[LS_SUMS];
    for (int i = 0; i < LS_SUMS; i++)
        sums[i] = total_of(t->score[i]);
    ls_score_set(&score, sums);
    return score;
}

/* Returns part / whole; 0 of nothing. */
static double fraction(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Returns the mean of F1 = 2 right / (support + predicted) over the classes that any row belongs to
 * or is classified as; of a multi-label task over all outputs. */
static double macro_f1(const ls_tally *t)
{
    double sum = 0, present = 0;
    for (int k = 0; k < t->classes; k++) {
        const counts *c = &t->of_class[k];
        const double rows = (double)(c->support + c->predicted);
        sum += fraction(2 * (double)c->right, rows);
        present += rows > 0 || t->task.kind == LS_TASK_MULTILABEL;
    }
    return fraction(sum, present);
}

/* Returns the mean over the true and the false rows of the fraction that is right; one of the two
 * if an output has no others. */
static double balanced_output(const counts *c, int64_t rows)
{
    const double of_true = fraction((double)c->right, (double)c->support);
    const double negatives = (double)(rows - c->support);
    const double of_false =
        fraction((double)(rows - c->support - c->predicted + c->right), negatives);
    return (of_true + of_false) / (c->support > 0 && negatives > 0 ? 2 : 1);
}

/* Returns the mean over the classes that have rows of the fraction that is right; of a multi-label
 * task the mean over the outputs. */
static double balanced_accuracy(const ls_tally *t)
{
    double sum = 0, present = 0;
    for (int k = 0; k < t->classes; k++) {
        const counts *c = &t->of_class[k];
        const bool several = t->task.kind == LS_TASK_MULTILABEL;
        sum +=
            several ? balanced_output(c, t->rows) : fraction((double)c->right, (double)c->support);
        present += several || c->support > 0;
    }
    return fraction(sum, present);
}

/* Returns 1 - errors / spread; NaN of one row. Where all targets are equal, 1 if they are met, else
 * 0. */
static double finish_r2(const ls_tally *t, double errors, double spread)
{
    if (t->rows < 2)
        return NAN;
    return spread > 0 ? 1 - errors / spread : errors == 0 ? 1 : isnan(errors) ? NAN : 0;
}

/* Returns sum (t - mean t)^2 of an output. */
static double spread_of(const ls_tally *t, int k)
{
    const double above = total_of(t->errors[k][TARGET]);
    return total_of(t->errors[k][TARGET_SQUARE]) - above * above / (double)t->rows;
}

static double r2_of(const ls_tally *t, int k)
{
    return finish_r2(t, total_of(t->errors[k][ERROR_SQUARE]), spread_of(t, k));
}

/* Returns R2 of all outputs together: that of a pixel that hardly differs between rows means
 * nothing. */
static double joint_r2(const ls_tally *t)
{
    double errors = 0, spread = 0;
    for (int k = 0; k < t->task.outputs; k++) {
        errors += total_of(t->errors[k][ERROR_SQUARE]);
        spread += fmax(spread_of(t, k), 0);
    }
    return finish_r2(t, errors, spread);
}

static double mean_r2(const ls_tally *t)
{
    double sum = 0;
    for (int k = 0; k < t->task.outputs; k++)
        sum += r2_of(t, k);
    return sum / t->task.outputs;
}

/* Returns the number of latent variables whose mean varies by more than 0.01 (Burda, Grosse,
 * Salakhutdinov: Importance weighted autoencoders, 2015). */
static double active_units(const ls_tally *t)
{
    double active = 0;
    for (int64_t k = 0; k < t->latent; k++) {
        const double mean = total_of(t->means[k][0]) / (double)t->rows;
        active += total_of(t->means[k][1]) / (double)t->rows - mean * mean > 0.01;
    }
    return active;
}

double ls_tally_metric(const ls_tally *t, ls_metric metric)
{
    const ls_score score = ls_tally_score(t);
    if (metric < LS_METRICS_TRAINED)
        return ls_metric_value(metric, &t->task, &score);
    if (t->rows == 0 || !ls_metric_applies(metric, &t->task))
        return NAN;
    switch (metric) {
    case LS_METRIC_BALANCED_ACCURACY:
        return balanced_accuracy(t);
    case LS_METRIC_MACRO_F1:
        return macro_f1(t);
    case LS_METRIC_AUC:
        return ls_ranking_auc(t->ranking);
    case LS_METRIC_ACTIVE_UNITS:
        return active_units(t);
    case LS_METRIC_SCORE:
    case LS_METRIC_FRECHET:
    case LS_METRIC_LEAST_CLASS:
    case LS_METRIC_NEAREST:
        return NAN; /* of generated rows */
    default:
        return ls_network_reconstructs(t->network) ? joint_r2(t) : mean_r2(t);
    }
}

ls_output_score ls_tally_output(const ls_tally *t, int k)
{
    const double scale = ls_network_target_scale(t->network, k), rows = (double)t->rows;
    return (ls_output_score){.mae = scale * total_of(t->errors[k][ERROR]) / rows,
                             .rmse = scale * sqrt(total_of(t->errors[k][ERROR_SQUARE]) / rows),
                             .r2 = r2_of(t, k)};
}

ls_class_score ls_tally_label(const ls_tally *t, int k)
{
    const counts *c = &t->of_class[k];
    const double right = (double)c->right;
    return (ls_class_score){.support = c->support,
                            .precision = fraction(right, (double)c->predicted),
                            .recall = fraction(right, (double)c->support),
                            .f1 = fraction(2 * right, (double)(c->support + c->predicted))};
}
