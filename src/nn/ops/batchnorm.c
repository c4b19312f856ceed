/* batchnorm: each channel is brought to mean 0 and variance 1, then scaled and shifted (Ioffe and
 * Szegedy, Batch Normalization, 2015). In training mean and variance are those of the global batch;
 * else they are running statistics, which training keeps as parameters, see ls_param.
 *
 * N: values of a channel in the global batch; C: channels; x, y [rows * pixels][C].
 *
 *     y = a (x - mean) + shift             a = scale / sqrt(var + EPSILON)
 *     dx = a dy + u (x - mean) + v         u = -a (sum of dy (x - mean)) / (N (var + EPSILON))
 *                                          v = -a (sum of dy) / N
 *     dscale = (sum of dy (x - mean)) / sqrt(var + EPSILON)         dshift = sum of dy
 *
 * The variance is the mean square less the square of the mean, which cancels where the mean is much
 * larger than the deviation: then a second round sums the squares of deviations from the mean. Means
 * are doubles; `middle` is the mean as a float, so that x - middle can be computed in floats, and the
 * difference between the two is made good in b and v. */
#include "base/dispatch.h"
#include "nn/op.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-5

/* The square of a mean in variances from which on a second round is needed. Below, an addition loses
 * 2^-33 of the variance. */
#define REMOTE 0x1p20

enum { SCALE, SHIFT, MEAN, VARIANCE };

/* Kept from forward to backward, for each channel. */
typedef struct state {
    double *values; /* [1] N */
    double *mean;   /* [C], as all that follow */
    double *variance;
    float *middle;
    float *a, *b; /* y = a (x - middle) + b */
    float *u, *v; /* dx = a dy + u (x - middle) + v */
} state;

static int64_t state_floats(const ls_op *op)
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

static int64_t pixels_of(const ls_op *op)
{
    return op->in[0].height * op->in[0].width;
}

static ls_status configure(ls_op *op)
{
    const int64_t C = op->in[0].channels;
    op->out = op->in[0];
    ls_op_add_param(op, "scale", 1, &C);
    ls_op_add_param(op, "shift", 1, &C);
    ls_op_add_param(op, "mean", 1, &C)->running_statistic = true;
    ls_op_add_param(op, "variance", 1, &C)->running_statistic = true;
    return LS_OK;
}

static void initialise(const ls_op *op, uint64_t seed, bool before_relu, float *params)
{
    (void)seed, (void)before_relu;
    ls_init_constant(op, SCALE, 1, params);
    ls_init_constant(op, SHIFT, 0, params);
    ls_init_constant(op, MEAN, 0, params);
    ls_init_constant(op, VARIANCE, 1, params);
}

/* Sums that are taken over the global batch: two for each channel, and N. */
static int count(const ls_op *op)
{
    return (int)(2 * op->in[0].channels + 1);
}

/* Adds x and x * other, of some values of each channel, to their sums. */
LS_DISPATCH static void add_values(int64_t values, int64_t C, const float *restrict x,
                                   const float *other, double *restrict sums)
{
    for (int64_t i = 0; i < values; i++, x += C, other += C)
        for (int64_t c = 0; c < C; c++) {
            sums[c] += (double)x[c];
            sums[C + c] += (double)x[c] * (double)other[c];
        }
}

/* Adds x - mean and its square. */
LS_DISPATCH static void add_deviations(int64_t values, int64_t C, const double *restrict mean,
                                       const float *restrict x, double *restrict sums)
{
    for (int64_t i = 0; i < values; i++, x += C)
        for (int64_t c = 0; c < C; c++) {
            const double deviation = (double)x[c] - mean[c];
            sums[c] += deviation;
            sums[C + c] += deviation * deviation;
        }
}

/* The mask of the fused relu, from y as forward() made it. */
LS_DISPATCH static void mask(int64_t values, int64_t C, const float *restrict a,
                             const float *restrict middle, const float *restrict b,
                             const float *restrict x, float *restrict dy)
{
    for (int64_t i = 0; i < values; i++, x += C, dy += C)
        for (int64_t c = 0; c < C; c++)
            dy[c] = a[c] * (x[c] - middle[c]) + b[c] > 0 ? dy[c] : 0;
}

/* Sums of x and x^2, of x - mean and its square, or of dy and dy x. */
static void add(const ls_op *op, const ls_op_data *d, ls_statistics_of of, double *sums)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels, pixels = pixels_of(op);
    const float *x = d->x[0];
    float *dy = d->dy;
    memset(sums, 0, (size_t)(2 * C) * sizeof *sums);
    sums[2 * C] = (double)(d->rows * pixels);
    for (int64_t r = 0; r < d->rows; r++, x += pixels * C) {
        if (of == LS_STATISTICS_OF_INPUTS)
            add_values(pixels, C, x, x, sums);
        if (of == LS_STATISTICS_OF_INPUTS_AGAIN)
            add_deviations(pixels, C, s.mean, x, sums);
        if (of != LS_STATISTICS_OF_GRADIENTS)
            continue;
        if (op->fused_relu)
            mask(pixels, C, s.a, s.middle, s.b, x, dy);
        add_values(pixels, C, dy, x, sums);
        dy += pixels * C;
    }
}

/* Makes a, middle and b of mean and variance. */
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

/* Makes mean and variance of the sums of deviations from the mean so far, 0 at first. Returns true
 * if that was too far away from one of the means. */
static bool take_inputs(const ls_op *op, const ls_op_data *d, bool first, const double *sums)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    const double N = *s.values = sums[2 * C];
    bool remote = false;
    for (int64_t c = 0; c < C; c++) {
        const double off = sums[c] / N, variance = sums[C + c] / N - off * off;
        remote = remote || off * off > REMOTE * variance;
        s.mean[c] = first ? off : s.mean[c] + off;
        s.variance[c] = variance > 0 || isnan(variance) ? variance : 0;
    }
    make_affine(op, d);
    return first && remote;
}

/* Makes u and v of the sums of dy and dy x. */
static void take_gradients(const ls_op *op, const ls_op_data *d, const double *sums)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    const double N = *s.values;
    for (int64_t c = 0; c < C; c++) {
        const double a = (double)s.a[c], product = sums[C + c] - s.mean[c] * sums[c];
        const double u = -a * product / (N * (s.variance[c] + EPSILON));
        s.u[c] = (float)u;
        s.v[c] = (float)(-a * sums[c] / N + u * ((double)s.middle[c] - s.mean[c]));
    }
}

static bool take(const ls_op *op, const ls_op_data *d, ls_statistics_of of, const double *sums)
{
    if (of != LS_STATISTICS_OF_GRADIENTS)
        return take_inputs(op, d, of == LS_STATISTICS_OF_INPUTS, sums);
    take_gradients(op, d, sums);
    return false;
}

/* y = a (x - middle) + b, for each channel, and the relu that may follow. */
LS_DISPATCH static void apply(int64_t values, int64_t C, bool relu, const float *restrict a,
                              const float *restrict middle, const float *restrict b,
                              const float *restrict x, float *restrict y)
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

static void forward(const ls_op *op, const ls_op_data *d)
{
    const state s = state_of(op, d);
    const int64_t C = op->in[0].channels;
    for (int64_t c = 0; c < C && !d->training; c++) {
        s.mean[c] = (double)d->w[MEAN][c];
        s.variance[c] = (double)d->w[VARIANCE][c];
    }
    if (!d->training)
        make_affine(op, d);
    apply(d->rows * pixels_of(op), C, op->fused_relu, s.a, s.middle, s.b, d->x[0], d->y);
}

/* dx = a dy + u (x - middle) + v, in place of dy. */
LS_DISPATCH static void apply_back(int64_t values, int64_t C, const float *restrict a,
                                   const float *restrict middle, const float *restrict u,
                                   const float *restrict v, const float *restrict x,
                                   float *restrict dy)
{
    for (int64_t i = 0; i < values; i++, x += C, dy += C)
        for (int64_t c = 0; c < C; c++)
            dy[c] = a[c] * dy[c] + u[c] * (x[c] - middle[c]) + v[c];
}

/* Gradients of scale and shift; and of the running statistics: rows times their difference from the
 * batch's, where the variance is that of a sample. A single value has no statistics to follow. */
static void make_gradients(const ls_op *op, const ls_op_data *d)
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

static void backward(const ls_op *op, const ls_op_data *d)
{
    const state s = state_of(op, d);
    make_gradients(op, d);
    if (d->dx[0] != NULL)
        apply_back(d->rows * pixels_of(op), op->in[0].channels, s.a, s.middle, s.u, s.v, d->x[0],
                   d->dx[0]);
}

static const ls_batch_statistics statistics = {.count = count, .add = add, .take = take};

const ls_op_kind ls_op_batchnorm = {
    .name = "batchnorm",
    .configure = configure,
    .initialise = initialise,
    .forward = forward,
    .backward = backward,
    .state = state_floats,
    .statistics = &statistics,
    .in_place = true,
    .fuses_relu = true,
    .keeps_scale = true,
    .per_channel = true,
};
