#include "train/scoring.h"

#include "parallel/collectives.h"
#include "base/dispatch.h"
#include "base/exact.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "nn/frechet.h"
#include "nn/loss.h"
#include "train/rows.h"

#include <math.h>
#include <string.h>

struct ls_scoring {
    ls_comm *comm; /* borrowed */
    ls_model *classifier;
    ls_batch *batch; /* of the classifier's inputs */
    ls_shape picture;
    int classes, features;
    int feature_layer; /* its outputs are the features */

    float *feature;        /* [room][features] of this rank's rows */
    int64_t room, rows;    /* rows of this rank */
    double *sums;          /* [classes + 1][LS_EXACT_PARTS] of p, and of sum p log p */
    int64_t *histogram;    /* [2][classes] of the rows so far, and of the latest scores */
    ls_moments real, made; /* the first without features until real rows are known */
};

/* Finds the layer whose outputs are the features: the input of the last layer with parameters.
 * Local. */
static ls_status find_features(ls_scoring *s, const char *path)
{
    const ls_network *network = ls_model_network(s->classifier);
    int last = ls_network_layers(network) - 1;
    while (last >= 0 && ls_network_layer(network, last).parameters == 0)
        last--;
    s->feature_layer = last >= 0 ? ls_network_layer(network, last).input[0] : -1;
    if (s->feature_layer < 0)
        return ls_fail(LS_ERR_USAGE,
                       "--score: %s has no hidden layer, whose outputs would be the features",
                       path);
    const int64_t features = ls_shape_size(ls_network_layer(network, s->feature_layer).out);
    if (features > LS_FRECHET_MOST)
        return ls_fail(LS_ERR_USAGE,
                       "--score: the last hidden layer of %s has %lld outputs: at "
                       "most %d can be features",
                       path, (long long)features, LS_FRECHET_MOST);
    s->features = (int)features;
    return LS_OK;
}

/* Checks that the model is a classifier of these rows. Local. */
static ls_status check_classifier(const ls_scoring *s, const char *path)
{
    const ls_model_facts *f = ls_model_describe(s->classifier);
    if (f->task.kind != LS_TASK_CLASSIFICATION || f->loss != LS_CROSS_ENTROPY)
        return ls_fail(LS_ERR_USAGE, "--score: %s is no classifier with --loss cross-entropy",
                       path);
    if (f->input.channels != s->picture.channels || f->input.height != s->picture.height ||
        f->input.width != s->picture.width)
        return ls_fail(LS_ERR_USAGE, "--score: %s classifies rows of another shape, %lldx%lldx%lld",
                       path, (long long)f->input.channels, (long long)f->input.height,
                       (long long)f->input.width);
    return LS_OK;
}

/* Allocates what does not depend on the number of rows. Local. */
static ls_status allocate(ls_scoring *s)
{
    s->classes = ls_model_describe(s->classifier)->classes;
    s->sums = ls_alloc((s->classes + 1) * (int64_t)LS_EXACT_PARTS, sizeof *s->sums);
    s->histogram = ls_alloc(2 * (int64_t)s->classes, sizeof *s->histogram);
    if (s->sums == NULL || s->histogram == NULL)
        return LS_ERR_FAILURE;
    const ls_status status =
        ls_batch_create(&s->batch, LS_EVALUATION_ROWS, ls_shape_size(s->picture), 0);
    return status == LS_OK ? ls_moments_create(&s->made, s->features) : status;
}

ls_status ls_scoring_open(ls_scoring **out, ls_comm *comm, const char *path, ls_shape picture)
{
    ls_scoring *s = ls_alloc(1, sizeof *s);
    ls_status status = ls_agree(comm, s == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK)
        return status;
    s->comm = comm;
    s->picture = picture;
    status = ls_model_open(&s->classifier, comm, path, LS_MODEL_EVALUATED);
    if (status == LS_OK) {
        status = check_classifier(s, path);
        if (status == LS_OK)
            status = find_features(s, path);
        if (status == LS_OK)
            status = allocate(s);
        status = ls_agree(comm, status);
    }
    if (status == LS_OK)
        *out = s;
    else
        ls_scoring_close(&s);
    return status;
}

void ls_scoring_close(ls_scoring **scoring)
{
    if (scoring == NULL || *scoring == NULL)
        return;
    ls_scoring *s = *scoring;
    ls_model_destroy(&s->classifier);
    ls_batch_destroy(&s->batch);
    ls_free(s->feature);
    ls_free(s->sums);
    ls_free(s->histogram);
    ls_moments_destroy(&s->real);
    ls_moments_destroy(&s->made);
    ls_free(s);
    *scoring = NULL;
}

/* Fills the batch with rows as the classifier reads them. Local. */
static void fill_batch(ls_scoring *s, int64_t count, const float *rows)
{
    const ls_model_facts *f = ls_model_describe(s->classifier);
    const int64_t pixels = s->picture.height * s->picture.width, size = s->batch->features;
    const double unit = f->element == LS_U8 ? UINT8_MAX : 1;
    for (int64_t i = 0; i < count * size; i++) {
        double x = ((double)rows[i] / unit - f->mean) / f->std;
        if (f->inputs.count > 0) {
            const int64_t c = i % size / pixels;
            x = (x - f->inputs.mean[c]) / f->inputs.std[c];
        }
        s->batch->x[i] = (float)x;
    }
    s->batch->rows = count;
    if (ls_network_channels_last(ls_model_network(s->classifier)))
        ls_batch_to_channels_last(s->batch, s->picture.channels, pixels);
}

/* Adds the class probabilities of a row. Local.
 * y  [classes] logits */
static void add_classes(ls_scoring *s, const float *y)
{
    const int K = s->classes;
    const int32_t largest = ls_largest_output(K, y);
    double sum = 0, information = 0;
    for (int k = 0; k < K; k++)
        sum += exp((double)y[k] - (double)y[largest]);
    for (int k = 0; k < K; k++) {
        const double log_p = (double)y[k] - (double)y[largest] - log(sum), p = exp(log_p);
        ls_exact_add(p, s->sums + k, K + 1);
        information += p * log_p;
    }
    ls_exact_add(information, s->sums + K, K + 1);
    s->histogram[largest]++;
}

/* Makes room for the features of more rows. Local. */
static ls_status make_room(ls_scoring *s, int64_t more)
{
    const int64_t room = ls_max(2 * s->room, s->rows + more);
    if (s->rows + more <= s->room)
        return LS_OK;
    float *larger = ls_alloc(room * s->features, sizeof *larger);
    if (larger == NULL)
        return LS_ERR_FAILURE;
    if (s->rows > 0)
        memcpy(larger, s->feature, (size_t)(s->rows * s->features) * sizeof *larger);
    ls_free(s->feature);
    s->feature = larger;
    s->room = room;
    return LS_OK;
}

/* Adds the rows of the batch. Local. */
static ls_status add_batch(ls_scoring *s)
{
    ls_network *network = ls_model_network(s->classifier);
    const int64_t count = s->batch->rows;
    const ls_status status = make_room(s, count);
    if (status != LS_OK)
        return status;
    const float *y = ls_network_forward(network, ls_model_params(s->classifier), s->batch);
    for (int64_t i = 0; i < count * s->classes; i++)
        if (!isfinite(y[i]))
            return ls_fail(LS_ERR_NUMERIC, "an output of the classifier that scores is not finite");
    for (int64_t i = 0; i < count; i++)
        add_classes(s, y + i * s->classes);
    memcpy(s->feature + s->rows * s->features, ls_network_activation(network, s->feature_layer),
           (size_t)(count * s->features) * sizeof *s->feature);
    s->rows += count;
    return LS_OK;
}

ls_status ls_scoring_add(ls_scoring *s, int64_t count, const float *rows)
{
    const int64_t size = ls_shape_size(s->picture);
    ls_status status = LS_OK;
    for (int64_t done = 0; status == LS_OK && done < count; done += LS_EVALUATION_ROWS) {
        fill_batch(s, ls_min(count - done, LS_EVALUATION_ROWS), rows + done * size);
        status = add_batch(s);
    }
    return status;
}

/* Adds this rank's real rows. Local. */
static ls_status add_real(ls_scoring *s, ls_rows *rows)
{
    ls_rows_rewind(rows);
    ls_status status = ls_rows_next(rows, s->batch);
    while (status == LS_OK && s->batch->rows > 0) {
        status = add_batch(s);
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
        if (status == LS_OK)
            status = ls_rows_next(rows, s->batch);
    }
    return status;
}

ls_status ls_scoring_real(ls_scoring *s, ls_rows *rows, ls_row_scores *scores)
{
    const ls_status status = ls_agree(s->comm, add_real(s, rows));
    return status == LS_OK ? ls_scoring_finish(s, true, scores) : status;
}

const ls_model *ls_scoring_classifier(const ls_scoring *s)
{
    return s->classifier;
}

/* Adds the products of a row's features, rounded to a quantum: sum[i][j] for j <= i. */
LS_DISPATCH static void add_products(int d, const float *restrict x, double quantum,
                                     double *restrict sum)
{
    for (int i = 0; i < d; i++)
        for (int j = 0; j <= i; j++)
            sum[i * d + j] += ls_exact_round((double)x[i] * (double)x[j], quantum);
}

/* Computes mean and covariance of the features of all ranks' rows. Collective.
 * rows  of all ranks */
static void compute_moments(ls_scoring *s, int64_t rows, ls_moments *m)
{
    const int d = s->features;
    double most = 0;
    for (int64_t i = 0; i < s->rows * d; i++)
        most = fmax(most, fabs((double)s->feature[i]));
    ls_allreduce_max(s->comm, &most, 1);
    most = fmax(most, 1e-30);
    const double quantum = ls_exact_quantum(most * (double)(rows + 1));
    const double quantum2 = ls_exact_quantum(most * most * (double)(rows + 1));
    memset(m->mean, 0, (size_t)d * sizeof *m->mean);
    memset(m->covariance, 0, (size_t)d * (size_t)d * sizeof *m->covariance);
    for (int64_t r = 0; r < s->rows; r++) {
        const float *x = s->feature + r * d;
        for (int i = 0; i < d; i++)
            m->mean[i] += ls_exact_round((double)x[i], quantum);
        add_products(d, x, quantum2, m->covariance);
    }
    ls_allreduce_doubles(s->comm, m->mean, d);
    for (int i = 0; i < d; i++)
        ls_allreduce_doubles(s->comm, m->covariance + i * d, i + 1);
    for (int i = 0; i < d; i++)
        m->mean[i] /= (double)rows;
    for (int i = 0; i < d; i++)
        for (int j = 0; j <= i; j++)
            m->covariance[i * d + j] = m->covariance[j * d + i] =
                m->covariance[i * d + j] / (double)rows - m->mean[i] * m->mean[j];
}

/* Computes the distance from the real rows on rank 0. Collective. */
static ls_status measure_distance(ls_scoring *s, double *out)
{
    *out = NAN;
    if (s->real.features == 0)
        return LS_OK;
    const ls_status status = ls_agree_root(
        s->comm, ls_comm_rank(s->comm) == 0 ? ls_frechet_distance(&s->real, &s->made, out) : LS_OK);
    if (status == LS_OK)
        ls_broadcast(s->comm, out, sizeof *out);
    return status;
}

/* Returns the score from the sums over all ranks' rows. Local. */
static double score_of(const ls_scoring *s, int64_t rows)
{
    const int K = s->classes;
    double divergence = ls_exact_total(s->sums + K, K + 1) / (double)rows;
    for (int k = 0; k < K; k++) {
        const double p = ls_exact_total(s->sums + k, K + 1) / (double)rows;
        divergence -= p > 0 ? p * log(p) : 0;
    }
    return exp(divergence);
}

/* Forgets the rows that were scored. Local. */
static void forget(ls_scoring *s)
{
    s->rows = 0;
    memcpy(s->histogram + s->classes, s->histogram, (size_t)s->classes * sizeof *s->histogram);
    memset(s->histogram, 0, (size_t)s->classes * sizeof *s->histogram);
    memset(s->sums, 0, (size_t)((s->classes + 1) * LS_EXACT_PARTS) * sizeof *s->sums);
}

ls_status ls_scoring_finish(ls_scoring *s, bool real, ls_row_scores *out)
{
    ls_status status = LS_OK;
    if (real && s->real.features == 0)
        status = ls_agree(s->comm, ls_moments_create(&s->real, s->features));
    if (status != LS_OK)
        return status;
    int64_t rows = s->rows, least = INT64_MAX;
    ls_allreduce_integers(s->comm, &rows, 1);
    ls_allreduce_integers(s->comm, s->histogram, s->classes);
    ls_allreduce_doubles(s->comm, s->sums, (s->classes + 1) * LS_EXACT_PARTS);
    compute_moments(s, rows, real ? &s->real : &s->made);
    for (int k = 0; k < s->classes; k++)
        least = ls_min(least, s->histogram[k]);
    *out = (ls_row_scores){.rows = rows,
                           .score = score_of(s, rows),
                           .frechet = NAN,
                           .least_class = (double)least / (double)rows,
                           .classes = s->classes,
                           .histogram = s->histogram + s->classes};
    if (!real)
        status = measure_distance(s, &out->frechet);
    forget(s);
    return status;
}
