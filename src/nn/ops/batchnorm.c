/* batchnorm: normalises each channel to mean 0 and variance 1, then scales and shifts it (Ioffe and
 * Szegedy, Batch Normalization, 2015). Training uses the mean and variance of the global batch;
 * evaluation uses running statistics, which training keeps as parameters, see ls_param.
 *
 * N: values of a channel in the global batch; C: channels; x, y [rows * pixels][C]. The steps of a
 * sequence are pixels; those beyond a row's length are not counted and get no gradient.
 *
 *     y = a (x - mean) + shift             a = scale / sqrt(var + EPSILON)
 *     dx = a dy + u (x - mean) + v         u = -a (sum of dy (x - mean)) / (N (var + EPSILON))
 *                                          v = -a (sum of dy) / N
 *     dscale = (sum of dy (x - mean)) / sqrt(var + EPSILON)         dshift = sum of dy
 *
 * The variance is the mean square minus the square of the mean. This difference cancels if the mean
 * is much larger than the standard deviation: then a second round sums the squared deviations from
 * the mean. Means are doubles; `middle` is the mean as a float, so that x - middle can be computed
 * in floats; b and v correct for the difference between mean and middle. */
#include "base/dispatch.h"
#include "nn/op.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-5

/* A second round is needed if mean^2 / variance is above this. Below, an addition loses 2^-33 of
 * the variance. */
#define REMOTE 0x1p20

enum { SCALE, SHIFT, MEAN, VARIANCE };

/* State kept from the forward to the backward pass, for each channel. */
typedef struct state {
    double *values; /* [1] N */
    double *mean;   /* [C], like all arrays below */
    double *variance;
    float *middle;
    float *a, *b; /* y = a (x - middle) + b */
    float *u, *v; /* dx = a dy + u (x - middle) + v */
} state;

static int64_t batchnorm_state(const ls_op *op)
{
    const int64_t C = op->in[0].channels, doubles = 1 + 2 * C, floats = 5 * C;
    return 2 * doubles + floats;
}

static state state_of(const ls_op *op, const ls_op_data *d)
{
    const int64_t C = op->in[0].channels;
    double *doubles = (double *)(void *)d->state;
    float *floats = d->state + 2 * (1 + 2 * C);
    return (state){.values = doubles,
                   .mean = doubles + 1,
                   .variance = doubles + 1 + C,
                   .middle = floats,
                   .a = floats + C,
                   .b = floats + 2 * C,
                   .u = floats + 3 * C,
                   .v = floats + 4 * C};
}

static int64_t pixel_count(const ls_op *op)
{
    return op->in[0].height * op->in[0].width;
}

/* Pixels of a row that count. */
static int64_t pixels_of(const ls_op *op, const ls_op_data *d, int64_t row)
{
    const int64_t pixels = pixel_count(op);
    return op->sequence && d->lengths != NULL && d->lengths[row] < pixels ? d->lengths[row]
                                                                          : pixels;
}

static ls_status batchnorm_configure(ls_op *op)
{
    const int64_t C = op->in[0].channels;
    op->out = op->in[0];
    ls_op_add_param(op, "scale", 1, &C);
    ls_op_add_param(op, "shift", 1, &C);
    ls_op_add_param(op, "mean", 1, &C)->running_statistic = true;
    ls_op_add_param(op, "variance", 1, &C)->running_statistic = true;
    return LS_OK;
}

static void batchnorm_initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    (void)seed, (void)before_relu;
    ls_init_constant(op, SCALE, 1, params);
    ls_init_constant(op, SHIFT, 0, params);
    ls_init_constant(op, MEAN, 0, params);
    ls_init_constant(op, VARIANCE, 1, params);
}

/* Sums over the global batch: two for each channel, and N. */
static int batchnorm_count(const ls_op *op)
{
    return (int)(2 * op->in[0].channels + 1);
}

/* Adds x and x * other to each channel's sums. values: per channel. */
LS_DISPATCH static void sum_products(int64_t values, int64_t C, const float *restrict x,
                                     const float *other, double *restrict sums)
{
    for (int64_t i = 0; i < values; i++, x += C, other += C)
        for (int64_t c = 0; c < C; c++) {
            sums[c] += (double)x[c];
            sums[C + c] += (double)x[c] * (double)other[c];
        }
}

/* Adds x - mean and (x - mean)^2 to each channel's sums. */
LS_DISPATCH static void sum_deviations(int64_t values, int64_t C, const double *restrict mean,
                                       const float *restrict x, double *restrict sums)
{
    for (int64_t i = 0; i < values; i++, x += C)
        for (int64_t c = 0; c < C; c++) {
            const double deviation = (double)x[c] - mean[c];
            sums[c] += deviation;
            sums[C + c] += deviation * deviation;
        }
}

/* Applies the fused relu's mask to dy. Recomputes y with the operations of batchnorm_forward(). */
LS_DISPATCH static void mask_gradient(int64_t values, int64_t C, const float *restrict a,
                                      const float *restrict middle, const float *restrict b,
                                      const float *restrict x, float *restrict dy)
{
    for (int64_t i = 0; i < values; i++, x += C, dy += C)
        for (int64_t c = 0; c < C; c++)
            dy[c] = a[c] * (x[c] - middle[c]) + b[c] > 0 ? dy[c] : 0;
}

/* Sums x and x^2, x - mean and (x - mean)^2, or dy and dy x. */
static void batchnorm_add(const ls_op *op, const ls_op_data *d, ls_statistics_of of, double *sums)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels, pixels = pixel_count(op);
    const float *x = d->x[0];
    float *dy = d->dy;
    memset(sums, 0, (size_t)(2 * C) * sizeof *sums);
    sums[2 * C] = 0;
    for (int64_t r = 0; r < d->rows; r++, x += pixels * C) {
        const int64_t used = pixels_of(op, d, r);
        sums[2 * C] += (double)used;
        if (of == LS_STATISTICS_OF_INPUTS)
            sum_products(used, C, x, x, sums);
        if (of == LS_STATISTICS_OF_INPUTS_AGAIN)
            sum_deviations(used, C, s.mean, x, sums);
        if (of != LS_STATISTICS_OF_GRADIENTS)
            continue;
        if (op->fused_relu)
            mask_gradient(used, C, s.a, s.middle, s.b, x, dy);
        sum_products(used, C, dy, x, sums);
        dy += pixels * C;
    }
}

/* Computes a, middle and b from mean and variance. */
static void make_affine(const ls_op *op, const ls_op_data *d)
{
    const state s = state_of(op, d);
    for (int64_t c = 0; c < op->in[0].channels; c++) {
        const double a = (double)d->w[SCALE][c] / sqrt(s.variance[c] + EPSILON);
        s.a[c] = (float)a;
        s.middle[c] = (float)s.mean[c];
        s.b[c] = (float)((double)d->w[SHIFT][c] + a * ((double)s.middle[c] - s.mean[c]));
    }
}

/* Computes mean and variance from the sums of deviations from the previous mean, 0 in the first
 * round. Returns true if a second round is needed: some mean is too far from 0. */
static bool set_moments(const ls_op *op, const ls_op_data *d, bool first, const double *sums)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    const double N = *s.values = sums[2 * C];
    bool remote = false;
    for (int64_t c = 0; c < C; c++) {
        const double off = N > 0 ? sums[c] / N : 0;
        const double variance = N > 0 ? sums[C + c] / N - off * off : 0;
        remote = remote || off * off > REMOTE * variance;
        s.mean[c] = first ? off : s.mean[c] + off;
        s.variance[c] = variance > 0 || isnan(variance) ? variance : 0;
    }
    make_affine(op, d);
    return first && remote;
}

/* Computes u and v from the sums of dy and dy x. */
static void set_gradient_terms(const ls_op *op, const ls_op_data *d, const double *sums)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    const double N = *s.values;
    for (int64_t c = 0; c < C; c++) {
        const double a = (double)s.a[c], product = sums[C + c] - s.mean[c] * sums[c];
        const double u = N > 0 ? -a * product / (N * (s.variance[c] + EPSILON)) : 0;
        const double v = N > 0 ? -a * sums[c] / N : 0;
        s.u[c] = (float)u;
        s.v[c] = (float)(v + u * ((double)s.middle[c] - s.mean[c]));
    }
}

static bool batchnorm_finish(const ls_op *op, const ls_op_data *d, ls_statistics_of of,
                             const double *sums)
{
    if (of != LS_STATISTICS_OF_GRADIENTS)
        return set_moments(op, d, of == LS_STATISTICS_OF_INPUTS, sums);
    set_gradient_terms(op, d, sums);
    return false;
}

/* y = a (x - middle) + b for each channel, then the fused relu if `relu`. */
LS_DISPATCH static void normalise_rows(int64_t values, int64_t C, bool relu,
                                       const float *restrict a, const float *restrict middle,
                                       const float *restrict b, const float *restrict x,
                                       float *restrict y)
{
    for (int64_t i = 0; i < values; i++, x += C, y += C) {
        if (!relu) {
            for (int64_t c = 0; c < C; c++)
                y[c] = a[c] * (x[c] - middle[c]) + b[c];
            continue;
        }
        for (int64_t c = 0; c < C; c++) {
            const float z = a[c] * (x[c] - middle[c]) + b[c];
            y[c] = z < 0 ? 0 : z;
        }
    }
}

static void batchnorm_forward(const ls_op *op, const ls_op_data *d)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    for (int64_t c = 0; c < C && !d->training; c++) {
        s.mean[c] = (double)d->w[MEAN][c];
        s.variance[c] = (double)d->w[VARIANCE][c];
    }
    if (!d->training)
        make_affine(op, d);
    normalise_rows(d->rows * pixel_count(op), C, op->fused_relu, s.a, s.middle, s.b, d->x[0], d->y);
}

/* dx = a dy + u (x - middle) + v, in place: dy is both input and output. */
LS_DISPATCH static void normalise_backward(int64_t values, int64_t C, const float *restrict a,
                                           const float *restrict middle, const float *restrict u,
                                           const float *restrict v, const float *restrict x,
                                           float *restrict dy)
{
    for (int64_t i = 0; i < values; i++, x += C, dy += C)
        for (int64_t c = 0; c < C; c++)
            dy[c] = a[c] * dy[c] + u[c] * (x[c] - middle[c]) + v[c];
}

/* Gradients of scale and shift; and of running statistics: rows times the difference between
 * running statistic and statistic of the batch, with the unbiased sample variance. A single value
 * has no variance, so running statistics do not change if N is 1. */
static void param_gradients(const ls_op *op, const ls_op_data *d)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    const double N = *s.values, unbiased = N > 1 ? N / (N - 1) : 1;
    const double followed = N > 1 ? (double)d->rows : 0;
    for (int64_t c = 0; c < C; c++) {
        const double mean = s.mean[c], variance = s.variance[c];
        d->dw[SCALE][c] = (float)((d->sums[C + c] - mean * d->sums[c]) / sqrt(variance + EPSILON));
        d->dw[SHIFT][c] = (float)d->sums[c];
        d->dw[MEAN][c] = (float)(followed * ((double)d->w[MEAN][c] - mean));
        d->dw[VARIANCE][c] = (float)(followed * ((double)d->w[VARIANCE][c] - unbiased * variance));
    }
}

static void batchnorm_backward(const ls_op *op, const ls_op_data *d)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels, pixels = pixel_count(op), row = pixels * C;
    if (d->dw[SCALE] != NULL)
        param_gradients(op, d);
    if (d->dx[0] != NULL && d->lengths == NULL)
        normalise_backward(d->rows * pixels, C, s.a, s.middle, s.u, s.v, d->x[0], d->dx[0]);
    for (int64_t r = 0; d->dx[0] != NULL && d->lengths != NULL && r < d->rows; r++) {
        const int64_t used = pixels_of(op, d, r);
        float *dx = d->dx[0] + r * row;
        normalise_backward(used, C, s.a, s.middle, s.u, s.v, d->x[0] + r * row, dx);
        memset(dx + used * C, 0, (size_t)((pixels - used) * C) * sizeof *dx);
    }
}

static const ls_batch_statistics statistics = {
    .count = batchnorm_count, .add = batchnorm_add, .finish = batchnorm_finish};

const ls_op_kind ls_op_batchnorm = {
    .name = "batchnorm",
    .configure = batchnorm_configure,
    .initialise = batchnorm_initialise,
    .forward = batchnorm_forward,
    .backward = batchnorm_backward,
    .state = batchnorm_state,
    .statistics = &statistics,
    .in_place = true,
    .fuses_relu = true,
    .keeps_scale = true,
    .per_channel = true,
};
